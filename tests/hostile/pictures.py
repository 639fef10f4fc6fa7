"""Pictures that mean harm: bombs, lies in headers, other formats under a picture's name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tests.hostile import add, case
from tests.hostile.making import EVIL, chunk, patched, picture, png, written

Made = dict[str, Any]
MB = 2**20
LEFT = r"^left out: .*"
ANY = r"^(left out|accepted|refused)"


def tiff(*tags: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    """A little-endian TIFF of (tag, type, count, value) and a tail at byte 4096."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)
    return head.ljust(4096, b"\0") + tail


def stripes(width: int, height: int, *more: tuple[int, int, int, int], tail: bytes = b"\0" * 64) -> bytes:
    """A grey TIFF in one strip, uncompressed, whatever its size says."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 4096)]
    tags += [(277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(tail))]
    said = {tag[0] for tag in more}
    return tiff(*(tag for tag in tags if tag[0] not in said), *more, tail=tail)


def _saved(size: tuple[int, int], form: str, mode: str = "L", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, form, **options)
    return out.getvalue()


def _plain(name: str, file: str, make: Any, expects: str, **options: Any) -> None:
    """A case of one picture."""
    add(name, "pictures", "picture", lambda folder: written(folder, file, make()), expects, **options)


BIG = {
    "PNG of 100,000 x 100,000": ("a.png", lambda: png(100_000, 100_000)),
    "PNG of 2^31 x 2^31": ("a.png", lambda: png(2**31 - 1, 2**31 - 1)),
    "GIF of 65,535 x 65,535": (
        "a.gif",
        lambda: b"GIF89a" + b"\xff" * 4 + b"\0\0\0," + bytes(4) + b"\xff" * 4 + b"\0\2\2L\1\0;",
    ),
    "BMP of 60,000 x 60,000": ("a.bmp", lambda: patched(_saved((4, 4), "BMP"), 18, struct.pack("<II", 60_000, 60_000))),
    "BMP of a negative height": (
        "a.bmp",
        lambda: patched(_saved((4, 4), "BMP"), 18, struct.pack("<ii", 60_000, -60_000)),
    ),
    "TIFF of 60,000 x 60,000": ("a.tif", lambda: stripes(60_000, 60_000)),
    "TIFF of 2^32 x 2^32": ("a.tif", lambda: stripes(2**32 - 1, 2**32 - 1)),
    "JPEG of 65,500 x 65,500": ("a.jpg", lambda: _jpeg_of(65_500, 65_500)),
    "PNG of 1 x 99,000,000": ("a.png", lambda: png(1, 99_000_000)),
    "PNG of 0 x 10": ("a.png", lambda: png(0, 10)),
}


def _jpeg_of(width: int, height: int) -> bytes:
    data = picture(form="JPEG")
    return patched(data, data.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


for what, (file, make) in BIG.items():
    _plain(f"picture: {what}", file, make, LEFT)


@case("picture: WebP of 16,383 x 16,383", "picture", LEFT + "pixels")
def _(folder: Path) -> Made:
    return written(folder, "a.webp", b"RIFF\x26\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0" * 2 + b"VP8 \0\0\0\0")


@case("picture: 9,990 x 9,990 of one colour in 100 KB", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.png", _saved((9990, 9990), "PNG", "1"))


@case("picture: 9,990 x 9,990 in 16 bit and four channels", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    rows = zlib.compressobj(9)
    row = b"\0" + bytes(9990 * 8)
    data = b"".join(rows.compress(row) for _ in range(9990)) + rows.flush()
    return written(folder, "a.png", png(9990, 9990, depth=16, colour=6, data=data))


@case("picture: float TIFF of 9,990 x 9,990", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    return written(folder, "a.tif", _saved((9990, 9990), "TIFF", "F", compression="tiff_adobe_deflate"))


@case("picture: CMYK JPEG of 9,990 x 9,990", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    return written(folder, "a.jpg", _saved((9990, 9990), "JPEG", "CMYK"))


@case("picture: progressive JPEG of 9,990 x 9,990 with 3,000 scans", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    data = _saved((9990, 9990), "JPEG", "L", progressive=True)
    at = data.rindex(b"\xff\xda")
    return written(folder, "a.jpg", data[:at] + data[at:-2] * 30 + b"\xff\xd9")


@case("picture: GIF of 100,000 frames", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    frame = b"!\xf9\4\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2L\1\0"
    return written(folder, "a.gif", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * 100_000 + b";")


@case("picture: animated WebP of 500 frames of 4,000 x 4,000", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    out = io.BytesIO()
    frame = Image.new("RGB", (4000, 4000))
    other = frame.copy()
    other.putpixel((0, 0), (9, 9, 9))
    frame.save(out, "WEBP", save_all=True, append_images=[other, frame], method=0, lossless=True)
    return written(folder, "a.webp", out.getvalue())


@case("picture: TIFF of 50,000 pages", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.tif", stripes(8, 8, tail=bytes(64)) + bytes(50_000 * 20))


@case("picture: TIFF whose pages are a ring", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    data = bytearray(stripes(8, 8, tail=bytes(64)))
    n = struct.unpack_from("<H", data, 8)[0]
    data[10 + 12 * n : 14 + 12 * n] = struct.pack("<I", 8)
    return written(folder, "a.tif", bytes(data))


@case("picture: TIFF in 4 billion tiles", "picture", LEFT)
def _(folder: Path) -> Made:
    tags = [(256, 4, 1, 9000), (257, 4, 1, 9000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    return written(
        folder,
        "a.tif",
        tiff(*tags, (322, 4, 1, 1), (323, 4, 1, 1), (324, 4, 2**32 - 1, 4096), (325, 4, 2**32 - 1, 4096)),
    )


@case("picture: TIFF in 81 million tiles of one pixel", "picture", LEFT, slow=True)
def _(folder: Path) -> Made:
    tags = [(256, 4, 1, 2000), (257, 4, 1, 2000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    tail = bytes(4_000_000 * 4)
    return written(
        folder,
        "a.tif",
        tiff(*tags, (322, 4, 1, 1), (323, 4, 1, 1), (324, 4, 4_000_000, 4096), (325, 4, 4_000_000, 4096), tail=tail),
    )


@case("picture: TIFF tag of 4 GB", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.tif", stripes(8, 8, (270, 2, 2**32 - 1, 4096)))


@case("picture: TIFF of 60,000 samples a pixel", "picture", LEFT)
def _(folder: Path) -> Made:
    return written(folder, "a.tif", stripes(3000, 3000, (277, 3, 1, 60_000)))


@case("picture: BigTIFF of 2^40 tags", "picture", LEFT)
def _(folder: Path) -> Made:
    return written(folder, "a.tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**40) + bytes(400))


@case("picture: PNG with 400 MB of text in 400 KB", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    text = zlib.compress(b"a" * (64 * MB), 9)
    return written(
        folder,
        "a.png",
        png(8, 8, *(chunk(b"zTXt", b"k%d\0\0" % i + text) for i in range(6)), data=zlib.compress(bytes(8 * 25))),
    )


@case("picture: PNG with iTXt of 100 MB", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(
        folder,
        "a.png",
        png(8, 8, chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(b"a" * 100 * MB, 9)), data=zlib.compress(bytes(200))),
    )


@case("picture: PNG with a colour profile of 400 MB in 400 KB", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(
        folder,
        "a.png",
        png(8, 8, chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(400 * MB), 9)), data=zlib.compress(bytes(200))),
    )


@case("picture: PNG whose pixels unpack to 2 GB", "picture", "^(accepted|left out)", slow=True)
def _(folder: Path) -> Made:
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(MB)) for _ in range(2000)) + packer.flush()
    return written(folder, "a.png", png(8, 8, data=data))


@case("picture: PNG of 200,000 chunks", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.png", png(8, 8, chunk(b"tEXt", b"a\0b") * 200_000, data=zlib.compress(bytes(200))))


@case("picture: PNG chunk that says 2 GB", "picture", LEFT)
def _(folder: Path) -> Made:
    data = png(8, 8)
    return written(folder, "a.png", data[:33] + b"\x7f\xff\xff\xffIDAT" + bytes(50))


@case("picture: PNG with wrong checksums", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    data = picture()
    return written(folder, "a.png", patched(data, data.index(b"IDAT") - 8, b"\1\2\3\4"))


@case("picture: PNG with HTML as its text and name", "picture", "^accepted")
def _(folder: Path) -> Made:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", EVIL)
    return written(folder, "a.png", picture(pnginfo=info))


@case("picture: JPEG whose Exif says orientation 4,000,000,000", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x112, 4, 1, 4_000_000_000) + bytes(4)
    return written(folder, "a.jpg", picture(form="JPEG", exif=exif))


@case("picture: JPEG whose Exif is a ring", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    return written(folder, "a.jpg", picture(form="JPEG", exif=exif))


@case("picture: JPEG with 100,000 comments", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    data = picture(form="JPEG")
    return written(folder, "a.jpg", data[:2] + b"\xff\xfe\0\x04hi" * 100_000 + data[2:])


@case("picture: JPEG of 12 bit, arithmetic coding", "picture", LEFT)
def _(folder: Path) -> Made:
    data = picture(form="JPEG")
    at = data.index(b"\xff\xc0")
    return written(folder, "a.jpg", data[:at] + b"\xff\xc9" + data[at + 2 : at + 4] + b"\x0c" + data[at + 5 :])


@case("picture: JPEG without its end", "picture", "^(accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.jpg", picture(form="JPEG", size=(300, 300))[:4000])


FORMATS = {"PNG": 40, "JPEG": 200, "GIF": 30, "BMP": 60, "TIFF": 20, "WEBP": 40, "AVIF": 100, "JPEG2000": 60}
for form, at in FORMATS.items():
    _plain(
        f"picture: {form} cut short", "a.img", lambda form=form, at=at: picture(form=form)[:at], "^(left out|refused)"
    )
    _plain(
        f"picture: {form} with noise inside", "a.img",
        lambda form=form: _noisy(picture(form=form, size=(64, 64))), "^(accepted|left out)",
    )  # fmt: skip


def _noisy(data: bytes) -> bytes:
    found, random = bytearray(data), np.random.default_rng(7)
    for at in random.integers(24, len(found), 40).tolist():
        found[at] = int(random.integers(256))
    return bytes(found)


@case("picture: 24-bit BMP with a palette at 2^31", "picture", ANY)
def _(folder: Path) -> Made:
    return written(folder, "a.bmp", patched(_saved((4, 4), "BMP", "P"), 46, struct.pack("<I", 2**31)))


@case("picture: BMP whose pixels start behind the file", "picture", LEFT)
def _(folder: Path) -> Made:
    return written(folder, "a.bmp", patched(_saved((40, 40), "BMP", "RGB"), 10, struct.pack("<I", 2**30)))


@case("picture: RLE BMP that never ends a line", "picture", ANY)
def _(folder: Path) -> Made:
    head = patched(_saved((5000, 5000), "BMP", "P")[:1078], 30, struct.pack("<I", 1))
    return written(folder, "a.bmp", head + b"\xff\0" * 200_000)


@case("picture: GIF whose LZW codes are noise", "picture", ANY)
def _(folder: Path) -> Made:
    data = b"GIF89a\x88\x13\x88\x13\xf7\0\0" + bytes(768) + b",\0\0\0\0\x88\x13\x88\x13\0\x08"
    blocks = b"".join(b"\xff" + np.random.default_rng(i).bytes(255) for i in range(4000))
    return written(folder, "a.gif", data + blocks + b"\0;")


@case("picture: JPEG 2000 of 9,000 x 9,000 in tiles of 1 x 1", "picture", ANY)
def _(folder: Path) -> Made:
    data = bytearray(picture(form="JPEG2000"))
    at = bytes(data).index(b"\xff\x51") + 6
    data[at : at + 32] = struct.pack(">8I", 9000, 9000, 0, 0, 1, 1, 0, 0)
    return written(folder, "a.jp2", bytes(data))


@case("picture: AVIF of 60,000 x 60,000", "picture", LEFT)
def _(folder: Path) -> Made:
    data = picture(form="AVIF")
    return written(folder, "a.avif", patched(data, data.index(b"ispe") + 8, struct.pack(">II", 60_000, 60_000)))
