"""Split files: CoOp's `split_zhou_*.json`, read unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.records import I64, SampleSet
from core.systems.probes.splits import Fold, Split

PARTS = ("train", "val", "test")
PUBLISHED = "Bring the file as it was published."
NAMED = 5
"""Paths named in a sentence before it only counts them."""


@dataclass(frozen=True, slots=True)
class SplitEntry:
    """One image of a split file."""

    path: str
    label: int
    class_name: str


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A split file as it was published."""

    parts: dict[str, tuple[SplitEntry, ...]]
    """By "train", "val", "test"; a part may be empty."""
    order: tuple[str, ...]
    """Class names in the order of the file's labels: the base classes of CoCoOp's protocol are the first half of
    these."""


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A split file on samples."""

    samples: SampleSet
    """The same, with the file's labels where they had none."""
    split: Split
    order: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Paths of the file for which there is no sample, or more than one."""
    notes: tuple[str, ...]


def read_split(path: Path) -> SplitFile:
    """The file's three parts.

    Raises:
        InvalidInput: it is no JSON of the form {"train": [[path, label, class name], ...], "val": ..., "test": ...}, or
        a label has two names.

    Source: the format of Zhou et al. 2022 (CoOp), which SuS-X, Tip-Adapter and others share.
    """
    said = read_json(path, instead=PUBLISHED)
    form = f'{path.name} must be {{"train": [[path, label, class name], ...], "val": [...], "test": [...]}}'
    if not isinstance(said, dict) or not any(part in said for part in PARTS):
        raise InvalidInput(
            f"{form}: it has none of these parts. Bring a split file such as split_zhou_OxfordPets.json."
        )
    parts = {
        part: tuple(_entry(row, f"{form}: {part} row {i}") for i, row in enumerate(_list(said.get(part, []), form)))
        for part in PARTS
    }
    return SplitFile(parts, _order([e for own in parts.values() for e in own], path.name))


def _list(value: Any, form: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput(f"{form}: a part is {type(value).__name__}, not a list.")
    return list(value)  # pyright: ignore[reportUnknownVariableType]


def _entry(row: Any, where: str) -> SplitEntry:
    if not isinstance(row, list | tuple) or len(row) != 3:  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidInput(f"{where} is {str(row)[:80]!r}, not three values.")  # pyright: ignore[reportUnknownArgumentType]
    path, label, name = row  # pyright: ignore[reportUnknownVariableType]
    whole = isinstance(label, int) and not isinstance(label, bool)
    if not isinstance(path, str) or not whole or label < 0 or not str(name).strip():  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidInput(f"{where} is {str(row)[:80]!r}: a path, a label from 0 and a class name are needed.")  # pyright: ignore[reportUnknownArgumentType]
    return SplitEntry(path, label, str(name))  # pyright: ignore[reportUnknownArgumentType]


def _order(entries: Sequence[SplitEntry], file: str) -> tuple[str, ...]:
    names: dict[int, str] = {}
    for e in entries:
        if names.setdefault(e.label, e.class_name) != e.class_name:
            raise InvalidInput(
                f"{file} calls label {e.label} both {names[e.label]!r} and {e.class_name!r}. Give each label one name."
            )
    folded = [fold_name(name) for name in names.values()]
    if len(set(folded)) < len(folded):
        twice = next(n for n in names.values() if folded.count(fold_name(n)) > 1)
        raise InvalidInput(f"{file} gives two labels the name {twice!r}. Give each label its own name.")
    return tuple(names[label] for label in sorted(names))


def apply_split(file: SplitFile, samples: SampleSet) -> Applied:
    """The file's parts as rows of the samples: `train` is trained on, `val` validates, `test` is scored.

    Paths are matched from their end: the sample whose id (or image name) shares the most trailing parts of the path, at
    least the base name. Classes are matched by name, never by number. An image that the file has in two parts is kept
    in the later one (test before val before train), so that no scored image is trained on; one that it has twice in a
    part counts once.

    Raises:
        InvalidInput: no training or no test image is among the samples, or a class is not among the samples' classes.
    """
    found, unmatched = _match(file, samples)
    samples, disagreeing = _labelled(file, samples, found)
    rows: dict[str, I64] = {}
    taken: set[int] = set()
    moved = repeated = 0
    for part in reversed(PARTS):
        own = [row for row, _ in found[part]]
        repeated += len(own) - len(set(own))
        moved += len(set(own) & taken)
        rows[part] = np.array(sorted(set(own) - taken), np.int64)
        taken |= set(own)
    if len(found["train"]) and len(rows["test"]) and not len(rows["train"]):
        raise InvalidInput(
            "Every training image of the split file is also in another part, so none is left to train on. "
            "Give each image one part."
        )
    if not len(rows["train"]) or not len(rows["test"]):
        total = sum(len(own) for own in file.parts.values())
        raise InvalidInput(
            f"Of the split file's {total:,} paths {len(unmatched):,} match no sample, so no image is left to "
            f"{'train on' if not len(rows['train']) else 'score'}: the first is {(*unmatched, '-')[0]!r}, "
            "and the samples have ids such as "
            f"{samples.ids[0]!r}. Bring the folder that the file was made for."
        )
    fold = Fold(rows["train"], rows["test"], rows["val"] if len(rows["val"]) else None)
    counts = ", ".join(f"{len(rows[part]):,} {part}" for part in PARTS)
    split = Split((fold,), f"The split file's parts: {counts}.", _left_out(len(samples), rows))
    return Applied(samples, split, file.order, unmatched, _notes(unmatched, repeated, moved, disagreeing))


def _left_out(n: int, rows: dict[str, I64]) -> tuple[tuple[int, str], ...]:
    part_of = {int(row): part for part, own in rows.items() for row in own}
    reasons = {"train": "the split file has it as training image", "val": "the split file has it as validation image"}
    return tuple(
        (row, reasons.get(part_of.get(row, ""), "the split file does not have it"))
        for row in range(n)
        if part_of.get(row) != "test"
    )


def _match(file: SplitFile, samples: SampleSet) -> tuple[dict[str, list[tuple[int, SplitEntry]]], tuple[str, ...]]:
    index: defaultdict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for row, name in enumerate(samples.ids):
        ways = {_steps(name)} | (set() if samples.items is None else {_steps(samples.items.name(row))})
        for steps in ways:
            index[steps[-1]].append((steps, row))
            # ids without the file's ending; "/" is in no base name
            index[PurePosixPath(steps[-1]).stem + "/"].append((steps, row))
    found: dict[str, list[tuple[int, SplitEntry]]] = {part: [] for part in PARTS}
    unmatched: list[str] = []
    for part in PARTS:
        for entry in file.parts[part]:
            row = _best(_steps(entry.path), index)
            if row is None:
                unmatched.append(entry.path)
            else:
                found[part].append((row, entry))
    return found, tuple(unmatched)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(p for p in path.replace("\\", "/").split("/") if p not in ("", ".")) or ("",)


def _best(wanted: tuple[str, ...], index: dict[str, list[tuple[tuple[str, ...], int]]]) -> int | None:
    """The row that shares the most trailing parts; None without any, or where two rows share as many."""
    candidates = index.get(wanted[-1]) or index.get(PurePosixPath(wanted[-1]).stem + "/") or []
    shared = [(sum(1 for _ in _common(wanted[:-1], steps[:-1])), row) for steps, row in candidates]
    most = max((n for n, _ in shared), default=0)
    rows = {row for n, row in shared if n == most}
    return rows.pop() if len(rows) == 1 else None


def _common(a: tuple[str, ...], b: tuple[str, ...]) -> list[str]:
    same: list[str] = []
    for x, y in zip(reversed(a), reversed(b)):
        if x != y:
            break
        same.append(x)
    return same


def _labelled(
    file: SplitFile, samples: SampleSet, found: dict[str, list[tuple[int, SplitEntry]]]
) -> tuple[SampleSet, int]:
    """The samples with labels, and of how many images the file says another class than the samples."""
    pairs = [pair for part in PARTS for pair in found[part]]
    if samples.labels is None:
        place = {name: c for c, name in enumerate(file.order)}
        rows = np.array(sorted({row for row, _ in pairs}), np.int64)
        labels = dict((row, place[entry.class_name]) for row, entry in pairs)
        kept = samples.keep(rows)
        kept = replace(kept, labels=np.array([labels[int(row)] for row in rows], np.int64), class_names=file.order)
        at = {int(row): i for i, row in enumerate(rows)}
        for part in PARTS:
            found[part] = [(at[row], entry) for row, entry in found[part]]
        return kept, 0
    ours = {fold_name(name): c for c, name in enumerate(samples.class_names)}
    missing = [name for name in file.order if fold_name(name) not in ours]
    if missing:
        raise InvalidInput(
            f"The split file has {len(missing)} classes that the samples do not have, such as "
            f"{missing[0]!r}; the samples have "
            f"{', '.join(samples.class_names[:5])}. Rename the classes in one of them so that they agree."
        )
    return samples, sum(1 for row, entry in pairs if ours[fold_name(entry.class_name)] != samples.labels[row])


def _notes(unmatched: tuple[str, ...], repeated: int, moved: int, disagreeing: int) -> tuple[str, ...]:
    notes: list[str] = []
    if unmatched:
        more = ", ..." if len(unmatched) > NAMED else ""
        notes.append(
            f"{len(unmatched):,} paths of the split file match no sample, or more than one: "
            f"{', '.join(unmatched[:NAMED])}{more}"
        )
    if repeated:
        notes.append(f"The split file has {repeated:,} images more than once in a part; each counts once.")
    if moved:
        notes.append(
            f"The split file has {moved:,} images in two parts; "
            "they are kept in the later one, so that no scored image is trained on."
        )
    if disagreeing:
        notes.append(
            f"Of {disagreeing:,} images the split file says another class than the samples; the samples' class is used."
        )
    return tuple(notes)
