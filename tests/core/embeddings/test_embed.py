"""Reading pictures: order, bad files, the cache, cancelling."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.images.modality import ImageModality
from core.data.images.properties import PROPERTIES
from core.embeddings.cache import EmbeddingCache
from core.embeddings.embed import EmbeddedImages, read_images
from core.errors import Cancelled, InvalidInput
from tests.support.pictures import MeanColour, Pictures, blobs, encoded, plain


def pictures(n: int) -> Pictures:
    return Pictures([encoded(blobs(seed)) for seed in range(n)])


def same(a: EmbeddedImages, b: EmbeddedImages) -> None:
    np.testing.assert_array_equal(a.embeddings.vectors, b.embeddings.vectors)
    np.testing.assert_array_equal(a.joint.vectors, b.joint.vectors)
    np.testing.assert_array_equal(a.duplicate_groups, b.duplicate_groups)
    for left, right in zip(a.properties, b.properties, strict=True):
        np.testing.assert_array_equal(left.values, right.values)


@pytest.mark.parametrize("n", [1, 4, 11])
def test_every_row_is_read_in_order_whatever_the_batch(n: int) -> None:
    reading = read_images(pictures(n), MeanColour(batch_size=4))
    assert reading.embeddings.vectors.shape == (n, 192)
    assert reading.joint.vectors.shape == (n, 3)
    np.testing.assert_array_equal(reading.kept, np.arange(n))
    assert all(len(column.values) == n and column.measured for column in reading.properties)
    same(reading, read_images(pictures(n), MeanColour(batch_size=3), workers=5))


def test_row_order_does_not_change_a_row() -> None:
    forward, backward = (
        read_images(pictures(7), MeanColour()),
        read_images(pictures(7).keep(np.arange(7)[::-1]), MeanColour()),
    )
    np.testing.assert_array_equal(forward.embeddings.vectors, backward.embeddings.vectors[::-1])


def test_bad_files_are_left_out_and_each_says_why() -> None:
    cut = encoded(blobs(3))[:-200]
    store = Pictures(
        [
            encoded(blobs(0)),
            b"",
            b"hello",
            cut,
            b"<svg xmlns='x'/>",
            encoded(blobs(1)),
            encoded(Image.new("L", (3000, 20))),
        ]
    )
    reading = read_images(store, MeanColour())
    np.testing.assert_array_equal(reading.kept, [0, 5])
    reasons = reading.unreadable
    assert list(reasons) == [1, 2, 3, 4, 6]
    assert all(reason.startswith(f"picture{row}.png ") for row, reason in reasons.items())
    for row, word in {1: "is empty", 2: "not an image", 3: "cut short", 4: "SVG", 6: "times as long as wide"}.items():
        assert word in reasons[row]
    assert "Skipped 5 of 7 images: they could not be read." in reading.notes


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (12_000, 12_000)))
    assert len(bomb) < 100_000
    began = time.process_time()
    reading = read_images(Pictures([bomb, encoded(blobs(0))]), MeanColour())
    assert "12000 x 12000" in reading.unreadable[0]
    assert time.process_time() - began < 2


def test_a_store_that_cannot_open_a_row_costs_only_that_row() -> None:
    class Broken(Pictures):
        def read(self, index: int) -> bytes:
            if index == 1:
                raise OSError("disk error")
            return super().read(index)

    reading = read_images(Broken(pictures(3).payloads), MeanColour())
    assert "disk error" in reading.unreadable[1]
    np.testing.assert_array_equal(reading.kept, [0, 2])


def test_nothing_readable_is_an_error_that_names_the_first() -> None:
    with pytest.raises(InvalidInput, match=r"Cannot read any of the 2 images\. The first: picture0\.png is empty"):
        read_images(Pictures([b"", b"x"]), MeanColour())
    with pytest.raises(InvalidInput, match="no images"):
        read_images(Pictures([]), MeanColour())


def test_a_warm_cache_gives_the_same_reading_without_encoding(tmp_path: Path) -> None:
    cold = read_images(pictures(6), MeanColour(), cache=tmp_path)
    encoder = MeanColour()
    warm = read_images(pictures(6), encoder, cache=tmp_path)
    assert encoder.encoded == 0
    assert warm.notes == ("6 of 6 images came from the cache.",)
    same(cold, warm)


def test_the_cache_follows_the_bytes_and_the_encoder(tmp_path: Path) -> None:
    read_images(pictures(5), MeanColour(), cache=tmp_path)
    moved, other = MeanColour(), MeanColour(fingerprint="another")
    read_images(pictures(8).keep(np.array([7, 4, 0])), moved, cache=tmp_path)
    assert moved.encoded == 1
    read_images(pictures(5), other, cache=tmp_path)
    assert other.encoded == 5


def test_entries_with_renamed_properties_are_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = {name.replace("color", "colour"): meaning for name, meaning in PROPERTIES.items()}
    with monkeypatch.context() as before:
        before.setattr(ImageModality, "meanings", renamed)
        read_images(pictures(3), MeanColour(), cache=tmp_path)
    encoder = MeanColour()
    reading = read_images(pictures(3), encoder, cache=tmp_path)
    assert encoder.encoded == 3
    assert [column.name for column in reading.properties] == list(PROPERTIES)


def test_damaged_entries_are_computed_again_and_said(tmp_path: Path) -> None:
    cold = read_images(pictures(5), MeanColour(), cache=tmp_path)
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as connection:
        connection.execute(
            "UPDATE entries SET data = substr(data, 1, length(data) - 5) || x'0102030405' WHERE rowid IN (1, 3)"
        )
    connection.close()
    encoder = MeanColour()
    again = read_images(pictures(5), encoder, cache=tmp_path)
    assert encoder.encoded == 2
    assert "Computed 2 damaged cache entries again." in again.notes
    same(cold, again)
    assert read_images(pictures(5), MeanColour(), cache=tmp_path).notes == ("5 of 5 images came from the cache.",)


@pytest.mark.parametrize("damage", [b"this is no database" * 400, b""])
def test_an_unreadable_cache_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "embeddings.sqlite").write_bytes(damage)
    reading = read_images(pictures(2), MeanColour(), cache=tmp_path)
    assert any("moved it to" in note for note in reading.notes) == bool(damage)
    assert read_images(pictures(2), MeanColour(), cache=tmp_path).notes == ("2 of 2 images came from the cache.",)


def test_cancelling_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)

    def stop(step: str, done: int, total: int) -> None:
        if done >= 8:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read_images(pictures(40), MeanColour(), cache=tmp_path, progress=stop)
    encoder = MeanColour()
    read_images(pictures(40), encoder, cache=tmp_path)
    assert 0 < encoder.encoded <= 32


def test_progress_counts_up_to_the_total() -> None:
    calls: list[tuple[str, int, int]] = []
    read_images(Pictures([*pictures(9).payloads, b""]), MeanColour(), progress=lambda *call: calls.append(call))
    assert {step for step, _, _ in calls} == {"embed"}
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)
    assert calls[-1] == ("embed", 10, 10)


def test_memory_is_bounded_by_a_window_of_rows() -> None:
    """The reader never runs more than two batches and a few rows ahead of the encoder."""
    store, ahead = pictures(60), list[int]()

    class Watching(MeanColour):
        def encode_items(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            ahead.append(store.reads - self.encoded)
            return super().encode_items(batch)

    read_images(store, Watching(batch_size=4))
    assert max(ahead) <= 3 * 4 + 8


KILLED = """
import os, sys
from pathlib import Path
from core.embeddings.embed import read_images
from tests.support.pictures import MeanColour
from tests.core.embeddings.test_embed import pictures
class Dying(MeanColour):
    def encode_items(self, batch):
        if self.encoded >= 8:
            os.kill(os.getpid(), 9)
        return super().encode_items(batch)
