"""The sentences say what the records hold, in one style, and claim nothing more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.answers import difference
from core.checks.questions import Answer, Difference, ask
from core.records import Estimate, Insight
from core.reports.wording.answers import answer_sentence, difference_sentence
from core.reports.wording.findings import cluster_title, sentence
from core.reports.wording.predictions import (
    prediction_name,
    prediction_rows,
    prediction_sentence,
    prediction_verdict,
    replication_sentence,
)
from tests.support.diagnoses import MemoryImages, make_diagnosis
from tests.support.words import AxisEncoder, made_prediction, with_words

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


def test_a_candidate_keeps_its_own_name() -> None:
    diagnosis = with_words()
    candidate = replace(diagnosis.candidates[0], id=0)
    assert cluster_title(diagnosis, candidate) == "near tram"


def answer(**changes: object) -> Answer:
    made = Answer(
        text="a bus in snow",
        scope="bus",
        rows=np.arange(14),
        scores=np.zeros(120),
        observed=Estimate(1.2, 0.9, 1.5),
        rest=0.5,
        error_rate=Estimate(0.55, 0.4, 0.7),
        error_rest=0.12,
        p=0.003,
        nearest="in falling snow",
        closeness=0.8,
        through="in falling snow",
        extrapolation=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_an_answer_tells_through_what_it_was_answered_its_rates_and_its_p() -> None:
    assert answer_sentence(with_words(), answer()) == (
        '"a bus in snow", answered through "in falling snow" (of the phrases about as near, the one with the strongest '
        "excess): within bus, the 14 images most like it have an "
        f"error rate of 55{NB}% (95{NB}% 40 to 70{NB}% for any number of questions) against 12{NB}% in the rest. "
        "Confirmed: these images fail more than the rest (p = 0.003 for these very images, adjusted for any number of "
        "questions)."
    )
    assert "answered through" not in answer_sentence(with_words(), answer(text="in falling snow"))


def test_an_answer_that_is_sure_of_the_loss_alone_is_told_in_losses() -> None:
    said = answer_sentence(with_words(), answer(measure="mean loss", error_rest=0.7))
    assert "have a mean loss of 1.20 nats" in said
    assert "Confirmed: these images have a higher mean loss than the rest" in said
    assert "fail more" not in said
    assert "an error rate of 55" in answer_sentence(with_words(), answer(measure="mean loss", p=0.4))


def test_an_answer_says_what_it_does_not_know() -> None:
    diagnosis = with_words()
    said = answer_sentence(diagnosis, answer(p=0.4))
    assert "Not confirmed: that these images fail more than the rest cannot be told from chance (p = 0.40" in said
    assert "adjusted for any number of questions, held to 0.05)" in said
    assert "(p = 0.40 of the mean loss for these" in answer_sentence(diagnosis, answer(p=0.4, measure="mean loss"))
    assert (
        "For 14 images, an error rate higher by 31 points than that of the rest would be confirmed 8 times in 10."
        in (answer_sentence(diagnosis, answer(p=0.4, least=0.31)))
    )
    assert "Even if all of them failed, 14 images" in answer_sentence(diagnosis, answer(p=0.4))
    assert "higher by 0.31 nats" in answer_sentence(diagnosis, answer(p=0.4, least=0.31, error_rate=None))
    assert "8 times in 10" not in answer_sentence(diagnosis, answer(least=0.31))
    far = answer_sentence(diagnosis, answer(p=None, untested="far from every phrase", through=None, closeness=0.41))
    assert 'Exploratory, without a p: no phrase of the vocabulary says this (the nearest is "in falling snow"' in far
    assert f"40 to 70{NB}% for this question alone" in far
    for why, said in (("too few groups", "nothing can be permuted"), ("a run of before", "Diagnose the data again")):
        without = answer_sentence(diagnosis, answer(p=None, untested=why))
        assert "There is no p" in without
        assert said in without
        assert "onfirmed" not in far + without
    assert 'hardly hear a "not"' in answer_sentence(diagnosis, answer(text="a bus, not in snow"))
    assert 'hardly hear a "not"' not in answer_sentence(diagnosis, answer(text="a notable bus"))
    assert "This is an extrapolation" in answer_sentence(diagnosis, answer(extrapolation=True))
    assert "extrapolation" not in answer_sentence(diagnosis, answer())
    losses = answer_sentence(diagnosis, answer(error_rate=None, error_rest=None))
    assert f"have a mean loss of 1.20 nats (95{NB}% 0.90 to 1.50 for any number of questions)" in losses
    assert "against 0.50 in the rest" in losses


def test_a_real_question_is_answered_from_the_pictures_that_match() -> None:
    diagnosis = with_words()
    dark, ship = ask(diagnosis, ["in the dark", "a spaceship"], encoder=AxisEncoder())  # type: ignore[arg-type]
    said = answer_sentence(diagnosis, dark)
    assert said.startswith(
        '"in the dark": the 24 images most like it have an error rate of 100'
    )  # a fifth: of all depths the best
    assert "Confirmed" in said
    assert "extrapolation" not in said
    assert "This is an extrapolation" in answer_sentence(diagnosis, ship)
    red = ask(diagnosis, ["red"], encoder=AxisEncoder())[0]  # type: ignore[arg-type]
    assert difference_sentence(diagnosis, difference(diagnosis, dark, red)).startswith(
        'The mean loss of "in the dark" is '
    )


def test_a_difference_whose_interval_holds_zero_is_not_called_one() -> None:
    diagnosis = with_words()
    clear = difference_sentence(diagnosis, Difference("snow", "grass", Estimate(-0.8, -1.2, -0.4), 1))
    assert clear == (
        'The mean loss of "snow" is 0.80 nats below that of "grass" (difference −0.80, '
        f"95{NB}% −1.20 to −0.40 for this pair alone). 1 image matches both."
    )
    assert difference_sentence(diagnosis, Difference("snow", "grass", Estimate(0.1, -0.2, 0.4), 0)).startswith(
        "No clear difference: the mean loss"
    )
    same = difference_sentence(diagnosis, Difference("snow", "in snow", Estimate(NAN, NAN, NAN), 12))
    assert same == '"snow" and "in snow" have the same matches: there is no difference to tell. 12 images match both.'


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
    assert "0.55 mean loss was predicted (0.45 to 0.65" in prediction_sentence(losses.rows[0], losses)


def test_a_predicted_cluster_goes_by_its_title() -> None:
    made = made_prediction()
    diagnosis = with_words()
    first = replace(made.rows[0], text=diagnosis.clusters[0].name)
    rows = prediction_rows(replace(diagnosis, prediction=replace(made, rows=(first, *made.rows[1:]))))
    assert rows[0].text == "Cluster 1 (weather = fog)"
    assert [r.text for r in rows[1:]] == [r.text for r in made.rows[1:]]
    assert {r.measure for r in rows} == {"error rate"}  # of a prediction from before rows said it
    of_class = replace(rows[0], text="Cluster 1 (bus: weather = fog)", scope="bus")
    assert prediction_name(of_class) == "Cluster 1 (bus: weather = fog)"  # its class once
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
    assert "0.55 mean loss was predicted" in prediction_sentence(mixed.rows[0], mixed)
    assert f"50{NB}% wrong was predicted" in prediction_sentence(mixed.rows[1], mixed)
