"""sentence-transformers' CrossEncoder on its ONNX backend, in a process that takes its turn.

    PYTHON cross_encoder.py FOLDER

Its ONNX backend and we ask for different versions of transformers, so it may live in an environment
of its own: this file imports nothing of ours. It prints one line of JSON when it is ready, or why
it is not; then it reads lists of pairs, a line of JSON each, and prints how many seconds each took.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from importlib.metadata import version
from typing import Any

BATCH = 32


def main() -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print on the way must not look like an answer
    try:
        library: Any = importlib.import_module("sentence_transformers")
        model = library.CrossEncoder(
            sys.argv[1],
            backend="onnx",
            device="cpu",
            model_kwargs={"provider": "CPUExecutionProvider", "export": True},
        )
        model.predict([("warm", "up")], show_progress_bar=False)
    except Exception as error:  # whatever is lacking there is the reason to record
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        print(json.dumps({"reason": reason}), file=answers, flush=True)
        return
    packages = ("sentence-transformers", "optimum-onnx", "transformers", "onnxruntime")
    versions = {name: version(name) for name in packages}
    print(json.dumps({"ready": versions}), file=answers, flush=True)
    for line in sys.stdin:
        pairs = [tuple(pair) for pair in json.loads(line)]
        began = time.perf_counter()
        model.predict(pairs, batch_size=BATCH, show_progress_bar=False)
        print(json.dumps({"seconds": time.perf_counter() - began}), file=answers, flush=True)


if __name__ == "__main__":
    main()
