import io
import os
import tarfile
import threading
import zipfile
from typing import Any

import numpy as np
import pytest

from core.data.images.archives import open_images
from core.errors import InvalidInput
from core.limits import Limits


def zipped(path, members, **kwargs):
    with zipfile.ZipFile(path, "w", **kwargs) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path, members, mode: Any = "w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def folder(path, members):
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


FILES = {"data/a/1.png": b"one", "data/b/2.png": b"two", "__MACOSX/data/a/._1.png": b"junk", "data/.DS_Store": b"junk"}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "folder"])
def test_every_kind_of_store_reads_the_same_files_and_ignores_junk(tmp_path, kind):
    if kind == "folder":
        store = open_images(folder(tmp_path, FILES) / "data")
    elif kind == "zip":
        store = open_images(zipped(tmp_path / "x.zip", FILES))
    else:
        store = open_images(tarred(tmp_path / f"x.{kind}", FILES, "w:gz" if kind == "tar.gz" else "w"))
    assert {store.name(i): store.read(i) for i in range(len(store))} == {"a/1.png": b"one", "b/2.png": b"two"}
    assert "Ignored" in store.notes[0]
    kept = store.keep(np.array([1]))
    assert (len(kept), kept.name(0), kept.read(0)) == (1, store.name(1), store.read(1))


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "C:\\evil.png", "..\\evil.png"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_member_that_points_outside_is_refused_by_name(tmp_path, name, pack):
    with pytest.raises(InvalidInput, match=r"points outside the archive.*Pack it again"):
        open_images(pack(tmp_path / "x.bin", {name: b"x"}))


def test_links_are_listed_and_never_followed(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    inside = folder(tmp_path / "images", {"ok.png": b"ok"})
    os.symlink(secret, inside / "link.png")
    os.symlink(tmp_path, inside / "up")
    os.symlink("itself.png", inside / "itself.png")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.add(inside / "ok.png", "ok.png")
        archive.add(inside / "link.png", "link.png")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("ok.png", b"ok")
        info = zipfile.ZipInfo("link.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, str(secret))
    for source in (inside, tmp_path / "x.tar", tmp_path / "x.zip"):
        store = open_images(source)
        assert store.names == ("ok.png",)
        assert "link.png" in store.links
        assert any("not followed" in note for note in store.notes)


def test_too_many_files_too_much_data_and_too_high_a_ratio_are_refused(tmp_path):
    many = zipped(tmp_path / "many.zip", {f"{i}.png": b"x" for i in range(5)})
    with pytest.raises(InvalidInput, match="more than 4 files"):
        open_images(many, Limits(max_files=4))
    with pytest.raises(InvalidInput, match="unpacked, the limit"):
        open_images(many, Limits(max_total_bytes=4))
    bomb = zipped(tmp_path / "bomb.zip", {"zeros.png": b"\0" * 3_000_000}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(InvalidInput, match="times its packed size, above the limit of 200"):
        open_images(bomb)
    with pytest.raises(InvalidInput, match=r"above the limit of .* per file"):
        open_images(bomb, Limits(max_ratio=1e9, max_file_bytes=2_000_000))


def test_a_compressed_tar_bomb_is_stopped_while_it_unpacks(tmp_path):
    path = tarred(tmp_path / "bomb.tar.gz", {f"{i}.png": b"\0" * 20_000_000 for i in range(4)}, "w:gz")
    with pytest.raises(InvalidInput, match="times its packed size"):
        open_images(path)


def test_a_zip_that_lies_about_its_sizes_gives_no_more_than_it_declared(tmp_path):
    path = zipped(tmp_path / "x.zip", {"a.png": b"\0" * 1000}, compression=zipfile.ZIP_DEFLATED)
    raw = path.read_bytes().replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(raw)
    with pytest.raises(InvalidInput, match="Pack it again"):
        open_images(path).read(0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.zip", b"PK\3\4 cut short", "not a folder, a zip"),
        ("x.rar", b"Rar!", "not a folder, a zip"),
        ("e.zip", None, "contains no readable files"),
    ],
)
def test_what_is_no_archive_is_refused_with_the_next_step(tmp_path, name, content, message):
    path = tmp_path / name
    zipped(path, {}) if content is None else path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        open_images(path)
    with pytest.raises(InvalidInput, match=r"The images '.*/.*' were not found"):
        open_images(tmp_path / "absent.zip")


@pytest.mark.parametrize("cut", [700, 1234, 1500])
def test_a_tar_that_is_cut_short_is_refused(tmp_path, cut):
    path = tarred(tmp_path / "x.tar", {"1.png": b"a" * 600, "2.png": b"b" * 600})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidInput, match="damaged tar"):
        open_images(path)


def test_a_name_that_occurs_twice_is_read_once_and_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.png", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", b"second")
    store = open_images(tmp_path / "x.zip")
    assert (store.names, store.read(0)) == (("a.png",), b"first")
    assert "more than once" in store.notes[0]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_many_threads_read_the_right_bytes(tmp_path, kind):
    members = {f"{i}.png": bytes([i]) * (i + 1) * 50 for i in range(60)}
    if kind == "zip":
        path = zipped(tmp_path / "x.zip", members, compression=zipfile.ZIP_DEFLATED)
    else:
        path = tarred(tmp_path / f"x.{kind}", members, "w:gz" if kind == "tar.gz" else "w")
    store, wrong = open_images(path), []

    def work() -> None:
        wrong.extend(i for _ in range(5) for i in range(len(store)) if store.read(i) != members[store.name(i)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wrong == []


@pytest.mark.slow
def test_a_zip_of_fifty_thousand_members_opens_in_seconds(tmp_path):
    import time

    path = zipped(tmp_path / "big.zip", {f"d/{i}.png": b"x" for i in range(50_000)})
    began = time.process_time()
    store = open_images(path)
    assert len(store) == 50_000
    assert time.process_time() - began < 10


def test_a_picture_whose_name_is_no_utf8_is_named(tmp_path):
    try:
        with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.png"), "wb") as file:
            file.write(b"x")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(InvalidInput, match="is not valid UTF-8"):
        open_images(tmp_path)
