#!/usr/bin/env python
"""Teach the describer and write it with its card.

    python -m research.weights.vl_t5.fit CORPUS --scratch FOLDER --out FOLDER [--tasks N] [--seed 0] [--start FOLDER]

CORPUS holds captions.csv and images/ of Flickr8k; without it ("none") scenes alone are learned from. SCRATCH keeps the
encoder's cells of all images (1.2 GB). Reading them takes about ten minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.documents import read_json
from core.files import write_json
from core.systems.common.picture_cells import fit_whitening
from core.systems.vl_t5.caution import CARD
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.folder import read_describer, write_describer
from core.systems.vl_t5.likeness import Likeness, fit_likeness, write_likeness
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.tasks import QUESTION
from core.systems.vl_t5.vision import VisionSizes, grid_boxes
from research.weights.vl_t5.calibrated_bar import RELIABLE, calibrated_bar
from research.weights.vl_t5.material import (
    FIRST,
    FIRST_PART,
    HELD_OUT,
    KEPT,
    LATER,
    PHOTO,
    SCENES,
    SHARES,
    Material,
    kept_cells,
    lesson,
    mixed,
    picture_means,
    read_material,
    scene_cells,
    scenes_of,
)
from research.weights.vl_t5.new_model import NewSizes, make_describer
from research.weights.vl_t5.scene_tasks import ABSENT, BEGINNINGS, GRID, KINDS, SceneTasks
from research.weights.vl_t5.spoken import Spoken
from research.weights.vl_t5.teach import Lesson, Teaching, Views, teach, unfold

TASKS = 96_000
LEAST = 5
"""Tasks that are learned, and how often a word must occur to be known."""
WHITENED = 256
"""Components of a cell's features that are kept: a linear reading of them tells 98% of colors and all shapes."""


def fit(
    material: Material,
    tasks: Sequence[Spoken],
    words: Sequence[str],
    how: Teaching,
    new: NewSizes,
    start: Path | None = None,
) -> tuple[Describer, Lesson]:
    """A model that learned the tasks: a new one whose words are those of `words`, or that of a folder."""
    views = views_of(material)
    if start is None:
        describer = make_describer(words, VisionSizes(views.whitening.basis.shape[1]), new, least=LEAST)
    else:
        describer = read_describer(start)
        unfold(describer.model.visual, views.whitening)
    return describer, teach(describer, tasks, views, how, report)


def views_of(material: Material) -> Views:
    """The images as they are shown while a model learns."""
    cells = material.some()
    whitening = fit_whitening(cells.reshape(-1, cells.shape[-1]), WHITENED)
    return Views(material.whitened(whitening), grid_boxes(GRID, GRID), whitening)


def words_of(material: Material, tasks: Sequence[Spoken]) -> list[str]:
    """All that the tasks say and all captions, from which words are taken."""
    said = [text for task in tasks for text in (task.given, task.wanted)]
    return said + [caption for own in material.captions for caption in own]


def likeness_of(scratch: Path) -> Likeness:
    """Which images are like the scenes that are learned from, drawn or kept by a run; photographs are not, whether
    captions of them were learned or not: no question is about one."""
    learned, others = (
        np.concatenate([picture_means(cells(part, scratch)) for cells in (scene_cells, kept_cells)])
        for part in ("train", "tune")
    )
    return fit_likeness(learned, others)


def report(step: str, done: int, of: int) -> None:
    if done % 100 == 0 or done == of:
        print(step, done, of, file=sys.stderr, flush=True)


def bars_on(describer: Describer, scratch: Path, part: str = "tune") -> dict[str, float]:
    """The bar of each kind of question, by how it begins, on scenes that were not learned from: one task a scene, every
    second one on the scene as a run keeps it; of colors and shapes half are about what is not there."""
    scenes = scenes_of(part)
    bars = dict[str, float]()
    cells = np.array(scene_cells(part, scratch))
    cells[1::2] = kept_cells(part, scratch)[1::2]
    for k, (kind, start) in enumerate(zip(KINDS, BEGINNINGS, strict=True)):
        tasks = SceneTasks(scenes, np.random.default_rng([17, k]))
        asked = tasks.one_each(QUESTION, kind)
        if kind in ("colour", "shape"):
            absent = {task.picture: task for task in tasks.one_each(QUESTION, ABSENT + kind)}
            asked = [absent.get(task.picture, task) if task.picture % 4 > 1 else task for task in asked]
        features = torch.from_numpy(cells[[one.picture for one in asked]].astype(np.float32))
        said = describer.answer([one.given for one in asked], PictureParts(features, grid_boxes(GRID, GRID)[None]))
        right = [one.text == task.wanted for one, task in zip(said, asked, strict=True)]
        bars[start] = round(calibrated_bar([one.probability for one in said], right), 4)
    return bars


def card_of(
    material: Material, taught: Lesson, how: Teaching, new: NewSizes, n_tasks: int, shares: Mapping[str, float]
) -> Mapping[str, Any]:
    """What is known of the model besides its weights."""
    return {
        "format": 1,
        "what": "VL-T5 (Cho et al. 2021, arXiv 2102.02779), small, on the cells of the embedded encoder",
        "encoder": "embedded",
        "sizes": asdict(new),
        "teaching": asdict(how),
        "tasks": n_tasks,
        "shares": dict(shares),
        "first": {"part": FIRST_PART, "shares": dict(FIRST)},
        "scenes": {name: {"n": n, "seed": seed} for name, (n, seed, _) in SCENES.items()},
        "kept_copies": KEPT,
        "held_out": sorted(map(list, HELD_OUT.colour)),
        "photographs": len(material.captions),
        "corpus": "Flickr8k (Hodosh, Young and Hockenmaier 2013, JAIR 47): Flickr's terms, for research"
        if material.captions
        else None,
        "losses": [round(loss, 4) for loss in taught.losses],
        "seconds": round(taught.seconds),
        "licence": "Apache-2.0; no picture and no caption is contained",
        "torch": torch.__version__,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a model that this made, which learns on")
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    material = read_material(None if given.corpus == "none" else Path(given.corpus), given.scratch)
    shares = {k: v for k, v in SHARES.items() if material.captions or not k.startswith(PHOTO)}
    shares = shares if given.start is None else LATER
    tasks = (lesson if given.start is None else mixed)(material, given.tasks, given.seed, shares)
    how = Teaching(seed=given.seed)
    new = NewSizes(seed=given.seed)
    describer, taught = fit(material, tasks, words_of(material, tasks), how, new, given.start)
    write_describer(describer, given.out, half=True)
    write_likeness(likeness_of(given.scratch), given.out)
    bar = {"bars": bars_on(describer, given.scratch), "reliable": RELIABLE}
    before = {} if given.start is None else {"start": read_json(given.start / CARD)}
    write_json(given.out / CARD, {**card_of(material, taught, how, new, given.tasks, shares), **bar, **before})
    print(json.dumps({"losses": taught.losses, "seconds": taught.seconds}))


if __name__ == "__main__":
    main()
