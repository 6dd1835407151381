"""Fill the tables of README.md from the results on disk.

    python -m benchmarks.tables [--check]

Each table stands between ``<!-- table NAME -->`` and ``<!-- end -->``. With ``--check`` nothing is
written, and a table that is out of date is an error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.learning_curve import by_size
from benchmarks.results import read
from benchmarks.shared_topics.cost import shares
from benchmarks.speed.tables import TABLES as SECTIONS
from benchmarks.speed.tables import machine
from benchmarks.speed.tables import table as section

README = Path(__file__).parent.parent / "README.md"
MARKED = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PARTS = {
    "real": "real text",
    "seen": "real text, topics seen in training",
    "written": "written for the project",
}
OURS = "stancekit-small-en"
CURVES = {
    "dev": "our real dev rows",
    "semeval2016_a": "SemEval-2016 6A, its dev file",
    "wtwt": "WT-WT, its dev file",
    "vast": "VAST, its dev file",
}
LACKING = "Not measured yet: run `python -m benchmarks.quality TEXTS`.\n"


def quality() -> str:
    """Macro-F1 of the model and what else one could do, on each part."""
    facts = read("quality")
    parts = {part: facts["parts"][part] for part in PARTS if part in facts["parts"]}
    lines = [
        f"| macro-F1, four labels [95% interval] | {' | '.join(PARTS[part] for part in parts)} |",
        "| --- |" + " --- |" * len(parts),
    ]
    for name in parts["real"]:
        cells = " | ".join(_interval(reports[name]["macro_f1"]) for reports in parts.values())
        lines.append(f"| {name} | {cells} |")
    if facts.get("difference"):
        changes = " | ".join(_interval(facts["difference"][part], "+.3f") for part in parts)
        lines.append(f"| {OURS} minus v1, on the same draws | {changes} |")
    sizes = "; ".join(
        f"{PARTS[part]}: n = {reports[OURS]['n']} in {reports[OURS]['groups']} groups"
        for part, reports in parts.items()
    )
    return "\n".join(lines) + f"\n\n{sizes}.\n"


def per_label() -> str:
    """Precision, recall and F1 of each label on real text, with calibration."""
    facts = read("quality")
    report = facts["parts"]["real"][OURS]
    by_chance = facts["calibration"]["real"]["ece_by_chance"]
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
        f"{report['ece']:.3f}, where true confidences would show {by_chance:.3f} by chance."
        f"\n\n`{report['signature']}`\n"
    )


def probes() -> str:
    """What is left without topic or speaker, pairs both right, and labels small changes leave."""
    facts = read("quality").get("probes")
    if not facts:
        return LACKING
    parts = {part: facts[part] for part in PARTS if part in facts}
    names = {
        "macro-F1": "as_is",
        "macro-F1, topic masked": "topic_masked",
        "macro-F1, rows with a speaker": "speaker_as_is",
        "macro-F1, the same rows, speaker masked": "speaker_masked",
        "both right: one statement, two topics, two labels": "flip_pairs",
        "both right: one statement and topic, two speakers, two labels": "speaker_pairs",
    }
    measures = {name: [one[key] for one in parts.values()] for name, key in names.items()}
    for kind in next(iter(parts.values()))["unchanged"]:
        measures[f"label unchanged: {kind}"] = [one["unchanged"][kind] for one in parts.values()]
    heads = " | n | ".join(PARTS[part] for part in parts)
    lines = [
        f"| probe [95% interval] | {heads} | n |",
        "| --- |" + " --- | --- |" * len(parts),
    ]
    for name, cells in measures.items():
        shown = " | ".join(f"{_measured(one)} | {one['n']}" for one in cells)
        lines.append(f"| {name} | {shown} |")
    return "\n".join(lines) + "\n"


def phenomena() -> str:
    """Accuracy on dev rows of each phenomenon."""
    facts = read("quality").get("phenomena")
    if not facts:
        return LACKING
    lines = ["| phenomenon | accuracy [95% interval] | n |", "| --- | --- | --- |"]
    lines += [f"| {name} | {_measured(one)} | {one['n']} |" for name, one in facts.items()]
    return "\n".join(lines) + "\n"


def risk() -> str:
    """What each wanted error rate keeps, and how often that is wrong."""
    facts = read("quality").get("risk")
    if not facts:
        return LACKING
    # Thresholds come from the real dev rows; written ones are of another kind.
    parts = {part: facts[part] for part in ("real", "seen") if part in facts}
    heads = "".join(f" kept, {PARTS[part]} | wrong among them |" for part in parts)
    lines = [
        f"| wanted error rate | least confidence |{heads}",
        "| --- | --- |" + " --- | --- |" * len(parts),
    ]
    for entries in zip(*parts.values(), strict=True):
        least = entries[0]["threshold"]
        cells = [f"{entries[0]['rate']:g}", "none holds" if least is None else f"{least:.3f}"]
        for one in entries:
            cells += (
                ["", ""] if least is None else [_measured(one["kept"]), _measured(one["error"])]
            )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def steps() -> str:
    """Macro-F1 of the teacher and of the student, on dev."""
    facts = read("steps")["steps"]
    names = {
        "teacher": "teacher",
        "student": "student",
        "mean": "the mean of its weights and those bundled before",
    }
    lines = ["| macro-F1, four labels | real text | written |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {_interval(facts[key]['real'])} | {_interval(facts[key]['written'])} |"
        for key, name in names.items()
    ]
    return "\n".join(lines) + "\n"


def published() -> str:
    """The encoder retrained on published sets, scored on dev, and what others reached on test."""
    try:
        facts = read("published")["sets"]
    except FileNotFoundError:
        return "Not measured yet: run `python -m benchmarks.published DIR --base ENCODER`.\n"
    lines = [
        "| set, metric | stancekit, retrained: dev [95% interval] | n | published, on test |",
        "| --- | --- | --- | --- |",
    ]
    for name, one in facts.items():
        others = ", ".join(
            f"{p['model']} {p['value']:.3f} ({p['split']})" for p in one["published"]
        )
        for split, found in one["splits"].items():
            metric, value = next(iter(found["metrics"].items()))
            lines.append(
                f"| {name}, {metric} ({split}) | {_interval(value)} | {found['n']} | {others} |"
            )
    return "\n".join(lines) + "\n"


def learning_curve() -> str:
    """Macro-F1 by the number of labels trained on, with the range of gains over the seeds."""
    try:
        facts = read("learning_curve")
    except FileNotFoundError:
        return "Not measured yet: run `python -m benchmarks.learning_curve TEXTS PUBLIC`.\n"
    curves = [
        (name, one, gains)
        for name, one in facts["sets"].items()
        for recipe, gains in by_size(one).items()
        if recipe == "default"
    ]
    sizes = sorted({size for _, _, gains in curves for size in gains})
    lines = [
        f"| rows of | as bundled | {' | '.join(f'{size:,} labels' for size in sizes)} |",
        "| --- | --- |" + " --- |" * len(sizes),
    ]
    for name, one, gains in curves:
        cells = " | ".join(_gain(one["before"], gains.get(size)) for size in sizes)
        lines.append(f"| {CURVES[name]} (n = {one['scored']}) | {one['before']:.3f} | {cells} |")
    return "\n".join(lines) + f"\n\n{_machine(facts)}\n"


def speed() -> str:
    """Whole archives, what else one could run, and on what machine."""
    facts = read("speed")
    parts = [section("archives", facts), section("rivals", facts), machine(facts)]
    return "\n".join(parts)


def speed_section(name: str) -> str:
    """One section of the speed benchmark."""
    return section(name, read("speed"))


def shared_topics() -> str:
    """What it would cost and buy to encode a statement once for all topics."""
    facts = read("shared_topics")
    lines = [
        "| macro-F1, four labels | all look at all | topics look, one way | difference |",
        "| --- | --- | --- | --- |",
    ]
    for part in ("real", "written"):
        one = facts["quality"][part]
        cells = " | ".join(_interval(one[name]) for name in ("both ways", "one way"))
        change = _interval(one["difference"], "+.3f")
        lines.append(f"| {PARTS[part]} (n = {one['n']}) | {cells} | {change} |")
    lines += ["", "| topics a statement | time, a row a topic = 1 | tokens, a row a topic = 1 |"]
    lines.append("| --- | --- | --- |")
    for one in facts["cost"]["counts"]:
        time, tokens = shares(one)
        lines.append(f"| {one['topics']} | {time:.2f} | {tokens:.2f} |")
    return "\n".join(lines) + f"\n\n{_machine(facts)}\n"


def memory() -> str:
    """The most memory that a process held, by the archive's size."""
    facts = read("memory")
    sizes = " | ".join(f"{rows:,} rows" for rows in facts["rows"])
    lines = [
        f"| from jsonl to | {sizes} | times |",
        "| --- |" + " --- |" * (len(facts["rows"]) + 1),
    ]
    for name, peaks in facts["peak_kib"].items():
        shown = name.removeprefix("out").lstrip(".") or "a folder of parquet"
        cells = " | ".join(f"{kib / 1024:,.0f} MiB" for kib in peaks)
        lines.append(f"| {shown} | {cells} | {peaks[-1] / peaks[0]:.2f} |")
    return "\n".join(lines) + f"\n\n{_machine(facts)}\n"


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


