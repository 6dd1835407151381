"""Labelled rows to a better model: check, split, train, calibrate, export, compare.

``train`` does it all; ``fit`` is the training loop alone.
"""

from __future__ import annotations

from stancekit.finetune.loop import Recipe, fit

__all__ = ["Recipe", "fit"]
