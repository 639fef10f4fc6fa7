"""A labeled data set as probes are run on it: class folders, a table beside its images, or a published split
file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from core.data.tables.read import read_table
from core.data.tables.roles import Roles
from core.discovery.prepare import embed
from core.discovery.settings import EmbeddingSettings
from core.encoders import load_encoder
from core.errors import InvalidInput
from core.files import ASSETS, scratch_folder
from core.records import Progress, SampleSet, no_progress
from core.systems.common.labelled import read_samples
from core.systems.probes.base import Task
from core.systems.probes.split_files import PARTS, SplitFile, apply_split, read_split
from core.systems.probes.splits import Split, by_column
from research.ladder.published import dataset_key

PROMPTS = ASSETS / "prompts"
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True, eq=False)
class LadderData:
    """What the ladder is run on."""

    name: str
    task: Task
    order: tuple[str, ...] | None = None
    """Classes in the order of a split file's labels, which decides what is base and what is new; None: as they are
    numbered."""
    descriptions: str = ""
    """A file of sentences for each class that comes with Errata, or ""."""
    notes: tuple[str, ...] = ()
    pool_notes: tuple[str, ...] = ()
    """What was noted of the pool that a support set is made of."""


def read_data_set(
    path: Path, encoder: str = "embedded", *, cache: Path | None = None, progress: Progress = no_progress
) -> LadderData:
    """Read and embed a data set.

    Args:
        path: a folder of class folders or with a table or a `split_*.json` in it; a table beside its images or with a
            image column; or the split file itself, whose paths begin in its folder or in a folder there.
        encoder: see `core.encoders.load_encoder`.
        cache: see `core.embeddings.embed.read_images`.

    Raises:
        InvalidInput: there is no such thing, or the images or labels cannot be read.
    """
    if not path.exists():
        raise InvalidInput(
            f"There is nothing at {path}. Give class folders, a table beside its pictures, or a split file."
        )
    file = path if path.suffix.lower() == ".json" else _split_in(path)
    if file is not None:
        return _by_split_file(file, encoder, cache, progress)
    table = path if path.suffix.lower() in TABLES else None
    images = path if table is None else None if _has_pictures(table) else path.parent
    task, notes = _task(table, images, Roles(), encoder, cache, progress)
    return LadderData(path.stem, task, None, _descriptions(path.stem), notes)


def _has_pictures(table: Path) -> bool:
    """Whether the table has an image column of its own."""
    return table.suffix.lower() == ".parquet" and bool(read_table(table).images)


def _split_in(folder: Path) -> Path | None:
    files = sorted(folder.glob("split_*.json")) if folder.is_dir() else []
    if len(files) > 1:
        raise InvalidInput(
            f"{folder} holds {len(files)} split files: {', '.join(f.name for f in files[:5])}. Name the one to use."
        )
    return files[0] if files else None


def _by_split_file(file: Path, encoder: str, cache: Path | None, progress: Progress) -> LadderData:
    said = read_split(file)
    images = _root(said, file)
    rows = {entry.path: (entry.path, entry.class_name, part) for part in PARTS for entry in said.parts[part]}
    with scratch_folder() as folder:
        table = folder / f"{file.stem}.csv"
        with table.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("file", "label", "split"), *rows.values()])
        roles = Roles(image="file", label="label", split="split")
        task, notes = _task(table, images, roles, encoder, cache, progress)
    applied = apply_split(said, task.samples)
    name = file.stem.removeprefix("split_zhou_").removeprefix("split_")
    task = Task(applied.samples, task.joint, task.encoder, split=applied.split, cache=task.cache)
    return LadderData(name, task, applied.order, _descriptions(name), (*notes, *applied.notes))


def _root(said: SplitFile, file: Path) -> Path:
    """The folder in which the split file's paths begin."""
    first = next((entry.path for part in PARTS for entry in said.parts[part]), None)
    if first is None:
        raise InvalidInput(f"{file.name} names no picture. Bring a split file such as split_zhou_OxfordPets.json.")
    for folder in (file.parent, *sorted(f for f in file.parent.iterdir() if f.is_dir())):
        if (folder / first).is_file():
            return folder
    raise InvalidInput(
        f"The first picture of {file.name}, {first!r}, lies neither beside it nor in a folder there. "
        "Put the pictures beside it."
    )


def _task(
    table: Path | None, images: Path | None, roles: Roles, encoder: str, cache: Path | None, progress: Progress
) -> tuple[Task, tuple[str, ...]]:
    audit = read_samples(table, images=images, roles=roles, progress=progress)
    audit = embed(audit, EmbeddingSettings(encoder, cache=cache), progress=progress)
    if audit.words is None:
        raise InvalidInput(
            f"The encoder {encoder!r} gave no vectors that texts can be compared with. "
            "Use 'embedded' or an open_clip model."
        )
    task = Task(audit.samples, audit.words.joint, load_encoder(encoder), split=_column(audit.samples), cache=cache)
    return task, audit.notes


def _column(samples: SampleSet) -> Split | None:
    """The samples' own parts where their column says train and test; else None, and each half learns from the other."""
    said: set[str] = set() if samples.splits is None else {str(name).lower() for name in samples.splits}
    return by_column(samples) if {"train", "test"} <= said else None


def _descriptions(name: str) -> str:
    for file in sorted(PROMPTS.glob("*.json")):
        if dataset_key(file.stem) == dataset_key(name):
            return str(file)
    return ""
