"""Whether confidence can be taken at its word, as a picture.

    python -m benchmarks.reliability

Draws ``results/reliability.png`` from ``results/quality.json``: a panel a part, a dot a bin of
confidence, as large as the bin has rows. On the diagonal, confidence is accuracy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.results import RESULTS, read
from benchmarks.tables import PARTS
from stancekit.errors import FileError, MissingExtraError, StancekitError

PANEL = 2.8  # inches, each way
DOTS_PER_INCH = 110
LARGEST = 140  # square points, of the bin with most rows


def draw(calibration: dict[str, Any], path: Path) -> None:
    """Draw the bins of each part into a PNG file.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(error.name or "matplotlib", "report") from None
    parts = [part for part in PARTS if part in calibration]
    figure = Figure(figsize=(PANEL * len(parts), PANEL + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for panel, part in zip(panels, parts, strict=True):
        bins = [one for one in calibration[part]["bins"] if one["n"]]
        most = max(one["n"] for one in bins)
        panel.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=1)
        panel.scatter(
            [one["confidence"] for one in bins],
            [one["accuracy"] for one in bins],
            s=[LARGEST * one["n"] / most for one in bins],
            color="tab:blue",
            zorder=2,
            clip_on=False,
        )
        rows = sum(one["n"] for one in bins)
        panel.set_title(
            f"{PARTS[part]}\nECE {calibration[part]['ece']:.3f}, n = {rows}", fontsize=9
        )
        panel.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", aspect="equal")
    panels[0].set_ylabel("accuracy")
    # Without the version of matplotlib, the same results give the same bytes.
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def main() -> None:
    facts = read("quality")
    if "calibration" not in facts:
        raise FileError(
            "results/quality.json", "no bins", "newer results", "run benchmarks.quality"
        )
    path = RESULTS / "reliability.png"
    draw(facts["calibration"], path)
    print(f"written to {path}")


if __name__ == "__main__":
    try:
        main()
    except StancekitError as error:
        raise SystemExit(f"error: {error}") from None
