"""The method: from embeddings and losses to clusters, conditions, sentences and a predicted loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.discovery.assigner import Assigner, rules_of
from core.discovery.classes import class_findings, suspected_label_errors
from core.discovery.cluster_findings import describe_clusters
from core.discovery.cluster_phrases import read_texts
from core.discovery.clusters import find_clusters
from core.discovery.design import failure_score, make_design, superclasses_of
from core.discovery.ensemble import LossRegressor, out_of_fold
from core.discovery.insights import find_insights, phrase_p_values
from core.discovery.predictability import predictability_of
from core.discovery.proposals import propose
from core.discovery.provenance import FOLDS, assumptions, fingerprint, has_classes, settings_of, versions
from core.discovery.question_null import question_null
from core.discovery.regressors import Features, assign_folds
from core.discovery.row_order import reorder_rows
from core.discovery.sensitivity import smallest_detectable
from core.discovery.settings import CLASS_SHARE_OF_ALPHA, DEFAULTS, MIN_SAMPLES, WITHOUT_MAP, Settings
from core.embeddings.projection import pca_map, umap_map
from core.errors import InvalidInput
from core.records import (
    F32,
    F64,
    I64,
    Bool,
    Column,
    Diagnosis,
    Embeddings,
    LossEstimate,
    Outcomes,
    Progress,
    SampleSet,
    Words,
    no_progress,
)
from core.statistics.permutation import Permuter

if TYPE_CHECKING:
    pass


def diagnose_records(
    samples: SampleSet,
    outcomes: Outcomes,
    embeddings: Embeddings,
    *,
    words: Words | None = None,
    names: F32 | None = None,
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

    Raises:
        InvalidInput: too few samples, or all losses are equal.
    """
    _check(samples, outcomes, embeddings)
    clipped = _clipped(outcomes)
    order = np.argsort(np.array(samples.ids), kind="stable")
    ordered = None if words is None else words.keep(order)
    numbered = replace(samples, groups=None if samples.groups is None else _renumbered(samples.groups, order))
    found = _diagnose(
        numbered.keep(order), clipped.keep(order), embeddings.keep(order), ordered, names, settings, progress
    )
    found = reorder_rows(found, np.argsort(order, kind="stable"))
    said = () if words is None else words.notes
    return replace(
        found,
        samples=samples,
        outcomes=clipped,
        embeddings=embeddings,
        words=words,
        fingerprint=fingerprint(numbered.keep(order), outcomes.keep(order), embeddings.keep(order)),
        notes=(*notes, *said, *found.notes),
    )


