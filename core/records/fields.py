"""Check that a record from outside matches its annotations, before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

_STORED_AS = {np.floating: "fiub", np.integer: "iu", np.bool_: "b"}
"""Kinds of dtype that pass for an annotated one: code that reads floats also takes integers."""


def check_fields(record: Any) -> None:
    """Check each field of a dataclass against its annotation, down to the items of tuples and mappings; nested records
    are not checked.

    Raises:
        TypeError: names the first wrong field, without its value.
    """
    kind = cast("type[Any]", type(record))
    hints = _hints(kind)
    for field in fields(kind):
        value = getattr(record, field.name)
        if not _fits(value, hints[field.name]):
            raise TypeError(f"{kind.__name__}.{field.name} has the wrong type: {_type_name(value)}")


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _type_name(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"ndarray of {cast(Any, value).dtype}"
    return type(value).__name__


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any or hint is object:
        return True
    origin = get_origin(hint)
    arguments = get_args(hint)
    if hasattr(origin, "__value__"):  # an alias of Python 3.12, as NDArray is in newer versions of NumPy
        return _fits(value, origin.__value__[arguments])
    if origin in (Union, UnionType):
        return any(_fits(value, member) for member in arguments)
    if origin is Literal:
        return any(type(value) is type(member) and value == member for member in arguments)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and _fits_array(cast(Any, value), arguments[1])
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(cast("tuple[Any, ...]", value), arguments)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(_fits(item, arguments[0]) for item in cast("Any", value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False
        items = cast("Mapping[Any, Any]", value).items()
        return all(_fits(key, arguments[0]) and _fits(item, arguments[1]) for key, item in items)
    if isinstance(value, bool):  # which Python counts as a number
        return hint is bool
    if hint is float:
        return isinstance(value, float | int)
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in ("read", "name", "keep"))
    return isinstance(value, NoneType if hint is None else hint)


def _fits_array(value: npt.NDArray[Any], dtype: Any) -> bool:
    scalar = get_args(dtype)[0]
    if scalar is Any:
        return True
    return any(issubclass(scalar, family) and value.dtype.kind in kinds for family, kinds in _STORED_AS.items())


def _fits_tuple(value: Sequence[Any], arguments: tuple[Any, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        if arguments[0] is str:  # fast for hundreds of thousands of ids
            return set(map(type, value)) <= {str}
        return all(_fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(_fits, value, arguments))


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
