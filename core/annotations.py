"""Hold values against annotations: records from outside before they are used, and arguments from Python.

numpy is imported when an array is checked, so that the command line can build its options without it.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import fields
from functools import cache
from inspect import signature
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from reprlib import repr as short
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from core.errors import InvalidInput

_ANY_ARRAY = dict.fromkeys(("F32", "F64", "I64", "Bool"), Any)
"""Arguments that are annotated as arrays may be whatever becomes one."""
_KINDS: dict[Any, Any] = {float: Real, int: Integral, Path: PathLike}
"""What passes for a type: numbers of numpy, and paths of other libraries."""


class _Names(dict[str, Any]):
    """What a module knows at run time; a name that it knows to type checkers alone stands for any value."""

    def __missing__(self, name: str) -> Any:
        return vars(builtins).get(name, Any)


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


def check_arguments(function: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Check each argument of a call, or of a class, against its annotation.

    Raises:
        InvalidInput: one is of another type.
    """
    hints = _argument_hints(function)
    for name, value in signature(function).bind_partial(*arguments, **options).arguments.items():
        if name in hints and not _fits(value, hints[name]):
            raise InvalidInput(
                f"{name} must be {_written(hints[name])}: got {short(value)} ({_type_name(value)}). "
                "Pass one, or leave it out."
            )


def check_made(record: Any) -> None:
    """Check the fields of a dataclass that users make (`check_arguments`). Where a field is a tuple, any other list of
    values becomes one."""
    kind = cast("type[Any]", type(record))
    for field in fields(kind):
        value: Any = getattr(record, field.name)
        listed = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
        if listed and str(field.type).startswith("tuple"):
            object.__setattr__(record, field.name, tuple(cast("Iterable[Any]", value)))
    check_arguments(kind, **{field.name: getattr(record, field.name) for field in fields(kind)})


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _argument_hints(function: Callable[..., Any]) -> dict[str, Any]:
    known = _Names({**vars(sys.modules[function.__module__]), **_ANY_ARRAY})
    made: Any = function.__init__ if isinstance(function, type) else function
    asked = {name: hint for name, hint in made.__annotations__.items() if name != "return"}
    return get_type_hints(SimpleNamespace(__annotations__=asked), localns=known)


def _written(hint: Any) -> str:
    """An annotation in words, such as "int or None"."""
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_written, get_args(hint)))
    if hint is NoneType:
        return "None"
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return re.sub(r"\b[a-z_.]+\.", "", str(hint))  # without modules


def _type_name(value: Any) -> str:
    name = type(value).__name__
    return f"ndarray of {value.dtype}" if name == "ndarray" else name


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
    if getattr(origin, "__name__", "") == "ndarray":
        return isinstance(value, origin) and _fits_array(value, arguments[1])
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(cast("tuple[Any, ...]", value), arguments)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(_fits(item, arguments[0]) for item in cast("Any", value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False
        items = cast("Mapping[Any, Any]", value).items()
        return all(_fits(key, arguments[0]) and _fits(item, arguments[1]) for key, item in items)
    if origin in (Sequence, Iterable):  # an array and an index of pandas are no Sequence; a generator is read once
        if not isinstance(value, Iterable) or isinstance(value, bytes) or getattr(value, "ndim", 1) != 1:
            return False
        items = cast("Iterable[Any]", value if isinstance(value, Sized) else ())
        return all(_fits(item, arguments[0]) for item in items)
    if type(value).__name__ in ("bool", "bool_"):  # which Python counts as numbers
        return hint is bool
    if hint in _KINDS:
        return isinstance(value, _KINDS[hint])
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in ("read", "name", "keep"))
    return isinstance(value, origin or hint)


def _fits_array(value: Any, dtype: Any) -> bool:
    import numpy as np

    scalar = get_args(dtype)[0]
    if scalar is Any:
        return True
    # Code that reads floats also takes integers.
    stored_as = {np.floating: "fiub", np.integer: "iu", np.bool_: "b"}
    return any(issubclass(scalar, family) and value.dtype.kind in kinds for family, kinds in stored_as.items())


def _fits_tuple(value: Sequence[Any], arguments: tuple[Any, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        if arguments[0] is str:  # fast for hundreds of thousands of ids
            return all(issubclass(kind, str) for kind in set(map(type, value)))
        return all(_fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(_fits, value, arguments))
