"""The same weights by the usual means: Hugging Face's pipeline, and a loop sorted by length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stancekit.encoding import WINDOW, question
from stancekit.engines import Engine, usable_cpus
from stancekit.records import Example

BATCH = 32

Labelling = Callable[[Sequence[Example]], list[str]]


def pipeline(folder: Path, engine: Engine, batch: int = BATCH) -> Labelling:
    """``pipeline("text-classification")``, in batches of rows as they come.

    In float32 on a processor, whose products in bfloat16 are mostly slower; on a GPU in the dtype
    our own engine uses there.
    """
    import torch
    import transformers

    torch.set_num_threads(usable_cpus())
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    made: Any = transformers.pipeline(
        "text-classification",
        model=str(folder),
        dtype=_dtype(engine, torch),
        device=engine.device,
    )

    def run(rows: Sequence[Example]) -> list[str]:
        pairs = [{"text": question(r.topic, r.speaker), "text_pair": r.statement} for r in rows]
        return [answer["label"] for answer in made(pairs, batch_size=batch)]

    return run


def sorted_loop(folder: Path, engine: Engine, batch: int = BATCH) -> Labelling:
    """What a careful user writes: tokenizer and model, batches of rows of like length."""
    import torch
    import transformers

    torch.set_num_threads(usable_cpus())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=_dtype(engine, torch)
    )
    model.to(engine.device).eval()

    def run(rows: Sequence[Example]) -> list[str]:
        asked = [question(r.topic, r.speaker) for r in rows]
        statements = [r.statement for r in rows]
        encoded = tokenizer(asked, statements, truncation=True, max_length=WINDOW)["input_ids"]
        order = sorted(range(len(rows)), key=lambda i: len(encoded[i]))
        labels = [""] * len(rows)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            inputs = tokenizer(
                [asked[i] for i in chosen],
                [statements[i] for i in chosen],
                truncation=True,
                max_length=WINDOW,
                padding=True,
                return_tensors="pt",
            ).to(engine.device)
            with torch.inference_mode():
                best = model(**inputs).logits.argmax(-1).tolist()
            for i, label in zip(chosen, best, strict=True):
                labels[i] = model.config.id2label[label]
        return labels

    return run


def _dtype(engine: Engine, torch: Any) -> Any:
    return torch.bfloat16 if engine.dtype == "bfloat16" else torch.float32
