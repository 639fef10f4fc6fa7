"""The wording: figures as people read them, and sentences that follow the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.records import Diagnosis, Estimate, Row, Section
from core.records.diagnosis import Measure
from core.reports.html.diagnosis import render_report
from core.reports.sections import groups
from core.reports.terminal import section_lines, text_summary
from core.reports.wording.classes import class_level
from core.reports.wording.findings import cluster_figures
from core.reports.wording.verdict import predictability_sentence, verdict
from core.statistics.counts import share_of_failures
from tests.support.diagnoses import confirmed_without_clusters, make_diagnosis
from tests.support.words import made_prediction, with_words


def test_the_share_covered_counts_failures_where_they_are_known_and_loss_above_the_mean_elsewhere() -> None:
    known, unknown = make_diagnosis(), make_diagnosis(with_errors=False)
    inside = known.cluster_of()[0] >= 0
    assert known.outcomes.errors is not None
    assert share_of_failures(known) == pytest.approx(known.outcomes.errors[inside].sum() / known.outcomes.errors.sum())
    above = np.maximum(unknown.outcomes.loss - unknown.outcomes.loss.mean(), 0)
    assert share_of_failures(unknown) == pytest.approx(above[inside].sum() / above.sum())
    assert verdict(unknown).endswith("of the loss above the mean.")
    assert verdict(known).endswith("of your model's errors.")
    shares = {run: groups(run).rows[0].sure for run in (known, unknown)}
    assert "About 40% of all errors (corrected for the search)." in shares[known]
    assert "About 40% of all loss above the mean (counted)." in shares[unknown]


def with_predictability(run: Diagnosis, **changes: Any) -> Diagnosis:
    found = replace(run.estimate.predictability, **changes)
    return replace(run, estimate=replace(run.estimate, predictability=found))


def test_what_the_encoder_predicts_is_told(golden: Callable[..., None]) -> None:
    some, nothing = make_diagnosis(), make_diagnosis(n_clusters=0)
    bare = replace(nothing, classes=(), insights=())
    close = with_predictability(bare, p=0.045, confirmed=False)
    weak = with_predictability(some, p=0.17, confirmed=False)
    small = {"p": 0.02, "confirmed": True}
    far = with_predictability(some, r2=Estimate(-356958.9, -9e5, 0.1), p=None, confirmed=False)
    scenes = {
        "A share with interval and p": some,
        "Never a negative share": nothing,
        "A p below alpha that does not pass: alpha less what classes (a fifth) and this (a tenth) keep": close,
        "Of a smaller alpha": replace(close, settings={**close.settings, "alpha": 0.02}),
        "Findings beside a loss that is not predicted are no contradiction": weak,
        "One finding beside it": replace(weak, clusters=(), classes=(), insights=weak.insights[:1]),
        "Far below zero, of few groups: without its digits": far,
        "A little, more than chance allows": with_predictability(some, r2=Estimate(0.012, -0.003, 0.03), **small),
        "Less than a little": with_predictability(some, r2=Estimate(0.0002, -0.003, 0.03), **small),
        "Nothing at all, more than chance allows": with_predictability(some, r2=Estimate(0.0, -0.01, 0.02), **small),
        "Told from chance, and nothing explained": with_predictability(nothing, p=0.008),
        "Without a test no claim about chance": with_predictability(some, p=None),
        "The same, of an interval that holds 0": with_predictability(some, p=None, r2=Estimate(0.2, -0.1, 0.3)),
    }
    golden("predictability.txt", {title: predictability_sentence(run) for title, run in scenes.items()})
    report = render_report(far)
    assert "356" not in report
    assert "R² with class means below −1" in report
    assert class_level(nothing) == pytest.approx(0.01)
    assert class_level(close) is None


def test_r2_is_credited_to_the_class_only_where_the_fit_knows_it() -> None:
    several = make_diagnosis()
    assert several.samples.labels is not None
    one = replace(several, samples=replace(several.samples, labels=np.zeros(60, np.int64)))
    small = replace(several, samples=replace(several.samples, labels=np.arange(60) % 4, class_names=tuple("abcd")))
    assert predictability_sentence(several).startswith("Class and embedding together explain 41%")
    assert "Within classes, the embedding predicts the cross-entropy beyond chance (p < 0.001)." in (
        predictability_sentence(several)
    )
    for pooled in (one, small):
        assert predictability_sentence(pooled).startswith("The embedding explains 41%")


def test_the_lead_of_the_groups_names_what_was_tested() -> None:
    run = make_diagnosis()

    def lead(*measures: Measure) -> str:
        clusters = tuple(replace(c, measure=m) for c, m in zip(run.clusters, measures, strict=True))
        return groups(replace(run, clusters=clusters)).lead

    assert lead("error rate", "error rate") == "Errors concentrate here, beyond chance."
    assert lead("mean loss", "mean loss") == "High losses concentrate here, beyond chance."
    assert lead("mean loss", "error rate") == "Errors or high losses concentrate here, beyond chance."
    assert groups(make_diagnosis(with_errors=False)).lead == "High losses concentrate here, beyond chance."
    better = replace(run, clusters=(replace(run.clusters[0], measure="error rate", error_outside=1.0),))
    assert groups(better).lead.startswith("Given the classes, errors concentrate here")


def test_a_run_without_errors_speaks_of_loss() -> None:
    run = make_diagnosis()
    outcomes = replace(run.outcomes, errors=np.zeros(60, np.bool_))
    none = Estimate(0.0, 0.0, 0.0)
    unknown = Estimate(float("nan"), float("nan"), float("nan"))
    cluster = replace(
        run.clusters[0],
        measure="mean loss",
        error_rate=none,
        error_outside=0.0,
        error_difference=none,
        coverage=unknown,
    )
    right = replace(run, outcomes=outcomes, clusters=(cluster,))
    assert "– of" not in text_summary(right)
    assert verdict(right).endswith("of the loss above the mean.")
    row = groups(right).rows[0]
    assert row.text.startswith("Mean loss")
    for line in (row.text, *row.details, *row.sure):
        assert "wrong" not in line
        assert "errors" not in line


def test_a_counted_mean_loss_is_that_of_the_members() -> None:
    run = make_diagnosis(with_errors=False)
    cluster = replace(run.clusters[0], mean_loss=0.1)  # as corrected for the search
    members = cluster.membership >= 0.5
    assert f"mean loss {run.outcomes.loss[members].mean():.2f} nats on 8" in cluster_figures(run, cluster)
    assert f"{run.outcomes.loss[~members].mean():.2f} for the others" in cluster_figures(run, cluster)


def test_verdicts_and_whole_summaries(golden: Callable[..., None]) -> None:
    some, nothing = make_diagnosis(), make_diagnosis(n_clusters=0)
    bare, alone = replace(nothing, classes=(), insights=()), confirmed_without_clusters()
    verdicts = (bare, replace(bare, classes=some.classes), replace(bare, insights=some.insights))
    verdicts += (replace(bare, estimate=some.estimate), with_predictability(bare, p=None))
    texts = {
        "Clusters, classes, pairs, rows left out, notes": some,
        "In words, and what came of the prediction": replace(with_words(), prediction=made_prediction()),
        "Nothing found: what would have been": nothing,
        "Confirmed without a cluster: the lines it stands in": alone,
        "The same, nothing planted": replace(alone, sensitivity=None, detectable=()),
    }
    shares = replace(some.clusters[0], measure="error rate", error_difference=Estimate(0.28, 0.09, 0.47))
    open_end = replace(some.clusters[0], measure="mean loss", excess_loss=Estimate(0.4, 0.0, 0.9))
    golden(
        "summary.txt",
        {
            "A cluster of the error rate, one whose interval ends at 0": [
                cluster_figures(some, shares),
                cluster_figures(some, open_end),
            ]
        }
        | {"Chance only where all was tested and nothing found": [verdict(run) for run in verdicts]}
        | {title: text_summary(run) for title, run in texts.items()},
    )


def test_a_name_begins_no_line_and_fills_none() -> None:
    rows = (Row("bus\nNotes", "AUROC 0.62.\nAll fine"), Row("x" * 10_000, "Wrong."))
    lines = section_lines(Section("Classes", rows=rows))
    assert lines[1] == "  bus Notes: AUROC 0.62. All fine"
    assert max(map(len, lines)) < 2_100


def test_the_report_shows_control_characters_as_codes() -> None:
    run = make_diagnosis()
    name = "\x1b[31mbus\u202e"
    report = render_report(replace(run, samples=replace(run.samples, class_names=(name, "car", "tram"), name=name)))
    assert "\x1b" not in report
    assert "\u202e" not in report
    assert "\\x1b[31mbus" in report


def test_similar_samples_of_a_loss_are_not_called_right() -> None:
    assert "Similar, but right" in render_report(make_diagnosis())
    losses = render_report(make_diagnosis(with_errors=False))
    assert "Similar, but right" not in losses
    assert "Similar, low loss" in losses
