"""Measured properties: known answers and invariances. Near-duplicates: what is merged and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from core.data.images.decoding import decode
from core.data.images.duplicates import duplicate_groups, picture_hash
from core.data.images.properties import PROPERTIES, columns, measure_properties
from tests.support.pictures import blobs, encoded


def of(image: Image.Image, file_format: str = "PNG") -> dict[str, Any]:
    return measure_properties(decode(encoded(image, file_format)))


def plain(colour: str | tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_every_property_has_a_unit_and_a_column() -> None:
    measured = [of(blobs(0)), of(plain("red"))]
    assert set(measured[0]) == set(PROPERTIES)
    made = columns(measured)
    assert [column.name for column in made] == list(PROPERTIES)
    assert {column.name for column in made if column.kind == "category"} == {"grey", "dominant colour", "file format"}
    assert all(np.isfinite(column.values).all() for column in made if column.kind == "number")


def test_black_white_and_grey_have_known_answers() -> None:
    black, white, grey = of(plain("black")), of(plain("white")), of(plain((128, 128, 128)))
    assert (black["brightness"], white["brightness"]) == (0, 1)
    assert grey["brightness"] == pytest.approx(128 / 255)
    assert (black["underexposed share"], white["overexposed share"]) == (1, 1)
    assert (grey["underexposed share"], grey["overexposed share"]) == (0, 0)
    for flat in (black, white, grey):
        assert (
            flat["contrast"]
            == flat["entropy"]
            == flat["edge density"]
            == flat["colourfulness"]
            == flat["saturation"]
            == 0
        )
        assert flat["blur"] == flat["plain border"] == 1
        assert flat["grey"] == "grey"
    assert [flat["dominant colour"] for flat in (black, white, grey)] == ["black", "white", "grey"]


def test_half_black_half_white_has_known_answers() -> None:
    image = plain("black")
    image.paste("white", (20, 0, 40, 30))
    found = of(image)
    assert found["brightness"] == pytest.approx(0.5)
    assert found["contrast"] == pytest.approx(0.5)
    assert found["entropy"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((220, 20, 20), "red"),
        ((250, 150, 20), "orange"),
        ((110, 60, 20), "brown"),
        ((240, 230, 30), "yellow"),
        ((30, 160, 40), "green"),
        ((30, 200, 210), "cyan"),
        ((20, 40, 200), "blue"),
        ((130, 30, 180), "purple"),
        ((255, 105, 180), "pink"),
        ((255, 182, 193), "pink"),
    ],
)
def test_colours_bear_their_names(colour: tuple[int, int, int], name: str) -> None:
    found = of(plain(colour))
    assert found["dominant colour"] == name
    assert found["grey"] == "colour"


def test_colourfulness_is_the_published_formula() -> None:
    image = blobs(3)
    red, green, blue = np.asarray(image, float).transpose(2, 0, 1)
    rg, yb = red - green, (red + green) / 2 - blue
    expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert of(image)["colourfulness"] == pytest.approx(expected, rel=1e-4)


def noisy(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (200, 200), np.uint8)).convert("RGB")


def test_blur_grows_with_blurring_and_ignores_contrast_and_turning() -> None:
    steps = [of(noisy().filter(ImageFilter.GaussianBlur(radius)))["blur"] for radius in (0, 1, 2, 4)]
    assert steps == sorted(steps)
    assert steps[0] < 0.2
    assert steps[-1] > 0.5
    pale = Image.blend(plain((128, 128, 128), (200, 200)), noisy(), 0.5)
    assert of(pale)["blur"] == pytest.approx(steps[0], abs=0.02)
    assert of(noisy().transpose(Image.Transpose.ROTATE_90))["blur"] == pytest.approx(steps[0], abs=1e-6)


def test_properties_of_the_picture_hardly_depend_on_its_size() -> None:
    large, small = of(blobs(2, (1200, 900))), of(blobs(2, (400, 300)))
    for name in ("brightness", "contrast", "saturation", "plain border", "aspect ratio"):
        assert large[name] == pytest.approx(small[name], abs=0.02)
    assert large["megapixels"] == pytest.approx(1.08)
    assert (large["width"], large["height"]) == (1200, 900)


def test_a_plain_border_is_told_from_a_busy_one() -> None:
    product = plain("white", (200, 200))
    product.paste(noisy().resize((100, 100)), (50, 50))
    assert of(product)["plain border"] == 1
    assert of(noisy())["plain border"] < 0.3


def test_file_facts_come_from_the_bytes() -> None:
    data = encoded(blobs(0), "JPEG")
    found = measure_properties(decode(data))
    assert found["file format"] == "JPEG"
    assert found["file size"] == len(data) / 1000


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 2), (50, 1)])
def test_the_smallest_pictures_are_measured_too(size: tuple[int, int]) -> None:
    found = of(plain((10, 200, 30), size))
    assert found["dominant colour"] == "green"
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))


# Near-duplicates


def natural(seed: int) -> Image.Image:
    """Noise whose amplitude falls with frequency as in photographs: detail at every scale."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(192)[:, None], np.fft.fftfreq(256)[None])
    spectrum = np.fft.fft2(rng.normal(size=(192, 256))) / np.maximum(radius, 1 / 256)
    field = np.fft.ifft2(spectrum).real
    return Image.fromarray((255 * (field - field.min()) / np.ptp(field)).astype(np.uint8)).convert("RGB")


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": lambda image: decode(encoded(image, "JPEG", quality=40)).image,
    "half size": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
}


