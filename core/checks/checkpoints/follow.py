"""Failure clusters that were found once and are then followed over other checkpoints or versions of the model.

The members stay those that the run found. In the run's own model they were chosen for their errors, so its rate in a
cluster is the corrected one, also where it is brought as a checkpoint, and no change to or from it is tested there. The
others' rates are plain. A relative of that model, such as the epoch before, shares the choice in part.
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
from core.statistics.intervals import accuracy_of
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm

MOST_CHECKPOINTS = 60
OWN_MODEL = (
    "is wrong on the same samples as the run's own model, in whose errors the clusters were chosen: its rate in them "
    "is the corrected one, and no change to or from it is tested there."
)


@dataclass(frozen=True, slots=True, eq=False)
class FollowedCluster:
    """One cluster, or all samples, over c checkpoints."""

    cluster: FailureCluster | None
    """None for all samples."""
    own: Estimate
    """Error rate of the run's own model, corrected in a cluster."""
    rates: tuple[Estimate, ...]
    """(c,) error rates in it with 95% intervals each; undefined where a checkpoint answered none of its samples."""
    rest: tuple[float, ...]
    """(c,) error rates in the rest of its scope; nan for all samples."""
    n: tuple[int, ...]
    """(c,) samples in it that were answered."""
    change: Estimate
    """Error rate of the last checkpoint minus that of the first, on the samples in it that both answered; undefined
    with one checkpoint, and in a cluster where either is the run's own model."""
    p: float | None
    """That the two are wrong equally often (McNemar; by groups, sign flips), adjusted (Holm) over the clusters; of all
    samples as it is. None where the change is undefined."""


@dataclass(frozen=True, slots=True, eq=False)
class FollowedRun:
    """All clusters of a run over c checkpoints."""

    names: tuple[str, ...]
    everything: FollowedCluster
    clusters: tuple[FollowedCluster, ...]
    notes: tuple[str, ...]


def in_order(tables: Sequence[Path]) -> list[Path]:
    """The tables by name, numbers in it by size: epoch2 before epoch10."""
    return sorted(tables, key=lambda t: [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in _parts(t)])


def by_number(tables: Sequence[Path]) -> list[Path]:
    """As they are given, which may be the order of time; `in_order` where their names differ in numbers alone, since a
    shell writes epoch10 before epoch2."""
    kinds = {tuple("" if part.isdecimal() else part for part in _parts(table)) for table in tables}
    return in_order(tables) if len(kinds) == 1 else list(tables)


def _parts(table: Path) -> list[str]:
    return [part for part in re.split(r"(\d+)", table.stem.casefold()) if part]


def follow(
    diagnosis: Diagnosis, tables: Sequence[Path], roles: Roles = Roles(), *, progress: Progress = no_progress
) -> FollowedRun:
    """The error rate of every confirmed cluster in each checkpoint.

    Args:
        tables: answers to the run's samples as `core.checks.second_model.read_second` takes them, in order of time; a
            checkpoint is called by its table's name.
        roles: which column is which, in all of them.

    Raises:
        InvalidInput: no table, or more than 60, or two of one name; the run's own errors are unknown; a table cannot be
            used.
    """
    if diagnosis.outcomes.errors is None:
        raise InvalidInput(
            "Of this run's model only losses are known, not which answers were wrong: nothing to follow."
        )
    if not 1 <= len(tables) <= MOST_CHECKPOINTS:
        raise InvalidInput(f"1 to {MOST_CHECKPOINTS} tables can be followed: got {len(tables)}.")
    names = [table.stem for table in tables]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"Two tables are called {quoted(*twice)}: give each checkpoint a name of its own.")
    read = list[tuple[I64, Bool]]()
    notes = list[str]()
    for at, table in enumerate(tables):
        progress("read the checkpoints", at, len(tables))
        second = read_second(diagnosis, table, roles)
        assert second.outcomes.errors is not None
        read.append((second.rows, second.outcomes.errors))
        notes += [f"{table.stem}: {note}" for note in second.notes]
    progress("read the checkpoints", len(tables), len(tables))
    inside = [(c, c.membership >= 0.5, scope_rows(diagnosis, c.scope)) for c in diagnosis.clusters]
    same = [at for at, one in enumerate(read) if _is_own(diagnosis, *one)]
    notes += [f"{names[at]} {OWN_MODEL}" for at in same]
    clusters = [_without_choice(_followed(diagnosis, read, *one), same) for one in inside]
    tested = [place for place, one in enumerate(clusters) if one.p is not None]
    adjusted = dict(zip(tested, holm([clusters[place].p or 0.0 for place in tested]).tolist(), strict=True))
    everything = _followed(diagnosis, read, None, np.ones(len(diagnosis.samples), bool), None)
    return FollowedRun(
        tuple(names),
        everything,
        tuple(replace(one, p=adjusted.get(place)) for place, one in enumerate(clusters)),
        tuple(notes),
    )


def _is_own(diagnosis: Diagnosis, rows: I64, wrong: Bool) -> bool:
    """Whether a checkpoint is the run's own model: wrong on the same samples."""
    errors = diagnosis.outcomes.errors
    return errors is not None and bool(wrong.any()) and np.array_equal(wrong, errors[rows])


def _without_choice(one: FollowedCluster, same: Sequence[int]) -> FollowedCluster:
    """A cluster with the corrected rate at the places `same`, which are the run's own model."""
    rates = tuple(one.own if at in same and one.n[at] else rate for at, rate in enumerate(one.rates))
    if 0 in same or len(rates) - 1 in same:
        return replace(one, rates=rates, change=UNDEFINED, p=None)
    return replace(one, rates=rates)


def _followed(
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
    rates = [_rate(wrong, None if groups is None else groups[rows]) for rows, wrong in of]
    rest = [_outside(rows, wrong, members, scope) for rows, wrong in read]
    change = UNDEFINED
    p = None
    if len(of) > 1:
        rows, first, last = np.intersect1d(of[0][0], of[-1][0], return_indices=True)
        if len(rows):
            a = of[-1][1][last]
            b = of[0][1][first]
            common = None if groups is None else groups[rows]
            change = paired_difference(a, b, common)
            p = paired_p(a, b, common)
    own = _rate(errors[members], None if groups is None else groups[members])
    if cluster is not None and cluster.error_rate is not None:
        own = cluster.error_rate
    return FollowedCluster(cluster, own, tuple(rates), tuple(rest), tuple(len(rows) for rows, _ in of), change, p)


def _rate(wrong: Bool, groups: I64 | None) -> Estimate:
    return accuracy_of(~wrong, groups) if len(wrong) else UNDEFINED


def _outside(rows: I64, wrong: Bool, members: Bool, scope: Bool | None) -> float:
    if scope is None:
        return float("nan")
    outside = (scope & ~members)[rows]
    return float(wrong[outside].mean()) if outside.any() else float("nan")
