"""A rival in a process of its own, asked for one run at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from stancekit.encoding import question
from stancekit.records import Example

SCRIPT = Path(__file__).parent / "cross_encoder.py"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


class CrossEncoder:
    """``cross_encoder.py`` under some interpreter.

    Attributes:
        versions: of the packages that matter there; empty if it cannot run.
        reason: why it cannot run; empty if it can.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        # -P: the script's own folder must not lend its modules to the libraries it imports.
        self._process = subprocess.Popen(
            [str(python), "-P", str(SCRIPT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            said = self._answer()
        except (OSError, ValueError) as error:
            said = {"reason": f"no answer ({error})"}
        self.versions: dict[str, str] = said.get("ready", {})
        self.reason: str = said.get("reason", "")

    def seconds(self, rows: Sequence[Example]) -> float:
        """How long these rows take it."""
        assert self._process.stdin is not None
        pairs = [(question(r.topic, r.speaker), r.statement) for r in rows]
        self._process.stdin.write(json.dumps(pairs) + "\n")
        self._process.stdin.flush()
        return float(self._answer()["seconds"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> CrossEncoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def float_folder(model: Path, target: Path) -> None:
    """The same weights in float32, without our own ONNX file, for a library to make its own of."""
    import torch
    import transformers

    loaded = transformers.AutoModelForSequenceClassification.from_pretrained(
        model, dtype=torch.float32
    )
    loaded.save_pretrained(target)
    for name in TOKENIZER_FILES:
        if (model / name).is_file():
            shutil.copy(model / name, target / name)
    settings = target / "tokenizer_config.json"
    facts = json.loads(settings.read_text(encoding="utf-8"))
    # The one class of tokenizer.json that all versions of transformers know by name.
    facts["tokenizer_class"] = "PreTrainedTokenizerFast"
    settings.write_text(json.dumps(facts), encoding="utf-8")
