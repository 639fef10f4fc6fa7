"""A person's own hand in a run: sets of samples that they chose, and titles, notes and verdicts on what was found.

All of it is theirs and none of it was tested; nothing that was tested is changed by it. It is kept in
`Diagnosis.extras`, within bounds, and what cannot be read there is passed over: the run may have been altered.
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
"""Of `Diagnosis.extras`."""
MOST = 200
MOST_ROWS = 1_000_000
"""Sets and marks of a run together, and rows of its sets together."""
MAX_TITLE = 120
MAX_NOTE = 2_000
"""Letters."""
MARKED = "yours, exploratory"
"""Stands beside every set that is shown."""
WORDS = "your words, exploratory"
"""Stands beside what is said of a finding or a sample, which itself may be confirmed."""
NOT_TESTED = (
    "Chosen, named and judged by a person who saw the losses: exploratory, without a p. "
    "What was tested stands as it was found."
)

MarkKind = Literal["cluster", "candidate", "sample"]
_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OwnWords:
    """What a person says of anything."""

    title: str = ""
    note: str = ""
    dismissed: str = ""
    """Why it is not a failure; "" where that was not said."""
    pinned: bool = False
    when: str = ""
    """Of the last change, in ISO 8601, UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnMark(OwnWords):
    """What a person says of a cluster, a candidate or a sample."""

    kind: MarkKind
    number: int
    """Id of the cluster, place in `Diagnosis.candidates`, or row."""

    @property
    def is_empty(self) -> bool:
        return not (self.title or self.note or self.dismissed or self.pinned)


