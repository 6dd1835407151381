"""Topics that look at a statement which does not look back.

In the encoder as it ships every token looks at every other, so a statement is encoded anew for each
topic. Here the tokens of the statement look at one another only, and those of topic and speaker at
everything of their own and at the statement. What the statement's tokens become is then the same
for every topic, and several topics fit behind one statement. The weights are those of any BERT:
only the mask differs, and the positions, which each segment counts from its own start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stancekit.encoding import Window

if TYPE_CHECKING:
    import torch

PADDING = -1  # owner of a place that holds nothing
STATEMENT = 0  # owner of the statement's tokens; topics are numbered from 1


def alone(windows: Sequence[Window], pad: int) -> dict[str, torch.Tensor]:
    """A batch of windows of a topic and a statement each, in the order they are encoded in."""
    owners = [np.where(window.types == 1, STATEMENT, 1) for window in windows]
    return _batch([window.ids for window in windows], owners, pad)


def together(groups: Sequence[Sequence[Window]], pad: int) -> dict[str, torch.Tensor]:
    """A batch of groups: windows on the same statement become one row, the statement last.

    Raises:
        ValueError: the windows of a group have different statements.
    """
    ids, owners = [], []
    for group in groups:
        statement = group[0].ids[group[0].types == 1]
        parts, places = [], []
        for number, window in enumerate(group, start=1):
            if not np.array_equal(window.ids[window.types == 1], statement):
                raise ValueError("windows of different statements in one group")
            asked = window.ids[window.types == 0]
            parts.append(asked)
            places.append(np.full(len(asked), number))
        ids.append(np.concatenate([*parts, statement]))
        owners.append(np.concatenate([*places, np.full(len(statement), STATEMENT)]))
    return _batch(ids, owners, pad)


def logits(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Shape (topics of all rows, labels), row by row, each row's topics in order."""
    hidden = model.base_model(
        batch["ids"],
        attention_mask=mask(batch["owners"], model.dtype),
        token_type_ids=(batch["owners"] == STATEMENT).long(),
        position_ids=batch["positions"],
    ).last_hidden_state
    # A topic starts with the token that the answer is read from.
    starts = (batch["owners"] > STATEMENT) & (batch["positions"] == 0)
    pooled = model.base_model.pooler
    return model.classifier(pooled.activation(pooled.dense(hidden[starts])))


def mask(owners: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What is added to each pair of places' attention: 0 where one looks at the other."""
    import torch

    asks, asked = owners[:, :, None], owners[:, None, :]
    sees = ((asks == asked) | (asked == STATEMENT)) & (asked != PADDING)
    # Padding looks at itself alone, or its softmax would have nothing to choose from.
    sees |= torch.eye(owners.shape[1], dtype=torch.bool)
    return torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min)[:, None]


def _batch(
    ids: Sequence[NDArray[np.int64]], owners: Sequence[NDArray[np.int64]], pad: int
) -> dict[str, torch.Tensor]:
    import torch

    shape = len(ids), max(map(len, ids))
    arrays = {"ids": np.full(shape, pad), "owners": np.full(shape, PADDING)}
    arrays["positions"] = np.zeros(shape, dtype=np.int64)
    for row, (one, whose) in enumerate(zip(ids, owners, strict=True)):
        arrays["ids"][row, : len(one)] = one
        arrays["owners"][row, : len(one)] = whose
        for owner in np.unique(whose):
            places = np.flatnonzero(whose == owner)
            arrays["positions"][row, places] = np.arange(len(places))
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
