"""The drawn benchmarks that ship are those that are drawn, in little room."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.systems.composition.scenes.shipped import FOLDER, open_shipped
from research.scenes.ship import drawn


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rendered-single", "cutouts"])
def test_what_ships_is_what_is_drawn_with_its_pictures_compressed(name: str) -> None:
    shipped, fresh = open_shipped(name), drawn(name)
    assert len(shipped.benchmark) == len(fresh.benchmark)
    for kept, made in zip(shipped.benchmark.items, fresh.benchmark.items):
        assert (kept.id, kept.pictures, kept.captions) == (made.id, made.pictures, made.captions)
        assert (kept.match, kept.tags) == (made.match, made.tags)
        np.testing.assert_array_equal(kept.hard, made.hard)
    for attribute in ("name", "title", "kind", "headline", "source", "blind", "average"):
        assert getattr(shipped.benchmark, attribute) == getattr(fresh.benchmark, attribute)
    for at in range(0, len(fresh.store), 40):
        pixels = [np.asarray(Image.open(io.BytesIO(b.store.read(at))).convert("RGB"), float) for b in (shipped, fresh)]
        assert np.abs(pixels[0] - pixels[1]).mean() < 5  # of 255; another image differs by tens


def test_the_files_that_ship_are_small_and_the_photographs_have_their_licences() -> None:
    files = [path for name in ("rendered-single", "cutouts") for path in (FOLDER / name).iterdir()]
    assert sum(path.stat().st_size for path in files) < 3e6
    assert "CC0" in (FOLDER / "cutouts" / "LICENCES.md").read_text("utf-8")
