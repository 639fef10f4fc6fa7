"""Run EfficientNet-Lite0: onnxruntime where it is installed, the same folded convolutions in torch where it is not."""

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
"""From (n, 3, 224, 224) in [-1, 1] to the (n, channels, side, side) outputs of the layers that it was made for, then
the (n, 1280) pooled features."""


THREADS = "ERRATA_THREADS"
"""The environment variable that says how many cores are this process's own, where several share a machine."""


def usable_cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine's; at most `THREADS`.

    Raises:
        InvalidInput: the variable says no whole number from 1.
    """
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get(THREADS, "").strip() or str(every)
    if not said.isdecimal() or not int(said):
        raise InvalidInput(
            f"{THREADS} in the environment must be a whole number of cores from 1: got {said!r}. Change or unset it."
        )
    return min(every, int(said))


def onnx_mapper(layers: list[Convolution], maps: Sequence[int], threads: int) -> Mapper:
    """The network in onnxruntime, float32.

    Every image is run alone, on one thread, and `threads` images at a time: on two cores that is a quarter faster than
    one batch over two threads, and an image's features cannot depend, even in the last bit, on what else is in its
    batch.
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
        def one(row: int) -> list[F32]:
            return session.run(names, {"image": batch[row : row + 1]})

        rows = list(pool.map(one, range(len(batch))))
        return tuple(np.concatenate([none, *(row[k] for row in rows)]) for k, none in enumerate(empty))

    return run


def map_shapes(layers: list[Convolution], maps: Sequence[int]) -> list[tuple[int, int, int]]:
    """(channels, side, side) of each layer's output."""
    sides = [SIDE]
    for layer in layers:
        sides.append(-(-sides[-1] // layer.stride))
    return [(len(layers[i].weight), sides[i + 1], sides[i + 1]) for i in maps]


def torch_mapper(layers: list[Convolution], maps: Sequence[int]) -> Mapper:
    """The network in torch, float32, on the GPU if there is one. About a third of onnxruntime's speed on the CPU."""
    from core.encoders.batches import chosen_device  # torch

    torch: Any = import_module("torch")
    functional: Any = import_module("torch.nn.functional")
    device = chosen_device()
    kernels = [torch.tensor(layer.weight, device=device) for layer in layers]
    kernels = [kernel.contiguous(memory_format=torch.channels_last) for kernel in kernels]
    biases = [torch.tensor(layer.bias, device=device) for layer in layers]

    def one(image: Any) -> list[Any]:
        kept = image
        side = SIDE
        found: dict[int, Any] = {}
        for i, layer in enumerate(layers):
            kept = image if layer.opens_block else kept
            padded = functional.pad(image, layer.padding(side) * 2)
            image = functional.conv2d(padded, kernels[i], biases[i], layer.stride, 0, 1, layer.groups)
            side = image.shape[-1]
            if layer.clipped:
                image = image.clamp_(0, 6)
            if layer.adds_input:
                image = image + kept
            if i in maps:
                found[i] = image.contiguous()
        return [*(found[i] for i in maps), image.mean((2, 3))]

    empty = [torch.empty(0, *shape, device=device) for shape in [*map_shapes(layers, maps), (N_FEATURES,)]]

    def run(batch: F32) -> tuple[F32, ...]:
        with torch.inference_mode():
            images = torch.from_numpy(batch).to(device).contiguous(memory_format=torch.channels_last)
            # On the CPU one at a time, so that the vectors do not depend on the batch.
            parts = images.split(len(batch) or 1 if device.type == "cuda" else 1)
            rows = [one(part) for part in parts]
            return tuple(torch.cat([none, *(row[k] for row in rows)]).cpu().numpy() for k, none in enumerate(empty))

    return run


def best_mapper(layers: list[Convolution], maps: Sequence[int], threads: int | None = None) -> Mapper:
    """onnxruntime's network if onnxruntime and onnx are installed, else torch's."""
    try:
        return onnx_mapper(layers, maps, threads or usable_cores())
    except ImportError:
        return torch_mapper(layers, maps)
