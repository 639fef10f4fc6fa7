"""Texts are encoded once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.embeddings.texts import BATCH, encode_texts
from core.encoders import load_encoder
from core.errors import Cancelled
from core.records import F32
from tests.support.planted_words import WordTower, planted_run


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
        encode_texts(tower, [f"snow {i}" for i in range(5 * BATCH)], tmp_path, progress=stop)
    assert (tower.calls, heard) == (2, [BATCH, 2 * BATCH])
    assert not (tmp_path / "texts").exists()


@pytest.mark.slow
def test_texts_have_the_same_vectors_in_batches_as_at_once() -> None:
    tower = load_encoder("embedded")
    texts = [f"a photo of {'very ' * (i % 7)}small thing {i}" for i in range(2 * BATCH + 5)]
    at_once: F32 = tower.encode_texts(texts)
    np.testing.assert_array_equal(encode_texts(tower, texts), at_once)
