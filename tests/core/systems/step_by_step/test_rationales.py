"""Tables of texts, labels and reasons, and sub-sampling."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.rationales import gather, read_rationales, subsample

NAMES: dict[str, Any] = {"text": "text", "label": "label", "rationale": "why"}


def write(path: Path, *rows: str) -> Path:
    path.write_text("text,label,why,llm\n" + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "one,a,since,a", ",a,since,a", "two,,since,a", "three,b,,", "four,a,so,b")
    found = read_rationales(table, **NAMES)
    assert found.texts == ("one", "three", "four")
    assert found.rationales == ("since", "", "so")
    assert found.classes == ("a", "b")
    assert found.left_out == (("without a text", 1), ("without a label", 1))
    assert found.targets == ("a", "b", "a")
    taught = read_rationales(table, **NAMES, teacher="llm")
    assert taught.texts == ("one", "four")
    assert taught.targets == ("a", "b")
    assert taught.labels == ("a", "a")
    assert taught.left_out[-1] == ("without the large model's label", 1)


def test_one_label_alone_is_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "one,a,since,b", "two,a,so,c")
    with pytest.raises(InvalidInput, match="every row has the label 'a'"):
        read_rationales(table, **NAMES)
    assert read_rationales(table, **NAMES, teacher="llm", classes=("a", "b", "c")).targets == ("b", "c")


def test_a_label_that_is_no_class_is_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "one,a,since,a", "two,c,so,b", "three,b,so,c")
    with pytest.raises(InvalidInput, match=r"row 1: the label 'c' is not a class .'a', 'b'."):
        read_rationales(table, **NAMES, classes=("a", "b"))
    with pytest.raises(InvalidInput, match="row 0: the label 'z' is not a class"):
        gather("t", ["one", "two"], ["a", "b"], ["so", "so"], taught=["z", "a"])


def test_a_table_without_a_whole_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no row with both"):
        read_rationales(write(tmp_path / "t.csv", "one,,b,c"), **NAMES)


def test_more_labels_than_classes_can_be_are_free_answers() -> None:
    texts = [f"t{i}" for i in range(101)]
    assert gather("t", texts, texts, texts).classes == ()
    assert len(gather("t", texts[:100], texts[:100], texts[:100]).classes) == 100


@pytest.mark.parametrize("n", [3, 10, 50, 400])
def test_a_subsample_keeps_every_class_in_its_share(n: int) -> None:
    labels = ["often"] * 300 + ["some"] * 99 + ["once"]
    rows = subsample(labels, n, seed=1)
    counts = Counter(labels[i] for i in rows)
    assert len(set(rows.tolist())) == n
    assert set(counts) == {"often", "some", "once"}
    assert abs(counts["often"] - 0.75 * n) <= 2


def test_smaller_subsamples_lie_in_larger_ones_and_seeds_differ() -> None:
    labels = [str(i % 3) for i in range(200)]
    small, large = subsample(labels, 20, 0), subsample(labels, 90, 0)
    assert set(small.tolist()) <= set(large.tolist())
    assert not np.array_equal(small, subsample(labels, 20, 1))
