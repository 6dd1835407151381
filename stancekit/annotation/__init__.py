"""Annotation tools: statements to label go out to them, labels come back.

To add a tool, write a ``tasks.Format`` in a module of its own and add it to ``FORMATS``.
``collect`` reads exports and lets several annotators decide by majority.
"""

from __future__ import annotations

from stancekit.annotation.argilla import ARGILLA
from stancekit.annotation.doccano import DOCCANO
from stancekit.annotation.label_studio import LABEL_STUDIO
from stancekit.annotation.prodigy import PRODIGY
from stancekit.annotation.tasks import Format, Marked, Task
from stancekit.errors import InputError

__all__ = ["FORMATS", "Format", "Marked", "Task", "format_of"]

FORMATS = {one.name: one for one in (LABEL_STUDIO, DOCCANO, ARGILLA, PRODIGY)}


def format_of(name: str) -> Format:
    """The format of a tool.

    Raises:
        InputError: no such tool is known.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise InputError("format", repr(name), f"one of {', '.join(FORMATS)}") from None
