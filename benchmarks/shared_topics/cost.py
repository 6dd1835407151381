"""What several topics on the same statements cost: a row each, and all behind one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.shared_topics import sharing
from benchmarks.shared_topics.learn import both_ways
from benchmarks.speed.counting import in_turns, timed
from stancekit.encoding import Encoder, Window
from stancekit.model import batches
from stancekit.records import Example

TURNS = 3
BATCH_TOKENS = 1024  # padded, as the bundled engine's on a processor


def cost(
    model: Any, encoder: Encoder, statements: Sequence[str], topics: Sequence[str]
) -> dict[str, Any]:
    """Seconds of both ways by number of topics, in turns, in float32 torch; tokens beside them."""
    import torch

    pad = model.config.pad_token_id
    counts = [count for count in (1, 3, 10) if count <= len(topics)]
    found = []
    for count in counts:
        groups = [
            [windows[0] for windows in encoder.encode([Example(s, t) for t in topics[:count]])]
            for s in statements
        ]
        flat = [window for group in groups for window in group]
        ways = {"apart": partial(_apart, model, flat, pad)}
        ways["shared"] = partial(_shared, model, groups, pad)
        with torch.inference_mode():
            seconds = in_turns({name: partial(timed, way) for name, way in ways.items()}, TURNS)
        found.append(
            {
                "topics": count,
                "statements": len(statements),
                "tokens_apart": sum(map(len, flat)),
                "tokens_shared": sum(map(_length, groups)),
                "seconds": seconds,
            }
        )
    return {"counts": found}


def shares(one: Mapping[str, Any]) -> tuple[float, float]:
    """Time, of the best turns, and tokens of the shared way over those of a row a topic."""
    best = {name: min(turns) for name, turns in one["seconds"].items()}
    return best["shared"] / best["apart"], one["tokens_shared"] / one["tokens_apart"]


def _apart(model: Any, windows: Sequence[Window], pad: int) -> None:
    for batch in batches(windows, BATCH_TOKENS):
        both_ways(model, [windows[i] for i in batch], pad)


def _shared(model: Any, groups: Sequence[Sequence[Window]], pad: int) -> None:
    """Groups by length, as many at once as the budget of tokens holds."""
    held: list[Sequence[Window]] = []
    for group in sorted(groups, key=_length):
        if held and (len(held) + 1) * _length(group) > BATCH_TOKENS:
            sharing.logits(model, sharing.together(held, pad))
            held = []
        held.append(group)
    sharing.logits(model, sharing.together(held, pad))


def _length(group: Sequence[Window]) -> int:
    return int((group[0].types == 1).sum()) + sum(int((w.types == 0).sum()) for w in group)
