"""Files of runs that are no honest zip: other things than files, directories that lie, members that overlap or unpack
to anything."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.store.layout import ARRAYS, MODEL, STATE, THUMBNAILS
from tests.hostile import add
from tests.hostile.arrays import head, npy, shaped
from tests.hostile.making import patched
from tests.hostile.runs import FIRST, MB, REFUSED, Change, bent, every_array, kept, pieces, put, written
from tests.support.stored import member, rewrite

ANY = r"^(refused|left out|accepted)"
KEYS = f"{ARRAYS}keys.npy"
ENTRY, LOCAL, END = b"PK\1\2", b"PK\3\4", b"PK\5\6"
FLAGS, METHOD, PACKED, UNPACKED, NAME, EXTRA, OFFSET = 8, 10, 20, 24, 28, 30, 42
"""Where a member's entry in the directory says so."""


def entry_of(content: bytes, name: str) -> int:
    """Where the directory's entry of a member begins."""
    with_name = name.encode()
    at = content.index(ENTRY)
    while content[at + 46 : at + 46 + len(with_name)] != with_name:
        at = content.index(ENTRY, at + 4)
    return at


def said(name: str, field: int, value: bytes) -> Change:
    """Change a field of a member's entry in the directory."""

    def change(run: Path) -> None:
        content = run.read_bytes()
        run.write_bytes(patched(content, entry_of(content, name) + field, value))

    return change


def said_inside(name: str, field: int, value: bytes) -> Change:
    """Change a field of a member's own header."""

    def change(run: Path) -> None:
        content = run.read_bytes()
        (at,) = struct.unpack_from("<I", content, entry_of(content, name) + OFFSET)
        run.write_bytes(patched(content, at + field, value))

    return change


def long_fields(name: str, *values: int) -> Change:
    """Have the directory tell sizes and place of a member, in that order, in 64 bits."""

    def change(run: Path) -> None:
        content = run.read_bytes()
        at, end = entry_of(content, name), content.rindex(END)
        extra = struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)
        new = bytearray(content[at : at + 46 + len(name)])
        struct.pack_into("<II", new, PACKED, 0xFFFFFFFF, 0xFFFFFFFF)
        struct.pack_into("<I", new, OFFSET, 0xFFFFFFFF)
        old = 46 + sum(struct.unpack_from("<HHH", content, at + NAME))
        struct.pack_into("<HH", new, EXTRA, len(extra), 0)
        more = len(new) + len(extra) - old
        tail = bytearray(content[end:])
        struct.pack_into("<I", tail, 12, struct.unpack_from("<I", tail, 12)[0] + more)
        run.write_bytes(content[:at] + new + extra + content[at + old : end] + tail)

    return change


def end_of_64(run: Path, entries: int, size: int, offset: int) -> None:
    """Have a directory's end of 64 bits say this of it."""
    content = run.read_bytes()
    end = content.rindex(END)
    whole = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = b"PK\6\7" + struct.pack("<IQI", 0, end, 1)
    tail = content[end : end + 8] + b"\xff" * 12 + b"\0\0"
    run.write_bytes(content[:end] + whole + locator + tail)


def directory(run: Path, n: int, named: bytes = b"x") -> None:
    """A zip that lists a member n times, and holds it once."""
    with zipfile.ZipFile(run, "w") as archive:
        archive.writestr(zipfile.ZipInfo(named.decode()), b"")
    content = run.read_bytes()
    at, end = content.index(ENTRY), content.index(END)
    size = (end - at) * n
    tail = content[end : end + 8] + min(n, 0xFFFF).to_bytes(2, "little") * 2 + size.to_bytes(4, "little")
    written(run, (content[:at], *([content[at:end]] * n), tail, at.to_bytes(4, "little"), b"\0\0"))


