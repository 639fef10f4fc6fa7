"""Texts become tokens and come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.common.words import MARKS
from core.systems.univl.words import ClipWords, read_words, words_of_texts


def test_texts_are_cut_padded_and_come_back() -> None:
    words = words_of_texts(["a red cube moves left, then a ball grows"])
    ids, seen = words.encode(["A red cube, then a ball", "a " * 30, ""], 8)
    assert ids.shape == seen.shape == (3, 8)
    assert words.decode(ids[0].tolist()) == "a red cube, then a ball"[: len(words.decode(ids[0].tolist()))]
    assert seen.sum(1).tolist() == [8, 8, 2]
    assert ids[1, 0] == words.start
    assert ids[1, -1] == words.end
    assert (words.unknown("a ball"), words.unknown("a dog")) == (False, True)


def test_pieces_inside_words_are_joined() -> None:
    words = ClipWords([*MARKS, "grow", "##ing", "ball", "."])
    ids, _ = words.encode(["growing ball."], 6)
    assert words.decode(ids[0].tolist()) == "growing ball."


@pytest.mark.parametrize(
    ("pieces", "said"), [(["a", *MARKS], "must begin with"), (["[PAD]", "[UNK]"], "lacks '\\[CLS\\]'")]
)
def test_a_list_of_words_without_its_marks_is_refused(pieces: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        ClipWords(pieces)


def test_a_file_that_is_no_list_of_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not UTF-8 text"):
        read_words(tmp_path / "vocab.txt")
