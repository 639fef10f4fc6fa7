"""Fine-tuning goes on with the words that the network was taught with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from core.systems.univl.weights import WORDS, read_univl
from core.systems.univl.words import words_of_texts
from research.weights.univl.draw import FRAMES, read_drawn
from research.weights.univl.fit import main

RED, BLUE = ("a red cube rises", "a red ball grows"), ("a blue ball falls", "a blue cube rises")


def kept(path: Path, texts: list[tuple[str, str]]) -> Path:
    """A file as `research.weights.univl.draw` writes, of cells drawn at random."""
    cells = np.random.default_rng(0).normal(size=(len(texts), 2, FRAMES // 2, 9, 4)).astype(np.float16)
    np.savez(path, cells=cells, texts=np.array(texts), seed=0)
    return path


def test_a_network_is_fine_tuned_with_its_own_words_on_other_grounds(tmp_path: Path) -> None:
    first, other = kept(tmp_path / "1.npz", [RED] * 5 + [BLUE]), kept(tmp_path / "2.npz", [RED] + [BLUE] * 5)
    quick = ["--first_batch", "4", "--second_batch", "4", "--tune_batch", "4"]
    taught, tuned = tmp_path / "taught", tmp_path / "tuned"
    main(["--drawn", str(first), "--out", str(taught), "--first", "1", "--second", "1", *quick])
    again = ["--start", str(taught), "--task", "aligned", "--tune", "2"]
    main(["--drawn", str(other), "--out", str(tuned), *again, *quick])
    words = read_univl(taught).words.pieces
    assert words_of_texts(read_drawn([other]).every_text()).pieces != words  # blue is more frequent there
    assert (tuned / WORDS).read_text() == (taught / WORDS).read_text()
    one, two = read_univl(taught).network.state_dict(), read_univl(tuned).network.state_dict()
    assert any(not torch.equal(one[name], two[name]) for name in one)
