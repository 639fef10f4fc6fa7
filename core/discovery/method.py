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
from core.discovery.ensemble import FIT_STEP, LossRegressor, out_of_fold
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
from core.embeddings.projection import MAX_UMAP_ROWS, pca_map, umap_map
from core.errors import InvalidInput
from core.language.naming import name_cluster
from core.limits import MIN_SAMPLES, WHY_SO_MANY
from core.records import (
    F32,
    F64,
    I64,
    ClassFinding,
    Diagnosis,
    Embeddings,
    FailureCluster,
    FailureMap,
    Insight,
    LossEstimate,
    Outcomes,
    Progress,
    SampleSet,
    Sensitivity,
    Words,
    no_progress,
)

DESCRIBE_STEP = "Describing groups"
"""Name of the step in progress reports."""
MIN_CLIPPED_VARIANCE = 0.25
"""Share of the variance that the largest 1% of the losses must own before they are clipped. A convention: those of
normal losses own 8%, those of exponential ones 22%."""


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
    """Diagnose records: lay out the design, fit the ensemble, search and test, describe, map.

    Rows are processed in the order of their ids and returned in their original order, so that the order of a table
    does not change the result.

    Args:
        words: the samples in a space shared with texts, and the phrases to test; None tests none.
        names: (k, d) text vectors of the class names, by which many classes are grouped; None groups them by their
            embeddings.
        conditions: further members of the tested family, built without the losses.
        superclasses: groups of many classes from an earlier run; None forms them.

    Raises:
        InvalidInput: too few samples, or all losses are equal.
    """
    _check(samples, outcomes, embeddings)
    settings = replace(settings, n_permutations=settings.permutations(len(samples)))
    clipped = _clipped(outcomes)
    order = np.argsort(np.array(samples.ids), kind="stable")
    numbered = samples
    if samples.groups is not None:
        numbered = replace(samples, groups=_renumbered(samples.groups, order))
    ordered_words = None
    word_notes: tuple[str, ...] = ()
    if words is not None:
        ordered_words = words.keep(order)
        word_notes = words.notes
    ordered = _Inputs(
        numbered.keep(order),
        clipped.keep(order),
        embeddings,
        order,
        ordered_words,
        names,
        tuple(replace(condition, mask=condition.mask[order]) for condition in conditions),
        superclasses,
    )
    diagnosis = _describe(ordered, _search(ordered, settings, progress), settings, progress)
    diagnosis = reorder_rows(diagnosis, np.argsort(order, kind="stable"))
    return replace(
        diagnosis,
        samples=samples,
        outcomes=clipped,
        embeddings=embeddings,
        words=words,
        fingerprint=fingerprint(ordered.samples, outcomes.keep(order), embeddings, order),
        notes=(*notes, *word_notes, *diagnosis.notes),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """Inputs of `diagnose_records` in the order of the ids."""

    samples: SampleSet
    outcomes: Outcomes
    unordered: Embeddings
    """In their original order."""
    order: I64
    words: Words | None
    names: F32 | None
    conditions: tuple[Condition, ...] = ()
    superclasses: Superclasses | None = None

    def embeddings(self) -> Embeddings:
        """A copy in the order of the ids. With many rows it is the largest array of a run, so no caller keeps it."""
        return self.unordered.keep(self.order)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The ensemble, and the result of the search for clusters."""

    regressor: LossRegressor
    predicted: F64
    """(n,) out of fold."""
    spread: F64
    proposals: Proposals
    clusters: list[FoundCluster]
    test: FamilyTest
    measured: FailureMeasures
    alpha: float
    """The part of the run's level spent inside classes."""
    map: FailureMap | None
    """None where UMAP will draw it."""


def _renumbered(groups: I64, order: I64) -> I64:
    """The groups numbered by their first row in `order`, so that the numbers do not depend on the order of the
    table."""
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    names, inverse = np.unique(groups, return_inverse=True)
    first = np.full(len(names), len(order), np.int64)
    np.minimum.at(first, inverse, position)
    return first[inverse]


def _search(inputs: _Inputs, settings: Settings, progress: Progress) -> _Search:
    """Lay out the design, fit the ensemble, propose candidates, test them."""
    samples = inputs.samples
    outcomes = inputs.outcomes
    ordered = inputs.embeddings()
    rng = np.random.default_rng(settings.seed)
    seed = settings.seed
    superclasses = inputs.superclasses or superclasses_of(samples, ordered.vectors, inputs.names)
    design = narrowed(make_design(samples, superclasses, rng), settings.within)
    blocks = design.blocks
    groups = design.groups
    folds = design.folds
    features = Features(ordered.vectors, blocks)
    pca = None
    if not settings.map or len(samples) > MAX_UMAP_ROWS:
        pca = pca_map(ordered)  # drawn here, while the ordered copy is in memory
    del ordered
    regressor = LossRegressor(family=settings.family, n_members=settings.n_members, random_state=seed)  # type: ignore[arg-type]
    predicted, spread = out_of_fold(regressor, features.rows, outcomes.fitted, blocks, groups, folds, progress)
    n_fits = int(folds.max()) + 2  # one for each fold, and one for all rows
    regressor.fit(features.rows, outcomes.fitted, blocks, groups)
    progress(FIT_STEP, n_fits, n_fits)
    proposals = propose(design, features, samples.metadata, seed, inputs.words, inputs.conditions)
    progress(FIT_STEP, n_fits, n_fits)
    measured = measures(outcomes, design)
    alpha = settings.alpha - _class_alpha(samples, settings)
    clusters, test = find_clusters(proposals, measured, alpha=alpha, settings=settings, rng=rng, progress=progress)
    return _Search(regressor, predicted, spread, proposals, clusters, test, measured, alpha, pca)


def _class_alpha(samples: SampleSet, settings: Settings) -> float:
    """The part of alpha spent on whole classes; the rest is spent inside classes."""
    if not has_classes(samples):
        return 0.0
    return settings.alpha * CLASS_SHARE_OF_ALPHA


def _describe(inputs: _Inputs, search: _Search, settings: Settings, progress: Progress) -> Diagnosis:
    """The findings, measured and in words; the caller adds the fingerprint, and the embeddings in row order."""
    samples = inputs.samples
    outcomes = inputs.outcomes
    words = inputs.words
    seed = settings.seed
    proposals = search.proposals
    test = search.test
    design = search.proposals.design
    n_parts = 5
    progress(DESCRIBE_STEP, 0, n_parts)
    suspects, label_notes = suspected_label_errors(samples, outcomes)
    rows = proposals.features.rows
    progress(DESCRIBE_STEP, 1, n_parts)
    clusters, candidates, order = describe_clusters(search.clusters, samples, outcomes, design, rows, suspects)
    progress(DESCRIBE_STEP, 2, n_parts)
    insights = find_insights(ConditionResults(proposals, test, outcomes, samples.metadata), clusters)
    scope_rows = {scope.name: scope.rows for scope in design.scopes}

    def named(cluster: FailureCluster, insights: tuple[Insight, ...]) -> FailureCluster:
        rows = scope_rows[cluster.scope]
        return replace(cluster, called=name_cluster(cluster, insights, samples, outcomes, rows, words))

    clusters = tuple(named(cluster, insights) for cluster in clusters)
    candidates = tuple(named(candidate, ()) for candidate in candidates)  # no insight describes a candidate
    progress(DESCRIBE_STEP, 3, n_parts)
    tests = class_tests(samples, outcomes, design)
    sensitivity = None
    if settings.sensitivity:
        sensitivity = _sensitivity(search, samples, outcomes, tests, settings, progress)
    progress(DESCRIBE_STEP, 4, n_parts)
    classes: tuple[ClassFinding, ...] = ()
    if tests is not None:
        class_alpha = None
        if design.testable:
            class_alpha = _class_alpha(samples, settings)
        classes = tests.findings(class_alpha)
    predictability = predictability_of(
        test, design, outcomes, search.predicted, alpha=settings.predictability_alpha, seed=seed
    )
    assumed = assumptions(samples, outcomes, settings, testable=design.testable)
    progress(DESCRIBE_STEP, n_parts, n_parts)
    failure_map = search.map or umap_map(inputs.embeddings(), seed=seed, progress=progress)
    if settings.map and len(samples) > MAX_UMAP_ROWS:
        limit = f"Errata draws UMAP for up to {MAX_UMAP_ROWS:,} samples."
        assumed.append(f"The map shows two principal components: {limit}")
    return Diagnosis(
        samples=samples,
        outcomes=outcomes,
        embeddings=inputs.unordered,
        estimate=LossEstimate(search.predicted, search.spread, design.folds, predictability),
        classes=classes,
        clusters=clusters,
        candidates=candidates,
        insights=insights,
        detectable=smallest_detectable(sensitivity),
        sensitivity=sensitivity,
        label_errors=suspects,
        map=failure_map,
        settings=settings_of(settings, inputs.unordered, test.alpha),
        versions=versions(),
        fingerprint="",
        notes=(*design.notes, *proposals.notes, *label_notes, *assumed),
        model=_assigner(inputs.unordered, search, [search.clusters[i] for i in order]),
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
        if level:
            whole = ClassRows(samples.labels, groups, outcomes, level)
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
    """The run's model of new samples."""
    design = search.proposals.design
    return Assigner(
        search.regressor,
        search.proposals.features,
        tuple(cluster.rule for cluster in ranked),
        sum(cluster.confirmed for cluster in ranked),
        design.class_of_label,
        embeddings.encoder,
        embeddings.space,
        design.superclasses,
    )


def _check(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> None:
    n = len(samples)
    n_losses = len(outcomes.loss)
    n_vectors = len(embeddings)
    if not n == n_losses == n_vectors:
        raise InvalidInput(
            f"Samples, losses and embeddings must have the same length: got {n}, {n_losses} and {n_vectors}. "
            "Use one of each per row."
        )
    if n < MIN_SAMPLES:
        raise InvalidInput(f"At least {MIN_SAMPLES} samples are needed {WHY_SO_MANY}. There are {n}: add more rows.")
    if float(np.ptp(outcomes.fitted)) <= 0:
        raise InvalidInput(
            f"All {n:,} losses are equal ({outcomes.fitted[0]:g}), so there is nothing to explain. "
            "Check the loss column."
        )
    if samples.groups is not None and len(np.unique(samples.groups)) < 2:
        raise InvalidInput(
            f"All {n:,} samples have the same {samples.group_name or 'group'}, so none can be held out. "
            "Use another column of related rows, or none."
        )


def _clipped(outcomes: Outcomes) -> Outcomes:
    """The outcomes with a clip at the 99th percentile, where 1% of them own MIN_CLIPPED_VARIANCE.

    A squared-error fit would otherwise follow those few losses. Losses that already have a clip keep it.
    """
    if outcomes.clip is not None or len(np.unique(outcomes.loss)) <= 2:
        return outcomes
    clip = float(np.quantile(outcomes.loss, 0.99))
    if clip <= outcomes.loss.min():  # 99% of the losses are the least one: a clip would make all losses equal
        return outcomes
    squared = np.sort((outcomes.loss - outcomes.loss.mean()) ** 2)
    share = squared[-max(1, len(squared) // 100) :].sum() / max(float(squared.sum()), 1e-12)
    if share < MIN_CLIPPED_VARIANCE:
        return outcomes
    return replace(outcomes, clip=clip)
