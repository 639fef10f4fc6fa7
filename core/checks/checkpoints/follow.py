"""Follow failure clusters over other checkpoints or versions of the model.

The members stay those of the run. They were chosen for the errors of the run's own model, so its rate in a cluster is
the corrected one, also if it is given as a checkpoint, and no change to or from it is tested there. The rates of the
others are plain. A relative of that model, for example the epoch before, partly shares the choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.checks.second_model import read_second
from core.data.tables.roles import Roles
from core.discovery.called import scope_rows
from core.errors import InvalidInput, quoted
from core.records import I64, UNDEFINED, Bool, Diagnosis, Estimate, FailureCluster, Progress, no_progress
from core.statistics.groups import groups_at
from core.statistics.intervals import accuracy_of
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm

MAX_CHECKPOINTS = 60
OWN_MODEL = (
    "is the run's own model (same errors), in whose errors the groups were chosen. Its rates in them are corrected, "
    "and changes to or from it are not tested."
)


@dataclass(frozen=True, slots=True, eq=False)
class FollowedCluster:
    """One cluster, or all samples, over c checkpoints."""

    cluster: FailureCluster | None
    """None for all samples."""
    baseline: Estimate
    """Error rate of the run's own model, corrected in a cluster."""
    rates: tuple[Estimate, ...]
    """(c,) error rates in it with 95% intervals each; undefined if a checkpoint answered none of its samples."""
    rest: tuple[float, ...]
    """(c,) error rates of the others in its scope; nan for all samples."""
    n: tuple[int, ...]
    """(c,) samples in it that were answered."""
    change: Estimate
    """Error rate of the last checkpoint minus that of the first, on the samples in it that both answered; undefined
    with one checkpoint, and in a cluster if either is the run's own model."""
    p: float | None
    """p of both being wrong equally often (McNemar; for groups, sign flips), adjusted (Holm) over the clusters; for all
    samples unadjusted. None if the change is undefined."""


@dataclass(frozen=True, slots=True, eq=False)
class FollowedRun:
    """All clusters of a run over c checkpoints."""

    names: tuple[str, ...]
    everything: FollowedCluster
    clusters: tuple[FollowedCluster, ...]
    notes: tuple[str, ...]


def in_order(tables: Sequence[Path]) -> list[Path]:
    """Sort tables by name, with numbers by size: epoch2 before epoch10."""
    return sorted(tables, key=_sort_key)


def by_number(tables: Sequence[Path]) -> list[Path]:
    """Keep the given order, which may be that of time; but sort if the names differ only in numbers, since a shell
    lists epoch10 before epoch2."""
    patterns: set[tuple[str, ...]] = set()
    for table in tables:
        patterns.add(tuple("" if part.isdecimal() else part for part in _parts(table)))
    if len(patterns) == 1:
        return in_order(tables)
    return list(tables)


def _sort_key(table: Path) -> list[tuple[bool, int, str]]:
    key: list[tuple[bool, int, str]] = []
    for part in _parts(table):
        if part.isdecimal():
            key.append((False, int(part), part))
        else:
            key.append((True, 0, part))
    return key


def _parts(table: Path) -> list[str]:
    return [part for part in re.split(r"(\d+)", table.stem.casefold()) if part]


