"""A missing or damaged file of the joint space is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.encoders.embedded.alignment import FILE, load_alignment
from core.encoders.embedded.caption_part import FILE as CAPTIONS, load_part
from core.errors import InvalidInput


def test_a_missing_alignment_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="alignment"):
        load_alignment(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), tmp_path / "alignment.safetensors")
    assert FILE.stat().st_size < 3e6


@pytest.mark.parametrize(
    "content", [b"", FILE.read_bytes()[:1000], CAPTIONS.read_bytes()], ids=["empty", "cut", "other"]
)
def test_a_damaged_alignment_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "alignment.safetensors").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"alignment\.safetensors is damaged or outdated"):
        load_alignment(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), tmp_path / "alignment.safetensors")


def test_a_missing_file_of_captions_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"needs captions\.safetensors in assets/encoder, which is missing"):
        load_part(tmp_path / "captions.safetensors")
