"""Would it pay to encode a statement once and have every topic look at it?

    python -m benchmarks.shared_topics TEXTS [--base DIR] [--epochs N]

The student's encoder is taught twice on the gold labels of the training rows, by one plan and from
one seed: with every token looking at every other, as the bundled model does, and with topics
looking at a statement that does not look back (``sharing``). Both are scored on dev, and timed on
one to ten topics a statement. ``TEXTS`` is the folder of real sentences, ``--base`` the encoder, by
default that of the installed package. Results go to ``results/shared_topics.json``; no weights are
kept.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.baselines import predictions_of
from benchmarks.quality import difference
from benchmarks.results import save
from benchmarks.shared_topics.cost import cost, shares
from benchmarks.shared_topics.learn import Plan, answers, both_ways, learn, one_way
from stancekit.encoding import Encoder
from stancekit.errors import StancekitError
from stancekit.evaluation import evaluate
from training import manifest as manifests
from training.encoders import installed_student
from training.manifest import LABELS

TIMED = 200  # statements


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_topics", description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    options = parser.parse_args()
    base = options.base or installed_student()
    plan = replace(Plan(), epochs=options.epochs)
    manifest = manifests.load(options.texts)
    train = [row.example for row in manifest.train]
    parts = {
        "real": [row.example for row in manifest.dev if row.real],
        "written": [row.example for row in manifest.dev if not row.real],
    }
    models, found = {}, {}
    for name, forward in (("both ways", both_ways), ("one way", one_way)):
        print(name, flush=True)
        models[name] = learn(base, forward, train, LABELS, plan)
        found[name] = {
            part: predictions_of(answers(models[name], forward, base, rows), LABELS)
            for part, rows in parts.items()
        }
    quality: dict[str, Any] = {}
    for part, rows in parts.items():
        for name, predictions in found.items():
            report = evaluate(rows, predictions[part], LABELS, recipe={})
            quality.setdefault(part, {"n": report.n})[name] = asdict(report.macro_f1)
            print(f"{part}, {name}: macro-F1 {report.macro_f1}, n = {report.n}")
        change = difference(rows, found["both ways"][part], found["one way"][part], LABELS)
        quality[part]["difference"] = asdict(change)
        print(f"{part}, one way minus both ways: {change}")
    statements = list(dict.fromkeys(row.statement for row in parts["real"]))[:TIMED]
    topics = list(dict.fromkeys(row.topic for row in parts["real"]))
    speed = cost(models["one way"], Encoder(base / "tokenizer.json"), statements, topics)
    for one in speed["counts"]:
        time, tokens = shares(one)
        print(f"{one['topics']} topics: {time:.2f} of the time, {tokens:.2f} of the tokens")
    facts = {"manifest": manifest.hash(), "plan": asdict(plan), "quality": quality, "cost": speed}
    print(f"written to {save('shared_topics', facts)}")


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
