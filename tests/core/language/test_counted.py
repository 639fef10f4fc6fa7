"""What a run counts of each sample itself is read from its columns, word for word or in a number's own words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checks.questions import ask
from core.language.counted import counted
from core.records import Column, Diagnosis
from core.reports.wording.answers import answer_sentence
from core.systems.label_descriptions.tagging import tag_samples
from core.systems.label_descriptions.tags import read_tags
from core.systems.label_descriptions.wording import tag_sentence
from tests.support.diagnoses import make_diagnosis
from tests.support.words import AxisEncoder, with_words

N = 120
NUMBERS = np.arange(N) % 6.0
CAPITALS = (np.arange(N) // 3 % 3) / 3


@pytest.fixture
def texts() -> Diagnosis:
    """Texts whose numbers are counted; the run confirmed that no capital letter goes with a high loss in buses."""
    made = with_words(make_diagnosis(N))
    columns = (Column("numbers", "number", NUMBERS, measured=True), Column("capital share", "number", CAPITALS, True))
    bus = made.samples.labels == made.samples.class_names.index("bus")
    own = replace(
        made.insights[0],
        text="no capital letter",
        columns=("capital share",),
        tests=(("capital share", "<=", 0.0),),
        scope="bus",
        mask=bus & (CAPITALS == 0),
        size=int((bus & (CAPITALS == 0)).sum()),
        confirmed=True,
        p=0.002,
    )
    samples = replace(made.samples, modality="text", metadata=columns, groups=None)
    return replace(made, samples=samples, insights=(own, *made.insights[1:]))


@pytest.mark.parametrize(
    ("text", "said", "test"),
    [
        ("three numbers", "3 numbers", ("numbers", "=", 3.0)),
        ("with at least 2 numbers", "at least 2 numbers", ("numbers", ">=", 2.0)),
        ("more than two numbers", "at least 3 numbers", ("numbers", ">=", 3.0)),
        ("without any numbers", "no number", ("numbers", "<=", 0.0)),
        ("No capital letters", "no capital letter", ("capital share", "<=", 0.0)),
    ],
)
def test_a_number_of_what_is_counted_is_read(texts: Diagnosis, text: str, said: str, test: Any) -> None:
    found = counted(text, texts)
    assert found is not None
    assert (found.text, found.tests) == (said, (test,))


@pytest.mark.parametrize("text", ["numbers", "three dogs", "no numbers of cars", "no irony", "two links", "a bus"])
def test_other_texts_are_left_to_likeness(texts: Diagnosis, text: str) -> None:
    assert counted(text, texts) is None


def test_the_samples_of_a_counted_answer_are_the_counted_ones(texts: Diagnosis) -> None:
    tower: Any = AxisEncoder()
    three, capitals = ask(texts, ["three numbers", "no capital letters"], encoder=tower)
    assert set(three.rows.tolist()) == set(np.flatnonzero(NUMBERS == 3).tolist())
    assert three.p_alone is not None
    assert three.p == min(1.0, 2 * three.p_alone)
    assert set(capitals.rows.tolist()) == set(np.flatnonzero(texts.insights[0].mask).tolist())
    assert (capitals.p, capitals.p_alone, capitals.scope) == (0.002, None, "bus")
    assert "By likeness" not in answer_sentence(texts, capitals)
    assert 'bus" was counted' not in answer_sentence(texts, three)


def test_a_tag_means_what_the_same_question_means_and_says_what_the_run_confirmed(texts: Diagnosis) -> None:
    tower: Any = AxisEncoder()
    tags = read_tags("three numbers, no capital letters, in the dark", "text")
    report = tag_samples(texts, tags, encoder=tower, n_permutations=100)
    place = {tag.name: t for t, tag in enumerate(report.tags)}
    np.testing.assert_array_equal(report.carried[:, place["three numbers"]], NUMBERS == 3)
    assert any('The run confirmed "no capital letter" in bus (adjusted p = 0.002).' in n for n in report.notes)
    assert "It is counted, so wordings do not change it." in tag_sentence(report, report.tags[place["three numbers"]])
    assert not report.tags[place["in the dark"]].counted
