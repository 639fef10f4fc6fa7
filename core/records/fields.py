"""Whether a record holds what its annotations say: asked of records that come from outside, before anyone uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

_STORED_AS = {np.floating: "fiub", np.integer: "iu", np.bool_: "b"}
"""Kinds of dtype that may stand for an annotated one: every reader of fractions takes whole numbers too."""


def check_fields(record: Any) -> None:
    """See that each field of a dataclass is what its annotation says, down to the items of tuples and mappings; the
    records among them are taken as they are.

    Raises:
        TypeError: one is not; the first is named, without its value.
    """
    kind = cast("type[Any]", type(record))
    hints = _hints(kind)
    for field in fields(kind):
        value = getattr(record, field.name)
        if not _fits(value, hints[field.name]):
            raise TypeError(f"{kind.__name__}.{field.name} cannot be what is stored for it: {_said(value)}")


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _said(value: Any) -> str:
    name = type(value).__name__
    return f"{name} of {cast(Any, value).dtype}" if isinstance(value, np.ndarray) else name


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any or hint is object:
        return True
    origin = get_origin(hint)
    arguments = get_args(hint)
    if hasattr(origin, "__value__"):  # an alias as Python 3.12 has them: NumPy's NDArray is one in its newer versions
        return _fits(value, origin.__value__[arguments])
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in arguments)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and _fits_array(cast(Any, value), arguments[1])
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(cast("tuple[Any, ...]", value), arguments)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(_fits(item, arguments[0]) for item in cast("Any", value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, arguments[0]) and _fits(item, arguments[1])
            for key, item in cast("Mapping[Any, Any]", value).items()
        )
    if hint is float or hint is int:  # to Python a bool is a number
        return isinstance(value, float | int if hint is float else int) and not isinstance(value, bool)
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
        if arguments[0] is str:  # ids by the hundred thousand
            return set(map(type, value)) <= {str}
        return all(_fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(_fits, value, arguments))


def shaped(name: str, array: npt.NDArray[Any] | None, *shape: int | None) -> None:
    """See that an array, if there is one, has this shape; None is any length.

    Raises:
        ValueError: it has another.
    """
    if array is None:
        return
    if array.ndim != len(shape) or any(want is not None and got != want for got, want in zip(array.shape, shape)):
        said = " x ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name}: {said} are needed, not {array.shape}")


def below(name: str, numbers: npt.NDArray[Any] | None, n: int, low: int = 0) -> None:
    """See that numbers point at n things, or are -1 where `low` is.

    Raises:
        ValueError: one does not.
    """
    if numbers is not None and numbers.size and not (low <= numbers.min() and numbers.max() < n):
        raise ValueError(f"{name}: numbers from {low} to {n - 1} are needed, not {numbers.min()} to {numbers.max()}")
