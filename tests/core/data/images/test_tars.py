"""Tars that are made to cost more than they weigh, and honest ones with every kind of header."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from core.data.images import scratch
from core.data.images.archives import is_archive, open_images
from core.errors import InvalidInput
from core.limits import Limits
from tests.support.stopping import open_files, stop_after

LONG, PAX, GLOBAL, FILE = tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.REGTYPE


def member(kind: bytes, content: bytes, name: str = "x", size: int | None = None) -> bytes:
    """A header that declares `size` (the content's by default), and the content with its padding."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content) if size is None else size
    return info.tobuf(tarfile.GNU_FORMAT) + content + b"\0" * (-len(content) % 512)


PICTURE, END = member(FILE, b"one", "a/1.png"), b"\0" * 1024


def written(path: Path, *members: bytes, pack: Callable[[bytes], bytes] = bytes) -> Path:
    path.write_bytes(pack(b"".join(members)))
    return path


def gzipped(content: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    return engine.compress(content) + engine.flush()


@pytest.mark.parametrize("kind", [PAX, GLOBAL, LONG, tarfile.GNUTYPE_LONGLINK, tarfile.SOLARIS_XHDTYPE])
@pytest.mark.parametrize("pack", [bytes, gzipped])
def test_a_header_larger_than_any_name_is_refused_unread(
    tmp_path: Path, kind: bytes, pack: Callable[[bytes], bytes]
) -> None:
    digits = (b"7 1=\n" * 14_000)[:65_537]
    with pytest.raises(InvalidInput, match=r"a header takes 65,537 bytes, above the limit of 65,536"):
        open_images(written(tmp_path / "x.tar", member(kind, digits), PICTURE, END, pack=pack))


def test_headers_that_are_small_alone_are_bounded_together(tmp_path: Path) -> None:
    path = written(tmp_path / "x.tar", (member(LONG, b"a/2.png\0") + PICTURE) * 9, END)
    with pytest.raises(InvalidInput, match="headers take more than 64 bytes"):
        open_images(path, Limits(max_directory_bytes=8 * 8))


@pytest.mark.parametrize("kind", [LONG, PAX])
def test_a_chain_of_headers_is_no_deeper_than_programs_write(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"damaged tar .more than 16 headers before one member"):
        open_images(written(tmp_path / "x.tar", member(kind, b"") * 2000, PICTURE, END))


def test_global_headers_are_not_copied_to_every_member(tmp_path: Path) -> None:
    said = b"".join(b"%d k%04d=v\n" % (10, i) for i in range(5000))
    store = open_images(written(tmp_path / "x.tar", member(GLOBAL, said[:60_000]), PICTURE, END))
    assert store.names == ("1.png",)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"12 size=abc\n", "a size that is not a number"),
        (b"12 size=-99\n", "a size that is not a number"),
        (b"12 size=9999\n", "cannot be read"),  # the length is one short
        (b"13 size=99999", "cannot be read"),
        (b"9" * 4400 + b" size=3\n", "cannot be read"),
        (b"0 size=3\n", "cannot be read"),
        (b"16 size=9999999\n", "cut short"),
        (b"30 size=999999999999999999999\n", "a size that is not a number"),
    ],
)
def test_an_extended_header_that_lies_is_a_damaged_tar(tmp_path: Path, record: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=f"damaged tar .*{message}"):
        open_images(written(tmp_path / "x.tar", member(PAX, record), PICTURE, END))