def groups(images: list[Image.Image], vectors: np.ndarray) -> list[int]:
    return duplicate_groups(
        [str(i).encode() for i in range(len(images))], [picture_hash(image) for image in images], vectors
    ).tolist()


def alike(n: int) -> np.ndarray:
    return np.ones((n, 1), np.float32)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_joins_its_original(edit: str) -> None:
    originals = [natural(seed) for seed in range(6)]
    found = groups([*originals, *(EDITS[edit](image) for image in originals)], alike(12))
    assert found == [0, 1, 2, 3, 4, 5] * 2


def test_flat_pictures_of_different_colours_stay_apart() -> None:
    assert groups([plain(colour, (64, 64)) for colour in ("black", "white", "red", "blue")], alike(4)) == [0, 1, 2, 3]


def test_copies_whose_embeddings_differ_stay_apart_unless_the_bytes_are_the_same() -> None:
    image, vectors = blobs(1), np.eye(2, dtype=np.float32)
    assert groups([image, image], vectors) == [0, 1]
    assert duplicate_groups([b"x", b"x"], [picture_hash(image)] * 2, vectors).tolist() == [0, 0]


def test_no_rows_have_no_groups() -> None:
    assert duplicate_groups([], [], np.empty((0, 4), np.float32)).shape == (0,)


def test_the_search_finds_what_a_plain_loop_finds() -> None:
    """600 rows: more than one block. Hashes are perturbed copies of 40 random ones, so that distances lie on both sides
    of the bound."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (40, 256), np.uint8)[rng.integers(0, 40, 600)]
    for row in bits:
        flip = rng.choice(256, rng.integers(0, 30), replace=False)
        row[flip] ^= 1
    hashes = [np.packbits(row).tobytes().hex() + "00" * 48 for row in bits]
    close = (bits[:, None] != bits[None]).sum(2) <= 24
    reached = close.copy()
    for _ in range(6):  # the transitive closure
        reached = reached @ reached
    expected = np.unique(reached.argmax(1), return_inverse=True)[1]
    np.testing.assert_array_equal(
        duplicate_groups([bytes([i // 256, i % 256]) for i in range(600)], hashes, alike(600)), expected
    )


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "most"), [("imagenet_sample", 0), ("clothing", 1)])
def test_merely_similar_photographs_are_not_merged(folder: str, most: int, shared_data: Path) -> None:
    """The clothes hold one real pair of copies; no cosine is asked here, so the hash stands alone."""
    images = [decode(path.read_bytes()).image for path in sorted((shared_data / folder / "images").iterdir())]
    hashes = [picture_hash(image) for image in images]
    found = duplicate_groups([str(i).encode() for i in range(len(images))], hashes, alike(len(images)))
    assert len(images) - len(np.unique(found)) == most
