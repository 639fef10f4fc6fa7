"""Split files: CoOp's `split_zhou_*.json`, read unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.records import I64, SampleSet
from core.systems.probes.splits import Fold, Split

PARTS = ("train", "val", "test")
PUBLISHED = "Use the file as it was published."
NAMED = 5
"""Paths that a sentence lists at most."""


@dataclass(frozen=True, slots=True)
class SplitEntry:
    """One image of a split file."""

    path: str
    label: int
    class_name: str


Match = tuple[int, SplitEntry]
"""(row of the samples, the file's entry for it)."""


@dataclass(frozen=True, slots=True)
class SplitFile:
    """A published split file."""

    parts: dict[str, tuple[SplitEntry, ...]]
    """By "train", "val", "test"; a part may be empty."""
    order: tuple[str, ...]
    """Class names in the order of the file's labels; the first half are the base classes of CoCoOp's protocol."""


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A split file applied to samples."""

    samples: SampleSet
    """The samples, with the file's labels where they had none."""
    split: Split
    order: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Paths of the file that match no sample, or more than one."""
    notes: tuple[str, ...]


def read_split(path: Path) -> SplitFile:
    """The file's three parts.

    Raises:
        InvalidInput: the file is not JSON of the form {"train": [[path, label, class name], ...], "val": ...,
        "test": ...}, or a label has two names.

    Source: the format of Zhou et al. 2022 (CoOp), which SuS-X, Tip-Adapter and others share.
    """
    document = read_json(path, instead=PUBLISHED)
    form = f'{path.name} must be {{"train": [[path, label, class name], ...], "val": [...], "test": [...]}}'
    if not isinstance(document, dict) or not any(part in document for part in PARTS):
        raise InvalidInput(f"{form}: it has none of these parts. Use a split file such as split_zhou_OxfordPets.json.")
    parts: dict[str, tuple[SplitEntry, ...]] = {}
    for part in PARTS:
        rows: Any = document.get(part, [])
        if not isinstance(rows, list):
            raise InvalidInput(f"{form}: {part} is {type(rows).__name__}, not a list. {PUBLISHED}")
        parts[part] = tuple(_entry(row, f"{form}: {part} row {i}") for i, row in enumerate(rows))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return SplitFile(parts, _order(list(chain.from_iterable(parts.values())), path.name))


def _entry(row: Any, where: str) -> SplitEntry:
    if not isinstance(row, list | tuple) or len(row) != 3:  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidInput(f"{where} is {str(row)[:80]!r}, not three values. {PUBLISHED}")  # pyright: ignore[reportUnknownArgumentType]
    path, label, name = row  # pyright: ignore[reportUnknownVariableType]
    whole = isinstance(label, int) and not isinstance(label, bool)
    if not isinstance(path, str) or not whole or label < 0 or not str(name).strip():  # pyright: ignore[reportUnknownArgumentType]
        raise InvalidInput(
            f"{where} is {str(row)[:80]!r}, not a path, a label from 0 and a class name. {PUBLISHED}"  # pyright: ignore[reportUnknownArgumentType]
        )
    return SplitEntry(path, label, str(name))  # pyright: ignore[reportUnknownArgumentType]


def _order(entries: Sequence[SplitEntry], file: str) -> tuple[str, ...]:
    names: dict[int, str] = {}
    for e in entries:
        if names.setdefault(e.label, e.class_name) != e.class_name:
            raise InvalidInput(
                f"{file}: label {e.label} has the names {names[e.label]!r} and {e.class_name!r}. Use one name a label."
            )
    folded = [fold_name(name) for name in names.values()]
    if len(set(folded)) < len(folded):
        twice = next(n for n in names.values() if folded.count(fold_name(n)) > 1)
        raise InvalidInput(f"{file}: two labels have the name {twice!r}. Rename one.")
    return tuple(names[label] for label in sorted(names))


def apply_split(file: SplitFile, samples: SampleSet) -> Applied:
    """The file's parts as rows of the samples: `train` is trained on, `val` validates, `test` is scored.

    Paths are matched from their end: the sample whose id (or image name) shares the most trailing parts of the path, at
    least the base name. Classes are matched by name, never by number. An image that the file has in two parts stays in
    the later one (test before val before train), so that no scored image is trained on; repeats within a part count
    once.

    Raises:
        InvalidInput: no training or no test image is among the samples, or a class is not among the samples' classes.
    """
    matches, unmatched = _match(file, samples)
    samples, disagreeing = _with_labels(file, samples, matches)
    rows: dict[str, I64] = {}
    taken: set[int] = set()
    moved = repeated = 0
    for part in reversed(PARTS):
        part_rows = [row for row, _ in matches[part]]
        distinct = set(part_rows)
        repeated += len(part_rows) - len(distinct)
        moved += len(distinct & taken)
        rows[part] = np.array(sorted(distinct - taken), np.int64)
        taken |= distinct
    if len(matches["train"]) and len(rows["test"]) and not len(rows["train"]):
        raise InvalidInput(
            "Every training image of the split file is also in another part, so none is left to train on. "
            "Give each image one part."
        )
    if not len(rows["train"]) or not len(rows["test"]):
        total = sum(map(len, file.parts.values()))
        use = "score" if len(rows["train"]) else "train on"
        raise InvalidInput(
            f"{len(unmatched):,} of the split file's {total:,} paths match no sample, so no image is left to {use}. "
            f"The first is {(*unmatched, '-')[0]!r}; ids look like {samples.ids[0]!r}. "
            "Use the image folder that the file belongs to."
        )
    fold = Fold(rows["train"], rows["test"], rows["val"] if len(rows["val"]) else None)
    counts = ", ".join(f"{len(rows[part]):,} {part}" for part in PARTS)
    split = Split((fold,), f"The split file's parts: {counts}.", _left_out(len(samples), rows))
    return Applied(samples, split, file.order, unmatched, _notes(unmatched, repeated, moved, disagreeing))


def _left_out(n: int, rows: dict[str, I64]) -> tuple[tuple[int, str], ...]:
    reason_of = dict.fromkeys(range(n), "the split file does not list it")
    reason_of |= dict.fromkeys(rows["train"].tolist(), "the split file uses it for training")
    reason_of |= dict.fromkeys(rows["val"].tolist(), "the split file uses it for validation")
    for row in rows["test"].tolist():
        del reason_of[row]
    return tuple(reason_of.items())


def _match(file: SplitFile, samples: SampleSet) -> tuple[dict[str, list[Match]], tuple[str, ...]]:
    index: defaultdict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for row, name in enumerate(samples.ids):
        names = {_steps(name)}
        if samples.items is not None:
            names.add(_steps(samples.items.name(row)))
        for steps in names:
            index[steps[-1]].append((steps, row))
            # for ids without the file's suffix; "/" is in no base name
            index[PurePosixPath(steps[-1]).stem + "/"].append((steps, row))
    matches: dict[str, list[Match]] = {part: [] for part in PARTS}
    unmatched: list[str] = []
    for part in PARTS:
        for entry in file.parts[part]:
            row = _best(_steps(entry.path), index)
            if row is None:
                unmatched.append(entry.path)
            else:
                matches[part].append((row, entry))
    return matches, tuple(unmatched)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(p for p in path.replace("\\", "/").split("/") if p not in ("", ".")) or ("",)


def _best(wanted: tuple[str, ...], index: dict[str, list[tuple[tuple[str, ...], int]]]) -> int | None:
    """The row that shares the most trailing parts; None without candidates, or in a tie."""
    candidates = index.get(wanted[-1]) or index.get(PurePosixPath(wanted[-1]).stem + "/") or []
    shared = [(_count_common(wanted[:-1], steps[:-1]), row) for steps, row in candidates]
    most = max((n for n, _ in shared), default=0)
    rows = {row for n, row in shared if n == most}
    return rows.pop() if len(rows) == 1 else None


def _count_common(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    n = 0
    for x, y in zip(reversed(a), reversed(b)):
        if x != y:
            break
        n += 1
    return n


def _with_labels(file: SplitFile, samples: SampleSet, matches: dict[str, list[Match]]) -> tuple[SampleSet, int]:
    """The samples with labels, and the number of images whose class in the file differs from the samples'.

    Samples without labels keep only the matched rows, so `matches` is renumbered.
    """
    pairs = list(chain.from_iterable(matches.values()))
    if samples.labels is None:
        class_of = {name: c for c, name in enumerate(file.order)}
        rows = np.array(sorted({row for row, _ in pairs}), np.int64)
        label_of = {row: class_of[entry.class_name] for row, entry in pairs}
        labels = np.array([label_of[row] for row in rows.tolist()], np.int64)
        matched = replace(samples.keep(rows), labels=labels, class_names=file.order)
        at = {row: i for i, row in enumerate(rows.tolist())}
        for part in PARTS:
            matches[part] = [(at[row], entry) for row, entry in matches[part]]
        return matched, 0
    class_of = {fold_name(name): c for c, name in enumerate(samples.class_names)}
    missing = [name for name in file.order if fold_name(name) not in class_of]
    if missing:
        raise InvalidInput(
            f"The split file has {len(missing)} classes that the samples lack, such as {missing[0]!r}; the samples "
            f"have {', '.join(samples.class_names[:5])}. Rename the classes in one of them."
        )
    return samples, sum(1 for row, entry in pairs if class_of[fold_name(entry.class_name)] != samples.labels[row])


def _notes(unmatched: tuple[str, ...], repeated: int, moved: int, disagreeing: int) -> tuple[str, ...]:
    notes: list[str] = []
    if unmatched:
        more = ", ..." if len(unmatched) > NAMED else ""
        notes.append(
            f"{len(unmatched):,} paths of the split file match no sample, or more than one: "
            f"{', '.join(unmatched[:NAMED])}{more}"
        )
    if repeated:
        notes.append(f"The split file repeats {repeated:,} images within a part; each counts once.")
    if moved:
        notes.append(
            f"The split file has {moved:,} images in two parts. They stay in the later one, so that no scored image is "
            "trained on."
        )
    if disagreeing:
        notes.append(
            f"The split file and the samples disagree on the class of {disagreeing:,} images. "
            "Errata used the samples' class."
        )
    return tuple(notes)
