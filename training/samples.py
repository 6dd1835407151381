"""The written rows that ship with the package, for whoever trains the bundled model further.

    python -m training.samples TEXTS

``dev_sample.jsonl`` holds dev rows, to measure what further training forgets, and
``rehearsal.jsonl`` training rows, to mix into it. Only rows composed for this project are taken.
TEXTS is the folder of real sentences: written rows that share a topic with real ones are drawn to a
side together with them, so the sides are only right when all are there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from stancekit.errors import FileError, StancekitError
from stancekit.finetune.samples import DEV_SAMPLE, REHEARSAL
from training import manifest as manifests
from training.manifest import Row
from training.standoff import digest

DEV_ROWS = 400  # of some 1,500: the interval of a macro-F1 is then about 0.1 wide
REHEARSAL_ROWS = 1_000


def drawn(rows: Sequence[Row], count: int) -> list[dict[str, str | None]]:
    """So many written rows, by the hash of what they say, in the order of the hashes."""
    written = sorted(
        (row.example for row in rows if not row.real),
        key=lambda e: digest(f"{e.statement}\t{e.topic}\t{e.speaker}"),
    )
    names = ("statement", "topic", "speaker", "label", "group")
    return [{name: getattr(e, name) for name in names} for e in written[:count]]


def main(texts: Path) -> None:
    manifest = manifests.load(texts)
    if manifest.missing:
        raise FileError(
            str(texts), f"no text for {manifest.missing} labels", "the texts of all", "find them"
        )
    for path, rows, count in (
        (DEV_SAMPLE, manifest.dev, DEV_ROWS),
        (REHEARSAL, manifest.train, REHEARSAL_ROWS),
    ):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in drawn(rows, count)]
        path.write_text("".join(lines), encoding="utf-8")
        print(f"{len(lines)} rows in {path}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except StancekitError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
