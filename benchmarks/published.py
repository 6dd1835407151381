"""Published stance sets: the encoder retrained on each with the library's own training function.

    python -m benchmarks.published DIR --base ENCODER [--work WORK] [--sets NAME ...] [--epochs N]

``DIR`` holds ``NAME.train.jsonl`` and ``NAME.dev.jsonl`` of each set, and ``NAME.test.jsonl`` where
there is one (``newsmtsc_rw.test.jsonl`` and ``newsmtsc_mt.test.jsonl`` for ``newsmtsc``): rows with
``statement``, ``topic`` and ``label``. ``ENCODER`` is a Hugging Face folder. Each set is scored by
its own metric, and what others published stands beside it: on the test files, whereas dev is
another draw. Weights go to ``WORK/NAME``; a run that was interrupted goes on when it is started
again with the same arguments. Figures go to ``results/published.json``, which keeps those of the
sets not asked for.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from stancekit import files
from stancekit.errors import FileError, InputError, RecordError, StancekitError
from stancekit.evaluation import TAILS, Interval, data_hash
from stancekit.finetune import Recipe, fit
from stancekit.records import Example, LabelSet
from stancekit.rows import Row, display
from training.manifest import normal_topic
from training.probabilities import probabilities

Ints = NDArray[np.int64]
Splits = dict[str, list[Example]]
# Of gold labels, predicted labels and topics, one number a row each.
Metric = Callable[[Ints, Ints, Ints], float]

RESAMPLES = 1000  # settle each end of an interval to about 2% of its width
SEED = 0  # of the resampling
WORK = Path(tempfile.gettempdir()) / "stancekit-published"


def mean_f1(*labels: int) -> Metric:
    """Mean F1 of these labels; rows of the others still count against them when predicted so."""
    return lambda gold, predicted, topics: float(
        np.mean([_f1(gold == label, predicted == label) for label in labels])
    )


def over_topics(metric: Metric) -> Metric:
    """The mean of a metric over topics, a topic of few rows counting as much as one of many."""

    def mean(gold: Ints, predicted: Ints, topics: Ints) -> float:
        of_each = topics == np.unique(topics)[:, np.newaxis]  # (topics, rows)
        return float(np.mean([metric(gold[m], predicted[m], topics[m]) for m in of_each]))

    return mean


def _f1(right: NDArray[np.bool_], named: NDArray[np.bool_]) -> float:
    return float(2 * (right & named).sum() / max(right.sum() + named.sum(), 1))


@dataclass(frozen=True)
class Published:
    """A figure of the literature."""

    model: str
    value: float  # of the set's first metric, in [0, 1]
    split: str
    source: str


@dataclass(frozen=True)
class Benchmark:
    """A set as its authors score it."""

    labels: LabelSet
    raw: Mapping[str, str]  # label in the files to label of the set
    metrics: Mapping[str, Metric]  # the first is the one papers compare by
    recipe: Recipe
    published: tuple[Published, ...]
    tests: Mapping[str, str] = field(default_factory=dict)  # further test split to stem of its file
    # Thousands of topics: resampling draws the rows of one together, and those that training has
    # not seen are scored apart.
    topics_vary: bool = False


TWEETEVAL = "TweetEval leaderboard, Barbieri et al. 2020"
NEWSMTSC = "Hamborg and Donnay 2021"
BENCHMARKS = {
    "semeval2016_a": Benchmark(
        # Mohammad et al. 2016: none is predicted, but is not among the classes averaged.
        LabelSet(("favour", "against", "none"), (1, -1, None)),
        {"FAVOR": "favour", "AGAINST": "against", "NONE": "none"},
        {"F_avg": mean_f1(0, 1)},
        Recipe(epochs=6, learning_rate=1e-4),
        (
            Published("SVM", 0.673, "test", TWEETEVAL),
            Published("RoBERTa-base", 0.680, "test", TWEETEVAL),
            Published("BERTweet", 0.712, "test", TWEETEVAL),
            Published("TimeLMs-2021", 0.729, "test", TWEETEVAL),
        ),
    ),
    "pstance": Benchmark(
        LabelSet(("favour", "against"), (1, -1)),
        {"FAVOR": "favour", "AGAINST": "against"},
        {"F_avg over topics": over_topics(mean_f1(0, 1)), "F_avg pooled": mean_f1(0, 1)},
        Recipe(epochs=3, learning_rate=1e-4),
        (Published("BERTweet", 0.805, "test", "Li et al. 2021"),),
    ),
    "vast": Benchmark(
        # Neutral rows are mostly comments that do not speak of the topic.
        LabelSet(("pro", "con", "neutral"), (1, -1, None)),
        {"pro": "pro", "con": "con", "neutral": "neutral", "neutral(synthetic)": "neutral"},
        {"macro-F1": mean_f1(0, 1, 2)},
        Recipe(epochs=3, learning_rate=1e-4),
        (
            Published("JointCL", 0.723, "test, unseen topics", "Liang et al. 2022"),
            Published("TATA", 0.771, "test, unseen topics", "Hanley and Durumeric 2023"),
        ),
        topics_vary=True,
    ),
    "newsmtsc": Benchmark(
        LabelSet(("positive", "neutral", "negative"), (1, 0, -1)),
        {"positive": "positive", "neutral": "neutral", "negative": "negative"},
        {"macro-F1": mean_f1(0, 1, 2)},
        Recipe(epochs=4, learning_rate=1e-4),
        (
            Published("GRU-TSC", 0.831, "test rw", NEWSMTSC),
            Published("GRU-TSC", 0.825, "test mt", NEWSMTSC),
        ),
        tests={"test rw": "newsmtsc_rw", "test mt": "newsmtsc_mt"},
    ),
}


def load(path: Path, benchmark: Benchmark) -> list[Example]:
    """Rows of one file, with the set's own labels; ``FileError`` names the first bad one."""
    examples = []
    for row in files.read(path):
        try:
            if not isinstance(row, Row):
                raise row.error
            raw = row.values.get("label")
            if not (isinstance(raw, str) and raw in benchmark.raw):
                raise RecordError("label", f"{raw!r:.40}", f"one of {', '.join(benchmark.raw)}")
            asked = files.to_example(row)
        except RecordError as error:
            place = f"{row.file}, line {row.line}, {error.place}"
            raise FileError(place, error.found, error.wanted, error.next_step) from None
        group = asked.topic if benchmark.topics_vary else None
        examples.append(Example(asked.statement, asked.topic, None, benchmark.raw[raw], group))
    if not examples:
        raise FileError(display(path), "no rows", "labelled rows", "check the file")
    return examples


