"""The alarm: are these rows separate samples? Contents raise it and losses only support it, since losses alone are
alike side by side in any table that is sorted by error, by prediction or by a hidden sub-class.

A shuffle of single rows claims failures that are not there where rows of one film, patient or burst fail together:
docs/decisions/dependence.md has what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.data.tables.roles import BY_NAMES, NOT_RELATED
from core.discovery.dependence.carriers import Key, Order, keys, orders
from core.discovery.dependence.contents import Contents, Evidence, split_stretches
from core.discovery.dependence.sets import in_small_sets
from core.discovery.design import MIN_GROUPS
from core.errors import InvalidInput, quoted
from core.limits import MIN_SAMPLES
from core.records import F32, I64, Dependence, Outcomes, SampleSet
from core.statistics.groups import joined

MIN_SHARE = 0.5
"""Share of the nearest neighbors beside their row, beyond chance, that is enough by itself: .67 to 1 in films, patients
and bursts, .35 to .44 in tables sorted by a sub-class of 40 rows, .02 in shuffled ones."""
MIN_Z = 4.0
"""Contents beside each other are alike beyond chance."""
MIN_LIKENESS = 0.1
"""With a smaller share they are at least so alike,"""
MIN_CONCENTRATED = 0.7
"""and as near as in films and bursts (.67 to 1), not as in a table sorted by a sub-class of 40 rows (.46 to .64),"""
MIN_LOSS_Z = 3.0
"""and their losses are alike beyond class and content."""
MIN_STRETCHES = 40
"""Stretches along an order that are shuffled at least. On tuning seeds at least 40, of twice the reach, claimed in 2 of
49 runs, and 28 that end where contents change in 1 of 12."""
STRETCH_REACHES = 2.0
"""Stretches are so many times as long as contents are alike. Of one, two and four reaches 7, 4 and 4 of 40 runs
claimed, on tuning seeds."""
MIN_ALIKE = 0.25
"""Rows are alike up to the distance at which likeness falls below this share of that side by side. A convention."""


@dataclass(frozen=True, slots=True, eq=False)
class _Related:
    """What the alarm found, over the rows that it looked at."""

    dependence: Dependence
    unit: str
    """What a group is called."""
    groups: I64 | None
    columns: tuple[str, ...] = ()
    """Columns that are identities: they leave the conditions."""


def relate_rows(
    samples: SampleSet, outcomes: Outcomes, vectors: F32, answer: str = ""
) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples with groups of related rows where rows are not separate samples, and notes; as they are elsewhere.

    Args:
        samples: in the table's order. Groups, if any, are those of near-duplicates; one row of each is looked at.
        vectors: (n, d) embeddings.
        answer: how the user says that rows are related: BY_NAMES, BY_ORDER, NOT_RELATED, or "" to look.

    Raises:
        InvalidInput: rows are said to be related by names that form too few groups.
    """
    n = len(samples)
    if answer == NOT_RELATED or not n == len(outcomes.loss) == len(vectors):
        return samples, ()
    rows = np.arange(n)
    copies = rows
    if samples.groups is not None:
        copies = np.unique(samples.groups, return_inverse=True)[1]
        rows = np.sort(np.unique(copies, return_index=True)[1])
    if len(rows) < MIN_SAMPLES:  # frames of a still film: nearly all rows are near-duplicates
        rows = np.arange(n)
    related = _find(samples.keep(rows), outcomes.keep(rows), vectors[rows] if len(rows) < n else vectors, answer)
    if related is None:
        return samples, ()
    dependence = related.dependence
    groups = samples.groups
    name = samples.group_name
    if related.groups is not None:
        groups = joined(int(copies.max()) + 1, copies[rows], related.groups)[copies]
        n_groups = len(np.unique(groups))
        least = MIN_STRETCHES if dependence.kind == "order" else MIN_GROUPS
        asks = n_groups < least and not answer
        dependence = replace(dependence, n_groups=n_groups, asks=asks)
        name = related.unit
        if n_groups < 2:
            groups = samples.groups
            name = samples.group_name
    notes: tuple[str, ...] = ()
    if related.columns:
        verb = "names" if len(related.columns) == 1 else "name"
        notes = (f"{quoted(*related.columns)} {verb} related rows, so not tested as conditions.",)
    metadata = tuple(column for column in samples.metadata if column.name not in related.columns)
    return replace(samples, groups=groups, group_name=name, dependence=dependence, metadata=metadata), notes