def test_sizes_below_zero_and_beyond_the_file_are_a_damaged_tar(tmp_path: Path) -> None:
    far = written(tmp_path / "far.tar", member(FILE, b"one", "a/1.png", size=2**40), END)
    with pytest.raises(InvalidInput, match=r"unpacked, above the limit|cut short"):
        open_images(far)
    info = tarfile.TarInfo("a/1.png")
    info.size = -5
    with pytest.raises(InvalidInput, match="a negative size"):
        open_images(written(tmp_path / "below.tar", PICTURE, info.tobuf(tarfile.GNU_FORMAT), END))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_honest_form_gives_the_same_files(tmp_path: Path, form: int, mode: Any) -> None:
    deep = "b/" + "/".join(["folder"] * 13) + "/2.png"
    names = ["a/1.png", deep, *([] if form == tarfile.USTAR_FORMAT else ["c/" + "é" * 90 + "x" * 60 + ".png"])]
    with tarfile.open(tmp_path / "x.tar", mode, format=form, pax_headers={"comment": "global"}) as archive:
        for name in ("top", *(f"top/{name}" for name in names)):
            info = tarfile.TarInfo(name)
            info.mtime = 1234.5  # pax writes a fraction in a header of its own
            info.type, info.size = (tarfile.DIRTYPE, 0) if name == "top" else (FILE, len(name))
            archive.addfile(info, io.BytesIO(name.encode()[: info.size]))
    store = open_images(tmp_path / "x.tar")
    assert list(store.names) == names
    assert [store.read(i) for i in range(len(store))] == [f"top/{n}".encode()[: len(n) + 4] for n in names]
    assert is_archive(tmp_path / "x.tar")


def test_sparse_files_are_passed_over_with_their_maps(tmp_path: Path) -> None:
    block = bytearray(member(tarfile.GNUTYPE_SPARSE, b"", "a/sparse.png", size=4)[:512])
    block[482] = 1  # another block of the map follows
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    more = bytearray(512)
    more[504] = 1
    path = written(tmp_path / "x.tar", bytes(block), bytes(more), bytes(512), b"data".ljust(512, b"\0"), PICTURE, END)
    store = open_images(path)
    assert store.names == ("1.png",)
    assert "Ignored 1 device, pipe, or sparse file in x.tar, for example 'a/sparse.png'" in store.notes[0]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_passed_over_and_said(tmp_path: Path, kind: bytes) -> None:
    store = open_images(written(tmp_path / "x.tar", member(kind, b"", "a/zero.png"), PICTURE, END))
    assert store.names == ("1.png",)
    assert store.notes == ("Ignored 1 device, pipe, or sparse file in x.tar, for example 'a/zero.png'.",)


def test_two_gzip_streams_one_after_the_other_are_one_tar(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzipped(PICTURE) + gzipped(member(FILE, b"two", "a/2.png") + END) + b"\0" * 700)
    store = open_images(path)
    assert [store.read(i) for i in range(2)] == [b"one", b"two"]


@pytest.mark.parametrize("pack", [gzipped, partial(lzma.compress, preset=0)])
def test_junk_counts_as_what_it_unpacks_to(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    junk = b"".join(member(FILE, bytes(17_000_000), f"{i}/.DS_Store") for i in range(4))
    with pytest.raises(InvalidInput, match="times its packed size, above the limit of 200"):
        open_images(written(tmp_path / "x.tar.gz", junk, PICTURE, END, pack=pack))


def test_an_xz_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**23}]
    path = written(tmp_path / "x.tar.xz", PICTURE, END, pack=lambda b: lzma.compress(b, filters=filters))
    assert len(open_images(path)) == 1
    with pytest.raises(InvalidInput, match=r"damaged tar .Memory usage limit"):
        open_images(path, Limits(max_codec_bytes=2**20))


def test_a_packed_tar_that_is_cut_short_is_said_to_be(tmp_path: Path) -> None:
    noise = member(FILE, os.urandom(5000), "a/2.png")
    path = written(tmp_path / "x.tar.gz", PICTURE, noise, END, pack=lambda content: gzipped(content)[:-3000])
    with pytest.raises(InvalidInput, match=r"damaged tar .it is cut short"):
        open_images(path)


class FullDisk(io.BytesIO):
    def write(self, _: Any) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_not_called_a_damaged_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "x.tar.gz", PICTURE, END, pack=gzipped)

    def full() -> IO[bytes]:
        return FullDisk()

    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", full)
    with pytest.raises(InvalidInput, match=r"disk for temporary files is full .No space left"):
        open_images(path)


@pytest.mark.parametrize("calls", [1, 2, 3, 4])
def test_a_visitor_who_stops_ends_it_at_once_and_leaves_nothing_open(
    tmp_path: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)
    path = written(tmp_path / "x.tar.gz", PICTURE, END, pack=gzipped)
    before = open_files()
    with stop_after(calls) as progress:
        open_images(path, progress=progress)
    assert open_files() == before
