"""Tokens of images and captions: in memory, and on disk with interruptions and damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.embeddings.cache import Cache
from core.encoders.tokens import ImageTokens, TextTokens
from core.errors import Cancelled, InvalidInput
from core.records import F32, Progress, no_progress
from core.systems.common.tokens import PictureTokens, StoredTokens, read_image_tokens, read_text_tokens
from tests.support.pictures import MeanColour, Pictures, blobs, encoded


class Quarters:
    """A stand-in for a tower: four quarters of an 8 x 8 image as tokens, 48 numbers each; words are their letters."""

    grid, image_width, text_width, joint_width, logit_scale = (2, 2), 48, 2, 3, 100.0

    def __init__(self, fingerprint: str = "quarters 1", scale: float = 1.0) -> None:
        self.fingerprint, self._scale, self.seen = fingerprint, np.float32(scale), 0

    def image_tokens(self, batch: F32) -> ImageTokens:
        self.seen += len(batch)
        cells = batch.reshape(len(batch), 3, 2, 4, 2, 4).transpose(0, 2, 4, 1, 3, 5).reshape(len(batch), 4, 48)
        pooled = batch.mean((2, 3))
        return ImageTokens(self._scale * cells, pooled / np.linalg.norm(pooled, axis=1, keepdims=True))

    def cells(self, tokens: F32) -> F32:
        return tokens.reshape(len(tokens), 2, 2, 48)

    def text_tokens(self, texts: Sequence[str]) -> TextTokens:
        longest = max((len(text) for text in texts), default=0)
        ids = np.array([[*map(ord, text), *[7] * (longest - len(text))] for text in texts], np.int64).reshape(
            len(texts), longest
        )
        seen = ids != 7
        tokens = np.stack([ids, ids], 2).astype(np.float32) * seen[..., None]
        return TextTokens(
            tokens, ids, seen, seen, np.ones((len(texts), 3), np.float32), tuple(tuple(text) for text in texts)
        )


def pictures(n: int) -> Pictures:
    return Pictures([encoded(blobs(seed)) for seed in range(n)])


def read(
    store: Pictures,
    cache: Path | None = None,
    progress: Progress = no_progress,
    tower: Quarters | None = None,
    batch_size: int = 4,
) -> PictureTokens:
    return read_image_tokens(
        store, MeanColour(batch_size=batch_size), tower or Quarters(), cache=cache, progress=progress
    )


def same(a: PictureTokens, b: PictureTokens) -> None:
    for left, right in ((a.tokens[:], b.tokens[:]), (a.pooled, b.pooled), (a.kept_rows, b.kept_rows)):
        np.testing.assert_array_equal(left, right)
    assert a.unreadable == b.unreadable


def stop_after(n: int) -> Progress:
    def progress(step: str, done: int, total: int) -> None:
        if step == "tokens" and done >= n:
            raise Cancelled("stopped")

    return progress


@pytest.fixture(autouse=True)
def _every_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.records.progress.SECONDS_BETWEEN_REPORTS", 0.0)


@pytest.mark.parametrize("n", [1, 4, 11])
def test_every_picture_has_its_tokens_in_order_in_memory_and_on_disk(n: int, tmp_path: Path) -> None:
    encoder = MeanColour()
    known = Quarters().image_tokens(np.stack([encoder.preprocess(blobs(seed)) for seed in range(n)]))
    for cache in (None, tmp_path):
        found = read(pictures(n), cache)
        assert found.tokens[:].dtype == np.float16
        assert (len(found.tokens), found.tokens.shape) == (n, known.tokens.shape)
        np.testing.assert_allclose(found.tokens[:], known.tokens, atol=1e-3)
        np.testing.assert_allclose(found.pooled, known.pooled, atol=1e-6)
        rows = found.rows(np.array([n - 1, 0]))
        assert rows.tokens.dtype == np.float32
    assert isinstance(found.tokens, StoredTokens)


def test_a_second_reading_opens_the_disk_and_runs_nothing(tmp_path: Path) -> None:
    first, tower = read(pictures(9), tmp_path), Quarters()
    again = read(pictures(9), tmp_path, tower=tower)
    same(first, again)
    assert tower.seen == 0
    assert again.notes == ("The tokens of 9 of 9 images came from the cache.",)


@pytest.mark.parametrize("other", [pictures(9).keep(np.arange(9)[::-1]), pictures(8)])
def test_another_order_and_fewer_pictures_read_the_same_entries(tmp_path: Path, other: Pictures) -> None:
    read(pictures(9), tmp_path)
    tower = Quarters()
    same(read(other, tmp_path, tower=tower), read(other))
    assert tower.seen == 0


def test_another_tower_has_its_own_tokens(tmp_path: Path) -> None:
    read(pictures(9), tmp_path)
    twice = Quarters("quarters 2", scale=2.0)
    same(read(pictures(9), tmp_path, tower=twice), read(pictures(9), tower=Quarters(scale=2.0)))
    assert twice.seen == 9


def test_an_interrupted_pass_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        read(pictures(11), tmp_path, stop_after(4))
    tower = Quarters()
    found = read(pictures(11), tmp_path, tower=tower)
    assert tower.seen == 7
    same(found, read(pictures(11)))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_a_pass_may_go_on_with_another_batch_size(tmp_path: Path, batch_size: int) -> None:
    with pytest.raises(Cancelled):
        read(pictures(11), tmp_path, stop_after(4))
    same(read(pictures(11), tmp_path, batch_size=batch_size), read(pictures(11)))


def test_bad_files_are_left_out_and_each_says_why_also_from_the_cache(tmp_path: Path) -> None:
    good = [encoded(blobs(seed)) for seed in range(3)]
    store = Pictures([b"", b"hello", b"", b"no", good[0], b"", good[1], good[2], b"bad"])
    for _ in range(2):
        found = read(store, tmp_path)
        np.testing.assert_array_equal(found.kept_rows, [4, 6, 7])
        assert list(found.unreadable) == [0, 1, 2, 3, 5, 8]
        assert found.unreadable[1].startswith("picture1.png is not an image")
        assert "Skipped 6 of 9 images: they could not be read." in found.notes
        same(found, read(store))


@pytest.mark.parametrize("store", [Pictures([]), Pictures([b"", b"x"])])
def test_no_readable_picture_is_refused(tmp_path: Path, store: Pictures) -> None:
    for cache in (None, tmp_path):
        with pytest.raises(InvalidInput, match=r"no images|any of the 2"):
            read(store, cache)


def spoil_entries(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET data = zeroblob(8) WHERE rowid IN (2, 5, 6)")


def lose_entries(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM entries WHERE rowid > 8")


def spoil_file(path: Path) -> None:
    path.write_bytes(b"not SQLite" * 1000)


@pytest.mark.parametrize(
    ("spoil", "computed", "note"),
    [
        (spoil_entries, 3, "Computed 3 damaged entries of the token cache again."),
        (lose_entries, 3, "The tokens of 8 of 11 images came from the cache."),
        (spoil_file, 11, "Could not read the token cache: moved it to tokens.damaged"),
        (Path.unlink, 11, ""),
    ],
)
def test_what_is_damaged_is_computed_again_and_the_rest_is_kept(
    tmp_path: Path, spoil: Callable[[Path], None], computed: int, note: str
) -> None:
    read(pictures(11), tmp_path)
    spoil(tmp_path / "tokens.sqlite")
    tower = Quarters()
    found = read(pictures(11), tmp_path, tower=tower)
    same(found, read(pictures(11)))
    assert tower.seen == computed
    assert note in " ".join(found.notes)
    same(read(pictures(11), tmp_path), found)


def test_an_entry_lost_after_the_reading_is_named(tmp_path: Path) -> None:
    found = read(pictures(3), tmp_path)
    (tmp_path / "tokens.sqlite").unlink()
    with pytest.raises(InvalidInput, match=r"tokens\.sqlite has lost an entry\. Run the command again"):
        found.rows(np.array([0]))


def test_numbers_past_half_precision_are_cut_and_counted() -> None:
    found = read(pictures(5), tower=Quarters(scale=1e6))
    assert np.isfinite(found.tokens[:]).all()
    assert any("largest number in half precision" in note for note in found.notes)


def test_a_disk_without_space_is_said_before_it_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.systems.common.tokens.shutil.disk_usage", lambda path: type("Usage", (), {"free": 100})())
    with pytest.raises(InvalidInput, match=r"tokens of 5 images take .* free\. .*ERRATA_CACHE"):
        read(pictures(5), tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InvalidInput, match="ERRATA_CACHE"):
        read(pictures(2), tmp_path / "file")


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cache, "write", lambda self, entries: setattr(self, "failure", "database or disk is full"))
    with pytest.raises(InvalidInput, match=r"cannot be saved in .*tokens\.sqlite \(database or disk is full\)\. Free"):
        read(pictures(2), tmp_path)


@pytest.mark.parametrize("n", [0, 1, 256, 300])
def test_captions_are_padded_to_the_longest_of_all(n: int) -> None:
    captions = ["a" * (i % 5 + 1) for i in range(n)] + (["long one indeed"] if n == 300 else [])
    found, known = read_text_tokens(captions, Quarters()), Quarters().text_tokens(captions)
    assert found.tokens.dtype == np.float16
    for name in ("tokens", "ids", "words", "seen", "pooled"):
        np.testing.assert_array_equal(getattr(found, name), getattr(known, name))
    assert found.pieces == known.pieces
