"""A lock on a folder that dies with the process that holds it, however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

__all__ = ["NAME", "lock_folder"]

NAME = "lock"  # of the file in the folder


def lock_folder(folder: Path) -> BinaryIO:
    """Make a folder unless it is there, and lock it; closing the file unlocks it.

    Windows has no such locks in Python's library that leave a folder free to be renamed; there,
    nothing is locked.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: the folder cannot be made or locked.
    """
    while True:
        folder.mkdir(exist_ok=True)
        try:
            file = (folder / NAME).open("ab")
        except FileNotFoundError:
            continue  # renamed by the process that had it, just now
        try:
            if sys.platform != "win32":
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process that had the folder may have done away with it before we had its lock.
            if os.path.samestat(os.fstat(file.fileno()), (folder / NAME).stat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            file.close()
            raise
        file.close()
