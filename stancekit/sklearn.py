"""The model as an estimator of scikit-learn: for pipelines, searches and cross-validation."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stancekit.checkpoint import METADATA, ONNX_WEIGHTS, TOKENIZER, Checkpoint
from stancekit.errors import FileError, InputError, MissingExtraError
from stancekit.evaluation import data_hash
from stancekit.export import describe, export
from stancekit.finetune import Recipe
from stancekit.finetune import fit as train
from stancekit.model import BUNDLED, StanceModel, load
from stancekit.records import Example, LabelSet
from stancekit.tabular import examples

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError(error.name or "sklearn", "train") from None

__all__ = ["StanceClassifier"]

FACTS = "sklearn.json"  # beside the weights: parameters, and classes in their own type
TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
# The training loop wants rows to score after each epoch, for a log that nobody sees here.
SCORED = 8
TEMPORARY = "stancekit-"


class StanceClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fine-tunes an encoder on labelled statements; needs the ``train`` extra.

    Rows (``X``) are a sequence of statements, of (statement, topic) or (statement, topic, speaker)
    tuples or of dicts with these keys; an array of objects with these columns in this order; or a
    data frame with columns of these names. Without calibration data, probabilities are as the
    network gives them: ``CalibratedClassifierCV`` calibrates them.

    Training is ``finetune.fit``, without checks of the data, split, comparison or calibration:
    ``finetune.train`` does all that.

    Args:
        base: a Hugging Face folder or a checkpoint to go on from; None for the bundled model.
        topic: of rows that have none.
        polarity: class (as text) to what it is worth, in [-1, 1]; None for one without stance. The
            base's own labels need none. Only ``save`` and scores made from it use it.
        epochs, learning_rate, batch, label_smoothing, weight_decay, warmup, frozen_layers, dropout,
            seed: as in ``finetune.Recipe``.

    Attributes:
        classes_: shape (classes,), sorted.
    """

    _remove_: Callable[[], object]

    def __init__(
        self,
        base: str | Path | None = None,
        *,
        topic: str | None = None,
        polarity: Mapping[str, float | None] | None = None,
        epochs: float = Recipe.epochs,
        learning_rate: float = Recipe.learning_rate,
        batch: int = Recipe.batch,
        label_smoothing: float = Recipe.label_smoothing,
        weight_decay: float = Recipe.weight_decay,
        warmup: float = Recipe.warmup,
        frozen_layers: int = Recipe.frozen_layers,
        dropout: float | None = Recipe.dropout,
        seed: int = Recipe.seed,
    ) -> None:
        self.base = base
        self.topic = topic
        self.polarity = polarity
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch = batch
        self.label_smoothing = label_smoothing
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.frozen_layers = frozen_layers
        self.dropout = dropout
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.dict = True
        # Arrays are welcome, but of text: numbers are no statements.
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X: Any, y: ArrayLike) -> StanceClassifier:
        """Train from the base.

        Args:
            X: rows, as the class says.
            y: shape (rows,): a label a row, strings or numbers.

        Raises:
            InputError: rows of another shape, not a label a row, fewer than two classes, or a base
                without ``tokenizer.json``.
            RecordError: a statement or topic is empty or broken; the message gives the row.
        """
        asked = examples(X, self.topic)
        gold = np.asarray(y)
        if gold.shape != (len(asked),):
            raise InputError("y", f"shape {gold.shape}", f"a label a row, {len(asked)} in all")
        check_classification_targets(gold)
        classes, codes = np.unique(gold, return_inverse=True)
        names = tuple(str(name) for name in classes)
        if len(classes) < 2:
            raise InputError("y", f"only {', '.join(names) or 'nothing'}", "at least two classes")
        base = BUNDLED if self.base is None else Path(self.base)
        if not (base / TOKENIZER).is_file():
            raise InputError("base", str(base), f"a folder with {TOKENIZER}", "check the path")
        labels = LabelSet(names, tuple(self._worth(base).get(name) for name in names))
        rows = [
            Example(e.statement, e.topic, e.speaker, names[code])
            for e, code in zip(asked, codes, strict=True)
        ]
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY))
        try:
            self._train(base, rows, labels, folder)
            model = load(folder, engine="torch")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._own(folder)
        self._model_ = model
        self.classes_ = classes
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, of shape (rows, classes), columns as in ``classes_``.

        Raises:
            NotFittedError: ``fit`` has not been called.
            InputError, RecordError: as ``fit``.
        """
        check_is_fitted(self, "classes_")
        predictions = self._model().predict_many(examples(X, self.topic))
        names = [str(name) for name in self.classes_]
        rows = [[p.probabilities[name] for name in names] for p in predictions]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row, of shape (rows,).

        Raises:
            NotFittedError, InputError, RecordError: as ``predict_proba``.
        """
        probabilities = self.predict_proba(X)
        result: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return result

    def save(self, folder: str | Path) -> Path:
        """Write a model folder, without pickles: ``load`` opens it, and so does ``stancekit``.

        Weights are moved to the steps of 8 bits, so that answers change a little.

        Args:
            folder: must not exist yet; appears whole or not at all.

        Raises:
            NotFittedError: ``fit`` has not been called.
            FileError: the place is taken.
        """
        check_is_fitted(self, "classes_")
        folder = Path(folder)
        if folder.exists():
            raise FileError(str(folder), "something there already", "a new folder", "name another")
        trained = self._folder_
        making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
        try:
            if (trained / ONNX_WEIGHTS).is_file():
                shutil.copytree(trained, making)
            else:
                export(trained, trained / TOKENIZER, making, self.seed)
            facts = {"params": self._plain_params(), "classes": self.classes_.tolist()}
            (making / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
            checkpoint = Checkpoint.read(trained)
            describe(
                making,
                checkpoint.labels,
                temperature=checkpoint.temperature,
                thresholds=checkpoint.facts["thresholds"],
                manifest=checkpoint.facts["manifest"],
                dev=checkpoint.facts["dev"],
            )
            os.replace(making, folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> StanceClassifier:
        """Open what ``save`` or ``stancekit train`` wrote; torch is not needed to predict.

        Raises:
            CheckpointError: the folder is incomplete, altered or of an unknown kind.
        """
        checkpoint = Checkpoint.read(Path(folder))
        params: dict[str, Any] = {}
        classes: list[Any] = sorted(checkpoint.labels.names)
        if checkpoint.has(FACTS):
            facts = json.loads(checkpoint.file(FACTS).read_text(encoding="utf-8"))
            params, classes = facts["params"], facts["classes"]
        made = cls(**params)
        made._folder_ = Path(folder)
        made.classes_ = np.array(classes)
        made._model()
        return made

    def _train(self, base: Path, rows: list[Example], labels: LabelSet, folder: Path) -> None:
        """Make a checkpoint for the torch engine."""
        recipe = Recipe(**{part.name: getattr(self, part.name) for part in fields(Recipe)})
        train(base, rows, rows[:SCORED], labels, folder, recipe, watch=lambda progress: None)
        # What only a resumed run needs; a model folder has no pickles.
        shutil.rmtree(folder / "checkpoints")
        (folder / "training_args.bin").unlink(missing_ok=True)
        for name in TOKENIZER_FILES:
            if (base / name).is_file():
                shutil.copyfile(base / name, folder / name)
        describe(folder, labels, temperature=1.0, thresholds={}, manifest=data_hash(rows), dev={})

    def _plain_params(self) -> dict[str, Any]:
        """Parameters as JSON has them."""
        params: dict[str, Any] = self.get_params(deep=False)
        base, polarity = params["base"], params["polarity"]
        return params | {
            "base": None if base is None else str(base),
            "polarity": None if polarity is None else dict(polarity),
        }

    def _worth(self, base: Path) -> dict[str, float | None]:
        known: dict[str, float | None] = {}
        if (base / METADATA).is_file():
            labels = Checkpoint.read(base).labels
            known = dict(zip(labels.names, labels.polarity, strict=True))
        return known | dict(self.polarity or {})

    def _model(self) -> StanceModel:
        if not hasattr(self, "_model_"):
            self._model_ = load(self._folder_)
        return self._model_

    def _own(self, folder: Path) -> None:
        """Take a folder of weights that goes when this estimator does, or is fitted again."""
        if hasattr(self, "_remove_"):
            self._remove_()
        self._folder_ = folder
        self._remove_ = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def __getstate__(self) -> dict[str, Any]:
        # Searches hand fitted estimators from process to process and copy them: the weights go with
        # them, as the bytes of their files.
        state: dict[str, Any] = dict(super().__getstate__())
        for name in ("_model_", "_remove_"):
            state.pop(name, None)
        folder = state.pop("_folder_", None)
        if folder is not None:
            paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            state["_files"] = {str(p.relative_to(folder)): p.read_bytes() for p in paths}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        files = state.pop("_files", None)
        super().__setstate__(state)
        if files is not None:
            folder = Path(tempfile.mkdtemp(prefix=TEMPORARY))
            self._own(folder)
            for name, data in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
