"""The speed benchmark: its sums, and the shape of what it writes. No figure of time is tested."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks import tables
from benchmarks.speed import zero_shot
from benchmarks.speed.__main__ import SECTIONS, begin, main, write
from benchmarks.speed.account import by_operator, least_seconds, operations
from benchmarks.speed.counting import Counting, in_turns, peak_mib, rates, ratios
from benchmarks.speed.peak import best, peaks
from benchmarks.speed.rows import REPEATED, distinct, of_words, repeating, usable
from benchmarks.speed.tables import machine, table
from stancekit.encoding import Window
from stancekit.errors import InputError
from stancekit.model import StanceModel
from stancekit.records import Example

TINY = "--archives 20 40 --repeating 30 --sample 8 --zero-shot 2 --turns 2 --singles 3 --starts 1"
TINY += " --peak-seconds 0.0001"
WORDS = "the council would back a new bridge but not the tax that pays for it"


class Stub:
    """An engine that answers at once."""

    name, device, dtype, threads, batch_tokens = "stub", "cpu", "float32", 1, 64

    def logits(self, windows: list[Window]) -> NDArray[np.float32]:
        return np.zeros((len(windows), 4), dtype=np.float32)


def window(length: int) -> Window:
    return Window(np.ones(length, dtype=np.int64), np.zeros(length, dtype=np.int64))


class TestRows:
    @given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 60), st.integers(0, 3))
    def test_no_two_are_alike_and_all_pairs_are_used(
        self, statements: int, topics: int, count: int, seed: int
    ) -> None:
        said = [f"Statement {i}." for i in range(statements)]
        asked = [f"topic {i}" for i in range(topics)]
        if count > statements * topics:
            with pytest.raises(InputError, match=r"^rows: found .* enough for"):
                distinct(said, asked, count, seed)
            return
        rows = distinct(said, asked, count, seed)
        assert len({(row.statement, row.topic) for row in rows}) == len(rows) == count
        # A statement comes again only when all have come.
        assert len({row.statement for row in rows}) == min(count, statements)

    def test_a_seed_gives_the_same_rows_and_another_gives_others(self) -> None:
        said, asked = [f"Statement {i}." for i in range(40)], ["a", "b"]
        assert distinct(said, asked, 30, 1) == distinct(said, asked, 30, 1)
        assert distinct(said, asked, 30, 1) != distinct(said, asked, 30, 2)

    @given(st.integers(10, 400))
    def test_a_repeating_archive_repeats_the_share_it_says(self, count: int) -> None:
        rows = [Example(f"Statement {i}.", "a") for i in range(count)]
        archive = repeating(rows, count, 3)
        assert len(archive) == count
        assert len(set(archive)) == count - round(count * REPEATED)

    def test_repeats_are_all_over_the_archive(self) -> None:
        rows = [Example(f"Statement {i}.", "a") for i in range(1000)]
        archive = repeating(rows, 1000, 3)
        seen = [row in archive[:i] for i, row in enumerate(archive)]
        assert sum(seen[:500]) > 30
        assert sum(seen[500:]) > 150

    @pytest.mark.parametrize("words", [1, 7, 50])
    def test_statements_are_as_long_as_asked(self, words: int) -> None:
        rows = of_words(["We back it.", "They do not."], "the bridge", words, 3)
        assert [len(row.statement.split()) for row in rows] == [words] * 3

    def test_unusable_and_repeated_statements_are_left_out(self) -> None:
        assert usable(["We back it.", "", "  ", "We back it.", "No."]) == ["We back it.", "No."]


class TestCounting:
    def test_tokens_and_padding(self) -> None:
        counted = Counting(Stub())
        counted.logits([window(4), window(2)])
        counted.logits([window(3)])
        assert (counted.windows, counted.tokens, counted.padded) == (3, 9, 11)
        found = rates(2, 0.5, counted)
        assert found["rows_per_second"] == 4
        assert found["tokens_per_second"] == 18
        assert found["tokens_per_window"] == 3
        assert found["padding_share"] == pytest.approx(2 / 11)
        counted.reset()
        assert (counted.windows, counted.tokens, counted.padded) == (0, 0, 0)

    def test_a_counted_model_answers_as_before(self, tiny_model: StanceModel) -> None:
        counted = Counting(tiny_model.engine)
        model = StanceModel(tiny_model.checkpoint, counted)
        rows = [("We back it.", "the bridge"), ("No.", "the tax")]
        assert model.predict_many(rows) == tiny_model.predict_many(rows)
        assert counted.windows == 2

    def test_turns_alternate(self) -> None:
        order: list[str] = []

        def run(name: str, seconds: float) -> float:
            order.append(name)
            return seconds

        runs = {"a": lambda: run("a", 1.0), "b": lambda: run("b", 3.0)}
        assert in_turns(runs, 2) == {"a": [1, 1], "b": [3, 3]}
        assert order == ["a", "b", "a", "b"]
        assert ratios([3, 4], [1, 8]) == [3, 0.5]

    def test_memory_is_that_of_this_process(self) -> None:
        before = peak_mib()
        held = np.ones(int(before) * 131_072 + 26_000_000)  # of 8 bytes: 200 MB above the peak
        assert peak_mib() > before + 150
        del held


class TestAccount:
    facts = {"hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 2}  # noqa: RUF012

    def test_operations_are_those_of_the_products(self) -> None:
        # By hand, a token and layer: four products of 4 by 4 and two of 4 by 8, at two each; each
        # token with each: 4 features for the likeness and 4 for the mean, at two each.
        work = operations(self.facts, [window(3), window(5)])
        assert work["weights"] == 2 * 8 * (2 * (4 * 16) + 2 * (2 * 32))
        assert work["attention"] == 2 * (9 + 25) * 16

    def test_operations_are_what_torch_counts(self, tiny_trained_dir: Path) -> None:
        import torch
        import transformers
        from torch.utils.flop_counter import FlopCounterMode

        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            tiny_trained_dir, attn_implementation="eager"
        )
        facts = json.loads((tiny_trained_dir / "config.json").read_text())
        counter = FlopCounterMode(display=False)
        with counter, torch.inference_mode():
            model(torch.ones((1, 40), dtype=torch.long))
        head = 2 * facts["hidden_size"] * (facts["hidden_size"] + 4)
        assert sum(operations(facts, [window(40)]).values()) + head == counter.get_total_flops()

    def test_products_need_the_peak_of_their_dtype(self) -> None:
        work, peak = {"weights": 80.0, "attention": 10.0}, {"int8": 40.0, "float32": 5.0}
        assert least_seconds(work, "int8", peak) == 80 / 40 + 10 / 5
        assert least_seconds(work, "float32", peak) == 90 / 5

    def test_only_kernels_count(self) -> None:
        def event(cat: str, name: str, dur: int, op: str) -> dict[str, Any]:
            return {"cat": cat, "name": name, "dur": dur, "args": {"op_name": op}}

        events = [
            event("Node", "one_kernel_time", 5, "MatMul"),
            event("Node", "two_kernel_time", 2, "Add"),
            event("Node", "three_kernel_time", 4, "MatMul"),
            event("Node", "one_fence_before", 9, "MatMul"),
            event("Session", "model_run", 99, ""),
        ]
        assert by_operator(events) == {"MatMul": 9, "Add": 2}

    def test_the_peak_is_the_best_of_all(self) -> None:
        found = best([(2, 2, 2), (64, 64, 64)], {"one": lambda shape: lambda: None}, 0.0)
        assert found["rate"] == max(found["all"]["one"].values())
        assert set(found["all"]["one"]) == {"2x2x2", "64x64x64"}
        assert found["by"] == "one"

    def test_both_dtypes_are_measured_on_a_processor(self) -> None:
        found = peaks(Stub(), [(8, 16, 8)], 0.0)
        assert set(found["float32"]["all"]) == {"numpy", "torch", "MatMul"}
        assert set(found["int8"]["all"]) == {"MatMulInteger", "MatMulIntegerToFloat"}
        assert all(one["rate"] > 0 for one in found.values())


class TestFile:
    header = {"machine": {"threads": 2}, "model": "abc", "gpu": None}  # noqa: RUF012

    def test_sections_of_the_same_model_and_machine_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "speed.json"
        write(path, {**self.header, "sections": {"topics": {"a": 1}}})
        assert begin(path, self.header)["sections"] == {"topics": {"a": 1}}

    def test_those_of_another_are_not(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "speed.json"
        write(path, {**self.header, "model": "old", "sections": {"topics": {"a": 1}}})
        assert begin(path, self.header) == {**self.header, "sections": {}}
        assert "topics" in capsys.readouterr().out

    def test_an_unknown_section_is_refused(self, tmp_path: Path, tiny_model_dir: Path) -> None:
        arguments = [str(tmp_path), "--model", str(tiny_model_dir), "--only", "speed"]
        with pytest.raises(InputError, match=r"^--only: found 'speed', wanted some of account,"):
            main([*arguments, "-o", str(tmp_path / "out.json")])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, tiny_model_dir: Path) -> Mapping[str, Any]:
    """All sections, as small as they go, with a rival that cannot be imported."""
    folder = tmp_path_factory.mktemp("speed")
    dice = random.Random(1)
    said = [
        f"{' '.join(dice.choices(WORDS.split(), k=dice.randint(2, 30)))} {i}." for i in range(60)
    ]
    lines = [json.dumps({"statement": one}) + "\n" for one in said]
    (folder / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
    output = folder / "speed.json"
    small = {"num_hidden_layers": 1, "hidden_size": 24, "intermediate_size": 24}
    opened, path = onnxruntime.InferenceSession, sys.path.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "sentence_transformers", None)
        patch.setattr(zero_shot, "SHAPE", {**zero_shot.SHAPE, **small, "pooler_hidden_size": 24})
        arguments = ["-o", str(output), "--model", str(tiny_model_dir), *TINY.split()]
        arguments += ["--cross-encoder-python", str(_python_without_packages(folder))]
        main([str(folder), *arguments])
    assert onnxruntime.InferenceSession is opened
    assert sys.path == path
    facts: Mapping[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return facts


def _python_without_packages(folder: Path) -> Path:
    """An interpreter that sees only the standard library."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


