"""The same scoring on many machines, by Ray Data: files or a dataset in, the same rows out.

Reading tasks send rows to scoring processes, each with one model. A machine that is lost takes
with it only what its processes held: Ray reads and scores that again elsewhere.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancekit import files
from stancekit.archive import Progress, Summary
from stancekit.checkpoint import Checkpoint
from stancekit.errors import InputError, MissingExtraError
from stancekit.model import BUNDLED
from stancekit.places import Folder, find
from stancekit.rows import Columns, changed, to_json
from stancekit.scoring import Settings, output_columns
from stancekit.workers import (
    ERROR,
    ERRORS,
    FileWorker,
    ModelSource,
    Receipt,
    TableWorker,
    opened,
    packed,
    read,
    survey,
)

if TYPE_CHECKING:
    import ray.data

__all__ = ["Workers", "score", "score_files"]

MOST_PER_PART = 16_384  # rows: half a minute of one core's work, and 4 MB of parquet
LEAST_PER_PART = 256  # rows: enough to batch statements of like length
BLOCK = 2**20  # bytes of rows that travel together: some 2,000; what is read again if they are lost
PARTS_PER_WORKER = 4  # so that the last parts of a run keep all workers busy
MANIFEST = "_stancekit.json"


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that score.

    Attributes:
        count: how many; None for as many as the cluster has room for.
        cpus: processors, and with them threads, of each.
        gpus: of each; may be a fraction, which shares a GPU. Above 0, the engine is torch on it.
        engine: as for ``stancekit.load``.

    Raises:
        InputError: a count below 1, or less than one processor, or less than no GPU.
    """

    count: int | None = None
    cpus: int = 1
    gpus: float = 0
    engine: str | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("workers", 1 if self.count is None else self.count, 1),
            ("processors of a worker", self.cpus, 1),
            ("GPUs of a worker", self.gpus, 0),
        ):
            if value < least:
                raise InputError(name, repr(value), f"at least {least}")

    def fitting(self, resources: dict[str, float]) -> int:
        """How many there will be on a cluster with these ``CPU`` and ``GPU``.

        Raises:
            InputError: not one fits.
        """
        cpus, gpus = resources.get("CPU", 0), resources.get("GPU", 0)
        room = int(min(cpus / self.cpus, gpus / self.gpus if self.gpus else cpus))
        if room < 1:
            raise InputError(
                "the cluster",
                f"{cpus:g} processors and {gpus:g} GPUs",
                f"at least {self.cpus} and {self.gpus:g}, for one worker",
                "ask for less, or use a larger cluster",
            )
        return room if self.count is None else min(self.count, room)


def score(
    dataset: ray.data.Dataset,
    *,
    topics: Sequence[str] = (),
    model: str | Path | None = None,
    min_confidence: float | None = None,
    workers: Workers | None = None,
    rows_at_a_time: int = 4096,
) -> ray.data.Dataset:
    """Label every row of a Ray dataset, lazily, on the cluster it belongs to.

    The result has all columns of the dataset, those that ``archive.score`` adds, and ``error``:
    null, or why the row has no answer, in which case the added columns are null. No row is lost.

    Args:
        dataset: has a column ``statement`` and, if it likes, ``topic`` and ``speaker``.
        topics: a row without a topic of its own is scored for each of them.
        model: a model folder on this machine, sent to the workers; the bundled one by default.
        min_confidence: in [0, 1]; answers below it are marked in a column ``uncertain``.
        workers: the processes that score.
        rows_at_a_time: rows that a worker takes at once.

    Raises:
        InputError: the dataset has no ``statement`` or has an ``error`` already, there is no
            topic, or a setting is out of range; CheckpointError: an unusable model;
            MissingExtraError: Ray is not installed.
    """
    ray = _import_ray()
    settings = Settings(tuple(topics), min_confidence)
    workers = workers or Workers()
    schema = dataset.schema()
    columns: Columns = {}
    if schema is not None:
        columns = {n: {t} for n, t in zip(schema.names, schema.types, strict=True)}
    _check_columns(columns, settings.topics)
    checkpoint = Checkpoint.read(BUNDLED if model is None else Path(model))
    layout = output_columns([columns], checkpoint.labels, settings)
    return dataset.map_batches(
        TableWorker,
        fn_constructor_args=(_source(ray, checkpoint, workers), settings, layout),
        batch_format="pyarrow",
        batch_size=rows_at_a_time,
        **_pool(ray, workers, workers.fitting(ray.cluster_resources())),
    )