def understated(name: str, content: bytes | None = None, mb: int = 2000) -> Change:
    """A member that the directory says has ten bytes, and that unpacks to any size."""

    def change(run: Path) -> None:
        put(name, pieces(content or b"[", bytes(MB) if content else b" " * MB, b"", mb))(run)
        long_fields(name, 10, _packed(run, name), _offset(run, name))(run)

    return change


def _info(run: Path, name: str) -> zipfile.ZipInfo:
    with zipfile.ZipFile(run) as archive:
        return archive.getinfo(name)


def _packed(run: Path, name: str) -> int:
    return _info(run, name).compress_size


def _offset(run: Path, name: str) -> int:
    return _info(run, name).header_offset


def repacked(name: str, method: int, content: bytes | None = None, mb: int = 0) -> Change:
    """A member packed in another way than runs are."""

    def change(run: Path) -> None:
        whole = member(run, name) if content is None else content
        rewrite(run, {name: None})
        with zipfile.ZipFile(run, "a", method) as archive, archive.open(name, "w", force_zip64=True) as file:
            file.write(whole)
            for _ in range(mb):
                file.write(bytes(MB))

    return change


def twice(name: str, content: bytes) -> Change:
    """A second member of the same name."""

    def change(run: Path) -> None:
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(run, "a") as archive:
            archive.writestr(name, content)

    return change


def overlapping(run: Path, n: int, mb: int = 2) -> None:
    """Arrays that all lie in one place: between the header of each and its bytes lie the headers of the others."""
    data = head(shaped(f"({mb * MB // 4}, 1)")) + bytes(mb * MB)
    deflate = zlib.compressobj(wbits=-15)
    packed, names = deflate.compress(data) + deflate.flush(), [f"{ARRAYS}a{i}.npy".encode() for i in range(n)]
    headers, entries, left = b"", b"", sum(30 + len(name) for name in names)
    for name in names:
        left -= 30 + len(name)
        common = struct.pack("<HHHHHIIIH", 20, 0, 8, 0, 33, zlib.crc32(data), len(packed), len(data), len(name))
        entries += ENTRY + b"\x14\0" + common + struct.pack("<HHHHII", 0, 0, 0, 0, 0, len(headers)) + name
        headers += LOCAL + common + struct.pack("<H", left) + name
    state = member(run, STATE)
    run.write_bytes(headers + packed)
    with zipfile.ZipFile(run, "a") as archive:
        archive.writestr(KEYS, npy(np.array([f"{i}" for i in range(n)])))
        archive.writestr(STATE, state)
    content = run.read_bytes()
    end = content.rindex(END)
    (size,) = struct.unpack_from("<I", content, end + 12)
    tail = struct.pack("<HHI", n + 2, n + 2, size + len(entries))
    run.write_bytes(patched(content[:end] + entries + content[end:], end + len(entries) + 8, tail))


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def link(path: Path, target: str = "/etc/passwd") -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def folder(path: Path) -> None:
    """As runs were before they were files."""
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / STATE).write_text('{"format": 3}')


def sparse(path: Path, size: int = 19 << 30) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def hollow(run: Path) -> None:
    """The run behind 19 GiB of nothing: places are told from where the zip begins."""
    content = run.read_bytes()
    sparse(run)
    with run.open("ab") as file:
        file.write(content)


def many_keys(run: Path, shape: str, kind: str, mb: int) -> None:
    put(KEYS, pieces(head(shaped(shape).replace("<f4", kind)), bytes(MB), b"", mb))(run)


