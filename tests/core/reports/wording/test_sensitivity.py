"""The words for what would have been found: the smallest pattern, or plainly none; of errors, losses, a named class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from core.records import Diagnosis, Sensitivity
from core.reports.wording.sensitivity import classes_sentence, how_planted, pattern_sentence, sensitivity_sentence
from tests.support.diagnoses import make_diagnosis
from tests.support.sensitivity import made_sensitivity

TIMES: Literal["times the mean loss"] = "times the mean loss"
DEVIATIONS: Literal["deviations of the loss"] = "deviations of the loss"


def with_grid(found: Sensitivity | None) -> Diagnosis:
    return replace(make_diagnosis(n_clusters=0), sensitivity=found)


def missed(n: int) -> Sensitivity:
    """What was planted in all samples alone and found n times of 40 where it is largest and strongest."""
    return made_sensitivity(classes=(), found={("all samples", 20): (0, 0, 0), ("all samples", 80): (0, 0, n)})


def test_what_would_have_been_found_is_told(golden: Callable[..., None]) -> None:
    found, planted = made_sensitivity(), {("class", 10): (0, 4, 36), ("class", 20): (2, 35, 40)}
    scenes = {
        "The smallest pattern of half failures, with its count": [found],
        "A smaller one that only a stronger failure shows: of errors, of higher losses": [
            made_sensitivity(found=planted),
            made_sensitivity(TIMES, found=planted),
            made_sensitivity(DEVIATIONS, found=planted),
        ],
        "None is found often enough: the strongest and largest": [missed(n) for n in (0, 1, 5, 8, 16, 31)],
        "Losses as multiples or as deviations": [made_sensitivity(TIMES), made_sensitivity(DEVIATIONS)],
        "A class that was searched alone": [made_sensitivity(classes=("tram",))],
    }
    made = [found, made_sensitivity(TIMES), replace(found, unplanted=150)]
    golden(
        "sensitivity.txt",
        {title: [sensitivity_sentence(with_grid(one)) for one in grids] for title, grids in scenes.items()}
        | {"Whole classes": classes_sentence(with_grid(found)), "A cell": pattern_sentence(found, found.patterns[3])}
        | {"How it was planted: errors, losses, groups too large": [how_planted(with_grid(one)) for one in made]},
    )
    assert classes_sentence(with_grid(made_sensitivity(classes=()))) == classes_sentence(with_grid(None)) == ""
    assert how_planted(with_grid(None)) == ""


def test_limits_that_were_switched_off_are_not_blamed_on_the_rows() -> None:
    run = replace(make_diagnosis(), sensitivity=None)
    assert sensitivity_sentence(run) == "Detection limits were not measured."
