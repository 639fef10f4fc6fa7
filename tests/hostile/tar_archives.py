"""Tars that mean harm, plain and compressed."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import picture, tar_of, written

Made = dict[str, Any]
REFUSED = r"^refused: .*"
BLOCK = 512
MB = 2**20
_MB_OF_ZEROS = bytes(MB)


def header(kind: bytes, size: int, name: str = "a.png") -> bytes:
    """A tar header of any kind and size."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def packed(path: Path, parts: Iterable[bytes], form: str = "gz") -> Made:
    """The parts compressed into a file, piece by piece."""
    packer: Any = {
        "gz": lambda: zlib.compressobj(6, wbits=31),
        "bz2": lambda: bz2.BZ2Compressor(1),
        "xz": lambda: lzma.LZMACompressor(preset=0),
    }[form]()
    with path.open("wb") as file:
        for part in parts:
            file.write(packer.compress(part))
        file.write(packer.flush())
    return {"path": str(path)}


def packed_zeros(path: Path, before: bytes, mb: int, after: bytes) -> Made:
    """A gzip of `before`, mb MB of zeros and `after`: the zeros are compressed once and written often."""
    packer = zlib.compressobj(6, wbits=-15)
    crc = zlib.crc32(before)
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08" + bytes(6) + b"\xff" + packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH))
        block = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(mb):
            file.write(block)
            crc = zlib.crc32(_MB_OF_ZEROS, crc)
        file.write(packer.compress(after) + packer.flush())
        total = len(before) + mb * MB + len(after)
        file.write(struct.pack("<II", zlib.crc32(after, crc), total % 2**32))
    return {"path": str(path)}


def zeros(n: int, fill: bytes = b"\0") -> Iterable[bytes]:
    """n MB of one byte."""
    block = fill * MB
    return (block for _ in range(n))


def big_header(folder: Path, kind: bytes, mb: int, fill: bytes = b"a") -> Made:
    """A tar.gz whose first header's data has mb MB; a good picture follows."""
    tail = tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes()
    return packed(folder / "a.tar.gz", [header(kind, mb * MB), *zeros(mb, fill), tail])


HEADERS = {
    "a pax header": b"x",
    "a global pax header": b"g",
    "a long name": b"L",
    "a long link": b"K",
    "a Solaris header": b"X",
}
for what, kind in HEADERS.items():
    add(
        f"tar: {what} of hundreds of MB", "tar_archives", "archive",
        lambda folder, kind=kind: big_header(folder, kind, 400 if kind == b"x" else 100), REFUSED + "(header|times)",
    )  # fmt: skip
    add(
        f"tar: {what} of 100 MB, not compressed", "tar_archives", "archive",
        lambda folder, kind=kind: _plain_header(folder, kind, 100), REFUSED + "header",
    )  # fmt: skip


def _plain_header(folder: Path, kind: bytes, mb: int) -> Made:
    path = folder / "a.tar"
    with path.open("wb") as file:
        file.write(header(kind, mb * MB))
        file.seek(mb * MB, io.SEEK_CUR)  # a hole: takes no room here
        file.write(tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes())
    return {"path": str(path)}


@case("tar: a pax header of a million records", "archive", REFUSED + "header", slow=True)
def _(folder: Path) -> Made:
    record = b"".join(b"%d k%07d=v\n" % (14, i) for i in range(1_000_000))
    size = len(record)
    padding = bytes(-size % BLOCK)
    tail = tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes()
    return packed(folder / "a.tar.gz", [header(b"x", size), record, padding, tail])


