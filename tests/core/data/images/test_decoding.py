"""From bytes to upright RGB: modes, orientation, shrinking."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.data.images.decoding import _BYTES_PER_PIXEL, SHORT_SIDE, _check_pixels, decode
from core.data.modality import Unreadable
from core.limits import Limits
from tests.support.pictures import blobs, encoded

HALVES = np.repeat(np.array([[0, 255]], np.uint8), 16, 0).repeat(16, 1)  # left black, right white


def pixels(data: bytes) -> np.ndarray:
    image = decode(data).image
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_black_and_white_stay_so_in_every_mode(mode: str) -> None:
    deep = Image.fromarray(HALVES.astype(np.uint16) * 257)
    image = deep if mode == "I;16" else Image.fromarray(HALVES).convert("RGB").convert(mode)
    decoded = pixels(encoded(image, "TIFF" if mode == "CMYK" else "PNG"))
    np.testing.assert_array_equal(decoded[:, 0], 0)
    np.testing.assert_array_equal(decoded[:, -1], 255)


def test_floats_are_stretched_over_their_own_range() -> None:
    decoded = pixels(encoded(Image.fromarray(HALVES.astype(np.float32) / 1000 - 5), "TIFF"))
    assert decoded.min() == 0
    assert decoded.max() == 255


def test_transparency_is_laid_on_white() -> None:
    np.testing.assert_array_equal(pixels(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)))), 255)
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0] * 256)
    np.testing.assert_array_equal(pixels(encoded(palette, "PNG", transparency=0)), 255)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_shows_the_same_picture(orientation: int) -> None:
    upright = blobs(0, (60, 40))
    undo = [None, None, 0, 3, 1, 5, 2, 6, 4]  # the transposition that the camera would have applied
    stored = upright if undo[orientation] is None else upright.transpose(Image.Transpose(undo[orientation]))  # pyright: ignore[reportArgumentType]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(stored, "PNG", exif=exif))
    assert (picture.width, picture.height) == (60, 40)
    np.testing.assert_array_equal(np.asarray(picture.image), np.asarray(upright))


def test_of_an_animation_the_first_frame_is_taken() -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    assert pixels(encoded(red, "GIF", save_all=True, append_images=[blue]))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_large_picture_is_shrunk_but_reports_its_own_size(file_format: str) -> None:
    picture = decode(encoded(blobs(0, (4000, 3000)), file_format))
    assert (picture.width, picture.height, picture.file_format) == (4000, 3000, file_format)
    assert SHORT_SIDE <= min(picture.image.size) < 2 * SHORT_SIDE
    small, full = (
        np.asarray(image.resize((32, 24), Image.Resampling.BOX), float)
        for image in (picture.image, blobs(0, (4000, 3000)))
    )
    assert np.abs(small - full).max() < 4


def test_a_turned_large_picture_is_still_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(encoded(blobs(0, (3000, 2000)), "PNG", exif=exif))
    assert (picture.width, picture.height) == (2000, 3000)
    assert picture.image.height > picture.image.width


@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_damaged_bytes_never_raise_anything_but_unreadable() -> None:
    rng = np.random.default_rng(0)
    for file_format in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        good = encoded(blobs(1), file_format)
        for _ in range(25):
            bad = bytearray(good)
            for place in rng.integers(0, len(bad), 12):
                bad[place] = rng.integers(256)
            try:
                mode = decode(bytes(bad[: rng.integers(1, len(bad))])).image.mode
            except Unreadable:
                continue
            assert mode == "RGB"


@pytest.mark.parametrize(("kind", "side"), [("WEBP", 6500), ("AVIF", 8700)])
def test_a_picture_whose_decoder_would_take_too_much_memory_is_refused_by_its_header(kind: str, side: int) -> None:
    data = encoded(Image.new("RGB", (side, 1), "red"), kind)
    small = Limits(max_decoder_bytes=side * 8)
    with pytest.raises(Unreadable, match=f"for {kind}"):
        decode(data, small)
    assert side * side > Limits().max_decoder_bytes // _BYTES_PER_PIXEL[kind]
    with pytest.raises(Unreadable, match=f"for {kind}"):
        _check_pixels(side, side, Limits(), kind)
    _check_pixels(side, side, Limits(), "PNG")
