"""Words that touch are one thing, and a word of one corner is a position: on made maps of words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.records import EVERYTHING, Estimate
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.fit import I16, VisualWords
from core.systems.visual_words.places import position_of, same_places
from core.systems.visual_words.search import VisualSearch
from core.systems.visual_words.wording import position_sentence, same_lines, verdict, word_sentence

N, WITH = 40, 12
PARTS = (1, 2, 3)
APART, CORNER = 4, 5


def made_maps() -> I16:
    """Word 0 everywhere; in the first twelve pictures a row of three words somewhere, and a fourth far from it; in 30
    of 40 a word in the upper right corner."""
    rng = np.random.default_rng(0)
    maps = np.zeros((N, 14, 14), np.int16)
    for row in range(WITH):
        y, x = rng.integers(5, 9, 2).tolist()
        maps[row, y, x : x + 3] = PARTS
        maps[row, rng.integers(11, 13), rng.integers(0, 13)] = APART
    maps[:30, 0, 13] = CORNER
    return maps


def found(word: int, maps: I16, scope: str = EVERYTHING, *, confirmed: bool = True) -> WordFinding:
    effects: Any = None
    rows = (maps == word).any((1, 2))
    return WordFinding(word, scope, rows, N, 0.5, 0.1, effects, "mean loss", 0.01, confirmed)


def searched(maps: I16, findings: tuple[WordFinding, ...]) -> VisualSearch:
    unused: Any = None
    words = VisualWords(maps, np.zeros((N, 6), np.float32), np.zeros((N, 6), np.int16), 4.0, 0.5)
    return VisualSearch(words, np.arange(N), unused, findings, places=same_places(findings, maps))


def test_words_that_touch_are_one_thing_by_chains() -> None:
    maps = made_maps()
    findings = tuple(found(word, maps) for word in (3, APART, 1, 2, CORNER))
    (place,) = same_places(findings, maps)
    assert [f.word for f in place.findings] == [3, 1, 2]  # 1 and 3 touch only by way of 2
    assert place.rows.sum() == place.together.sum() == WITH
    maps[0, maps[0] == 2] = 0
    shown = searched(maps, tuple(found(word, maps) for word in (3, APART, 1, 2)))
    assert [line.replace("\u00a0", " ") for line in same_lines(shown)] == [
        "3 words mark the same region in 92% of the 12 images with any of them "
        "(visual word 4, visual word 2, visual word 3): read them as one."
    ]


def test_how_evenly_the_words_are_used_is_said_without_a_term() -> None:
    maps = made_maps()
    run: Any = SimpleNamespace(family_null=np.zeros(9))
    said = verdict(replace(searched(maps, ()), diagnosis=run))
    assert "6 visual words of 14 x 14 cells in each of 40 images" in said
    assert "used as evenly as 4 equally frequent ones" in said
    assert "perplexity" not in said


def test_an_interval_of_error_rates_is_written_as_elsewhere() -> None:
    maps = made_maps()
    effects: Any = SimpleNamespace(error_difference=Estimate(0.15, -0.056, 0.35))
    finding = replace(found(APART, maps), measure="error rate", effects=effects)
    run: Any = SimpleNamespace(outcomes=SimpleNamespace(loss=np.arange(40.0), errors=None))
    said = word_sentence(replace(searched(maps, ()), diagnosis=run), finding)
    assert "; error rate +15 points (−5.6 to +35); adjusted" in said


def test_words_of_other_scopes_or_unconfirmed_or_seldom_together_are_not() -> None:
    maps = made_maps()
    assert not same_places([found(1, maps), found(2, maps, "bus")], maps)
    assert not same_places([found(1, maps), found(2, maps, confirmed=False)], maps)
    apart = maps.copy()
    apart[WITH // 2 - 1 : WITH][apart[WITH // 2 - 1 : WITH] == 2] = 0  # fewer than half have both
    assert same_places([found(1, maps), found(2, maps)], maps)
    assert not same_places([found(1, apart), found(2, apart)], apart)


@pytest.mark.parametrize(("y", "x", "where"), [(0, 13, "upper right corner"), (13, 0, "lower left corner")])
def test_a_word_of_one_corner_is_a_position(y: int, x: int, where: str) -> None:
    maps = np.zeros((N, 14, 14), np.int16)
    maps[:30, y, x] = CORNER
    maps[0, 5, 5] = CORNER  # one of 31 cells lies elsewhere
    finding = found(CORNER, maps)
    said = position_sentence(searched(maps, (finding,)), finding).replace("\u00a0", " ")
    assert f"97% of its cells lie at one position, the {where}, in 75% of all images." in said
    maps[:4, 5, 5] = CORNER
    assert position_of(finding, maps) is None
    assert position_sentence(searched(maps, (finding,)), finding) == ""


def test_a_word_that_lies_anywhere_is_no_position() -> None:
    maps = made_maps()
    assert position_of(found(APART, maps), maps) is None
    maps[:, :, :] = 0
    maps[:, 6, 6:8] = 1
    at = position_of(found(1, maps), maps)
    assert at is not None
    assert (at.row, at.column, at.share, at.of_pictures) == (6, 6, 1.0, 1.0)
    assert "about row 7 and column 7" in position_sentence(searched(maps, ()), found(1, maps))
