"""An ONNX graph in float32 to one whose weights, and the products with them, are 8-bit integers.

Activations are scaled token by token: each token's own largest value sets its scale, computed as
the graph runs. So an answer cannot depend on what else is in the batch, as it does where one
scale serves the batch, and no calibration data are needed. Weights are scaled column by column.

Weights keep to seven bits: on processors without VNNI, two products of eight by eight bits
overflow the 16-bit sum they are added in, and the answer would then change with the processor.
``snap`` moves a model's float weights to the steps that seven bits can say, so that a float engine
and the integer one run the very same weights and differ only in the rounding of activations.

A few features of a normalised token are many times larger than the rest, and one scale a token
leaves those few steps for all others. ``relief`` tells from the layer norm alone which they are:
they are divided by a power of two before rounding, and their weights multiplied by it (Xiao et al.
2023, "SmoothQuant", whose scales come from calibration data instead).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.errors import MissingExtraError

__all__ = ["quantise", "relief", "snap"]

WEIGHT_LEVELS = 63  # of 7 bits, symmetric; see above
ACTIVATION_LEVELS = 127  # of 8 bits, symmetric around ZERO
ZERO = 128  # of the unsigned bytes that the fast kernels take
SMALLEST = 1e-6  # a token of all zeros must not be divided by zero
RELIEF = 0.5  # share of a feature's excess, as a power, that its weights take over
GELU_FLOOR = 0.17  # minus the least value of GELU, -0.16997, rounded up


def quantise(graph_model: Any) -> Any:
    """Rewrite every product with constant weights, and every table of embeddings.

    Args:
        graph_model: an ``onnx.ModelProto`` in float32; changed in place and returned.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("onnx", "train") from None
    graph = graph_model.graph
    rewriter = _Rewriter(onnx, graph)
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        graph.node.extend(rewriter.rewrite(node))
    rewriter.drop_unused()
    if all(opset.domain != "com.microsoft" for opset in graph_model.opset_import):
        graph_model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    return graph_model