def follow(
    diagnosis: Diagnosis, tables: Sequence[Path], roles: Roles = Roles(), *, progress: Progress = no_progress
) -> FollowedRun:
    """Measure the error rate of every confirmed cluster in each checkpoint.

    Args:
        tables: answers to the run's samples, in any form that `core.checks.second_model.read_second` takes, in order of
            time; a checkpoint has its table's name.
        roles: which column is which, in all of them.

    Raises:
        InvalidInput: no table, more than 60, or two with one name; the run's own errors are unknown; a table cannot be
            used.
    """
    if diagnosis.outcomes.errors is None:
        raise InvalidInput(
            "Only losses are known for this run, not errors, so there is nothing to follow. Diagnose with labels and "
            "predictions."
        )
    if not 1 <= len(tables) <= MAX_CHECKPOINTS:
        raise InvalidInput(f"1 to {MAX_CHECKPOINTS} tables can be followed: got {len(tables)}. Change the list.")
    names = [table.stem for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"Two tables are named {quoted(*twice)}. Rename one: each checkpoint needs its own name.")
    read = list[tuple[I64, Bool]]()
    notes = list[str]()
    for at, table in enumerate(tables):
        progress("read the checkpoints", at, len(tables))
        second = read_second(diagnosis, table, roles)
        assert second.outcomes.errors is not None
        read.append((second.rows, second.outcomes.errors))
        notes += [f"{table.stem}: {note}" for note in second.notes]
    progress("read the checkpoints", len(tables), len(tables))
    same = [at for at, (rows, wrong) in enumerate(read) if _is_own(diagnosis, rows, wrong)]
    notes += [f"{names[at]} {OWN_MODEL}" for at in same]
    clusters: list[FollowedCluster] = []
    for cluster in diagnosis.clusters:
        scope = scope_rows(diagnosis, cluster.scope)
        followed = _follow_set(diagnosis, read, cluster, cluster.membership >= 0.5, scope)
        clusters.append(_without_choice(followed, same))
    tested = [at for at, cluster in enumerate(clusters) if cluster.p is not None]
    adjusted = holm([clusters[at].p or 0.0 for at in tested]).tolist()
    for at, p in zip(tested, adjusted, strict=True):
        clusters[at] = replace(clusters[at], p=p)
    everything = _follow_set(diagnosis, read, None, np.ones(len(diagnosis.samples), bool), None)
    return FollowedRun(tuple(names), everything, tuple(clusters), tuple(notes))


def _is_own(diagnosis: Diagnosis, rows: I64, wrong: Bool) -> bool:
    """Whether a checkpoint is the run's own model: wrong on the same samples."""
    errors = diagnosis.outcomes.errors
    return errors is not None and bool(wrong.any()) and np.array_equal(wrong, errors[rows])


def _without_choice(cluster: FollowedCluster, same: Sequence[int]) -> FollowedCluster:
    """A cluster with the corrected rate at the checkpoints `same`, which are the run's own model."""
    rates = list(cluster.rates)
    for at in same:
        if cluster.n[at]:
            rates[at] = cluster.baseline
    cluster = replace(cluster, rates=tuple(rates))
    if 0 in same or len(rates) - 1 in same:
        return replace(cluster, change=UNDEFINED, p=None)
    return cluster


def _follow_set(
    diagnosis: Diagnosis,
    read: Sequence[tuple[I64, Bool]],
    cluster: FailureCluster | None,
    members: Bool,
    scope: Bool | None,
) -> FollowedCluster:
    groups = diagnosis.samples.groups
    errors = diagnosis.outcomes.errors
    assert errors is not None
    of = [(rows[members[rows]], wrong[members[rows]]) for rows, wrong in read]
    rates = [_rate(wrong, groups_at(groups, rows)) for rows, wrong in of]
    rest = [_rate_outside(rows, wrong, members, scope) for rows, wrong in read]
    change = UNDEFINED
    p = None
    if len(of) > 1:
        rows, first, last = np.intersect1d(of[0][0], of[-1][0], return_indices=True)
        if len(rows):
            a = of[-1][1][last]
            b = of[0][1][first]
            common = groups_at(groups, rows)
            change = paired_difference(a, b, common)
            p = paired_p(a, b, common)
    baseline = _rate(errors[members], groups_at(groups, members))
    if cluster is not None and cluster.error_rate is not None:
        baseline = cluster.error_rate
    return FollowedCluster(cluster, baseline, tuple(rates), tuple(rest), tuple(len(rows) for rows, _ in of), change, p)


def _rate(wrong: Bool, groups: I64 | None) -> Estimate:
    if not len(wrong):
        return UNDEFINED
    return accuracy_of(~wrong, groups)


def _rate_outside(rows: I64, wrong: Bool, members: Bool, scope: Bool | None) -> float:
    if scope is None:
        return float("nan")
    outside = (scope & ~members)[rows]
    if not outside.any():
        return float("nan")
    return float(wrong[outside].mean())
