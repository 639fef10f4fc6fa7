"""Records to JSON with their arrays beside it, and back, without pickle: every record of `core.records` but the stores.

Numeric arrays go into a flat dict of named arrays (an npz file in the store); the JSON tree refers to them by key.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.records import benchmarks, diagnosis, faithfulness, probes, samples, sensitivity
from core.records.fields import check_fields

Array = npt.NDArray[Any]
_STORES = (samples.ItemView, samples.NamedItems)
_RECORDS: dict[str, Any] = {
    name: kind
    for module in (samples, probes, sensitivity, faithfulness, diagnosis, benchmarks)
    for name, kind in vars(module).items()
    if is_dataclass(kind) and kind not in _STORES
}
_FORMER = {"SampleSet": {"images": "items"}}
"""Fields of stored records by the name that earlier runs on disk give them."""
_GONE = {"Diagnosis": {"phrase_p", "question_null", "reader"}, "Words": {"leading"}, "Insight": {"read"}}
"""Fields of earlier runs on disk that nothing reads any more."""


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
    name = type(record).__name__
    if name in _RECORDS:
        return {
            "$record": name,
            **{f.name: encode(getattr(record, f.name), arrays, f"{path}/{f.name}") for f in fields(_RECORDS[name])},
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
    kind = node["$record"]
    former, gone = _FORMER.get(kind, {}), {"$record"} | _GONE.get(kind, set())
    record = _RECORDS[kind](
        **{former.get(name, name): decode(item, arrays) for name, item in node.items() if name not in gone}
    )
    check_fields(record)
    return record


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
