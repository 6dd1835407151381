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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stancekit.errors import FileError

FOLDER = Path(__file__).parent / "labels"
LABELS = FOLDER / "real.jsonl"  # the first sentences labelled; dev was drawn from them
POOL = FOLDER / "pool.jsonl"  # those chosen later, where a model was unsure: training only
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


def texts_of(folder: Path | None) -> dict[str, str]:
    """Hash to statement, of all JSON lines below a folder; none where there is no folder."""
    if folder is None or not folder.is_dir():
        return {}
    texts = {}
    for file in sorted(folder.rglob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                statement = json.loads(line).get("statement")
                if isinstance(statement, str):
                    texts[digest(statement)] = statement
    return texts


def join(texts: Mapping[str, str], labels: Path) -> tuple[list[dict[str, Any]], int]:
    """Labelled rows with their statements back in place, and how many found no statement.

    Args:
        texts: hash to statement.
        labels: a stand-off file.
    """
    with labels.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    joined = [{**row, "statement": texts[row["hash"]]} for row in rows if row["hash"] in texts]
    return joined, len(rows) - len(joined)


if __name__ == "__main__":
    rows = detach(Path(sys.argv[1]))
    with LABELS.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} stand-off labels in {LABELS}")
