"""Questions that say a condition of the run, in its own words or in what the page calls it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from core.checks.questions import ask
from core.discovery.method import diagnose_records
from core.records import Column, Diagnosis
from core.reports.wording.answers import answer_sentence
from tests.support.planted_words import QUICK, WordTower, planted_run, samples_of


@cache
def run_with_columns() -> tuple[Diagnosis, WordTower]:
    """The planted failure, with a column that names its rows, and one that says nothing."""
    audit = planted_run("rare")[1]
    samples, outcomes, embeddings, words = samples_of(audit)
    brightness = np.random.default_rng(0).random(len(samples))
    columns = (
        Column("ground", "category", np.where(audit.slices[0], "deep snow", "road").astype(object)),
        Column("brightness", "number", brightness, measured=True),
    )
    samples = replace(samples, metadata=columns)
    return diagnose_records(samples, outcomes, embeddings, words=words, settings=QUICK), WordTower(audit)


def test_a_condition_said_word_for_word_has_the_p_that_the_run_found_for_it_listed_or_not() -> None:
    found, tower = run_with_columns()
    confirmed = next(i for i in found.insights if i.text == "ground = deep snow")
    unlisted = replace(found, insights=())  # as where a stronger one says the same
    for text in ("ground = deep snow", "the ground is deep snow", f"a {confirmed.scope} with ground = deep snow"):
        for run in (found, unlisted):
            answer = ask(run, [text], encoder=tower)[0]
            assert set(answer.rows) == set(np.flatnonzero(confirmed.mask))
            assert answer.confirmed
            if answer.scope == confirmed.scope:
                assert answer.p == confirmed.p
            assert "was counted, not guessed" in answer_sentence(run, answer)


def test_a_condition_that_was_tested_and_not_confirmed_says_so_with_its_p() -> None:
    found, tower = run_with_columns()
    limit = np.quantile(found.samples.metadata[1].values, 0.25)
    dark, high = ask(found, ["dark", "high brightness"], encoder=tower)
    assert set(dark.rows) == set(np.flatnonzero(found.samples.metadata[1].values <= limit))
    assert found.samples.metadata[1].values[high.rows].min() > 0.7
    assert dark.p is not None
    assert not dark.confirmed
    assert dark.observed.low < dark.rest < dark.observed.high
    said = answer_sentence(found, dark)
    assert f"the 250 samples with {dark.counted} are wrong" in said
    assert "Not confirmed" in said
    assert "would be confirmed 8 times in 10" in said


def test_a_condition_that_was_not_tested_has_no_p() -> None:
    found, tower = run_with_columns()
    few = np.zeros(len(found.samples))
    few[:4] = 1
    samples = replace(
        found.samples, modality="text", metadata=(Column("question marks", "number", few, measured=True),)
    )
    answer = ask(replace(found, samples=samples), ["with questions"], encoder=tower)[0]
    assert (answer.counted, answer.support, answer.p) == ("at least one question mark", 4, None)
    assert "did not test this very condition" in answer_sentence(replace(found, samples=samples), answer)
    before = ask(replace(found, family_null=None), ["dark"], encoder=tower)[0]
    assert (before.support, before.p) == (250, None)


def test_the_name_of_a_number_alone_is_answered_with_what_may_be_asked_of_it() -> None:
    found, tower = run_with_columns()
    bare, high = ask(found, ["Brightness", "high brightness"], encoder=tower)
    assert 'Ask for "high brightness" or "low brightness"' in bare.refused
    assert not high.refused
    assert not ask(found, ["ground"], encoder=tower)[0].refused  # a word that samples may show
