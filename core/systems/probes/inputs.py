"""Inputs of a probe besides the samples: its options, the split, the pool of unlabeled images, and the saved draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.command import entry
from core.cli.output import in_folder
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Progress, SampleSet, Words
    from core.systems.probes.base import Images, Probe, Task
    from core.systems.probes.splits import Split


FOLDERS = "whether the pool's folders are classes: classes, none, or auto for most of them (default: auto)"
SPLIT = '"column" for the split column, or a JSON file such as split_zhou_*.json (default: two halves)'


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """For every probe."""

    pool: Path | None = entry("PATH", "images for a support set: folder, zip or tar, unlabeled or in class folders")
    pool_folders: str = entry("", FOLDERS, "auto", type=click.Choice(("auto", "classes", "none")))
    pool_names: str | None = entry("FILE", 'JSON for folders with other names: {"folder": "class name"}')
    split: str | None = entry("WHAT", SPLIT)
    save_draw: Path | None = entry("FILE", "file for the training and scored images, for --split of another run")
    seed: int = entry("", "random seed (default: 0)", 0)
    name: str = entry("TEXT", "name of the result in the run (default: the probe, with its shots)", "")
    diagnose: Path | None = entry("FILE", "run to write with the groups on which the probe itself fails")
    permutations: int = entry("N", "permutations per test of that diagnosis (default: 5,000)", 5000)
    json: bool = entry("", "print JSON", False)


def read_task(
    name: str, probe: Probe, options: ProbeOptions, samples: SampleSet, words: Words, progress: Progress
) -> tuple[Task, tuple[str, ...]]:
    """The task of the probe, and notes on its split and pool."""
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.systems.probes.base import Task

    split, notes = read_split(options.split, samples)
    pool = None
    more = ()
    if options.pool is not None:
        if samples.modality != "image":
            raise InvalidInput(f"--pool takes images, and the samples are {samples.modality}s. Remove --pool.")
        if not probe.needs().pool:
            raise InvalidInput(f"The probe {name} does not use --pool. Remove it, or use sus-x without shots.")
        pool, more = read_images(options.pool, options.pool_folders, options.pool_names, samples, words, progress)
    encoder = load_encoder(words.encoder)
    return Task(samples, words.joint, encoder, pool, split, options.seed, default_cache()), (*notes, *more)


def read_split(value: str | None, samples: SampleSet) -> tuple[Split | None, tuple[str, ...]]:
    """The split that --split names, and notes on it."""
    if value is None:
        return None, ()
    from core.documents import read_text
    from core.systems.probes.draws import FORMAT, read_draw
    from core.systems.probes.split_files import apply_split, read_split as read_file
    from core.systems.probes.splits import by_column

    if value == "column":
        return by_column(samples), ()
    path = Path(value)
    if path.suffix.lower() != ".json":
        raise InvalidInput(f'--split must be "column" or a JSON file: got {value!r}. Use one of them.')
    if path.is_file() and FORMAT in read_text(path):
        return read_draw(path, samples)[1], ()
    applied = apply_split(read_file(path), samples)
    return applied.split, applied.notes


def save_draw(path: Path, probe: Probe, task: Task) -> None:
    """Write the training and scored images to a file that --split reads."""
    from core.systems.probes.draws import make_draw, write_draw
    from core.systems.probes.run import in_id_order
    from core.systems.probes.splits import VALIDATION, halves

    task = in_id_order(task)  # as the probe itself draws
    needs = probe.needs()
    labels = task.samples.labels
    if not needs.shots or labels is None:
        raise InvalidInput(
            "--save-draw writes the images a probe learns from, and this probe learns from none. Remove it."
        )
    split = task.split or halves(labels, task.samples.groups, task.seed)
    n_validation = min(needs.validation, VALIDATION)
    fewer = bool(getattr(probe, "fewer", False))
    draw = make_draw(task.samples, split, needs.shots, n_validation, task.seed, fewer=fewer)
    in_folder(path)
    write_draw(path, draw)


def read_images(
    path: Path, folders: str, aliases: str | None, samples: SampleSet, words: Words, progress: Progress
) -> tuple[Images | None, tuple[str, ...]]:
    """The images of a pool as the encoder sees them, and notes on them."""
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.systems.probes.few_shot.pools import read_aliases, read_pool

    names = samples.class_names
    pool = read_pool(
        path,
        load_encoder(words.encoder),
        names,
        samples=words.joint.vectors,
        folders=folders,
        aliases=None if aliases is None else read_aliases(aliases, names),
        cache=default_cache(),
        progress=progress,
    )
    return pool.images, pool.notes
