"""The estimator of scikit-learn: its rules, and the machinery it must work in."""

from __future__ import annotations

import copy
import inspect
import pickle
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import stancekit
from stancekit.errors import CheckpointError, FileError, InputError, RecordError
from stancekit.finetune import Recipe
from stancekit.records import Example
from stancekit.sklearn import StanceClassifier
from stancekit.tabular import examples

TELLING = {"against": "fight", "favour": "welcome", "neutral": "wait"}
FILLER = ["we", "the", "people", "will", "it", "and", "law", "plan", "day", "year", "city", "new"]
ROWS = [(f"{FILLER[i]} {word} {word}", "tax") for i in range(8) for word in TELLING.values()]
LABELS = [*TELLING] * 8


def tiny(folder: Path, **more: Any) -> StanceClassifier:
    chosen: dict[str, Any] = {"epochs": 6, "learning_rate": 1e-2, "batch": 8, "topic": "tax"}
    return StanceClassifier(folder, **(chosen | more))


@pytest.fixture(scope="module")
def fitted(tiny_trained_dir: Path) -> StanceClassifier:
    return tiny(tiny_trained_dir).fit(ROWS, LABELS)


def test_parameters_are_those_of_the_recipe() -> None:
    parameters = inspect.signature(StanceClassifier).parameters
    for part in fields(Recipe):
        assert parameters[part.name].default == part.default


CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]
# All others of ``_yield_all_checks`` fit or predict tables of random numbers, which are no
# statements. What they are about is tested below on text, or does not apply:
#   fit_returns_self, overwrite_params, dont_overwrite_parameters, dict_unchanged, pickle: below
#   methods_sample_order_invariance, methods_subset_invariance: below, within float32
#   fit_idempotent: below, a second fit gives the same answers
#   classifiers_one_label, complex_data, supervised_y_2d, requires_y_none: below, as refusals
#   classifiers_classes, classifiers_train: below, with strings and with numbers
#   n_features_in, fit1d, fit2d_1feature, feature_names: a statement has no number of features
#   estimators_nan_inf, dtypes, sparse, memmap, array_api: there are no numbers in
#   sample_weights, class_weight: there are none


@pytest.mark.parametrize("check", CHECKS)
def test_the_checks_of_scikit_learn(check: str) -> None:
    getattr(estimator_checks, check)("StanceClassifier", StanceClassifier())


def test_it_learns(fitted: StanceClassifier) -> None:
    assert list(fitted.classes_) == sorted(TELLING)
    assert fitted.score(ROWS, LABELS) > 0.8
    probabilities = fitted.predict_proba(ROWS)
    assert probabilities.shape == (len(ROWS), 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert list(fitted.predict(ROWS)) == list(fitted.classes_[probabilities.argmax(axis=1)])
    assert fitted.predict_proba([]).shape == (0, 3)


def test_fitting_leaves_what_it_was_given_alone(tiny_trained_dir: Path) -> None:
    model = tiny(tiny_trained_dir, epochs=1)
    before, rows, labels = model.get_params(), copy.deepcopy(ROWS), list(LABELS)
    assert model.fit(rows, labels) is model
    first = model.predict_proba(ROWS)
    attributes = set(vars(model))
    assert model.get_params() == before and rows == ROWS and labels == LABELS
    folder = model._folder_
    # Once more gives the same, and lets go of the first weights.
    assert model.fit(rows, labels).predict_proba(ROWS) == pytest.approx(first, abs=1e-6)
    assert set(vars(model)) == attributes
    assert not folder.exists() and model._folder_.is_dir()
    folder = model._folder_
    del model
    assert not folder.exists()


def test_a_row_is_answered_alike_in_any_company(fitted: StanceClassifier) -> None:
    whole = fitted.predict_proba(ROWS)
    assert fitted.predict_proba(ROWS[::-1])[::-1] == pytest.approx(whole, abs=1e-5)
    alone = np.concatenate([fitted.predict_proba([row]) for row in ROWS[:4]])
    assert alone == pytest.approx(whole[:4], abs=1e-5)


class Frame:
    """As much of a data frame as is asked for."""

    def __init__(self, **columns: list[Any]) -> None:
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name: str) -> list[Any]:
        return self._columns[name]


