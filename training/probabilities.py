"""What a fine-tuned classifier, of any size, makes of examples: before it is a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Encoder, Window
from stancekit.engines import pad, takes_types
from stancekit.finetune.feeding import pad_id
from stancekit.finetune.loop import has_bfloat16
from stancekit.model import batches, softmax
from stancekit.records import Example

BATCH_TOKENS = 4096  # padded


def probabilities(folder: Path, tokenizer: Path, rows: Sequence[Example]) -> NDArray[np.float64]:
    """Shape (rows, labels), rows summing to 1; a statement of several windows has their mean."""
    import torch
    import transformers

    # Whole, not by autocast, which would convert the weights again for every batch.
    dtype = torch.bfloat16 if has_bfloat16(torch) else torch.float32
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=dtype,
        attn_implementation="eager",  # as in stancekit.finetune.loop
    ).eval()
    types, padding = takes_types(model), pad_id(folder)

    def logits(windows: Sequence[Window]) -> NDArray[np.float32]:
        arrays = pad(windows, padding, types=types)
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        answer: NDArray[np.float32] = model(**inputs).logits.float().numpy()
        return answer

    with torch.inference_mode():
        return of_windows(logits, Encoder(tokenizer), rows, model.config.num_labels)


def of_windows(
    logits: Callable[[Sequence[Window]], NDArray[np.float32]],
    encoder: Encoder,
    rows: Sequence[Example],
    labels: int,
) -> NDArray[np.float64]:
    """As ``probabilities``, of whatever gives windows their logits of shape (windows, labels)."""
    encoded = encoder.encode(rows)
    flat = [window for windows in encoded for window in windows]
    owners = np.repeat(np.arange(len(rows)), [len(windows) for windows in encoded])
    result = np.zeros((len(rows), labels))
    for batch in batches(flat, BATCH_TOKENS):
        np.add.at(result, owners[batch], softmax(logits([flat[i] for i in batch])))
    result /= result.sum(axis=1, keepdims=True)
    return result