read_images(pictures(20), Dying(), cache=Path(sys.argv[1]))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, repository: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=repository).returncode == -9
    encoder = MeanColour()
    reading = read_images(pictures(20), encoder, cache=tmp_path)
    assert encoder.encoded == 12
    same(reading, read_images(pictures(20), MeanColour()))


BESIDE = """
import sys
from pathlib import Path
from core.embeddings.embed import read_images
from tests.support.pictures import MeanColour
from tests.core.embeddings.test_embed import pictures
read_images(pictures(60), MeanColour(), cache=Path(sys.argv[1]))
"""


def test_two_processes_at_once_share_the_cache(tmp_path: Path, repository: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", BESIDE, str(tmp_path)], cwd=repository) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    encoder = MeanColour()
    same(read_images(pictures(60), encoder, cache=tmp_path), read_images(pictures(60), MeanColour()))
    assert encoder.encoded == 0


def test_a_write_that_fails_is_said_and_does_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: EmbeddingCache, entries: object) -> None:
        self.failure = "database or disk is full"

    monkeypatch.setattr(EmbeddingCache, "put", full)
    assert any("disk is full" in note for note in read_images(pictures(2), MeanColour(), cache=tmp_path).notes)


class SometimesAlike(MeanColour):
    """Its two vectors of a picture are equal where the picture is dark."""

    def encode_items(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        finding, joint = (side[:, :3].copy() for side in super().encode_items(batch))
        dark = batch.mean((1, 2, 3)) < 0.3
        joint[dark] = finding[dark]
        return finding, joint


def test_joint_vectors_stay_whatever_row_is_read_first_from_the_cache(tmp_path: Path) -> None:
    store = Pictures([encoded(plain("black"))] + [encoded(blobs(seed)) for seed in range(5)])
    first, again = (read_images(store, SometimesAlike(), cache=tmp_path) for _ in range(2))
    assert "6 of 6 images came from the cache." in again.notes
    assert not np.array_equal(first.joint.vectors, first.embeddings.vectors)
    same(first, again)
