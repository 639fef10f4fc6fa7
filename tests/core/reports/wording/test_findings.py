"""The sentences say what the records hold, in one style, and claim nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.records import ClusterName, Diagnosis, Estimate, Insight, PredictionRow
from core.reports.sections import hints, insight_row, on_new_data
from core.reports.terminal import text_summary
from core.reports.wording.findings import cluster_title, figures, how_sure, sentence, subject
from core.reports.wording.predictions import (
    plain_prediction,
    prediction_name,
    prediction_rows,
    prediction_sentence,
    prediction_verdict,
    replication_sentence,
)
from tests.support.diagnoses import MemoryImages, make_diagnosis
from tests.support.words import made_prediction, with_words

NAN = float("nan")
Golden = Callable[..., None]


def phrase(own: bool = True) -> Insight:
    return next(i for i in with_words().insights if i.kind == "phrase" and (i.cluster is None) == own)


def sharing(run: Diagnosis) -> Diagnosis:
    """The run where two rows share each image."""
    images = run.samples.items
    assert isinstance(images, MemoryImages)
    shared = MemoryImages(tuple(name for name in images.names[:60] for _ in range(2)), images.payloads)
    return replace(run, samples=replace(run.samples, items=shared))


def test_findings_are_told(golden: Golden) -> None:
    run, made, own = with_words(), make_diagnosis(), phrase()
    unknown = with_words(make_diagnosis(120, with_errors=False, with_images=False))
    of_loss = replace(own, measure="mean loss", error_inside=0.1, error_outside=0.2)
    untold = replace(own, scope="vehicles (superclass)", error_inside=None, error_outside=None)
    none = Estimate(NAN, NAN, NAN)
    scenes = {
        "A confirmed phrase: rates, difference, interval, p, share of the failures; its AUROC is none of it": own,
        "A finding of the loss in losses, even where fewer of its samples are wrong": of_loss,
        "The same, not confirmed": replace(of_loss, confirmed=False),
        "A phrase that describes a cluster: how well it finds it on unseen rows; no p, no correction": phrase(False),
        "One sample in the singular": replace(own, size=1, mask=np.arange(120) == 0),
        "Undefined numbers leave no hole": replace(own, confirmed=False, p=None, error_difference=none, coverage=none),
    }
    others = {
        "A condition: its retrieval was not held out": (made, made.insights[0]),
        "Where errors are unknown, the means of the loss": (
            unknown,
            next(i for i in unknown.insights if i.text == "in the rain"),
        ),
        "A scope whose rows cannot be told is compared with nothing": (
            with_words(make_diagnosis(120, with_errors=False)),
            untold,
        ),
        "Rows that share images are samples, no images": (sharing(run), own),
    }
    golden(
        "findings.txt",
        {title: sentence(run, one) for title, one in scenes.items()}
        | {title: sentence(*pair) for title, pair in others.items()},
    )


def of_kind(run: Diagnosis, modality: Any) -> Diagnosis:
    return replace(run, samples=replace(run.samples, modality=modality, metadata=()))


def test_titles_are_told_with_how_often_they_are_right(golden: Golden) -> None:
    run, made = with_words(), make_diagnosis()
    (candidate,) = run.candidates

    def sure(*name: Any) -> str:
        called = ClusterName(*name)
        return f"{called.text}: {how_sure(made, replace(made.clusters[0], called=called))}"

    golden(
        "titles.txt",
        {
            "A candidate has a title too, and what differs most": [
                cluster_title(run, candidate),
                how_sure(run, candidate),
            ],
            "What is no image has the highest loss, and its class is not said to": [
                cluster_title(of_kind(made, modality), made.candidates[0]) for modality in ("text", "clip")
            ],
            "How often such a title is right, and other guesses of a guess": [
                sure("Dark dogs", "phrase", ("wet",), "likely", 0.931),
                sure("Small dogs", "condition", (), "likely", 0.998),
                sure("Perhaps: dogs", "phrase", ("wet", "old"), "perhaps", 0.44),
            ],
            "Of a confusion its share, of a mixture what differs most, if anything does": [
                sure("Dogs mistaken for cats", "confusion", ("wet",), "likely", 0.57),
                sure("Mixed dogs: most often mistaken for cats", "none", ("wet",), "mixed", 0.1),
                sure("Dogs with the highest loss, no common cause found", "none", (), "mixed"),
            ],
        },
    )


def test_predictions_are_told_with_what_came(golden: Golden) -> None:
    made, losses, run = made_prediction(), made_prediction("mean loss"), with_words()
    held, missed, few, none, lasso = made.rows
    lacking = replace(none, not_tried="the fresh table has no column 'weather'", rest=None)
    counted = replace(losses.rows[0], n_wrong=9, rest_wrong=0.1)
    titled = replace(held, text=run.clusters[0].name)
    rows = prediction_rows(replace(run, prediction=replace(made, rows=(titled, *made.rows[1:]))))
    assert prediction_rows(run) == ()
    assert {row.measure for row in rows} == {"error rate"}  # of a prediction from before rows said it
    one = replace(held, as_predicted=True, p=0.001)

    def again(*rows: Any) -> str:
        return replication_sentence(replace(made, rows=rows))

    golden(
        "predictions.txt",
        {
            "Each row with what came": [prediction_sentence(row) for row in made.rows],
            "Without intervals": [plain_prediction(row, 2) for row in (held, counted, losses.rows[0], none, lacking)],
            "Within what was predicted": prediction_sentence(replace(missed, expected=Estimate(0.3, 0.15, 0.5))),
            "In losses": prediction_sentence(losses.rows[0]),
            "What was not tried": prediction_sentence(lacking),
            "Verdicts": [prediction_verdict(row) for row in (few, replace(few, n=13), lacking)],
            "A predicted cluster goes by its title": [row.text for row in rows],
            "Its class once": prediction_name(
                replace(rows[0], text="Cluster 1 (Buses with weather: fog)", scope="bus")
            ),
            "A lasso": prediction_name(lasso),
            "Only findings are counted among those that came back": [replication_sentence(made), again(*made.rows[4:])],
            "One alone": [again(one), again(replace(one, as_predicted=False)), again(replace(one, p=0.5))],
            "Two": again(one, one),
            "Of losses, and of both measures": [
                replication_sentence(losses),
                again(replace(held, measure="mean loss"), *made.rows[1:]),
            ],
        },
    )


def test_untested_and_undecided_findings_are_counted_apart() -> None:
    made = made_prediction()
    held, _, few, _, lasso = made.rows
    lacking = replace(few, not_tried="the new table has no column 'weather'", observed=None)

    def told(*rows: PredictionRow) -> str:
        return replication_sentence(replace(made, rows=rows))

    assert told(held, lacking) == "1 of 1 finding holds, 1 at the expected rate; 1 more was not tested."
    assert told(lacking, lacking, few) == "2 findings were not tested; 1 more could not be judged."
    assert told(few) == "1 finding could not be judged."
    run = replace(with_words(), prediction=replace(made, rows=(lasso,)))
    assert "Trust" not in on_new_data(run).lead


def test_a_predicted_condition_keeps_its_class_even_where_its_text_holds_the_name() -> None:
    row = replace(made_prediction().rows[2], text="size at least 14.7", scope="1")
    assert prediction_name(row) == "1: size at least 14.7"


def test_rows_of_new_data_carry_a_verdict_and_are_printed() -> None:
    made = made_prediction()
    run = replace(with_words(), prediction=made)
    assert [row.verdict for row in on_new_data(run).rows] == [
        "confirmed",
        "not confirmed",
        "not tested",
        "not tested",
        "",
    ]
    printed = text_summary(run)
    for row in on_new_data(run).rows:
        assert row.text in printed


def test_a_finding_of_several_classes_is_not_called_by_one() -> None:
    run = make_diagnosis()
    scope = "c22, c11 and 5 more"
    insight = replace(run.insights[0], scope=scope, error_outside=0.12)
    assert subject(run, insight) == "Samples of c22, c11 and 5 more with weather = fog"
    assert "12% of the others of c22, c11 and 5 more" in figures(run, insight)


def test_a_row_of_a_finding_is_compared_in_its_measure() -> None:
    run = make_diagnosis()
    insight = replace(run.insights[0], measure="mean loss")
    row = insight_row(run, insight)
    assert row.against == pytest.approx(run.outcomes.fitted[~insight.mask].mean())
    lossy = make_diagnosis(with_errors=False)
    assert insight_row(lossy, lossy.insights[0]).measure == "mean loss"
    assert hints(lossy).rows[0].measure == "mean loss"