LONG_HEADER = b"\x93NUMPY\2\0\xff\xff\xff\xff"
"""An npy file that says its header has 4 GiB."""
FILES: dict[str, tuple[Change, str]] = {
    "is not there": (lambda run: run.unlink(), REFUSED),
    "is empty": (lambda run: run.write_bytes(b""), REFUSED),
    "is a text": (lambda run: run.write_text("a"), REFUSED),
    "is a folder, as runs were": (folder, "^refused: .*is a folder"),
    "is a pipe": (pipe, REFUSED),
    "is a link to /etc/passwd": (link, REFUSED),
    "is a link to /dev/zero": (partial(link, target="/dev/zero"), REFUSED),
    "is a terminal's device": (partial(link, target="/dev/tty"), REFUSED),
    "is a link to itself": (lambda run: run.unlink() or run.symlink_to(run), REFUSED),
    "is 19 GiB of nothing": (sparse, REFUSED),
    "lies behind 19 GiB of nothing": (hollow, ANY),
    "is 40 GiB of nothing": (partial(sparse, size=40 << 30), REFUSED),
    "is cut": (lambda run: run.write_bytes(run.read_bytes()[:-400]), REFUSED),
    "is cut in the middle": (lambda run: run.write_bytes(run.read_bytes()[:20_000]), REFUSED),
    "lists two million members": (partial(directory, n=2_000_000), REFUSED),
    "lists a million members": (partial(directory, n=1_300_000), REFUSED),
    "lists its state a million times": (partial(directory, n=1_100_000, named=STATE.encode()), REFUSED),
    "has a directory of 2^63 bytes": (partial(end_of_64, entries=9, size=2**63, offset=0), REFUSED),
    "has a directory at 2^63": (partial(end_of_64, entries=9, size=900, offset=2**63), REFUSED),
    "has a directory of -1 bytes": (partial(end_of_64, entries=2**64 - 1, size=2**64 - 1, offset=2**64 - 1), REFUSED),
    "has two states": (twice(STATE, b"{}"), REFUSED),
    "has two of the first array": (twice(FIRST, npy(np.zeros(3))), ANY),
    "has a state that is encrypted": (said(STATE, FLAGS, b"\1"), REFUSED),
    "has an array that is encrypted": (said(FIRST, FLAGS, b"\1"), REFUSED),
    "has thumbnails that are encrypted": (said(THUMBNAILS, FLAGS, b"\1"), ANY),
    "has a state packed with LZMA": (repacked(STATE, zipfile.ZIP_LZMA), REFUSED),
    "has an array packed with LZMA to a bomb": (
        repacked(FIRST, zipfile.ZIP_LZMA, head(shaped("(209715200, 1)")), 800), REFUSED,
    ),
    "has a state packed with bzip2 to a bomb": (repacked(STATE, zipfile.ZIP_BZIP2, b"[", 800), REFUSED),
    "has thumbnails packed with LZMA": (repacked(THUMBNAILS, zipfile.ZIP_LZMA), REFUSED),
    "has a state packed in no known way": (said(STATE, METHOD, b"\x63"), REFUSED),
    "has a state of another name inside": (said_inside(STATE, 30, b"x"), REFUSED),
    "has thumbnails of another name inside": (said_inside(THUMBNAILS, 30, b"x"), ANY),
    "has thumbnails behind a header of 128 KB": (said_inside(THUMBNAILS, 26, b"\xff" * 4), ANY),
    "has a state of 2^64 bytes": (long_fields(STATE, 2**64 - 1, 2**64 - 1, 0), REFUSED),
    "has an array of 2^63 bytes": (long_fields(FIRST, 2**63, 400, 0), REFUSED),
    "has an array at 2^63": (long_fields(FIRST, 400, 400, 2**63), REFUSED),
    "has an array at 2^64": (long_fields(FIRST, 400, 400, 2**64 - 1), REFUSED),
    "has thumbnails of 2^63 bytes": (long_fields(THUMBNAILS, 2**63, 2**63, 0), REFUSED),
    "has thumbnails at 2^63": (long_fields(THUMBNAILS, 400, 400, 2**63), REFUSED),
    "has a state of 10 bytes that unpacks to 2 GB": (understated(STATE), REFUSED),
    "has a model of 10 bytes that unpacks to 2 GB": (understated(MODEL), REFUSED),
    "has keys of 10 bytes that unpack to 2 GB": (understated(KEYS, head(shaped("(10, 1)"))), REFUSED),
    "has keys of 10 bytes with a header of 2 GB": (understated(KEYS, LONG_HEADER), REFUSED),
    "has an array with a header of 900 MB": (put(FIRST, pieces(LONG_HEADER, bytes(MB), b"", 900)), REFUSED),
    "has an array of 1,000 MB packed": (
        put(FIRST, pieces(head(shaped("(262144000, 1)")), bytes(MB), b"", 1000)), "^refused: ",
    ),
    "has keys of 1,000 MB": (partial(many_keys, shape="(262144000,)", kind="<U1", mb=1000), REFUSED),
    "has 2^60 keys of nothing": (partial(many_keys, shape="(1152921504606846976,)", kind="<U0", mb=1), REFUSED),
    "has 1,000 arrays of 2 MB in one place": (partial(overlapping, n=1000), REFUSED),
    "has 400 arrays of 2 MB in one place": (partial(overlapping, n=400), REFUSED),
    "has arrays and a state that take 1 GB each": (
        lambda run: (
            put(FIRST, pieces(head(shaped("(230686720, 1)")), bytes(MB), b"", 880))(run),
            put(STATE, pieces(b'{"format": 4, "diagnosis": [', b"[],", b"0]}", 20))(run),
        ),
        REFUSED,
    ),
    "has arrays of columns": (every_array(np.asfortranarray), "^accepted"),
}  # fmt: skip
for what, (change, expects) in FILES.items():
    add(f"run: its file {what}", "run_files", "run", bent(change), expects, max_cpu_s=20)