class TestWhole:
    def test_every_section_is_there(self, measured: Mapping[str, Any]) -> None:
        assert set(measured["sections"]) == set(SECTIONS)
        assert measured["engine"]["name"] == "onnx"

    def test_archives_are_of_the_sizes_asked_for(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["archives"]["archives"]
        assert [(one["rows"], one["distinct"]) for one in found] == [(20, 20), (40, 40), (30, 21)]
        for one in found:
            assert one["errors"] == 0
            assert 0 <= one["padding_share"] < 1
            assert one["seconds"] < one["process_seconds"]
            assert one["ratio"] == one["rows_per_second"] / one["pipeline_rows_per_second"]

    def test_rivals_all_took_their_turns(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["rivals"]
        assert set(found["runs"]) == {
            *("stancekit", "pipeline_32", "pipeline_1", "sorted_loop", "zero_shot"),
        }
        for one in found["runs"].values():
            assert len(one["seconds"]) == len(one["ratios"]) == 2
        assert found["runs"]["stancekit"]["ratios"] == [1, 1]
        ours = found["runs"]["stancekit"]["seconds"][0] / 8
        theirs = found["runs"]["zero_shot"]["seconds"][0] / 2
        assert found["runs"]["zero_shot"]["ratios"][0] == pytest.approx(theirs / ours)
        assert found["same_label"] > 0.5

    def test_a_rival_that_is_not_installed_is_skipped_with_the_reason(
        self, measured: Mapping[str, Any]
    ) -> None:
        reason = measured["sections"]["rivals"]["skipped"]["cross_encoder"]
        assert reason == "ModuleNotFoundError: No module named 'sentence_transformers'"
        assert f"not run: {reason}" in table("rivals", measured)

    def test_each_topic_is_a_row_more(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["topics"]
        rows = {n: one["rows"] for n, one in found["topics"].items()}
        assert rows == {"1": 4, "2": 8, "5": 20, "10": 40}
        assert found["topics"]["1"]["times_one_topic"] == 1

    def test_long_statements_take_several_windows(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["length"]["length"]
        assert found["4"]["windows"] == found["4"]["rows"]
        assert found["512"]["windows"] > found["512"]["rows"]

    def test_one_row_at_a_time_has_no_padding(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["batch"]
        assert found["batch"]["1"]["padding_share"] == 0
        assert found["batch"]["8192"]["padding_share"] > 0
        assert str(found["usual"]) in found["batch"]

    def test_the_time_is_accounted_for(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["account"]["engines"]
        assert {name: one["dtype"] for name, one in found.items()} == {
            "onnx": "int8",
            "torch": "float32",
        }
        for one in found.values():
            assert sum(one["operators"].values()) == pytest.approx(1)
            assert one["seconds"]["engine"] < one["seconds"]["whole"]
            needed = one["seconds"]["products_at_peak"]
            assert one["share_of_peak"]["engine"] == needed / one["seconds"]["engine"]
        assert "MatMulIntegerToFloat" in found["onnx"]["operators"]

    def test_starts_and_latencies(self, measured: Mapping[str, Any]) -> None:
        found = measured["sections"]["single"]
        for one in found["latency"].values():
            assert 0 < one["p50"] <= one["p99"]
        for one in found["cold_start"].values():
            assert one["import"] + one["load"] + one["first"] == pytest.approx(one["inside"])
            assert one["inside"] < one["process"]

    @pytest.mark.parametrize("name", SECTIONS)
    def test_every_section_has_a_table_with_cells_alike(
        self, name: str, measured: Mapping[str, Any]
    ) -> None:
        rows = [line for line in table(name, measured).splitlines() if line.startswith("|")]
        assert len(rows) > 2
        assert len({line.replace("\\|", "").count("|") for line in rows}) == 1

    def test_tables_say_when_there_was_no_gpu(self, measured: Mapping[str, Any]) -> None:
        assert "there was no GPU" in machine({**measured, "gpu": None})
        assert "GPU: Big One." in machine({**measured, "gpu": "Big One"})

    def test_the_readme_can_show_them(
        self, measured: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tables, "read", lambda name: measured)
        text = tables.filled(
            "<!-- table speed -->\n<!-- end --> <!-- table speed_topics -->\n<!-- end -->"
        )
        assert "20 rows, all distinct" in text
        assert "30 rows, 30% said before" in text
        assert "| 10 |" in text


@pytest.mark.parametrize("name", SECTIONS)
def test_what_was_not_measured_says_how_to(name: str) -> None:
    assert table(name, {"sections": {}}) == (
        f"Not measured yet: run `python -m benchmarks.speed TEXTS --only {name}`.\n"
    )
