"""How well the encoder knows the words is said as it was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.answers import nothing_shown
from core.records import EVERYTHING, Competence, Diagnosis
from core.reports.wording.answers import answer_sentence
from core.reports.wording.competence import words_known
from core.reports.wording.findings import sentence
from tests.support.words import with_words


def known(diagnosis: Diagnosis, low: float = 0.9) -> Diagnosis:
    """The diagnosis with an encoder that knows all its phrases so well."""
    assert diagnosis.words is not None
    every = np.ones(len(diagnosis.words.phrases))
    counts = np.full(len(every), 40)
    competence = Competence(every * (low + 0.05), every * low, every, counts, counts, 0.75)
    return replace(diagnosis, words=replace(diagnosis.words, competence=competence))


def test_a_phrase_says_whether_the_encoder_knows_it() -> None:
    diagnosis, insight = with_words(), next(i for i in with_words().insights if i.cluster == 0 and i.kind == "phrase")
    assert "encoder" not in sentence(diagnosis, insight)  # nothing was measured of it
    assert "The encoder knows these words (AUROC 0.95, 95% CI 0.90 to 1.00; 40 samples with, 40 without)." in sentence(
        known(diagnosis), insight
    )
    hardly = sentence(known(diagnosis, 0.6), insight)
    assert "The encoder hardly knows these words (AUROC 0.65, " in hardly


def test_of_a_text_that_nothing_comes_near_it_is_said_how_well_its_words_are_known() -> None:
    run = known(with_words(), 0.3)
    said = answer_sentence(run, nothing_shown("a darker border, seen at night", EVERYTHING))
    assert said.startswith('No image clearly matches "a darker border, seen at night".')
    assert said.endswith('with these words: "at night" (hardly known to the encoder: 0.35).')
    assert words_known(known(with_words()).words, "striped rain") == (
        'Phrases with these words: "striped" (known to the encoder: 0.95); "in the rain" (known to the encoder: 0.95).'
    )
    assert words_known(run.words, "an elephant") == "It was not measured how well the encoder knows these words."
    assert words_known(with_words().words, "striped") == ""