def splits(folder: Path, name: str) -> Splits:
    """Rows of train, dev and whatever test files a folder has of a set; errors as ``load``."""
    benchmark = BENCHMARKS[name]
    paths = {split: folder / f"{name}.{split}.jsonl" for split in ("train", "dev")}
    tests = {"test": name, **benchmark.tests}
    found = {split: folder / f"{stem}.test.jsonl" for split, stem in tests.items()}
    paths |= {split: path for split, path in found.items() if path.exists()}
    return {split: load(path, benchmark) for split, path in paths.items()}


def resampled(groups: Sequence[str | None]) -> list[Ints]:
    """Row numbers of each resample: groups drawn with replacement; None is a group of its own."""
    members: dict[object, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        members[number if group is None else group].append(number)
    rows = [np.array(numbers) for numbers in members.values()]
    drawn = np.random.default_rng(SEED).integers(len(rows), size=(RESAMPLES, len(rows)))
    return [np.concatenate([rows[i] for i in draw]) for draw in drawn]


def interval(metric: Metric, arrays: tuple[Ints, Ints, Ints], draws: Sequence[Ints]) -> Interval:
    """A metric and the percentile bootstrap around it, as in ``stancekit.evaluation``."""
    gold, predicted, topics = arrays
    low, high = np.percentile([metric(gold[d], predicted[d], topics[d]) for d in draws], TAILS)
    return Interval(metric(gold, predicted, topics), float(low), float(high))


def score(benchmark: Benchmark, rows: Sequence[Example], predicted: Ints) -> dict[str, Any]:
    """Size, data hash and metrics of the answers to a split, or to part of one."""
    gold = np.array([benchmark.labels.index(str(row.label)) for row in rows])
    topics = np.unique([row.topic for row in rows], return_inverse=True)[1]
    draws = resampled([row.group for row in rows])
    found = {
        name: asdict(interval(metric, (gold, predicted, topics), draws))
        for name, metric in benchmark.metrics.items()
    }
    return {"n": len(rows), "data": data_hash(rows), "metrics": found}


def topic_key(topic: str) -> str:
    """What makes two topics one: the sets' dev and test have base forms, and not always in order.

    Stems are rough, since a new topic taken for a known one costs a row, whereas the reverse would
    call a topic unseen that is not.
    """
    stems = [re.sub(r"es?$|(?<!s)s$", "", word) for word in normal_topic(topic).split()]
    return " ".join(sorted(re.sub(r"y$", "i", stem) for stem in stems))


def scores(benchmark: Benchmark, data: Splits, answers: Mapping[str, Ints]) -> dict[str, Any]:
    """Each split by its name and, where topics vary, the part of it on unseen topics as well."""
    seen = {topic_key(row.topic) for row in data["train"]}
    found = {}
    for split, predicted in answers.items():
        rows = data[split]
        found[split] = score(benchmark, rows, predicted)
        new = [i for i, row in enumerate(rows) if topic_key(row.topic) not in seen]
        if benchmark.topics_vary and new:
            part = score(benchmark, [rows[i] for i in new], predicted[new])
            found[f"{split}, unseen topics"] = part
    return found


def train(base: Path, data: Splits, labels: LabelSet, output: Path, recipe: Recipe) -> float:
    """Fine-tune into a folder, or go on there; seconds that all runs took, but for those killed."""
    clock = output / "seconds"
    before = float(clock.read_text(encoding="utf-8")) if clock.is_file() else 0.0
    finished = (output / "model.safetensors").is_file()
    start = time.monotonic()
    try:
        # Of a finished run this checks the arguments and returns.
        fit(base, data["train"], data["dev"], labels, output, recipe)
    finally:
        spent = before if finished else before + time.monotonic() - start
        output.mkdir(parents=True, exist_ok=True)
        clock.write_text(str(spent), encoding="utf-8")
    return spent


def run(name: str, data: Splits, base: Path, work: Path, epochs: float | None) -> dict[str, Any]:
    """Train and score one set; everything that goes into the results."""
    benchmark = BENCHMARKS[name]
    recipe = replace(benchmark.recipe, epochs=epochs) if epochs else benchmark.recipe
    seconds = train(base, data, benchmark.labels, work / name, recipe)
    answers = {
        split: probabilities(work / name, base / "tokenizer.json", rows).argmax(axis=1)
        for split, rows in data.items()
        if split != "train"
    }
    first = next(iter(benchmark.metrics))
    return {
        "encoder": "/".join(base.parts[-2:]),  # a package's own folder is often "model"
        "recipe": asdict(recipe),
        "train": {"n": len(data["train"]), "data": data_hash(data["train"])},
        "seconds": round(seconds, 1),
        "machine": results.machine(),  # not every set need have run on the same
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED},
        "splits": scores(benchmark, data, answers),
        "published": [asdict(figure) | {"metric": first} for figure in benchmark.published],
    }


