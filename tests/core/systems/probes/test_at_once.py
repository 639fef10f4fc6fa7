"""The zero-shot count of a group: what it counts, when it is made at once, and that it is made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import extensions
from core.encoders import EMBEDDED, ENCODERS
from core.records import OWN, Diagnosis
from core.systems.probes import at_once
from core.systems.probes.at_once import zero_shot_at_once, zero_shot_count
from core.systems.probes.records import results_of, with_results
from tests.support.showcase import add_words, make_showcase


@pytest.fixture
def streets(monkeypatch: pytest.MonkeyPatch) -> Diagnosis:
    """A run whose encoder counts as one that comes with Errata."""
    monkeypatch.setitem(ENCODERS, "plain", "tests.support.showcase:PlainEncoder")
    monkeypatch.setitem(EMBEDDED, "plain", "plain")
    return add_words(make_showcase(120))


def test_the_count_is_of_the_models_errors_among_the_rows(streets: Diagnosis) -> None:
    result = zero_shot_at_once(streets)
    assert result is not None
    assert result.outcomes.errors is not None
    assert streets.outcomes.errors is not None
    rows = np.flatnonzero(streets.clusters[0].membership >= 0.5)
    missed = [row for row in rows.tolist() if streets.outcomes.errors[row]]
    right = [row for row in missed if not result.outcomes.errors[row]]
    assert zero_shot_count(streets, rows) == (len(right), len(missed))
    assert extensions.second_opinion(streets, rows) == (len(right), len(missed))
    assert zero_shot_count(streets, np.flatnonzero(~streets.outcomes.errors)) is None


def test_it_runs_once_while_the_run_is_in_memory_and_a_stored_result_is_taken(
    streets: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = zero_shot_at_once(streets)
    monkeypatch.setattr(at_once, "run_probe", lambda *_: pytest.fail("it ran again"))
    assert zero_shot_at_once(streets) is result
    assert result is not None
    stored = with_results(replace(streets), (result,))
    assert zero_shot_at_once(stored) is results_of(stored)[0]


def test_nothing_is_counted_where_it_takes_long_or_cannot_be_known(
    streets: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.arange(120)
    assert zero_shot_count(replace(streets, words=None), rows) is None
    losses = replace(streets.outcomes, errors=None, predictions=None, scores=None)
    assert zero_shot_count(replace(streets, outcomes=losses), rows) is None
    assert zero_shot_count(replace(streets, extras={OWN: "zero-shot"}), rows) is None
    monkeypatch.setattr(at_once, "MAX_SECONDS", 0.0)
    assert zero_shot_count(replace(streets), rows) is None
    monkeypatch.delitem(EMBEDDED, "plain")
    monkeypatch.setattr(at_once, "MAX_SECONDS", 2.0)
    assert zero_shot_at_once(replace(streets)) is None
