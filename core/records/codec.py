"""Records to JSON with their arrays beside it, and back, without pickle: every record of `core.records` but the stores,
and those of the systems that are installed.

Numeric arrays go into a flat dict of named arrays (an npz file in the store); the JSON tree refers to them by key. What
a system left in `Diagnosis.extras` that is not installed here is carried on as it was read (`Unread`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core import extensions
from core.records import diagnosis, faithfulness, models, samples, sensitivity
from core.records.fields import check_fields

Array = npt.NDArray[Any]
_STORES = (samples.ItemView, samples.NamedItems)
_MODULES = (samples, models, sensitivity, faithfulness, diagnosis)
_EXTRAS = "extras"


class UnknownRecord(ValueError):
    """The tree names a record that neither the kernel nor an installed system has."""


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """A value of `Diagnosis.extras` as it stands on disk, with records of a system that is not installed or cannot read
    them any more."""

    tree: Any
    arrays: Mapping[str, Array]


def _records_in(module: Any) -> dict[str, Any]:
    """The classes of the records that a module defines, by name."""
    kinds = {name: kind for name, kind in vars(module).items() if is_dataclass(kind) and kind not in _STORES}
    return {name: kind for name, kind in kinds.items() if kind.__module__ == module.__name__}


_RECORDS: dict[str, Any] = {name: kind for module in _MODULES for name, kind in _records_in(module).items()}


@cache
def _of_systems() -> dict[str, Any]:
    """The records of systems, imported when a run holds one that is not the kernel's; of two of one name the first."""
    found: dict[str, Any] = {}
    for part in extensions.parts("records"):
        said = f"The records of the system {part.system.name!r} cannot be read."
        if module := part.spared(lambda part=part: import_module(part.value), said):
            found = {**_records_in(module), **found}
    return {name: kind for name, kind in found.items() if name not in _RECORDS}


def _record(name: str) -> Any:
    """The class of the kernel's or a system's record of that name; None where none has it."""
    return _RECORDS.get(name) or _of_systems().get(name)


@cache
def _of_others() -> frozenset[str]:
    """The names of the records that other packages bring."""
    modules = {part.value for part in extensions.parts("records") if part.foreign}
    return frozenset(name for name, kind in _of_systems().items() if kind.__module__ in modules)


def encode(value: Any, arrays: dict[str, Array], path: str = "") -> Any:
    """The JSON tree of `value`; its numeric arrays are added to `arrays` under their path in the tree.

    Raises:
        TypeError: the value holds something that is no record, array, string, number, sequence or mapping with string
        keys.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, np.generic):
        return encode(value.item(), arrays, path)
    if isinstance(value, np.ndarray):
        return _encode_array(cast(Array, value), arrays, path)
    if isinstance(value, list | tuple):
        kind = "$tuple" if isinstance(value, tuple) else "$list"
        items = cast("list[Any]", value)
        return {kind: [encode(item, arrays, f"{path}/{i}") for i, item in enumerate(items)]}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in cast("Mapping[Any, Any]", value)):
        mapping = cast("Mapping[str, Any]", value)
        return {"$dict": {key: encode(item, arrays, f"{path}/{key}") for key, item in mapping.items()}}
    record = cast(Any, value)
    if isinstance(record, Unread):
        arrays.update(record.arrays)
        return record.tree
    name = type(record).__name__
    if _record(name) is type(record):
        return {
            "$record": name,
            **{f.name: encode(getattr(record, f.name), arrays, f"{path}/{f.name}") for f in fields(record)},
        }
    raise TypeError(f"{path or 'the value'} is a {name}, which a stored run cannot hold.")


def _encode_array(value: Array, arrays: dict[str, Array], path: str) -> Any:
    if value.dtype == object or value.dtype.kind in "US":
        return {"$objects": [encode(item, arrays, path) for item in value.tolist()]}
    arrays[path] = value
    return {"$array": path}


def decode(tree: Any, arrays: Mapping[str, Array]) -> Any:
    """The value that `encode` was given; the fields of its records hold what they are annotated to.

    Raises:
        KeyError, TypeError, ValueError: the tree or the arrays are not what `encode` wrote.
        UnknownRecord: a record is of a system that is not installed, and does not stand in `Diagnosis.extras`.
    """
    if isinstance(tree, str):  # half a pair of UTF-16, which no page and no file can hold, becomes a question mark
        return tree if tree.isascii() else tree.encode("utf-8", "replace").decode("utf-8")
    if not isinstance(tree, dict):
        return tree
    node = cast("dict[str, Any]", tree)
    if "$float" in node:
        return float(node["$float"])
    if "$array" in node:
        return arrays[node["$array"]]
    if "$objects" in node:
        values = _decoded(node["$objects"], arrays)
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out
    if "$list" in node:
        return _decoded(node["$list"], arrays)
    if "$tuple" in node:
        return tuple(_decoded(node["$tuple"], arrays))
    if "$dict" in node:
        return {decode(key, arrays): decode(item, arrays) for key, item in node["$dict"].items()}
    name = node["$record"]
    kind = _record(name)
    if kind is None:
        raise UnknownRecord(f"nothing installed here has a record {str(name)[:40]!r}")
    values = {key: item for key, item in node.items() if key != "$record"}
    read: dict[str, Any] = {}
    if kind is diagnosis.Diagnosis:
        extras = values.pop(_EXTRAS)["$dict"]
        read[_EXTRAS] = {key: _extra(tree, arrays, key) for key, tree in extras.items()}
    record = kind(**{key: decode(item, arrays) for key, item in values.items()}, **read)
    check_fields(record)
    return record


def _extra(tree: Any, arrays: Mapping[str, Array], name: str) -> Any:
    """What stands in `extras` under that name; a record of another package that cannot be read ends nothing."""
    try:
        return decode(tree, arrays)
    except UnknownRecord:
        pass
    except Exception:
        if not any(node.get("$record") in _of_others() for node in _nodes(tree)):
            raise
    own: dict[str, str] = {}
    for node in _nodes(tree):
        if isinstance(node.get("$array"), str):  # under a name of its own, so that it takes no other field's place
            node["$array"] = own.setdefault(node["$array"], f"/unread/{name}/{len(own)}")
    return Unread(tree, {new: arrays[old] for old, new in own.items()})


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """The nodes of a tree that stand for an array or a record, and those between them."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(cast("list[Any]", node))
        elif isinstance(node, dict):
            found = cast("dict[str, Any]", node)
            pairs = found.get("$dict")  # whose keys are a system's, "$array" among them
            yield found
            waiting.extend(cast("dict[str, Any]", pairs if isinstance(pairs, dict) else found).values())


def _decoded(items: list[Any], arrays: Mapping[str, Array]) -> list[Any]:
    """The items' values; of a hundred thousand plain texts none costs a call."""
    return [item if type(item) is str and item.isascii() else decode(item, arrays) for item in items]


def to_json(value: Any) -> Any:
    """The same tree in plain Python values; nan and the infinities become None, unknown objects their text."""
    if isinstance(value, np.generic | np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in cast("list[Any]", value)]
    return str(value)
