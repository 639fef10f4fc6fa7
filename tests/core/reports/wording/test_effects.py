"""How much worse a finding is said to be: in the measure that was tested, and clipped where it was."""

from __future__ import annotations

from dataclasses import replace

from core.records import Estimate
from core.reports.html.diagnosis import render_report
from core.reports.sections import groups
from core.reports.wording import effects
from core.statistics import measures
from tests.support.diagnoses import make_diagnosis

SHARES, LOSS = Estimate(0.28, 0.09, 0.47), Estimate(0.4, -0.1, 0.9)


def test_the_figure_that_leads_is_the_one_that_was_tested() -> None:
    cluster = replace(make_diagnosis().clusters[0], error_difference=SHARES, excess_loss=LOSS)
    wrong, lossy = replace(cluster, measure="error rate"), replace(cluster, measure="mean loss")
    assert measures.tested_effect(wrong) == SHARES
    assert effects.effect_figure(wrong, "nats") == ("+28 points", "(+9.0 to +47)")
    assert measures.tested_effect(lossy) == LOSS
    assert effects.effect_figure(lossy, "nats")[0] == "+0.40 nats"
    assert not measures.in_shares(replace(cluster, measure=None))  # a run from before


def test_a_small_p_beside_an_interval_that_holds_0_says_what_it_is_of() -> None:
    diagnosis = make_diagnosis()
    cluster = replace(diagnosis.clusters[0], error_difference=SHARES, excess_loss=LOSS, p=0.002)
    wrong = replace(cluster, measure="error rate")
    assert effects.other_measure(wrong) == "The test is of the error rate; a higher mean loss is not shown."
    lossy = replace(cluster, measure="mean loss", error_difference=LOSS, excess_loss=SHARES)
    assert effects.other_measure(lossy) == "The test is of the mean loss; a higher error rate is not shown."
    silent = (
        replace(wrong, excess_loss=SHARES),
        replace(wrong, confirmed=False),
        replace(cluster, measure=None, excess_loss=SHARES, error_difference=LOSS),  # a run from before
        replace(cluster, measure="mean loss", excess_loss=SHARES, error_difference=None),
    )
    assert [effects.other_measure(found) for found in silent] == [""] * 4
    reports = [render_report(replace(diagnosis, clusters=(found,))) for found in (wrong, silent[0])]
    said = "The test is of the error rate; a higher mean loss is not shown."
    assert [said in report for report in reports] == [True, False]


def test_the_coverage_of_a_group_within_a_class_is_of_all_errors() -> None:
    diagnosis = make_diagnosis()
    cluster = replace(diagnosis.clusters[0], scope="tram", coverage=Estimate(0.17, 0.1, 0.3))
    (row,) = groups(replace(diagnosis, clusters=(cluster,))).rows
    assert "About 17% of all errors (corrected for the search)." in row.sure


def test_a_loss_that_is_the_error_is_said_in_points() -> None:
    cluster = make_diagnosis().clusters[0]
    same = replace(cluster, error_difference=SHARES, excess_loss=SHARES)
    said = effects.loss_phrase(same, 2, " error")
    assert said == "error rate 28 points above the others (95% CI +9.0 to +47)"
    other = replace(same, excess_loss=LOSS)
    assert effects.loss_phrase(other, 2, " nats").startswith("mean loss 0.40 nats above the others")
