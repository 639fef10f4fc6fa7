"""What a probe is given besides the samples: its options, the split, the pool of unlabeled images, and the draw that
is kept."""

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


FOLDERS = "auto: folders are classes where most have a class's name; classes: they are; none: they are not"
SPLIT = '"column": the split column, train teaches and test is scored; or a JSON file (split_zhou_*.json); else halves'


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """For every probe."""

    pool: Path | None = entry("PATH", "folder, zip or tar of unlabeled images, or of class folders, for a support set")
    pool_folders: str = entry("", FOLDERS, "auto", type=click.Choice(("auto", "classes", "none")))
    pool_names: str | None = entry("FILE", 'JSON: {"folder": "class name"}, where folders of the pool have other names')
    split: str | None = entry("WHAT", SPLIT)
    save_draw: Path | None = entry("FILE", "write which images teach and which are scored, for --split of another run")
    seed: int = entry("", "the same seed gives the same result (default 0)", 0)
    name: str = entry("TEXT", "what the result is called in the run (default: the probe, with its shots)", "")
    diagnose: Path | None = entry("FILE", "find the probe's own failure clusters, and write them there as a run")
    permutations: int = entry("N", "shuffles behind each p of that diagnosis (default 5000)", 5000)
    json: bool = entry("", "print JSON", False)


def read_task(
    name: str, made: Probe, options: ProbeOptions, samples: SampleSet, words: Words, progress: Progress
) -> tuple[Task, tuple[str, ...]]:
    """What the probe is run on, and what is to be said of split and pool."""
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.systems.probes.base import Task

    split, notes = read_split(options.split, samples)
    pool = None
    more = ()
    if options.pool is not None:
        if samples.modality != "image":
            raise InvalidInput(f"--pool holds images, and the samples are {samples.modality}s. Leave it out.")
        if not made.needs().pool:
            raise InvalidInput(
                f"The probe {name} makes no support set, so it has no use for --pool. Leave it out, or use sus-x."
            )
        pool, more = read_images(options.pool, options.pool_folders, options.pool_names, samples, words, progress)
    encoder = load_encoder(words.encoder)
    return Task(samples, words.joint, encoder, pool, split, options.seed, default_cache()), (*notes, *more)


def read_split(wanted: str | None, samples: SampleSet) -> tuple[Split | None, tuple[str, ...]]:
    """The split that --split names, and what is to be said of it."""
    if wanted is None:
        return None, ()
    from core.documents import read_text
    from core.systems.probes.draws import FORMAT, read_draw
    from core.systems.probes.split_files import apply_split, read_split as read_file
    from core.systems.probes.splits import by_column

    if wanted == "column":
        return by_column(samples), ()
    path = Path(wanted)
    if path.suffix.lower() != ".json":
        raise InvalidInput(f'--split must be "column" or a JSON file: got {wanted!r}.')
    if path.is_file() and FORMAT in read_text(path):
        return read_draw(path, samples)[1], ()
    applied = apply_split(read_file(path), samples)
    return applied.split, applied.notes


def save_draw(path: Path, made: Probe, task: Task) -> None:
    """Write which images teach and which are scored, as a file that --split reads."""
    from core.systems.probes.draws import make_draw, write_draw
    from core.systems.probes.run import in_id_order
    from core.systems.probes.splits import VALIDATION, halves

    task = in_id_order(task)  # as the probe itself draws
    needs = made.needs()
    labels = task.samples.labels
    if not needs.shots or labels is None:
        raise InvalidInput(
            "--save-draw writes which images a probe learned from, and this one learns from none. Leave it out."
        )
    split = task.split or halves(labels, task.samples.groups, task.seed)
    n_validation = min(needs.validation, VALIDATION)
    fewer = bool(getattr(made, "fewer", False))
    draw = make_draw(task.samples, split, needs.shots, n_validation, task.seed, fewer=fewer)
    in_folder(path)
    write_draw(path, draw)


def read_images(
    pool: Path, folders: str, aliases: str | None, samples: SampleSet, words: Words, progress: Progress
) -> tuple[Images | None, tuple[str, ...]]:
    """The images of a pool as the encoder sees them, and what is to be said of them."""
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.systems.probes.few_shot.pools import read_aliases, read_pool

    names = samples.class_names
    found = read_pool(
        pool,
        load_encoder(words.encoder),
        names,
        samples=words.joint.vectors,
        folders=folders,
        aliases=None if aliases is None else read_aliases(aliases, names),
        cache=default_cache(),
        progress=progress,
    )
    return found.images, found.notes
