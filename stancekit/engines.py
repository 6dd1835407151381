"""Token ids to logits: the seam between stancekit and the libraries that do the arithmetic.

An engine runs one padded batch. It knows nothing of text, labels or order; all of that is
``stancekit.model``'s.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stancekit.checkpoint import ONNX_WEIGHTS, TORCH_WEIGHTS, Checkpoint
from stancekit.encoding import Window
from stancekit.errors import CheckpointError, InputError, MissingExtraError

__all__ = ["ENGINES", "Engine", "OnnxEngine", "TorchEngine", "default_engine", "pad", "usable_cpus"]


class Engine(Protocol):
    """What a model needs of whatever runs it.

    Attributes:
        name: its key in ``ENGINES``.
        device: where the arithmetic happens: ``cpu``, ``cuda:0``, ``mps:0``.
        dtype: of the products: ``int8``, ``float32``, ``bfloat16``.
        threads: of the processor, where it runs there.
        batch_tokens: padded tokens a batch should hold for this engine to run well.
    """

    name: str
    device: str
    dtype: str
    threads: int
    batch_tokens: int

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Logits of one batch, of shape (windows, labels), in the order given."""
        ...


class OnnxEngine:
    """ONNX Runtime on the processor; needs no torch.

    Args:
        checkpoint: a model folder with ``onnx/model_int8.onnx``.
        device: only ``cpu``.
        threads: processor threads; by default all that this process may use.

    Raises:
        CheckpointError: the file is missing or altered.
        InputError: a device other than the processor.
    """

    name = "onnx"
    dtype = "int8"
    # Activations of this many tokens stay within the cache; twice as many run no faster.
    batch_tokens = 1024

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, threads: int | None = None
    ) -> None:
        import onnxruntime

        if device not in (None, "cpu"):
            raise InputError("device", repr(device), "'cpu' for onnx", "use the torch engine")
        self.device = "cpu"
        self.threads = threads or usable_cpus()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        # Idle threads that spin slow down whatever else runs in the container.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(checkpoint.file(ONNX_WEIGHTS)), options, providers=["CPUExecutionProvider"]
            )
        except CheckpointError:
            raise
        except Exception as error:  # the runtime's own errors share no public base
            raise CheckpointError(
                str(checkpoint.folder / ONNX_WEIGHTS),
                str(error)[:120],
                "an ONNX model this runtime can run",
                "export it again",
            ) from None
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._pad = _pad_id(checkpoint)

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        batch = pad(windows, self._pad)
        feed = {name: array for name, array in batch.items() if name in self._inputs}
        logits: NDArray[np.float32] = self._session.run(["logits"], feed)[0]
        return logits


