"""The texts of a table, and how they are put together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InvalidInput
from core.systems.common.student_card import cut_lines
from core.systems.common.student_texts import batches, read_texts, split_texts
from core.systems.common.words import count_longer, tokens_of
from core.systems.tinybert.teacher import BertFolder
from tests.support.tiny_bert import some_texts, write_texts


def test_each_text_is_read_once_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    texts = some_texts(30)
    found = read_texts(write_texts(tmp_path / "t.csv", [*texts, "", "  ", texts[3], f" {texts[4]} "]), "text")
    assert found.texts == tuple(texts)
    assert (found.n_rows, found.n_empty, found.n_repeated) == (34, 2, 2)


def test_texts_are_cleaned_as_a_diagnosis_reads_them_and_lists_are_none(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(20)]
    odd = ["\u200b", "\u202e\u2066", "text\x1b 3", "text\u200b 4"]
    pd.DataFrame({"a": [*texts, *odd]}).to_parquet(tmp_path / "t.parquet")
    found = read_texts(tmp_path / "t.parquet", "a")
    assert (found.texts, found.n_empty, found.n_repeated) == (tuple(texts), 2, 2)
    pd.DataFrame({"a": [[text] for text in texts]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"'a' of texts holds lists\. Join the words"):
        read_texts(tmp_path / "t.parquet", "a")


def test_texts_that_are_cut_are_counted(teacher: BertFolder) -> None:
    texts = ["a red dog", " ".join(["a"] * 30), " ".join(["a"] * 31)]
    assert count_longer(teacher.tokenizer, texts, 32) == 1  # with [CLS] and [SEP] the last has 33
    assert [len(tokens) for tokens in tokens_of(teacher.tokenizer, texts, 32)] == [5, 32, 32]
    assert cut_lines({"cut": 2}, 32) == ["Truncated 2 texts to 32 tokens."]
    assert cut_lines({"cut": 0}, 32) == cut_lines({}, 0) == []


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("", "text", "is empty"),
        ("text,other\n", "text", "has column names but no rows"),
        ("text,other\na dog,1\n", "txt", "no column 'txt'. It has 'text', 'other'. Name one with --column"),
        ("text,other\n" + ",1\n" * 50, "text", r"holds 0 different texts in 'text' \(50 of 50 cells are empty\)"),
        ("text,other\n" + "a dog,1\n" * 50, "text", "holds 1 different texts.*at least 20"),
    ],
)
def test_a_table_that_teaches_nothing_is_refused(tmp_path: Path, content: str, column: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=message):
        read_texts(tmp_path / "t.csv", column)


@pytest.mark.parametrize(("n", "share", "held"), [(20, 0.01, 2), (100, 0.1, 10), (50_000, 0.1, 1000)])
def test_a_part_is_held_out(n: int, share: float, held: int) -> None:
    learn, hold = split_texts(n, share, 0)
    assert len(hold) == held
    np.testing.assert_array_equal(np.sort(np.r_[learn, hold]), np.arange(n))
    assert not np.array_equal(split_texts(n, share, 1)[1], hold)


def test_batches_hold_every_text_once_beside_others_of_its_length() -> None:
    lengths = np.random.default_rng(0).integers(3, 20, 101)
    tokens = [[1] * n for n in lengths]
    fixed, drawn = batches(tokens, 8), batches(tokens, 8, np.random.default_rng(1))
    for found in (fixed, drawn):
        np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(101))
        assert max(len(rows) for rows in found) == 8
        waste = sum(lengths[rows].max() * len(rows) - lengths[rows].sum() for rows in found)
        assert waste < 0.1 * lengths.sum()
    assert [lengths[rows].max() for rows in drawn] != sorted(lengths[rows].max() for rows in drawn)


def test_tokens_are_cut(teacher: BertFolder) -> None:
    tokens = tokens_of(teacher.tokenizer, ["a red dog", "a dog on the green house"], 5)
    assert [len(t) for t in tokens] == [5, 5]
    assert {t[-1] for t in tokens} == {teacher.tokenizer.sep_token_id}
