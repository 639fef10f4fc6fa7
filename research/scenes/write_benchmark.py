"""A rendered benchmark as files, in the forms that Cola, CLEVR and NegCLIP are published in.

    images/                                     the images
    COLA_multiobjects_matching_benchmark.json   [[image 1, caption 1, image 2, caption 2], ...]
    COLA_singleobjects_benchmark_RENDERED.json  {"labels": queries, "seen": queries,
                                                 "data": [[image, annotation, label, hard list], ...]}
    scenes.json                                 every image's things and relations, as in CLEVR
    train.tsv                                   title, filepath, neg_caption, neg_image, as for NegCLIP
    tags.json                                   the tags of each multi-object item, by its number from 0
    held_out.json                               the pairs that train.tsv never shows or names

Names of images are relative to the folder. "seen" is an addition of ours to Cola's file, which other readers pass
over.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import InvalidInput
from core.files import replacing, write_json, write_text
from core.records import Progress, no_progress
from core.systems.composition.scenes.benchmarks import scenes_of
from core.systems.composition.scenes.held_out import HeldOut
from core.systems.composition.scenes.items import RenderedItem
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import RELATIONS, Scene, Shape, related
from research.scenes.retrieval import RenderedRetrieval

MULTI = "COLA_multiobjects_matching_benchmark.json"
SINGLE = "COLA_singleobjects_benchmark_RENDERED.json"
Form = Literal["webp", "webp lossless", "png"]
FORMS: dict[Form, dict[str, Any]] = {
    "webp": {"format": "WEBP", "quality": 85, "method": 5},
    "webp lossless": {"format": "WEBP", "lossless": True, "quality": 50, "method": 2},
    "png": {"format": "PNG", "optimize": True},
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    pictures: int
    picture_bytes: int
    items: int
    queries: int
    training_rows: int


def write_benchmark(
    folder: Path,
    items: Sequence[RenderedItem] = (),
    retrieval: RenderedRetrieval | None = None,
    train: Sequence[RenderedItem] = (),
    held_out: HeldOut | None = None,
    *,
    size: int = 224,
    form: Form = "webp",
    progress: Progress = no_progress,
) -> Written:
    """Write the files that there is something for, below `folder`, which is made.

    Args:
        items: multi-object items, for Cola's matching file, tags.json and scenes.json.
        retrieval: single-object queries, for Cola's single-object file and scenes.json.
        train: items of the split "train", for train.tsv and scenes.json.
        held_out: the plan's, for held_out.json.
        size: side of the images in pixels.
        form: how they are encoded; "webp" loses a little and is the smallest.

    Raises:
        InvalidInput: the form is not known, an item of `train` is of another split, or the folder already holds
        images.
    """
    _check(folder, train, form)
    pictures = _NumberedPictures(folder / "images", size, form, [])
    pairs = pictures.add(scenes_of(items), "pair", [item.tags["split"] for item in items for _ in (0, 1)])
    singles = pictures.add(retrieval.scenes, "single", ["test"] * len(retrieval.scenes)) if retrieval else []
    trained = pictures.add(scenes_of(train), "train", ["train"] * 2 * len(train))
    total = pictures.write(progress)
    if items:
        write_json(
            folder / MULTI,
            [[pairs[2 * i], item.captions[0], pairs[2 * i + 1], item.captions[1]] for i, item in enumerate(items)],
        )
        write_json(folder / "tags.json", {str(i): dict(item.tags) for i, item in enumerate(items)})
    if retrieval:
        write_json(folder / SINGLE, single_object_document(retrieval, singles))
    if train:
        write_text(folder / "train.tsv", negclip_table(train, trained))
    if held_out is not None:
        write_json(
            folder / "held_out.json", {name: sorted(map(list, pairs)) for name, pairs in asdict(held_out).items()}
        )
    # large: without spaces
    write_text(folder / "scenes.json", json.dumps(pictures.document(), separators=(",", ":")) + "\n")
    return Written(len(pictures.rows), total, len(items), len(retrieval.queries) if retrieval else 0, 2 * len(train))


def single_object_document(drawn: RenderedRetrieval, names: Sequence[str]) -> dict[str, Any]:
    """Cola's single-object file: queries, and for each image its things, which queries it fits and for which it is
    hard."""
    rows = [
        [name, _annotation(scene), drawn.labels[:, i].astype(int).tolist(), drawn.hard[:, i].astype(int).tolist()]
        for i, (name, scene) in enumerate(zip(names, drawn.scenes, strict=True))
    ]
    seen = [caption for caption, split in zip(drawn.captions, drawn.splits, strict=True) if split == "seen"]
    return {"labels": list(drawn.captions), "data": rows, "seen": seen}


def _annotation(scene: Scene) -> dict[str, list[str]]:
    """Each thing with its attributes, by its number: {"0 cube": ["small", "shiny", "red"]}."""

    def words(thing: Shape) -> list[str]:
        return [thing.size, thing.material, thing.colour]

    return {f"{i} {thing.shape}": words(thing) for i, thing in enumerate(scene.things)}


def negclip_table(items: Sequence[RenderedItem], names: Sequence[str]) -> str:
    """Two rows an item: a caption, its image, the swapped caption, and the number of the other image's row (from
    0)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(["title", "filepath", "neg_caption", "neg_image"])
    for i, item in enumerate(items):
        for side in (0, 1):
            writer.writerow(
                [item.captions[side], names[2 * i + side], repr([item.captions[1 - side]]), repr([2 * i + 1 - side])]
            )
    return buffer.getvalue()


