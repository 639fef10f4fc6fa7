"""What is said of the second list: how much of it is nothing, never that it is a finding."""

from __future__ import annotations

import re
from dataclasses import replace

from core.records import Estimate, FailureCluster
from core.reports.wording.candidates import (
    NONE_LISTED,
    candidate_phrase,
    candidates_sentence,
    chance_phrase,
    members_seen,
)
from core.reports.wording.findings import cluster_title
from core.reports.wording.summary import text_summary
from tests.support.diagnoses import make_diagnosis


def rated(*rates: float) -> tuple[FailureCluster, ...]:
    one = make_diagnosis().candidates[0]
    return tuple(replace(one, chance=rate / 2, local_fdr=rate) for rate in rates)


def test_the_list_says_how_many_of_it_are_nothing() -> None:
    diagnosis = replace(make_diagnosis(), candidates=rated(0.5, 0.8, 0.9, 0.9, 0.9))
    some = candidates_sentence(replace(diagnosis, candidates=rated(0.95, 0.95, 0.93, 0.63)))
    assert "Of these 4 about 3.5 are nothing: most sets that stand out so little turned out to be nothing" in some
    assert "so many of the sets" in candidates_sentence(replace(diagnosis, candidates=rated(0.3, 0.4)))
    assert "No findings: each may be chance. Of these 5 about 4 are nothing" in candidates_sentence(diagnosis)
    two = replace(diagnosis, candidates=rated(0.7, 0.85))
    assert re.search(r"Of these 2 about 1\.[56] are nothing", candidates_sentence(two))
    one = replace(diagnosis, candidates=rated(0.62))
    assert "Of ten such sets about 6.2 are nothing" in candidates_sentence(one)
    assert candidates_sentence(replace(diagnosis, candidates=())) == NONE_LISTED


def test_a_list_that_was_not_tested_says_that_it_is_an_order_only() -> None:
    untested = replace(rated(0.5)[0], chance=None, local_fdr=None)
    diagnosis = replace(make_diagnosis(), candidates=(untested,))
    assert "Not tested, order only" in candidates_sentence(diagnosis)
    assert chance_phrase(untested) == ""
    assert "shuffles" not in candidate_phrase(diagnosis, untested)


def test_of_losses_both_means_are_said_and_a_unit_that_says_nothing_is_left_out() -> None:
    diagnosis = make_diagnosis(with_errors=False)
    one = replace(
        rated(0.5)[0], error_rate=None, error_outside=None, mean_loss=0.75, excess_loss=Estimate(0.5, 0.2, 0.8)
    )
    assert members_seen(diagnosis, one) == "mean loss 0.75 nats as seen against 0.25 outside"
    plain = replace(diagnosis, outcomes=replace(diagnosis.outcomes, unit="loss"))
    assert members_seen(plain, one) == "mean loss 0.75 as seen against 0.25 outside"


def test_a_chance_that_no_shuffle_reached_is_no_zero() -> None:
    assert chance_phrase(replace(rated(0.3)[0], chance=1 / 5001)).startswith("fewer than 1 of 100 shuffles")


def test_the_command_lines_summary_has_the_two_lists_apart() -> None:
    diagnosis = make_diagnosis()
    lines = text_summary(diagnosis).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("Worth a look. "))
    title = cluster_title(diagnosis, diagnosis.candidates[0])
    assert lines[place + 1].startswith(f"  {title} – ")
    assert not any(title in line for line in lines[:place])
    assert not any(line.startswith("  1. ") for line in lines[place:])
