"""What a fine-tuned classifier, of any size, makes of examples: before it is a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Encoder
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
    encoded = Encoder(tokenizer).encode(rows)
    flat = [window for windows in encoded for window in windows]
    owners = np.repeat(np.arange(len(rows)), [len(windows) for windows in encoded])
    result = np.zeros((len(rows), model.config.num_labels))
    with torch.inference_mode():
        for batch in batches(flat, BATCH_TOKENS):
            arrays = pad([flat[i] for i in batch], padding, types=types)
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            logits = model(**inputs).logits.float().numpy()
            np.add.at(result, owners[batch], softmax(logits))
    result /= result.sum(axis=1, keepdims=True)
    return result