def _check(folder: Path, train: Sequence[RenderedItem], form: str) -> None:
    if form not in FORMS:
        raise InvalidInput(f"Pictures are written as one of {list(FORMS)}: got {form!r}.")
    if strange := sorted({item.tags["split"] for item in train} - {"train"}):
        raise InvalidInput(f"train.tsv takes items of the split 'train': got {strange}. Draw them with split='train'.")
    if (folder / "images").is_dir() and any((folder / "images").iterdir()):
        raise InvalidInput(
            f"{folder / 'images'} already holds pictures. Name an empty folder, so that no picture "
            "is without its scene."
        )


@dataclass(slots=True)
class _NumberedPictures:
    """The images of all files, numbered through."""

    folder: Path
    size: int
    form: Form
    rows: list[tuple[Scene, str, str]]
    """(scene, file name, split)."""

    def add(self, scenes: Iterable[Scene], prefix: str, splits: Sequence[str]) -> list[str]:
        """The names that the images of these scenes get, relative to the benchmark's folder."""
        ending = self.form.split()[0]
        new = [(scene, f"{prefix}_{i:05d}.{ending}", splits[i]) for i, scene in enumerate(scenes)]
        self.rows.extend(new)
        return [f"{self.folder.name}/{name}" for _, name, _ in new]

    def write(self, progress: Progress) -> int:
        """Render and write all; the bytes written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        total = 0
        for i, (scene, name, _) in enumerate(self.rows):
            progress("pictures", i, len(self.rows))
            with replacing(self.folder / name, durable=False) as part:
                render_scene(scene, self.size).save(part, **FORMS[self.form])
                total += part.stat().st_size
        return total

    def document(self) -> dict[str, Any]:
        """scenes.json."""
        scenes = [truth(scene, i, name, split, side=self.size) for i, (scene, name, split) in enumerate(self.rows)]
        return {"info": {"version": "1.0", "license": "CC0-1.0", "split": "rendered"}, "scenes": scenes}


def truth(scene: Scene, index: int, filename: str, split: str, *, side: int) -> dict[str, Any]:
    """The scene as CLEVR's `scenes.json` says it, for an image of `side` pixels.

    `relationships[r][i]` lists the things that stand in relation r to thing i, as in CLEVR; "above" and "below" take
    the place of its "front" and "behind". `pixel_coords` has depth 0. The key "scene" holds the values of `Scene`: the
    image can be drawn again.
    """
    objects = [
        {
            "shape": thing.shape,
            "color": thing.colour,
            "material": thing.material,
            "size": thing.size,
            "pixel_coords": [round(thing.x * side), round(thing.y * side), 0],
            "rotation": thing.angle,
        }
        for thing in scene.things
    ]
    relationships = {
        name: [
            [j for j, other in enumerate(scene.things) if j != i and related(other, name, thing)]
            for i, thing in enumerate(scene.things)
        ]
        for name in RELATIONS
    }
    return {
        "image_index": index,
        "image_filename": filename,
        "split": split,
        "objects": objects,
        "relationships": relationships,
        "scene": asdict(scene),
    }
