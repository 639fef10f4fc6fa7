"""What a cluster is called, and how well the encoder knows the words, is said as it was decided and measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.answers import nothing_shown
from core.records import EVERYTHING, ClusterName, Competence, Diagnosis
from core.reports.wording.answers import answer_sentence
from core.reports.wording.competence import words_known
from core.reports.wording.findings import NO_NAME, cluster_title, doubtful_names, sentence
from tests.support.diagnoses import make_diagnosis
from tests.support.words import with_words


def known(diagnosis: Diagnosis, low: float = 0.9) -> Diagnosis:
    """The diagnosis with an encoder that knows all its phrases so well."""
    assert diagnosis.words is not None
    every = np.ones(len(diagnosis.words.phrases))
    counts = np.full(len(every), 40)
    competence = Competence(every * (low + 0.05), every * low, every, counts, counts, 0.75)
    return replace(diagnosis, words=replace(diagnosis.words, competence=competence))


def test_a_cluster_is_called_by_what_is_most_plausible_and_else_has_no_name() -> None:
    diagnosis = with_words()
    first, second = diagnosis.clusters
    assert cluster_title(diagnosis, first) == "weather = fog"  # the user's own column, tested
    assert (
        cluster_title(diagnosis, second) == "dark"
    )  # its only condition was not confirmed, its brightness is measured
    dark = cluster_title(without_conditions(diagnosis), first)
    assert dark == "dark"  # measured: it goes before the phrase
    bare = replace(without_conditions(diagnosis), samples=replace(diagnosis.samples, metadata=()))
    assert cluster_title(bare, first) == NO_NAME  # whether the encoder knows the phrase was not measured
    assert cluster_title(known(bare), first) == "in the dark"
    assert cluster_title(known(bare, 0.6), first) == cluster_title(bare, second) == NO_NAME
    assert cluster_title(known(bare), replace(first, scope="bus")) == "bus: in the dark"
    assert cluster_title(bare, replace(first, scope="bus")) == f"bus, {NO_NAME}"


@pytest.mark.parametrize(
    ("kept", "modality", "said"),
    [
        (True, "image", "look at the pictures"),
        (True, "text", "read the texts"),
        (True, "clip", "look at the clips"),
        (False, "image", "look at the samples"),
    ],
)
def test_without_a_name_one_is_sent_to_what_there_is_to_look_at(kept: bool, modality: str, said: str) -> None:
    diagnosis = make_diagnosis()
    samples = replace(diagnosis.samples, modality=modality, items=diagnosis.samples.items if kept else None)
    nameless = replace(diagnosis.clusters[0], called=ClusterName("", "none"))
    assert cluster_title(replace(diagnosis, samples=samples), nameless) == f"no name: {said}"


def test_a_name_that_was_decided_on_is_kept() -> None:
    diagnosis = with_words()
    called = replace(diagnosis.clusters[0], called=ClusterName("in fog", "phrase"))
    assert cluster_title(diagnosis, called) == "in fog"


def test_a_cluster_without_a_name_says_what_it_might_be_and_how_well_the_encoder_knows_it() -> None:
    diagnosis = with_words()
    bare = replace(without_conditions(diagnosis), samples=replace(diagnosis.samples, metadata=()))
    first = diagnosis.clusters[0]
    assert doubtful_names(bare, first) == 'might be "in the dark"'
    said = doubtful_names(known(bare, 0.6), first)
    assert said == 'might be "in the dark" (hardly known to the encoder: 0.65)'
    assert doubtful_names(known(bare), first) == ""
    assert doubtful_names(diagnosis, first) == ""  # it has a name


def without_conditions(diagnosis: Diagnosis) -> Diagnosis:
    """Phrases alone, and "in the dark" confirmed of its cluster."""
    phrases = tuple(i for i in diagnosis.insights if i.kind == "phrase")
    return replace(diagnosis, insights=tuple(replace(i, confirmed=i.text == "in the dark") for i in phrases))


def test_a_phrase_says_whether_the_encoder_knows_it() -> None:
    diagnosis, insight = with_words(), next(i for i in with_words().insights if i.cluster == 0 and i.kind == "phrase")
    assert "encoder" not in sentence(diagnosis, insight)  # nothing was measured of it
    assert "The encoder knows these words (AUROC 0.95, 0.90 to 1.00, on 40 samples with and 40 without)." in sentence(
        known(diagnosis), insight
    )
    hardly = sentence(known(diagnosis, 0.6), insight)
    assert "The encoder hardly knows these words" in hardly
    assert hardly.count("so they are no name") == 1


def test_of_a_text_that_nothing_comes_near_it_is_said_how_well_its_words_are_known() -> None:
    run = known(with_words(), 0.3)
    said = answer_sentence(run, nothing_shown("a darker border, seen at night", EVERYTHING))
    assert said.startswith('"a darker border, seen at night": no image clearly matches, so none is shown.')
    assert said.endswith('with a word of these: "at night" (hardly known to the encoder: 0.35).')
    assert words_known(known(with_words()).words, "striped rain") == (
        'Of the phrases of the vocabulary with a word of these: "striped" (known to the encoder: 0.95); '
        '"in the rain" (known to the encoder: 0.95).'
    )
    assert words_known(run.words, "an elephant") == "Whether it knows these words was not measured."
    assert words_known(with_words().words, "striped") == ""
