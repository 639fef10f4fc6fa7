"""MiniLM, a BERT of six layers, as an ONNX graph built from its weights instead of an exported file.

The graph takes texts of one length, without padding or mask. Word embeddings, half of the weights, are looked up
outside the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.records import F32

if TYPE_CHECKING:
    import onnx

WIDTH = 384
HEADS = 12
LAYERS = 6
EPSILON = 1e-12
"""Epsilon of every layer norm."""


class _Graph:
    """Nodes and constants in their order; each method returns the name of its output."""

    def __init__(self, weights: Mapping[str, F32]) -> None:
        from onnx import helper, numpy_helper

        self._helper: Any = helper
        self._numpy: Any = numpy_helper
        self._weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self._numpy.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **settings: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, list(inputs), [output], **settings))
        return output

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def norm(self, rows: str, name: str, output: str = "") -> str:
        gain, shift = (self.constant(self._weights[f"{name}.LayerNorm.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", rows, gain, shift, axis=-1, epsilon=EPSILON, output=output)

    def dense(self, rows: str, *names: str, gains: tuple[float, ...] = (1,)) -> str:
        """One product with the weights of all `names` side by side, each multiplied by its gain."""
        weight = np.concatenate([g * self._weights[f"{name}.weight"].T for name, g in zip(names, gains)], 1)
        bias = np.concatenate([g * self._weights[f"{name}.bias"] for name, g in zip(names, gains)])
        product = self.node("MatMul", rows, self.constant(weight.astype(np.float32)))
        return self.node("Add", product, self.constant(bias.astype(np.float32)))

    def attention(self, rows: str, name: str) -> str:
        parts = [f"{name}.self.{part}" for part in ("query", "key", "value")]
        three = self.dense(rows, *parts, gains=((WIDTH // HEADS) ** -0.5, 1, 1))  # (n, t, 3 * 384)
        apart = self.node("Reshape", three, self.constant(np.array([0, 0, 3, HEADS, WIDTH // HEADS], np.int64)))
        # (n, t, heads, 32) each
        numbers = (self.constant(np.array(i, np.int64)) for i in range(3))
        queries, keys, values = (self.node("Gather", apart, number, axis=2) for number in numbers)
        queries, values = (self.node("Transpose", x, perm=[0, 2, 1, 3]) for x in (queries, values))
        keys = self.node("Transpose", keys, perm=[0, 2, 3, 1])
        weights = self.node("Softmax", self.node("MatMul", queries, keys), axis=-1)  # (n, heads, t, t)
        mixed = self.node("Transpose", self.node("MatMul", weights, values), perm=[0, 2, 1, 3])
        joined = self.node("Reshape", mixed, self.constant(np.array([0, 0, WIDTH], np.int64)))
        return self.dense(joined, f"{name}.output.dense")

    def gelu(self, x: str) -> str:
        spread = self.node("Erf", self.node("Div", x, self.number(2**0.5)))
        return self.node("Mul", self.node("Mul", x, self.node("Add", spread, self.number(1))), self.number(0.5))

    def layer(self, rows: str, name: str, output: str = "") -> str:
        """One transformer layer."""
        attended = self.node("Add", self.attention(rows, f"{name}.attention"), rows)
        rows = self.norm(attended, f"{name}.attention.output")
        inner = self.dense(self.gelu(self.dense(rows, f"{name}.intermediate.dense")), f"{name}.output.dense")
        return self.norm(self.node("Add", inner, rows), f"{name}.output", output)


def onnx_model(weights: Mapping[str, F32]) -> onnx.ModelProto:
    """(n, t, 384) "embeddings", words and positions summed, to (n, t, 384) "states" of the last layer.

    The mean over tokens is left to the caller: onnxruntime takes it in another order for one text than for several.

    Args:
        weights: by the names of the checkpoint.
    """
    from onnx import TensorProto, helper

    graph = _Graph(weights)
    rows = graph.norm("embeddings", "embeddings")
    for i in range(LAYERS):
        rows = graph.layer(rows, f"encoder.layer.{i}", "states" if i == LAYERS - 1 else "")
    inputs = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", "t", WIDTH])
    outputs = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "t", WIDTH])
    body = helper.make_graph(graph.nodes, "minilm", [inputs], [outputs], graph.constants)
    # The oldest operator set with layer norms, so that any runtime since 2022 reads it.
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
