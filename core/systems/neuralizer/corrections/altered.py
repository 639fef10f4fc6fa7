"""Altered items and back: files are written for the user's model, its losses are read, and what an alteration changed
is said with an interval. Of any modality: corrected scans, clips played backwards.

A folder holds the files and `MANIFEST`, which says of each whose it is and what was done; the user's model is run on
the files, and a table brings its losses by the files' names.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import replacing, write_json
from core.limits import Limits, byte_size
from core.records import F64, I64, UNDEFINED, Bool, Estimate
from core.statistics.intervals import percentile_interval, redrawn, simultaneous_level

MANIFEST = "altered.json"
FORMAT = 1
UNCHANGED = "unchanged"
"""The alteration that only writes the item anew: what the others are compared with."""
_ANEW = "Export the items again."
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
    write_json(folder / MANIFEST, _manifest(items, about))
    return len(items)


def zip_altered(path: Path, made: Iterable[tuple[AlteredItem, bytes]], about: Mapping[str, Any], most: int) -> Path:
    """Write the same as a zip, and the manifest beside it too; returns the manifest's path.

    Args:
        path: of the zip, in a folder of its own, which is left empty where this does not end well.
        most: bytes of all files.

    Raises:
        InvalidInput: the files are larger than that together.
    """
    items = list[AlteredItem]()
    n_bytes = 0
    manifest = path.with_name(MANIFEST)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for item, content in made:
                n_bytes += len(content)
                if n_bytes > most:
                    raise InvalidInput(
                        f"The files are larger than {byte_size(most)} together. Ask for fewer, or for one fault."
                    )
                archive.writestr(item.file, content)
                items.append(item)
            write_json(manifest, _manifest(items, about))
            archive.write(manifest, MANIFEST)
    except BaseException:
        path.unlink(missing_ok=True)
        manifest.unlink(missing_ok=True)
        raise
    return manifest


def _manifest(items: Sequence[AlteredItem], about: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "about": dict(about), "items": [asdict(item) for item in items]}


def read_altered(folder: Path) -> tuple[tuple[AlteredItem, ...], Mapping[str, Any]]:
    """The manifest's items and what it says besides.

    Raises:
        InvalidInput: there is none, it is of another format, is damaged, names no item, a file twice, or two files of
            one sample with one alteration.
    """
    if not (folder / MANIFEST).is_file():
        raise InvalidInput(f"{folder} holds no {MANIFEST}: it is no folder of altered items. Export them first.")
    return read_manifest(folder / MANIFEST)


def read_manifest(path: Path) -> tuple[tuple[AlteredItem, ...], Mapping[str, Any]]:
    """The same of the manifest alone, whatever its file is called."""
    said = read_json(path, most=Limits().max_document_bytes)
    try:
        format_ = said.get("format")
        items = tuple(AlteredItem(str(one["id"]), str(one["alteration"]), str(one["file"])) for one in said["items"])
        about = dict(said["about"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidInput(f"{path.name} in {path.parent} is damaged. {_ANEW}") from None
    if format_ != FORMAT:
        raise InvalidInput(
            f"{path.name} in {path.parent} is of format {str(format_)[:20]}, and {FORMAT} is read. {_ANEW}"
        )
    if not items:
        raise InvalidInput(f"{path.name} in {path.parent} names no item. {_ANEW}")
    for what, keys in (
        ("the file", [one.file for one in items]),
        ("the sample and alteration", [f"{one.id}, {one.alteration}" for one in items]),
    ):
        if (n := Counter(keys).most_common(1)[0])[1] > 1:
            raise InvalidInput(f"{path.name} in {path.parent} names {what} {n[0][:80]!r} {n[1]} times. {_ANEW}")
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
    wanted = {item.file for item in items}
    twice = next((name for name, n in Counter(names).items() if n > 1 and name in wanted), None)
    if twice is not None:  # rows of other files are passed over, whatever they are
        raise InvalidInput(f"{scores.name} names {twice[:80]!r} more than once. Keep one row a file.")
    known = dict(zip(names, [_number(value) for value in frame[loss].tolist()], strict=True))
    if not wanted & set(names):
        raise InvalidInput(
            f"{scores.name} names none of the {len(items):,} files of this export, such as {items[0].file[:80]!r}: it "
            "may belong to another one. Bring the losses of these files."
        )
    for item in items:
        if not np.isfinite(known.get(item.file, np.nan)):
            raise InvalidInput(
                f"{scores.name} has no loss of {item.file[:80]!r}. Give the loss of each of the {len(items):,} files."
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
    """`drop` over the members' excess: their mean loss minus that of samples outside, both unchanged. 1: nothing is
    left of it. Undefined where the excess may be 0, or is 0 when samples are drawn again."""


def effects_of_alterations(
    scores: Rescored, members: Bool, groups: I64 | None = None, seed: int = 0, *, of: int = 1
) -> tuple[AlterationEffect, ...]:
    """What each alteration does to members and to others; the strongest drop first.

    Args:
        members: (m,) which samples of `scores` lie in the cluster; the others are what they are compared with.
        groups: (m,) kept whole when samples are drawn again.
        of: alterations that are looked at together: the intervals hold for all of them at once.

    Raises:
        InvalidInput: there is no unchanged copy, or fewer than `MIN_ITEMS` on either side.
    """
    before = scores.losses.get(UNCHANGED)
    if before is None or min(int(members.sum()), int((~members).sum())) < MIN_ITEMS:
        raise InvalidInput(
            f"At least {MIN_ITEMS} members and {MIN_ITEMS} samples outside are needed, each with an unchanged copy: "
            f"got {int(members.sum())} and {int((~members).sum())}. Export more."
        )
    draws = _Draws.of(members, groups, seed, of)
    excess = draws.mean(before) - draws.mean(before, outside=True)
    found: list[AlterationEffect] = []
    for name, after in scores.losses.items():
        if name == UNCHANGED:
            continue
        drops = before - after
        found.append(
            AlterationEffect(
                name,
                int((members & np.isfinite(drops)).sum()),
                draws.estimate(draws.mean(drops)),
                draws.estimate(draws.mean(drops, outside=True)),
                _share(draws, drops, excess),
            )
        )
    return tuple(sorted(found, key=lambda effect: -effect.drop.value))


def change_between(
    scores: Rescored, pair: tuple[str, str], members: Bool, groups: I64 | None = None, seed: int = 0, *, of: int = 1
) -> Estimate:
    """Mean loss of the members with the first alteration minus with the second; arguments as above."""
    first, second = (scores.losses[name] for name in pair)
    draws = _Draws.of(members, groups, seed, of)
    return draws.estimate(draws.mean(first - second))


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Samples drawn again, members and others together."""

    members: Bool
    counts: F64
    """(1 + draws, m) how often each draw holds each sample; the first holds each once."""
    level: float

    @classmethod
    def of(cls, members: Bool, groups: I64 | None, seed: int, of: int) -> _Draws:
        m = len(members)
        rng = np.random.default_rng([seed, 17])
        counts = [np.ones(m), *(np.bincount(rows, minlength=m) for rows in redrawn(m, groups, rng, 1_000))]
        return cls(members, np.array(counts, float), simultaneous_level(of))

    def mean(self, values: F64, *, outside: bool = False) -> F64:
        """(1 + draws,) of the members, or of the others, that have a value; nan where a draw holds none."""
        kept = (self.members != outside) & np.isfinite(values)
        n = self.counts[:, kept].sum(1)
        return np.where(n, self.counts[:, kept] @ values[kept] / np.maximum(n, 1), np.nan)

    def estimate(self, values: F64) -> Estimate:
        return percentile_interval(float(values[0]), values[1:], self.level)


def _share(draws: _Draws, drops: F64, excess: F64) -> Estimate:
    """The drop over the excess; undefined where that may be 0, or a draw has none: its share would be without bound."""
    if not draws.estimate(excess).low > 0 or (excess == 0).any():
        return UNDEFINED
    return draws.estimate(draws.mean(drops) / excess)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
