"""Streams behind each other are each unpacked once, and none is handed over again and again."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.images.unpacking import unpack_pieces

KINDS: dict[str, tuple[Callable[[bytes], bytes], Callable[[], object], bytes]] = {
    "gzip": (gzip.compress, lambda: zlib.decompressobj(31), b"\x1f\x8b"),
    "bzip2": (bz2.compress, bz2.BZ2Decompressor, b"BZh"),
    "xz": (lzma.compress, lzma.LZMADecompressor, b"\xfd7zXZ\0"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [b"", b"\0" * 700, b"noise"])
def test_many_streams_of_all_sizes_give_what_they_hold_and_what_follows_is_no_matter(
    tmp_path: Path, kind: str, after: bytes
) -> None:
    pack, make, magic = KINDS[kind]
    held = [b"", os.urandom(5000), bytes(2_000_000), b"", os.urandom(300_000), b"x"]
    (tmp_path / "x").write_bytes(b"".join(map(pack, held)) + after)
    with (tmp_path / "x").open("rb") as file:
        assert b"".join(unpack_pieces(file, make, magic)) == b"".join(held)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_cut_short_is_said_to_be(tmp_path: Path, kind: str) -> None:
    pack, make, magic = KINDS[kind]
    (tmp_path / "x").write_bytes(pack(os.urandom(20_000))[:-5])
    with (tmp_path / "x").open("rb") as file, pytest.raises(EOFError, match="cut short"):
        b"".join(unpack_pieces(file, make, magic))


def test_empty_streams_behind_each_other_are_not_copied_with_all_that_follows(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(b"x") + gzip.compress(b"") * 3000)
    given = 0

    class Counted:
        def __init__(self) -> None:
            self._engine = zlib.decompressobj(31)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal given
            given += len(data)
            return self._engine.decompress(data, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self._engine, name)

    with (tmp_path / "x").open("rb") as file:
        assert b"".join(unpack_pieces(file, Counted, b"\x1f\x8b")) == b"x"
    assert given <= 3001 * 2**13
