"""What the model reads: the same ids as transformers', and windows that lose nothing."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancekit.encoding import OVERLAP, WINDOW, Encoder, Window, question
from stancekit.errors import CheckpointError, RecordError
from stancekit.records import Example

STATEMENTS = [
    "We want the bridge built.",
    "WE WANT THE BRIDGE BUILT!!!",
    "  Spaces   and\ttabs\nand lines  ",
    "Café naïve façade Zürich",
    "“Curly” quotes \u2013 and dashes — and ellipses…",
    "don't, won't, it's (maybe) [not] {so}",
    "3.5% of 1,000,000 people, £20",
    "a-b_c/d\\e@f#g",
    "中文和 English",
    "emoji \U0001f600 here",
    "zero\u200bwidth and soft\u00adhyphen",
    "[SEP] [CLS] [PAD] [MASK] [UNK]",
    "word" * 60,
]
LONG = " ".join(f"{word}{n}" for n in range(400) for word in ("we", "fear", "war"))

# What the tokenizers library cannot be handed at all: halves of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda t: t.strip())


class Reference:
    """The encoder and transformers' tokenizer, each opened from the folder by its own means."""

    def __init__(self, folder: Path) -> None:
        import transformers

        self.encoder = Encoder(folder / "tokenizer.json")
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def theirs(self, first: str, second: str) -> tuple[list[int], list[int]]:
        made: Any = self.tokenizer(first, second, truncation=False)
        return list(made["input_ids"]), list(made["token_type_ids"])

    def ours(self, example: Example) -> list[Window]:
        return self.encoder.encode([example])[0]


@cache
def open_reference(folder: Path) -> Reference:
    return Reference(folder)


@pytest.fixture(scope="module")
def reference(tiny_model_dir: Path) -> Reference:
    return open_reference(tiny_model_dir)


def statement_tokens(window: Window, asked: int) -> list[int]:
    """The statement's ids: after ``[CLS] question [SEP]``, before the last ``[SEP]``."""
    return window.ids[asked + 2 : -1].tolist()


def test_the_question_is_topic_then_speaker() -> None:
    assert question("tax", None) == "tax"
    assert question("tax", "Ada Quill") == "tax | Ada Quill"


@pytest.mark.parametrize("speaker", [None, "Ada Quill", "the “union”"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_ids_and_segments_are_those_of_transformers(
    reference: Reference, statement: str, speaker: str | None
) -> None:
    (window,) = reference.ours(Example(statement, "the new Bridge", speaker))
    asked = "the new Bridge" if speaker is None else f"the new Bridge | {speaker}"
    ids, types = reference.theirs(asked, statement)
    assert window.ids.tolist() == ids
    assert window.types.tolist() == types


@settings(max_examples=150, deadline=None)
@given(statement=texts, topic=texts)
def test_any_text_gets_the_ids_of_transformers(
    tiny_model_dir: Path, statement: str, topic: str
) -> None:
    reference = open_reference(tiny_model_dir)
    ids, types = reference.theirs(topic[:40], statement)
    if not topic[:40].strip() or len(ids) > WINDOW:
        return
    (window,) = reference.ours(Example(statement, topic[:40]))
    assert window.ids.tolist() == ids
    assert window.types.tolist() == types


def test_a_separator_typed_by_a_user_is_ordinary_text(reference: Reference) -> None:
    (window,) = reference.ours(Example("yes [SEP] no [CLS] [PAD]", "[SEP] tax"))
    special = reference.tokenizer
    ids = window.ids.tolist()
    assert ids.count(special.sep_token_id) == 2
    assert ids.count(special.cls_token_id) == 1
    assert special.pad_token_id not in ids
    # One change from the first segment to the second, and none back.
    assert sorted(window.types.tolist()) == window.types.tolist()


def test_examples_come_back_in_order(reference: Reference) -> None:
    examples = [Example(s, "tax") for s in (*STATEMENTS, LONG, *reversed(STATEMENTS))]
    together = reference.encoder.encode(examples)
    alone = [reference.ours(example) for example in examples]
    assert [[w.ids.tolist() for w in ws] for ws in together] == [
        [w.ids.tolist() for w in ws] for ws in alone
    ]


@pytest.mark.parametrize("speaker", [None, "Ada Quill of the party"])
def test_windows_hold_every_token_in_order_with_a_fixed_overlap(
    reference: Reference, speaker: str | None
) -> None:
    windows = reference.ours(Example(LONG, "the bridge", speaker))
    asked = len(reference.encoder._tokenizer.encode(question("the bridge", speaker)).ids) - 2
    parts = [statement_tokens(window, asked) for window in windows]
    assert len(parts) > 2
    for before, after in pairwise(parts):
        assert before[-OVERLAP:] == after[:OVERLAP]
    joined = parts[0] + [token for part in parts[1:] for token in part[OVERLAP:]]
    ids, _ = reference.theirs(question("the bridge", speaker), LONG)
    assert joined == ids[asked + 2 : -1]


@settings(max_examples=60, deadline=None)
@given(words=st.integers(150, 900), topic=st.integers(1, 120))
def test_windows_fit_and_hold_the_whole_question(
    tiny_model_dir: Path, words: int, topic: int
) -> None:
    reference = open_reference(tiny_model_dir)
    asked = " ".join(["tax"] * topic)
    # Every word another, so that a token lost or doubled shows.
    statement = " ".join(f"w{n}" for n in range(words))
    windows = reference.ours(Example(statement, asked))
    ids, _ = reference.theirs(asked, statement)
    for window in windows:
        assert len(window) <= WINDOW
        assert window.ids[: topic + 2].tolist() == ids[: topic + 2]
        assert window.ids[-1] == ids[-1]
        assert window.types.tolist() == [0] * (topic + 2) + [1] * (len(window) - topic - 2)
    assert all(len(window) == WINDOW for window in windows[:-1])
    parts = [statement_tokens(window, topic) for window in windows]
    joined = parts[0] + [token for part in parts[1:] for token in part[OVERLAP:]]
    assert joined == ids[topic + 2 : -1]
    # The last window brings something that the one before it lacked.
    assert len(parts) == 1 or len(parts[-1]) > OVERLAP


@pytest.mark.parametrize(("length", "windows"), [(WINDOW, 1), (WINDOW + 1, 2)])
def test_a_statement_is_cut_only_when_it_does_not_fit(
    reference: Reference, length: int, windows: int
) -> None:
    made = reference.ours(Example(" ".join(["war"] * (length - 4)), "tax"))
    assert len(made) == windows
    if windows == 1:
        assert len(made[0]) == length


def test_a_topic_may_fill_half_the_window(reference: Reference) -> None:
    (window,) = reference.ours(Example("We agree.", " ".join(["tax"] * (WINDOW // 2))))
    assert len(window) <= WINDOW


@pytest.mark.parametrize("statement", ["We agree.", LONG])
def test_a_topic_of_more_than_half_the_window_is_refused(
    reference: Reference, statement: str
) -> None:
    topic = " ".join(["tax"] * (WINDOW // 2 + 1))
    with pytest.raises(RecordError) as caught:
        reference.ours(Example(statement, topic))
    assert str(caught.value) == (
        f"topic and speaker '{topic[:40]}…': found 129 tokens, wanted at most 128; "
        "shorten the topic to a noun phrase"
    )


def test_a_long_speaker_counts_too(reference: Reference) -> None:
    with pytest.raises(RecordError, match="topic and speaker"):
        reference.ours(Example("We agree.", "tax", " ".join(["mayor"] * 130)))


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_a_broken_tokenizer_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        Encoder(path)
