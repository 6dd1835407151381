"""Results on disk: one JSON file a benchmark, with the machine and versions it ran on."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import stancekit
from stancekit.engines import usable_cpus

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("onnxruntime", "tokenizers", "numpy", "torch", "transformers", "scikit-learn")


def machine() -> dict[str, Any]:
    """Processor, threads and versions: what a figure means nothing without."""
    return {
        "processor": _processor(),
        "threads": usable_cpus(),
        "system": platform.system(),
        "python": platform.python_version(),
        "stancekit": stancekit.__version__,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def save(name: str, facts: Mapping[str, Any]) -> Path:
    """Write one benchmark's results, with the machine beside them."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    text = json.dumps({"machine": machine(), **facts}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def read(name: str) -> dict[str, Any]:
    """Results of one benchmark."""
    facts: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    vnni = " with VNNI" if "vnni" in facts.get("flags", "") else ""
    return facts.get("model name", platform.machine()) + vnni


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
