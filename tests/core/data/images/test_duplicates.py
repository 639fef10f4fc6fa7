"""Copies of an image share a group, and what is merely alike does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from core.data.images import duplicates
from core.data.images.decoding import decode
from core.data.images.duplicates import duplicate_groups, picture_hash
from tests.support.pictures import blobs, encoded, plain
from tests.support.stopping import stop_after


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


def told_by_pairs(contents: list[bytes], raw: np.ndarray, vectors: np.ndarray) -> list[int]:
    """Groups by a comparison of each with all."""
    bits, grids = np.unpackbits(raw[:, :32], axis=1).astype(int), raw[:, 32:].astype(int)
    alike = (bits[:, None] != bits[None]).sum(2) <= 24
    alike &= np.abs(grids[:, None] - grids[None]).sum(2) <= 48 * 0.15 * 255
    alike &= vectors @ vectors.T >= 0.75
    alike |= np.array([[a == b for b in contents] for a in contents])
    for _ in range(8):  # the transitive closure
        alike = alike @ alike
    return np.unique(alike.argmax(1), return_inverse=True)[1].tolist()


@pytest.mark.parametrize("looks", [1, 2, 25, 300])
def test_many_pictures_of_few_looks_are_told_as_a_plain_loop_tells_them(looks: int) -> None:
    """Of one look some vectors are alike, some are not, and some only through a third."""
    rng = np.random.default_rng(looks)
    raw = rng.integers(0, 256, (looks, 80), np.uint8)
    raw[:, :32] = raw[0, :32]  # the hashes are alike, the colors sometimes
    raw[:, 32:] = raw[rng.integers(0, 1 + looks // 4, looks), 32:] // 2
    raw[np.arange(looks), rng.integers(0, 32, looks)] ^= 255  # by eight bits or sixteen
    files = rng.integers(0, 280, 300)
    of = rng.integers(0, looks, 280)[files]
    angles = rng.choice([0, 0.6, 1.2, 2.5, 3.1, 4.3], 280)[files]  # within 0.72 two are alike
    vectors = np.c_[np.cos(angles), np.sin(angles)].astype(np.float32)
    contents = [str(i).encode() for i in files]
    found = duplicate_groups(contents, [raw[i].tobytes().hex() for i in of], vectors).tolist()
    assert found == told_by_pairs(contents, raw[of], vectors)
    assert 3 <= len(set(found)) < 200


def test_a_thousand_pictures_of_one_look_are_not_compared_each_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    plain_join = duplicates._Components._join
    monkeypatch.setattr(
        duplicates._Components, "_join", lambda self, a, b: compared.append(len(a)) or plain_join(self, a, b)
    )
    names = [str(i).encode() for i in range(1000)]
    assert not duplicate_groups(names, ["0" * 160] * 1000, alike(1000)).any()
    assert sum(compared) == 999


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "most"), [("imagenet_sample", 0), ("clothing", 1)])
def test_merely_similar_photographs_are_not_merged(folder: str, most: int, shared_data: Path) -> None:
    """The clothes hold one real pair of copies; no cosine is asked here, so the hash stands alone."""
    images = [decode(path.read_bytes()).image for path in sorted((shared_data / folder / "images").iterdir())]
    hashes = [picture_hash(image) for image in images]
    found = duplicate_groups([str(i).encode() for i in range(len(images))], hashes, alike(len(images)))
    assert len(images) - len(np.unique(found)) == most


def test_a_visitor_who_stops_ends_the_comparison() -> None:
    with stop_after(1) as progress:
        duplicate_groups([b"a", b"b"], ["0" * 160] * 2, np.ones((2, 1), np.float32), progress)
