"""Whether the causes that sentences name separate failing samples from others, measured on rows that did not choose
them.

The samples are cut in two halves, by class and with whole groups. Each half is diagnosed, and its causes are applied to
the other half, whose outcomes are then opened. So every row is judged by causes chosen without it. A half has less data
to choose with than the run, so the run's own causes are, if anything, better.
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
from core.statistics.groups import groups_at
from core.statistics.intervals import bootstrap
from core.statistics.ranking import auroc_of_places

CAUSE_KINDS: tuple[CauseKind, ...] = get_args(CauseKind)
MAX_PERMUTATIONS = 1000
"""Permutations at most in the diagnosis of a half: enough to compare p with 0.05 at a fifth of the usual time."""


def measure_faithfulness(diagnosis: Diagnosis, *, progress: Progress = no_progress) -> Faithfulness:
    """Choose causes on each half and test them on the other.

    Args:
        progress: called as ("try the causes", half, 2), and by the diagnosis of each half with "half 1: " or "half 2: "
            before its steps; may raise `Cancelled`.
    """
    whole = DataSet(diagnosis.samples, diagnosis.outcomes, diagnosis.embeddings, (), (), diagnosis.words)
    named = {kind: np.zeros(len(diagnosis.samples), bool) for kind in CAUSE_KINDS}
    seen = np.zeros(len(diagnosis.samples), bool)
    causes: list[NamedCause] = []
    try:
        halves = hold_back(whole, 0.5, 0)
        for number, (chosen, rest) in enumerate((halves, halves[::-1])):
            progress("try the causes", number, 2)
            half = _Half(diagnosis, chosen, rest, _in_half(number + 1, progress))
            seen[half.rows] = True
            for kind, inside in half.named().items():
                named[kind][half.rows] = inside
            causes += half.causes()
    except InvalidInput as error:
        return Faithfulness(refused=str(error))
    progress("try the causes", 2, 2)
    rows = np.flatnonzero(seen)
    fails = failing(diagnosis)[rows]
    groups = groups_at(diagnosis.samples.groups, rows)
    measured: list[KindFaithfulness] = []
    for kind in CAUSE_KINDS:
        inside = named[kind][rows]
        figures = _separation(inside, fails, groups)
        measured.append(KindFaithfulness(kind, len(fails), int(fails.sum()), int(inside.sum()), *figures))
    return Faithfulness(tuple(measured), tuple(causes))


def _in_half(number: int, progress: Progress) -> Progress:
    return lambda step, done, total: progress(f"half {number}: {step}", done, total)


class _Half:
    """The diagnosis of one half, and the other half matched against its findings."""

    def __init__(self, diagnosis: Diagnosis, chosen: DataSet, rest: DataSet, progress: Progress) -> None:
        assert chosen.embeddings is not None
        stored = diagnosis.settings
        permutations = min(int(stored.get("n_permutations", MAX_PERMUTATIONS)), MAX_PERMUTATIONS)
        settings = Settings.of_run(stored, n_permutations=permutations, map=False, sensitivity=False)
        self.diagnosis = diagnose_records(
            chosen.samples, chosen.outcomes, chosen.embeddings, words=chosen.words, settings=settings, progress=progress
        )
        self.fresh = FreshSamples.of(self.diagnosis, rest)
        self.findings = freeze(self.diagnosis, self.fresh.design).findings
        row_of_id = {name: row for row, name in enumerate(diagnosis.samples.ids)}
        self.rows = np.array([row_of_id[name] for name in self.fresh.samples.ids], np.int64)
        self.fails = failing(diagnosis)[self.rows]

    def named(self) -> Mapping[str, Bool]:
        """(m,) for each kind of cause, whether it applies to each row of the other half."""
        m = len(self.rows)
        inside = {kind: np.zeros(m, bool) for kind in CAUSE_KINDS}
        for finding in self.findings:
            inside[finding.kind] |= self.fresh.matching(finding)
        weak = {c.name for c in self.diagnosis.classes if c.confirmed and c.kind == "class"}
        names = self.diagnosis.samples.class_names
        if weak:
            inside["class"] = np.array([at >= 0 and names[at] in weak for at in self.fresh.labels.tolist()], bool)
        if is_predictable(self.diagnosis):
            inside["worst tenth"] = self._expected() >= worst_tenth(self.diagnosis.estimate.predicted)
        known = np.any([inside[kind] for kind in CAUSE_KINDS], axis=0)
        inside["neighbours"] = known & self._neighbours()
        inside["any"] = np.any([inside[kind] for kind in CAUSE_KINDS if kind != "worst tenth"], axis=0)
        return inside

    def _expected(self) -> F64:
        labels = None
        if len(self.fresh.design.class_of_label):
            labels = self.fresh.labels
        model = self.diagnosis.model
        if self.fresh.embeddings.space == self.diagnosis.embeddings.space != "given":
            return model.assign(self.fresh.embeddings, labels=labels).predicted
        return model.assign(self.fresh.embeddings.vectors, labels=labels).predicted

    def _neighbours(self) -> Bool:
        fails = failing(self.diagnosis)
        known = self.diagnosis.embeddings.vectors
        near = nearest_of_others(self.fresh.embeddings.vectors, known)
        rate = float(fails.mean())
        return np.array([stands_out(int(fails[rows].sum()), len(rows), rate) for rows in near], bool)

    def causes(self) -> list[NamedCause]:
        causes: list[NamedCause] = []
        for finding in self.findings:
            scope = self.fresh.scope(finding.scope)
            inside = self.fresh.matching(finding)
            groups = groups_at(self.fresh.samples.groups, scope)
            area = _separation(inside[scope], self.fails[scope], groups)[0]
            n = int(scope.sum())
            n_named = int(inside[scope].sum())
            causes.append(NamedCause(finding.kind, finding.text, finding.scope, n, n_named, area))
        return causes


def _separation(inside: Bool, fails: Bool, groups: I64 | None) -> tuple[Estimate, float, float]:
    """(AUROC, share of failing rows inside, share outside); nan without rows."""
    inner = float("nan")
    outer = float("nan")
    if (~inside).any():
        outer = float(fails[~inside].mean())
    if not inside.any():
        return UNDEFINED, inner, outer
    inner = float(fails[inside].mean())
    places = inside.astype(np.int64)
    rng = np.random.default_rng(0)
    area = bootstrap(lambda rows: auroc_of_places(places[rows], fails[rows]), len(fails), groups, rng)
    return area, inner, outer
