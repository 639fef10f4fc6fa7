"""The model that comes along: right about drawn scenes where it is sure, and not sure of anything else."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.systems.composition.scenes.held_out import HeldOut, held_out_pairs
from core.systems.composition.scenes.render import render_scene
from core.systems.vl_t5.caution import caution_of
from core.systems.vl_t5.folder import folder_of, read_describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.tasks import QUESTION
from core.systems.vl_t5.vision import grid_boxes
from research.weights.vl_t5.scene_draws import draw_scenes
from research.weights.vl_t5.scene_tasks import GRID, SceneTasks

N = 24


def test_it_tells_colours_and_shapes_of_new_scenes_and_of_noise_it_is_not_sure() -> None:
    folder, encoder = folder_of(None), load_encoder()
    describer, likeness = read_describer(folder), caution_of(folder).likeness
    assert likeness is not None
    scenes = draw_scenes(N, 99, HeldOut(colour=held_out_pairs(0).colour))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8))
    pixels = np.stack([encoder.preprocess(picture) for picture in (*map(render_scene, scenes), noise)])
    cells = tower_of(encoder).image_tokens(pixels).tokens
    alike = likeness.alike(cells.mean(1))
    assert alike[:N].mean() > 0.8
    assert not alike[N]
    for kind in ("colour", "shape"):
        asked = SceneTasks(scenes, np.random.default_rng(0)).one_each(QUESTION, kind)
        own = torch.from_numpy(cells[[one.picture for one in asked]])
        said = describer.answer([one.given for one in asked], PictureParts(own, grid_boxes(GRID, GRID)[None]))
        assert np.mean([one.text == task.wanted for one, task in zip(said, asked, strict=True)]) > 0.8
