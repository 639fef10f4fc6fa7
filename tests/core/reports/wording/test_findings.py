"""The sentences say what the records hold, in one style, and claim nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.records import ClusterName, Estimate, Insight
from core.reports.wording.findings import cluster_title, how_sure, sentence
from core.reports.wording.predictions import (
    prediction_name,
    prediction_rows,
    prediction_sentence,
    prediction_verdict,
    replication_sentence,
)
from tests.support.diagnoses import MemoryImages, make_diagnosis
from tests.support.words import made_prediction, with_words

NB = "\u00a0"
NAN = float("nan")


def phrase(own: bool = True) -> Insight:
    return next(i for i in with_words().insights if i.kind == "phrase" and (i.cluster is None) == own)


def test_a_confirmed_phrase_is_told_with_rates_difference_interval_p_and_share_of_the_failures() -> None:
    said = sentence(with_words(), phrase())
    assert said.startswith(
        f'Within bus, the 20 images most like "in the rain" are wrong 61{NB}% of the time against 9.0{NB}% elsewhere '
        f"(difference corrected for the search: 45 points, 95{NB}% 21 to 70, adjusted p = 0.001); "
        f"they hold 47{NB}% of the failures in bus (corrected for the search)."
    )
    assert "AUROC" not in said


def test_a_finding_of_the_loss_is_told_in_losses_even_where_fewer_of_its_samples_are_wrong() -> None:
    of_loss = replace(phrase(), measure="mean loss", error_inside=0.1, error_outside=0.2)
    said = sentence(with_words(), of_loss)
    assert "have a mean loss of " in said.split(" (difference")[0]
    assert f"adjusted p = 0.001); they are wrong 10{NB}% of the time against 20{NB}% elsewhere; they hold" in said
    assert "points" not in said
    by_chance = sentence(with_words(), replace(of_loss, confirmed=False))
    assert f"are wrong 10{NB}% of the time against 20{NB}% elsewhere (difference 45 points" in by_chance


def test_a_phrase_that_describes_a_cluster_says_how_well_it_finds_it_on_unseen_rows_and_what_says_the_same() -> None:
    said = sentence(with_words(), phrase(own=False))
    assert said.startswith('Exploratory: the 30 images most like "in the dark" are wrong')
    assert "adjusted" not in said
    assert "corrected for the search" not in said
    assert (
        "The phrase alone finds the cluster on unseen rows with AUROC 0.87 (0.80 to 0.93); "
        "15 of its 30 are among the cluster's 15." in said
    )
    assert said.endswith('Says the same: "at night".')


def test_a_condition_says_that_its_retrieval_was_not_held_out_and_names_no_ensemble() -> None:
    diagnosis = make_diagnosis()
    said = sentence(diagnosis, diagnosis.insights[0])
    assert said.startswith(
        f"The 15 images with weather = fog are wrong 90{NB}% of the time against 10{NB}% elsewhere "
        "(adjusted p = 0.002)."
    )
    assert "The condition alone finds the cluster with AUROC 0.93, on the rows that it was chosen on." in said
    assert said.endswith("Says the same: brightness at most 0.31.")
    assert "ensemble" not in said


def test_where_errors_are_unknown_the_means_of_the_loss_are_told() -> None:
    diagnosis = with_words(make_diagnosis(120, with_errors=False, with_images=False))
    insight = next(i for i in diagnosis.insights if i.text == "in the rain")
    rows = np.arange(120) % 3 == 0
    inside, outside = (
        diagnosis.outcomes.fitted[insight.mask].mean(),
        diagnosis.outcomes.fitted[rows & ~insight.mask].mean(),
    )
    said = sentence(diagnosis, insight)
    assert said.startswith(
        f'Within bus, the 20 samples most like "in the rain" have a mean loss of {inside:.2f} nats against '
        f"{outside:.2f} elsewhere"
    )
    assert f"(difference corrected for the search: 0.50 nats, 95{NB}% 0.10 to 0.90, adjusted p = 0.001)" in said
    assert "of the loss above the mean in bus" in said
    assert "wrong" not in said


def test_a_scope_whose_rows_cannot_be_told_is_compared_with_nothing() -> None:
    diagnosis = with_words(make_diagnosis(120, with_errors=False))
    said = sentence(diagnosis, replace(phrase(), scope="vehicles (superclass)", error_inside=None, error_outside=None))
    assert "elsewhere" not in said
    assert "difference corrected for the search: 0.50" in said


def test_rows_that_share_pictures_are_not_counted_as_images() -> None:
    diagnosis = with_words()
    images = diagnosis.samples.items
    assert isinstance(images, MemoryImages)
    shared = MemoryImages(tuple(name for name in images.names[:60] for _ in range(2)), images.payloads)
    assert "the 20 samples most like" in sentence(
        replace(diagnosis, samples=replace(diagnosis.samples, items=shared)), phrase()
    )


def test_one_sample_is_spoken_of_in_the_singular() -> None:
    diagnosis = with_words()
    mask = np.arange(120) == 0
    said = sentence(diagnosis, replace(phrase(), size=1, mask=mask))
    assert 'the one image most like "in the rain" is wrong' in said
    assert "it holds 47" in said


def test_undefined_numbers_leave_no_hole() -> None:
    bare = replace(
        phrase(), confirmed=False, p=None, error_difference=Estimate(NAN, NAN, NAN), coverage=Estimate(NAN, NAN, NAN)
    )
    said = sentence(with_words(), bare)
    assert said == (
        f'Exploratory: within bus, the 20 images most like "in the rain" are wrong 61{NB}% of the time against '
        f"9.0{NB}% elsewhere."
    )


def test_a_candidate_has_a_title_too() -> None:
    diagnosis = with_words()
    (candidate,) = diagnosis.candidates
    assert cluster_title(diagnosis, candidate) == "Trams with the highest loss, no common cause found"
    assert how_sure(diagnosis, candidate).startswith("What differs most: ")  # that there is no cause is said already


@pytest.mark.parametrize(
    ("modality", "title"),
    [
        ("text", "Tram, texts with the highest loss, no common cause found"),
        ("clip", "Tram, videos with the highest loss, no common cause found"),
    ],
)
def test_what_is_no_picture_is_said_to_have_the_highest_loss_and_not_its_class(modality: Any, title: str) -> None:
    made = make_diagnosis()
    run = replace(made, samples=replace(made.samples, modality=modality, metadata=()))
    assert cluster_title(run, run.candidates[0]) == title


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (ClusterName("Dark dogs", "phrase", ("wet",), "likely", 0.931), "A likely title: right for about 93 of 100 "),
        (ClusterName("Small dogs", "condition", (), "likely", 0.998), "A likely title: right for more than 99 of 100 "),
        (
            ClusterName("Perhaps: dogs", "phrase", ("wet", "old"), "perhaps", 0.44),
            "A guess: right for about 44 of 100 ",
        ),
    ],
)
def test_it_is_said_how_often_such_a_title_is_right(name: ClusterName, said: str) -> None:
    run = make_diagnosis()
    other = " Other guesses: wet; old." if name.grade == "perhaps" else ""
    assert how_sure(run, replace(run.clusters[0], called=name)) == f"{said}such clusters.{other}"


def test_of_a_confusion_its_share_is_said_and_of_a_mixture_what_differs_most() -> None:
    run = make_diagnosis()
    first = run.clusters[0]
    lost = ClusterName("Dogs mistaken for cats", "confusion", ("wet",), "likely", 0.57)
    assert how_sure(run, replace(first, called=lost)) == f"57{NB}% of their errors go there."
    mixed = ClusterName("Mixed dogs: most often mistaken for cats", "none", ("wet",), "mixed", 0.1)
    assert how_sure(run, replace(first, called=mixed)) == "No common cause found. What differs most: wet."
    bare = ClusterName("Dogs with the highest loss, no common cause found", "none", (), "mixed")
    assert how_sure(run, replace(first, called=bare)) == ""


def test_each_prediction_is_told_with_what_came() -> None:
    held, missed, few, none, lasso = made_prediction().rows
    assert prediction_sentence(held) == (
        f"Cluster 1: 40 fresh samples; 55{NB}% wrong was predicted (45 to 65{NB}%; 35 to 75{NB}% in 40 samples) and "
        f"58{NB}% was observed (43 to 73{NB}%) against 10{NB}% in the rest, adjusted p < 0.001: "
        "fails again as predicted."
    )
    assert prediction_sentence(missed).startswith('bus: "in the rain": 12 fresh samples;')
    assert prediction_sentence(missed).endswith(": not clearly worse again, less than was predicted.")
    near = replace(missed, expected=Estimate(0.3, 0.15, 0.5))
    assert prediction_sentence(near).endswith(": not clearly worse again.")
    assert prediction_verdict(few) == "too few to judge"
    assert (
        prediction_sentence(none) == "weather = snow: no fresh sample could be set beside it, so nothing can be said; "
        f"40{NB}% wrong was predicted."
    )
    lacking = replace(none, not_tried="the fresh table has no column 'weather'", rest=None)
    assert prediction_verdict(lacking) == "not tried: the fresh table has no column 'weather'"
    assert prediction_sentence(lacking) == (
        f"weather = snow: not tried, since the fresh table has no column 'weather'; 40{NB}% wrong was predicted."
    )
    assert prediction_name(lasso) == "By-eye lasso (the worst spot of the map)"
    losses = made_prediction("mean loss")
    assert "0.55 mean loss was predicted (0.45 to 0.65" in prediction_sentence(losses.rows[0])


def test_a_predicted_cluster_goes_by_its_title() -> None:
    made = made_prediction()
    diagnosis = with_words()
    first = replace(made.rows[0], text=diagnosis.clusters[0].name)
    rows = prediction_rows(replace(diagnosis, prediction=replace(made, rows=(first, *made.rows[1:]))))
    assert rows[0].text == "Cluster 1 (Pictures where weather is fog)"
    assert [r.text for r in rows[1:]] == [r.text for r in made.rows[1:]]
    assert {r.measure for r in rows} == {"error rate"}  # of a prediction from before rows said it
    of_class = replace(rows[0], text="Cluster 1 (Buses where weather is fog)", scope="bus")
    assert prediction_name(of_class) == "Cluster 1 (Buses where weather is fog)"  # its class once
    assert prediction_rows(diagnosis) == ()


def test_only_findings_are_counted_among_those_that_came_back() -> None:
    assert (
        replication_sentence(made_prediction())
        == "1 of 2 findings clearly fails more than the rest again, 1 of them at the rate predicted; "
        "2 more could not be judged."
    )
    assert (
        replication_sentence(replace(made_prediction(), rows=made_prediction().rows[4:]))
        == "nothing was confirmed, so nothing was predicted."
    )


def test_one_finding_alone_is_spoken_of_as_one() -> None:
    made = made_prediction()
    row = replace(made.rows[0], as_predicted=True, p=0.001)
    one = replication_sentence(replace(made, rows=(row,)))
    assert one == "1 of 1 finding clearly fails more than the rest again, at the rate predicted."
    other = replication_sentence(replace(made, rows=(replace(row, as_predicted=False),)))
    assert other == "1 of 1 finding clearly fails more than the rest again, not at the rate predicted."
    assert "0 of 1 finding clearly fails" in replication_sentence(replace(made, rows=(replace(row, p=0.5),)))
    assert "2 of 2 findings clearly fail more" in replication_sentence(replace(made, rows=(row, row)))


def test_findings_of_both_measures_are_counted_in_words_that_fit_both() -> None:
    made = made_prediction()
    losses = made_prediction("mean loss")
    assert "1 of 2 findings clearly has a higher mean loss than the rest again, 1 of them as high as predicted" in (
        replication_sentence(losses)
    )
    mixed = replace(made, rows=(replace(made.rows[0], measure="mean loss"), *made.rows[1:]))
    assert "clearly does worse than the rest (in error rate or mean loss, as each was found) again" in (
        replication_sentence(mixed)
    )
    assert "0.55 mean loss was predicted" in prediction_sentence(mixed.rows[0])
    assert f"50{NB}% wrong was predicted" in prediction_sentence(mixed.rows[1])
