"""House rules, kept by reading the source and by looking at fresh processes."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import stancekit

PACKAGE = Path(stancekit.__file__).parent
ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 320  # lines
HEAVY = ["torch", "transformers", "datasets", "sklearn", "ray"]
HEAVY += ["matplotlib", "onnxruntime", "pyarrow"]

# Who may import whom: any layer above imports any below; within a layer only a group's members
# import each other. A new module is placed here before it is merged.
LAYERS = [
    ["errors"],
    ["records"],
    [
        "reading",
        "rows sources compressed lines text delimited arrow_types tables formats renamed expand"
        " landing sidecars files charset documents",
        "encoding checkpoint engines",
        "calibration",
        "locks",
    ],
    ["model"],
    [
        "scoring dedupe pipeline inputs parts manifest runs destinations topics archive"
        " places workers cluster outputs agreement annotation diversity candidates suggest"
        " balances display markdown",
        "evaluation probes finetune quantise export tabular sklearn",
    ],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
PLACE = {
    module: (layer, group)
    for layer, groups in enumerate(LAYERS)
    for group in groups
    for module in group.split()
}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    """``errors`` for errors.py, ``reading`` for all of reading/."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its layer"
            assert node.module is not None
            if node.module == "stancekit":
                names |= {f"stancekit.{alias.name}" for alias in node.names}
            else:
                names.add(node.module)
    return names


def imported_here(path: Path) -> set[str]:
    """The modules of this package among them, by the names of PLACE."""
    inside = [name.split(".") for name in imported(path) if name.split(".")[0] == "stancekit"]
    return {parts[1] if len(parts) > 1 else "__init__" for parts in inside}


def fresh(code: str, *arguments: object) -> str:
    """What a new interpreter prints for some code."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_module_has_its_place() -> None:
    assert {module_of(path) for path in FILES} <= set(PLACE)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    layer, group = PLACE[module_of(path)]
    for name in imported_here(path) - {module_of(path)}:
        below, its_group = PLACE[name]
        assert below < layer or its_group == group, f"{module_of(path)} imports {name}"


def test_no_imports_go_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in FILES:
        module = module_of(path)
        graph.setdefault(module, set()).update(imported_here(path) - {module})
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("outside", ["training", "benchmarks", "tests"])
def test_the_library_does_not_know_what_is_built_on_it(outside: str) -> None:
    for path in FILES:
        assert outside not in {name.split(".")[0] for name in imported(path)}, path


def test_exports_are_those_listed_and_all_resolve() -> None:
    listed = stancekit.__all__
    assert len(set(listed)) == len(listed)
    for name in listed:
        assert getattr(stancekit, name) is not None
    bound: set[str] = {"__version__"}
    for node in ast.walk(parse(PACKAGE / "__init__.py")):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stancekit"):
            bound |= {alias.asname or alias.name for alias in node.names}
    assert bound == set(listed)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stancekit.nothing


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_a_module_lists_it_has(path: Path) -> None:
    if path.name == "__main__.py":
        return
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(dotted)
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    assert ast.get_docstring(parse(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints(path: Path) -> None:
    if path.parent.name == "cli":
        return
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    assert "print" not in {c.func.id for c in calls if isinstance(c.func, ast.Name)}


def test_modules_are_named_for_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    assert not vague & {path.stem for path in FILES}
    assert not vague & {path.parent.name for path in FILES}


def test_nothing_is_left_for_later() -> None:
    later = re.compile("|".join(["TODO", "FIXME", "XXX"]))
    for folder in ("stancekit", "training", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            assert not later.search(path.read_text(encoding="utf-8")), path


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()


LOADED = f"; import sys; print(*sorted(set(sys.modules) & set({HEAVY!r})))"


def test_import_loads_nothing_heavy() -> None:
    assert fresh("import stancekit" + LOADED) == ""


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import contextlib, io, sys\n"
        "sys.argv = ['stancekit', '--help']\n"
        "from stancekit.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as shown:\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit:\n"
        "        pass\n"
        "assert 'predict' in shown.getvalue()\n"
    )
    assert fresh(code + LOADED.removeprefix("; ")) == ""


@pytest.mark.parametrize(
    "command",
    [
        *("predict", "read", "score", "suggest", "import", "check", "train", "evaluate", "info"),
    ],
)
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "stancekit", command, "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0
    seen = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in seen
    assert not seen & set(HEAVY)


def test_scoring_on_the_processor_needs_no_torch(tiny_model_dir: Path) -> None:
    code = (
        "import sys, stancekit\n"
        "model = stancekit.load(sys.argv[1], engine='onnx')\n"
        "assert model.predict('We support it.', 'the bridge').label\n"
        "assert model.read('\"We fight it,\" the mayor said.', 'the bridge')\n"
        "heavy = 'torch transformers datasets sklearn ray matplotlib onnx'.split()\n"
        "print(*sorted(set(sys.modules) & set(heavy)))"
    )
    assert fresh(code, tiny_model_dir) == ""


def test_import_and_construction_have_no_side_effects(tiny_model_dir: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if path.name != "__main__.py"
    ]
    code = (
        "import importlib, locale, logging, os, random, signal, sys, threading, warnings\n"
        # What these do on import is theirs.
        "import numpy, onnxruntime, pyarrow.parquet, rich.console, tokenizers, typer\n"
        "import sklearn.base\n"
        "def state():\n"
        "    known = [None, *logging.root.manager.loggerDict.values()]\n"
        "    handlers = [h for log in known for h in getattr(log, 'handlers', ())]\n"
        "    return (\n"
        "        logging.root.level, list(logging.root.handlers), handlers,\n"
        "        dict(os.environ), list(warnings.filters), threading.active_count(),\n"
        "        signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM),\n"
        "        random.getstate(), str(numpy.random.get_state()), numpy.geterr(),\n"
        "        locale.getlocale(), os.getcwd(), list(sys.path),\n"
        "    )\n"
        "before = state()\n"
        "for name in sys.argv[2:]:\n"
        "    importlib.import_module(name)\n"
        "importlib.import_module('stancekit').load(sys.argv[1], engine='onnx')\n"
        "assert len(sys.argv) > 15\n"
        "print(*(i for i, (a, b) in enumerate(zip(before, state())) if a != b))"
    )
    assert fresh(code, tiny_model_dir, *modules) == ""
