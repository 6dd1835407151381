"""How an output came about, told in the file itself or, where the format has no room, beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from stancekit.errors import FileError
from stancekit.formats import extensions
from stancekit.landing import Output, writing
from stancekit.rows import display
from stancekit.sources import stored, unreadable

__all__ = ["SUFFIX", "read_metadata", "sidecar"]

SUFFIX = ".meta.json"


def sidecar(path: str | Path, metadata: Mapping[str, str]) -> None:
    """Write metadata to ``PATH.meta.json``, whole or not at all; nothing for parquet, which has it.

    Raises:
        FileError: it cannot be written.
    """
    if _has_its_own(Path(path)):
        return
    output = Output(f"{path}{SUFFIX}")
    try:
        with writing(output.path):
            text = json.dumps(dict(metadata), ensure_ascii=False, indent=2)
            output.file.write(f"{text}\n".encode())
        output.land()
    finally:
        output.discard()


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata an output was written with; empty if it has none.

    Raises:
        FileError: the parquet file or the sidecar cannot be read.
    """
    if _has_its_own(Path(path)):
        from stancekit.tables import metadata_of

        return metadata_of(stored(Path(path), "parquet"))
    beside = Path(f"{path}{SUFFIX}")
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unreadable(display(beside), error) from None
    except ValueError as error:
        raise FileError(display(beside), f"broken JSON ({error})", "a JSON object") from None
    if not isinstance(found, dict):
        raise FileError(display(beside), f"a JSON {type(found).__name__}", "a JSON object")
    return {name: str(value) for name, value in found.items()}


def _has_its_own(path: Path) -> bool:
    return extensions(path.name) == (".parquet", "")
