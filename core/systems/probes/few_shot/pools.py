"""A pool of images as a support set is made of: a folder or archive, unlabeled or with one folder a class."""

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
from core.records import F32, I64, ItemStore, Progress, no_progress
from core.systems.common.named_texts import read_object
from core.systems.probes.base import Images
from core.systems.probes.few_shot.support import drop_samples

FOLDERS = ("auto", "classes", "none")


@dataclass(frozen=True, slots=True, eq=False)
class ImagePool:
    """A pool that was read."""

    images: Images
    """`labels` is None where the folders say nothing of classes."""
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
        samples: (n, d) vectors of the samples; pool images that are among them are left out and counted.
        folders: "classes" takes the folder that an image lies in for its class; "none" takes no notice of folders;
            "auto" looks whether at least half of the images lie in folders with a class's name.
        aliases: folder name to class name, beside what the names say; see `read_aliases`.
        cache: as in `core.embeddings.embed.read_images`.

    Raises:
        InvalidInput: there is no image, none can be read, all are among the samples, or folders by class were asked
        for and none has a class's name.
    """
    if folders not in FOLDERS:
        raise InvalidInput(f"folders must be one of {', '.join(FOLDERS)}: got {folders!r}.")
    store, notes = _pictures(path, limits, progress)
    labels = None
    if folders != "none":
        names = [store.name(i) for i in range(len(store))]
        labels, said = label_by_folder(names, class_names, aliases, must=folders == "classes")
        notes += said
    if labels is not None:
        known = np.flatnonzero(labels >= 0).astype(np.int64)
        store = store.keep(known)
        labels = labels[known]
    reading = read_images(store, encoder, cache=cache, progress=progress)
    kept = reading.kept
    images = Images(
        reading.joint.vectors, tuple(store.name(i) for i in kept.tolist()), None if labels is None else labels[kept]
    )
    if reading.unreadable:
        notes.append(
            f"{len(reading.unreadable):,} images of the pool could not be read. "
            f"The first: {next(iter(reading.unreadable.values()))}"
        )
    if samples is not None:
        images, said = drop_samples(images, samples)
        notes += [said] if said else []
        if not len(images):
            raise InvalidInput(
                "Every image of the pool is also among the samples, so none is left to learn from. Bring other images."
            )
    return ImagePool(images, tuple(notes), tuple(reading.unreadable.values()))


def _pictures(path: str | Path, limits: Limits, progress: Progress) -> tuple[ItemStore, list[str]]:
    """Those files of the pool that are images by their names, and what was noted of the rest."""
    store = open_images(path, limits, progress)
    pictures = [i for i in range(len(store)) if is_image_name(store.name(i))]
    if not pictures:
        raise InvalidInput(
            f"{Path(path).name!r} holds no images. Give a folder, .zip or .tar with .jpg, "
            ".png or .webp files as the pool."
        )
    return store.keep(pictures), list(store.notes)


def label_by_folder(
    names: Sequence[str], class_names: Sequence[str], aliases: Mapping[str, str] | None = None, *, must: bool = False
) -> tuple[I64 | None, list[str]]:
    """((n,) class of each image by the folder it lies in, -1 where that is none; sentences), or None where folders
    aren't classes.

    Args:
        names: paths, "/" between folders. Of several folders the innermost with a class's name counts.
        class_names: matched without regard to case, underscores, doubled spaces and how accents are composed. The order
            of the folders says nothing: alphabetical order is not the order of the classes.
        must: refuse folders that match no class, where otherwise fewer than half of the images make the pool
            unlabeled.

    Raises:
        InvalidInput: `must`, and no folder has a class's name.
    """
    index = {fold_name(name): c for c, name in enumerate(class_names)}
    index = {
        fold_name(alias): index[fold_name(name)] for alias, name in (aliases or {}).items() if fold_name(name) in index
    } | index
    labels = np.full(len(names), -1, np.int64)
    unknown = Counter[str]()
    for i, name in enumerate(names):
        parts = [p for p in reversed(PurePosixPath(name).parent.parts) if p != "."]
        labels[i] = next((index[fold_name(p)] for p in parts if fold_name(p) in index), -1)
        if labels[i] < 0:
            unknown[parts[0] if parts else "no folder"] += 1
    matched = int((labels >= 0).sum())
    if must and not matched:
        folders = [name for name in unknown if name != "no folder"][:5]
        seen = f"there are {', '.join(map(repr, folders))}" if folders else "its images lie in none"
        raise InvalidInput(
            f"No folder of the pool has a class's name: {seen}, and the classes are "
            f"{', '.join(map(repr, class_names[:5]))}. "
            "Rename the folders, or give other names for them."
        )
    if not matched or (not must and matched * 2 < len(names)):
        return None, []
    notes = [f"The pool's folders were taken for classes: {matched:,} images."]
    if unknown:
        some = ", ".join(f"{name!r} ({n:,})" for name, n in unknown.most_common(5))
        notes.append(
            f"{sum(unknown.values()):,} images lie in {len(unknown):,} folders without a class's name and "
            f"were left out: {some}."
        )
    missing = [name for c, name in enumerate(class_names) if not (labels == c).any()]
    if missing:
        some = ", ".join(map(repr, missing[:5])) + (f" and {len(missing) - 5:,} more" if len(missing) > 5 else "")
        notes.append(f"The pool has no folder for {some}.")
    return labels, notes


def read_aliases(source: str | Path, class_names: Sequence[str]) -> dict[str, str]:
    """Folder name to class name, from a JSON file or its text: {"plane": "airplane"} or {"airplane": ["plane", "jet"]}.

    Raises:
        InvalidInput: it is no such object, or an entry names no class.
    """
    text = str(source)
    if not text.strip():
        return {}
    found, _ = read_object(text, "Other names", 'an object such as {"plane": "airplane"}')
    known = {fold_name(name): name for name in class_names}
    aliases: dict[str, str] = {}
    for key, value in found.items():
        others = [value] if isinstance(value, str) else value
        if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
            raise InvalidInput(f"Other names of {key!r} must be text or a list of texts.")
        if fold_name(key) in known:
            aliases |= {str(other): known[fold_name(key)] for other in others}
        elif len(others) == 1 and fold_name(str(others[0])) in known:
            aliases[key] = known[fold_name(str(others[0]))]
        else:
            some = ", ".join(map(repr, class_names[:5]))
            raise InvalidInput(
                f"Other names: neither {key!r} nor {', '.join(map(repr, others))} is a class. The classes are {some}."
            )
    return aliases
