"""The wording: figures as people read them, and sentences that follow the record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.records import Estimate
from core.reports.html.diagnosis import render_report
from core.reports.wording.classes import class_level
from core.reports.wording.summary import (
    cluster_sentence,
    predictability_in_brief,
    predictability_sentence,
    share_of_failures,
    text_summary,
    verdict,
)
from tests.support.diagnoses import confirmed_without_clusters, make_diagnosis
from tests.support.words import made_prediction, with_words

NAN = float("nan")


def test_the_share_covered_counts_failures_where_they_are_known_and_loss_above_the_mean_elsewhere() -> None:
    known, unknown = make_diagnosis(), make_diagnosis(with_errors=False)
    inside = known.cluster_of()[0] >= 0
    assert known.outcomes.errors is not None
    assert share_of_failures(known) == pytest.approx(known.outcomes.errors[inside].sum() / known.outcomes.errors.sum())
    above = np.maximum(unknown.outcomes.loss - unknown.outcomes.loss.mean(), 0)
    assert share_of_failures(unknown) == pytest.approx(above[inside].sum() / above.sum())
    assert "of the loss above the mean (as observed)" in verdict(unknown)
    assert "of all failures (corrected for the search)" in verdict(known)
    assert "of all failures (corrected for the search)" in cluster_sentence(known, known.clusters[0])
    candidate = replace(known.clusters[0], confirmed=False, p=None)
    assert "of all failures (as observed)" in cluster_sentence(known, candidate)


def test_predictability_is_never_a_negative_share() -> None:
    sentence = predictability_sentence(make_diagnosis(n_clusters=0))
    assert "predicts 0\u00a0% of the variance" in sentence
    assert "R² −0.02" in sentence
    assert "no more than chance allows (p = 0.62, held to 0.05)" in sentence


def test_a_p_below_alpha_that_does_not_pass_says_what_it_is_held_to() -> None:
    """Of alpha 0.05 a tenth is kept for whether the loss can be predicted, and a fifth for whole classes."""
    some = make_diagnosis(n_clusters=0)
    close = replace(some.estimate.predictability, p=0.045, confirmed=False)
    run = replace(some, estimate=replace(some.estimate, predictability=close), classes=(), insights=())
    assert "(p = 0.045, held to 0.005)" in predictability_sentence(run)
    assert "held to 0.005" in predictability_in_brief(run).replace("\u00a0", " ")
    stricter = replace(run, settings={**run.settings, "alpha": 0.02})
    assert "held to 0.002" in predictability_sentence(stricter)
    before = replace(run, estimate=replace(run.estimate, predictability=replace(close, p=0.06, confirmed=None)))
    assert "(p = 0.060, held to 0.05)" in predictability_sentence(before)
    assert class_level(some) == pytest.approx(0.01)
    assert class_level(run) is None


def test_in_brief_the_predictability_has_share_interval_and_p() -> None:
    said = predictability_in_brief(make_diagnosis()).replace("\u00a0", " ")
    assert said == "The embedding predicts 41 % (30 to 50 %) of the differences in cross-entropy, p < 0.001."
    assert "cannot be predicted" in predictability_in_brief(make_diagnosis(n_clusters=0))


def test_a_finding_beside_a_loss_that_is_not_predicted_is_no_contradiction() -> None:
    some = make_diagnosis()
    weak = replace(some.estimate.predictability, p=0.17, confirmed=False)
    beside = replace(some, estimate=replace(some.estimate, predictability=weak))
    said = predictability_sentence(beside)
    assert said.startswith(
        "Over all samples the embedding predicts no more of the cross-entropy than chance allows (R²"
    )
    assert said.endswith(
        "p = 0.17, held to 0.005); 2 failure clusters, 1 class, 1 confused pair and 1 condition or phrase were "
        "confirmed in a part of them."
    )
    brief = predictability_in_brief(beside)
    assert brief.startswith("Over all samples the cross-entropy cannot be predicted")
    assert "confirmed in a part of them" in brief
    no_clusters = replace(beside, clusters=(), classes=(), insights=beside.insights[:1])
    assert "; 1 condition or phrase was confirmed in a part of them." in predictability_in_brief(no_clusters)
    alone = replace(make_diagnosis(n_clusters=0), classes=(), insights=())
    assert "in a part" not in predictability_sentence(alone) + predictability_in_brief(alone)


def test_an_r2_of_few_groups_that_is_far_below_zero_is_told_without_its_digits() -> None:
    some = make_diagnosis()
    far = replace(some.estimate.predictability, r2=Estimate(-356958.9, -9e5, 0.1), p=None, confirmed=False)
    found = replace(some, estimate=replace(some.estimate, predictability=far))
    report = render_report(found)
    for said in (predictability_sentence(found), predictability_in_brief(found), report):
        assert "356" not in said
    assert "R² below −1, far worse than the mean of all" in predictability_sentence(found)
    assert "R² below −1, far worse than the mean of all" in predictability_in_brief(found)
    assert "<b>below −1</b>" in report


def test_a_small_share_that_is_more_than_chance_allows_is_called_a_little() -> None:
    some = make_diagnosis()
    small = replace(some.estimate.predictability, r2=Estimate(0.012, -0.003, 0.03), p=0.02, confirmed=True)
    little = replace(some, estimate=replace(some.estimate, predictability=small))
    said = predictability_sentence(little).replace("\u00a0", " ")
    assert "predicts a little of the variance of the cross-entropy" in said
    assert said.endswith(", more than chance allows (p = 0.020).")
    assert "predicts a little, 1.2 %" in predictability_in_brief(little).replace("\u00a0", " ")
    least = replace(little.estimate, predictability=replace(small, r2=Estimate(0.0002, -0.003, 0.03)))
    assert "less than 0.1 % (R²" in predictability_sentence(replace(little, estimate=least)).replace("\u00a0", " ")


def test_a_loss_that_is_told_from_chance_and_explained_in_nothing_is_said_without_contradiction() -> None:
    diagnosis = make_diagnosis(n_clusters=0)
    found = replace(diagnosis.estimate.predictability, p=0.008)
    worse = replace(diagnosis, estimate=replace(diagnosis.estimate, predictability=found))
    assert found.r2.value < 0
    said = predictability_sentence(worse)
    assert said.startswith("The embedding has to do with the cross-entropy (p = ")
    assert "it explains none of the variance" in said
    assert "yet" not in said
    brief = predictability_in_brief(worse)
    assert "too weakly to explain any of its variance" in brief
    assert "cannot" not in brief


def test_without_a_test_no_claim_about_chance_is_made() -> None:
    diagnosis = make_diagnosis()
    untested = replace(diagnosis.estimate, predictability=replace(diagnosis.estimate.predictability, p=None))
    assert "too few groups to test" in predictability_sentence(replace(diagnosis, estimate=untested))


def test_the_summary_names_clusters_failing_classes_left_out_rows_and_notes() -> None:
    lines = text_summary(make_diagnosis()).splitlines()
    assert lines[0].startswith("2 failure clusters confirmed")
    assert lines[2] == "Rows as understood, from the largest loss to the smallest:"
    assert all(": " in line for line in lines[3:8])
    assert lines[8].startswith("  1. Pictures where weather is fog – 8 samples, loss ")
    assert lines[9] == "     more often: weather = fog (100\u00a0% of members)"
    assert lines[10].startswith("  2. Pictures where weather is fog – 7 samples, loss ")
    assert any(line.startswith("Failing as a whole: bus (35\u00a0% wrong, p = 0.004)") for line in lines)
    assert "Confused more than other pairs: bus with tram (6 times, p = 0.030)." in [
        line.replace("\u00a0", " ") for line in lines
    ]
    assert not any("tram" in line for line in lines if line.startswith("Failing"))
    assert "2 rows left out: image could not be decoded (1); loss is not a number (1)." in lines
    assert "Note: Cross-entropy was clipped at 4.6 nats for fitting." in lines


def test_the_summary_says_in_words_what_a_cluster_is_and_what_came_of_the_prediction() -> None:
    lines = text_summary(replace(with_words(), prediction=made_prediction())).splitlines()
    assert lines[8].startswith("  1. Pictures where weather is fog – ")
    told = '; in words: "in the dark" (AUROC 0.87 on unseen rows, 95\u00a0% 0.80 to 0.93)'
    assert lines[9] == "     more often: weather = fog (100\u00a0% of members)" + told
    assert "Also failing: in the rain (bus, n = 20, p = 0.001)." in [line.replace("\u00a0", " ") for line in lines]
    counts = (
        "1 of 2 findings clearly fails more than the rest again, 1 of them at the rate predicted; "
        "2 more could not be judged."
    )
    at = lines.index(f"On 320 held-back samples: {counts}")
    assert lines[at + 1].startswith("  1 fresh row left out: ")
    assert any(line.startswith("  Cluster 1: 40 fresh samples; ") for line in lines[at + 2 :])
    assert not any("  " in line.strip() for line in lines)


def test_no_cluster_is_called_chance_only_where_all_was_tested_and_nothing_else_was_found() -> None:
    nothing, some = make_diagnosis(n_clusters=0), make_diagnosis()
    nothing = replace(nothing, classes=(), insights=())
    assert verdict(nothing).endswith("confirmed: nothing beyond what chance gives.")
    others = (replace(nothing, classes=some.classes), replace(nothing, insights=some.insights))
    for other, said in zip(others, ("1 class and 1 confused pair were", "1 condition or phrase was")):
        assert verdict(other) == f"No failure cluster was confirmed, but {said}."
    assert verdict(replace(nothing, estimate=some.estimate)) == "No failure cluster was confirmed."
    untested = replace(nothing.estimate, predictability=replace(nothing.estimate.predictability, p=None))
    assert "too few groups to test anything" in verdict(replace(nothing, estimate=untested))


def test_nothing_found_comes_with_what_would_have_been_found() -> None:
    text = text_summary(make_diagnosis(n_clusters=0))
    assert "No failure cluster was confirmed" in text
    assert "that always fails would be found 8 to 9 times in 10 (33 of 40 planted were found" in text
    assert ("No class and no pair fails" in text) == ("Failing as a whole" not in text)
    assert "What else" not in text


def test_what_is_confirmed_without_a_cluster_is_told_with_the_lines_it_stands_in() -> None:
    lines = text_summary(confirmed_without_clusters()).splitlines()
    told = (
        "No cluster was found beyond what is confirmed: 1 class (“Failing as a whole”), 1 confused pair (“Confused "
        "more than other pairs”) and 1 condition or phrase (“Also failing”). What else would have been found: A pattern"
    )
    assert [line.startswith(told) for line in lines].count(True) == 1
    for place in ("Failing as a whole: ", "Confused more than other pairs: ", "Also failing: "):
        assert any(line.startswith(place) for line in lines)
    untested = replace(confirmed_without_clusters(), sensitivity=None, detectable=())
    assert "What else would have been found: With so few groups nothing can be tested" in text_summary(untested)
