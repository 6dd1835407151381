"""Fill the tables of README.md from the results on disk.

    python -m benchmarks.tables [--check]

Each table stands between ``<!-- table NAME -->`` and ``<!-- end -->``. With ``--check`` nothing is
written, and a table that is out of date is an error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import read

README = Path(__file__).parent.parent / "README.md"
MARKED = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PARTS = {"real": "real text", "written": "written for the project"}


def quality() -> str:
    """Macro-F1 of the model and what else one could do, on both parts of dev."""
    parts = read("quality")["parts"]
    lines = [
        "| macro-F1, four labels [95% interval] | real text | written for the project |",
        "| --- | --- | --- |",
    ]
    for name in parts["real"]:
        cells = " | ".join(_interval(parts[part][name]["macro_f1"]) for part in PARTS)
        lines.append(f"| {name} | {cells} |")
    sizes = "; ".join(
        f"{PARTS[part]}: n = {report['n']} in {report['groups']} groups"
        for part, report in ((part, parts[part]["stancekit-small-en"]) for part in PARTS)
    )
    return "\n".join(lines) + f"\n\n{sizes}.\n"


def per_label() -> str:
    """Precision, recall and F1 of each label on real text, with calibration."""
    report = read("quality")["parts"]["real"]["stancekit-small-en"]
    lines = ["| real text | precision | recall | F1 | rows |", "| --- | --- | --- | --- | --- |"]
    for name in report["labels"]:
        scores = report["per_label"][name]
        lines.append(
            f"| {name} | {scores['precision']:.3f} | {scores['recall']:.3f} "
            f"| {_interval(scores['f1'])} | {scores['support']} |"
        )
    return (
        "\n".join(lines)
        + f"\n\nThree stances without none: macro-F1 {_interval(report['macro_f1_stance'])}. "
        f"Accuracy {_interval(report['accuracy'])}. Expected calibration error "
        f"{report['ece']:.3f}.\n\n`{report['signature']}`\n"
    )


def speed() -> str:
    """Rows a second, and the ratio to the pipeline."""
    facts = read("speed")
    archive, beside = facts["archive"], facts["pipeline"]
    ratios = ", ".join(f"{ratio:.1f}" for ratio in beside["ratios"])
    return (
        "| | |\n| --- | --- |\n"
        f"| `stancekit score`, {archive['rows']:,} rows ({archive['distinct']:,} distinct) "
        f"| {archive['rows_per_second']:.0f} rows/s, {archive['peak_mib']:.0f} MiB at most |\n"
        f"| the same against the pipeline's rate | {beside['archive_ratio']:.1f} times |\n"
        f"| `predict_many` on {beside['rows']} distinct rows against the pipeline, "
        f"{beside['turns']} turns | {ratios} times |\n"
        f"| labels that agree with the pipeline's | {beside['same_label']:.1%} |\n\n"
        f"{_machine(facts)} The pipeline is Hugging Face's `text-classification` with the same "
        "weights in float32 and batches of 32.\n"
    )


def int8() -> str:
    """Ways to run 8-bit products."""
    facts = read("int8")
    names = {
        "float32": "float32",
        "token": "8 bits, a scale a token (shipped)",
        "batch": "8 bits, a scale a batch (`quantize_dynamic`)",
    }
    lines = [
        "| variant | speed, float32 = 1 | labels other than float32's "
        "| labels changed by neighbours | largest change of a probability by neighbours |",
        "| --- | --- | --- | --- | --- |",
    ]
    for key, name in names.items():
        row = facts["variants"][key]
        lines.append(
            f"| {name} | {row['speed_ratio']:.2f} | {row['labels_changed']:.2%} "
            f"| {row['labels_changed_by_neighbours']:.2%} | {row['neighbours']:.4f} |"
        )
    return "\n".join(lines) + f"\n\nn = {facts['n']} dev rows. {_machine(facts)}\n"


TABLES: dict[str, Callable[[], str]] = {
    "quality": quality,
    "per_label": per_label,
    "speed": speed,
    "int8": int8,
}


def filled(text: str) -> str:
    """A text with every marked table made anew."""
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def _interval(facts: dict[str, Any]) -> str:
    return f"{facts['value']:.3f} [{facts['low']:.3f}, {facts['high']:.3f}]"


def _machine(facts: dict[str, Any]) -> str:
    machine = facts["machine"]
    return f"{machine['processor']}, {machine['threads']} threads."


def main() -> None:
    text = README.read_text(encoding="utf-8")
    new = filled(text)
    if "--check" in sys.argv[1:]:
        if new != text:
            raise SystemExit("error: README.md differs from the results; run benchmarks.tables")
        return
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
