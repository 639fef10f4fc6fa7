"""Check the shapes and indices of a record's arrays."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def shaped(name: str, array: npt.NDArray[Any] | None, *shape: int | None) -> None:
    """Check the shape of an array, if there is one; None stands for any length.

    Raises:
        ValueError: the shape differs.
    """
    if array is None:
        return
    if array.ndim != len(shape) or any(want is not None and got != want for got, want in zip(array.shape, shape)):
        expected = " x ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name}: shape must be {expected}, not {array.shape}")


def below(name: str, numbers: npt.NDArray[Any] | None, n: int, low: int = 0) -> None:
    """Check that numbers are indices of n items, from `low` (-1: missing).

    Raises:
        ValueError: a number is out of range.
    """
    if numbers is not None and numbers.size and not (low <= numbers.min() and numbers.max() < n):
        raise ValueError(f"{name}: must be {low} to {n - 1}, not {numbers.min()} to {numbers.max()}")
