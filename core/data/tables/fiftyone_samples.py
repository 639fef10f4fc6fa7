"""Read the samples of a FiftyOne data set as a table: samples.json of its format `FiftyOneDataset`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import quoted

SAMPLES = "samples.json"
OWN = "errata_"
"""Prefix of fields that an Errata export wrote: results, so not metadata of the next run."""
OWN_TAG = "errata"
MAX_TAGS = 200
"""Different tags that become columns, a convention."""
_HEAD = re.compile(r'\s*\{\s*"samples"\s*:\s*\[')
_ABOUT = frozenset(("metadata", "media_type", "created_at", "last_modified_at", "tags", "id", "errata_id"))
"""Fields that FiftyOne keeps about a sample, and those read separately."""


def is_fiftyone(text: str) -> bool:
    """Whether a JSON text begins as samples.json does."""
    return _HEAD.match(text) is not None


def records_of(samples: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """(a record for each sample, notes on what was left out).

    `filepath` stays, `Classification` and `Regression` become their label or value, with "<field>_confidence" where
    one is known, each tag a column "tag <name>" of yes and no. A number is appended where a field has that name
    already. Labels of several objects in an image, and vectors, are not a single value and are left out.
    """
    all_tags = dict[str, None]()
    fields = dict[str, None]()
    for sample in samples:
        all_tags |= {tag: None for tag in _tags(sample) if not tag.startswith(OWN_TAG)}
        fields |= {name: None for name in sample if not name.startswith(("_", OWN))}
    records = list[dict[str, Any]]()
    left_out = dict[str, None]()
    if len(all_tags) > MAX_TAGS:
        all_tags = {}
        left_out = {f"tags (more than {MAX_TAGS} different ones)": None}
    tags = dict(zip(all_tags, apart((f"tag {tag}" for tag in all_tags), fields)))
    confidences = dict(zip(fields, apart((f"{name}_confidence" for name in fields), [*fields, *tags.values()])))
    for sample in samples:
        record = dict[str, Any]()
        if f"{OWN}id" in sample:
            record["id"] = sample[f"{OWN}id"]
        for name, value in sample.items():
            if name.startswith(("_", OWN)) or name in _ABOUT:
                continue
            values = _plain(name, value, confidences[name])
            record |= values
            if not values:
                left_out[name] = None
        sample_tags = set(_tags(sample))
        records.append(record | {column: "yes" if tag in sample_tags else "no" for tag, column in tags.items()})
    notes = list[str]()
    renamed = [f"the tag {tag!r} is {column!r}" for tag, column in tags.items() if column != f"tag {tag}"]
    if renamed:
        notes.append(f"Renamed columns of tags, since FiftyOne fields have the same names: {', '.join(renamed)}.")
    if left_out:
        notes.append(f"Left out fields of FiftyOne without a single value per sample: {quoted(*left_out)}.")
    return records, tuple(notes)


def apart(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Make names unique: append a number to each that is taken or came before."""
    used = set(taken)
    unique = list[str]()
    for original in names:
        name = original
        number = 2
        while name in used:
            name = f"{original} {number}"
            number += 1
        used.add(name)
        unique.append(name)
    return unique


def _tags(sample: Mapping[str, Any]) -> list[str]:
    tags: Any = sample.get("tags")
    if not isinstance(tags, list):
        return []
    return [tag for tag in tags if isinstance(tag, str)]


def _plain(name: str, value: Any, confidence: str) -> dict[str, Any]:
    """The columns of a field and its confidence; {} without a single value."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return {name: value}
    if not isinstance(value, dict):
        return {}
    if "$date" in value or "$oid" in value:
        return {name: value.get("$date", value.get("$oid"))}
    kind = value.get("_cls")
    if kind not in ("Classification", "Regression"):
        return {}
    columns = {name: value.get({"Classification": "label", "Regression": "value"}[kind])}
    if value.get("confidence") is not None:
        columns[confidence] = value["confidence"]
    return columns
