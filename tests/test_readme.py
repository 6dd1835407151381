"""What README.md says runs, and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.tables import filled
from benchmarks.transcripts import LAST, last_table, transcript
from stancekit.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n\$ (stancekit [^\n]+)\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+\.\d+")
DRIFT = 0.03  # of a printed probability or score: processors round float sums differently


def plain(text: str) -> tuple[list[str], list[float]]:
    """Words without layout, and decimal numbers apart."""
    return NUMBER.sub("#", text).split(), [float(found) for found in NUMBER.findall(text)]


def assert_alike(printed: str, shown: str) -> None:
    words, numbers = plain(printed)
    shown_words, shown_numbers = plain(shown)
    assert words == shown_words
    assert numbers == pytest.approx(shown_numbers, abs=DRIFT)


@pytest.mark.bundled
@pytest.mark.parametrize(("command", "shown"), CONSOLE)
def test_a_command_prints_what_readme_shows(command: str, shown: str) -> None:
    assert_alike(transcript(command), shown)


@pytest.mark.bundled
@pytest.mark.parametrize(("command", "shown"), LAST.findall(README))
def test_a_command_ends_with_the_table_that_readme_shows(command: str, shown: str) -> None:
    assert_alike(last_table(command), shown)


@pytest.mark.bundled
@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_there_is_something_to_run() -> None:
    assert CONSOLE and PYTHON and LAST.search(README)


def test_every_command_is_documented() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        # A word of the language's own, such as import, ends in _ where it names a function.
        name = command.callback.__name__.rstrip("_")
        assert re.search(rf"stancekit {name}\b", README), name


def test_tables_are_those_of_the_results() -> None:
    assert filled(README) == README


def test_ci_types_what_readme_says() -> None:
    tests = re.search(r"<!-- tests -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert tests
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for line in tests[1].splitlines():
        for part in line.removesuffix("&&").split("&&"):
            if part.strip().startswith(("pip install", "pytest")):
                assert part.strip() in ci
