"""An ONNX graph in float32 to one whose weights, and the products with them, are 8-bit integers.

Activations are scaled token by token: each token's own largest value sets its scale, computed as
the graph runs. So an answer cannot depend on what else is in the batch, as it does where one
scale serves the batch, and no calibration data are needed. Weights are scaled column by column.

Weights keep to seven bits: on processors without VNNI, two products of eight by eight bits
overflow the 16-bit sum they are added in, and the answer would then change with the processor.
``snap`` moves a model's float weights to the steps that seven bits can say, so that a float engine
and the integer one run the very same weights and differ only in the rounding of activations.

Queries, keys and values are most of what rounding costs, and all multiply the same tokens: one
product makes them together, from tokens whose steps run from their own least value to their own
greatest. What a token's least value adds to each column is put back in float.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancekit.errors import MissingExtraError

__all__ = ["quantise", "snap"]

WEIGHT_LEVELS = 63  # of 7 bits, symmetric; see above
ACTIVATION_LEVELS = 127  # of 8 bits, symmetric around ZERO
ZERO = 128  # of the unsigned bytes that the fast kernels take
SMALLEST = 1e-6  # a token of all zeros must not be divided by zero
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
        # By what they multiply.
        self.products: dict[str, list[Any]] = {}
        for node in graph.node:
            if self._is_product(node):
                self.products.setdefault(node.input[0], []).append(node)
        self.added: dict[str, NDArray[Any]] = {}
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
        if self._is_product(node):
            together = self.products[node.input[0]]
            if len(together) == 1:
                return self._product(node)
            return self._products(together) if node is together[0] else []
        if node.op_type == "Gather" and self._is_matrix(node.input[0]):
            return self._lookup(node)
        return [node]

    def drop_unused(self) -> None:
        """Remove the constants that nothing reads any more."""
        used = {name for node in self.graph.node for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)

    def _is_product(self, node: Any) -> bool:
        return node.op_type == "MatMul" and self._is_matrix(node.input[1])

    def _is_matrix(self, name: str) -> bool:
        value = self.constants.get(name)
        return value is not None and value.ndim == 2 and value.dtype == np.float32

    def _product(self, node: Any) -> list[Any]:
        source, weights = node.input
        name = node.output[0]
        made_by = self.made_by.get(source)
        if made_by is not None and made_by.op_type == "Gelu":
            # GELU's values lie nearly all above zero: lifted by its floor they use all 255 steps,
            # where a scale that is symmetric around zero would waste half of them.
            operand = f"{source}_lifted"
            nodes = [
                self._node("Add", [source, "int8_gelu_floor"], operand),
                *self._steps(source, operand, operand, "int8_all_levels", "int8_bottom"),
                *self._multiply(source, name, f"{name}_unlowered", self.constants[weights]),
                self._node("Add", [f"{name}_unlowered", f"{name}_lift"], name),
            ]
            # What lifting the tokens added to each column is known beforehand.
            self._add(f"{name}_lift", -GELU_FLOOR * self._column_sums(name))
            return nodes
        size = f"{source}_abs"
        return [
            self._node("Abs", [source], size),
            *self._steps(source, source, size, "int8_levels", "int8_zero"),
            *self._multiply(source, name, name, self.constants[weights], "int8_zero"),
        ]

    def _products(self, members: list[Any]) -> list[Any]:
        """Several products of the same tokens as one."""
        source, name = members[0].input[0], f"{members[0].output[0]}_together"
        matrices = [self.constants[member.input[1]] for member in members]
        least, operand = f"{source}_least", f"{source}_lifted"
        nodes = [
            self._node("ReduceMin", [source, "int8_last_axis"], least),
            self._node("Sub", [source, least], operand),
            *self._steps(source, operand, operand, "int8_all_levels", "int8_bottom"),
            *self._multiply(source, name, f"{name}_lifted", np.concatenate(matrices, axis=1)),
            self._node("Mul", [least, f"{name}_sums"], f"{name}_lowered"),
            self._node("Add", [f"{name}_lifted", f"{name}_lowered"], name),
        ]
        self._add(f"{name}_sums", self._column_sums(name))
        self._add(f"{name}_widths", np.array([m.shape[1] for m in matrices], dtype=np.int64))
        split = self.onnx.helper.make_node(
            "Split",
            [name, f"{name}_widths"],
            [member.output[0] for member in members],
            name=f"{name}_split",
            axis=-1,
        )
        return [*nodes, split]

    def _steps(self, source: str, operand: str, size: str, levels: str, zero: str) -> list[Any]:
        """Nodes that make bytes of a tensor's tokens, ``SOURCE_int8``, and ``SOURCE_step``."""
        step = f"{source}_step"
        return [
            self._node("ReduceMax", [size, "int8_last_axis"], f"{source}_most"),
            self._node("Max", [f"{source}_most", "int8_smallest"], f"{source}_range"),
            self._node("Div", [f"{source}_range", levels], step),
            self._node("Div", [operand, step], f"{source}_steps"),
            self._node("QuantizeLinear", [f"{source}_steps", "int8_one", zero], f"{source}_int8"),
        ]

    def _multiply(
        self,
        source: str,
        name: str,
        output: str,
        matrix: NDArray[np.float32],
        zero: str = "int8_bottom",
    ) -> list[Any]:
        """Nodes that multiply a tensor's bytes, back to float at the step of each token."""
        integers, scale = _columns(matrix)
        self._add(f"{name}_weights", integers)
        self._add(f"{name}_scale", scale)
        return [
            self._node(
                "MatMulIntegerToFloat",
                [f"{source}_int8", f"{name}_weights", "int8_one", f"{name}_scale", zero],
                f"{name}_unscaled",
                domain="com.microsoft",
            ),
            self._node("Mul", [f"{name}_unscaled", f"{source}_step"], output),
        ]

    def _column_sums(self, name: str) -> NDArray[np.float32]:
        """What a token of ones gives in each column of a product's integer weights."""
        integers, scale = (self.added[f"{name}_{part}"] for part in ("weights", "scale"))
        sums: NDArray[np.float32] = (integers * scale).sum(axis=0)
        return sums

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
        self.added[name] = np.asarray(value)
        self.graph.initializer.append(self.onnx.numpy_helper.from_array(np.asarray(value), name))