class _Rewriter:
    def __init__(self, onnx: Any, graph: Any) -> None:
        self.onnx = onnx
        self.graph = graph
        self.constants = {
            tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.made_by = {output: node for node in graph.node for output in node.output}
        # Queries, keys and values multiply the same tokens: those are made integer once.
        self.tokens: dict[str, tuple[str, str]] = {}
        self._add("int8_levels", np.float32(ACTIVATION_LEVELS))
        self._add("int8_smallest", np.float32(SMALLEST))
        self._add("int8_one", np.float32(1))
        self._add("int8_zero", np.uint8(ZERO))
        self._add("int8_bottom", np.uint8(0))
        self._add("int8_all_levels", np.float32(255))
        self._add("int8_gelu_floor", np.float32(GELU_FLOOR))
        self._add("int8_last_axis", np.array([-1], dtype=np.int64))

    def rewrite(self, node: Any) -> list[Any]:
        """The nodes that take a node's place; itself where there is nothing to do."""
        if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
            return self._product(node)
        if node.op_type == "Gather" and self._is_matrix(node.input[0]):
            return self._lookup(node)
        return [node]

    def drop_unused(self) -> None:
        """Remove the float weights that nothing reads any more."""
        used = {name for node in self.graph.node for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)

    def _is_matrix(self, name: str) -> bool:
        value = self.constants.get(name)
        return value is not None and value.ndim == 2 and value.dtype == np.float32

    def _product(self, node: Any) -> list[Any]:
        source, weights = node.input
        name = node.output[0]
        made_by = self.made_by.get(source)
        kind = made_by.op_type if made_by else ""
        eased = self._relief(made_by) if kind == "LayerNormalization" else None
        matrix = self.constants[weights]
        integers, scale = _columns(matrix if eased is None else matrix * eased[:, None])
        self._add(f"{name}_weights", integers)
        self._add(f"{name}_scale", scale)
        gelu = kind == "Gelu"
        nodes, tokens, token_scale = self._as_integers(source, gelu, eased)
        scaled = f"{name}_lifted" if gelu else name
        zero = "int8_bottom" if gelu else "int8_zero"
        nodes += [
            self._node(
                "MatMulIntegerToFloat",
                [tokens, f"{name}_weights", "int8_one", f"{name}_scale", zero],
                f"{name}_unscaled",
                domain="com.microsoft",
            ),
            self._node("Mul", [f"{name}_unscaled", token_scale], scaled),
        ]
        if gelu:
            # What lifting the tokens added to each column is known beforehand.
            self._add(f"{name}_lift", -GELU_FLOOR * (integers * scale).sum(axis=0))
            nodes.append(self._node("Add", [scaled, f"{name}_lift"], name))
        return nodes

    def _relief(self, norm: Any) -> NDArray[np.float32]:
        gain, shift = (self.constants[name] for name in norm.input[1:3])
        return relief(gain, shift)

    def _as_integers(
        self, source: str, gelu: bool, eased: NDArray[np.float32] | None
    ) -> tuple[list[Any], str, str]:
        """Nodes that make bytes of a tensor's tokens, and the names of bytes and scales.

        GELU's values lie nearly all above zero: lifted by its floor they use all 255 steps, where
        a scale that is symmetric around zero would waste half of them.
        """
        if source in self.tokens:
            return [], *self.tokens[source]
        tokens, scale = f"{source}_int8", f"{source}_token_scale"
        self.tokens[source] = tokens, scale
        if gelu:
            operand, levels, zero = f"{source}_lifted", "int8_all_levels", "int8_bottom"
            size = operand
            nodes = [self._node("Add", [source, "int8_gelu_floor"], operand)]
        else:
            operand, levels, zero = source, "int8_levels", "int8_zero"
            nodes = []
            if eased is not None:
                operand = f"{source}_eased"
                self._add(f"{source}_ease", 1 / eased)
                nodes.append(self._node("Mul", [source, f"{source}_ease"], operand))
            size = f"{source}_abs"
            nodes.append(self._node("Abs", [operand], size))
        nodes += [
            self._node("ReduceMax", [size, "int8_last_axis"], f"{source}_most"),
            self._node("Max", [f"{source}_most", "int8_smallest"], f"{source}_range"),
            self._node("Div", [f"{source}_range", levels], scale),
            self._node("Div", [operand, scale], f"{source}_steps"),
            self._node("QuantizeLinear", [f"{source}_steps", "int8_one", zero], tokens),
        ]
        return nodes, tokens, scale

    def _lookup(self, node: Any) -> list[Any]:
        table, indices = node.input
        name = node.output[0]
        integers, scale = _columns(self.constants[table].T, levels=ACTIVATION_LEVELS)
        self._add(f"{name}_table", integers.T.copy())
        self._add(f"{name}_scale", scale[:, None].copy())
        return [
            self._node("Gather", [f"{name}_table", indices], f"{name}_bytes"),
            self._node("Gather", [f"{name}_scale", indices], f"{name}_step"),
            self._node("Cast", [f"{name}_bytes"], f"{name}_unscaled", to=1),
            self._node("Mul", [f"{name}_unscaled", f"{name}_step"], name),
        ]

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
        return self.onnx.helper.make_node(kind, inputs, [output], name=output, **attributes)

    def _add(self, name: str, value: NDArray[Any] | np.generic) -> None:
        self.graph.initializer.append(self.onnx.numpy_helper.from_array(np.asarray(value), name))


def snap(
    weights: NDArray[np.float32],
    table: bool = False,
    eased: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Weights of shape (outputs, inputs), each moved to the nearest step its row can say.

    Args:
        weights: of a linear layer, or of an embedding table of shape (entries, width).
        table: whether it is a table; those are looked up, not multiplied, and keep eight bits.
        eased: ``relief`` of the layer norm that feeds the layer, if one does; shape (inputs,).
    """
    factors = np.ones(weights.shape[1], dtype=np.float32) if eased is None else eased
    levels = ACTIVATION_LEVELS if table else WEIGHT_LEVELS
    integers, step = _columns((weights * factors).T, levels)
    return ((integers * step).T / factors).astype(np.float32)


def relief(gain: NDArray[np.float32], shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """Powers of two, at least 1, to divide the features of a layer norm by; shape (width,).

    A normalised feature mostly lies within two standard deviations, so its size after the norm is
    about twice its gain, plus its shift. Half of the excess over the usual feature is taken, as a
    power: the rest stays with the activations, or the weights would lose what those gain.
    """
    size = 2 * np.abs(gain) + np.abs(shift)
    excess = np.maximum(size / np.median(size), 1)
    factors: NDArray[np.float32] = np.exp2(np.rint(RELIEF * np.log2(excess))).astype(np.float32)
    return factors


def _columns(
    weights: NDArray[np.float32], levels: int = WEIGHT_LEVELS
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Integers of shape (rows, columns) and a step of shape (columns,)."""
    step = np.maximum(np.abs(weights).max(axis=0), SMALLEST) / levels
    return np.rint(weights / step).astype(np.int8), step.astype(np.float32)
