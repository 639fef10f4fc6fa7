"""Classes that could not be tested are counted, with the reason; what most of a failing class goes through is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.records import Diagnosis, Outcomes
from core.reports.sections import classes
from core.reports.tables.findings import findings_table
from core.reports.terminal import text_summary
from core.reports.wording.classes import class_figures, class_name, through_sentence, untested_sentence, why_untested
from core.statistics.without import class_without
from tests.support.diagnoses import make_diagnosis


def test_a_class_that_is_too_small_is_counted_with_the_reason() -> None:
    made = make_diagnosis()
    classes = [f for f in made.classes if f.kind == "class"]
    tested = tuple(replace(f, p=0.4, confirmed=False) for f in classes)
    assert untested_sentence(replace(made, classes=tested)) == ""
    tiny = replace(classes[0], name="tram", size=4, p=None, confirmed=False)
    some = replace(made, classes=(*tested[1:], tiny))
    said = "1 class was not tested (fewer than 10 samples): tram (4)."
    assert untested_sentence(some) == said
    assert said in text_summary(some).splitlines()
    assert why_untested(some, tiny) == "fewer than 10 samples"
    assert why_untested(some, replace(tiny, kind="confusion")) == ""


def failing(inside: float, outside: float, *, errors: bool = True) -> Diagnosis:
    """240 samples of three classes: of the 80 buses 20 are dark and lost in so many of 20, of all others as many."""
    made = make_diagnosis(240, with_errors=errors)
    labels = np.arange(240) % 3
    place = np.arange(240) // 3  # within its class
    bus, dark = labels == made.samples.class_names.index("bus"), place < 20
    wrong = np.where(bus & dark, place % 20 < 20 * inside, np.where(bus, place % 20 < 20 * outside, place % 20 < 2))
    losses = wrong.astype(float)
    outcomes = Outcomes(losses, "0/1 error", "error", "given", errors=wrong if errors else None)
    insight = replace(
        made.insights[0],
        text="brightness at most 0.2",
        scope="bus",
        mask=bus & dark,
        size=20,
        confirmed=True,
        cluster=None,
    )
    classes = tuple(replace(f, confirmed=True, p=0.001) for f in made.classes if f.name == "bus")
    assert len(classes) == 1
    samples = replace(made.samples, labels=labels.astype(np.int64))
    return replace(made, samples=samples, outcomes=outcomes, clusters=(), insights=(insight,), classes=classes)


def test_a_class_that_fails_through_a_confirmed_condition_says_so() -> None:
    run = failing(0.9, 0.1)
    said = through_sentence(run, run.classes[0]).replace("\u00a0", " ")
    assert said == (
        "brightness at most 0.2 accounts for most of bus’s excess errors: without it, 10% of its other 60 are wrong, "
        "other classes 10% (not tested)."
    )
    assert said in text_summary(run).replace("\u00a0", " ").splitlines()
    assert findings_table(run)["sentence"][0].replace("\u00a0", " ").endswith(said)
    cluster = replace(make_diagnosis(240).clusters[0], membership=run.insights[0].mask.astype(float), scope="bus")
    by_cluster = through_sentence(replace(run, insights=(), clusters=(cluster,)), run.classes[0])
    assert by_cluster.startswith("Group 1 (")
    losses = failing(0.9, 0.1, errors=False)
    assert "the mean loss of its other 60 is 0.10, other classes 0.10" in through_sentence(losses, losses.classes[0])


def test_a_cluster_is_told_where_it_takes_about_as_much_as_the_best_condition() -> None:
    run = failing(0.9, 0.1)
    mask, errors = run.insights[0].mask, run.outcomes.errors
    assert errors is not None

    def told(missed: int) -> str:
        held = mask.copy()
        held[np.flatnonzero(mask & errors)[:missed]] = False
        cluster = replace(make_diagnosis(240).clusters[0], membership=held.astype(float), scope="bus")
        return through_sentence(replace(run, clusters=(cluster,)), run.classes[0])

    assert told(2).startswith("Group 1 (")
    assert told(7).startswith("brightness at most 0.2 accounts")  # less than 0.8, if more than half


def test_a_class_that_fails_without_it_too_says_nothing() -> None:
    run = failing(0.9, 0.8)
    assert class_without(run, run.classes[0]) is None
    through = failing(0.9, 0.1)
    assert class_without(replace(through, insights=()), through.classes[0]) is None
    exploratory = (replace(through.insights[0], confirmed=False, p=None),)
    assert class_without(replace(through, insights=exploratory), through.classes[0]) is None
    assert class_without(through, replace(through.classes[0], confirmed=False)) is None
    whole = replace(through.insights[0], mask=through.samples.labels == through.samples.class_names.index("bus"))
    assert class_without(replace(through, insights=(whole,)), through.classes[0]) is None


def test_of_a_finding_in_all_samples_the_rest_goes_without_its_own_too() -> None:
    run = failing(0.9, 0.1)
    dark = np.arange(240) // 3 < 20
    wide = replace(run.insights[0], scope="all samples", mask=dark)
    found = class_without(replace(run, insights=(wide,)), run.classes[0])
    assert found is not None
    assert found.taken == 20
    labels, errors = run.samples.labels, run.outcomes.errors
    assert labels is not None
    assert errors is not None
    others = labels != run.samples.class_names.index("bus")
    assert found.rest == pytest.approx(errors[others & ~dark].mean())


def test_a_class_with_an_arrow_in_its_name_is_no_pair() -> None:
    run = make_diagnosis()
    samples = replace(run.samples, class_names=("sun → moon", "car", "x"))
    arrows = replace(run, samples=samples)
    whole = replace(run.classes[0], name="sun → moon")
    pair = replace(run.classes[-1], name="sun → moon → x")
    assert class_name(arrows, whole) == "sun → moon"
    assert class_name(arrows, pair) == "sun → moon taken for x"
    assert class_name(run, run.classes[-1]) == "bus taken for tram"
    assert len(class_name(run, replace(whole, name="x" * 10_000))) < 100


def test_one_class_is_compared_with_no_other() -> None:
    run = make_diagnosis()
    only = replace(run.classes[0], size=60, p=None, confirmed=False)
    alone = replace(run, classes=(only,))
    assert "No class" not in " ".join(classes(alone).notes)
    assert class_figures(alone, only) == "35% wrong, the only class (not tested)"


def test_the_rate_of_a_pair_is_called_a_share_of_its_class() -> None:
    rows = {row.subject: row.measure for row in classes(make_diagnosis()).rows}
    assert rows == {"bus": "error rate", "bus taken for tram": "share of the class", "car": "error rate"}