class TorchEngine:
    """PyTorch on any of its devices; needs the ``train`` extra.

    On a CUDA device made for bfloat16 the products run in it; elsewhere in float32. Attention is
    torch's fused one where the architecture has it, which is what transformers chooses by itself.

    Args:
        checkpoint: a model folder with ``model.safetensors``.
        device: a torch device; by default CUDA or MPS where there is one.
        threads: processor threads; by default all that this process may use.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        CheckpointError: the weights are missing or altered.
        InputError: torch does not know the device or cannot reach it.
    """

    name = "torch"
    # Padded tokens that keep a large GPU busy: at 384 features of two bytes, 25 MB an activation.
    gpu_batch_tokens = 32_768
    # Matrix units of GPUs take bfloat16 rows in eights, and each new length costs the allocator
    # and the kernel chooser some work: a window of 256 leaves sixteen lengths.
    gpu_length_step = 16

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, threads: int | None = None
    ) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingExtraError(error.name or "torch", "train") from None
        checkpoint.file(TORCH_WEIGHTS)
        try:
            # There and back: some devices take numbers and cannot give them back. The tensor knows
            # which of several GPUs "cuda" means.
            probe = torch.zeros(1, device=torch.device(device or _best_device(torch)))
            probe.cpu()
            self._device = probe.device
        except (RuntimeError, AssertionError) as error:
            raise InputError(
                "device", f"{device!r} ({str(error)[:80]})", "a device torch can use here"
            ) from None
        self.device = str(self._device)
        self.threads = threads or usable_cpus()
        gpu = self._device.type == "cuda"
        self.dtype = _torch_dtype(torch, self._device)
        self.batch_tokens = self.gpu_batch_tokens if gpu else 1024
        self._length_step = self.gpu_length_step if gpu else 1
        self._window = checkpoint.window
        self._torch = torch
        with _without_progress_bar(transformers):
            self._model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                checkpoint.folder,
                dtype=getattr(torch, self.dtype),
                local_files_only=True,
            )
        self._model.to(self._device).eval()
        self._types = takes_types(self._model)
        self._pad = _pad_id(checkpoint)

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        torch = self._torch
        length = self._length(max(map(len, windows)))
        arrays = pad(windows, self._pad, length, types=self._types)
        batch = {name: torch.from_numpy(array).to(self._device) for name, array in arrays.items()}
        # The thread count is the process's, not ours: it is put back.
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                logits = self._model(**batch).logits
        finally:
            torch.set_num_threads(before)
        result: NDArray[np.float32] = logits.float().cpu().numpy()
        return result

    def _length(self, longest: int) -> int:
        """The length of a batch: the next step up, but not beyond what the model has room for."""
        step = self._length_step
        return max(longest, min(-(-longest // step) * step, self._window))


ENGINES: dict[str, Callable[[Checkpoint, str | None, int | None], Engine]] = {
    "onnx": OnnxEngine,
    "torch": TorchEngine,
}


def default_engine(checkpoint: Checkpoint, device: str | None) -> str:
    """Name of the engine to use: torch where a GPU is asked for or found, else onnx.

    Whether there is a GPU is not worth importing torch for, so its driver is looked for first.
    """
    if device not in (None, "cpu"):
        return "torch"
    if device is None and Path("/dev/nvidiactl").exists() and checkpoint.has(TORCH_WEIGHTS):
        try:
            import torch
            import transformers  # noqa: F401  # the torch engine needs both
        except ImportError:
            return "onnx"
        if torch.cuda.is_available():
            return "torch"
    return "onnx" if checkpoint.has(ONNX_WEIGHTS) else "torch"


def usable_cpus() -> int:
    """Processors this process may use: the least of CPU affinity and the container's quota."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(cpus, int(quota)) if quota else cpus)


def _cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Processors' worth of time that the control group allows, in either version of cgroups."""
    try:
        allowed, period = (root / "cpu.max").read_text().split()
        return None if allowed == "max" else int(allowed) / int(period)
    except (OSError, ValueError):
        pass
    try:
        allowed = (root / "cpu" / "cpu.cfs_quota_us").read_text()
        period = (root / "cpu" / "cpu.cfs_period_us").read_text()
        return int(allowed) / int(period) if int(allowed) > 0 else None
    except (OSError, ValueError):
        return None


@contextmanager
def _without_progress_bar(transformers: Any) -> Iterator[None]:
    """Opening a file of 45 MB needs no bar; whether others want theirs is left as it was."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _best_device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _torch_dtype(torch: Any, device: Any) -> str:
    """``bfloat16`` where the device's own units multiply it, else ``float32``.

    Torch counts a GPU that can only imitate bfloat16, slowly, among those that have it, and answers
    for the current device, which need not be ours.
    """
    if device.type != "cuda":
        return "float32"
    with torch.cuda.device(device):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if native else "float32"


def _pad_id(checkpoint: Checkpoint) -> int:
    """The padding token's id, from ``config.json``; masked, so its value changes no answer."""
    path = checkpoint.file("config.json")
    return int(json.loads(path.read_text(encoding="utf-8")).get("pad_token_id") or 0)


def takes_types(model: Any) -> bool:
    """Whether an encoder of ``transformers`` tells topic from statement by segment ids.

    Some know no such input; others take it for the sake of form and have a single segment.
    """
    known = "token_type_ids" in inspect.signature(model.forward).parameters
    return known and getattr(model.config, "type_vocab_size", 2) > 1


def pad(
    windows: Sequence[Window], pad_id: int, length: int | None = None, *, types: bool = True
) -> dict[str, NDArray[np.int64]]:
    """One batch: ids, segment ids and mask, each of shape (windows, length).

    ``length``, in tokens, is that of the longest window unless given. Without ``types`` there are
    no segment ids.
    """
    ids = np.full((len(windows), length or max(map(len, windows))), pad_id, dtype=np.int64)
    segments = np.zeros_like(ids)
    mask = np.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window.ids
        segments[row, : len(window)] = window.types
        mask[row, : len(window)] = 1
    batch = {"input_ids": ids, "token_type_ids": segments, "attention_mask": mask}
    if not types:
        del batch["token_type_ids"]
    return batch
