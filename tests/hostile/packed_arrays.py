"""Embeddings in npz and safetensors that mean harm."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add, case
from tests.hostile.arrays import ANY, MB, REFUSED, head, npy, shaped
from tests.hostile.making import EVIL, patched, written, zip_of

Made = dict[str, Any]


@case("npz: 8 GB of zeros in 8 MB", "vectors", REFUSED, slow=True)
def _(folder: Path) -> Made:
    path = folder / "v.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("embeddings.npy", "w", force_zip64=True) as file,
    ):
        file.write(head(shaped("(65536, 16384)")))
        for _ in range(4096):
            file.write(bytes(MB))
    return {"path": str(path)}


@case("npz: 2 GB of zeros in 2 MB, beside what is asked for", "vectors", ANY, slow=True)
def _(folder: Path) -> Made:
    path = folder / "v.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embeddings.npy", npy(np.random.default_rng(0).random((24, 8))))
        with archive.open("other.npy", "w", force_zip64=True) as file:
            file.write(head(shaped("(536870912, 1)")))
            for _ in range(2048):
                file.write(bytes(MB))
    return {"path": str(path)}


@case("npz: the directory says 10 bytes, the member holds 500 MB", "vectors", REFUSED)
def _(folder: Path) -> Made:
    path = zip_of(folder / "v.npz", {"embeddings.npy": head(shaped("(125829120, 1)"), bytes(480 * MB))})
    data = path.read_bytes()
    at = data.index(b"PK\1\2")
    return written(folder, "v.npz", patched(data, at + 24, struct.pack("<I", 10)))


@case("npz: members that overlap", "vectors", REFUSED, slow=True)
def _(folder: Path) -> Made:
    path = zip_of(folder / "v.npz", {"aaaaa.npy": head(shaped("(25165824, 2)"), bytes(192 * MB))})
    data = path.read_bytes()
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entries = b"".join(data[at:end].replace(b"aaaaa", b"%05d" % i) for i in range(20))
    tail = data[end:]
    return written(
        folder, "v.npz", data[:at] + entries + tail[:8] + struct.pack("<HHII", 20, 20, len(entries), at) + tail[20:]
    )


@case("npz: 100,000 members", "vectors", REFUSED, slow=True)
def _(folder: Path) -> Made:
    one = npy(np.ones((2, 2)))
    return {"path": str(zip_of(folder / "v.npz", ((f"a{i}.npy", one) for i in range(100_000)), 0))}


@case("npz: no array inside", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return {"path": str(zip_of(folder / "v.npz", {"embeddings.npy": b"hello", "a.txt": b"b"}))}


@case("npz: a file that is no npy, called by HTML", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return {
        "path": str(
            zip_of(folder / "v.npz", {f"{EVIL}.npy": npy(np.ones((3, 3))), "x\x1b[2J.npy": npy(np.ones((3, 3)))})
        )
    }


@case("npz: ids that are objects", "vectors", REFUSED + "objects")
def _(folder: Path) -> Made:
    members = {"embeddings.npy": npy(np.ones((24, 8))), "ids.npy": npy(np.array([{}] * 24, object), allow_pickle=True)}
    return {"path": str(zip_of(folder / "v.npz", members))}


@case("npz: ids that repeat", "vectors", REFUSED + "more than once")
def _(folder: Path) -> Made:
    np.savez(folder / "v.npz", embeddings=np.ones((24, 8)), ids=np.array(["a\x1b[31m"] * 24))
    return {"path": str(folder / "v.npz")}


@case("npz: ids of 64 KB that are HTML", "vectors", ANY)
def _(folder: Path) -> Made:
    np.savez(folder / "v.npz", embeddings=np.ones((24, 8)), ids=np.array([EVIL + "x" * 65_536] * 24))
    return {"path": str(folder / "v.npz")}


@case("npz: noise in its data", "vectors", REFUSED)
def _(folder: Path) -> Made:
    np.savez_compressed(folder / "v.npz", embeddings=np.random.default_rng(0).random((200, 8)))
    data = bytearray((folder / "v.npz").read_bytes())
    for at in range(200, 4000, 97):
        data[at] ^= 0xFF
    return written(folder, "v.npz", bytes(data))


@case("npz: encrypted", "vectors", REFUSED)
def _(folder: Path) -> Made:
    np.savez(folder / "v.npz", embeddings=np.ones((24, 8)))
    data = (folder / "v.npz").read_bytes()
    return written(folder, "v.npz", patched(patched(data, 6, b"\1\0"), data.index(b"PK\1\2") + 8, b"\1\0"))


@case("npz: packed with bzip2 to a bomb", "vectors", REFUSED, slow=True)
def _(folder: Path) -> Made:
    text = head(shaped("(402653184, 2)"))
    path = folder / "v.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2, compresslevel=1) as archive,
        archive.open("e.npy", "w", force_zip64=True) as file,
    ):
        file.write(text)
        for _ in range(1500):
            file.write(bytes(MB))
    return {"path": str(path)}


def tensors(said: Any, data: bytes = b"", size: int | None = None) -> bytes:
    """A safetensors file with this header."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def _tensor(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


