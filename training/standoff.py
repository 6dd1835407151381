"""Labels of real sentences, kept apart from the sentences.

The sentences belong to others, so the project keeps only our labels and a hash of the sentence
each belongs to. Whoever holds the texts, a folder of JSON lines with a ``statement`` in each,
joins the two here. Run as a program it makes the stand-off file anew from a labelled folder:

    python -m training.standoff FOLDER
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stancekit.errors import FileError

LABELS = Path(__file__).parent / "labels" / "real.jsonl"
KEPT = ("source", "licence", "doc", "group", "topic", "speaker", "label", "domain", "phenomenon")
# A row whose licence is in doubt may be evaluated on by whoever holds it, but teaches nothing here.
DOUBTFUL = re.compile(r"doubtful|unverified|verify|none stated", re.IGNORECASE)
# Rows that carry no licence of their own come from this corpus, whose README states it.
UNSCON = {"source": "linatal/UNSCon", "licence": "CC BY-SA (stated in repository README)"}


def digest(statement: str) -> str:
    """128 bits of SHA-256 of the statement's UTF-8, as hex: enough to never meet by chance."""
    return hashlib.sha256(statement.encode()).hexdigest()[:32]


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """All JSON lines of a folder, in the order of file names, each with its ``file``."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise FileError(str(folder), "no *.jsonl file", "a folder of labelled or plain statements")
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield {**json.loads(line), "file": file.stem}


def detach(folder: Path) -> list[dict[str, Any]]:
    """Stand-off rows of a labelled folder, those of doubtful licence left out."""
    kept = []
    for row in rows_of(folder):
        row = {**UNSCON, **row}
        if DOUBTFUL.search(row["licence"]):
            continue
        # A group is only unique within its file.
        row["group"] = f"{row['file']}/{row['group']}" if row.get("group") else None
        kept.append({"hash": digest(row["statement"]), **{name: row.get(name) for name in KEPT}})
    return kept


def join(folder: Path | None) -> tuple[list[dict[str, Any]], int]:
    """Labelled rows with their statements back in place, and how many found no statement.

    Args:
        folder: the texts; None, or a folder that is not there, joins nothing.
    """
    with LABELS.open(encoding="utf-8") as lines:
        labels = [json.loads(line) for line in lines]
    if folder is None or not folder.is_dir():
        return [], len(labels)
    texts = {digest(row["statement"]): row["statement"] for row in rows_of(folder)}
    joined = [{**row, "statement": texts[row["hash"]]} for row in labels if row["hash"] in texts]
    return joined, len(labels) - len(joined)


if __name__ == "__main__":
    rows = detach(Path(sys.argv[1]))
    with LABELS.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} stand-off labels in {LABELS}")
