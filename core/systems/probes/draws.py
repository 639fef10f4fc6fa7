"""Few-shot draws as JSON that another run can repeat."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import write_text
from core.forms import read_form
from core.records import I64, SampleSet
from core.systems.probes.split_files import NAMED
from core.systems.probes.splits import Fold, Split, draw

FORMAT = "errata few-shot draw"


@dataclass(frozen=True, slots=True)
class FoldIds:
    """One fold of a few-shot draw, by sample id."""

    shots: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """Which images a few-shot run learned from and was scored on."""

    seed: int
    shots: int
    folds: tuple[FoldIds, ...]


def make_draw(samples: SampleSet, split: Split, shots: int, validation: int, seed: int, *, fewer: bool = False) -> Draw:
    """The draw of a run with these settings.

    Raises:
        InvalidInput: the samples have no labels, or a class offers fewer than `shots`.
    """
    if samples.labels is None:
        raise InvalidInput("Shots are drawn by class, and the samples have no labels. Use a table with a label column.")
    folds = list[FoldIds]()
    labels = samples.labels
    names = samples.class_names
    for fold in split.folds:
        drawn, validation_rows = draw(
            labels, fold.train, names, shots, validation, seed, fewer=fewer, checked=fold.validation,
            groups=samples.groups,
        )  # fmt: skip
        ids = [tuple(samples.ids[i] for i in rows.tolist()) for rows in (drawn, validation_rows, fold.test)]
        folds.append(FoldIds(*ids))
    return Draw(seed, shots, tuple(folds))


def write_draw(path: Path, drawn: Draw) -> None:
    """Write the draw as JSON, whole or not at all.

    Raises:
        InvalidInput: the file cannot be written.
    """
    write_text(path, json.dumps({"format": FORMAT, "version": 1, **asdict(drawn)}, indent=1))


def read_draw(path: Path, samples: SampleSet) -> tuple[Draw, Split]:
    """A written draw, and the split that repeats it on these samples: its training rows are the shots and no others.

    Raises:
        InvalidInput: the file is not a few-shot draw, or has ids that are not among the samples.
    """
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:  # pyright: ignore[reportUnknownMemberType]
        raise InvalidInput(f"{path.name}: not a few-shot draw (JSON with format {FORMAT!r}). Use one from --save-draw.")
    drawn = read_form(Draw, document, f"The few-shot draw {path.name}", "Use one from --save-draw.")
    folds = drawn.folds
    scored_ids = list(chain.from_iterable(f.test for f in folds))
    repeated = len(scored_ids) - len(set(scored_ids))
    if not scored_ids or repeated:
        fault = f"scores {repeated:,} images twice" if scored_ids else "scores no image"
        raise InvalidInput(f"The draw {path.name} {fault}, and must score each once. Write it again with --save-draw.")
    row_of = {name: row for row, name in enumerate(samples.ids)}
    every_id = chain.from_iterable((*f.shots, *f.validation, *f.test) for f in folds)
    missing = [name for name in every_id if name not in row_of]
    if missing:
        raise InvalidInput(
            f"{len(missing):,} images of the draw {path.name} are not among the samples: "
            f"{', '.join(missing[:NAMED])}. Use the samples it was drawn from, or draw again."
        )

    def rows_of(ids: tuple[str, ...]) -> I64:
        return np.array([row_of[name] for name in ids], np.int64)

    sentence = f"The images of the draw {path.name}, {drawn.shots} shots a class, seed {drawn.seed}."
    split = Split(tuple(Fold(rows_of(f.shots), rows_of(f.test), rows_of(f.validation)) for f in folds), sentence)
    left = np.setdiff1d(np.arange(len(samples)), rows_of(tuple(scored_ids)))
    return drawn, replace(split, excluded=tuple((int(row), "the draw does not score it") for row in left))
