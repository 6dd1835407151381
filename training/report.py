"""Scores on dev, and the model card made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stancekit.evaluation import Report
from training.manifest import Manifest, Row, counts
from training.sources import SOURCES

CARD = Path(__file__).parent / "card.md"


def write_card(
    folder: Path,
    manifest: Manifest,
    reports: Mapping[str, Report],
    recipe: str,
    first_stage: int,
    parity: str,
) -> None:
    """Fill the template of the model card with what was counted and measured.

    Args:
        folder: the checkpoint.
        manifest: the rows.
        reports: name of a part of dev to its report.
        recipe: how it was trained, in a line.
        first_stage: rows of openly licensed stance sets it saw first; 0 for none.
        parity: how the engines compare, in a line.
    """
    text = CARD.read_text(encoding="utf-8")
    licences: dict[str, int] = {}
    for row in manifest.train:
        licences[row.licence] = licences.get(row.licence, 0) + 1
    values = {
        "scores": score_table(reports),
        "per_label": "\n\n".join(_label_table(name, reports[name]) for name in reports),
        "signatures": "\n".join(f"- {name}: `{one.signature}`" for name, one in reports.items()),
        "train": str(len(manifest.train)),
        "train_real": str(sum(row.real for row in manifest.train)),
        "train_written": str(sum(not row.real for row in manifest.train)),
        "dev": str(len(manifest.dev)),
        "sources": _source_table(manifest.train),
        "licences": "\n".join(
            f"| {name} | {n} |" for name, n in sorted(licences.items(), key=lambda pair: -pair[1])
        ),
        "first_stage": (
            "First stage: "
            + ", ".join(f"{name} ({source.licence})" for name, source in SOURCES.items())
            + f"; {first_stage} rows in all."
            if first_stage
            else "There was no first stage on other stance sets."
        ),
        "recipe": recipe,
        "parity": parity,
        "manifest": manifest.hash()[:12],
    }
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    (folder / "README.md").write_text(text, encoding="utf-8")


def score_table(reports: Mapping[str, Report]) -> str:
    """A line a part of dev, as a Markdown table."""
    lines = [
        "| rows | n | groups | macro-F1, four labels | macro-F1, three stances | accuracy | ECE |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, r in reports.items():
        lines.append(
            f"| {name} | {r.n} | {r.groups} | {r.macro_f1} | {r.macro_f1_stance} "
            f"| {r.accuracy} | {r.ece:.3f} |"
        )
    return "\n".join(lines)


def _label_table(name: str, report: Report) -> str:
    lines = [
        f"| {name} | precision | recall | F1 | support |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label, score in report.per_label.items():
        lines.append(
            f"| {label} | {score.precision:.3f} | {score.recall:.3f} | {score.f1} "
            f"| {score.support} |"
        )
    return "\n".join(lines)


def _source_table(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"| {source} | {sum(labels.values())} |" for source, labels in counts(rows).items()
    )