def snap(
    weights: NDArray[np.float32], table: bool = False, rng: np.random.Generator | None = None
) -> NDArray[np.float32]:
    """Weights of shape (outputs, inputs), each moved to a step its row can say.

    Args:
        weights: of a linear layer, or of an embedding table of shape (entries, width).
        table: whether it is a table; those are looked up, not multiplied, and keep eight bits.
        rng: without one, the nearest step is taken. With one, the step above or below is drawn so
            that the mean is the weight: weights that lay on steps before they were trained a little
            would all fall back on them, and what training changed would be lost.
    """
    integers, step = _columns(weights.T, ACTIVATION_LEVELS if table else WEIGHT_LEVELS, rng)
    snapped: NDArray[np.float32] = (integers * step).T.astype(np.float32)
    return snapped


def _columns(
    weights: NDArray[np.float32],
    levels: int = WEIGHT_LEVELS,
    rng: np.random.Generator | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Integers of shape (rows, columns) and a step of shape (columns,)."""
    step = np.maximum(np.abs(weights).max(axis=0), SMALLEST) / levels
    exact = weights / step
    integers = np.rint(exact)
    if rng is not None:
        # The largest weight sets the step, and stays where it is.
        drawn = np.floor(exact + rng.random(exact.shape))
        integers = np.where(np.abs(exact) > levels - 0.5, integers, drawn)
    return integers.astype(np.int8), step.astype(np.float32)