def _find(samples: SampleSet, outcomes: Outcomes, vectors: F32, answer: str) -> _Related | None:
    """What relates the rows: the coarsest key that fires, else an order, else the embedding alone."""
    rng = np.random.default_rng(0)
    labels = np.zeros(len(samples), np.int64)
    if samples.labels is not None and np.bincount(samples.labels).max() > 1:
        labels = samples.labels
    contents = Contents(vectors, labels, rng)
    if answer == BY_NAMES:
        return _by_names(samples, outcomes, contents, rng)
    if not answer:
        firing = _firing_keys(samples, outcomes, contents, rng)
        if firing:
            key, evidence = min(firing, key=lambda pair: (pair[0].groups.max(), not pair[0].column))
            columns = tuple(dict.fromkeys(key.column for key, _ in firing if key.column))
            return _Related(Dependence("key", key.name, evidence.share), key.unit, key.groups, columns)
    best: tuple[Order, Evidence] | None = None
    for order in orders(samples, outcomes, labels):
        evidence = contents.along(order)
        if best is not None and evidence.share <= best[1].share:
            continue
        if (
            answer
            or _fires(evidence)
            or (_alike(evidence) and contents.losses_along(order, outcomes, rng) >= MIN_LOSS_Z)
        ):
            best = order, evidence
    if best is not None:
        order, evidence = best
        stretches, reach = split_stretches(contents, order, STRETCH_REACHES, MIN_ALIKE)
        return _Related(Dependence("order", order.name, evidence.share, reach=reach), "stretch", stretches)
    if answer:
        raise InvalidInput(
            "The table is sorted by an outcome, so its order relates no rows. "
            "Name a column with --group, or say --group none."
        )
    share = in_small_sets(contents.projected, rng)
    if share:
        return _Related(Dependence("sets", "the embedding", share, asks=True), "", None)
    return None


def _firing_keys(
    samples: SampleSet, outcomes: Outcomes, contents: Contents, rng: np.random.Generator
) -> list[tuple[Key, Evidence]]:
    firing = list[tuple[Key, Evidence]]()
    for key in keys(samples):
        if key.groups.max() + 1 < MIN_GROUPS:
            continue
        evidence = contents.sharing(key, rng)
        supported = _alike(evidence) and contents.losses_sharing(key.groups, outcomes, rng) >= MIN_LOSS_Z
        if _fires(evidence) or supported:
            firing.append((key, evidence))
    return firing


def _by_names(samples: SampleSet, outcomes: Outcomes, contents: Contents, rng: np.random.Generator) -> _Related:
    """The coarsest names that fire, else the coarsest that form enough groups.

    Raises:
        InvalidInput: none do.
    """
    named = [key for key in keys(samples) if not key.column and key.groups.max() + 1 >= MIN_GROUPS]
    if not named:
        raise InvalidInput(
            f"File names form fewer than {MIN_GROUPS} groups of rows. Name a column with --group, or say --group order."
        )
    firing = [key for key, _ in _firing_keys(samples, outcomes, contents, rng) if not key.column]
    key = min(firing or named, key=lambda key: key.groups.max())
    return _Related(Dependence("key", key.name, contents.sharing(key, rng).share), key.unit, key.groups)


def _fires(evidence: Evidence) -> bool:
    """Whether contents alone are enough."""
    return evidence.beyond_chance >= MIN_SHARE and evidence.z >= MIN_Z


def _alike(evidence: Evidence) -> bool:
    """Whether contents are enough where losses support them."""
    alike = evidence.z >= MIN_Z and evidence.likeness >= MIN_LIKENESS
    return alike and evidence.concentrated >= MIN_CONCENTRATED
