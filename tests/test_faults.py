"""What an archive run survives, in real processes: kills, full disks, Ctrl-C, rivals, changes."""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archive_runs import contents

from stancekit import archive, files
from stancekit.errors import FileError
from stancekit.rows import Row

SCRIPT = Path(__file__).with_name("archive_runs.py")
OUTPUTS = ["out.jsonl", "out.csv", "out.tsv.gz", "out.jsonl.zst", "out.parquet", "out"]


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Files of several formats, good rows and bad, repeated ones, and a file that is broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    table = "".join(f'{i},"Row {i}, said plainly",topic {i % 3}\n' for i in range(60))
    (folder / "a.csv").write_text(f"id,statement,topic\n{table}too,few\n")
    rows = [{"statement": f"{'unspeakable ' * (i % 17 == 5)}row {i % 20}"} for i in range(60)]
    packed = gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    (folder / "b.jsonl.gz").write_bytes(packed)
    columns = {
        "statement": [None if i % 9 == 0 else f"Statement {i}." for i in range(70)],
        "tags": [["x", str(i)] for i in range(70)],
        "kind": pa.array(["news", "letter"] * 35).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), folder / "c.parquet")
    (folder / "d.txt").write_text("One line.\nAnother line.\n")
    (folder / "e.parquet").write_text("no parquet")
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.fixture
def job(inputs: list[str], tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "out").mkdir()
    return {
        "inputs": inputs,
        "output": str(tmp_path / "out" / "out.jsonl"),
        "chunk": 80,  # with two topics, 40 rows
        "pause": 0.0,  # seconds to answer a chunk
        "options": {"topics": ["the bridge", "the tax"], "min_confidence": 0.5},
    }


def drive(what: str, job: dict[str, Any], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), what, json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=600,
        **options,
    )


