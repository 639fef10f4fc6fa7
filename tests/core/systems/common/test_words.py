"""Texts as numbers: words by how often they stand there, and rows of one length."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from core.systems.common.words import IGNORED, frequent_words, marked, padded, padded_targets


def test_cross_entropy_passes_over_it_and_it_is_written_by_hand_nowhere_else(repository: Path) -> None:
    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED
    named = re.compile(rf"^\w+ = {IGNORED}$", re.MULTILINE)
    found = [path.name for path in (repository / "core").rglob("*.py") if named.search(path.read_text("utf-8"))]
    assert found == ["words.py"]


def test_words_come_by_how_often_they_stand_there_then_by_letters() -> None:
    assert frequent_words(["b", "c", "a", "c", "b", "c"]) == ["c", "b", "a"]
    assert frequent_words(["b", "c", "a", "c", "b", "c"], 2) == ["c", "b"]


def test_rows_are_cut_between_their_marks_and_filled_to_one_length() -> None:
    rows = [marked([7, 8, 9], 2, 3, 4), marked([], 2, 3, 4)]
    assert rows == [[2, 7, 8, 3], [2, 3]]
    assert padded(rows)[0].tolist() == [[2, 7, 8, 3], [2, 3, 0, 0]]
    assert padded(rows, [1, 0])[1].tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert padded(rows, [1], length=3)[0].tolist() == [[2, 3, 0]]
    assert padded([], length=3)[0].shape == (0, 3)
    assert padded_targets(rows).tolist() == [[2, 7, 8, 3], [2, 3, IGNORED, IGNORED]]
