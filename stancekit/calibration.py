"""Whether a confidence can be taken at its word, and what follows from it.

``ece`` and ``brier`` measure it, ``temperature`` repairs it, and ``risk_thresholds`` turns it into
a choice: which predictions to keep so that few enough of them are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.errors import InputError, RecordError
from stancekit.records import Example, Prediction

__all__ = ["brier", "check_pairs", "ece", "risk_thresholds", "temperature"]

BINS = 15  # equal-width bins of confidence; Guo et al. 2017, table 1

# Ten times surer or less sure than the network says; a best fit beyond that comes of too few or
# mislabelled held-out rows, not of the scale of the logits.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.1, 10.0
HALVINGS = 60  # of the log of that range; leaves a width below the rounding of a float64

RATES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
ERROR_OF_PROMISE = 0.05  # chance that a threshold lets through more errors than its rate
CANDIDATES = 20  # thresholds tried, at each twentieth of the rows


def check_pairs(predictions: Sequence[Prediction], examples: Sequence[Example]) -> None:
    """Refuse rows that cannot be compared.

    Raises:
        InputError: no rows, or lengths that differ.
        RecordError: a row, counted from 1, without a gold label.
    """
    if not examples or len(predictions) != len(examples):
        raise InputError(
            "predictions",
            f"{len(predictions)} for {len(examples)} examples",
            "one an example, and at least one",
        )
    for number, example in enumerate(examples, start=1):
        if example.label is None:
            raise RecordError(f"row {number}", "no label", "a gold label", "label it or drop it")


def ece(confidence: NDArray[np.floating[Any]], correct: NDArray[np.bool_]) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy, over bins.

    15 bins of equal width, each open below and closed above; a bin counts by its share of rows.
    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.

    Args:
        confidence: shape (rows,), the probability of each predicted label, in [0, 1].
        correct: shape (rows,), whether that label is the gold one.

    Returns:
        In [0, 1]; 0 when every bin is right as often as it says. With few rows a bin it sits
        above 0 by chance alone.
    """
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    # Within a bin, rows x |mean confidence - accuracy| is the size of the summed differences.
    gaps = np.bincount(bins, weights=confidence - correct, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def brier(probabilities: NDArray[np.floating[Any]], gold: NDArray[np.int64]) -> float:
    """Brier score: squared error of the probabilities, summed over labels, averaged over rows.

    Source: Brier 1950, "Verification of Forecasts Expressed in Terms of Probability".

    Args:
        probabilities: shape (rows, labels), rows summing to 1.
        gold: shape (rows,), the position of each gold label.

    Returns:
        In [0, 2]; 0 is perfect, and even odds over k labels give 1 - 1/k.
    """
    errors = np.array(probabilities, dtype=np.float64)
    errors[np.arange(len(gold)), gold] -= 1
    return float((errors**2).sum(axis=1).mean())


def temperature(logits: NDArray[np.floating[Any]], gold: NDArray[np.integer[Any]]) -> float:
    """The T that makes softmax(logits / T) most likely on held-out rows.

    One number for all labels, so no prediction changes, only how sure it is. Source: Guo et al.
    2017, section 4.2. The negative log likelihood is convex in 1/T: its slope changes sign once,
    and halving finds where.

    Args:
        logits: shape (rows, labels), finite, of rows the model was not trained on.
        gold: shape (rows,), the position of each gold label.

    Returns:
        In [0.1, 10]. When no row is wrong there is no best T, since sharper is always likelier;
        then 1, which leaves the logits as they are. Logits that tell nothing about the gold label
        give 10.

    Raises:
        InputError: shapes that do not match, no rows, a logit that is not finite, or a gold
            position outside the logits.
    """
    scores, places = np.asarray(logits, dtype=np.float64), np.asarray(gold)
    if scores.ndim != 2 or len(scores) == 0 or places.shape != scores.shape[:1]:
        raise InputError(
            "logits",
            f"shape {scores.shape} with {places.shape} gold labels",
            "shape (rows, labels) with one gold label a row, and at least one row",
        )
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0]) + 1
        raise InputError(f"row {row}", "a logit that is not finite", "finite logits")
    outside = np.flatnonzero((places < 0) | (places >= scores.shape[1]))
    if len(outside):
        raise InputError(
            f"row {int(outside[0]) + 1}",
            f"gold label number {int(places[outside[0]])}",
            f"0 to {scores.shape[1] - 1}, a position in the logits",
        )

    # Differences from the gold logit, so a row is right when none is above 0.
    lead = scores - scores[np.arange(len(scores)), places][:, None]
    if lead.max() <= 0:
        return 1.0
    top = lead.max(axis=1, keepdims=True)

    def slope(inverse: float) -> float:
        """Derivative of the summed negative log likelihood with respect to 1/T."""
        weights = np.exp(inverse * (lead - top))
        return float(((weights * lead).sum(axis=1) / weights.sum(axis=1)).sum())

    low, high = LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if slope(1 / middle) > 0:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def risk_thresholds(
    predictions: Sequence[Prediction],
    examples: Sequence[Example],
    rates: Sequence[float] = RATES,
) -> dict[str, float | None]:
    """For each error rate, the lowest confidence above which predictions keep to it.

    A share of errors seen below the rate proves little, and the lowest of many thresholds that
    happen to pass proves less. So a threshold counts only when its upper confidence bound on the
    error (exact binomial, Clopper and Pearson 1934) is at most the rate, and the bounds hold for
    all thresholds tried together: 20 of them, one at each twentieth of the rows, from the surest
    down, share a 5% chance of error by the fallback procedure (Wiens 2003; of use here by
    Angelopoulos et al. 2021, "Learn then Test"). On new rows of the same kind, then, each promise
    is broken in at most 5% of the cases, counting rows as independent: where many share a group
    it is weaker.

    Args:
        predictions: of held-out rows, in the order of ``examples``.
        examples: the same rows with their gold labels; a few hundred to reach 0.1, more for less.
        rates: wanted error rates, each in (0, 1).

    Returns:
        Rate, as text ("0.05"), to a confidence in [0, 1]: keep what is at or above it. None where
        no threshold can be shown to keep the promise.

    Raises:
        InputError: lengths that differ, no rows, or a rate outside (0, 1).
        RecordError: a row, counted from 1, without a gold label.
    """
    check_pairs(predictions, examples)
    for rate in rates:
        if not 0 < rate < 1:
            raise InputError("rates", repr(rate), "error rates between 0 and 1, such as 0.05")

    confidence = np.array([prediction.confidence for prediction in predictions])
    wrong = np.array(
        [p.label != example.label for p, example in zip(predictions, examples, strict=True)]
    )
    ascending = np.sort(confidence)
    places = np.ceil(np.arange(1, CANDIDATES + 1) / CANDIDATES * len(ascending)).astype(np.int64)
    # Equal confidences stand or fall together, so a candidate is a value, not a row.
    candidates = np.unique(ascending[-places])[::-1]
    kept = [int((confidence >= candidate).sum()) for candidate in candidates]
    errors = [int(wrong[confidence >= candidate].sum()) for candidate in candidates]
    return {f"{rate:g}": _lowest_safe(candidates.tolist(), kept, errors, rate) for rate in rates}


def _lowest_safe(
    candidates: list[float], kept: list[int], errors: list[int], rate: float
) -> float | None:
    """The last of the descending candidates that passes the fallback procedure."""
    # Too few rows to pass even without an error: known before any label is looked at.
    able = [i for i, n in enumerate(kept) if _at_most(0, n, rate) <= ERROR_OF_PROMISE]
    safe = None
    inherited = 0.0
    for i in able:
        # What a passed test did not use up goes on to the next one.
        level = inherited + ERROR_OF_PROMISE / len(able)
        passed = _at_most(errors[i], kept[i], rate) <= level
        inherited = level if passed else 0.0
        if passed:
            safe = candidates[i]
    return safe


def _at_most(errors: int, n: int, rate: float) -> float:
    """Probability of at most so many errors in n rows when each errs at the rate."""
    # log C(n, k) by its recurrence: the products themselves overflow from about a thousand rows.
    k = np.arange(1, errors + 1)
    choose = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))])
    k = np.arange(errors + 1)
    return float(np.exp(choose + k * np.log(rate) + (n - k) * np.log1p(-rate)).sum())
