"""The method: from embeddings and losses to clusters, conditions, sentences and a predicted loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discovery.assigner import Assigner
from core.discovery.classes import ClassTests, class_tests, suspected_label_errors
from core.discovery.cluster_findings import describe_clusters
from core.discovery.clusters import FoundCluster, find_clusters
from core.discovery.condition_results import ConditionResults
from core.discovery.conditions import Condition
from core.discovery.design import FailureMeasures, make_design, measures, narrowed, superclasses_of
from core.discovery.ensemble import LossRegressor, out_of_fold
from core.discovery.insights import find_insights
from core.discovery.predictability import predictability_of
from core.discovery.proposals import Proposals, propose
from core.discovery.provenance import assumptions, fingerprint, has_classes, settings_of, versions
from core.discovery.ridge.features import Features
from core.discovery.row_order import reorder_rows
from core.discovery.search.family_test import FamilyTest
from core.discovery.sensitivity.power import measure_sensitivity, smallest_detectable
from core.discovery.sensitivity.whole_classes import ClassRows
from core.discovery.settings import CLASS_SHARE_OF_ALPHA, DEFAULTS, Settings
from core.discovery.superclasses import Superclasses
from core.embeddings.projection import MOST_MAPPED, pca_map, umap_map
from core.errors import InvalidInput
from core.language.naming import name_cluster
from core.limits import MIN_SAMPLES, WHY_SO_MANY
from core.records import (
    F32,
    F64,
    I64,
    Diagnosis,
    Embeddings,
    FailureMap,
    LossEstimate,
    Outcomes,
    Progress,
    SampleSet,
    Sensitivity,
    Words,
    no_progress,
)


def diagnose_records(
    samples: SampleSet,
    outcomes: Outcomes,
    embeddings: Embeddings,
    *,
    words: Words | None = None,
    names: F32 | None = None,
    conditions: Sequence[Condition] = (),
    superclasses: Superclasses | None = None,
    settings: Settings = DEFAULTS,
    notes: tuple[str, ...] = (),
    progress: Progress = no_progress,
) -> Diagnosis:
    """The method itself, on records: lay out, fit the ensemble, search and test, describe, map.

    The rows are worked on in the order of their ids and handed back in their own, so that the order of a table changes
    nothing.

    Args:
        words: the samples in a space shared with texts, and the phrases to test; None tests none.
        names: (k, d) text vectors of the class names, by which many classes are grouped; None groups them by their
            embeddings.
        conditions: more members of the tested family, made without a look at the losses.
        superclasses: of many classes, those of an earlier run; None groups them anew.

    Raises:
        InvalidInput: too few samples, or all losses are equal.
    """
    _check(samples, outcomes, embeddings)
    settings = replace(settings, n_permutations=settings.permutations(len(samples)))
    clipped = _clipped(outcomes)
    order = np.argsort(np.array(samples.ids), kind="stable")
    numbered = replace(samples, groups=None if samples.groups is None else _renumbered(samples.groups, order))
    kept = None if words is None else words.keep(order)
    more = tuple(replace(condition, mask=condition.mask[order]) for condition in conditions)
    ordered = _Inputs(numbered.keep(order), clipped.keep(order), embeddings, order, kept, names, more, superclasses)
    found = _describe(ordered, _search(ordered, settings, progress), settings, progress)
    found = reorder_rows(found, np.argsort(order, kind="stable"))
    return replace(
        found,
        samples=samples,
        outcomes=clipped,
        embeddings=embeddings,
        words=words,
        fingerprint=fingerprint(ordered.samples, outcomes.keep(order), embeddings, order),
        notes=(*notes, *(() if words is None else words.notes), *found.notes),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """What `diagnose_records` was given, in the order of the ids."""

    samples: SampleSet
    outcomes: Outcomes
    given: Embeddings
    """In their own order."""
    order: I64
    words: Words | None
    names: F32 | None
    conditions: tuple[Condition, ...] = ()
    superclasses: Superclasses | None = None

    def embeddings(self) -> Embeddings:
        """In the order of the ids: a copy, of many rows the largest thing there is, so nobody keeps it."""
        return self.given.keep(self.order)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The ensemble, and what the search for clusters came to."""

    regressor: LossRegressor
    predicted: F64
    """(n,) out of fold."""
    spread: F64
    proposals: Proposals
    found: list[FoundCluster]
    test: FamilyTest
    measured: FailureMeasures
    alpha: float
    """What of the run's level was spent inside classes."""
    drawn: FailureMap | None
    """None where UMAP is to draw it."""


