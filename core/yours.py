"""A person's edits of a run: chosen sets of samples, and titles, notes and verdicts on findings.

None of these was tested, and they change no tested result. `Diagnosis.extras` stores them within limits; invalid
entries are ignored, since the run may have been altered.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import numpy as np

from core.errors import InvalidInput, printable
from core.records import I64, Diagnosis

KEY = "yours"
"""Key in `Diagnosis.extras`."""
MAX_ENTRIES = 200
"""Sets and marks of a run together."""
MAX_SET_ROWS = 1_000_000
"""Rows of all sets of a run together."""
MAX_TITLE = 120
MAX_NOTE = 2_000
"""Characters."""
MARKED = "yours, not tested"
"""Label of every shown set."""
WORDS = "your words, not tested"
"""Label of a person's words on a finding or a sample; the finding itself may be confirmed."""
NOT_TESTED = "Not tested: a person chose, named or judged these after seeing the losses. Tested results are unchanged."

MarkKind = Literal["cluster", "candidate", "sample"]
_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OwnWords:
    """A person's words on anything."""

    title: str = ""
    note: str = ""
    dismissed: str = ""
    """Why it is not a failure; "" without a reason."""
    pinned: bool = False
    when: str = ""
    """Time of the last change, in ISO 8601, UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnMark(OwnWords):
    """A person's words on a cluster, a candidate or a sample."""

    kind: MarkKind
    number: int
    """Id of the cluster, index in `Diagnosis.candidates`, or row."""

    @property
    def is_empty(self) -> bool:
        return not (self.title or self.note or self.dismissed or self.pinned)


@dataclass(frozen=True, slots=True, eq=False)
class OwnSet(OwnWords):
    """Samples that a person saved under a title."""

    id: str
    """Eight hexadecimal digits."""
    rows: I64
    """Ascending."""
    made_of: str = ""
    """How it was chosen, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Yours:
    """All sets and marks of one run, oldest first."""

    sets: tuple[OwnSet, ...] = ()
    marks: tuple[OwnMark, ...] = ()

    def set_of(self, name: str) -> OwnSet | None:
        """Find the set of that id (untrusted); None if missing."""
        return next((item for item in self.sets if item.id == name), None)

    def mark_of(self, kind: MarkKind, number: int) -> OwnMark:
        """Find the mark on a cluster, candidate or sample; an empty mark if missing."""
        matches = (mark for mark in self.marks if (mark.kind, mark.number) == (kind, number))
        return next(matches, OwnMark(kind, number))


def yours_of(diagnosis: Diagnosis) -> Yours:
    """Read the sets and marks of the run; entries that do not fit it are ignored."""
    stored = diagnosis.extras.get(KEY)
    if not isinstance(stored, Mapping):
        return Yours()
    document = cast("Mapping[str, Any]", stored)
    sets = dict[str, OwnSet]()
    marks = dict[tuple[str, int], OwnMark]()
    room = MAX_SET_ROWS
    for entry in _mappings(document.get("sets")):
        rows = _rows(entry.get("rows"), len(diagnosis.samples))
        name = _text(entry, "id", 8)
        if rows is None or not 0 < len(rows) <= room:
            continue
        if _text(entry, "title", MAX_TITLE) and _ID.fullmatch(name):
            room -= len(rows)
            sets[name] = OwnSet(name, rows, _text(entry, "made_of", MAX_NOTE), **_common(entry))
    for entry in _mappings(document.get("marks")):
        kind: Any = entry.get("kind")
        number: Any = entry.get("number")
        if kind in get_args(MarkKind) and type(number) is int and _exists(diagnosis, cast(MarkKind, kind), number):
            marks[kind, number] = OwnMark(cast(MarkKind, kind), number, **_common(entry))
    return Yours(tuple(sets.values()), tuple(mark for mark in marks.values() if not mark.is_empty))


def with_yours(diagnosis: Diagnosis, yours: Yours) -> Diagnosis:
    """Replace the sets and marks of the run.

    Raises:
        InvalidInput: too many sets and marks, or too many samples in the sets.
    """
    if len(yours.sets) + len(yours.marks) > MAX_ENTRIES:
        raise InvalidInput(f"A run holds at most {MAX_ENTRIES} sets and marks. Delete a set or a note first.")
    if sum(len(item.rows) for item in yours.sets) > MAX_SET_ROWS:
        raise InvalidInput(f"The sets of a run hold at most {MAX_SET_ROWS:,} samples. Delete a set first.")
    n = len(diagnosis.samples)
    sets: list[dict[str, Any]] = []
    for item in yours.sets:
        sets.append(_fields(item) | {"id": item.id, "rows": _packed(item.rows, n), "made_of": item.made_of})
    marks = [_fields(mark) | {"kind": mark.kind, "number": mark.number} for mark in yours.marks]
    return replace(diagnosis, extras={**diagnosis.extras, KEY: {"sets": sets, "marks": marks}})


def with_mark(diagnosis: Diagnosis, mark: OwnMark) -> Diagnosis:
    """Set a mark on a cluster, candidate or sample; an empty mark deletes it.

    Raises:
        InvalidInput: the target is missing, or the run holds no more marks.
    """
    if not _exists(diagnosis, mark.kind, mark.number):
        raise InvalidInput(f"This run has no {mark.kind} {mark.number}. Pick one on the page.")
    yours = yours_of(diagnosis)
    target = (mark.kind, mark.number)
    marks = [item for item in yours.marks if (item.kind, item.number) != target]
    if not mark.is_empty:
        marks.append(mark)
    return with_yours(diagnosis, replace(yours, marks=tuple(marks)))


def with_set(diagnosis: Diagnosis, new: OwnSet) -> Diagnosis:
    """Add a set, or replace the one of the same id; raises InvalidInput like `with_yours`."""
    yours = yours_of(diagnosis)
    sets = {item.id: item for item in yours.sets} | {new.id: new}  # a replaced set stays in place
    return with_yours(diagnosis, replace(yours, sets=tuple(sets.values())))


def without_set(diagnosis: Diagnosis, name: str) -> Diagnosis:
    """Delete the set of that id."""
    yours = yours_of(diagnosis)
    return with_yours(diagnosis, replace(yours, sets=tuple(item for item in yours.sets if item.id != name)))


def new_set(diagnosis: Diagnosis, title: str, rows: I64, made_of: str, note: str = "") -> OwnSet:
    """Make a set; `with_set` adds it to the run.

    Raises:
        InvalidInput: no title, no samples, or texts that are too long.
    """
    title = read_title(title)
    note = read_note(note)
    if not title:
        raise InvalidInput("Give the set a title, then save it again.")
    rows = np.unique(np.asarray(rows, np.int64))
    if not len(rows) or rows[0] < 0 or rows[-1] >= len(diagnosis.samples):
        raise InvalidInput("The set has no sample of this run. Pick samples, then save it again.")
    return OwnSet(secrets.token_hex(4), rows, printable(made_of)[:MAX_NOTE], title=title, note=note, when=now())


def read_title(text: str) -> str:
    """Normalize a title or a reason to one line; raise InvalidInput if it is too long."""
    return _checked(" ".join(text.split()), "title or reason", MAX_TITLE)


def read_note(text: str) -> str:
    """Normalize a note, keeping its lines; raise InvalidInput if it is too long."""
    return _checked("\n".join(text.splitlines()).strip(), "note", MAX_NOTE)


def now() -> str:
    """Return the current time in ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(text: str, what: str, most: int) -> str:
    safe = printable(text)
    if len(safe) > most:
        raise InvalidInput(f"A {what} has at most {most:,} characters: got {len(safe):,}. Shorten it.")
    return safe