OWN: dict[str, Change] = {
    "60 MB of lists": lambda path: written(path, pieces(b'{"yours": {"sets": [', b"[],", b"{}]}}", 60)),
    "60 MB of objects": lambda path: written(path, pieces(b'{"yours": {"sets": [', b"{},", b"{}]}}", 60)),
    "300 MB of spaces": lambda path: written(path, pieces(b"{", b" ", b"}", 300)),
    "a pipe": pipe,
    "a link to /etc/passwd": link,
    "a device": partial(link, target="/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "no text": lambda path: path.write_bytes(b"\xff\xfe" * 100),
}
for what, change in OWN.items():
    made = kept(lambda run: None, change)
    add(f"run: what a visitor says of it is {what}", "run_files", "kept_run", made, "^accepted", max_cpu_s=20)


def beside(change: Change) -> Callable[[Path], dict[str, str]]:
    """A run without thumbnails, whose pictures would be read from images.zip beside it."""
    from tests.hostile.runs import saved

    def make(folder: Path) -> dict[str, str]:
        run = saved(folder, thumbnails=False)
        change(folder / "images.zip")
        return {"path": str(run)}

    return make


def zipped(path: Path, content: bytes, mb: int = 0) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(60):
            with archive.open(f"{i}.png", "w", force_zip64=True) as file:
                file.write(content)
                for _ in range(mb if not i else 0):
                    file.write(bytes(MB))


BESIDE: dict[str, Change] = {
    "not there": lambda path: None,
    "a pipe": pipe,
    "a device": partial(link, target="/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder": lambda path: path.mkdir(),
    "a text": lambda path: path.write_text("a"),
    "of other pictures": partial(zipped, content=b"a"),
    "a bomb of 900 MB": partial(zipped, content=b"a", mb=900),
    "of a million members": partial(directory, n=1_300_000),
}
for what, change in BESIDE.items():
    add(f"run: the pictures beside it are {what}", "run_files", "run", beside(change), ANY, max_cpu_s=20)

TARGETS = (
    "is a pipe", "is a link to /dev/zero", "is a folder, as runs were", "is 19 GiB of nothing", "is a text",
    "lists a million members", "has a directory at 2^63", "has two states",
)  # fmt: skip
for what in TARGETS:

    def over(folder: Path, change: Change = FILES[what][0]) -> dict[str, Any]:
        return bent(change)(folder) | {"over": True}

    add(f"run: to write where one {what}", "run_files", "run", over, ANY, max_cpu_s=20)
