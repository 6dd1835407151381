"""Annotation tools: files as each documents them, round trips, and what cannot be used."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.annotation import FORMATS, Task
from stancekit.annotation.collect import Collected, collect
from stancekit.annotation.exports import items
from stancekit.errors import FileError, InputError, RecordError
from stancekit.files import read
from stancekit.records import Example, LabelSet, Prediction
from stancekit.rows import BadRow, Row

LABELS = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1.0, 0.0, -1.0, None))
FERRY = Example(
    "We will keep the ferry, whatever they build.", "the bridge", "the pilot", group="7"
)
TOLL = Example("Who pays the toll?", "the bridge")


def task(example: Example) -> Task:
    probabilities = dict(zip(LABELS.names, (0.4, 0.1, 0.3, 0.2), strict=True))
    return Task(example, Prediction("optimistic", probabilities, 0.1), "model 1", "a close call")


def save(path: Path, items: list[Any]) -> Path:
    """A list in .json, lines in .jsonl, as the tools write them."""
    if path.suffix == ".json":
        path.write_text(json.dumps(items), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(items[0]), quoting=csv.QUOTE_NONNUMERIC)
            writer.writeheader()
            writer.writerows(items)
    else:
        path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def rows(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None
    found = list(read(path))
    assert all(isinstance(row, Row) for row in found)
    return [row.values for row in found if isinstance(row, Row)]


# What each tool makes of a task when annotators ("ann", "bo", …) give it labels; None skips it.
Answers = dict[str, str | None]


def label_studio(item: dict[str, Any], answers: Answers) -> list[dict[str, Any]]:
    annotations = [
        {
            "id": number,
            "completed_by": {"id": number, "email": who, "first_name": "", "last_name": ""},
            "result": []
            if label is None
            else [
                {
                    "value": {"choices": [label]},
                    "id": f"r{number}",
                    "from_name": "label",
                    "to_name": "statement",
                    "type": "choices",
                    "origin": "manual",
                }
            ],
            "was_cancelled": label is None,
            "ground_truth": False,
            "created_at": "2026-02-03T10:00:00.000000Z",
            "lead_time": 4.2,
        }
        for number, (who, label) in enumerate(answers.items(), 1)
    ]
    return [{"id": 5, "annotations": annotations, "drafts": [], "project": 1, **item}]


def argilla(item: dict[str, Any], answers: Answers) -> list[dict[str, Any]]:
    given = [{"value": label, "user_id": who} for who, label in answers.items() if label]
    return [item | {"responses": {"label": given} if given else {}, "_server_id": "s"}]


def argilla_flat(item: dict[str, Any], answers: Answers) -> list[dict[str, Any]]:
    flat = {"id": item["id"], "_server_id": "s", **item["fields"], **item["metadata"]}
    given = {who: label for who, label in answers.items() if label}
    if given:
        flat["label.responses"] = list(given.values())
        flat["label.responses.users"] = list(given)
        flat["label.responses.status"] = ["submitted"] * len(given)
    return [flat | {"label.suggestion": "optimistic", "label.suggestion.score": 0.4}]


def prodigy(item: dict[str, Any], answers: Answers) -> list[dict[str, Any]]:
    return [
        item
        | {
            "_input_hash": 1,
            "_task_hash": 2,
            "_view_id": "choice",
            "config": {"choice_style": "single"},
            "accept": [label] if label else [],
            "answer": "accept" if label else "ignore",
            "_timestamp": 1770000000,
            "_annotator_id": who,
            "_session_id": who,
        }
        for who, label in answers.items()
    ]


ROUND_TRIPS: dict[str, tuple[str, Callable[[dict[str, Any], Answers], list[dict[str, Any]]]]] = {
    "label studio": ("label-studio", label_studio),
    "argilla": ("argilla", argilla),
    "argilla, flattened": ("argilla", argilla_flat),
    "prodigy": ("prodigy", prodigy),
}
DECIDED = {
    "statement": FERRY.statement,
    "topic": "the bridge",
    "speaker": "the pilot",
    "label": "opposed",
    "group": "7",
    "annotators": 3,
    "agreement": 0.666667,
}


@pytest.mark.parametrize("case", ROUND_TRIPS)
@pytest.mark.parametrize("named", [True, False])
def test_a_task_comes_back_labelled(case: str, named: bool, tmp_path: Path) -> None:
    name, tool = ROUND_TRIPS[case]
    sent = [FORMATS[name].write(task(example), LABELS) for example in (FERRY, TOLL)]
    back = tool(sent[0], {"ann": "opposed", "bo": "none", "cy": "opposed"})
    back += tool(sent[1], {"ann": None})
    suffix = FORMATS[name].extension
    path = save(tmp_path / f"export{suffix}", json.loads(json.dumps(back)))
    done = collect([path], tmp_path / "out.jsonl", tool=name if named else None)
    (row,) = rows(done.output)
    assert json.loads(row.pop("votes")) == {"ann": "opposed", "bo": "none", "cy": "opposed"}
    assert row == DECIDED
    assert done.labels == {"opposed": 1}
    assert (done.undecided, done.unanswered, done.errors, done.compared) == (0, 1, 0, 1)
    assert done.annotators == {"ann": 1, "bo": 1, "cy": 1}
    assert not Path(f"{done.output}.errors.jsonl").exists()


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("tool", [None, "doccano"])
def test_doccano_has_a_file_an_annotator(suffix: str, tool: str | None, tmp_path: Path) -> None:
    paths = []
    for who, labels in {"ann": ["opposed"], "bo": ["none"], "cy": ["opposed"]}.items():
        exported = []
        for number, (example, marks) in enumerate([(FERRY, labels), (TOLL, [])], 1):
            item = {"group": ""} | FORMATS["doccano"].write(task(example), LABELS)
            item |= {"id": number, "label": marks, "Comments": []}
            if suffix == ".csv":
                item |= {"label": "#".join(marks), "Comments": ""}
            exported.append(item)
        paths.append(save(tmp_path / f"{who}{suffix}", exported))
    done = collect(paths, tmp_path / "out.jsonl", tool=tool)
    (row,) = rows(done.output)
    assert json.loads(row.pop("votes")) == {"ann": "opposed", "bo": "none", "cy": "opposed"}
    assert row == DECIDED
    assert (done.unanswered, done.errors) == (1, 0)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_label_studio_in_its_small_forms(suffix: str, tmp_path: Path) -> None:
    data = FORMATS["label-studio"].write(task(FERRY), LABELS)["data"]
    own = {"id": 5, "created_at": "", "updated_at": "", "lead_time": 3.2, "was_cancelled": False}
    given = [
        data | own | {"annotation_id": 1, "annotator": "ann@example.org", "label": "opposed"},
        data | own | {"annotation_id": 2, "annotator": "bo@example.org", "label": "opposed"},
        data | own | {"annotation_id": 3, "annotator": "cy@example.org", "label": ""},
        data
        | own
        | {"annotation_id": 4, "annotator": "di@example.org", "label": "none"}
        | {"was_cancelled": True},
    ]
    done = collect([save(tmp_path / f"export{suffix}", given)], tmp_path / "out.jsonl")
    (row,) = rows(done.output)
    assert (row["label"], row["annotators"], row["speaker"]) == ("opposed", 2, "the pilot")
    assert done.annotators == {"ann@example.org": 1, "bo@example.org": 1}


def test_label_studio_leaves_an_unanswered_question_out_of_its_small_form(tmp_path: Path) -> None:
    item = {"statement": "No.", "topic": "t", "speaker": "", "annotation_id": 1, "annotator": 1}
    done = collect([save(tmp_path / "e.json", [item])], tmp_path / "out.csv")
    assert (done.unanswered, done.errors) == (1, 0)
    done = collect([save(tmp_path / "e.json", [item | {"mood": "x"}])], tmp_path / "out.csv")
    assert (done.unanswered, done.errors) == (0, 1)
    assert "'mood'" in rows(done.errors_path)[0]["reason"]


def test_answers_of_several_files_and_tools_meet(tmp_path: Path) -> None:
    studio = label_studio(FORMATS["label-studio"].write(task(FERRY), LABELS), {"ann": "opposed"})
    sent = FORMATS["prodigy"].write(task(FERRY), LABELS)
    one = save(tmp_path / "a.json", studio)
    two = save(tmp_path / "b.jsonl", prodigy(sent, {"bo": "opposed", "cy": "none"}))
    # The same file again changes nothing.
    done = collect([one, two, two], tmp_path / "out.csv")
    assert done.annotators == {"ann": 1, "bo": 1, "cy": 1}
    assert done.labels == {"opposed": 1}


def test_without_a_majority_nothing_is_chosen(tmp_path: Path) -> None:
    sent = FORMATS["prodigy"].write(task(FERRY), LABELS)
    again = prodigy(sent, {"ann": "none", "bo": "none", "cy": "opposed", "di": "optimistic"})
    path = save(tmp_path / "e.jsonl", again)
    done = collect([path], tmp_path / "out.csv")
    assert rows(done.output) == []
    assert (done.labels, done.undecided) == ({}, 1)
    (row,) = rows(done.undecided_path)
    assert row["label"] is None and row["statement"] == FERRY.statement
    assert json.loads(row["votes"])["di"] == "optimistic"
    # One more answer decides; the list of the undecided goes.
    save(path, again + prodigy(sent, {"ed": "none"}))
    done = collect([path], tmp_path / "out.csv")
    assert done.labels == {"none": 1} and done.undecided_path is None
    assert not (tmp_path / "out.csv.undecided.jsonl").exists()


def test_who_contradicts_herself_counts_on_both_sides(tmp_path: Path) -> None:
    sent = FORMATS["prodigy"].write(task(FERRY), LABELS)
    twice = prodigy(sent, {"ann": "none"}) + prodigy(sent, {"ann": "opposed"})
    done = collect([save(tmp_path / "e.jsonl", twice)], tmp_path / "out.csv")
    assert done.undecided == 1
    assert json.loads(rows(done.undecided_path)[0]["votes"]) == {"ann": "none, opposed"}


def test_a_cancelled_annotation_is_no_answer(tmp_path: Path) -> None:
    item = studio(choices("label", "opposed"))
    cancelled = item["annotations"][0] | {"was_cancelled": True, "completed_by": 4}
    item["annotations"].append(cancelled)
    done = collect([save(tmp_path / "e.json", [item])], tmp_path / "out.jsonl")
    assert done.annotators == {"3": 1}


def test_the_first_group_that_is_named_counts(tmp_path: Path) -> None:
    lines = [PRODIGY | {"_session_id": "u"}, PRODIGY | {"_session_id": "v", "group": 7}]
    lines.append(lines[1] | {"_session_id": "w", "group": 8})
    done = collect([save(tmp_path / "e.jsonl", lines)], tmp_path / "out.jsonl")
    assert rows(done.output)[0]["group"] == "7"


def test_alpha_is_over_what_several_answered(tmp_path: Path) -> None:
    write = FORMATS["prodigy"].write
    other = Example("It will fall down.", "the bridge")
    lines = prodigy(write(task(FERRY), LABELS), {"ann": "opposed", "bo": "opposed"})
    lines += prodigy(write(task(TOLL), LABELS), {"ann": "none", "bo": "opposed"})
    lines += prodigy(write(task(other), LABELS), {"ann": "opposed"})
    done = collect([save(tmp_path / "e.jsonl", lines)], tmp_path / "out.csv")
    # Four answers, three of them one label: 2 differing pairs, (16 - 9 - 1) by chance.
    assert done.alpha == pytest.approx(1 - 3 * 2 / 6)
    assert done.compared == 2
    done = collect([save(tmp_path / "e.jsonl", lines[:2])], tmp_path / "out.csv")
    assert math.isnan(done.alpha)


STUDIO = {
    "id": 1,
    "data": {"statement": "No.", "topic": "t"},
    "annotations": [
        {
            "completed_by": 3,
            "result": [
                {"type": "choices", "from_name": "label", "value": {"choices": ["opposed"]}}
            ],
        }
    ],
}
PRODIGY = {"text": "No.", "topic": "t", "answer": "accept", "accept": ["opposed"]}
ARGILLA = {
    "id": "1",
    "fields": {"text": "No.", "topic": "t"},
    "responses": {"label": [{"value": "opposed", "user_id": "u"}]},
}
DOCCANO = {"id": 1, "text": "No.", "topic": "t", "label": ["opposed"]}


def choices(name: str, *labels: str) -> dict[str, Any]:
    return {"type": "choices", "from_name": name, "value": {"choices": list(labels)}}


def studio(*result: Any) -> dict[str, Any]:
    return STUDIO | {"annotations": [{"completed_by": 3, "result": list(result)}]}


BAD: dict[str, tuple[str, Any, str]] = {
    "not an object": ("prodigy", 3, "a JSON int"),
    "several labels": ("prodigy", PRODIGY | {"accept": ["a", "b"]}, "2 in one answer (a, b)"),
    "labels that are none": ("prodigy", PRODIGY | {"accept": [1]}, "a list of labels"),
    "accept that is no list": ("prodigy", PRODIGY | {"accept": "a"}, "wanted a list"),
    "an answer there is not": ("prodigy", PRODIGY | {"answer": "maybe"}, "accept, reject, ignore"),
    "no text": ("prodigy", {"answer": "accept", "accept": ["a"]}, "'statement' or 'text'"),
    "text that is none": ("prodigy", PRODIGY | {"text": 3}, "wanted a string"),
    "empty text": ("prodigy", PRODIGY | {"text": " "}, "only white space"),
    "no topic": ("prodigy", PRODIGY | {"topic": None}, "--topic"),
    "labels of two annotators": ("doccano", DOCCANO | {"label": ["a", "b"]}, "2 in one answer"),
    "spans": ("doccano", DOCCANO | {"label": [[0, 2, "a"]]}, "classification"),
    "label that is a number": ("doccano", DOCCANO | {"label": 3}, "a list of labels"),
    "no annotations": ("label-studio", {"id": 1, "data": {}}, "annotations"),
    "annotation that is none": ("label-studio", STUDIO | {"annotations": [3]}, "a list of objects"),
    "no result": ("label-studio", STUDIO | {"annotations": [{}]}, "result"),
    "region that is none": ("label-studio", studio(3), "a list of objects"),
    "choices that are none": ("label-studio", studio({"type": "choices"}), "value"),
    "two questions": ("label-studio", studio(choices("a", "x"), choices("b", "y")), "'a', 'b'"),
    "two choices": ("label-studio", studio(choices("label", "x", "y")), "2 in one answer"),
    "two regions": (
        "label-studio",
        studio(choices("label", "x"), choices("label", "y")),
        "2 in one answer",
    ),
    "several labels in a cell": (
        "label-studio",
        {"statement": "No.", "topic": "t", "annotation_id": 1, "label": '{"choices": ["a", "b"]}'},
        "2 in one answer",
    ),
    "responses that are none": ("argilla", ARGILLA | {"responses": {"label": [3]}}, "objects"),
    "a list of labels": (
        "argilla",
        ARGILLA | {"responses": {"label": [{"value": ["a", "b"], "user_id": "u"}]}},
        "2 in one answer",
    ),
    "answers out of step": (
        "argilla",
        {"text": "No.", "topic": "t", "q.responses": ["a"], "q.responses.users": ["u", "v"]},
        "1 answers of 2 users",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_listed(case: str, tmp_path: Path) -> None:
    tool, item, reason = BAD[case]
    good = {"label-studio": STUDIO, "prodigy": PRODIGY, "argilla": ARGILLA, "doccano": DOCCANO}
    path = tmp_path / "e.json"
    path.write_text(f"[{json.dumps(good[tool])},\n\n{json.dumps(item)}]", encoding="utf-8")
    done = collect([path], tmp_path / "out.jsonl", tool=tool)
    (row,) = rows(done.output)
    assert (row["statement"], row["label"]) == ("No.", "opposed")
    (bad,) = rows(done.errors_path)
    assert bad["file"] == str(path) and bad["line"] == 3
    assert reason in bad["reason"]
    assert json.loads(bad["raw"]) == item
    assert done.errors == 1


def test_annotators_are_named_as_the_tool_names_them(tmp_path: Path) -> None:
    def who(tool: str, item: dict[str, Any]) -> list[str]:
        path = save(tmp_path / "file.jsonl", [item])
        return list(collect([path], tmp_path / "out.jsonl", tool=tool).annotators)

    by = STUDIO["annotations"][0]  # type: ignore[index]
    for completed_by, name in (
        (3, "3"),
        ({"id": 3}, "3"),
        ({"email": "a@b"}, "a@b"),
        (None, "file"),
    ):
        item = STUDIO | {"annotations": [by | {"completed_by": completed_by}]}
        assert who("label-studio", item) == [name]
    assert who("prodigy", PRODIGY) == ["file"]
    assert who("prodigy", PRODIGY | {"_session_id": "s"}) == ["s"]
    assert who("argilla", ARGILLA) == ["u"]


def test_only_submitted_responses_are_answers(tmp_path: Path) -> None:
    responses = [
        {"value": "opposed", "user_id": "u", "status": "draft"},
        {"value": "none", "user_id": "v", "status": "discarded"},
        {"value": "circumspect", "user_id": "w", "status": "submitted"},
    ]
    nested = ARGILLA | {"responses": {"label": responses}}
    flat = {
        "text": "No.",
        "topic": "t",
        "label.responses": [one["value"] for one in responses],
        "label.responses.users": [one["user_id"] for one in responses],
        "label.responses.status": [one["status"] for one in responses],
    }
    for item in (nested, flat):
        done = collect([save(tmp_path / "e.json", [item])], tmp_path / "out.jsonl")
        assert done.annotators == {"w": 1} and done.labels == {"circumspect": 1}


def test_a_binary_answer_counts_when_it_says_yes(tmp_path: Path) -> None:
    item = {"text": "No.", "topic": "t", "label": "opposed", "answer": "accept"}
    lines = [item, item | {"text": "Yes.", "answer": "reject"}]
    done = collect([save(tmp_path / "e.jsonl", lines)], tmp_path / "out.jsonl")
    assert (done.labels, done.unanswered) == ({"opposed": 1}, 1)


def test_the_only_question_need_not_be_ours(tmp_path: Path) -> None:
    item = studio({"type": "rating", "from_name": "r", "value": {}}, choices("stance", "opposed"))
    done = collect([save(tmp_path / "e.json", [item])], tmp_path / "out.jsonl")
    assert done.labels == {"opposed": 1}


def test_a_topic_can_be_given(tmp_path: Path) -> None:
    path = save(tmp_path / "e.jsonl", [{"id": 1, "text": "No.", "label": ["opposed"]}])
    done = collect([path], tmp_path / "out.jsonl", topic="the toll")
    assert rows(done.output)[0]["topic"] == "the toll"
    with pytest.raises(InputError, match="topic"):
        collect([path], tmp_path / "out.jsonl", topic=" ")


REFUSED: dict[str, tuple[str, str, str]] = {
    "of no tool": ("e.jsonl", '{"a": 1}', "an item with 'a'.*--format"),
    "empty list": ("e.json", "[]", "no item"),
    "an object": ("e.json", '{"a": 1}', "wanted a list"),
    "breaks off": (
        "e.json",
        '[\n{"text": "No.", "answer": "accept"},\n{"te',
        "line 3.*broken JSON",
    ),
    "after a comma": ("e.json", '[{"text": "No.", "answer": "accept"},', "broken JSON"),
    "no comma": ("e.json", '[{"text": "No.", "answer": "accept"} {}]', "neither a comma"),
    "other encoding": ("e.json", '["é"]', "not UTF-8"),
    "no such file": ("other.json", "", "No such file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_export_is_refused(case: str, tmp_path: Path) -> None:
    name, text, message = REFUSED[case]
    (tmp_path / "e.json").write_bytes(b"[]")
    if name != "other.json":
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError, match=message):
        collect([tmp_path / name], tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_calls_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "e.jsonl", [PRODIGY])
    with pytest.raises(InputError, match="label-studio, doccano, argilla, prodigy"):
        collect([path], tmp_path / "out.jsonl", tool="excel")
    with pytest.raises(InputError, match="at least one file"):
        collect([], tmp_path / "out.jsonl")
    with pytest.raises(FileError, match="written over"):
        collect([path], path)
    assert path.read_text(encoding="utf-8") == json.dumps(PRODIGY) + "\n"


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.integers() | st.text() | st.none(), max_size=3)
    ),
    st.sampled_from([None, 0, 2]),
)
def test_a_list_is_read_item_by_item(
    tmp_path_factory: pytest.TempPathFactory, listed: list[dict[str, Any]], indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("list") / "e.json"
    text = json.dumps(listed, indent=indent)
    path.write_text(text, encoding="utf-8")
    found = list(items(path))
    assert [row.values for row in found if isinstance(row, Row)] == listed
    lines = text.split("\n")
    assert all(lines[row.line - 1].lstrip(" [").startswith("{") for row in found)


def test_every_element_of_a_list_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text('\ufeff [1,\n "x",\n{}, [] ]\n', encoding="utf-8")
    found = list(items(path))
    assert [row.line for row in found] == [1, 2, 3, 3]
    assert [isinstance(row, BadRow) for row in found] == [True, True, False, True]


def test_each_tool_recognises_its_own_alone() -> None:
    small = STUDIO["data"] | {"annotation_id": 1, "label": "opposed"}  # type: ignore[operator]
    examples = {"label-studio": [STUDIO, small], "prodigy": [PRODIGY], "argilla": [ARGILLA]}
    for name, known in (examples | {"doccano": [DOCCANO]}).items():
        for item in known:
            assert [n for n, one in FORMATS.items() if one.recognises(item)] == [name]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every part of an item is, by keys and indices from the top."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in parts:
        found.append((*above, key))
        if isinstance(inner, dict | list):
            found += places(inner, (*above, key))
    return found


@given(st.data())
def test_whatever_stands_in_an_item_it_is_read_or_named(data: st.DataObject) -> None:
    small = STUDIO["data"] | {"annotation_id": 1, "label": "opposed"}  # type: ignore[operator]
    flat = {"text": "No.", "topic": "t", "label.responses": ["a"], "label.responses.users": ["u"]}
    flat["label.responses.status"] = ["submitted"]
    name, item = data.draw(
        st.sampled_from(
            [
                *(("label-studio", STUDIO), ("label-studio", small), ("prodigy", PRODIGY)),
                *(("argilla", ARGILLA), ("argilla", flat), ("doccano", DOCCANO)),
            ]
        )
    )
    item = json.loads(json.dumps(item | {"meta": {}, "metadata": {}}))
    place = data.draw(st.sampled_from(places(item)))
    parent = item
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = data.draw(JSON)
    try:
        marked = FORMATS[name].read(item, "ann")
    except RecordError:
        return
    assert all(isinstance(part, str) for vote in marked.votes for part in vote)


def test_suggestions_are_not_answers() -> None:
    """Handed back untouched, tasks say nothing."""
    for name in ("doccano", "argilla"):
        sent = FORMATS[name].write(task(FERRY), LABELS)
        assert FORMATS[name].read(sent, "ann").votes == ()
    assert "accept" not in FORMATS["prodigy"].write(task(FERRY), LABELS)
    sent = FORMATS["label-studio"].write(task(FERRY), LABELS)
    assert "annotations" not in sent
    assert sent["predictions"][0]["result"][0]["value"] == {"choices": ["optimistic"]}


def test_the_labeling_configuration_names_what_tasks_have() -> None:
    labels = LabelSet(("for", 'a "<&>" b'), (1.0, None))
    (text,) = FORMATS["label-studio"].setup(labels).values()
    view = ElementTree.fromstring(text)
    assert [one.get("value") for one in view.iter("Choice")] == list(labels.names)
    (question,) = view.iter("Choices")
    sent = FORMATS["label-studio"].write(task(TOLL), labels)
    (result,) = sent["predictions"][0]["result"]
    assert (question.get("name"), question.get("toName")) == (
        result["from_name"],
        result["to_name"],
    )
    variables = {
        one.get("value", "").split("$")[1] for one in view.iter() if "$" in one.get("value", "")
    }
    assert variables == {"topic", "speaker", "statement"}
    assert all(isinstance(sent["data"][name], str) for name in variables)


def test_labels_for_doccano_are_all_there() -> None:
    labels = LabelSet(tuple(f"level {i}" for i in range(12)), (None,) * 12)
    (text,) = FORMATS["doccano"].setup(labels).values()
    listed = json.loads(text)
    assert [one["text"] for one in listed] == list(labels.names)
    keys = [one["suffixKey"] for one in listed if "suffixKey" in one]
    assert len(set(keys)) == len(keys) == 10


def test_one_summary_says_it_all(tmp_path: Path) -> None:
    done = collect([save(tmp_path / "e.jsonl", [PRODIGY])], tmp_path / "out.parquet")
    assert done == Collected(
        labels={"opposed": 1},
        undecided=0,
        unanswered=0,
        errors=0,
        annotators={"e": 1},
        alpha=done.alpha,
        compared=0,
        output=tmp_path / "out.parquet",
        undecided_path=None,
        errors_path=None,
    )
    assert rows(done.output)[0]["label"] == "opposed"


def test_the_example_that_is_shown(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / "examples" / "annotated.json"
    done = collect([example], tmp_path / "out.csv")
    assert done.labels == {"optimistic": 2, "opposed": 2, "circumspect": 2, "none": 1}
    assert (done.undecided, done.unanswered, done.errors, done.compared) == (1, 1, 0, 8)
    assert list(done.annotators.values()) == [8, 8, 7]
    assert done.alpha == pytest.approx(0.605, abs=5e-4)
