"""Fill the transcripts of README.md with what its commands print.

    python -m benchmarks.transcripts

A transcript is a ``console`` block that begins with ``$ stancekit …``, or the table that stands
after ``stancekit … ends with:``.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from benchmarks.tables import README

BLOCK = re.compile(r"```console\n\$ (stancekit [^\n]+)\n.*?```", re.DOTALL)
LAST = re.compile(r"`(stancekit [^`\n]+)` ends with:\n\n((?:\|[^\n]*\n)+)")
COLUMNS = "100"


def transcript(command: str) -> str:
    """What a command prints, run from the project's folder on a terminal of 100 columns."""
    done = subprocess.run(
        [sys.executable, "-m", "stancekit", *shlex.split(command)[1:]],
        capture_output=True,
        text=True,
        check=True,
        cwd=README.parent,
        env={**os.environ, "COLUMNS": COLUMNS},
    )
    # Editors and linters strip spaces at the ends of lines.
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def last_table(command: str) -> str:
    """The table that what a command prints ends with."""
    return transcript(command).split("\n\n")[-1]


def main() -> None:
    text = README.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda found: f"```console\n$ {found[1]}\n{transcript(found[1])}\n```", text)
    new = LAST.sub(lambda found: f"`{found[1]}` ends with:\n\n{last_table(found[1])}\n", new)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
