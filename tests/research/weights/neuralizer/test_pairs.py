"""Folders of examples, as the authors of Neuralizer released them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from research.weights.neuralizer.pairs import read_pairs


def write(folder: Path, *names: str, size: int = 8) -> None:
    for k, name in enumerate(names):
        Image.fromarray(np.full((size, size), 10 * k, np.uint8)).save(folder / f"{name}.png")


def test_pairs_are_read_up_to_the_first_number_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "target_in", "ctx_in0", "ctx_out0", "ctx_in1", "ctx_out1", "ctx_out2", "ctx_in3")
    target, pairs, notes = read_pairs(tmp_path)
    assert target.shape == (8, 8)
    np.testing.assert_allclose(pairs.before[:, 0, 0] * 255, [10, 30], rtol=1e-6)
    np.testing.assert_allclose(pairs.after[:, 0, 0] * 255, [20, 40], rtol=1e-6)
    assert notes == ("Reading stopped at ctx_in2.png, which is missing: 1 later ones were not read.",)
    assert len(pairs.keep([1])) == 1


def test_a_folder_without_pairs_halves_or_sizes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"holds no pair: there is no ctx_in0.png"):
        read_pairs(tmp_path)
    write(tmp_path, "ctx_in0")
    with pytest.raises(InvalidInput, match=r"has no ctx_out0.png, the other half"):
        read_pairs(tmp_path)
    write(tmp_path, "ctx_out0", size=9)
    with pytest.raises(InvalidInput, match="ctx_out is 9 x 9 pixels and ctx_in0 is 8 x 8"):
        read_pairs(tmp_path)
    (tmp_path / "ctx_out0.png").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match=r"ctx_out0.png in .* image"):
        read_pairs(tmp_path)
