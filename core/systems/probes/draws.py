"""Few-shot draws as JSON that another run can repeat."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import write_text
from core.records import SampleSet
from core.systems.probes.split_files import NAMED
from core.systems.probes.splits import Fold, Split, draw

FORMAT = "errata few-shot draw"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One fold of a few-shot draw, by sample id."""

    shots: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """Which images a few-shot run learned from and was scored on."""

    seed: int
    shots: int
    folds: tuple[Drawn, ...]


def make_draw(samples: SampleSet, split: Split, shots: int, validation: int, seed: int, *, fewer: bool = False) -> Draw:
    """The draw that a run with these settings makes.

    Raises:
        InvalidInput: the samples have no labels, or a class offers fewer than `shots`.
    """
    if samples.labels is None:
        raise InvalidInput(
            "Shots are drawn by class, and the samples have no labels. Bring a table with a label column."
        )
    folds = list[Drawn]()
    labels = samples.labels
    names = samples.class_names
    for fold in split.folds:
        beside: dict[str, Any] = {"checked": fold.validation, "groups": samples.groups}
        rows = draw(labels, fold.train, names, shots, validation, seed, fewer=fewer, **beside)
        folds.append(Drawn(*(tuple(samples.ids[i] for i in own.tolist()) for own in (*rows, fold.test))))
    return Draw(seed, shots, tuple(folds))


def write_draw(path: Path, made: Draw) -> None:
    """The draw as JSON, whole or not at all.

    Raises:
        InvalidInput: the file cannot be written.
    """
    folds = [{"shots": list(f.shots), "validation": list(f.validation), "test": list(f.test)} for f in made.folds]
    document = {"format": FORMAT, "version": 1, "seed": made.seed, "shots": made.shots, "folds": folds}
    write_text(path, json.dumps(document, indent=1))


def read_draw(path: Path, samples: SampleSet) -> tuple[Draw, Split]:
    """A written draw, and the split that repeats it on these samples: its training rows are the shots and no others.

    Raises:
        InvalidInput: it is no such file, or ids of it are not among the samples.
    """
    said = read_json(path)
    if not isinstance(said, dict) or said.get("format") != FORMAT:  # pyright: ignore[reportUnknownMemberType]
        raise InvalidInput(
            f"{path.name} is no few-shot draw: it must be JSON with format {FORMAT!r}, as a run writes it."
        )
    try:
        folds = tuple(Drawn(*(_ids(f[part]) for part in ("shots", "validation", "test"))) for f in said["folds"])  # pyright: ignore
        made = Draw(int(said["seed"]), int(said["shots"]), folds)  # pyright: ignore
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise InvalidInput(
            f"{path.name} is a few-shot draw without seed, shots and folds of ids ({fault}). Write it again."
        ) from None
    scored_ids = [name for f in folds for name in f.test]
    if not scored_ids or len(set(scored_ids)) < len(scored_ids):
        many = (
            "scores no image" if not scored_ids else f"scores {len(scored_ids) - len(set(scored_ids)):,} images twice"
        )
        raise InvalidInput(f"The draw {path.name} {many}, and each must be scored once. Write it again.")
    at = {name: row for row, name in enumerate(samples.ids)}
    missing = [name for f in folds for name in (*f.shots, *f.validation, *f.test) if name not in at]
    if missing:
        raise InvalidInput(
            f"{len(missing):,} images of the draw {path.name} are not samples here, such as "
            f"{', '.join(missing[:NAMED])}. Bring the samples that it was made on, or draw again."
        )
    rows = [[np.array([at[name] for name in own], np.int64) for own in (f.shots, f.test, f.validation)] for f in folds]
    said = f"The images of the draw {path.name}, {made.shots} shots a class, seed {made.seed}."
    split = Split(tuple(Fold(*own) for own in rows), said)
    scored = np.concatenate([own[1] for own in rows])
    left = np.setdiff1d(np.arange(len(samples)), scored)
    return made, replace(split, excluded=tuple((int(row), "the draw does not score it") for row in left))


def _ids(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said):  # pyright: ignore[reportUnknownVariableType]
        raise TypeError("ids must be a list of texts")
    return tuple(said)  # pyright: ignore[reportUnknownArgumentType]
