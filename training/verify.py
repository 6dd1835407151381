"""Whether the bundled weights are the ones the recipe makes.

    python -m training.verify OUT --texts DIR

``OUT`` is what ``python -m training -o OUT`` wrote. The same hash settles it. Another machine or
version rounds otherwise, and a training run amplifies that; then both models answer dev, and the
weights count as the recipe's when they were taught the same rows and the 95% interval of the
difference in macro-F1 (paired bootstrap over groups) holds 0. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from stancekit.errors import StancekitError
from stancekit.evaluation import TAILS, confusions, f1_scores, resample
from stancekit.model import StanceModel, load
from training import manifest as manifests
from training.manifest import LABELS

RESAMPLES = 1000


def compare(
    made: StanceModel, bundled: StanceModel, manifest: manifests.Manifest
) -> tuple[bool, str]:
    """Whether the two count as the same, and why."""
    if made.checkpoint.hash == bundled.checkpoint.hash:
        return True, f"the same, byte for byte: {made.checkpoint.hash}"
    taught = {model.checkpoint.facts["manifest"] for model in (made, bundled)}
    if taught != {manifest.hash()}:
        return False, "taught on other rows: the manifest hashes differ"
    rows = [row.example for row in manifest.dev]
    gold = np.array([LABELS.index(str(row.label)) for row in rows])
    answers = [
        np.array([LABELS.index(p.label) for p in model.predict_many(rows)])
        for model in (made, bundled)
    ]
    agree = float(np.mean(answers[0] == answers[1]))
    groups = [row.group for row in rows]
    counts = np.stack([confusions(groups, gold, a, len(LABELS)) for a in answers], axis=1)
    draws = resample(counts, np.random.default_rng(0), RESAMPLES)
    made_f1, bundled_f1 = f1_scores(draws).mean(axis=-1).T
    low, high = np.percentile(made_f1 - bundled_f1, TAILS)
    facts = (
        f"labels agree on {agree:.1%} of {len(rows)} dev rows; macro-F1 of the one just made minus "
        f"the bundled one's: between {low:+.3f} and {high:+.3f}"
    )
    return bool(low <= 0 <= high), facts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.verify", description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--texts", type=Path, required=True)
    options = parser.parse_args()
    try:
        made = load(options.output / "stancekit-small-en", engine="onnx")
        same, why = compare(made, load(engine="onnx"), manifests.load(options.texts))
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
    print(why)
    raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    main()
