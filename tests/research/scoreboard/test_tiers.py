"""The tiers: what each says where its data are not there, and what its images are."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from research.scoreboard import picture_tier, pool as pools
from research.scoreboard.picture_tier import ClothingTier, FlickrTier
from research.scoreboard.planted_tier import EmbeddingTier, TenClassTier
from research.scoreboard.pool import make_pool
from research.scoreboard.scene_tier import FACTORS, SHAPES, draw_scenes
from research.scoreboard.worlds import TIERS


@pytest.mark.parametrize("name", TIERS)
def test_a_tier_that_needs_pictures_says_so_and_the_others_need_none(name, tmp_path):
    tier = TIERS.load(name)()
    if name in ("embeddings", "few-rows", "ten-classes", "scenes"):
        assert tier.missing(None) == ""
    else:
        assert "--data" in tier.missing(None)
        assert f"no {name}/" in tier.missing(tmp_path)
    assert "null" in tier.kinds


def test_embedding_tiers_hand_on_what_was_planted_and_hide_the_slices():
    world = EmbeddingTier(n=300, dimensions=8).make("several", 1, None)
    assert len(world.slices) == 3
    assert len(world.audit) == len(world.fresh) == 300
    assert world.audit.likeness.shape == (300, 32)
    assert not np.array_equal(world.audit.embeddings, world.fresh.embeddings)
    assert set(np.unique(TenClassTier(n=300, dimensions=8).make("rare", 1, None).audit.labels)) == set(range(10))


def test_scenes_are_drawn_of_independent_factors_and_repeat():
    scenes = draw_scenes(60, np.random.default_rng(1))
    assert {scene.things[0].shape for scene in scenes} == set(SHAPES)
    assert {scene.ground for scene in scenes} == set(FACTORS["ground"])
    assert scenes == draw_scenes(60, np.random.default_rng(1))


class Stub:
    """An encoder whose vectors are the mean color."""

    name, fingerprint, calls = "stub", "0" * 16, 0

    def preprocess(self, image):
        return np.moveaxis(np.asarray(image.resize((4, 4)), np.float32), -1, 0)

    def encode_items(self, batch):
        Stub.calls += len(batch)
        means = batch.mean((2, 3)) + 1
        unit = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit, unit


@pytest.fixture
def stub(monkeypatch, tmp_path):
    Stub.calls = 0
    monkeypatch.setattr(pools, "load_encoder", Stub)
    monkeypatch.setattr(pools, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(pools, "phrase_directions", lambda v, *_, **__: np.ones((len(v.phrases), 3), np.float32))
    picture_tier._clothing.cache_clear()
    picture_tier._flickr.cache_clear()


def solid(value):
    return lambda: Image.new("RGB", (40, 50), (value, 10, 20))


@pytest.mark.usefixtures("stub")
def test_pictures_are_embedded_once_and_a_damaged_cache_is_made_anew(tmp_path):
    pictures = [solid(v) for v in range(0, 200, 20)]
    labels, attributes = np.zeros(10, int), np.zeros((10, 0), bool)
    first = make_pool("x", pictures, labels, attributes, ())
    again = make_pool("x", pictures, labels, attributes, ())
    assert Stub.calls == 10
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.pixels[:, 0, 5, 5], np.arange(0, 200, 20))
    (kept,) = (tmp_path / "cache" / "scoreboard").iterdir()
    kept.write_bytes(b"broken")
    make_pool("x", pictures, labels, attributes, ())
    assert Stub.calls == 20


@pytest.mark.usefixtures("stub")
def test_clothes_are_of_two_classes_with_kinds_and_light_as_attributes(tmp_path):
    folder = tmp_path / "clothing"
    folder.mkdir()
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class_name"])
        for i, kind in enumerate(["dress", "hat"] * 4):
            Image.new("RGB", (9, 9), (25 * i, 0, 0)).save(folder / f"{i}.png")
            writer.writerow([f"{i}.png", kind])
    assert ClothingTier().missing(tmp_path) == ""
    pool = ClothingTier().pool(folder)
    assert pool.labels.tolist() == [1, 0] * 4
    of = {tuple(name): pool.attributes[:, i] for i, name in enumerate(pool.names)}
    np.testing.assert_array_equal(of["kind", "dress"], pool.labels == 1)
    np.testing.assert_array_equal(np.flatnonzero(of["light", "dark"]), [0, 1])
    np.testing.assert_array_equal(np.flatnonzero(of["light", "bright"]), [6, 7])


@pytest.mark.usefixtures("stub")
def test_captions_say_who_is_there_and_what_else(tmp_path):
    folder = tmp_path / "flickr8k"
    (folder / "images").mkdir(parents=True)
    said = {"a.png": "A boy in the snow with a man .", "b.png": "Two women on grass", "c.png": "A dog runs ."}
    with (folder / "captions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "split", *(f"caption_{i}" for i in range(5))])
        for name, caption in said.items():
            Image.new("RGB", (9, 9)).save(folder / "images" / name)
            writer.writerow([name, "train", caption, *["words"] * 4])
    pool = FlickrTier().pool(folder)
    assert pool.labels.tolist() == [0, 1]  # with a child; adults alone; neither is left out
    of = {name.level: pool.attributes[:, i].tolist() for i, name in enumerate(pool.names)}
    assert of["snow"] == [True, False]
    assert of["grass"] == [False, True]
