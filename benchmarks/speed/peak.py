"""How fast this machine multiplies matrices at best, measured where it is asked.

A peak is the best rate over some shapes and libraries: the products of the model itself, of a batch
of its tokens, and a large square one. Rates are in operations a second, a multiplication and an
addition counting as two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from stancekit.engines import Engine, usable_cpus

SQUARE = 2048
ONNX_OPSET = 17
Shape = tuple[int, int, int]  # rows, inner, columns


def shapes(tokens: int, hidden: int, inner: int) -> list[Shape]:
    """The products of an encoder's layer over a batch of tokens, and a large square one."""
    return [
        (tokens, hidden, hidden),
        (tokens, hidden, inner),
        (tokens, inner, hidden),
        (SQUARE, SQUARE, SQUARE),
    ]


def peaks(engine: Engine, those: list[Shape], seconds: float) -> dict[str, Any]:
    """Best rates by dtype, with what reached them.

    Args:
        engine: on the processor, float32 and int8 are measured; on a GPU its own dtype.
        those: shapes to try.
        seconds: to try each for.
    """
    if engine.device != "cpu":
        return {engine.dtype: best(those, {"torch": _on_gpu(engine)}, seconds)}
    makers = {"numpy": _numpy, "torch": _torch, "MatMul": _onnx("MatMul")}
    integer = {name: _onnx(name) for name in ("MatMulInteger", "MatMulIntegerToFloat")}
    return {"float32": best(those, makers, seconds), "int8": best(those, integer, seconds)}


def best(
    those: list[Shape],
    makers: dict[str, Callable[[Shape], Callable[[], object]]],
    seconds: float,
) -> dict[str, Any]:
    """The best rate over shapes and ways, and every rate by way and shape."""
    found = {
        name: {
            "x".join(map(str, shape)): 2.0 * np.prod(shape) / _least(make(shape), seconds)
            for shape in those
        }
        for name, make in makers.items()
    }
    rate, way, shape = max((r, w, s) for w, by in found.items() for s, r in by.items())
    return {"rate": float(rate), "by": way, "shape": shape, "all": found}


def _least(run: Callable[[], object], seconds: float) -> float:
    """Seconds of the fastest of as many runs as there is time for; a first one is not counted."""
    run()
    least = float("inf")
    end = time.perf_counter() + seconds
    while least == float("inf") or time.perf_counter() < end:
        began = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - began)
    return least


def _numpy(shape: Shape) -> Callable[[], object]:
    left, right = _floats(shape)
    return lambda: left @ right


def _torch(shape: Shape) -> Callable[[], object]:
    import torch

    torch.set_num_threads(usable_cpus())
    left, right = map(torch.from_numpy, _floats(shape))
    return lambda: left @ right


def _on_gpu(engine: Engine) -> Callable[[Shape], Callable[[], object]]:
    def make(shape: Shape) -> Callable[[], object]:
        import torch

        dtype = getattr(torch, engine.dtype)
        left, right = (
            torch.from_numpy(one).to(engine.device, dtype=dtype) for one in _floats(shape)
        )

        def run() -> None:
            _ = left @ right
            torch.cuda.synchronize(engine.device)

        return run

    return make


def _onnx(kind: str) -> Callable[[Shape], Callable[[], object]]:
    """A graph of one product by constant weights, as the shipped graph has many of."""

    def make(shape: Shape) -> Callable[[], object]:
        import onnx
        import onnxruntime

        rows, inner, columns = shape
        rng = np.random.default_rng(0)
        tokens, weights = _floats(shape)
        inputs = ["tokens", "weights"]
        constants = {"weights": weights}
        if kind != "MatMul":
            tokens = rng.integers(0, 255, (rows, inner), dtype=np.uint8)
            constants["weights"] = rng.integers(-63, 64, (inner, columns), dtype=np.int8)
            constants["zero"] = np.array(128, dtype=np.uint8)
        if kind == "MatMulInteger":
            inputs.append("zero")
        if kind == "MatMulIntegerToFloat":
            constants["one"] = np.array(1, dtype=np.float32)
            constants["steps"] = np.ones(columns, dtype=np.float32)
            inputs += ["one", "steps", "zero"]
        of = onnx.helper
        element = of.np_dtype_to_tensor_dtype(tokens.dtype)
        result = onnx.TensorProto.INT32 if kind == "MatMulInteger" else onnx.TensorProto.FLOAT
        domain = "com.microsoft" if kind == "MatMulIntegerToFloat" else ""
        graph = of.make_graph(
            [of.make_node(kind, inputs, ["product"], domain=domain)],
            "product",
            [of.make_tensor_value_info("tokens", element, [rows, inner])],
            [of.make_tensor_value_info("product", result, [rows, columns])],
            [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
        )
        opsets = [of.make_opsetid("", ONNX_OPSET), of.make_opsetid("com.microsoft", 1)]
        model = of.make_model(graph, opset_imports=opsets, ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cpus()
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return lambda: session.run(None, {"tokens": tokens})

    return make


def _floats(shape: Shape) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((rows, inner), dtype=np.float32),
        rng.standard_normal((inner, columns), dtype=np.float32),
    )
