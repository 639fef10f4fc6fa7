"""Images whose headers ask for far more than they are."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from core.data.images.decoding import FORMATS, decode, open_picture, upright_size
from core.data.modality import Unreadable
from core.data.tables.masks import decode_mask
from core.limits import Limits
from tests.support.pictures import blobs, encoded

SMALL = ((256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1), (278, 4, 1, 8))


def tiff(*tags: tuple[int, int, int, int], after: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + after


def exif_jpeg(block: bytes) -> bytes:
    """The block in as many segments as it takes, before the image's own; no JFIF, so that Pillow looks into it."""
    whole = encoded(blobs(0), "JPEG")
    pieces = [block[i : i + 60_000] for i in range(0, len(block), 60_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 8 + len(piece)) + b"Exif\0\0" + piece for piece in pieces)
    return whole[:2] + segments + whole[20:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def commented_gif() -> bytes:
    whole = encoded(Image.new("P", (8, 8)), "GIF")
    at = 13 + (3 << (whole[10] & 7) + 1)
    return whole[:at] + b"\x21\xfe" + (b"\xff" + b"a" * 255) * 4200 + b"\0" + whole[at:]


def many_scans() -> bytes:
    whole = encoded(Image.new("L", (64, 64)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * 101 + whole[-2:]


OVERLAPPING = [(40_000 + i, 7, 50_000, 8) for i in range(3000)]
HOSTILE = {
    "tags that share their bytes": (
        tiff(*SMALL, *OVERLAPPING, after=bytes(60_000)),
        "declare more bytes than the file",
    ),
    "too many tags": (tiff(*((1000 + i, 7, 1, 0) for i in range(5000))), "has 5,000 tags, above the limit of 4,096"),
    "a tag of a million numbers": (tiff(*SMALL, (273, 4, 1_000_001, 8), after=bytes(4_100_000)), "1,000,001 numbers"),
    "tiles larger than the image": (
        tiff(*SMALL[:-1], (322, 4, 1, 30_000), (323, 4, 1, 30_000)),
        "tiles of 900,000,000",
    ),
    "EXIF tags that share their bytes": (
        exif_jpeg(tiff(*OVERLAPPING, after=bytes(60_000))),
        "declare more bytes than the file",
    ),
    "a GIF of comments": (commented_gif(), "bytes of comments before its image"),
    "a JPEG of many scans": (many_scans(), "is drawn in 10[0-9] passes, above the limit of 100"),
    "a PNG of many parts": (encoded(blobs(0))[:33] + chunk(b"vpAg") * 100_001, "more than 100,000 chunks"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_header_that_asks_for_too_much_is_refused_before_pillow_reads_it(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, message = HOSTILE[what]
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow was asked"))
    with pytest.raises(Unreadable, match=message):
        decode(data)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP", "JPEG2000"])
def test_honest_pictures_of_every_format_pass_with_and_without_exif(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    options = {} if file_format in ("GIF", "BMP", "JPEG2000") else {"exif": exif}
    data = encoded(blobs(3, (64, 48)), file_format, **options)
    assert decode(data).file_format in FORMATS
    assert upright_size(data) == ((48, 64) if options else (64, 48))
    np.testing.assert_array_equal(decode(data).image.size, upright_size(data))


def test_an_avif_keeps_its_pixels_without_its_exif_block() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Exif"
    plain, told = (encoded(blobs(3), "AVIF", **more) for more in ({}, {"exif": exif}))
    np.testing.assert_array_equal(np.asarray(decode(told).image), np.asarray(decode(plain).image))
    assert "exif" not in open_picture(told).info


@pytest.mark.parametrize("name", ["EPS", "PPM", "TGA", "ICO", "PCX"])
def test_formats_that_are_not_named_reach_no_reader(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(blobs(0), name)
    Image.preinit()
    Image.init()
    monkeypatch.setitem(Image.OPEN, name, (lambda *_: pytest.fail("its reader was asked"), None))
    with pytest.raises(Unreadable, match="not an image in a known format"):
        decode(data)
    assert "a mask cannot be decoded" in str(decode_mask(data))


def test_postscript_starts_no_program() -> None:
    code = (
        "import sys; from core.data.images.decoding import decode; from core.data.modality import Unreadable\n"
        "sys.addaudithook(lambda event, _: event == 'subprocess.Popen' and sys.exit('a program was started'))\n"
        "try: decode(sys.stdin.buffer.read())\n"
        "except Unreadable as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], input=encoded(blobs(0), "EPS"), capture_output=True, check=False
    )
    assert b"is not an image" in found.stdout, found.stderr


def test_nothing_is_printed_of_a_large_picture() -> None:
    code = (
        "import io; from PIL import Image; from core.data.images.decoding import decode; b = io.BytesIO()\n"
        "Image.new('1', (12, 12)).save(b, 'PNG'); Image.MAX_IMAGE_PIXELS = 100; print(decode(b.getvalue()).width)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (found.stdout.strip(), found.stderr) == (b"12", b"")


def test_too_many_pixels_are_refused_by_the_header_whatever_is_asked() -> None:
    data, limits = encoded(blobs(0, (64, 48))), Limits(max_pixels=64 * 48 - 1)
    for ask in (decode, open_picture, upright_size):
        with pytest.raises(Unreadable, match="has 64 x 48 pixels, above the limit of 3,071"):
            ask(data, limits)


@pytest.mark.parametrize("mode", ["I;16", "F", "LA", "P", "CMYK"])
def test_strips_give_the_pixels_of_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (70, 30), np.uint8)
    image = Image.fromarray(noise)
    image = Image.fromarray(noise.astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    data = encoded(image, "TIFF" if mode in ("F", "CMYK") else "PNG", **({"transparency": 0} if mode == "P" else {}))
    whole = np.asarray(decode(data).image)
    monkeypatch.setattr("core.data.images.decoding._STRIP_PIXELS", 100)
    np.testing.assert_array_equal(np.asarray(decode(data).image), whole)


def test_a_file_without_bytes_and_one_of_zeros_are_named() -> None:
    for data, why in ((b"", "is empty"), (bytes(100), "is not an image")):
        with pytest.raises(Unreadable, match=why):
            open_picture(data)
