"""The cache of what was read of each image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.embeddings.cache import CachedImage, EmbeddingCache, entry_key
from core.errors import InvalidInput
from core.files import default_cache


def test_an_entry_survives_its_bytes_and_a_shared_vector_is_kept_once() -> None:
    vector, other = np.arange(5, dtype=np.float32), np.ones(2, np.float32)
    apart = CachedImage.from_bytes(CachedImage(vector, other, {"brightness": 0.5}).to_bytes())
    np.testing.assert_array_equal(apart.embedding, vector)
    np.testing.assert_array_equal(apart.joint, other)
    assert apart.properties == {"brightness": 0.5}
    together = CachedImage.from_bytes(CachedImage(vector, vector, {}).to_bytes())
    assert together.joint is together.embedding or np.array_equal(together.joint, vector)
    assert entry_key(b"a", "x") != entry_key(b"a", "y") != entry_key(b"b", "x")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="ERRATA_CACHE"):
        EmbeddingCache(tmp_path / "file" / "below")


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "mine"))
    assert default_cache() == tmp_path / "mine"
    monkeypatch.delenv("ERRATA_CACHE")
    assert default_cache().name == "errata"
