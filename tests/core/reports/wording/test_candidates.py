"""What is said of the second list: how much of it is nothing, never that it is a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.records import Estimate, FailureCluster
from core.reports.terminal import text_summary
from core.reports.wording.candidates import candidate_phrase, candidates_sentence, chance_phrase
from core.reports.wording.findings import cluster_figures, cluster_title
from tests.support.diagnoses import make_diagnosis


def rated(*rates: float) -> tuple[FailureCluster, ...]:
    one = make_diagnosis().candidates[0]
    return tuple(replace(one, chance=rate / 2, local_fdr=rate) for rate in rates)


def test_the_list_says_how_much_of_it_is_nothing_or_that_it_is_an_order_only(golden: Callable[..., None]) -> None:
    run, losses = make_diagnosis(), make_diagnosis(with_errors=False)
    lists = [(0.5, 0.8, 0.9, 0.9, 0.9), (0.95, 0.95, 0.93, 0.63), (0.3, 0.4), (0.7, 0.86), (0.62,), ()]
    untested = replace(rated(0.5)[0], chance=None, local_fdr=None)
    of_losses = replace(
        rated(0.5)[0], error_rate=None, error_outside=None, mean_loss=0.75, excess_loss=Estimate(0.5, 0.2, 0.8)
    )
    plain = replace(losses, outcomes=replace(losses.outcomes, unit="loss"))
    golden(
        "candidates.txt",
        {
            "How many of them are nothing, down to none": [
                candidates_sentence(replace(run, candidates=rated(*rates))) for rates in lists
            ],
            "Not tested: an order only, no shuffles": [
                candidates_sentence(replace(run, candidates=(untested,))),
                candidate_phrase(run, untested),
            ],
            "Of losses both means; a unit that says nothing is left out": [
                cluster_figures(losses, of_losses),
                cluster_figures(plain, of_losses),
            ],
            "A chance that no shuffle reached is no zero": chance_phrase(replace(rated(0.3)[0], chance=1 / 5001)),
        },
    )
    assert chance_phrase(untested) == ""


def test_the_command_lines_summary_has_the_two_lists_apart() -> None:
    diagnosis = make_diagnosis()
    lines = text_summary(diagnosis).splitlines()
    place = next(i for i, line in enumerate(lines) if line == "Hints")
    title = cluster_title(diagnosis, diagnosis.candidates[0])
    assert lines[place + 2].startswith(f"  {title}: wrong on ") or lines[place + 2].startswith(f"  {title}: mean loss ")
    assert not any(title in line for line in lines[:place])
    assert not any(line.startswith("  1. ") for line in lines[place:])
