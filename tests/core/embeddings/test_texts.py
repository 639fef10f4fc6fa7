"""Texts are encoded once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.embeddings import texts as kept
from core.embeddings.texts import encode_texts
from core.encoders import load_encoder
from core.encoders.text_batches import DEFAULT_BATCH_TEXTS, by_tokens
from core.errors import Cancelled
from core.records import F32, I64
from tests.support.planted_words import KNOWN, WordTower, planted_run


def test_texts_are_encoded_once_and_kept(tmp_path: Path) -> None:
    _, audit, _ = planted_run()
    tower = WordTower(audit)
    first = encode_texts(tower, ["snow", "fog", "snow"], tmp_path)
    again = encode_texts(tower, ["snow", "fog", "snow"], tmp_path)
    assert tower.calls == 1
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[0], first[2])
    next(iter((tmp_path / "texts").iterdir())).write_bytes(b"broken")
    np.testing.assert_array_equal(encode_texts(tower, ["snow", "fog", "snow"], tmp_path), first)


def test_between_two_batches_of_texts_the_work_can_be_stopped(tmp_path: Path) -> None:
    _, audit, _ = planted_run()
    tower, heard = WordTower(audit), list[int]()

    def stop(step: str, done: int, total: int) -> None:
        heard.append(done)
        if len(heard) == 2:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        encode_texts(tower, [f"snow {i}" for i in range(5 * DEFAULT_BATCH_TEXTS)], tmp_path, progress=stop)
    assert (tower.calls, heard) == (2, [DEFAULT_BATCH_TEXTS, 2 * DEFAULT_BATCH_TEXTS])
    assert not (tmp_path / "texts").exists()


class _Counting(WordTower):
    """Puts texts together by their number of words, and keeps what it was given."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.given: list[list[str]] = []

    def text_batches(self, texts: Sequence[str]) -> list[I64]:
        return by_tokens([len(text.split()) for text in texts], 6)

    def encode_texts(self, texts: Sequence[str]) -> F32:
        self.given.append(list(texts))
        return super().encode_texts(texts)


@pytest.mark.parametrize("looked_at", [4, 5, 100])
def test_a_tower_gets_its_own_batches_and_vectors_come_back_in_order(
    looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SORTED_TEXTS", looked_at)
    _, audit, _ = planted_run()
    tower = _Counting(audit)
    texts = [" ".join(KNOWN[i % 6 :][: 1 + i * 7 % 4]) + f" {i}" for i in range(13)]
    found = encode_texts(tower, texts)
    assert all(len({len(text.split()) for text in part}) <= 2 and len(part) <= 3 for part in tower.given)
    assert sorted(text for part in tower.given for text in part) == sorted(texts)
    np.testing.assert_array_equal(found, WordTower(audit).encode_texts(texts))


class _Flat(WordTower):
    def encode_texts(self, texts: Sequence[str]) -> F32:
        return np.zeros((len(texts), 3), np.float32)


def test_no_text_gives_no_vector_of_the_towers_width() -> None:
    _, audit, _ = planted_run()
    assert encode_texts(_Flat(audit), []).shape == (0, 3)


@pytest.mark.slow
def test_texts_have_the_same_vectors_in_batches_as_at_once() -> None:
    tower = load_encoder("embedded")
    texts = [f"a photo of {'very ' * (i % 7)}small thing {i}" for i in range(2 * DEFAULT_BATCH_TEXTS + 5)]
    at_once: F32 = tower.encode_texts(texts)
    np.testing.assert_array_equal(encode_texts(tower, texts), at_once)
