"""The model card and the data sheet of a trained model, written from what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancekit.evaluation import Report, data_hash
from stancekit.finetune.finishing import Parity
from stancekit.finetune.likeness import plain_topic
from stancekit.finetune.plan import Plan
from stancekit.finetune.verdict import Verdict
from stancekit.model import BUNDLED
from stancekit.records import Example

__all__ = ["Made", "write_card"]

TOPICS_NAMED = 20


@dataclass(frozen=True, slots=True)
class Made:
    """What a card is written from; the fields are those of ``training``."""

    plan: Plan
    train: Sequence[Example]
    rehearsed: int
    options: Mapping[str, Any]
    report: Report
    parity: Parity
    verdict: Verdict | None
    forgetting: Verdict | None


def write_card(folder: Path, made: Made, name: str) -> None:
    """Write ``README.md``, the model card, and ``DATA.md``, the data sheet.

    Neither holds a statement, so that a model can be given away where its texts cannot. The licence
    is left to whoever owns the rows.
    """
    (folder / "README.md").write_text(_card(made, name), encoding="utf-8")
    (folder / "DATA.md").write_text(_sheet(made), encoding="utf-8")


def _card(made: Made, name: str) -> str:
    plan = made.plan
    base = "the bundled model of stancekit" if plan.base == BUNDLED else plan.base.name
    labels = "\n".join(
        f"| {label} | {'no stance' if worth is None else f'{worth:+g}' if worth else '0'} |"
        for label, worth in zip(plan.labels.names, plan.labels.polarity, strict=True)
    )
    return f"""---
library_name: stancekit
pipeline_tag: text-classification
tags: [stance-detection]
---

# {name}

The stance of a statement's holder toward a topic, trained from {base} on
{len(made.train)} labelled rows (see `DATA.md`).

| label | polarity |
| --- | --- |
{labels}

## Use

```python
import stancekit

model = stancekit.load("{name}")
model.predict("Let us see what the talks bring.", topic="missile defence", speaker="the envoy")
```

The folder also opens with `transformers.pipeline("text-classification")`: give
`{{"text": "topic | speaker", "text_pair": statement}}` (the topic alone when there is no speaker),
and divide the logits by the temperature in `stancekit.json` for calibrated probabilities.

## Scores

On {made.report.n} dev rows, kept apart by {plan.split.by}. Dev also chose the epoch, unless
patience is 0, and set the temperature, so these figures lean to the kind side.

```text
{made.report}
```

{made.parity}

## Against the model before

{_comparison(made.verdict, "The labels differ from those of the model before: no comparison.")}

On statements composed for stancekit, which neither model has learnt from:

{_comparison(made.forgetting, "The labels differ from theirs: not measured.")}

## How it was trained

{", ".join(f"{key}: {value}" for key, value in _flat(made.options))}.

## Limits

- What is not in the training rows was not learnt: other topics, registers and languages.
- A statement is judged by itself. What a reader knows of the speaker, the model does not.
- Not a measure of a person's views. Read the statements before drawing conclusions about anyone.
- Licence: not stated here; it depends on the base and on the rows.
"""


def _sheet(made: Made) -> str:
    plan = made.plan
    topics = Counter(plain_topic(row.topic) for row in (*plan.split.train, *plan.split.dev))
    named = "\n".join(f"| {topic} | {n} |" for topic, n in topics.most_common(TOPICS_NAMED))
    rest = len(topics) - TOPICS_NAMED
    warnings = "\n".join(f"- {warning}" for warning in plan.checked.warnings) or "- none"
    return f"""# Data sheet

Files: {", ".join(plan.sources) or "rows given in Python"}. Hash of the training rows
`{data_hash(made.train)}`, of the dev rows `{data_hash(plan.split.dev)}`.

Split by {plan.split.by}.

```text
{plan.split.table(plan.labels)}
```

{made.rehearsed} more training rows are statements composed for stancekit (Apache-2.0).

Rows with a speaker: {plan.checked.with_speaker:.0%}. {plan.chosen}.

What the check warned of:

{warnings}

| topic | rows |
| --- | --- |
{named}
{f"| {rest} more | |" if rest > 0 else ""}
"""


def _comparison(verdict: Verdict | None, otherwise: str) -> str:
    return otherwise if verdict is None else f"```text\n{verdict}\n```"


def _flat(options: Mapping[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in options.items():
        flat += value.items() if isinstance(value, dict) else [(key, value)]
    return flat
