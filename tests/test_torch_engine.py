"""The torch engine on devices that are not there: what a processor can tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancekit import engines
from stancekit.checkpoint import Checkpoint
from stancekit.encoding import Encoder, Window
from stancekit.engines import TorchEngine, pad
from stancekit.errors import InputError
from stancekit.model import softmax
from stancekit.records import Example

NEIGHBOURS = 1e-5  # logits, whose spread over these statements is about 1


def windows(folder: Path) -> list[Window]:
    """Twenty made-up statements of 1 to 20 words and more."""
    words = "the bridge tax law talks we support fight oppose wait doubt hope fear not good " * 3
    rows = [Example(" ".join(words.split()[i : 2 * i + 1]), "the bridge") for i in range(20)]
    return [one for (one,) in Encoder(folder / "tokenizer.json").encode(rows)]


def open_cpu(folder: Path) -> TorchEngine:
    return TorchEngine(Checkpoint.read(folder), "cpu", 1)


class Cuda:
    """What the choice of dtype asks of ``torch.cuda``, for a GPU that is not there."""

    def __init__(self, native: bool) -> None:
        self.native = native
        self.asked: list[str] = []

    @contextmanager
    def device(self, device: Any) -> Iterator[None]:
        self.asked.append(str(device))
        yield

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        assert self.asked  # of our device, not of whichever is current
        return self.native or including_emulation


@pytest.mark.parametrize(
    ("device", "native", "dtype"),
    [
        ("cuda:1", True, "bfloat16"),
        ("cuda:1", False, "float32"),
        ("cpu", True, "float32"),
        ("mps", True, "float32"),
    ],
)
def test_bfloat16_is_for_gpus_that_have_it(device: str, native: bool, dtype: str) -> None:
    import torch

    cuda = Cuda(native)
    fake = SimpleNamespace(cuda=cuda)
    assert engines._torch_dtype(fake, torch.device(device)) == dtype
    assert cuda.asked == (["cuda:1"] if device == "cuda:1" else [])


def test_bfloat16_moves_probabilities_little(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    exact = open_cpu(tiny_model_dir)
    monkeypatch.setattr(engines, "_torch_dtype", lambda torch, device: "bfloat16")
    engine = open_cpu(tiny_model_dir)
    assert {p.dtype for p in engine._model.parameters()} == {torch.bfloat16}
    chosen = windows(tiny_model_dir)[:20]
    got = engine.logits(chosen)
    assert got.dtype == np.float32
    assert not np.array_equal(got, exact.logits(chosen))  # or it was float32 after all
    np.testing.assert_allclose(softmax(got), softmax(exact.logits(chosen)), atol=0.1)


def test_inputs_go_to_the_engines_device(tiny_model_dir: Path) -> None:
    import torch

    engine = open_cpu(tiny_model_dir)
    engine._device = torch.device("meta")  # torch's device without a machine behind it
    seen: dict[str, str] = {}

    def model(**batch: Any) -> SimpleNamespace:
        seen.update({name: tensor.device.type for name, tensor in batch.items()})
        return SimpleNamespace(logits=torch.zeros(1, 4, dtype=torch.bfloat16))

    engine._model = model
    logits = engine.logits(windows(tiny_model_dir)[:1])
    assert seen == dict.fromkeys(["input_ids", "token_type_ids", "attention_mask"], "meta")
    assert logits.dtype == np.float32


def test_a_device_that_gives_nothing_back_is_refused(tiny_model_dir: Path) -> None:
    with pytest.raises(InputError, match=r"^device: found 'meta' .*, wanted a device torch"):
        TorchEngine(Checkpoint.read(tiny_model_dir), "meta")


def test_attention_is_the_fused_one(tiny_model_dir: Path) -> None:
    engine = open_cpu(tiny_model_dir)
    assert engine._model.config._attn_implementation == "sdpa"


@given(longest=st.integers(1, 300), step=st.sampled_from([1, 16]))
def test_a_batch_is_a_step_long_or_as_long_as_the_window(longest: int, step: int) -> None:
    engine = object.__new__(TorchEngine)
    engine._length_step, engine._window = step, 250
    length = engine._length(longest)
    assert longest <= length <= max(250, longest)
    assert length < longest + step
    assert length % step == 0 or length == max(250, longest)


def test_steps_of_length_change_no_answer(tiny_model_dir: Path) -> None:
    engine = open_cpu(tiny_model_dir)
    chosen = windows(tiny_model_dir)[:9]
    before = engine.logits(chosen)
    engine._length_step = engine.gpu_length_step
    shapes = []
    forward = engine._model.forward
    engine._model.forward = lambda **batch: (
        shapes.append(tuple(batch["input_ids"].shape)) or forward(**batch)
    )
    np.testing.assert_allclose(engine.logits(chosen), before, atol=NEIGHBOURS)
    ((rows, length),) = shapes
    assert rows == 9
    assert length % 16 == 0


@pytest.mark.parametrize(("cuda", "mps", "best"), [(1, 1, "cuda"), (0, 1, "mps"), (0, 0, "cpu")])
def test_the_best_device_is_the_one_there(cuda: int, mps: int, best: str) -> None:
    fake = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: bool(cuda)),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: bool(mps))),
    )
    assert engines._best_device(fake) == best


def test_pad_fills_to_a_length_asked_for() -> None:
    batch = pad([Window(np.array([5, 6]), np.array([0, 1]))], 9, 4)
    assert batch["input_ids"].tolist() == [[5, 6, 9, 9]]
    assert batch["token_type_ids"].tolist() == [[0, 1, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0, 0]]


# Runs only where there is a GPU: what the processor says, within what bfloat16 can tell apart.
def test_cuda_gives_the_processors_answers(tiny_model_dir: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    engine = TorchEngine(Checkpoint.read(tiny_model_dir), "cuda", 1)
    assert engine.device == "cuda:0"
    chosen = windows(tiny_model_dir)[:20]
    got, wanted = engine.logits(chosen), open_cpu(tiny_model_dir).logits(chosen)
    np.testing.assert_allclose(softmax(got), softmax(wanted), atol=0.1)
