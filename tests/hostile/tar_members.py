"""Members of a tar that mean harm by their names and kinds, and tars that are cut and bent."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

from tests.hostile import add, case
from tests.hostile.making import patched, picture, pictures, tar_of, written
from tests.hostile.tar_archives import BLOCK, MB, REFUSED, header, one_picture, packed

Made = dict[str, Any]


NAMES = {"climbs with ..": "../../a.png", "is absolute": "/etc/a.png", "names a drive": "c:/a.png"}
for what, name in NAMES.items():
    add(
        f"tar: a member's name {what}", "tar_archives", "archive",
        lambda folder, name=name: {"path": str(tar_of(folder / "a.tar", {name: picture(), **pictures(2)}))},
        REFUSED + "outside the archive",
    )  # fmt: skip

ODD = {"holds ANSI codes": "\x1b[2J.png", "holds a newline": "a\nb.png", "is of 60,000 letters": "a" * 60_000 + ".png"}
for what, name in ODD.items():
    add(
        f"tar: a member's name {what}", "tar_archives", "archive",
        lambda folder, name=name: {"path": str(tar_of(folder / "a.tar", {name: b"x", **pictures(2)}))},
        "^(refused|left out)",
    )  # fmt: skip


@case("tar: a member's name is no UTF-8", "archive", "^(refused|left out|accepted)")
def _(folder: Path) -> Made:
    tar_of(folder / "t.tar", {"a.png": b"GIF8", **pictures(2)})
    data = (folder / "t.tar").read_bytes()
    head = patched(data[:BLOCK], 0, b"\xff\xfe.png")
    head = patched(head, 148, b" " * 8)
    return written(folder, "a.tar", patched(head, 148, b"%06o\0 " % sum(head)) + data[BLOCK:])


def _special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo("special.png")
    info.type, info.linkname = kind, target
    return info


SPECIAL = {
    "a symbolic link to /etc/passwd": (tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link to /etc/passwd": (tarfile.LNKTYPE, "/etc/passwd"),
    "a link to itself": (tarfile.SYMTYPE, "special.png"),
    "a character device": (tarfile.CHRTYPE, ""),
    "a block device": (tarfile.BLKTYPE, ""),
    "a named pipe": (tarfile.FIFOTYPE, ""),
}
for what, (kind, target) in SPECIAL.items():
    add(
        f"tar: {what}", "tar_archives", "archive",
        lambda folder, kind=kind, target=target: {
            "path": str(tar_of(folder / "a.tar", [(_special(kind, target), b""), *pictures(2).items()]))
        },
        "^(left out|refused): .*(not followed|device, pipe, or sparse)",
    )  # fmt: skip


@case("tar: a sparse file of 200 GB", "archive", "^left out: .*device, pipe, or sparse")
def _(folder: Path) -> Made:
    info = tarfile.TarInfo("a.png")
    info.pax_headers = {
        "GNU.sparse.size": str(200 * 2**30),
        "GNU.sparse.map": "0,1,214748364799,1",
        "GNU.sparse.name": "s.png",
    }
    path = folder / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b""))
        other = tarfile.TarInfo("b.png")
        other.size = len(picture())
        archive.addfile(other, io.BytesIO(picture()))
    return {"path": str(path)}


@case("tar: a sparse map of a million entries", "archive", "^(left out|refused)", slow=True)
def _(folder: Path) -> Made:
    table = b"1000000\n" + b"0\n1\n" * 1_000_000
    table += bytes(-len(table) % BLOCK)
    info = tarfile.TarInfo("a.png")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": "9",
        "GNU.sparse.name": "a.png",
    }
    info.size = len(table)
    path = folder / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(table))
    return {"path": str(path)}


@case("tar: 250,000 members", "archive", REFUSED + "files, the limit", slow=True)
def _(folder: Path) -> Made:
    return packed(folder / "a.tar.gz", (header(b"0", 0, f"{i}.txt") for i in range(250_000)))


@case("tar: 150,000 folders", "archive", REFUSED + "no readable files", slow=True)
def _(folder: Path) -> Made:
    return packed(folder / "a.tar.gz", (header(b"5", 0, f"d{i}") for i in range(150_000)))


CUT = {"in a header": 300, "in a picture": 700, "between members": 1024 + 1536, "in the padding": -1500}
for what, at in CUT.items():
    add(
        f"tar: cut short {what}", "tar_archives", "archive",
        lambda folder, at=at: written(folder, "a.tar", tar_of(folder / "t", pictures(6)).read_bytes()[:at]),
        "^(refused|left out|accepted): .*(damaged|cut short|6 of 6|[1-5] of [1-5])",
    )  # fmt: skip
    add(
        f"tar.gz: cut short {what}", "tar_archives", "archive",
        lambda folder, at=at: written(
            folder, "a.tgz", gzip.compress(tar_of(folder / "t", pictures(6)).read_bytes())[:at]
        ),
        "^refused: .*(damaged|cut short)",
    )  # fmt: skip


@case("tar: a wrong checksum in the second header", "archive", REFUSED + "damaged")
def _(folder: Path) -> Made:
    data = tar_of(folder / "t", {"a.png": b"x" * 100, "b.png": b"y" * 100}).read_bytes()
    return written(folder, "a.tar", patched(data, 2 * BLOCK + 148, b"777777\0 "))


@case("tar: sizes in base 256 of 2^80", "archive", REFUSED + "")
def _(folder: Path) -> Made:
    head = bytearray(header(b"0", 0))
    head[124:136] = b"\x80" + b"\xff" * 11
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return written(folder, "a.tar", bytes(head) + bytes(4 * BLOCK))


@case("tar.gz: ten gzips behind each other with noise between", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    one = gzip.compress(tar_of(folder / "t", pictures(2)).read_bytes())
    return written(folder, "a.tgz", (one + b"noise") * 10)


@case("tar.gz: 200,000 empty gzips behind each other", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    return written(folder, "a.tgz", gzip.compress(one_picture(folder)) + gzip.compress(b"") * 200_000)


@case("tar.gz: gzip's own name of 5 MB", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    data = bytearray(gzip.compress(one_picture(folder), mtime=0))
    data[3] = 8
    return written(folder, "a.tgz", bytes(data[:10]) + b"n" * 5 * MB + b"\0" + bytes(data[10:]))


@case("tar.gz: no tar inside", "archive", REFUSED + "damaged")
def _(folder: Path) -> Made:
    return written(folder, "a.tar.gz", gzip.compress(b"hello" * 1000))


@case("tar.gz: in a tar.gz in a tar.gz", "archive", "^(refused|accepted|left out)")
def _(folder: Path) -> Made:
    data = one_picture(folder)
    for _ in range(20):
        data = gzip.compress(data)
    return written(folder, "a.tar.gz", data)
