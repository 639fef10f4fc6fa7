"""A missing alignment is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.encoders.embedded.alignment import FILE, load_alignment
from core.errors import InvalidInput


def test_a_missing_alignment_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="alignment"):
        load_alignment(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), tmp_path / "alignment.safetensors")
    assert FILE.stat().st_size < 3e6
