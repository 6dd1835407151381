"""Labelled data: what is read, which labels it has, and that every defect is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit.encoding import Encoder
from stancekit.errors import FileError, InputError, MissingExtraError
from stancekit.finetune.checks import Checked, check, check_sides
from stancekit.finetune.label_sets import choose, stray_labels
from stancekit.finetune.labelled import Columns, Data, Labelled, labelled, read_labelled
from stancekit.finetune.likeness import near_identical
from stancekit.finetune.plan import inspect
from stancekit.model import BUNDLED
from stancekit.records import Example, LabelSet

FOUR = LabelSet(("optimistic", "circumspect", "opposed", "none"), (1, 0, -1, None))
THINGS = ("bridge", "tunnel", "harbour", "orchard", "library", "tram", "mine", "dam", "stadium")
VIEWS = {
    "optimistic": "Everybody here looks forward to the {} and says so gladly",
    "circumspect": "Before anyone cheers the {} somebody ought to read its accounts",
    "opposed": "No decent person could want that miserable {} within a mile",
    "none": "On Tuesday a clerk filed seven pages concerning the {} downtown",
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(BUNDLED / "tokenizer.json")


def good() -> list[dict[str, Any]]:
    """Rows with which nothing is wrong: 36 rows on 9 topics, each twice with a speaker."""
    return [
        {
            "statement": f"{view.format(thing)}, number {i}{j} of its kind.",
            "topic": f"the new {thing}",
            "speaker": "the mayor" if j % 2 else None,
            "label": label,
        }
        for i, thing in enumerate(THINGS)
        for j, (label, view) in enumerate(VIEWS.items())
    ]


def written(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def checked(folder: Path, rows: list[dict[str, Any]], encoder: Encoder) -> Checked:
    data = read_labelled([written(folder, rows)])
    return check(data, choose(data.rows, None, FOUR), encoder)


def the_error(folder: Path, rows: list[dict[str, Any]], encoder: Encoder) -> str:
    found = checked(folder, rows, encoder)
    assert len(found.errors) == 1, [str(error) for error in found.errors]
    return str(found.errors[0]).removeprefix(f"{folder}/")


def test_good_rows_have_no_errors_and_are_counted(tmp_path: Path, encoder: Encoder) -> None:
    found = checked(tmp_path, good(), encoder)
    assert found.errors == ()
    assert len(found.rows) == 36
    assert str(found).splitlines()[:2] == [
        "36 rows on 9 topics: 9 optimistic, 9 circumspect, 9 opposed, 9 none",
        "rows with a speaker: 50%",
    ]


def test_a_misspelt_label(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[4]["label"] = rows[8]["label"] = "optimistc"
    assert the_error(tmp_path, rows, encoder) == (
        "rows.jsonl, line 5, label: found 'optimistc' (2 rows), wanted one of optimistic, "
        "circumspect, opposed, none; did you mean 'optimistic'? then --map 'optimistc=optimistic'"
    )


def test_an_unknown_label(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[4]["label"] = "zzz"
    assert the_error(tmp_path, rows, encoder) == (
        "rows.jsonl, line 5, label: found 'zzz', wanted one of optimistic, circumspect, opposed, "
        "none; --map 'zzz=…', or --polarity for labels of your own"
    )


def test_a_conflict(tmp_path: Path, encoder: Encoder) -> None:
    rows = [*good(), {**good()[2], "label": "none"}]
    rows[-1]["statement"] = rows[-1]["statement"].upper()
    message = the_error(tmp_path, rows, encoder)
    assert message.startswith(
        "rows.jsonl, line 37, label: found 'none', but 'opposed' for the same statement, topic and "
        "speaker at "
    )
    assert message.endswith(
        "rows.jsonl, line 3, wanted one label for one decision; decide, and remove the other"
    )


def test_one_statement_may_have_two_labels_toward_two_topics(
    tmp_path: Path, encoder: Encoder
) -> None:
    rows = [*good(), {**good()[2], "label": "none", "topic": "the old ferry"}]
    assert checked(tmp_path, rows, encoder).errors == ()


def test_a_duplicate_is_counted_and_used_once(tmp_path: Path, encoder: Encoder) -> None:
    found = checked(tmp_path, [*good(), good()[2]], encoder)
    assert len(found.rows) == 36
    assert [w.replace(f"{tmp_path}/", "") for w in found.warnings if "before" in w] == [
        "1 row said before with the same label, left out (first: rows.jsonl, line 37)"
    ]


@pytest.mark.parametrize("column", ["statement", "topic"])
def test_an_empty_cell(column: str, tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[6][column] = "  "
    message = the_error(tmp_path, rows, encoder)
    assert message.startswith(f"rows.jsonl, line 7, {column}: found ")
    assert message.endswith("wanted some text; fix or remove the row")


def test_a_row_that_is_no_row(tmp_path: Path, encoder: Encoder) -> None:
    path = written(tmp_path, good())
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    data = read_labelled([path])
    (error,) = check(data, choose(data.rows, None, FOUR), encoder).errors
    assert "rows.jsonl, line 37" in str(error)


def test_a_topic_too_long_to_be_one(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[3]["topic"] = "the plan and " * 100
    message = the_error(tmp_path, rows, encoder)
    assert message.startswith("rows.jsonl, line 4, topic and speaker 'the plan and")
    assert message.endswith("tokens, wanted at most 128; shorten the topic to a noun phrase")


def test_an_over_long_statement(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[3]["statement"] = "We went on and on about it. " * 60
    found = checked(tmp_path, rows, encoder)
    assert found.errors == ()
    assert any(
        w.startswith("1 row too long for one window, cut into several (first: ")
        and w.endswith("rows.jsonl, line 4)")
        for w in found.warnings
    )


def test_a_row_without_a_label(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[3]["label"], rows[5]["label"] = None, " "
    found = checked(tmp_path, rows, encoder)
    assert len(found.rows) == 34
    assert "2 rows without a label, left out" in found.warnings


def test_a_label_with_too_few_rows(tmp_path: Path, encoder: Encoder) -> None:
    found = checked(tmp_path, good(), encoder)
    assert found.warnings[0] == (
        "label 'optimistic': 9 rows, fewer than 10: too few to learn or to score"
    )
    less = [row for row in good() if row["label"] != "none"]
    assert "label 'none': no rows: the model will forget it, unless it rehearses" in (
        checked(tmp_path, less, encoder).warnings
    )
    more = [{**row, "statement": f"{row['statement']} Again, and more firmly."} for row in good()]
    assert not any("label" in w for w in checked(tmp_path, [*good(), *more], encoder).warnings)


def test_a_single_label(tmp_path: Path, encoder: Encoder) -> None:
    rows = [row for row in good() if row["label"] == "none"]
    assert the_error(tmp_path, rows, encoder) == (
        "rows.jsonl: found 9 labelled rows of 1 label(s), wanted rows of at least two labels; "
        "label some of another"
    )


def test_a_topic_that_occurs_once(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[0]["topic"] = "the lighthouse"
    (warning,) = [w for w in checked(tmp_path, rows, encoder).warnings if "occurs once" in w]
    assert warning.startswith("1 row on a topic that occurs once (first: ")


def sides(train: list[Example], dev: list[Example]) -> list[str]:
    one = [Labelled(e, f"train.csv, line {i}") for i, e in enumerate(train, start=2)]
    other = [Labelled(e, f"dev.csv, line {i}") for i, e in enumerate(dev, start=2)]
    return [str(error) for error in check_sides(one, other)]


def test_a_group_on_both_sides() -> None:
    here = [Example("We back it.", "the dam", label="none", group="speech 4")]
    there = [
        Example("The vote is open.", "the mine", label="none", group="speech 5"),
        Example("Nothing was said.", "the dam", label="none", group="speech 4"),
    ]
    assert sides(here, there) == [
        "dev.csv, line 3: found the group 'speech 4' of train.csv, line 2, which is in training, "
        "wanted dev rows that training does not hold; leave one of them out"
    ]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("Nobody I know in this valley has ever asked for a dam.", "the statement of"),
        ("Nobody I know in this valley has yet asked for a dam!", "nearly the statement of"),
    ],
)
def test_a_statement_on_both_sides(statement: str, what: str) -> None:
    here = [Example("nobody I know in this valley has ever asked for a dam", "the dam")]
    assert sides(here, [Example(statement, "the mine")]) == [
        f"dev.csv, line 2: found {what} train.csv, line 2, which is in training, "
        "wanted dev rows that training does not hold; leave one of them out"
    ]


def test_statements_that_differ_in_what_matters_are_not_alike() -> None:
    assert (
        near_identical(["We will back the dam.", "We will fight the dam.", "Back the dam."]) == []
    )


@given(st.lists(st.text("ab c", max_size=12), max_size=12))
def test_equal_words_are_always_found(texts: list[str]) -> None:
    pairs = near_identical(texts)
    parent = list(range(len(texts)))
    for i, j in pairs:
        assert i < j
        old, new = parent[j], parent[i]
        parent = [new if p == old else p for p in parent]
    for i, one in enumerate(texts):
        for j, other in enumerate(texts):
            if one.split() == other.split():
                assert parent[i] == parent[j]


def test_the_first_error_stops_and_counts_the_others(tmp_path: Path, encoder: Encoder) -> None:
    rows = good()
    rows[1]["statement"] = ""
    rows[4]["label"] = "optimistc"
    rows[6]["label"] = "zzz"
    with pytest.raises(InputError, match=r"line 2, statement.*2 more errors: stancekit check"):
        checked(tmp_path, rows, encoder).refuse_errors()


def data(*labels: str) -> Data:
    return labelled([Example(f"Statement {i}.", "x", label=n) for i, n in enumerate(labels)])


def test_labels_of_the_base_are_taken_where_most_rows_have_them() -> None:
    rows = data("opposed", "none", "none", "oposed")
    assert choose(rows.rows, None, FOUR).labels == FOUR


def test_a_difference_of_case_is_a_slip() -> None:
    rows = data("Opposed", "None", "none", "Optimistic").rows
    chosen = choose(rows, None, FOUR)
    assert chosen.labels == FOUR
    steps = [error.next_step for error in stray_labels(rows, FOUR)]
    assert steps[0] == "did you mean 'opposed'? then --map 'Opposed=opposed'"
    assert len(steps) == 3


def test_data_without_a_usable_row_says_why(tmp_path: Path) -> None:
    rows = good()[:1]
    rows[0]["statement"] = ""
    with pytest.raises(InputError, match="line 1, statement: found an empty string"):
        inspect(read_labelled([written(tmp_path, rows)]))
    with pytest.raises(InputError, match=r"rows\.jsonl: found no labelled rows"):
        inspect(read_labelled([written(tmp_path, [])]))


def test_dev_is_checked_and_its_duplicates_left_out(tmp_path: Path) -> None:
    here = read_labelled([written(tmp_path, good())])
    there = [
        Example("A senator was seen at the lido.", "the lido", label="none"),
        Example("A senator was seen at the lido!", "the lido", label="none"),
        Example(good()[5]["statement"], "the lido", label="opposed"),
    ]
    _, found, dev = inspect(here, dev=labelled(there))
    assert [row.place for row in dev] == ["row 1", "row 3"]
    assert any(
        w == "dev: 1 row said before with the same label, left out (first: row 2)"
        for w in found.warnings
    )
    (error,) = found.errors
    assert str(error).startswith("row 3: found the statement of ")


def test_polarity_is_known_from_common_names_and_said() -> None:
    chosen = choose(data("against", "none", "Neutral", "favour").rows, None, FOUR)
    assert chosen.labels.names == ("favour", "Neutral", "against", "none")
    assert chosen.labels.polarity == (1, 0, -1, None)
    assert str(chosen) == (
        "Labels, taken by their names (--polarity says otherwise): favour (+1), Neutral (0), "
        "against (-1), none (no stance)"
    )


def test_five_levels_are_known_as_well() -> None:
    names = ("strongly agree", "agree", "neutral", "disagree", "strongly disagree")
    chosen = choose(data(*names).rows, None, FOUR)
    assert chosen.labels == LabelSet(names, (1, 0.5, 0, -0.5, -1))


def test_an_unknown_name_is_asked_about() -> None:
    with pytest.raises(InputError) as caught:
        choose(data("warm", "against", "warm").rows, None, FOUR)
    assert str(caught.value) == (
        "labels: found 'warm' (2 rows), whose polarity no name tells, wanted +1 for, 0 in between, "
        "-1 against or none, for every label; --polarity 'against=…' --polarity 'warm=…'"
    )


def test_a_label_set_that_is_given_is_taken() -> None:
    own = LabelSet(("warm", "cold"), (1, -1))
    assert choose(data("warm", "cold").rows, own, FOUR).labels == own


def test_columns_and_labels_are_renamed(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(
        "text,about,who,stance,speech\nWe back it.,dam,Ann,favor,7\nNo.,dam,,against,8\n",
        encoding="utf-8",
    )
    columns = Columns("text", "about", "who", "stance", "speech")
    found = read_labelled([path], columns=columns, renamed={"favor": "optimistic"})
    assert found.examples == [
        Example("We back it.", "dam", "Ann", "optimistic", "7"),
        Example("No.", "dam", None, "against", "8"),
    ]
    assert [row.place for row in found.rows] == [f"{path}, line 2", f"{path}, line 3"]


def test_a_label_to_rename_that_no_row_has(tmp_path: Path) -> None:
    path = written(tmp_path, good())
    with pytest.raises(InputError, match="map: found the label 'favor', which no row has, wanted"):
        read_labelled([path], renamed={"favor": "optimistic"})


@pytest.mark.parametrize("name", ["statement", "label"])
def test_a_column_that_is_not_there(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, [{key: v for key, v in good()[0].items() if key != name}])
    with pytest.raises(FileError, match=f"wanted a column '{name}'; .* with --{name}-column"):
        read_labelled([path])


def test_a_topic_for_rows_without_one(tmp_path: Path) -> None:
    path = written(tmp_path, [{"statement": "We back it.", "label": "none"}])
    assert read_labelled([path], topic="the dam").examples[0].topic == "the dam"


def test_whole_numbers_are_labels_too(tmp_path: Path) -> None:
    rows = [{"statement": f"S {i}.", "topic": "x", "label": n} for i, n in enumerate((1, 1.0, 2))]
    found = read_labelled([written(tmp_path, rows)], renamed={"1": "for"})
    assert [row.label for row in found.rows] == ["for", "for", "2"]


def test_a_data_set_on_disk_is_read_with_its_label_names(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "statement": datasets.Value("string"),
            "topic": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["pro", "con"]),
        }
    )
    columns = {"statement": ["A.", "B.", "C."], "topic": ["x"] * 3, "label": [1, 0, -1]}
    table = datasets.Dataset.from_dict(columns, features=features)
    table.save_to_disk(tmp_path / "one")
    found = read_labelled([tmp_path / "one"])
    assert [(row.example.statement, row.label) for row in found.rows] == [
        ("A.", "con"),
        ("B.", "pro"),
    ]
    assert found.unlabelled == 1
    assert found.rows[1].place == f"{tmp_path / 'one'}, line 2"
    datasets.DatasetDict({"train": table, "test": table}).save_to_disk(tmp_path / "two")
    with pytest.raises(FileError, match=r"several splits \(test, train\), wanted one split"):
        read_labelled([tmp_path / "two"])
    assert len(read_labelled([tmp_path / "two" / "train"]).rows) == 2


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a folder without dataset_info\.json and state\.json"):
        read_labelled([tmp_path])


@pytest.mark.bundled
def test_wrong_labels_are_found_among_right_ones() -> None:
    pytest.importorskip("cleanlab")
    from stancekit.finetune.samples import rehearsal
    from stancekit.finetune.suspects import find_suspects

    given = list(labelled(rehearsal(300, seed=1)).rows)
    flip = {"optimistic": "opposed", "opposed": "optimistic", "none": "opposed"}
    flipped = {i for i in range(0, 300, 25) if given[i].label in flip}
    for i in flipped:
        e = given[i].example
        wrong = Example(e.statement, e.topic, e.speaker, flip[given[i].label], e.group)
        given[i] = Labelled(wrong, given[i].place)
    found = find_suspects(given, FOUR, None, 30)
    assert len(found) <= 30
    caught = {f"row {i + 1}" for i in flipped} & {one.row.place for one in found}
    # By chance, a tenth of them.
    assert len(caught) > 0.6 * len(flipped) > 4
    assert [one.belief for one in found] == sorted(one.belief for one in found)
    first = found[0]
    assert first.likelier != first.row.label
    assert str(first).startswith(f"{first.row.place}: {first.row.label} ({first.belief:.2f}), ")


def test_suspects_need_rows_of_each_label(tiny_trained_dir: Path) -> None:
    pytest.importorskip("cleanlab")
    from stancekit.finetune.suspects import find_suspects

    with pytest.raises(InputError, match="label 'none': found 2 rows, wanted at least 5"):
        find_suspects(data(*["opposed"] * 9, "none", "none").rows, FOUR, tiny_trained_dir, 3)


def test_suspects_without_their_extra(
    tiny_trained_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stancekit.finetune.suspects import find_suspects

    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stancekit\[suspects\]'"):
        find_suspects(data("opposed", "none").rows, FOUR, tiny_trained_dir, 3)
