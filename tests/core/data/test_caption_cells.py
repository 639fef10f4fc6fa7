"""A cell holds a caption or a list of them, whatever wrote it."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from core.data.caption_cells import captions_in

SAID = ["A dog's bone, red .", 'He says "no" [twice]']


@pytest.mark.parametrize(
    "cell",
    [
        SAID,
        tuple(SAID),
        np.array(SAID),
        np.array([*SAID, None], object),
        str(SAID),
        json.dumps(SAID),
        f" {json.dumps(SAID, indent=1)} ",
        str(np.array(SAID)),
        [f" {SAID[0].replace(' ', '  ')}", "", SAID[1]],
    ],
)
def test_a_list_is_its_captions_however_it_is_held_or_spelled(cell: object) -> None:
    assert captions_in(cell) == SAID


def test_what_pandas_writes_of_an_array_is_read_back() -> None:
    rows = [np.array([f"The {word} stands beside a fence ." for word in ("dog", "cat", "horse")])]
    text = pd.DataFrame({"caption": rows}).to_csv(index=False)
    assert "\n" in (cell := pd.read_csv(io.StringIO(text))["caption"][0])  # and no commas
    assert captions_in(cell) == rows[0].tolist()


@pytest.mark.parametrize(
    "text", ["[blank]", "[1, 2]", "['a'] dog", "['a', b]", "[f'{x}']", "[b'a']", "['a'", "['a' ! 'b']", "[["]
)
def test_a_text_that_is_no_list_of_texts_stays_one_caption(text: str) -> None:
    assert captions_in(text) == [text]


@pytest.mark.parametrize("cell", ["", "  ", None, float("nan"), 3, {"raw": "a dog"}, [], ["", None], "[]", "['', ' ']"])
def test_a_cell_without_a_caption_has_none(cell: object) -> None:
    assert captions_in(cell) == []