def undisturbed(job: dict[str, Any], tmp_path: Path, name: str) -> dict[str, int]:
    """What a run that nothing happens to leaves."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    done = drive("run", job | {"output": str(folder / name), "pause": 0.0})
    assert done.returncode == 0, done.stderr
    # Two topics; two parquet rows in nine; and the cut row, three unspeakable, eight empty, a file.
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts == {"rows": 194, "scored": 300, "errors": 18}
    return contents(folder)


def kill(job: dict[str, Any], tmp_path: Path, name: str, what: str, **more: Any) -> dict[str, Any]:
    expected = undisturbed(job, tmp_path, name)
    output = tmp_path / "out" / name
    done = drive(what, job | {"output": str(output)} | more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert contents(tmp_path / "out") == expected
    assert all(end == expected for end in found.get("ends", []))
    return found


def test_a_few_kills_at_random_moments_change_nothing(job: dict[str, Any], tmp_path: Path) -> None:
    found = kill(
        job, tmp_path, "out.csv", "kill_randomly", seed=1, kills=4, longest=0.3, pause=0.05
    )
    assert found["kills"] > 0


def test_a_kill_before_some_steps_changes_nothing(job: dict[str, Any], tmp_path: Path) -> None:
    found = kill(job, tmp_path, "out", "kill_at_each_step", every=11)
    assert found["kills"] > 4


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_kills_at_random_moments_change_nothing(
    name: str, job: dict[str, Any], tmp_path: Path
) -> None:
    """Ten kills and more for each kind of output; sixty and more together."""
    kills = 0
    for seed in range(100):
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "out").mkdir()
        shutil.rmtree(tmp_path / "undisturbed", ignore_errors=True)
        found = kill(
            job, tmp_path, name, "kill_randomly", seed=seed, kills=10, longest=0.5, pause=0.05
        )
        kills += found["kills"]
        if kills >= 10:
            return
    pytest.fail(f"only {kills} kills hit a run")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out.csv.gz", "out.parquet", "out"])
def test_a_kill_before_any_step_changes_nothing(
    name: str, job: dict[str, Any], tmp_path: Path
) -> None:
    found = kill(job, tmp_path, name, "kill_at_each_step", every=1)
    assert found["kills"] > 40


# A full disk


def test_a_limit_on_the_size_of_files_is_survived(job: dict[str, Any], tmp_path: Path) -> None:
    expected = undisturbed(job, tmp_path, "out.jsonl")
    whole = (tmp_path / "undisturbed" / "out.jsonl").stat().st_size

    def limit(size: int) -> Any:
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    # Too little for the first piece; enough for the pieces, and too little to join them.
    for size, kept in ((2_000, False), (whole // 2, True)):
        done = drive("run", job, preexec_fn=limit(size))
        assert done.returncode == 2
        [line] = done.stderr.splitlines()
        assert "out.jsonl: found File too large, wanted an output that can be written" in line
        assert ("194 rows are done and kept" in line) == kept
        assert not Path(job["output"]).exists()
    done = drive("run", job)
    assert done.returncode == 0 and contents(tmp_path / "out") == expected


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_survived(small_disk: Path, job: dict[str, Any], tmp_path: Path) -> None:
    expected = undisturbed(job, tmp_path, "out.jsonl")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 220_000)
    job["output"] = str(small_disk / "out.jsonl")
    done = drive("run", job)
    assert done.returncode == 2, done
    assert "No space left on device" in done.stderr and len(done.stderr.splitlines()) == 1
    filler.unlink()
    done = drive("run", job)
    assert done.returncode == 0 and contents(small_disk) == expected


# Ctrl-C, and a second process


def begin(job: dict[str, Any]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "run", json.dumps(job)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    return process


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


def test_a_second_process_on_the_same_output_is_refused(
    job: dict[str, Any], tmp_path: Path
) -> None:
    expected = undisturbed(job, tmp_path, "out.jsonl")
    first = begin(job | {"pause": 1.0})
    wait_for(tmp_path / "out" / ".out.jsonl.run" / "progress.json")
    second = drive("run", job)
    assert second.returncode == 2
    assert second.stderr == (
        f"{job['output']}: found another process writing it, wanted an output of its own; "
        "wait for the other, or choose another name\n"
    )
    assert first.poll() is None
    first.kill()
    first.wait()
    # The lock died with its process.
    done = drive("run", job)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == expected


# Changes between two calls


def half(job: dict[str, Any], tmp_path: Path) -> None:
    """Leave a run half way."""
    process = begin(job | {"pause": 0.3})
    wait_for(tmp_path / "out" / ".out.jsonl.run" / "progress.json")
    process.kill()
    process.wait()


def refused(job: dict[str, Any]) -> str:
    done = drive("run", job)
    assert done.returncode == 2, done
    [line] = done.stderr.splitlines()
    assert line.endswith("or start over with --restart")
    return line


def test_changes_are_refused_and_named_until_told_to_start_over(
    job: dict[str, Any], tmp_path: Path
) -> None:
    half(job, tmp_path)
    options = job["options"]
    other = job | {"options": options | {"topics": ["the bridge", "a war"]}}
    assert 'a run begun with topics ["the bridge", "the tax"], wanted the same as now, ["the' in (
        refused(other)
    )
    assert "min_confidence 0.5" in refused(job | {"options": options | {"min_confidence": 0.6}})
    assert "rows a piece 40" in refused(job | {"chunk": 60})
    assert "input " in refused(job | {"inputs": job["inputs"][:-1]})
    gone = drive("run", job | {"inputs": [*job["inputs"], str(tmp_path / "gone.csv")]})
    assert gone.returncode == 2 and "gone.csv: found no such file" in gone.stderr
    first = Path(job["inputs"][0])
    status = first.stat()
    first.write_text(first.read_text().replace("Row 7,", "Row 8,"))
    os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert f"input {first}" in refused(job)  # by its bytes alone
    first.write_text(first.read_text().replace("Row 8,", "Row 7,", 1))
    os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert f"input {first}" in refused(job)  # by its time alone
    # All the while, what was done is kept.
    assert (tmp_path / "out" / ".out.jsonl.run" / "progress.json").exists()
    done = drive("run", job | {"options": options | {"restart": True}})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["rows"] == 194


def test_a_finished_folder_is_left_alone_until_told_to_start_over(
    job: dict[str, Any], tmp_path: Path
) -> None:
    job["output"] = str(tmp_path / "out" / "parts")
    assert drive("run", job).returncode == 0
    before = contents(tmp_path / "out")
    parts = [name for name in before if name.endswith(".parquet")]
    assert parts == ["parts/part-00000.parquet", "parts/part-00001.parquet"]
    # The same call has nothing left to do; another is refused.
    done = drive("run", job)
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["rows"] == 194
    fewer = job | {"inputs": job["inputs"][:1]}
    refused(fewer)
    assert contents(tmp_path / "out") == before
    fewer["options"] = job["options"] | {"restart": True}
    assert drive("run", fewer).returncode == 0
    assert not (tmp_path / "out" / parts[1]).exists()
    # Nor are files of unknown origin written over.
    shutil.rmtree(tmp_path / "out" / "parts" / ".run")
    done = drive("run", job)
    assert done.returncode == 2 and "part-00000.parquet, which is no part of" in done.stderr


def test_damaged_progress_is_refused(job: dict[str, Any], tmp_path: Path) -> None:
    half(job, tmp_path)
    progress = tmp_path / "out" / ".out.jsonl.run" / "progress.json"
    progress.write_bytes(progress.read_bytes()[:9])
    done = drive("run", job)
    assert done.returncode == 2 and "progress.json: found damage" in done.stderr


# Strict


def test_strict_stops_at_the_first_bad_row(job: dict[str, Any], tmp_path: Path) -> None:
    job["options"]["strict"] = True
    done = drive("run", job | {"inputs": job["inputs"][:1]})
    assert done.returncode == 2
    assert done.stderr.startswith(f"{job['inputs'][0]}, line 62, row: found 2 cells, wanted 3")
    # Going on without it is no other run.
    del job["options"]["strict"]
    assert drive("run", job | {"inputs": job["inputs"][:1]}).returncode == 0


def test_strict_refuses_a_broken_file_and_a_run_with_bad_rows(
    job: dict[str, Any], tmp_path: Path
) -> None:
    options = job["options"]
    strict = options | {"strict": True}
    done = drive("run", job | {"inputs": job["inputs"][3:], "options": strict})
    assert done.returncode == 2 and "e.parquet, line 0, file: found" in done.stderr
    job["inputs"] = [job["inputs"][1], job["inputs"][0]]  # bad rows first
    process = begin(job | {"pause": 0.3, "options": options | {"restart": True}})
    wait_for(tmp_path / "out" / ".out.jsonl.run" / "progress.json")
    process.kill()
    process.wait()
    done = drive("run", job | {"options": strict})
    assert done.returncode == 2 and "bad rows in the part that is done" in done.stderr


def test_a_broken_file_among_others_is_an_error_and_alone_a_refusal(
    inputs: list[str], tmp_path: Path
) -> None:
    from archive_runs import Standin

    broken = inputs[-1]
    summary = archive.score(
        [broken, inputs[3]], tmp_path / "out.jsonl", Standin(0), topic="the tax"
    )
    assert (summary.rows, summary.scored, summary.errors) == (3, 2, 1)
    [row] = [
        row for row in files.read(f"{tmp_path}/out.jsonl.errors.jsonl") if isinstance(row, Row)
    ]
    assert row.values["file"] == broken and row.values["line"] == 0
    assert row.values["reason"].startswith("file: found no parquet in it")
    with pytest.raises(FileError, match="no parquet in it"):
        archive.score([broken], tmp_path / "other.jsonl", Standin(0), topic="the tax")


def test_interrupt_numbers_are_what_shells_expect() -> None:
    from stancekit.cli.score import INTERRUPTED

    assert INTERRUPTED == 128 + signal.SIGINT