_TWO = b'{"dtype":"F32","shape":[2,2],"data_offsets":'
SAFE = {
    "a header of 2^63 bytes": tensors({}, size=2**63),
    "a header of 200 MB": tensors(b"{" + b" " * 64, size=200 * MB),
    "a header that is no JSON": tensors(b"{]" * 40),
    "a header 60,000 deep": tensors(b'{"a":' * 60_000),
    "arrays that overlap": tensors({"a": _tensor([24, 8], 0, 768), "b": _tensor([24, 8], 0, 768)}, bytes(768)),
    "an array with a gap before it": tensors({"embeddings": _tensor([24, 8], 768, 1536)}, bytes(1536)),
    "an array behind the file": tensors({"embeddings": _tensor([24, 8], 0, 2**40)}, bytes(768)),
    "offsets the wrong way round": tensors({"embeddings": _tensor([24, 8], 768, 0)}, bytes(768)),
    "negative offsets": tensors({"embeddings": _tensor([24, 8], -768, 0)}, bytes(768)),
    "a shape of 2^63": tensors({"embeddings": _tensor([2**63, 2], 0, 768)}, bytes(768)),
    "a shape that overflows": tensors({"embeddings": _tensor([2**32, 2**32], 0, 0)}),
    "a kind that is not known": tensors({"embeddings": _tensor([24, 8], 0, 768, "EVIL")}, bytes(768)),
    "bfloat16": tensors({"embeddings": _tensor([24, 8], 0, 384, "BF16")}, bytes(384)),
    "float8": tensors({"embeddings": _tensor([24, 8], 0, 192, "F8_E4M3")}, bytes(192)),
    "a name twice": tensors(b'{"a":' + _TWO + b'[0,16]},"a":' + _TWO + b"[16,32]}}", bytes(32)),
    "names of HTML and ANSI codes": tensors({EVIL: _tensor([2, 2], 0, 16), "\x1b": _tensor([2, 1], 16, 24)}, bytes(24)),
    "notes that are a list": tensors({"__metadata__": [1], "embeddings": _tensor([24, 8], 0, 768)}, bytes(768)),
    "nothing": b"",
    "seven bytes": b"\0" * 7,
}  # fmt: skip
for what, data in SAFE.items():
    add(
        f"safetensors: {what}",
        "packed_arrays",
        "vectors",
        lambda folder, data=data: written(folder, "v.safetensors", data),
        REFUSED,
    )


@case("safetensors: 100,000 arrays of nothing", "vectors", REFUSED, slow=True)
def _(folder: Path) -> Made:
    return written(folder, "v.safetensors", tensors({f"a{i}": _tensor([0], 0, 0) for i in range(100_000)}))


for name in ("v.pt", "v.pkl", "v.npy.gz", "v", "v.h5", "v.NPY "):
    add(
        f"embeddings: a file called {name!r}",
        "packed_arrays",
        "vectors",
        lambda folder, name=name: written(folder, name, b"\x80\4."),
        REFUSED,
    )


@case("embeddings: zlib data called npy", "vectors", REFUSED)
def _(folder: Path) -> Made:
    return written(folder, "v.npy", zlib.compress(bytes(MB)))
