"""The samples of a data set of FiftyOne as a table: the file samples.json of its own format, `FiftyOneDataset`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    one is known, each tag a column "tag <name>" of yes and no. Labels of several things in a picture, and vectors, are
    no single value and are left out.
    """
    tags = {tag: None for sample in samples for tag in _tags(sample) if not tag.startswith(OWN_TAG)}
    records, left_out = list[dict[str, Any]](), dict[str, None]()
    if len(tags) > MAX_TAGS:
        tags, left_out = {}, {f"tags (more than {MAX_TAGS} different ones)": None}
    for sample in samples:
        record: dict[str, Any] = {"id": sample[f"{OWN}id"]} if f"{OWN}id" in sample else {}
        for name, value in sample.items():
            if name.startswith(("_", OWN)) or name in _ABOUT:
                continue
            values = _plain(name, value)
            record |= values
            if not values:
                left_out[name] = None
        own = set(_tags(sample))
        records.append(record | {f"tag {tag}": "yes" if tag in own else "no" for tag in tags})
    if not left_out:
        return records, ()
    return records, (
        f"Fields of FiftyOne that hold no single value for each sample were left out: {quoted(*left_out)}.",
    )


def _tags(sample: Mapping[str, Any]) -> list[str]:
    tags: Any = sample.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _plain(name: str, value: Any) -> dict[str, Any]:
    """The columns of a field; none where it holds no single value."""
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
        found[f"{name}_confidence"] = value["confidence"]
    return found
