"""EfficientNet-Lite0 as a list of convolutions, and the list as an ONNX graph.

The architecture is Google's (EfficientNet-Lite, TensorFlow's "SAME" padding, batch-norm epsilon 1e-3). Batch norm is
folded into the preceding convolution in float64, so that a runtime needs only convolutions, clips and sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.records import F32

if TYPE_CHECKING:
    import onnx

SIDE = 224
"""Height and width of the input, pixels."""
N_FEATURES = 1280
_EPSILON = 1e-3
# Stride of each block's depthwise convolution, in order: seven stages of 1, 2, 2, 3, 3, 4 and 1 blocks.
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """One convolution with the batch norm folded in."""

    weight: F32
    """(out, in / groups, k, k)."""
    bias: F32
    """(out,)."""
    stride: int
    groups: int
    clipped: bool = True
    """Followed by a clip to [0, 6]."""
    opens_block: bool = False
    """Its input is added at the block's end."""
    adds_input: bool = False
    """The block's input is added to its output."""

    def padding(self, side: int) -> tuple[int, int]:
        """(before, after) for an input of `side` pixels: the odd pixel goes after, as TensorFlow does and PyTorch does
        not."""
        kernel = self.weight.shape[-1]
        total = max((-(-side // self.stride) - 1) * self.stride + kernel - side, 0)
        return total // 2, total - total // 2


def convolutions(weights: Mapping[str, npt.NDArray[Any]]) -> list[Convolution]:
    """The network from image to the map before pooling, in order of evaluation."""
    return list(_layers(weights))


def _layers(weights: Mapping[str, npt.NDArray[Any]]) -> Iterator[Convolution]:
    def conv(name: str, norm: str, stride: int = 1, depthwise: bool = False, **ends: bool) -> Convolution:
        kernel = weights[f"{name}.weight"].astype(np.float64)
        parts = ("weight", "bias", "running_mean", "running_var")
        gain, shift, mean, variance = (weights[f"{norm}.{part}"].astype(np.float64) for part in parts)
        scale = gain / np.sqrt(variance + _EPSILON)
        folded = (kernel * scale[:, None, None, None]).astype(np.float32)
        bias = (shift - mean * scale).astype(np.float32)
        return Convolution(folded, bias, stride, len(folded) if depthwise else 1, **ends)

    yield conv("_conv_stem", "_bn0", stride=2)
    for i, stride in enumerate(_STRIDES):
        block = f"_blocks.{i}"
        expands = f"{block}._expand_conv.weight" in weights
        project = weights[f"{block}._project_conv.weight"]
        n_in = project.shape[1]
        if expands:
            n_in = weights[f"{block}._expand_conv.weight"].shape[1]
            yield conv(f"{block}._expand_conv", f"{block}._bn0", opens_block=True)
        yield conv(f"{block}._depthwise_conv", f"{block}._bn1", stride=stride, depthwise=True, opens_block=not expands)
        adds = stride == 1 and n_in == len(project)
        yield conv(f"{block}._project_conv", f"{block}._bn2", clipped=False, adds_input=adds)
    yield conv("_conv_head", "_bn1")


def onnx_model(layers: list[Convolution], maps: Sequence[int] = ()) -> onnx.ModelProto:
    """The same network as an ONNX graph: (n, 3, 224, 224) "image" to (n, 1280) "features".

    Args:
        maps: layers whose (n, channels, side, side) outputs are added, as "map" and the layer's number.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    bounds = {"zero": 0, "six": 6}
    constants = [numpy_helper.from_array(np.array(bound, np.float32), name) for name, bound in bounds.items()]
    current = "image"
    block_input = "image"
    side = SIDE
    shapes: dict[int, list[Any]] = {}
    for i, layer in enumerate(layers):
        if layer.opens_block:
            block_input = current
        constants += [numpy_helper.from_array(layer.weight, f"w{i}"), numpy_helper.from_array(layer.bias, f"b{i}")]
        before, after = layer.padding(side)
        shape: dict[str, Any] = {"strides": [layer.stride] * 2, "pads": [before, before, after, after]}
        nodes.append(helper.make_node("Conv", [current, f"w{i}", f"b{i}"], [f"conv{i}"], group=layer.groups, **shape))
        current = f"conv{i}"
        side = -(-side // layer.stride)
        if layer.clipped:
            nodes.append(helper.make_node("Clip", [current, "zero", "six"], [f"clip{i}"]))
            current = f"clip{i}"
        if layer.adds_input:
            nodes.append(helper.make_node("Add", [current, block_input], [f"sum{i}"]))
            current = f"sum{i}"
        if i in maps:
            nodes.append(helper.make_node("Identity", [current], [f"map{i}"]))
            shapes[i] = ["n", len(layer.weight), side, side]
    nodes.append(helper.make_node("GlobalAveragePool", [current], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["features"], axis=1))
    named = {"features": ["n", N_FEATURES], **{f"map{i}": shape for i, shape in shapes.items()}}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    graph = helper.make_graph(nodes, "efficientnet-lite0", [image], outputs, constants)
    # The oldest file format that knows these operators, so that any recent runtime reads it.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
