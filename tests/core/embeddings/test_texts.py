"""Texts are encoded once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.embeddings.texts import encode_texts
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