@case("tar: 3,000 pax headers in a row", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    one = header(b"x", BLOCK) + b"512 comment=".ljust(511, b"a") + b"\n"
    tail = tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes()
    return packed(folder / "a.tar.gz", [*(one for _ in range(3000)), tail])


@case("tar: 3,000 long names in a row", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    one = header(b"L", BLOCK) + b"b" * 500 + bytes(12)
    tail = tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes()
    return packed(folder / "a.tar.gz", [*(one for _ in range(3000)), tail])


@case("tar: a long name that never ends", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.tar", header(b"L", 10 * MB) + b"c" * 5000)


def _pax(folder: Path, headers: dict[str, str]) -> Made:
    info = tarfile.TarInfo("a.png")
    info.pax_headers = headers
    path = folder / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b""))
    return {"path": str(path)}


@case("tar: a pax header says a size of 2^62", "archive", REFUSED + "")
def _(folder: Path) -> Made:
    return _pax(folder, {"size": str(2**62)})


@case("tar: a pax header says a negative size", "archive", "^(refused|left out)")
def _(folder: Path) -> Made:
    return _pax(folder, {"size": "-512"})


@case("tar: a pax header of no number", "archive", "^(refused|left out|accepted)")
def _(folder: Path) -> Made:
    return _pax(folder, {"size": "lots", "mtime": "never", "GNU.sparse.map": "1,2,x"})


@case("tar.gz: junk members of 3,000 MB that nobody counts", "archive", REFUSED + "(unpack|times|takes)", slow=True)
def _(folder: Path) -> Made:
    return packed_zeros(folder / "a.tar.gz", header(b"0", 3000 * MB, "__MACOSX/a"), 3000, one_picture(folder))


for form in ("bz2", "xz"):
    add(
        f"tar.{form}: junk members of 1,000 MB that nobody counts",
        "tar_archives",
        "archive",
        lambda folder, form=form: packed(
            folder / f"a.tar.{form}", [header(b"0", 1000 * MB, "__MACOSX/a"), *zeros(1000), one_picture(folder)], form
        ),
        REFUSED + "(unpack|times|takes)",
        slow=True,
    )


def one_picture(folder: Path) -> bytes:
    """A whole tar of one good picture."""
    return tar_of(folder / "t.tar", {"a.png": picture()}).read_bytes()


@case("tar.gz: links with 2,000 MB behind them", "archive", REFUSED + "(unpack|times)", slow=True)
def _(folder: Path) -> Made:
    return packed_zeros(folder / "a.tar.gz", header(b"S", 2000 * MB, "a"), 2000, one_picture(folder))


@case("tar.gz: a repeated name with 200 MB behind it", "archive", REFUSED + "(unpack|times)")
def _(folder: Path) -> Made:
    one = picture()
    first = header(b"0", len(one)) + one + bytes(-len(one) % BLOCK) + header(b"0", 200 * MB)
    return packed_zeros(folder / "a.tar.gz", first, 200, bytes(2 * BLOCK))


@case("tar.gz: a bomb of one picture", "archive", REFUSED + "(unpack|times)")
def _(folder: Path) -> Made:
    return packed_zeros(folder / "a.tar.gz", header(b"0", 255 * MB), 255, bytes(2 * BLOCK))


@case("tar.bz2: a bomb of many pictures", "archive", REFUSED + "(unpack|times)", slow=True)
def _(folder: Path) -> Made:
    parts = (part for i in range(200) for part in (header(b"0", 20 * MB, f"{i}.png"), *zeros(20)))
    return packed(folder / "a.tar.bz2", parts, "bz2")


@case("tar.xz: a dictionary of 1.5 GB", "archive", "^(refused|accepted)")
def _(folder: Path) -> Made:
    data = lzma.compress(one_picture(folder), preset=0)
    at, size = 12, (data[12] + 1) * 4  # the block's header: its size, flags, filters, and a CRC of these
    head = bytearray(data[at : at + size - 4])
    head[head.index(b"\x21\x01") + 2] = 37  # the dictionary's size: 1.5 GB
    return written(
        folder, "a.tar.xz", data[:at] + bytes(head) + struct.pack("<I", zlib.crc32(head)) + data[at + size :]
    )