def reading() -> str:
    """Statements found in articles, and their speakers."""
    facts = read("reading")
    kinds = {"all": "", "direct": ", direct", "mixed": ", mixed", "indirect": ", indirect"}
    measures = ("content_f1", "statements_found", "mention_right", "name_right")
    lines = [
        "| articles | tokens said: F1 | statements found | speaker right, of those found: as "
        "mentioned | by full name | n |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, file in facts["files"].items():
        for kind, shown in kinds.items():
            cells = " | ".join(
                _interval(file[kind][one]) if one in file[kind] else "" for one in measures
            )
            articles = f" ({file['articles']} articles)" if kind == "all" else ""
            lines.append(f"| {name}{shown}{articles} | {cells} | {file[kind]['n']} |")
    rates = [file.get("articles_a_second") for file in facts["files"].values()]
    speed = ", ".join(f"{rate:,.0f}" for rate in rates if rate)
    note = f"Articles a second, one thread: {speed}. {_machine(facts)}\n" if speed else ""
    return "\n".join(lines) + f"\n\n{note}"


TABLES: dict[str, Callable[[], str]] = {
    "quality": quality,
    "per_label": per_label,
    "probes": probes,
    "phenomena": phenomena,
    "risk": risk,
    "steps": steps,
    "published": published,
    "learning_curve": learning_curve,
    "speed": speed,
    **{f"speed_{name}": partial(speed_section, name) for name in SECTIONS},
    "memory": memory,
    "shared_topics": shared_topics,
    "int8": int8,
    "reading": reading,
}


def filled(text: str) -> str:
    """A text with every marked table made anew."""
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def _interval(facts: dict[str, Any], form: str = ".3f") -> str:
    return f"{facts['value']:{form}} [{facts['low']:{form}}, {facts['high']:{form}}]"


def _gain(before: float, gains: Sequence[float] | None) -> str:
    if gains is None:
        return ""
    mean = before + sum(gains) / len(gains)
    return f"{mean:.3f} ({min(gains):+.3f} to {max(gains):+.3f})"


def _measured(facts: dict[str, Any]) -> str:
    return _interval(facts["score"]) if facts["score"] else ""


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
