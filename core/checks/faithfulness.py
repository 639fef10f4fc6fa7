"""Whether the causes that sentences name tell failing samples from others: measured on rows that their choice did not
see.

The samples are cut in two halves, by class and with groups whole. Each half is diagnosed by itself and its causes are
looked for in the other, where the outcomes are then opened. So every row is judged by causes that were chosen without
it; a half has less to choose by than the run, so the run's own causes are, if anything, better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np

from core.checks.freeze import freeze
from core.checks.fresh import hold_back
from core.checks.fresh_samples import FreshSamples
from core.checks.reasons import failing, is_predictable, nearest_of_others, stands_out, worst_tenth
from core.data.samples import DataSet
from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import (
    F64,
    I64,
    UNDEFINED,
    Bool,
    CauseKind,
    Diagnosis,
    Estimate,
    Faithfulness,
    KindFaithfulness,
    NamedCause,
    Progress,
    no_progress,
)
from core.statistics.intervals import bootstrap
from core.statistics.ranking import auroc_of_places

KINDS: tuple[CauseKind, ...] = get_args(CauseKind)
PERMUTATIONS = 1000


def measure_faithfulness(diagnosis: Diagnosis, *, progress: Progress = no_progress) -> Faithfulness:
    """Choose causes on each half, and try them on the other.

    Args:
        progress: called as ("try the causes", half, 2), and by the diagnosis of each half with "half 1: " or "half 2: "
            before its steps; may raise `Cancelled`.
    """
    whole = DataSet(diagnosis.samples, diagnosis.outcomes, diagnosis.embeddings, (), (), diagnosis.words)
    named = {kind: np.zeros(len(diagnosis.samples), bool) for kind in KINDS}
    seen = np.zeros(len(diagnosis.samples), bool)
    causes: list[NamedCause] = []
    try:
        halves = hold_back(whole, 0.5, 0)
        for number, (chosen, other) in enumerate((halves, halves[::-1])):
            progress("try the causes", number, 2)
            half = _Half(diagnosis, chosen, other, _in_half(number + 1, progress))
            seen[half.rows] = True
            for kind, inside in half.named().items():
                named[kind][half.rows] = inside
            causes += half.causes()
    except InvalidInput as error:
        return Faithfulness(refused=str(error))
    progress("try the causes", 2, 2)
    rows = np.flatnonzero(seen)
    fails = failing(diagnosis)[rows]
    groups = diagnosis.samples.groups
    own = None if groups is None else groups[rows]
    tried = tuple(named[kind][rows] for kind in KINDS)
    measured = tuple(
        KindFaithfulness(kind, len(fails), int(fails.sum()), int(inside.sum()), *_told(inside, fails, own))
        for kind, inside in zip(KINDS, tried)
    )
    return Faithfulness(measured, tuple(causes))


def _in_half(number: int, progress: Progress) -> Progress:
    return lambda step, done, total: progress(f"half {number}: {step}", done, total)


class _Half:
    """One half diagnosed, and the other as it reads it."""

    def __init__(self, diagnosis: Diagnosis, chosen: DataSet, other: DataSet, progress: Progress) -> None:
        assert chosen.embeddings is not None
        said = diagnosis.settings
        permutations = min(int(said.get("n_permutations", PERMUTATIONS)), PERMUTATIONS)
        settings = Settings.of_run(said, n_permutations=permutations, map=False, sensitivity=False)
        self.found = diagnose_records(
            chosen.samples, chosen.outcomes, chosen.embeddings, words=chosen.words, settings=settings, progress=progress
        )
        self.fresh = FreshSamples.of(self.found, other)
        self.findings = freeze(self.found, self.fresh.design).findings
        place = {name: row for row, name in enumerate(diagnosis.samples.ids)}
        self.rows = np.array([place[name] for name in self.fresh.samples.ids], np.int64)
        self.fails = failing(diagnosis)[self.rows]

    def named(self) -> Mapping[str, Bool]:
        """(m,) of each kind of cause, whether it is named of each row of the other half."""
        m = len(self.rows)
        inside = {kind: np.zeros(m, bool) for kind in KINDS}
        for finding in self.findings:
            inside[finding.kind] |= self.fresh.matching(finding)
        weak = {c.name for c in self.found.classes if c.confirmed and c.kind == "class"}
        names = self.found.samples.class_names
        if weak:
            inside["class"] = np.array([at >= 0 and names[at] in weak for at in self.fresh.labels.tolist()], bool)
        if is_predictable(self.found):
            inside["worst tenth"] = self._expected() >= worst_tenth(self.found.estimate.predicted)
        known = np.any([inside[kind] for kind in KINDS], axis=0)
        inside["neighbours"] = known & self._neighbours()
        inside["any"] = np.any([inside[kind] for kind in KINDS if kind != "worst tenth"], axis=0)
        return inside

    def _expected(self) -> F64:
        labels = self.fresh.labels if len(self.fresh.design.class_of_label) else None
        given = self.fresh.embeddings.space == self.found.embeddings.space != "given"
        vectors = self.fresh.embeddings if given else self.fresh.embeddings.vectors
        return self.found.model.assign(vectors, labels=labels).predicted

    def _neighbours(self) -> Bool:
        fails = failing(self.found)
        known = self.found.embeddings.vectors
        near = nearest_of_others(self.fresh.embeddings.vectors, known)
        rate = float(fails.mean())
        return np.array([stands_out(int(fails[rows].sum()), len(rows), rate) for rows in near], bool)

    def causes(self) -> list[NamedCause]:
        found: list[NamedCause] = []
        groups = self.fresh.samples.groups
        for finding in self.findings:
            scope = self.fresh.scope(finding.scope)
            inside = self.fresh.matching(finding)
            area = _told(inside[scope], self.fails[scope], None if groups is None else groups[scope])[0]
            n = int(scope.sum())
            n_named = int(inside[scope].sum())
            found.append(NamedCause(finding.kind, finding.text, finding.scope, n, n_named, area))
        return found


def _told(inside: Bool, fails: Bool, groups: I64 | None) -> tuple[Estimate, float, float]:
    """(AUROC, share of failing rows inside, and outside)."""
    inner = float(fails[inside].mean()) if inside.any() else float("nan")
    outer = float(fails[~inside].mean()) if (~inside).any() else float("nan")
    if not inside.any():
        return UNDEFINED, inner, outer
    places = inside.astype(np.int64)
    rng = np.random.default_rng(0)
    area = bootstrap(lambda rows: auroc_of_places(places[rows], fails[rows]), len(fails), groups, rng)
    return area, inner, outer
