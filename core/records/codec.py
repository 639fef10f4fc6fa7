"""Encode records as JSON plus arrays, and decode them, without pickle: every record of `core.records` except the item
stores, and those of installed systems.

Numeric arrays go into a flat dict of named arrays (npy files in the store); the JSON tree refers to them by key.
Results in `Diagnosis.extras` of a system that is not installed pass through unchanged (`Unread`).
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
from core.annotations import check_fields
from core.records import diagnosis, faithfulness, models, samples, sensitivity

Array = npt.NDArray[Any]
_STORES = (samples.ItemView, samples.NamedItems)
_MODULES = (samples, models, sensitivity, faithfulness, diagnosis)
_EXTRAS = "extras"


class UnknownRecord(ValueError):
    """The tree names a record that neither the kernel nor an installed system defines."""


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """A value of `Diagnosis.extras` as stored, with records of a system that is missing or can no longer read them."""

    tree: Any
    arrays: Mapping[str, Array]


def _records_in(module: Any) -> dict[str, Any]:
    """Collect the record classes that a module defines, by name."""
    kinds = {name: kind for name, kind in vars(module).items() if is_dataclass(kind) and kind not in _STORES}
    return {name: kind for name, kind in kinds.items() if kind.__module__ == module.__name__}


_RECORDS: dict[str, Any] = {name: kind for module in _MODULES for name, kind in _records_in(module).items()}


@cache
def _of_systems() -> dict[str, Any]:
    """Collect the records of systems, imported when a run holds one; the first of two with the same name counts."""
    records: dict[str, Any] = {}
    for part in extensions.parts("records"):
        warning = f"The records of the system {part.system.name!r} cannot be read."
        module = part.spared(lambda part=part: import_module(part.value), warning)
        if module:
            records = {**_records_in(module), **records}
    return {name: kind for name, kind in records.items() if name not in _RECORDS}


def _record(name: str) -> Any:
    """Return the class of the kernel's or a system's record of that name, or None."""
    return _RECORDS.get(name) or _of_systems().get(name)


@cache
def _of_others() -> frozenset[str]:
    """Collect the names of the records that other packages define."""
    modules = {part.value for part in extensions.parts("records") if part.foreign}
    return frozenset(name for name, kind in _of_systems().items() if kind.__module__ in modules)


def encode(value: Any, arrays: dict[str, Array], path: str = "") -> Any:
    """Encode `value` as a JSON tree; its numeric arrays are added to `arrays` under their path in the tree.

    Raises:
        TypeError: the value holds something other than records, arrays, strings, numbers, sequences, and mappings with
            string keys.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return {"$float": repr(value)}
        return value
    if isinstance(value, np.generic):
        return encode(value.item(), arrays, path)
    if isinstance(value, np.ndarray):
        array = cast(Array, value)
        if array.dtype == object or array.dtype.kind in "US":
            return {"$objects": [encode(item, arrays, path) for item in array.tolist()]}
        arrays[path] = array
        return {"$array": path}
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
    kind = diagnosis.Diagnosis if isinstance(record, diagnosis.Diagnosis) else type(record)  # of a `core.run.Run` too
    name = kind.__name__
    if _record(name) is kind:
        values = {f.name: encode(getattr(record, f.name), arrays, f"{path}/{f.name}") for f in fields(record)}
        return {"$record": name, **values}
    raise TypeError(f"{path or 'the value'} is a {name}, which a run cannot store.")


def decode(tree: Any, arrays: Mapping[str, Array]) -> Any:
    """Decode a tree of `encode`; the fields of its records match their annotations.

    Raises:
        KeyError, TypeError, ValueError: the tree or the arrays do not come from `encode`.
        UnknownRecord: a record outside `Diagnosis.extras` belongs to a system that is not installed.
    """
    if isinstance(tree, str):
        if tree.isascii():
            return tree
        return tree.encode("utf-8", "replace").decode("utf-8")  # half a UTF-16 pair becomes a question mark
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
        raise UnknownRecord(f"no installed system has a record {str(name)[:40]!r}")
    values = {key: item for key, item in node.items() if key != "$record"}
    read: dict[str, Any] = {}
    if kind is diagnosis.Diagnosis:
        extras = values.pop(_EXTRAS)["$dict"]
        read[_EXTRAS] = {key: _extra(tree, arrays, key) for key, tree in extras.items()}
    record = kind(**{key: decode(item, arrays) for key, item in values.items()}, **read)
    check_fields(record)
    return record


def _extra(tree: Any, arrays: Mapping[str, Array], name: str) -> Any:
    """Decode the value of `extras` under that name; a record of another package that cannot be read stays `Unread`."""
    try:
        return decode(tree, arrays)
    except UnknownRecord:
        pass
    except Exception:
        if not any(node.get("$record") in _of_others() for node in _nodes(tree)):
            raise
    new_keys: dict[str, str] = {}
    for node in _nodes(tree):
        if isinstance(node.get("$array"), str):  # renamed, so that it cannot replace the array of another field
            node["$array"] = new_keys.setdefault(node["$array"], f"/unread/{name}/{len(new_keys)}")
    return Unread(tree, {new: arrays[old] for old, new in new_keys.items()})


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Walk the nodes of a tree that are arrays or records, and those between them."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(cast("list[Any]", node))
        elif isinstance(node, dict):
            mapping = cast("dict[str, Any]", node)
            yield mapping
            pairs = mapping.get("$dict")
            if isinstance(pairs, dict):  # keys of a system, which may include "$array"
                mapping = cast("dict[str, Any]", pairs)
            waiting.extend(mapping.values())


def _decoded(items: list[Any], arrays: Mapping[str, Array]) -> list[Any]:
    """Decode the items; a plain string costs no call, since there can be hundreds of thousands."""
    return [item if type(item) is str and item.isascii() else decode(item, arrays) for item in items]


def to_json(value: Any) -> Any:
    """Convert to plain Python values; nan and infinities become None, unknown objects their string."""
    if isinstance(value, np.generic | np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in cast("list[Any]", value)]
    return str(value)