NAN = float("nan")
WAYS: dict[str, Any] = {
    "dicts": [
        {"statement": "No.", "topic": "tax", "speaker": "Ann", "label": "x"},
        {"statement": "Yes."},
    ],
    "tuples": [("No.", "tax", "Ann"), ("Yes.",)],
    "lists": [["No.", "tax", "Ann"], ["Yes.", ""]],
    "array": np.array([["No.", "tax", "Ann"], ["Yes.", None, None]], dtype=object),
    "frame": Frame(
        topic=["tax", NAN], label=[1, 2], statement=["No.", "Yes."], speaker=["Ann", NAN]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_may_be_given_in_many_ways(way: str) -> None:
    assert examples(WAYS[way], "law") == [Example("No.", "tax", "Ann"), Example("Yes.", "law")]


def test_statements_may_be_given_alone() -> None:
    for rows in (["No."], np.array(["No."]), np.array(["No."], dtype=object), [("No.",)]):
        assert examples(rows, "law") == [Example("No.", "law")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("No.", "X: found str"),
        ({"statement": "No."}, "X: found dict"),
        (iter(["No."]), "a sequence of rows"),
        (["No.", 3], "row 2: found int"),
        ([("a", "b", "c", "d")], "row 1: found tuple"),
        (["No.", " "], "row 2, statement"),
        ([{"topic": "tax"}], "row 1, statement"),
        ([("No.", 3)], "row 1, topic"),
        (Frame(text=["No."]), "a column 'statement'"),
        (np.zeros((2, 2)), "row 1, statement"),
    ],
)
def test_what_is_no_row_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        examples(rows, "law")


def test_a_topic_must_come_from_somewhere() -> None:
    with pytest.raises(RecordError, match="row 1, topic"):
        examples(["No."], None)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 24, "at least two classes"),
        (["a", "b"], "24 in all"),
        ([["a", "b"]] * 24, "24 in all"),
        (None, "24 in all"),
    ],
)
def test_what_is_no_label_a_row_is_refused(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        StanceClassifier().fit(ROWS, labels)
    with pytest.raises(ValueError, match="continuous"):
        StanceClassifier().fit(ROWS, np.linspace(0, 1, 24))


def test_a_base_must_be_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        StanceClassifier(tmp_path).fit(ROWS, LABELS)


def test_a_fit_that_fails_leaves_the_old_one(
    fitted: StanceClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copy.deepcopy(fitted)
    before = model.predict_proba(ROWS)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    too_long = [(statement, "tax " * 300) for statement, _ in ROWS]
    with pytest.raises(RecordError, match="tokens"):
        model.fit(too_long, LABELS)
    assert model.predict_proba(ROWS) == pytest.approx(before)
    assert not list(tmp_path.iterdir())


def test_search_over_a_pipeline_with_numbers_for_labels(tiny_trained_dir: Path) -> None:
    """Classes keep their type."""
    steps = [("plain", FunctionTransformer(list)), ("stance", tiny(tiny_trained_dir, epochs=1))]
    numbers = [[*TELLING].index(label) - 1 for label in LABELS]
    grid = {"stance__learning_rate": [1e-7, 1e-2]}
    search = GridSearchCV(Pipeline(steps), grid, cv=2, error_score="raise")
    search.fit([statement for statement, _ in ROWS], numbers)
    assert list(search.classes_) == [-1, 0, 1]
    assert set(search.predict([statement for statement, _ in ROWS])) <= {-1, 0, 1}
    assert len(search.cv_results_["mean_test_score"]) == 2


def test_cross_validation_and_calibration(tiny_trained_dir: Path) -> None:
    model = tiny(tiny_trained_dir, epochs=1)
    rows = np.array(ROWS, dtype=object)
    assert len(cross_val_score(model, rows, LABELS, cv=2, error_score="raise")) == 2
    calibrated = CalibratedClassifierCV(model, cv=2, method="temperature").fit(rows, LABELS)
    assert calibrated.predict_proba(rows).sum(axis=1) == pytest.approx(1)


def test_a_clone_is_not_fitted(fitted: StanceClassifier) -> None:
    other = clone(fitted)
    assert other.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        other.predict(ROWS)
    with pytest.raises(NotFittedError):
        other.save("nowhere")


def test_copies_carry_their_own_weights(fitted: StanceClassifier) -> None:
    before = fitted.predict_proba(ROWS)
    for duplicate in (copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))):
        other = duplicate(fitted)
        assert other._folder_ != fitted._folder_
        assert other.predict_proba(ROWS) == pytest.approx(before, abs=1e-6)
        folder = other._folder_
        del other
        assert not folder.exists()
    assert fitted._folder_.is_dir()


def test_saved_and_loaded_it_answers_alike(fitted: StanceClassifier, tmp_path: Path) -> None:
    folder = fitted.save(tmp_path / "model")
    loaded = StanceClassifier.load(folder)
    before = fitted.predict_proba(ROWS)
    # Eight bits are coarse for a network of this size: the answers are near, not the same.
    assert loaded.predict_proba(ROWS) == pytest.approx(before, abs=0.2)
    assert np.mean(loaded.predict(ROWS) == fitted.predict(ROWS)) > 0.9
    params = fitted.get_params() | {"base": str(fitted.base)}
    assert loaded.get_params() == params and list(loaded.classes_) == list(fitted.classes_)
    suffixes = {path.suffix for path in folder.rglob("*")}
    assert not suffixes & {".bin", ".pt", ".pkl", ".joblib"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    # The same folder is a model for everything else.
    assert stancekit.load(folder, engine="onnx").labels.names == tuple(sorted(TELLING))
    with pytest.raises(FileError, match="a new folder"):
        loaded.save(folder)
    again = StanceClassifier.load(loaded.save(tmp_path / "again"))
    assert again.predict_proba(ROWS) == pytest.approx(loaded.predict_proba(ROWS))


def test_any_checkpoint_can_be_loaded(tiny_model_dir: Path, tmp_path: Path) -> None:
    model = StanceClassifier.load(tiny_model_dir)
    assert list(model.classes_) == ["circumspect", "none", "opposed", "optimistic"]
    (expected,) = stancekit.load(tiny_model_dir, engine="onnx").predict_many([("We wait.", "tax")])
    found = dict(zip(model.classes_, model.predict_proba([("We wait.", "tax")])[0], strict=True))
    assert found == pytest.approx(dict(expected.probabilities))
    assert model.predict([("We wait.", "tax")]) == [expected.label]
    with pytest.raises(CheckpointError):
        StanceClassifier.load(tmp_path)


def test_polarity_is_the_base_s_own_or_given(tiny_model_dir: Path, tiny_trained_dir: Path) -> None:
    assert StanceClassifier()._worth(tiny_model_dir)["opposed"] == -1
    given = StanceClassifier(polarity={"opposed": -0.5, "new": 1})._worth(tiny_model_dir)
    assert (given["opposed"], given["new"], given["optimistic"]) == (-0.5, 1, 1)
    assert StanceClassifier()._worth(tiny_trained_dir) == {}
