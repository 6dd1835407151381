"""How fast stancekit is, where its time goes, and what else one could do, in one run.

    python -m benchmarks.speed TEXTS [--only rivals,topics] [--resume]

``TEXTS`` is the folder of real sentences that the stand-off labels belong to. Comparisons run on
dev rows, archives on the sentences of that folder paired with topics. Whatever is compared runs in
turns, so that a busy machine slows all of it. Each section is written when it is done: to
``results/speed.json``, beside those of the same model, engine and machine that are there already.
Where torch finds a GPU, its engine is measured there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from benchmarks.results import RESULTS, machine
from benchmarks.speed.account import account
from benchmarks.speed.archives import archives
from benchmarks.speed.cost import batch, length, topics
from benchmarks.speed.rivals import rivals
from benchmarks.speed.setting import Setting, Sizes
from benchmarks.speed.single import single
from stancekit.errors import InputError, StancekitError
from stancekit.model import BUNDLED

SECTIONS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "account": account,
    "single": single,
    "length": length,
    "batch": batch,
    "topics": topics,
    "rivals": rivals,
    "archives": archives,
}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    sizes = Sizes(
        archives=tuple(options.archives),
        **{f.name: getattr(options, f.name) for f in fields(Sizes) if f.name != "archives"},
    )
    setting = Setting(
        options.texts,
        options.model,
        options.engine,
        options.device,
        sizes,
        options.cross_encoder_python,
    )
    facts = begin(options.output, {"machine": machine(), **setting.header})
    for name in _chosen(options.only):
        if options.resume and name in facts["sections"]:
            print(f"{name}: there already")
            continue
        print(f"{name} …", flush=True)
        began = time.perf_counter()
        found = SECTIONS[name](setting)
        took = time.perf_counter() - began
        facts["sections"][name] = {"took_seconds": took, "sizes": asdict(sizes), **found}
        write(options.output, facts)
        print(f"{name}: {took:.0f} s", flush=True)
    print(f"written to {options.output}")


def begin(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    """The file to go on with: its sections if they are of this machine, model and engine."""
    sections: dict[str, Any] = {}
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        sections = before.pop("sections", {})
        if sections and before != header:
            print(f"of another machine, model or engine, so left out: {', '.join(sections)}")
            sections = {}
    return {**header, "sections": sections}


def write(path: Path, facts: dict[str, Any]) -> None:
    """Write all sections, or leave the file as it was."""
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(path)


def _chosen(only: str | None) -> list[str]:
    names = list(SECTIONS) if only is None else only.split(",")
    for name in names:
        if name not in SECTIONS:
            raise InputError("--only", repr(name), f"some of {','.join(SECTIONS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sizes = Sizes()
    parser.add_argument("texts", type=Path)
    parser.add_argument("--only", help=f"sections, with commas between: {','.join(SECTIONS)}")
    parser.add_argument("--resume", action="store_true", help="keep the sections that are there")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "speed.json")
    parser.add_argument("--model", type=Path, default=BUNDLED)
    parser.add_argument("--engine", help="onnx or torch; by default as stancekit chooses")
    parser.add_argument("--device", help="for the torch engine")
    parser.add_argument("--archives", type=int, nargs="+", default=list(sizes.archives))
    for name, default in asdict(sizes).items():
        if name != "archives":
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=type(default), default=default)
    parser.add_argument(
        "--cross-encoder-python",
        type=Path,
        default=Path(sys.executable),
        help="an interpreter with sentence-transformers[onnx]",
    )
    return parser


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
