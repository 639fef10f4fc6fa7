"""Pools of images for support sets: a folder or archive, unlabeled or with one folder a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from core.data.images.archives import is_image_name, open_images
from core.embeddings.embed import read_images
from core.encoders import Encoder
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.limits import Limits
from core.records import F32, I64, Progress, no_progress
from core.systems.common.named_texts import read_object
from core.systems.probes.base import Images
from core.systems.probes.few_shot.support import drop_samples, first_names

FOLDERS = ("auto", "classes", "none")
NO_FOLDER = "no folder"


@dataclass(frozen=True, slots=True, eq=False)
class ImagePool:
    """The images of a pool, with notes on reading them."""

    images: Images
    """`labels` is None where the folders are not classes."""
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    """A sentence for each image that could not be read."""


def read_pool(
    path: str | Path,
    encoder: Encoder,
    class_names: Sequence[str],
    *,
    samples: F32 | None = None,
    folders: str = "auto",
    aliases: Mapping[str, str] | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
    limits: Limits = Limits(),
) -> ImagePool:
    """The images of a folder, zip or tar in the encoder's joint space.

    Args:
        samples: (n, d) vectors of the samples; pool images among them are left out and counted.
        folders: "classes" uses an image's folder as its class; "none" ignores folders; "auto" uses them if at least
            half of the images are in folders with a class's name.
        aliases: folder name to class name, besides the class names; see `read_aliases`.
        cache: as in `core.embeddings.embed.read_images`.

    Raises:
        InvalidInput: the pool has no readable image, all are among the samples, or `folders` is "classes" and no folder
        has a class's name.
    """
    if folders not in FOLDERS:
        raise InvalidInput(f"folders must be one of {', '.join(FOLDERS)}: got {folders!r}. Use auto.")
    store = open_images(path, limits, progress)
    notes = list(store.notes)
    image_rows = [i for i in range(len(store)) if is_image_name(store.name(i))]
    if not image_rows:
        raise InvalidInput(f"{Path(path).name!r} has no images. Use a folder, zip or tar of .jpg, .png or .webp files.")
    store = store.keep(image_rows)
    labels = None
    if folders != "none":
        names = [store.name(i) for i in range(len(store))]
        labels, folder_notes = label_by_folder(names, class_names, aliases, must=folders == "classes")
        notes += folder_notes
    if labels is not None:
        known = np.flatnonzero(labels >= 0).astype(np.int64)
        store = store.keep(known)
        labels = labels[known]
    reading = read_images(store, encoder, cache=cache, progress=progress)
    ids = tuple(store.name(i) for i in reading.kept.tolist())
    if labels is not None:
        labels = labels[reading.kept]
    images = Images(reading.joint.vectors, ids, labels)
    if reading.unreadable:
        notes.append(
            f"Skipped {len(reading.unreadable):,} unreadable images of the pool. "
            f"The first: {next(iter(reading.unreadable.values()))}"
        )
    if samples is not None:
        images, note = drop_samples(images, samples)
        if note:
            notes.append(note)
        if not len(images):
            raise InvalidInput("Every image of the pool is also among the samples. Use other images for the pool.")
    return ImagePool(images, tuple(notes), tuple(reading.unreadable.values()))


def label_by_folder(
    names: Sequence[str], class_names: Sequence[str], aliases: Mapping[str, str] | None = None, *, must: bool = False
) -> tuple[I64 | None, list[str]]:
    """((n,) class of each image by its folder, -1 without one; notes), or (None, []) where folders are not classes.

    Args:
        names: paths, "/" between folders. Among several folders the innermost with a class's name counts.
        class_names: matched regardless of case, underscores, doubled spaces and the composition of accents. The order
            of folders does not matter: alphabetical order is not the order of the classes.
        must: refuse folders that match no class; otherwise, if fewer than half of the images match, the pool is
            unlabeled.

    Raises:
        InvalidInput: `must`, and no folder has a class's name.
    """
    named = {fold_name(name): c for c, name in enumerate(class_names)}
    aliased: dict[str, int] = {}
    for alias, name in (aliases or {}).items():
        if fold_name(name) in named:
            aliased[fold_name(alias)] = named[fold_name(name)]
    class_of = aliased | named  # a class's own name wins
    labels = np.full(len(names), -1, np.int64)
    unknown = Counter[str]()
    for i, name in enumerate(names):
        parts = [p for p in reversed(PurePosixPath(name).parent.parts) if p != "."]
        labels[i] = next((class_of[fold_name(p)] for p in parts if fold_name(p) in class_of), -1)
        if labels[i] < 0:
            unknown[parts[0] if parts else NO_FOLDER] += 1
    matched = int((labels >= 0).sum())
    if must and not matched:
        folders = [name for name in unknown if name != NO_FOLDER][:5]
        raise InvalidInput(
            f"No folder of the pool ({', '.join(map(repr, folders)) or 'it has none'}) has a class's name "
            f"({', '.join(map(repr, class_names[:5]))}). Rename the folders, or add other names for them."
        )
    if not matched or (not must and matched * 2 < len(names)):
        return None, []
    notes = [f"Used the pool's folders as classes: {matched:,} images."]
    if unknown:
        largest = ", ".join(f"{name!r} ({n:,})" for name, n in unknown.most_common(5))
        notes.append(
            f"Left out {sum(unknown.values()):,} images in {len(unknown):,} folders without a class's name: {largest}."
        )
    missing = [name for c, name in enumerate(class_names) if not (labels == c).any()]
    if missing:
        notes.append(f"The pool has no folder for {first_names(missing)}.")
    return labels, notes


def read_aliases(source: str | Path, class_names: Sequence[str]) -> dict[str, str]:
    """Folder name to class name, from a JSON file or its text: {"plane": "airplane"} or {"airplane": ["plane", "jet"]}.

    Raises:
        InvalidInput: the JSON is not an object of names, or an entry names no class.
    """
    text = str(source)
    if not text.strip():
        return {}
    entries, _ = read_object(text, "Other names", 'an object such as {"plane": "airplane"}')
    class_named = {fold_name(name): name for name in class_names}
    aliases: dict[str, str] = {}
    for key, value in entries.items():
        others = [value] if isinstance(value, str) else value
        if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
            raise InvalidInput(f"Other names of {key!r} must be text or a list of texts. Fix that entry.")
        if fold_name(key) in class_named:
            aliases |= {str(other): class_named[fold_name(key)] for other in others}
        elif len(others) == 1 and fold_name(str(others[0])) in class_named:
            aliases[key] = class_named[fold_name(str(others[0]))]
        else:
            classes = ", ".join(map(repr, class_names[:5]))
            raise InvalidInput(
                f"Other names: neither {key!r} nor {', '.join(map(repr, others))} is a class. Use one of {classes}."
            )
    return aliases
