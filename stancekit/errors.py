"""Every error a caller can meet, as one family.

    StancekitError
    ├── InputError (also ValueError)      what was passed in is not usable
    │   ├── RecordError                   one statement, topic, speaker or label
    │   └── FileError                     a file, or a place in one
    ├── CheckpointError                   a model folder that cannot be trusted or understood
    └── MissingExtraError (also ImportError)   an optional dependency is not installed

Each message is one line made of four parts, in this order: the place, what was found there, what
was wanted, and the next step.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "FileError",
    "InputError",
    "MissingExtraError",
    "RecordError",
    "StancekitError",
]


class StancekitError(Exception):
    """Base of the family.

    Args:
        place: where: a file and line, an argument, a folder.
        found: what is there.
        wanted: what should have been there.
        next_step: what to do about it, as an instruction; may be empty when ``wanted`` says it all.
    """

    def __init__(self, place: str, found: str, wanted: str, next_step: str = "") -> None:
        self.place = place
        self.found = found
        self.wanted = wanted
        self.next_step = next_step
        ending = f"; {next_step}" if next_step else ""
        # A message is one line even when a value quoted in it is not.
        super().__init__(" ".join(f"{place}: found {found}, wanted {wanted}{ending}".split()))

    def __reduce__(self) -> tuple[type[StancekitError], tuple[str, str, str, str]]:
        # Exceptions cross process boundaries by replaying their constructor.
        return type(self), (self.place, self.found, self.wanted, self.next_step)


class InputError(StancekitError, ValueError):
    """What was passed in is not usable."""


class RecordError(InputError):
    """A statement, topic, speaker, label or label set breaks a rule."""


class FileError(InputError):
    """A file, or one place in it, cannot be read or written."""


class CheckpointError(StancekitError):
    """A model folder is incomplete, altered, or of a kind this version does not know."""


class MissingExtraError(StancekitError, ImportError):
    """An optional dependency is not installed.

    Args:
        module: the module that could not be imported.
        extra: the extra of stancekit that brings it.
    """

    def __init__(self, module: str, extra: str) -> None:
        self.module = module
        self.extra = extra
        super().__init__(
            f"import {module}",
            "no such package",
            f"the '{extra}' extra",
            f"type: pip install 'stancekit[{extra}]'",
        )

    def __reduce__(self) -> tuple[type[StancekitError], tuple[str, ...]]:  # type: ignore[override]
        return type(self), (self.module, self.extra)
