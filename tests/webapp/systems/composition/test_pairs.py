"""Your own pairs: a list of captions that is edited, foils, scores, and maps of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import core.encoders
from core.errors import InvalidInput
from core.records import F32
from core.systems.common.picture_files import Files
from core.systems.composition.own_pairs import MAX_CAPTIONS
from core.systems.composition.training import adapted, scorers
from tests.support.diagnoses import draw_picture
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.systems.composition.models import ModelAccess
from webapp.systems.composition.pairs import (
    PairsState,
    on_cell,
    on_edit,
    on_example,
    on_expand,
    on_files,
    on_score,
    read_rows,
)
from webapp.systems.composition.pairs_view import CaptionRow

ACCESS = ModelAccess()
CAPTION = "a red cube and a blue ball"


class Eight:
    """An encoder of eight dimensions that likes every text by its length and every image by its brightness."""

    modality = "image"
    name = fingerprint = finding_space = joint_space = "eight"
    description, logit_scale = "", 10.0

    def preprocess(self, image: Image.Image) -> F32:
        return (np.asarray(image.resize((14, 14)), np.float32).transpose(2, 0, 1) / 255).astype(np.float32)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        vectors = self._unit(
            np.stack([batch.mean((1, 2, 3)) + 0.1 * k + batch[:, k % 3, k, k] for k in range(8)], axis=1)
        )
        return vectors, vectors

    def encode_texts(self, texts: Any) -> F32:
        return self._unit(
            np.array([[1 + len(text) % (k + 3) + text.count("b") for k in range(8)] for text in texts], np.float32)
        )

    def count_truncated(self, texts: Any) -> int:
        return 0

    def _unit(self, rows: np.ndarray[Any, Any]) -> F32:
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in core.encoders, adapted, scorers:  # the last two are imported before, and none is to keep this one
        monkeypatch.setattr(module, "load_encoder", lambda name="embedded", **kw: Eight())


@pytest.fixture
def two(tmp_path: Path) -> Files:
    for i in range(2):
        (tmp_path / f"p{i}.png").write_bytes(draw_picture(i))
    return Files((tmp_path / "p0.png", tmp_path / "p1.png"), uploaded=True)


def rows(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"text": text, "of": of, "kind": "caption" if of else "your own"} for text, of in said]


def test_a_caption_alone_gets_foils_and_is_scored_at_once(two: Files) -> None:
    state, form, view, words = on_score(PairsState(two), "embedded", ACCESS, press(rows=rows((CAPTION, "0"))))
    assert state.scores is not None
    assert state.scores.cosines.shape == (2, len(state.rows))
    assert state.rows[1].kind == "swap attributes"
    assert all(row.picture is None for row in state.rows[1:])
    assert form.count('data-row="') == len(state.rows)
    assert view.count('data-do="cell"') == 2 * len(state.rows)
    assert "Press a score" in words


def test_foils_that_are_there_are_kept_as_they_were_written(two: Files) -> None:
    state, *_ = on_score(PairsState(two), "embedded", ACCESS, press(rows=rows((CAPTION, "0"), ("a green cube", ""))))
    assert [row.text for row in state.rows] == [CAPTION, "a green cube"]


def test_foils_are_of_the_caption_that_they_are_most_like(two: Files) -> None:
    said = rows(
        ("a red cube and a blue ball", "0"),
        ("two green stars on a wooden table", "1"),
        ("two green stars on a metal table", ""),
    )
    state, *_ = on_score(PairsState(two), "embedded", ACCESS, press(rows=said))
    assert state.scores is not None
    assert [c.foil_of for c in state.scores.captions] == [None, None, 1]


def test_without_a_picture_or_a_true_caption_it_is_said_what_to_do(two: Files) -> None:
    with pytest.raises(InvalidInput, match="Choose an image first"):
        on_score(PairsState(), "embedded", ACCESS, press(rows=rows((CAPTION, "0"))))
    with pytest.raises(InvalidInput, match="First write a caption"):
        on_score(PairsState(two), "embedded", ACCESS, press(rows=rows((CAPTION, ""))))
    with pytest.raises(InvalidInput, match="is not available here"):
        on_score(PairsState(two), "/etc/passwd", ACCESS, press(rows=rows((CAPTION, "0"), ("a cube", ""))))


def test_captions_are_added_and_taken_out_and_never_too_many(two: Files) -> None:
    made, _ = on_edit(PairsState(two), press(do="add", rows=rows((CAPTION, "0"))))
    assert made.rows[1] == CaptionRow("", "your own")
    made, _ = on_edit(made, press(do="remove", at="0", rows=rows((CAPTION, "0"), ("a cube", ""))))
    assert [row.text for row in made.rows] == ["a cube"]
    full = rows(*[(f"caption {i}", "") for i in range(MAX_CAPTIONS)])
    with pytest.raises(InvalidInput, match="at most 24"):
        on_edit(PairsState(two), press(do="add", rows=full))
    with pytest.raises(InvalidInput, match="at most 24"):
        on_edit(PairsState(two), press(do="foils", rows=[*full, *full]))


def test_a_caption_of_which_no_foil_can_be_made_says_what_it_needs(two: Files) -> None:
    made, form = on_edit(PairsState(two), press(do="foils", rows=rows(("hello", "0"))))
    assert len(made.rows) == 1
    assert "No foil made" in form


def test_what_the_browser_says_is_not_trusted(two: Files) -> None:
    odd = [{"text": "x" * 999, "of": "7", "kind": "k" * 99}, "no object", {"of": "-1", "text": None}]
    found = read_rows({"rows": odd}, PairsState(two))
    assert [(len(row.text), row.picture, len(row.kind)) for row in found] == [(300, None, 30), (4, None, 7)]
    _, form, view, _ = on_score(
        PairsState(two), "embedded", ACCESS, press(rows=rows(('"><img src=x onerror=1>', "0"), ("<b>foil</b>", "")))
    )
    for markup in (form, view):
        tags = Tags(markup)
        assert "onerror" not in tags.attributes
    for said in (press(do="cell", picture="9", caption="0"), press(do="cell", picture="0", caption="-1")):
        scored, *_ = on_score(PairsState(two), "embedded", ACCESS, press(rows=rows((CAPTION, "0"), ("a cube", ""))))
        with pytest.raises(InvalidInput, match="no longer exists"):
            on_cell(scored, "embedded", ACCESS, said)


def test_pictures_taken_away_leave_the_captions(two: Files) -> None:
    made, form, *_ = on_files(
        PairsState(two, (CaptionRow(CAPTION, picture=1), CaptionRow("a cube", picture=0))), [str(two.paths[0])]
    )
    assert [row.picture for row in made.rows] == [None, 0]
    assert "of image 2" not in form
    with pytest.raises(InvalidInput, match="at most 12"):
        on_files(PairsState(), [str(two.paths[0])] * 13)


def test_a_cell_shows_one_map_for_each_word(two: Files) -> None:
    scored, *_ = on_score(
        PairsState(two), "embedded", ACCESS, press(rows=rows((CAPTION, "0"), ("a blue cube and a red ball", "")))
    )
    text = Tags(view := on_cell(scored, "embedded", ACCESS, press(do="cell", picture="1", caption="0"))).text
    assert "Image 2" in text
    for word in ("red", "cube", "blue", "ball"):
        assert f"<b>{word}</b>" in view


def test_shipped_pairs_are_offered_once_and_scored_when_pressed() -> None:
    view = on_expand("")
    assert "value" not in str(on_expand(view))
    assert view.count("data-pick") == 4
    state, _, scores, _ = on_example("embedded", ACCESS, press(at="1"))
    assert [row.picture for row in state.rows] == [0, 1]
    assert "of 2 images pick their own caption" in scores
    with pytest.raises(InvalidInput, match="does not exist"):
        on_example("embedded", ACCESS, press(at="9"))