def _renumbered(groups: I64, order: I64) -> I64:
    """The groups by another number: that of their first row in `order`, so that it does not depend on the order of the
    table."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    names, inverse = np.unique(groups, return_inverse=True)
    first = np.full(len(names), len(order), np.int64)
    np.minimum.at(first, inverse, place)
    return first[inverse]


def _diagnose(
    samples: SampleSet,
    outcomes: Outcomes,
    embeddings: Embeddings,
    words: Words | None,
    names: F32 | None,
    settings: Settings,
    progress: Progress,
) -> Diagnosis:
    rng, seed = np.random.default_rng(settings.seed), settings.seed
    superclasses = superclasses_of(samples, embeddings.vectors, names)
    layout, groups = make_design(samples, superclasses), _useful(samples.groups)
    blocks, scores = layout.blocks, failure_score(outcomes, layout)
    class_alpha = settings.alpha * CLASS_SHARE_OF_ALPHA if has_classes(samples) else 0.0
    alpha = settings.alpha - class_alpha

    features = Features(embeddings.vectors, blocks)
    n_groups = len(samples) if groups is None else len(np.unique(groups))
    folds = assign_folds(len(samples), blocks, groups, max(2, min(FOLDS, n_groups)), rng)
    regressor = LossRegressor(family=settings.family, n_members=settings.n_members, random_state=seed)  # type: ignore[arg-type]
    predicted, spread = out_of_fold(regressor, features.rows, outcomes.fitted, blocks, groups, folds, progress)
    regressor.fit(features.rows, outcomes.fitted, blocks, groups)

    proposals = propose(features, layout, folds, samples.metadata, seed, words)
    family = proposals.family
    found, reading = find_clusters(
        family,
        features,
        proposals.parts,
        blocks,
        scores,
        groups,
        alpha=alpha,
        n_permutations=settings.n_permutations,
        max_clusters=settings.max_clusters,
        testable=layout.testable,
        rng=rng,
        progress=progress,
    )

    progress("describe", 0, 1)
    suspects, label_notes = suspected_label_errors(samples, outcomes)
    clusters, candidates, order = describe_clusters(
        found, samples, outcomes, layout, features.rows, suspects, seed=seed
    )
    reader = (
        None
        if words is None
        else read_texts(words, outcomes, layout, groups, folds, n_members=settings.n_members, seed=seed)
    )
    insights = find_insights(
        proposals,
        reading,
        layout,
        outcomes,
        scores,
        clusters,
        alpha=alpha,
        folds=folds,
        groups=groups,
        reader=reader,
        columns=samples.metadata,
        seed=seed,
    )
    permuter = Permuter(blocks, groups)
    asked = None if words is None or not layout.testable else question_null(words, layout, scores, permuter, seed=seed)
    detectable = smallest_detectable(
        family, features, layout, outcomes, scores, reading, permuter, alpha=alpha, seed=seed
    )
    classes = class_findings(
        samples, outcomes, alpha=class_alpha, testable=layout.testable, seed=seed, superclasses=superclasses
    )
    predictability = predictability_of(family, reading, outcomes, predicted, layout, groups, seed=seed)
    rules = rules_of([found[i] for i in order])
    progress("describe", 1, 1)
    return Diagnosis(
        samples=samples,
        outcomes=outcomes,
        embeddings=embeddings,
        estimate=LossEstimate(predicted, spread, folds, predictability),
        classes=classes,
        clusters=clusters,
        candidates=candidates,
        insights=insights,
        detectable=detectable,
        label_errors=suspects,
        map=umap_map(embeddings, seed=seed, progress=progress) if settings.map else pca_map(embeddings),
        settings=settings_of(settings, embeddings, alpha),
        versions=versions(),
        fingerprint="",
        notes=(*layout.notes, *proposals.notes, *label_notes, *assumptions(samples, outcomes, settings)),
        model=Assigner(
            regressor,
            features,
            rules,
            len(clusters),
            layout.class_of_label,
            embeddings.encoder,
            embeddings.space,
            superclasses,
        ),
        words=words,
        question_null=asked,
        reader=reader,
        phrase_p=phrase_p_values(proposals, reading, len(layout.scopes)),
    )


def diagnose_arrays(
    vectors: F32,
    losses: F64,
    *,
    labels: I64 | None = None,
    errors: Bool | None = None,
    groups: I64 | None = None,
    columns: tuple[Column, ...] = (),
    words: Words | None = None,
    settings: Settings = WITHOUT_MAP,
) -> Diagnosis:
    """The method on plain arrays: (n, d) vectors and (n,) losses that are fitted as they are. For benchmarks and
    notebooks."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    names = () if labels is None else tuple(str(c) for c in range(int(labels.max()) + 1))
    samples = SampleSet(
        tuple(str(i) for i in range(len(losses))), labels=labels, class_names=names, groups=groups, metadata=columns
    )
    outcomes = Outcomes(np.asarray(losses, np.float64), "loss", "loss", "given", errors=errors)
    return diagnose_records(
        samples, outcomes, Embeddings(unit.astype(np.float32), "given", "given"), words=words, settings=settings
    )


def _check(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> None:
    n = len(samples)
    if not n == len(outcomes.loss) == len(embeddings):
        raise InvalidInput(
            f"Samples, losses and embeddings must have the same length: got {n}, {len(outcomes.loss)} "
            f"and {len(embeddings)}."
        )
    if n < MIN_SAMPLES:
        raise InvalidInput(f"At least {MIN_SAMPLES} samples are needed to test anything: got {n}. Bring more rows.")
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
    constant = clip <= outcomes.loss.min()  # 99 % of the losses are the least one: a clip would leave no difference
    return outcomes if outcomes.clip is not None or binary or constant or share < 0.25 else replace(outcomes, clip=clip)


def _useful(groups: I64 | None) -> I64 | None:
    """Groups, unless every row is one of its own."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else groups
