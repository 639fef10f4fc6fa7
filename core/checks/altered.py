"""Altered items and back: files are written for the user's model, its losses are read, and what an alteration changed
is said with an interval. Of any modality: corrected scans, clips played backwards.

A folder holds the files and `MANIFEST`, which says of each whose it is and what was done; the user's model is run on
the files, and a table brings its losses by the files' names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import replacing, write_json
from core.limits import Limits
from core.records import F64, I64, UNDEFINED, Bool, Estimate
from core.statistics.intervals import bootstrap

MANIFEST, FORMAT = "altered.json", 1
UNCHANGED = "unchanged"
"""The alteration that only writes the item anew: what the others are compared with."""
MIN_ITEMS = 5
"""Items of a cluster below which nothing is said."""


@dataclass(frozen=True, slots=True)
class AlteredItem:
    """One file of the folder."""

    id: str
    """Of the sample."""
    alteration: str
    file: str
    """Its name below the folder."""


def write_altered(folder: Path, made: Iterable[tuple[AlteredItem, bytes]], about: Mapping[str, Any]) -> int:
    """Write files one by one and the manifest at the end; how many they are.

    Args:
        about: what else the manifest says, such as the run.

    Raises:
        InvalidInput: the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty: altered items go to a folder of their own. Choose another --out.")
    items: list[AlteredItem] = []
    for item, content in made:
        with replacing(folder / item.file, durable=False) as part:
            part.write_bytes(content)
        items.append(item)
    write_json(folder / MANIFEST, {"format": FORMAT, "about": dict(about), "items": [asdict(item) for item in items]})
    return len(items)


def read_altered(folder: Path) -> tuple[tuple[AlteredItem, ...], Mapping[str, Any]]:
    """The manifest's items and what it says besides.

    Raises:
        InvalidInput: there is none, or it is damaged.
    """
    if not (folder / MANIFEST).is_file():
        raise InvalidInput(f"{folder} holds no {MANIFEST}: it is no folder of altered items. Export them first.")
    said = read_json(folder / MANIFEST, most=Limits().max_document_bytes)
    try:
        items = tuple(AlteredItem(str(one["id"]), str(one["alteration"]), str(one["file"])) for one in said["items"])
        about = dict(said["about"])
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"{MANIFEST} in {folder} is damaged. Export the items again.") from None
    return items, about


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """What the user's model made of the altered items."""

    ids: tuple[str, ...]
    """Of m samples."""
    losses: Mapping[str, F64]
    """(m,) by alteration; nan where a sample has no such file."""


def read_rescored(items: Sequence[AlteredItem], scores: Path, *, file: str = "file", loss: str = "loss") -> Rescored:
    """The losses of a table with one row a file.

    Args:
        file: its column of names; folders before a name are passed over.
        loss: its column of losses.

    Raises:
        InvalidInput: a column is missing, a file has no loss or two, or a loss is no number.
    """
    from core.data.tables.cells import texts_of
    from core.data.tables.read import read_table

    frame = read_table(scores, as_text=(file,)).frame
    for column in (file, loss):
        if column not in frame.columns:
            raise InvalidInput(
                f"{scores.name} has no column {column!r}. Give one row a file, with columns file and loss."
            )
    names = [Path(text or "").name for text in texts_of(frame[file])]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{scores.name} names {twice[:80]!r} more than once. Keep one row a file.")
    known = dict(zip(names, [_number(value) for value in frame[loss].tolist()], strict=True))
    for item in items:
        if not np.isfinite(known.get(item.file, np.nan)):
            raise InvalidInput(
                f"{scores.name} has no loss of {item.file[:80]!r}. Score every file of the folder, "
                f"all {len(items):,} of them."
            )
    ids = tuple(dict.fromkeys(item.id for item in items))
    place = {id_: k for k, id_ in enumerate(ids)}
    losses = {item.alteration: np.full(len(ids), np.nan) for item in items}
    for item in items:
        losses[item.alteration][place[item.id]] = known[item.file]
    return Rescored(ids, losses)


@dataclass(frozen=True, slots=True)
class AlterationEffect:
    """What one alteration did to the losses of a cluster."""

    alteration: str
    n: int
    """Members that were altered."""
    drop: Estimate
    """Mean loss of the members unchanged minus altered."""
    drop_outside: Estimate
    """The same of samples outside."""
    share: Estimate
    """`drop` over the members' excess: their mean loss minus that of samples outside, both unchanged. 1: nothing is left
    of it. Undefined where the excess may be 0."""


def effects_of_alterations(
    scores: Rescored, members: Bool, groups: I64 | None = None, seed: int = 0
) -> tuple[AlterationEffect, ...]:
    """What each alteration does to members and to others; the strongest drop first.

    Args:
        members: (m,) which samples of `scores` lie in the cluster; the others are what they are compared with.
        groups: (m,) kept whole when samples are drawn again.

    Raises:
        InvalidInput: there is no unchanged copy, or fewer than `MIN_ITEMS` on either side.
    """
    before = scores.losses.get(UNCHANGED)
    if before is None or min(int(members.sum()), int((~members).sum())) < MIN_ITEMS:
        raise InvalidInput(
            f"At least {MIN_ITEMS} members and {MIN_ITEMS} samples outside are needed, each with an unchanged copy: got "
            f"{int(members.sum())} and {int((~members).sum())}. Export more."
        )
    found = [_effect(name, before, after, members, groups, seed) for name, after in scores.losses.items()]
    return tuple(sorted((e for e in found if e.alteration != UNCHANGED), key=lambda effect: -effect.drop.value))


def _effect(name: str, before: F64, after: F64, members: Bool, groups: I64 | None, seed: int) -> AlterationEffect:
    drops = before - after
    n, known = len(before), np.isfinite(drops)

    def mean(values: F64, of: Bool, rows: I64) -> float:
        own = values[rows][of[rows]]
        return float(own.mean()) if len(own) else float("nan")

    def excess(rows: I64) -> float:
        return mean(before, members, rows) - mean(before, ~members, rows)

    def share(rows: I64) -> float:
        return mean(drops, members & known, rows) / excess(rows)

    def estimate(statistic: Any) -> Estimate:
        return bootstrap(statistic, n, groups, np.random.default_rng([seed, 17]))

    return AlterationEffect(
        name,
        int((members & known).sum()),
        estimate(lambda rows: mean(drops, members & known, rows)),
        estimate(lambda rows: mean(drops, ~members & known, rows)),
        estimate(share) if estimate(excess).low > 0 else UNDEFINED,
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
