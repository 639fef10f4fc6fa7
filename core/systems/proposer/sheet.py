"""What a proposer is shown, and the samples that are left to test its words on.

Wrong samples are chosen by loss alone, and so are right ones; ties by lot. If a text has nothing to do with the losses,
those of the other samples can then still be exchanged, whichever samples were shown
(docs/decisions/proposed-words.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.discovery.called import scope_rows
from core.discovery.design import design_of
from core.errors import InvalidInput
from core.records import EVERYTHING, I64, Diagnosis, Outcomes
from core.results import Finding

N_SIDE = 12
"""Wrong samples, and right ones, that are shown at most: a sheet of three rows. A convention."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Samples for a proposer."""

    wrong: I64
    """Those of the highest loss, at most one of related samples; only errors, if errors are known."""
    right: I64
    """Those of the lowest loss in the scope."""
    unseen: I64
    """Rows of the scope to test on: neither shown nor related to one that was."""
    scope: str
    about: str
    """Title of the finding; "" for the whole run."""

    @property
    def shown(self) -> I64:
        return np.concatenate([self.wrong, self.right])


def make_sheet(diagnosis: Diagnosis, finding: Finding | None = None, seen: Sequence[I64] = ()) -> Sheet:
    """Choose the samples to show.

    Args:
        diagnosis: the run.
        finding: a confirmed finding, of which the wrong samples are; the right ones are of its scope. None shows
            samples of the whole run.
        seen: rows of earlier sheets.

    Raises:
        InvalidInput: the finding is a hint, or nothing is wrong or right.
    """
    design = design_of(diagnosis)
    inside = np.arange(len(diagnosis.samples))
    scope = EVERYTHING
    about = ""
    if finding is not None:
        if finding.kind == "hint":
            raise InvalidInput(
                f'"{finding.title}" is a hint and may be noise, so words for it cannot be tested on this run. '
                "Choose a confirmed finding, or all samples."
            )
        inside = finding.rows
        scope = getattr(finding.record, "scope", EVERYTHING)
        about = finding.title
    of_scope = np.flatnonzero(scope_rows(diagnosis, scope, design))
    order = _worst_first(diagnosis.outcomes)
    errors = diagnosis.outcomes.errors
    worst = order[np.isin(order, inside)]
    best = order[np.isin(order, of_scope)][::-1]
    if errors is not None:
        worst = worst[errors[worst]]
        best = best[~errors[best]]
    groups = design.groups
    if groups is None:
        groups = np.arange(len(order))
    wrong = _one_of_each(worst[: len(worst) if errors is not None else len(worst) // 2], groups)
    right = _one_of_each(best[~np.isin(groups[best], groups[wrong])], groups)
    if not len(wrong) or not len(right):
        raise InvalidInput(
            "Words are proposed from wrong samples beside right ones, and one kind is missing here. Use another run."
        )
    shown = np.concatenate([wrong, right, *seen]).astype(np.int64)
    unseen = of_scope[~np.isin(groups[of_scope], groups[shown])]
    return Sheet(wrong, right, unseen, scope, about)


def _worst_first(outcomes: Outcomes) -> I64:
    """(n,) all rows: errors first, then by loss, ties by lot."""
    lot = np.random.default_rng(0).permutation(len(outcomes.loss))
    errors = outcomes.errors
    if errors is None:
        errors = np.zeros(len(lot), bool)
    return np.lexsort((lot, -outcomes.loss, ~errors))


def _one_of_each(rows: I64, groups: I64) -> I64:
    """The first `N_SIDE` of the rows, without a second one of a group."""
    first = np.sort(np.unique(groups[rows], return_index=True)[1])
    return rows[first[:N_SIDE]]