@dataclass(frozen=True, slots=True, eq=False)
class OwnSet(OwnWords):
    """Samples that a person keeps under a title of theirs."""

    id: str
    """Eight hexadecimal digits."""
    rows: I64
    """Ascending."""
    made_of: str = ""
    """How it was chosen, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Yours:
    """All of one run, the earliest first."""

    sets: tuple[OwnSet, ...] = ()
    marks: tuple[OwnMark, ...] = ()

    def set_of(self, name: str) -> OwnSet | None:
        """The set of that id, which may come from anybody; None where there is none."""
        return next((one for one in self.sets if one.id == name), None)

    def mark_of(self, kind: MarkKind, number: int) -> OwnMark:
        """What is said of that; an empty mark where nothing is."""
        found = (one for one in self.marks if (one.kind, one.number) == (kind, number))
        return next(found, OwnMark(kind, number))


def yours_of(diagnosis: Diagnosis) -> Yours:
    """What is kept with the run; what does not fit it is left out."""
    kept = diagnosis.extras.get(KEY)
    if not isinstance(kept, Mapping):
        return Yours()
    said = cast("Mapping[str, Any]", kept)
    sets = dict[str, OwnSet]()
    marks = dict[tuple[str, int], OwnMark]()
    room = MOST_ROWS
    for one in _mappings(said.get("sets")):
        rows = _rows(one.get("rows"), len(diagnosis.samples))
        name = _text(one, "id", 8)
        if rows is None or not 0 < len(rows) <= room:
            continue
        if _text(one, "title", MAX_TITLE) and _ID.fullmatch(name):
            room -= len(rows)
            sets[name] = OwnSet(name, rows, _text(one, "made_of", MAX_NOTE), **_common(one))
    for one in _mappings(said.get("marks")):
        kind: Any = one.get("kind")
        number: Any = one.get("number")
        if kind in get_args(MarkKind) and type(number) is int and _is_there(diagnosis, cast(MarkKind, kind), number):
            marks[kind, number] = OwnMark(cast(MarkKind, kind), number, **_common(one))
    return Yours(tuple(sets.values()), tuple(one for one in marks.values() if not one.is_empty))


def with_yours(diagnosis: Diagnosis, yours: Yours) -> Diagnosis:
    """The run with that kept in place of what was.

    Raises:
        InvalidInput: there are more of them, or more samples in them, than a run keeps.
    """
    if len(yours.sets) + len(yours.marks) > MOST:
        raise InvalidInput(f"A run keeps at most {MOST} sets and marks of yours. Delete a set, or empty a note, first.")
    if sum(len(one.rows) for one in yours.sets) > MOST_ROWS:
        raise InvalidInput(f"A run's own sets hold at most {MOST_ROWS:,} samples together. Delete one of them first.")
    n = len(diagnosis.samples)
    sets = [_fields(one) | {"id": one.id, "rows": _packed(one.rows, n), "made_of": one.made_of} for one in yours.sets]
    marks = [_fields(one) | {"kind": one.kind, "number": one.number} for one in yours.marks]
    return replace(diagnosis, extras={**diagnosis.extras, KEY: {"sets": sets, "marks": marks}})


def with_mark(diagnosis: Diagnosis, mark: OwnMark) -> Diagnosis:
    """The run with this said of its cluster, candidate or sample; an empty mark takes away what was.

    Raises:
        InvalidInput: the run has no such thing, or keeps no more.
    """
    if not _is_there(diagnosis, mark.kind, mark.number):
        raise InvalidInput(f"This run has no {mark.kind} of number {mark.number}. Pick one on the page.")
    yours = yours_of(diagnosis)
    at = (mark.kind, mark.number)
    others = tuple(one for one in yours.marks if (one.kind, one.number) != at)
    return with_yours(diagnosis, replace(yours, marks=others if mark.is_empty else (*others, mark)))


def with_set(diagnosis: Diagnosis, made: OwnSet) -> Diagnosis:
    """The run with that set, in place of the one of its id; raises InvalidInput as `with_yours` does."""
    yours = yours_of(diagnosis)
    if yours.set_of(made.id) is None:
        return with_yours(diagnosis, replace(yours, sets=(*yours.sets, made)))
    return with_yours(diagnosis, replace(yours, sets=tuple(made if one.id == made.id else one for one in yours.sets)))


def without_set(diagnosis: Diagnosis, name: str) -> Diagnosis:
    """The run without the set of that id."""
    yours = yours_of(diagnosis)
    return with_yours(diagnosis, replace(yours, sets=tuple(one for one in yours.sets if one.id != name)))


def new_set(diagnosis: Diagnosis, title: str, rows: I64, made_of: str, note: str = "") -> OwnSet:
    """A set that is not kept yet.

    Raises:
        InvalidInput: it has no title or no sample, or its texts are too long.
    """
    title = read_title(title)
    note = read_note(note)
    if not title:
        raise InvalidInput("A set needs a title of yours. Write one and keep it again.")
    rows = np.unique(np.asarray(rows, np.int64))
    if not len(rows) or rows[0] < 0 or rows[-1] >= len(diagnosis.samples):
        raise InvalidInput("No sample of this run is in that set. Pick some, and keep it again.")
    return OwnSet(secrets.token_hex(4), rows, printable(made_of)[:MAX_NOTE], title=title, note=note, when=now())


def read_title(text: str) -> str:
    """A title, or a reason, as it is kept, in one line; raises InvalidInput where it is too long."""
    return _checked(" ".join(text.split()), "title or reason", MAX_TITLE)


def read_note(text: str) -> str:
    """A note as it is kept, in its lines; raises InvalidInput where it is too long."""
    return _checked("\n".join(text.splitlines()).strip(), "note", MAX_NOTE)


def now() -> str:
    """The present time in ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(text: str, what: str, most: int) -> str:
    safe = printable(text)
    if len(safe) > most:
        raise InvalidInput(f"A {what} has at most {most:,} letters: got {len(safe):,}. Shorten it and save again.")
    return safe


def _is_there(diagnosis: Diagnosis, kind: MarkKind, number: int) -> bool:
    if kind == "cluster":
        return any(cluster.id == number for cluster in diagnosis.clusters)
    return 0 <= number < len(diagnosis.candidates if kind == "candidate" else diagnosis.samples)


def _fields(one: OwnWords) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(OwnWords)}


def _common(one: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `OwnWords` as they were kept."""
    most = {"title": MAX_TITLE, "note": MAX_NOTE, "dismissed": MAX_TITLE, "when": 40}
    return {name: _text(one, name, letters) for name, letters in most.items()} | {"pinned": one.get("pinned") is True}


def _text(one: Mapping[str, Any], name: str, most: int) -> str:
    value = one.get(name)
    return printable(value[:most])[:most] if isinstance(value, str) else ""


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", one) for one in listed[:MOST] if isinstance(one, Mapping)]


def _packed(rows: I64, n: int) -> str:
    mask = np.zeros(n, bool)
    mask[rows] = True
    return base64.b64encode(np.packbits(mask).tobytes()).decode("ascii")


def _rows(text: Any, n: int) -> I64 | None:
    """The rows that `_packed` was given; None where it is not of so many samples."""
    if not isinstance(text, str):
        return None
    try:
        bits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except ValueError:
        return None
    if len(bits) != -(-n // 8):
        return None
    return np.flatnonzero(np.unpackbits(bits, count=n)).astype(np.int64)
