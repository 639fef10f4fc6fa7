"""EfficientNet-Lite0 in onnxruntime if installed, else the same folded convolutions in torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import numpy as np

from core.encoders.embedded.lite0 import N_FEATURES, SIDE, Convolution, onnx_model
from core.errors import InvalidInput
from core.records import F32

Mapper = Callable[[F32], tuple[F32, ...]]
"""From (n, 3, 224, 224) in [-1, 1] to the (n, channels, side, side) outputs of its layers, then the (n, 1280) pooled
features."""

THREADS = "ERRATA_THREADS"
"""Environment variable with the number of cores of this process, for several processes on a machine."""


def usable_cores() -> int:
    """Count the cores that this process may use, which in a container are fewer than the machine's; at most `THREADS`.

    Raises:
        InvalidInput: the variable is not a whole number from 1.
    """
    every = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        every = len(os.sched_getaffinity(0))
    value = os.environ.get(THREADS, "").strip() or str(every)
    if not value.isdecimal() or not int(value):
        raise InvalidInput(
            f"{THREADS} in the environment must be a whole number of cores from 1: got {value!r}. Change or unset it."
        )
    return min(every, int(value))


def onnx_mapper(layers: list[Convolution], maps: Sequence[int], threads: int) -> Mapper:
    """Build the network in onnxruntime, float32.

    Every image is run alone on one thread, `threads` images at a time. On two cores this is a quarter faster than one
    batch over two threads, and an image's features cannot depend, even in the last bit, on its batch.
    """
    onnxruntime: Any = import_module("onnxruntime")
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(
        onnx_model(layers, maps).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    pool = ThreadPoolExecutor(threads, thread_name_prefix="lite0")
    names = [*(f"map{i}" for i in maps), "features"]
    empty = [np.empty((0, *shape), np.float32) for shape in [*map_shapes(layers, maps), (N_FEATURES,)]]

    def run(batch: F32) -> tuple[F32, ...]:
        def run_row(row: int) -> list[F32]:
            return session.run(names, {"image": batch[row : row + 1]})

        rows = list(pool.map(run_row, range(len(batch))))
        return tuple(np.concatenate([none, *(row[k] for row in rows)]) for k, none in enumerate(empty))

    return run


def map_shapes(layers: list[Convolution], maps: Sequence[int]) -> list[tuple[int, int, int]]:
    """(channels, side, side) of each layer's output."""
    sides = [SIDE]
    for layer in layers:
        sides.append(-(-sides[-1] // layer.stride))
    return [(len(layers[i].weight), sides[i + 1], sides[i + 1]) for i in maps]


def torch_mapper(layers: list[Convolution], maps: Sequence[int]) -> Mapper:
    """Build the network in torch, float32, on the GPU if available. On the CPU it has about a third of onnxruntime's
    speed."""
    from core.encoders.batches import chosen_device  # torch

    torch: Any = import_module("torch")
    functional: Any = import_module("torch.nn.functional")
    device = chosen_device()
    kernels = [torch.tensor(layer.weight, device=device) for layer in layers]
    kernels = [kernel.contiguous(memory_format=torch.channels_last) for kernel in kernels]
    biases = [torch.tensor(layer.bias, device=device) for layer in layers]

    def run_images(image: Any) -> list[Any]:
        block_input = image
        side = SIDE
        outputs: dict[int, Any] = {}
        for i, layer in enumerate(layers):
            if layer.opens_block:
                block_input = image
            padded = functional.pad(image, layer.padding(side) * 2)
            image = functional.conv2d(padded, kernels[i], biases[i], layer.stride, 0, 1, layer.groups)
            side = image.shape[-1]
            if layer.clipped:
                image = image.clamp_(0, 6)
            if layer.adds_input:
                image = image + block_input
            if i in maps:
                outputs[i] = image.contiguous()
        return [*(outputs[i] for i in maps), image.mean((2, 3))]

    empty = [torch.empty(0, *shape, device=device) for shape in [*map_shapes(layers, maps), (N_FEATURES,)]]

    def run(batch: F32) -> tuple[F32, ...]:
        with torch.inference_mode():
            images = torch.from_numpy(batch).to(device).contiguous(memory_format=torch.channels_last)
            size = 1  # on the CPU, so that an image's vector does not depend on its batch
            if device.type == "cuda":
                size = len(batch) or 1
            rows = [run_images(part) for part in images.split(size)]
            return tuple(torch.cat([none, *(row[k] for row in rows)]).cpu().numpy() for k, none in enumerate(empty))

    return run


def best_mapper(layers: list[Convolution], maps: Sequence[int], threads: int | None = None) -> Mapper:
    """Build the network in onnxruntime if it and onnx are installed, else in torch."""
    try:
        return onnx_mapper(layers, maps, threads or usable_cores())
    except ImportError:
        return torch_mapper(layers, maps)