def _renumbered(groups: I64, order: I64) -> I64:
    """The groups by another number: that of their first row in `order`, so that it does not depend on the order of the
    table."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    names, inverse = np.unique(groups, return_inverse=True)
    first = np.full(len(names), len(order), np.int64)
    np.minimum.at(first, inverse, place)
    return first[inverse]


def _search(inputs: _Inputs, settings: Settings, progress: Progress) -> _Search:
    """Lay out, fit the ensemble, propose, test."""
    samples = inputs.samples
    outcomes = inputs.outcomes
    ordered = inputs.embeddings()
    rng = np.random.default_rng(settings.seed)
    seed = settings.seed
    grouped = inputs.superclasses or superclasses_of(samples, ordered.vectors, inputs.names)
    design = narrowed(make_design(samples, grouped, rng), settings.within)
    blocks = design.blocks
    groups = design.groups
    folds = design.folds
    features = Features(ordered.vectors, blocks)
    drawn = None if settings.map and len(samples) <= MOST_MAPPED else pca_map(ordered)  # while the copy is there
    del ordered
    regressor = LossRegressor(family=settings.family, n_members=settings.n_members, random_state=seed)  # type: ignore[arg-type]
    predicted, spread = out_of_fold(regressor, features.rows, outcomes.fitted, blocks, groups, folds, progress)
    n_fits = int(folds.max()) + 2  # a fold each, and all rows
    regressor.fit(features.rows, outcomes.fitted, blocks, groups)
    progress("fit the ensemble", n_fits, n_fits)
    proposals = propose(design, features, samples.metadata, seed, inputs.words, inputs.conditions)
    progress("fit the ensemble", n_fits, n_fits)
    measured = measures(outcomes, design)
    alpha = settings.alpha - _class_alpha(samples, settings)
    found, test = find_clusters(proposals, measured, alpha=alpha, settings=settings, rng=rng, progress=progress)
    return _Search(regressor, predicted, spread, proposals, found, test, measured, alpha, drawn)


def _class_alpha(samples: SampleSet, settings: Settings) -> float:
    """What of alpha is spent at class level; the rest is spent inside classes."""
    return settings.alpha * CLASS_SHARE_OF_ALPHA if has_classes(samples) else 0.0


def _describe(inputs: _Inputs, search: _Search, settings: Settings, progress: Progress) -> Diagnosis:
    """What was found, measured and put in words; the fingerprint, and embeddings in the order of the rest, are left to
    the caller."""
    samples = inputs.samples
    outcomes = inputs.outcomes
    words = inputs.words
    seed = settings.seed
    proposals = search.proposals
    test = search.test
    design = search.proposals.design
    n_parts = 5
    progress("describe", 0, n_parts)
    suspects, label_notes = suspected_label_errors(samples, outcomes)
    rows = proposals.features.rows
    progress("describe", 1, n_parts)
    clusters, candidates, order = describe_clusters(search.found, samples, outcomes, design, rows, suspects)
    progress("describe", 2, n_parts)
    insights = find_insights(ConditionResults(proposals, test, outcomes, samples.metadata), clusters)
    scope_rows = {scope.name: scope.rows for scope in design.scopes}
    clusters, candidates = (
        tuple(replace(c, called=name_cluster(c, told, samples, outcomes, scope_rows[c.scope], words)) for c in found)
        for found, told in ((clusters, insights), (candidates, ()))
    )
    progress("describe", 3, n_parts)
    tests = class_tests(samples, outcomes, design)
    alpha = _class_alpha(samples, settings)
    sensitivity = _sensitivity(search, samples, outcomes, tests, settings, progress) if settings.sensitivity else None
    progress("describe", 4, n_parts)
    classes = () if tests is None else tests.findings(alpha if design.testable else None)
    predictability = predictability_of(
        test, design, outcomes, search.predicted, alpha=settings.predictability_alpha, seed=seed
    )
    assumed = assumptions(samples, outcomes, settings, testable=design.testable)
    progress("describe", n_parts, n_parts)
    drawn = search.drawn or umap_map(inputs.embeddings(), seed=seed, progress=progress)
    if settings.map and len(samples) > MOST_MAPPED:
        assumed.append(f"The map shows two principal components: UMAP is not drawn of over {MOST_MAPPED:,} samples.")
    return Diagnosis(
        samples=samples,
        outcomes=outcomes,
        embeddings=inputs.given,
        estimate=LossEstimate(search.predicted, search.spread, design.folds, predictability),
        classes=classes,
        clusters=clusters,
        candidates=candidates,
        insights=insights,
        detectable=smallest_detectable(sensitivity),
        sensitivity=sensitivity,
        label_errors=suspects,
        map=drawn,
        settings=settings_of(settings, inputs.given, test.alpha),
        versions=versions(),
        fingerprint="",
        notes=(*design.notes, *proposals.notes, *label_notes, *assumed),
        model=_assigner(inputs.given, search, [search.found[i] for i in order]),
        words=words,
        family_null=test.null if test.is_permuted else None,
    )


def _sensitivity(
    search: _Search,
    samples: SampleSet,
    outcomes: Outcomes,
    tests: ClassTests | None,
    settings: Settings,
    progress: Progress,
) -> Sensitivity | None:
    groups = search.proposals.design.given_groups
    whole = None
    if tests is not None and samples.labels is not None:
        level = tests.first_level(_class_alpha(samples, settings))
        whole = ClassRows(samples.labels, groups, outcomes, level) if level else None
    return measure_sensitivity(
        search.proposals,
        search.test,
        search.measured,
        outcomes,
        alpha=search.alpha,
        predictability_alpha=settings.predictability_alpha,
        classes=whole,
        seed=settings.seed,
        progress=progress,
    )


def _assigner(embeddings: Embeddings, search: _Search, ranked: list[FoundCluster]) -> Assigner:
    """What the run knows about samples that it has not seen."""
    regressor = search.regressor
    features = search.proposals.features
    design = search.proposals.design
    rules = tuple(cluster.rule for cluster in ranked)
    n_confirmed = sum(cluster.confirmed for cluster in ranked)
    known = design.class_of_label
    space = embeddings.space
    return Assigner(regressor, features, rules, n_confirmed, known, embeddings.encoder, space, design.superclasses)


def _check(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> None:
    n = len(samples)
    n_losses = len(outcomes.loss)
    n_vectors = len(embeddings)
    if not n == n_losses == n_vectors:
        raise InvalidInput(
            f"Samples, losses and embeddings must have the same length: got {n}, {n_losses} and {n_vectors}."
        )
    if n < MIN_SAMPLES:
        raise InvalidInput(f"At least {MIN_SAMPLES} samples are needed {WHY_SO_MANY}. There are {n}: bring more rows.")
    if float(np.ptp(outcomes.fitted)) <= 0:
        raise InvalidInput(
            f"All {n:,} losses are equal ({outcomes.fitted[0]:g}), so there is nothing to explain. "
            "Check the loss column."
        )
    if samples.groups is not None and len(np.unique(samples.groups)) < 2:
        named = samples.group_name or "group"
        raise InvalidInput(
            f"All {n:,} samples are one group ({named}), so none can be held out. "
            "Name another group column or none, or bring others."
        )


def _clipped(outcomes: Outcomes) -> Outcomes:
    """The outcomes with a clip at the 99th percentile where the largest hundredth of the losses owns a quarter of the
    variance."""
    squared = np.sort((outcomes.loss - outcomes.loss.mean()) ** 2)
    share = squared[-max(1, len(squared) // 100) :].sum() / max(float(squared.sum()), 1e-12)
    clip = float(np.quantile(outcomes.loss, 0.99))
    binary = len(np.unique(outcomes.loss)) <= 2
    constant = clip <= outcomes.loss.min()  # 99% of the losses are the least one: a clip would leave no difference
    return outcomes if outcomes.clip is not None or binary or constant or share < 0.25 else replace(outcomes, clip=clip)
