"""The tables of speed for README.md, from ``results/speed.json``; made by ``benchmarks.tables``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.speed.rivals import OURS

Facts = Mapping[str, Any]
MISSING = "Not measured yet: run `python -m benchmarks.speed TEXTS --only {}`.\n"
SHOWN = 12  # types of operators, the rest together
RIVALS = {
    "pipeline_32": "Hugging Face `text-classification`, same weights, batches of 32",
    "pipeline_1": "the same, one row at a time",
    "sorted_loop": "a torch loop, same weights, sorted by length, batches of 32",
    "cross_encoder": "sentence-transformers `CrossEncoder`, same weights, ONNX backend",
    "zero_shot": "Hugging Face `zero-shot-classification`, shape of DeBERTa-v3-base (random "
    "weights and our tokenizer: for its time alone)",
}


def archives(facts: Facts) -> str:
    """Whole archives beside the pipeline."""
    lines = [
        "| `stancekit score` | rows/s | tokens/s | padding | memory at most "
        "| pipeline, rows/s | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in facts["archives"]:
        repeated = 1 - one["distinct"] / one["rows"]
        kind = f"{repeated:.0%} said before" if repeated else "all distinct"
        lines.append(
            f"| {one['rows']:,} rows, {kind} | {one['rows_per_second']:,.0f} "
            f"| {one['tokens_per_second']:,.0f} | {one['padding_share']:.1%} "
            f"| {one['peak_mib']:,.0f} MiB | {one['pipeline_rows_per_second']:,.0f} "
            f"| {one['ratio']:.1f} |"
        )
    sample = facts["archives"][0]["pipeline_rows"]
    note = (
        f"Rates of the whole process, from start to exit. The pipeline ran on {sample} rows of "
        "each archive before and after it, in batches of 32.\n"
    )
    return "\n".join(lines) + f"\n\n{note}"


def rivals(facts: Facts) -> str:
    """The same rows by other means."""
    runs = facts["runs"]
    lines = [
        "| on the same rows, in turns | rows/s | time, stancekit = 1, by turn |",
        "| --- | --- | --- |",
        f"| `predict_many` | {_rate(runs[OURS])} | 1 |",
    ]
    for name, shown in RIVALS.items():
        if name in runs:
            turns = ", ".join(f"{ratio:.1f}" for ratio in runs[name]["ratios"])
            lines.append(f"| {shown} | {_rate(runs[name])} | {turns} |")
        else:
            lines.append(f"| {shown} | not run: {_cell(facts['skipped'][name])} | |")
    note = (
        f"{runs[OURS]['rows']} dev rows ({runs['zero_shot']['rows']} for zero-shot, which takes "
        f"{facts['labels']} passes a row); {facts['same_label']:.1%} of our labels are the "
        "pipeline's.\n"
    )
    return "\n".join(lines) + f"\n\n{note}"


def length(facts: Facts) -> str:
    """Cost by words."""
    return _costs("words a statement", facts["length"])


def batch(facts: Facts) -> str:
    """Cost by tokens a batch."""
    rows = {
        "one row" if tokens == "1" else f"{tokens}{' (usual)' * (int(tokens) == facts['usual'])}": n
        for tokens, n in facts["batch"].items()
    }
    return _costs("padded tokens a batch", rows)


def topics(facts: Facts) -> str:
    """Cost by topics a statement."""
    lines = [
        "| topics a statement | time, one topic = 1 | tokens a row | padding |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {n} | {one['times_one_topic']:.2f} | {one['tokens_per_window']:.1f} "
        f"| {one['padding_share']:.1%} |"
        for n, one in facts["topics"].items()
    ]
    return "\n".join(lines) + f"\n\n{facts['statements']} statements.\n"


def single(facts: Facts) -> str:
    """Latency and cold start."""
    lines = [
        "| | one prediction, p50 | p99 | cold start: process to first answer | memory |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, shown in ((OURS, "stancekit"), ("pipeline", "Hugging Face pipeline")):
        taken, start = facts["latency"][name], facts["cold_start"][name]
        lines.append(
            f"| {shown} | {taken['p50']:.1f} ms | {taken['p99']:.1f} ms "
            f"| {start['process']:.2f} s | {start['peak_mib']:,.0f} MiB |"
        )
    note = f"{facts['rows']} predictions; {facts['starts']} starts, the median.\n"
    return "\n".join(lines) + f"\n\n{note}"


def account(facts: Facts) -> str:
    """Share of the peak, and where the rest of the time goes."""
    heads = ["", *(f"{name}, {one['dtype']}" for name, one in facts["engines"].items())]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " --- |" * len(facts["engines"])]
    engines = list(facts["engines"].values())
    measures: dict[str, Callable[[Facts], float]] = {
        "share of the machine's peak, engine alone": lambda one: one["share_of_peak"]["engine"],
        "the same, with tokenizing and sorting": lambda one: one["share_of_peak"]["whole"],
        "padding": lambda one: one["padding_share"],
        "outside the engine": lambda one: 1 - one["seconds"]["engine"] / one["seconds"]["whole"],
    }
    for name, of in measures.items():
        lines.append(f"| {name} | {' | '.join(f'{of(one):.1%}' for one in engines)} |")
    peaks = "; ".join(
        f"{name}: {one['rate'] / 1e9:,.0f} billion operations/s (`{one['by']}`, {one['shape']})"
        for name, one in facts["peaks"].items()
    )
    first = next(iter(facts["engines"].values()))["operators"]
    shares = list(first.items())
    listed = ", ".join(f"`{name}` {share:.1%}" for name, share in shares[:SHOWN])
    rest = sum(share for _, share in shares[SHOWN:])
    return (
        "\n".join(lines)
        + f"\n\nPeaks measured in the same run: {peaks}. The engine's time by operator: {listed}"
        + (f", others {rest:.1%}" if rest else "")
        + ".\n"
    )


TABLES: dict[str, Callable[[Facts], str]] = {
    "archives": archives,
    "rivals": rivals,
    "single": single,
    "account": account,
    "length": length,
    "batch": batch,
    "topics": topics,
}


def table(name: str, facts: Facts) -> str:
    """One section's table, or the command that would measure it."""
    section = facts.get("sections", {}).get(name)
    return TABLES[name](section) if section else MISSING.format(name)


def machine(facts: Facts) -> str:
    """What all of it was measured on, and whether there was a GPU."""
    of, engine, gpu = facts["machine"], facts["engine"], facts["gpu"]
    last = f"GPU: {gpu}" if gpu else "there was no GPU, so no figure says how one does"
    return (
        f"{of['processor']}, {engine['threads']} threads; engine {engine['name']} on "
        f"{engine['device']} in {engine['dtype']}; {last}.\n"
    )


def _costs(head: str, rows: Mapping[str, Facts]) -> str:
    lines = [
        f"| {head} | rows/s | tokens/s | tokens a pass | padding |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {_rate(one)} | {one['tokens_per_second']:,.0f} "
        f"| {one['tokens_per_window']:.1f} | {one['padding_share']:.1%} |"
        for name, one in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _rate(one: Facts) -> str:
    rate = one["rows_per_second"]
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
