"""Sheets: wrong samples beside right ones, chosen by loss alone, and what is left to test on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.run import Run
from core.systems.proposer.sheet import N_SIDE, make_sheet
from tests.support.diagnoses import make_diagnosis
from tests.support.planted_words import planted_run
from tests.support.proposers import blank_run


def test_the_worst_errors_stand_beside_the_surest_right_ones_and_neither_is_tested_on() -> None:
    run = blank_run(200, 1)
    sheet = make_sheet(run)
    order = np.argsort(-run.outcomes.loss)
    np.testing.assert_array_equal(sheet.wrong, order[:N_SIDE])
    np.testing.assert_array_equal(sheet.right, order[::-1][:N_SIDE])
    np.testing.assert_array_equal(sheet.unseen, np.setdiff1d(np.arange(200), sheet.shown))


def test_of_related_samples_one_is_shown_and_none_is_tested_on() -> None:
    run = blank_run(240, 2, groups=4)
    sheet = make_sheet(run)
    groups = run.samples.groups
    shown = groups[sheet.shown]
    assert len(np.unique(shown)) == len(shown) == 2 * N_SIDE
    assert not np.isin(groups[sheet.unseen], shown).any()
    assert len(sheet.unseen) == 240 - 4 * 2 * N_SIDE


def test_without_errors_the_highest_losses_stand_beside_the_lowest() -> None:
    run = blank_run(60, 3, errors=False)
    sheet = make_sheet(run)
    assert run.outcomes.loss[sheet.wrong].min() > run.outcomes.loss[sheet.right].max()
    few = make_sheet(replace(run, outcomes=replace(run.outcomes, loss=np.arange(60) % 2 * 1.0)))
    assert not np.isin(few.wrong, few.right).any()


def test_equal_losses_are_chosen_by_lot_and_not_by_their_place() -> None:
    run = blank_run(200, 4)
    errors = np.arange(200) % 2 == 0
    sheet = make_sheet(replace(run, outcomes=replace(run.outcomes, loss=errors * 1.0, errors=errors)))
    assert errors[sheet.wrong].all()
    assert not errors[sheet.right].any()
    assert sheet.wrong.max() > 100
    assert sheet.right.max() > 100


def test_the_sheet_of_a_finding_has_its_errors_and_right_samples_of_its_class() -> None:
    run = Run.of(planted_run("rare")[0])
    finding = next(f for f in run.findings if f.kind == "group")
    sheet = make_sheet(run, finding)
    labels = run.samples.labels
    assert np.isin(sheet.wrong, finding.rows).all()
    assert run.outcomes.errors[sheet.wrong].all()
    inside = labels == run.samples.class_names.index(finding.scope)
    assert inside[sheet.right].all()
    assert inside[sheet.unseen].all()
    assert (sheet.scope, sheet.about) == (finding.scope, finding.title)
    again = make_sheet(run, finding, [make_sheet(run).shown])
    assert not np.isin(again.unseen, make_sheet(run).shown).any()


def test_a_hint_and_a_run_without_errors_have_no_sheet() -> None:
    run = Run.of(make_diagnosis(60))
    hint = replace(run.findings[0], kind="hint")
    with pytest.raises(InvalidInput, match="is a hint and may be noise"):
        make_sheet(run, hint)
    right = replace(run.outcomes, errors=np.zeros(60, bool))
    with pytest.raises(InvalidInput, match="one kind is missing here"):
        make_sheet(replace(run, outcomes=right))
