"""The samples of a data set of FiftyOne as a table: the file samples.json of its own format, `FiftyOneDataset`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import quoted

SAMPLES = "samples.json"
OWN = "errata_"
"""What fields begin with that an export of Errata wrote: results, which are no metadata of the next run."""
OWN_TAG = "errata"
MAX_TAGS = 200
_HEAD = re.compile(r'\s*\{\s*"samples"\s*:\s*\[')
_ABOUT = frozenset(("metadata", "media_type", "created_at", "last_modified_at", "tags", "id", "errata_id"))
"""Fields that FiftyOne keeps about a sample, and those that are read apart."""


def is_fiftyone(text: str) -> bool:
    """Whether a JSON text begins as samples.json does."""
    return _HEAD.match(text) is not None


def records_of(samples: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """(a record for each sample, notes on what was left out).

    `filepath` stays, `Classification` and `Regression` become their label or value, with "<field>_confidence" where
    one is known, each tag a column "tag <name>" of yes and no; where a field has such a name already, they get a
    number. Labels of several things in an image, and vectors, are no single value and are left out.
    """
    found = {tag: None for sample in samples for tag in _tags(sample) if not tag.startswith(OWN_TAG)}
    records = list[dict[str, Any]]()
    left_out = dict[str, None]()
    if len(found) > MAX_TAGS:
        found = {}
        left_out = {f"tags (more than {MAX_TAGS} different ones)": None}
    fields = {name: None for sample in samples for name in sample if not name.startswith(("_", OWN))}
    tags = dict(zip(found, apart((f"tag {tag}" for tag in found), fields)))
    confidences = dict(zip(fields, apart((f"{name}_confidence" for name in fields), [*fields, *tags.values()])))
    for sample in samples:
        record: dict[str, Any] = {"id": sample[f"{OWN}id"]} if f"{OWN}id" in sample else {}
        for name, value in sample.items():
            if name.startswith(("_", OWN)) or name in _ABOUT:
                continue
            values = _plain(name, value, confidences[name])
            record |= values
            if not values:
                left_out[name] = None
        own = set(_tags(sample))
        records.append(record | {column: "yes" if tag in own else "no" for tag, column in tags.items()})
    renamed = [f"the tag {tag!r} is {column!r}" for tag, column in tags.items() if column != f"tag {tag}"]
    notes = [f"Fields of FiftyOne are called as columns of tags would be: {', '.join(renamed)}."] if renamed else []
    if left_out:
        notes.append(
            f"Fields of FiftyOne that hold no single value for each sample were left out: {quoted(*left_out)}."
        )
    return records, tuple(notes)


def apart(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names, with a number behind each that is taken or came before."""
    used = set(taken)
    made = list[str]()
    for own in names:
        name = own
        number = 2
        while name in used:
            name = f"{own} {number}"
            number = number + 1
        used.add(name)
        made.append(name)
    return made


def _tags(sample: Mapping[str, Any]) -> list[str]:
    tags: Any = sample.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _plain(name: str, value: Any, confidence: str) -> dict[str, Any]:
    """The columns of a field, and that of its confidence; none where it holds no single value."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return {name: value}
    if not isinstance(value, dict):
        return {}
    if "$date" in value or "$oid" in value:
        return {name: value.get("$date", value.get("$oid"))}
    kind = value.get("_cls")
    if kind not in ("Classification", "Regression"):
        return {}
    found = {name: value.get("label" if kind == "Classification" else "value")}
    if value.get("confidence") is not None:
        found[confidence] = value["confidence"]
    return found
