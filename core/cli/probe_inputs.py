"""What a probe is given besides the samples: the split, the pool of unlabelled images, and the draw that is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.output import in_folder
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.probes.base import Images, Probe, Task
    from core.probes.splits import Split
    from core.records import Progress, SampleSet, Words


def read_split(wanted: str | None, samples: SampleSet) -> tuple[Split | None, tuple[str, ...]]:
    """The split that --split names, and what is to be said of it."""
    if wanted is None:
        return None, ()
    from core.documents import read_text
    from core.probes.draws import FORMAT, read_draw
    from core.probes.split_files import apply_split, read_split as read_file
    from core.probes.splits import by_column

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
    from core.probes.draws import make_draw, write_draw
    from core.probes.run import in_id_order
    from core.probes.splits import VALIDATION, halves

    task = in_id_order(task)  # as the probe itself draws
    needs, labels = made.needs(), task.samples.labels
    if not needs.shots or labels is None:
        raise InvalidInput(
            "--save-draw writes which images a probe learned from, and this one learns from none. Leave it out."
        )
    split = task.split or halves(labels, task.samples.groups, task.seed)
    n_validation, fewer = min(needs.validation, VALIDATION), bool(getattr(made, "fewer", False))
    draw = make_draw(task.samples, split, needs.shots, n_validation, task.seed, fewer=fewer)
    in_folder(path)
    write_draw(path, draw)


def read_images(
    pool: Path, folders: str, aliases: str | None, samples: SampleSet, words: Words, progress: Progress
) -> tuple[Images | None, tuple[str, ...]]:
    """The images of a pool as the encoder sees them, and what is to be said of them."""
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.few_shot.pools import read_aliases, read_pool

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
