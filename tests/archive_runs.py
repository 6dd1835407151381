"""Scores an archive with a stand-in for the model, in processes that are killed; for test_faults.

    python archive_runs.py run | kill_randomly | kill_at_each_step JSON

A process that has loaded everything forks one for each run, so that a kill costs no new start.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import pyarrow.parquet  # noqa: F401  # before the forks, for each would load it for itself

from stancekit import archive, runs
from stancekit.errors import RecordError, StancekitError
from stancekit.records import Example, LabelSet, Prediction

STEPS = ("fsync", "replace", "rename", "unlink", "rmdir")  # of package os: what moves a run on


class Standin:
    """Answers by a checksum of the question, as slowly as asked."""

    labels = LabelSet(("for", "against", "none"), (1.0, -1.0, None))

    def __init__(self, pause: float) -> None:
        self.pause = pause

    def predict_many(self, rows: Iterable[Example]) -> list[Prediction]:
        examples = list(rows)
        time.sleep(self.pause)
        return [self.answer(example) for example in examples]

    def answer(self, example: Example) -> Prediction:
        if "unspeakable" in example.statement:
            raise RecordError("statement", "what must not be said", "something else")
        sums = [crc32(f"{name}{example}".encode()) % 1000 + 1 for name in self.labels.names]
        probabilities = [one / sum(sums) for one in sums]
        best = probabilities.index(max(probabilities))
        return Prediction(
            self.labels.names[best],
            dict(zip(self.labels.names, probabilities, strict=True)),
            self.labels.score(probabilities),
        )


def score(job: dict[str, Any], **more: Any) -> archive.Summary:
    archive.CHUNK = job["chunk"]
    runs.PIECES = 3
    model = Standin(job["pause"])
    return archive.score(job["inputs"], job["output"], model, **job.get("options", {}), **more)


def fork(work: Callable[[], object]) -> int:
    """Number of a new process that does the work and ends, with code 0 if it succeeds."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except StancekitError as error:
            print(error, file=sys.stderr, flush=True)
        finally:
            os._exit(2)
    return child


def ended(child: int) -> int:
    """The exit code, or the negative number of the signal, with which a process ended."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_randomly(job: dict[str, Any]) -> dict[str, Any]:
    """Kill a run again and again, then let it finish."""
    rng = random.Random(job["seed"])
    kills = 0
    while kills < job["kills"]:
        child = fork(lambda: score(job))
        time.sleep(rng.uniform(0, job["longest"]))
        os.kill(child, signal.SIGKILL)
        code = ended(child)
        assert code in (0, -signal.SIGKILL), code
        if code == 0:
            break
        kills += 1
    assert ended(fork(lambda: score(job))) == 0
    return {"kills": kills}


def kill_at_each_step(job: dict[str, Any]) -> dict[str, Any]:
    """For each call that moves a run on, or every so many: kill a run before it, then finish it."""
    output = Path(job["output"])
    ends = []
    for step in range(1, 10_000, job["every"]):
        shutil.rmtree(output.parent)
        output.parent.mkdir()
        code = ended(fork(lambda step=step: score_until(step, job)))
        if code == 0:
            return {"kills": len(ends), "ends": ends}
        assert code == -signal.SIGKILL, code
        assert ended(fork(lambda: score(job))) == 0
        ends.append(contents(output.parent))
    raise AssertionError("a run that never ends")


def score_until(step: int, job: dict[str, Any]) -> None:
    """Score, and die before the step with this number."""
    left = step

    def dying(do: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return do(*arguments, **more)

        return counted

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))
    score(job)


def contents(folder: Path) -> dict[str, int]:
    """Every file below a folder, hidden ones too, with a checksum of its bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): crc32(path.read_bytes()) for path in files}


if __name__ == "__main__":
    what, job = sys.argv[1], json.loads(sys.argv[2])
    if what == "run":
        try:
            print("begun", flush=True)
            done = score(job)
        except StancekitError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        print(json.dumps({"rows": done.rows, "scored": done.scored, "errors": done.errors}))
    else:
        print(
            json.dumps(
                {"kill_randomly": kill_randomly, "kill_at_each_step": kill_at_each_step}[what](job)
            )
        )
