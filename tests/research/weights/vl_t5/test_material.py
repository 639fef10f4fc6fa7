"""What the describer learns from, and that a short training learns from images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.images.thumbnails import STORED_SIZE
from core.statistics.intervals import wilson
from core.systems.composition.scenes.render import render_scene
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.tasks import CAPTION, GROUNDING, MATCHING, QUESTION, REGIONS
from core.systems.vl_t5.vision import grid_boxes
from research.weights.vl_t5.fit import fit, words_of
from research.weights.vl_t5.material import HELD_OUT, SHARES, Material, cells_of, kept_copy, lesson, mixed, tidy
from research.weights.vl_t5.new_model import NewSizes
from research.weights.vl_t5.scene_draws import draw_scenes
from research.weights.vl_t5.scene_tasks import GRID, SceneTasks
from research.weights.vl_t5.teach import Teaching

SCENES, TRIED = 1200, 200


def tiny_material(n: int = 30) -> Material:
    scenes = draw_scenes(n, 1, HELD_OUT)
    captions = [["a dog runs", "the dog"], ["a man sits on a bench"]]
    photos = np.ones((3, 49, 4), np.float16)
    return Material(scenes, np.zeros((n, 49, 4), np.float16), captions, photos, np.array([0, 2]))


def test_tasks_are_mixed_by_their_shares_and_photographs_count_behind_the_scenes() -> None:
    material = tiny_material()
    tasks = mixed(material, 2000, 0)
    share = {prefix: np.mean([one.prefix == prefix for one in tasks]) for prefix in (QUESTION, CAPTION, MATCHING)}
    whole = sum(SHARES.values())
    assert share[QUESTION] == pytest.approx(0.55 / whole, abs=0.04)
    assert share[CAPTION] == pytest.approx(0.18 / whole, abs=0.04)
    photos = [one for one in tasks if one.picture >= 30]
    assert {one.picture for one in photos} == {30, 31}
    assert all(one.prefix != QUESTION for one in photos)
    assert mixed(material, 50, 0) == mixed(material, 50, 0) != mixed(material, 50, 1)
    first, then = np.split(np.array([one.prefix for one in lesson(material, 500, 0)]), [200])
    assert set(first) == {QUESTION, GROUNDING, REGIONS}
    assert {MATCHING, CAPTION, REGIONS} < set(then)
    assert material.rows([0, 31]).mean((1, 2)).tolist() == [0, 1]
    assert tidy(" A dog , running . ") == "a dog , running"


def test_cells_are_read_once_and_those_of_other_pictures_are_not_taken(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 49, 4), np.float16))
    np.save(tmp_path / "a_pooled.npy", np.zeros((3, 2), np.float32))
    assert len(cells_of("a", 3, tuple, tmp_path)[0]) == 3
    with pytest.raises(ValueError, match="not 4"):
        cells_of("a", 4, tuple, tmp_path)


def test_a_kept_copy_is_the_scene_at_the_size_that_a_run_keeps() -> None:
    scene = draw_scenes(1, 1, HELD_OUT)[0]
    drawn, copy = render_scene(scene), kept_copy(scene)
    assert max(copy.size) == min(STORED_SIZE, max(drawn.size))
    whole = np.asarray(drawn.convert("RGB").resize(copy.size), np.float32)
    assert 0.1 < np.abs(whole - np.asarray(copy.convert("RGB"), np.float32)).mean() < 8  # written with some loss


@pytest.mark.slow
def test_a_few_minutes_of_training_tell_colours_from_cells_far_better_than_a_guess(tmp_path: Path) -> None:
    scenes = draw_scenes(SCENES + TRIED, 10, HELD_OUT)
    cells = cells_of("few", len(scenes), lambda: (render_scene(scene) for scene in scenes), tmp_path)[0]
    none = np.zeros(0, np.int64)
    material = Material(scenes[:SCENES], cells[:SCENES], [], cells[:0], none)
    tasks = SceneTasks(material.scenes, np.random.default_rng(0)).many(QUESTION, 48 * 200, "colour")
    describer, lesson = fit(material, tasks, words_of(material, tasks), Teaching(), NewSizes())
    asked = SceneTasks(scenes[SCENES:], np.random.default_rng(1)).one_each(QUESTION, "colour")
    rows = [SCENES + one.picture for one in asked]
    parts = PictureParts(torch.from_numpy(cells[rows].astype(np.float32)), grid_boxes(GRID, GRID)[None])
    said = describer.answer([one.given for one in asked], parts)
    assert lesson.losses[-1] < 0.6
    wanted = [task.wanted for task in asked]
    right = sum(one.text == answer for one, answer in zip(said, wanted, strict=True))
    guess = max(map(wanted.count, wanted)) / len(wanted)
    assert wilson(right, len(wanted)).low > 2 * guess, (right, len(wanted), guess)
