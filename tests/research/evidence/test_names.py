"""The benchmark of names judges by its written rule, and its corruptions do what they are called."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from research.evidence.name_cases import CASES, TRUTHS
from research.evidence.name_edits import EDITS
from research.evidence.names import judge, judged_cluster, table


def photograph() -> Image.Image:
    """Smooth shades with some edges, of many colors."""
    y, x = np.mgrid[:96, :96] / 96
    pixels = np.stack([x, y, 0.5 + 0.4 * np.sin(9 * x + 4 * y)], axis=2)
    pixels[30:50, 20:70] = (0.8, 0.3, 0.1)
    return Image.fromarray((pixels * 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("truth", "name", "verdict"),
    [
        ("grey", "in black and white", "right"),
        ("grey", "grey", "near"),
        ("grey", "crouching", "wrong"),
        ("dark", "brightness at most 0.31", "right"),
        ("dark", "brightness at least 0.31", "wrong"),
        ("dark", "dark coloured", "near"),
        ("noise", "in the centre of the picture", "wrong"),
        ("noise", "file size at least 26.2", "wrong"),
        ("beach", "on a beach", "right"),
        ("snow", "in deep snow", "right"),
        ("skateboard", "With a baby", "wrong"),
        ("low contrast", "Low-contrast pictures", "right"),
        ("dark", "Perhaps: black things", "near"),
        ("dark", "Perhaps: black things, at night", "right"),
    ],
)
def test_a_name_is_judged_by_the_patterns_of_its_truth(truth: str, name: str, verdict: str) -> None:
    assert judge(name, TRUTHS[truth]) == verdict


def test_every_case_is_of_one_half_and_every_corruption_exists() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert {case.half for case in CASES} == {"tune", "report"}
    for case in CASES:
        truth = TRUTHS[case.truth]
        assert (case.truth in EDITS) == (not truth.captions)
        assert all(re.compile(pattern) for pattern in (truth.right, truth.near, truth.captions))


@pytest.mark.parametrize("name", EDITS)
def test_a_corruption_changes_the_picture_and_not_its_size(name: str) -> None:
    given = photograph()
    made = EDITS[name](given, np.random.default_rng(0))
    assert (made.size, made.mode) == (given.size, "RGB")
    assert np.abs(np.asarray(made, float) - np.asarray(given, float)).mean() > 2


def test_the_judged_cluster_is_the_one_that_holds_the_plant() -> None:
    planted = np.arange(100) < 20
    inside, beside = (np.isin(np.arange(100), rows).astype(float) for rows in (range(5, 25), range(50, 90)))
    clusters = [SimpleNamespace(id=i, membership=m, size=int(m.sum())) for i, m in enumerate((beside, inside))]
    assert judged_cluster(SimpleNamespace(clusters=clusters), planted) is clusters[1]  # type: ignore[arg-type]
    assert judged_cluster(SimpleNamespace(clusters=clusters[:1]), planted) is None  # type: ignore[arg-type]


def test_titles_are_counted_by_grade_and_guesses_by_their_first_word_too() -> None:
    made = [
        {"half": "tune", "truth": "grey", "verdict": "right", "grade": "likely", "name": "Black and white pictures"},
        {"half": "tune", "truth": "grey", "verdict": "silent", "grade": "mixed", "name": ""},
        {"half": "tune", "truth": "skateboard", "verdict": "wrong", "grade": "likely", "name": "With a baby"},
        {"half": "tune", "truth": "noise", "verdict": "right", "grade": "perhaps", "name": "Perhaps: grey, noisy"},
        {"half": "tune", "truth": "dark", "verdict": "missed"},
    ]
    first = table(made).splitlines()[2]
    assert first.startswith("| tune | 5 | 1 | 1 | 1, 0, 1 | 1, 0, 0 | 0, 0, 1 | 0.75 [")
    assert "| 0.50 [" in first  # one wrong of two likely ones