def _exists(diagnosis: Diagnosis, kind: MarkKind, number: int) -> bool:
    if kind == "cluster":
        return any(cluster.id == number for cluster in diagnosis.clusters)
    if kind == "candidate":
        return 0 <= number < len(diagnosis.candidates)
    return 0 <= number < len(diagnosis.samples)


def _fields(words: OwnWords) -> dict[str, Any]:
    return {field.name: getattr(words, field.name) for field in fields(OwnWords)}


def _common(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Read the stored fields of `OwnWords`."""
    most = {"title": MAX_TITLE, "note": MAX_NOTE, "dismissed": MAX_TITLE, "when": 40}
    texts = {name: _text(entry, name, length) for name, length in most.items()}
    return texts | {"pinned": entry.get("pinned") is True}


def _text(entry: Mapping[str, Any], name: str, most: int) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        return ""
    return printable(value[:most])[:most]


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        return []
    first = cast("list[Any]", value)[:MAX_ENTRIES]
    return [cast("Mapping[str, Any]", item) for item in first if isinstance(item, Mapping)]


def _packed(rows: I64, n: int) -> str:
    mask = np.zeros(n, bool)
    mask[rows] = True
    return base64.b64encode(np.packbits(mask).tobytes()).decode("ascii")


def _rows(text: Any, n: int) -> I64 | None:
    """Decode rows packed by `_packed`; None if they are not of n samples."""
    if not isinstance(text, str):
        return None
    try:
        bits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except ValueError:
        return None
    if len(bits) != -(-n // 8):
        return None
    return np.flatnonzero(np.unpackbits(bits, count=n)).astype(np.int64)