def score_files(
    inputs: Sequence[str | Path],
    output: str | Path,
    settings: Settings,
    *,
    renamed: Mapping[str, str] | None = None,
    model: str | Path | None = None,
    workers: Workers | None = None,
    kind: str = "parquet",
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Label every row of some files on a cluster, into a folder of parts.

    Rows and columns are those of ``archive.score``. Each part holds some rows of the inputs in
    their order, and is named after the first: parts in order of their names are nearly, but not
    surely, the inputs in order. Rows that could not be used are in ``OUTPUT/_errors``, as jsonl.
    ``OUTPUT/_stancekit.json`` is written last: a folder without it is not finished.

    The cluster is the one that ``RAY_ADDRESS`` names or that this process is connected to; where
    there is none, one is started on this machine, and stopped at the end.

    Args:
        inputs: files, folders or patterns that every machine of the cluster sees under the same
            path, or URIs of files and folders in a store that pyarrow can reach.
        output: a folder, the same way; new or empty.
        settings: what is asked of every row.
        renamed: column in the files to the name its rows shall have.
        model: a model folder on this machine, sent to the workers; the bundled one by default.
        workers: the processes that score.
        kind: of file to write: a key of ``files.WRITERS`` without the dot.
        progress: called as parts are done, on the caller's thread.

    Raises:
        InputError: nothing to do, or no room on the cluster; FileError: a file cannot be read or
            written, or the output is not empty; CheckpointError: an unusable model;
            MissingExtraError: Ray is not installed.
    """
    began = time.perf_counter()
    workers = workers or Workers()
    checkpoint = Checkpoint.read(BUNDLED if model is None else Path(model))
    files.writer_for(f"part.{kind}")
    places = find(inputs)
    if not places:
        raise InputError("inputs", "none", "at least one file")
    with _connected() as ray:
        folder = Folder(output)
        folder.claim()
        room = workers.fitting(ray.cluster_resources())
        look = ray.remote(survey)
        # On the cluster, as many files at a time as it has processors.
        sent = ray.get([look.remote(place, settings, renamed or {}) for place in places])
        surveys = [opened(one) for one in sent]
        layout = output_columns([c for c, _ in surveys], checkpoint.labels, settings)
        total = sum(rows for _, rows in surveys)
        count = min(room, -(-total // LEAST_PER_PART) or 1)
        numbered = [
            {"file": pickle.dumps((number, place, settings, renamed or {}))}
            for number, place in enumerate(places)
        ]
        items = ray.data.from_items(numbered, override_num_blocks=len(numbered))
        items.context.target_max_block_size = BLOCK
        source = _source(ray, checkpoint, workers)
        # Reading takes no processor's worth of time, and workers may leave it none to reserve.
        receipts = items.map_batches(read, batch_size=1, num_cpus=0).map_batches(
            FileWorker,
            fn_constructor_args=(source, settings, layout, folder.where, kind),
            batch_format="pyarrow",
            batch_size=_rows_per_part(total, count),
            **_pool(ray, workers, count),
        )
        done = Receipt(0, 0, 0, dict.fromkeys(checkpoint.labels.names, 0))
        for item in receipts.iter_rows():
            done += opened(item["receipt"])
            if progress is not None:
                progress(Progress(done.rows, total, time.perf_counter() - began))
    if done.rows != total:
        raise changed("the inputs", done.rows, f"{done.rows:,} rows, not {total:,}")
    folder.remove_unfinished()
    facts = asdict(done) | {"model": checkpoint.hash, "settings": asdict(settings)}
    manifest = f"{to_json(facts)}\n".encode()
    folder.write(MANIFEST, lambda file: file.write(manifest))
    errors = Path(folder.where, ERRORS) if done.errors else None
    seconds = time.perf_counter() - began
    return Summary(done.rows, done.scored, done.errors, done.labels, seconds, Path(output), errors)


def _source(ray: Any, checkpoint: Checkpoint, workers: Workers) -> ModelSource:
    """The model for workers, put where all of them can get it."""
    on_gpu = workers.gpus > 0
    return ModelSource(
        ray.put(packed(checkpoint)),
        "torch" if on_gpu and workers.engine is None else workers.engine,
        # Without one of its own, a worker keeps away from whatever GPU its machine has.
        "cuda" if on_gpu else "cpu",
        workers.cpus,
    )


def _pool(ray: Any, workers: Workers, count: int) -> dict[str, Any]:
    """What ``map_batches`` needs to know of the workers."""
    resources = {"num_cpus": workers.cpus} | ({"num_gpus": workers.gpus} if workers.gpus else {})
    return {"compute": ray.data.ActorPoolStrategy(size=count), **resources}


def _rows_per_part(total: int, workers: int) -> int:
    wanted = -(-total // (workers * PARTS_PER_WORKER))
    return min(max(wanted, LEAST_PER_PART), MOST_PER_PART)


def _check_columns(columns: Columns, topics: Sequence[str]) -> None:
    """Refuse a dataset no row of which could be scored, or that has a column of ours."""
    place, found = "the dataset", f"the columns {', '.join(map(repr, columns))}"
    if "statement" not in columns:
        raise InputError(place, found, "a column 'statement'", "rename the one that is it")
    if "topic" not in columns and not topics:
        raise InputError(place, found, "a topic", "give one, or add a column 'topic'")
    if ERROR in columns:
        raise InputError(place, "a column 'error'", "another name for it", "rename it")


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError(error.name or "ray", "cluster") from None
    return ray


@contextmanager
def _connected() -> Iterator[Any]:
    """Ray, connected to the cluster there is or to one of our own, which ends with us."""
    ray = _import_ray()
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    # What it reports of a run in passing, we report; what it fails of, it raises.
    reports = logging.getLogger("ray.data")
    level = reports.level
    reports.setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    bars, context.enable_progress_bars = context.enable_progress_bars, False
    try:
        yield ray
    finally:
        context.enable_progress_bars = bars
        reports.setLevel(level)
        if started:
            ray.shutdown()
