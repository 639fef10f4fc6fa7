"""The object part of the embedded encoder written as an open_clip folder: real weights through the open_clip path."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.encoders import load_encoder
from core.encoders.arithmetic import unit_rows
from tests.support.pictures import blobs


@pytest.mark.slow
def test_the_open_clip_folder_gives_the_embedded_encoders_object_vectors(tmp_path: Path, repository: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "research.weights.embedded.build_open_clip", str(tmp_path / "built")],
        cwd=repository,
        check=True,
    )
    shutil.move(tmp_path / "built", tmp_path / "moved")  # the folder must not depend on where it was written
    ours, theirs = load_encoder(), load_encoder(f"open_clip:local-dir:{tmp_path / 'moved'}")
    batch = np.stack([ours.preprocess(blobs(seed)) for seed in range(6)])
    images, other_images = unit_rows(ours.encode_items(batch)[1][:, :652]), theirs.encode_items(batch)[1]
    assert (images * other_images[:, :652]).sum(1).min() > 0.9999
    prompts = ["a photo of a dog.", "a photo of a sports car.", "a red apple on a plate"]
    texts, other_texts = unit_rows(ours.encode_texts(prompts)[:, :652]), theirs.encode_texts(prompts)
    assert (texts * other_texts[:, :652]).sum(1).min() > 0.98
    np.testing.assert_array_equal((images @ texts.T).argmax(1), (other_images @ other_texts.T).argmax(1))
