"""8-bit products: how far from the float ones, and that rows keep out of each other's way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from stancekit.checkpoint import ONNX_WEIGHTS
from stancekit.model import BUNDLED
from stancekit.quantise import (
    ACTIVATION_LEVELS,
    GELU_FLOOR,
    WEIGHT_LEVELS,
    ZERO,
    _columns,
    quantise,
    snap,
)

Floats = NDArray[np.float32]
WIDTH, COLUMNS = 48, 20


def graph(nodes: list[Any], constants: dict[str, Floats], outputs: list[str], ids: bool) -> Any:
    kind, shape = (
        (TensorProto.INT64, ["batch", "tokens"])
        if ids
        else (TensorProto.FLOAT, ["batch", "tokens", WIDTH])
    )
    return helper.make_model(
        helper.make_graph(
            nodes,
            "hand_made",
            [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )


def product(weights: Floats, gelu: bool = False) -> Any:
    nodes = [helper.make_node("Gelu", ["x"], ["g"])] if gelu else []
    nodes.append(helper.make_node("MatMul", ["g" if gelu else "x", "w"], ["y"]))
    return graph(nodes, {"w": weights}, ["y"], ids=False)


def run(model: Any, x: NDArray[Any]) -> list[Floats]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    results: list[Floats] = session.run(None, {"x": x})
    return results


def kinds(model: Any) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def matrix(seed: int, *shape: int, scale: float = 1.0) -> Floats:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def gelu(x: Floats) -> Floats:
    import torch

    result: Floats = torch.nn.functional.gelu(torch.from_numpy(x)).numpy()
    return result


@pytest.mark.parametrize("scale", [1e-2, 1.0, 50.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_product_differs_only_by_the_rounding_of_its_tokens(seed: int, scale: float) -> None:
    weights = snap(matrix(seed, COLUMNS, WIDTH)).T.copy()
    x = matrix(seed + 10, 3, 7, WIDTH, scale=scale)
    model = quantise(product(weights))
    assert kinds(model)["MatMulIntegerToFloat"] == 1 and "MatMul" not in kinds(model)
    (got,) = run(model, x)
    half_step = np.abs(x).max(-1, keepdims=True) / ACTIVATION_LEVELS / 2
    most = half_step * np.abs(weights).sum(0)
    assert (np.abs(got - x @ weights) <= most * 1.001 + 1e-5 * scale).all()
    assert np.abs(got - x @ weights).max() > 0  # it is not the float product in disguise


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_a_product_after_gelu_has_twice_as_fine_steps(scale: float) -> None:
    # Times one, so that each answer shows the rounding of one value.
    x = matrix(4, 3, 70, WIDTH, scale=scale)
    (got,) = run(quantise(product(np.eye(WIDTH, dtype=np.float32), gelu=True)), x)
    half_step = (gelu(x).max(-1, keepdims=True) + GELU_FLOOR) / 255 / 2
    assert (np.abs(got - gelu(x)) <= half_step * 1.001 + 1e-5).all()


def test_gelu_never_falls_below_its_floor() -> None:
    x = np.linspace(-3, 3, 100_001, dtype=np.float32)
    assert -GELU_FLOOR < gelu(x).min() < -GELU_FLOOR + 1e-3


def test_raw_weights_are_off_by_half_a_step_at_most() -> None:
    weights = matrix(5, WIDTH, COLUMNS)
    integers, step = _columns(weights)
    assert (np.abs(integers * step - weights) <= step / 2 * 1.001).all()


def test_a_table_of_embeddings_keeps_eight_bits() -> None:
    table = matrix(6, 30, WIDTH, scale=0.05)
    node = helper.make_node("Gather", ["t", "x"], ["y"])
    ids = np.array([[0, 29, 7], [7, 7, 1]])
    (got,) = run(quantise(graph([node], {"t": table}, ["y"], ids=True)), ids)
    half_step = np.abs(table).max(1, keepdims=True) / 127 / 2
    assert (np.abs(got - table[ids]) <= half_step[ids] * 1.001).all()
    (snapped,) = run(quantise(graph([node], {"t": snap(table, True)}, ["y"], ids=True)), ids)
    np.testing.assert_allclose(snapped, snap(table, True)[ids], rtol=1e-6)


def test_a_token_of_zeros_gives_zeros() -> None:
    x = np.zeros((1, 2, WIDTH), np.float32)
    (got,) = run(quantise(product(matrix(7, WIDTH, COLUMNS))), x)
    assert (got == 0).all()


def test_a_column_of_zeros_stays_zero() -> None:
    weights = matrix(8, WIDTH, COLUMNS)
    weights[:, 3] = 0
    (got,) = run(quantise(product(weights)), matrix(9, 1, 4, WIDTH))
    assert np.isfinite(got).all() and (got[..., 3] == 0).all()


@pytest.mark.parametrize("gelu", [False, True])
def test_rows_do_not_touch_each_other(gelu: bool) -> None:
    x = matrix(10, 4, 5, WIDTH)
    x[1] *= 1000  # a neighbour that would take a shared scale for itself
    model = quantise(product(matrix(11, WIDTH, COLUMNS), gelu))
    (together,) = run(model, x)
    for row in range(4):
        (alone,) = run(model, x[row : row + 1])
        np.testing.assert_array_equal(together[row], alone[0])


def test_one_scale_a_batch_would_let_rows_touch_each_other(tmp_path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    onnx.save(product(matrix(11, WIDTH, COLUMNS)), tmp_path / "float.onnx")
    quantize_dynamic(tmp_path / "float.onnx", tmp_path / "int8.onnx")
    model = onnx.load(tmp_path / "int8.onnx")
    x = matrix(10, 2, 5, WIDTH)
    x[1] *= 1000
    (together,), (alone,) = run(model, x), run(model, x[:1])
    assert np.abs(together[0] - alone[0]).max() > 1


def three_products(weights: dict[str, Floats]) -> Any:
    nodes = [helper.make_node("MatMul", ["x", name], [f"y_{name}"]) for name in weights]
    return graph(nodes, weights, [f"y_{name}" for name in weights], ids=False)


def qkv(seed: int) -> dict[str, Floats]:
    return {name: snap(matrix(seed + i, COLUMNS, WIDTH)).T.copy() for i, name in enumerate("qkv")}


@pytest.mark.parametrize("offset", [0, 6, -6])
def test_queries_keys_and_values_are_one_product_with_steps_of_its_tokens(offset: float) -> None:
    weights = qkv(30)
    model = quantise(three_products(weights))
    assert kinds(model)["MatMulIntegerToFloat"] == 1 and "MatMul" not in kinds(model)
    assert kinds(model)["QuantizeLinear"] == 1
    x = matrix(20, 2, 3, WIDTH) + np.float32(offset)
    half_step = np.ptp(x, axis=-1, keepdims=True) / 255 / 2
    for matrix_, got in zip(weights.values(), run(model, x), strict=True):
        most = half_step * np.abs(matrix_).sum(0)
        assert (np.abs(got - x @ matrix_) <= most * 1.001 + 1e-4).all()
        assert np.abs(got - x @ matrix_).max() > 0


def test_products_of_the_same_tokens_keep_rows_apart() -> None:
    model = quantise(three_products(qkv(40)))
    x = matrix(41, 3, 5, WIDTH)
    x[1] *= 1000
    together = run(model, x)
    for row in range(3):
        for all_rows, alone in zip(together, run(model, x[row : row + 1]), strict=True):
            np.testing.assert_array_equal(all_rows[row], alone[0])


def test_a_token_of_one_value_keeps_it() -> None:
    weights = qkv(50)
    x = np.full((1, 2, WIDTH), -3, np.float32)
    for matrix_, got in zip(
        weights.values(), run(quantise(three_products(weights)), x), strict=True
    ):
        np.testing.assert_allclose(got, x @ matrix_, rtol=1e-4, atol=1e-4)


def test_products_of_two_activations_stay_in_float() -> None:
    node = helper.make_node("MatMul", ["x", "turned"], ["y"])
    turn = helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1])
    assert kinds(quantise(graph([turn, node], {}, ["y"], ids=False)))["MatMul"] == 1


def test_no_float_weights_are_left_over() -> None:
    model = quantise(product(matrix(12, WIDTH, COLUMNS)))
    assert "w" not in {tensor.name for tensor in model.graph.initializer}
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used


def test_no_pair_of_products_overflows_sixteen_bits() -> None:
    assert 2 * 255 * WEIGHT_LEVELS <= 2**15 - 1
    assert ZERO + ACTIVATION_LEVELS <= 255


def test_weights_of_a_real_file_keep_to_seven_bits(tiny_model_dir: Path) -> None:
    model = onnx.load(tiny_model_dir / ONNX_WEIGHTS)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    products = [n for n in model.graph.node if n.op_type == "MatMulIntegerToFloat"]
    # Two layers of queries, keys and values together, the way out of attention, and two more.
    assert len(products) == 8
    for node in products:
        weights = constants[node.input[1]]
        assert weights.dtype == np.int8
        assert np.abs(weights.astype(int)).max() == WEIGHT_LEVELS
    assert kinds(model)["QuantizeLinear"] == 8


matrices = st.builds(
    lambda seed, power: matrix(seed, 12, 16, scale=10.0**power),
    st.integers(0, 2**32),
    st.floats(-3, 1),
)


@settings(max_examples=100, deadline=None)
@given(weights=matrices, table=st.booleans())
def test_snapping_twice_is_snapping_once(weights: Floats, table: bool) -> None:
    once = snap(weights, table)
    assert once.dtype == np.float32 and once.shape == weights.shape
    np.testing.assert_allclose(snap(once, table), once, rtol=1e-6)


@settings(max_examples=100, deadline=None)
@given(weights=matrices, levels=st.sampled_from([WEIGHT_LEVELS, ACTIVATION_LEVELS]))
def test_snapped_weights_become_the_same_integers_again(weights: Floats, levels: int) -> None:
    integers, _ = _columns(weights.T, levels)
    snapped = snap(weights, table=levels == ACTIVATION_LEVELS)
    again, _ = _columns(snapped.T, levels)
    np.testing.assert_array_equal(again, integers)
    through_half, _ = _columns(snapped.astype(np.float16).astype(np.float32).T, levels)
    np.testing.assert_array_equal(through_half, integers)


def test_what_little_training_changed_outlives_rounding() -> None:
    before = snap(matrix(60, COLUMNS, 4000))
    step = np.abs(before).max(1, keepdims=True) / WEIGHT_LEVELS
    after = before + np.where(np.abs(before) < step * (WEIGHT_LEVELS - 1), 0.1 * step, 0)
    # To the nearest step, every weight falls back to where it was.
    np.testing.assert_array_equal(snap(after.astype(np.float32)), before)
    drawn = snap(after.astype(np.float32), rng=np.random.default_rng(1))
    moved = ((drawn - before) / step).mean(1)
    assert moved == pytest.approx(np.full(COLUMNS, 0.1), abs=0.03)
    # What is drawn are steps of the same size, so that the graph holds these very weights.
    np.testing.assert_allclose(snap(drawn), drawn, rtol=1e-6)


@pytest.mark.parametrize("bundled", [False, pytest.param(True, marks=pytest.mark.bundled)])
def test_an_exported_graph_names_no_source_file(tiny_model_dir: Path, bundled: bool) -> None:
    folder = BUNDLED if bundled else tiny_model_dir
    # The exporter notes the line of code behind each node, with its path on that machine.
    assert b".py" not in (folder / ONNX_WEIGHTS).read_bytes()
