"""Topics that look at a statement one way: alone and together they come to the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from benchmarks.shared_topics import sharing
from benchmarks.shared_topics.cost import cost
from benchmarks.shared_topics.learn import Plan, answers, both_ways, learn, one_way
from stancekit.encoding import Encoder, Window
from stancekit.records import Example, LabelSet

pytestmark = pytest.mark.usefixtures("one_thread")
STATEMENTS = ["We welcome the plan.", "No party will fight the law this year, he said."]
TOPICS = ["the bridge", "the old town budget", "tax | the mayor"]


@pytest.fixture
def model(tiny_trained_dir: Path) -> Any:
    return transformers.AutoModelForSequenceClassification.from_pretrained(
        tiny_trained_dir, attn_implementation="eager"
    ).eval()


@pytest.fixture
def groups(tiny_trained_dir: Path) -> list[list[Window]]:
    encoder = Encoder(tiny_trained_dir / "tokenizer.json")
    return [
        [windows[0] for windows in encoder.encode([Example(one, topic) for topic in TOPICS])]
        for one in STATEMENTS
    ]


def test_topics_behind_one_statement_get_the_answers_they_get_alone(
    model: Any, groups: list[list[Window]]
) -> None:
    with torch.inference_mode():
        together = sharing.logits(model, sharing.together(groups, 0))
        alone = [sharing.logits(model, sharing.alone([w], 0)) for group in groups for w in group]
    assert together.shape == (6, 4)
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    assert together.std(0).min() > 0.01, "a test on answers that are all alike would show nothing"


def test_the_statement_does_not_see_the_topic(model: Any, groups: list[list[Window]]) -> None:
    seen = []
    with torch.inference_mode():
        for window in groups[1]:
            batch = sharing.alone([window], 0)
            hidden = model.base_model(
                batch["ids"],
                attention_mask=sharing.mask(batch["owners"], model.dtype),
                token_type_ids=(batch["owners"] == sharing.STATEMENT).long(),
                position_ids=batch["positions"],
            ).last_hidden_state
            seen.append(hidden[batch["owners"] == sharing.STATEMENT])
    for other in seen[1:]:
        assert torch.allclose(seen[0], other, atol=1e-5)


def test_windows_of_different_statements_are_not_put_together(groups: list[list[Window]]) -> None:
    with pytest.raises(ValueError, match="different statements"):
        sharing.together([[groups[0][0], groups[1][0]]], 0)


@pytest.mark.parametrize("forward", [both_ways, one_way])
def test_what_is_taught_is_learnt(
    tiny_trained_dir: Path, tiny_labels: LabelSet, forward: Any
) -> None:
    rows = [
        Example(f"We {verb} the {thing}.", "the plan", label=label)
        for verb, label in (("welcome", "optimistic"), ("reject", "opposed"))
        for thing in ("bridge", "tax", "law", "school", "treaty", "union", "road", "budget")
    ]
    plan = Plan(epochs=15, learning_rate=2e-3, batch=4)
    model = learn(tiny_trained_dir, forward, rows, tiny_labels, plan)
    found = answers(model, forward, tiny_trained_dir, rows)
    assert np.allclose(found.sum(axis=1), 1)
    gold = [tiny_labels.index(str(row.label)) for row in rows]
    assert (found.argmax(axis=1) == gold).all()


def test_sharing_takes_fewer_tokens_the_more_topics(model: Any, tiny_trained_dir: Path) -> None:
    found = cost(model, Encoder(tiny_trained_dir / "tokenizer.json"), STATEMENTS, TOPICS)["counts"]
    one, three = found
    assert (one["topics"], three["topics"]) == (1, 3)
    assert one["tokens_shared"] == one["tokens_apart"]
    assert three["tokens_apart"] > three["tokens_shared"] > one["tokens_shared"]
    assert all(len(turns) == 3 for turns in three["seconds"].values())