def keep(name: str, facts: Mapping[str, Any]) -> Path:
    """Put one set's figures into the results on disk, beside those of other sets."""
    known = (results.RESULTS / "published.json").is_file()
    sets = results.read("published")["sets"] if known else {}
    return results.save("published", {"sets": {**sets, name: facts}})


def lines(name: str, facts: Mapping[str, Any]) -> list[str]:
    """A set's figures for people: a line a split and metric, then those published."""
    published = name + "  published, {split}  {metric} {value:.3f}  {model} ({source})"
    return [
        f"{name}  {split}  n={part['n']}  {metric} {Interval(**found)}"
        for split, part in facts["splits"].items()
        for metric, found in part["metrics"].items()
    ] + [published.format(**figure) for figure in facts["published"]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--base", type=Path, required=True, metavar="ENCODER")
    parser.add_argument("--work", type=Path, default=WORK, help="by default %(default)s")
    parser.add_argument("--sets", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--epochs", type=float, help="in place of each set's own number")
    options = parser.parse_args(arguments)
    if options.epochs is not None and options.epochs <= 0:
        raise InputError("--epochs", str(options.epochs), "more than 0")
    if not options.folder.is_dir():
        raise FileError(display(options.folder), "no such folder", "one with the sets")
    base = options.base.resolve()  # ``fit`` knows an encoder by its path, however it was typed
    if not (base / "config.json").is_file():
        raise FileError(display(base), "no config.json", "a model folder")
    # All sets are read before the first is trained on: a bad row shows now, not in an hour.
    data = {name: splits(options.folder, name) for name in options.sets}
    print(f"weights in {options.work}", flush=True)
    for name, rows in data.items():
        facts = run(name, rows, base, options.work, options.epochs)
        print("\n".join(["", *lines(name, facts), f"written to {keep(name, facts)}"]), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StancekitError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
