"""The whole method on one screen: samples + losses (+ embeddings) -> Diagnosis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.assigner import Assigner, rules_of
from core.classes import class_findings, suspected_label_errors
from core.clusters import find_clusters
from core.detectable import smallest_detectable
from core.embeddings.projection import pca_map, umap_map
from core.ensemble import LossRegressor, out_of_fold
from core.errors import InvalidInput
from core.findings import describe_clusters
from core.insights import find_insights, phrase_p_values
from core.layout import failure_score, lay_out, needs_superclasses, superclasses_of
from core.phrases import read_texts
from core.predictability import predictability_of
from core.proposals import propose
from core.provenance import FOLDS, assumptions, fingerprint, has_classes, settings_of, versions
from core.question_null import question_null
from core.records import F32, F64, I64, Bool, Column, Diagnosis, Embeddings, LossEstimate, Outcomes, Progress, SampleSet, Words, no_progress
from core.regressors import Features, assign_folds
from core.reorder import in_order
from core.settings import CLASS_SHARE_OF_ALPHA, FEWEST_SAMPLES, Settings
from core.statistics.permutation import Permuter
from core.superclasses import name_vectors

if TYPE_CHECKING:
    import pandas as pd

    from core.data.samples import Audit
    from core.data.tables.roles import Roles

DEFAULTS, WITHOUT_MAP = Settings(), Settings(map=False)


def diagnose(
    table: str | Path | pd.DataFrame | None = None,
    *,
    images: str | Path | None = None,
    embeddings: str | Path | F32 | None = None,
    encoder: str = "embedded",
    naming: str | None = None,
    vocabulary: Path | None = None,
    hold_back: float = 0.0,
    roles: Roles | None = None,
    loss: str | None = None,
    settings: Settings = DEFAULTS,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Where the model fails on these samples, and how sure that is.

    Args:
        table: per-sample losses, or what they are computed from, and any metadata; a path or a DataFrame.
        images: zip, tar or folder of pictures; None if the table holds them or embeddings are given.
        embeddings: given vectors instead of an encoder: npy, npz, safetensors, or an (n, d) array in the table's row order.
        encoder: name of an encoder (`core.encoders.list_encoders`). Where embeddings are given, failures are found in those, and
            the encoder, if there are images, only finds the words.
        naming: another encoder to find the words with, such as a CLIP beside a network that knows the domain.
        vocabulary: the user's own phrases (see docs/phrases.md) in place of those that ship.
        hold_back: so much of the data, 0.05 to 0.5, is hidden from the diagnosis and then predicted by it; 0 hides nothing.
        roles: which column plays which part; usual names are recognised.
        loss: shortcut for `Roles(loss=...)`.
        cache: where embeddings are kept between runs.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: what was brought cannot be used; the message says what to do.

    Example:
        >>> diagnosis = diagnose("val.csv", images="val.zip", loss="loss")  # doctest: +SKIP
        >>> [(c.name, c.size, c.p) for c in diagnosis.clusters]  # doctest: +SKIP
    """
    from core.data.samples import read_audit  # reads tables with pandas: not before it is needed
    from core.data.tables.roles import Roles

    roles = roles or Roles()
    audit = read_audit(table, images=images, embeddings=embeddings, roles=replace(roles, loss=loss) if loss else roles, progress=progress)
    return diagnose_audit(
        audit, encoder=encoder, naming=naming, vocabulary=vocabulary, hold_back=hold_back, settings=settings, cache=cache, progress=progress
    )


def diagnose_audit(
    audit: Audit,
    *,
    encoder: str = "embedded",
    naming: str | None = None,
    vocabulary: Path | None = None,
    hold_back: float = 0.0,
    settings: Settings = DEFAULTS,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis of an audit that was read already; see `diagnose` for the arguments."""
    from core.intake import embed  # reads tables with pandas: not before it is needed

    audit = embed(audit, encoder, naming=naming, vocabulary=vocabulary, words=settings.words, cache=cache, progress=progress)
    held = None
    if hold_back:
        from core.fresh import hold_back as split

        audit, held = split(audit, hold_back, settings.seed)
    assert audit.embeddings is not None
    names = None
    if needs_superclasses(audit.samples) and audit.samples.images is not None:
        from core.encoders import load_encoder

        names = name_vectors(load_encoder(naming or encoder), audit.samples.class_names, cache)
    found = diagnose_records(
        audit.samples, audit.outcomes, audit.embeddings, words=audit.words, names=names, settings=settings, notes=audit.notes, progress=progress
    )
    excluded = tuple((str(i), str(r)) for i, r in zip(audit.excluded["id"], audit.excluded["reason"]))
    found = replace(found, excluded=excluded)
    if held is None:
        return found
    from core.predict import predict

    share = len(held.samples) / (len(held.samples) + len(audit.samples))
    whole = "" if abs(share - hold_back) < 0.03 else f" ({share:.0%} where {hold_back:.0%} was asked: groups are kept whole)"
    note = f"{len(held.samples):,} samples were held back{whole}: nothing in this run looked at them but the prediction."
    held = replace(held, excluded=held.excluded.iloc[:0])
    prediction = predict(found, held, source=f"{len(held.samples):,} held-back samples")
    return replace(found, prediction=prediction, notes=(note, *found.notes))


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

    The rows are worked on in the order of their ids and handed back in their own, so that the order of a table changes nothing.

    Args:
        words: the samples in a space shared with texts, and the phrases to test; None tests none.
        names: (k, d) text vectors of the class names, by which many classes are grouped; None groups them by their embeddings.

    Raises:
        InvalidInput: too few samples, or all losses are equal.
    """
    _check(samples, outcomes, embeddings)
    clipped = _clipped(outcomes)
    order = np.argsort(np.array(samples.ids), kind="stable")
    ordered = None if words is None else words.keep(order)
    numbered = replace(samples, groups=None if samples.groups is None else _renumbered(samples.groups, order))
    found = _diagnose(numbered.keep(order), clipped.keep(order), embeddings.keep(order), ordered, names, settings, progress)
    found = in_order(found, np.argsort(order, kind="stable"))
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
    """The groups by another number: that of their first row in `order`, so that it does not depend on the order of the table."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    names, inverse = np.unique(groups, return_inverse=True)
    first = np.full(len(names), len(order), np.int64)
    np.minimum.at(first, inverse, place)
    return first[inverse]


def _diagnose(
    samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings, words: Words | None, names: F32 | None, settings: Settings, progress: Progress
) -> Diagnosis:
    rng, seed = np.random.default_rng(settings.seed), settings.seed
    superclasses = superclasses_of(samples, embeddings.vectors, names)
    layout, groups = lay_out(samples, superclasses), _useful(samples.groups)
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
    clusters, candidates, order = describe_clusters(found, samples, outcomes, layout, features.rows, suspects, seed=seed)
    reader = None if words is None else read_texts(words, outcomes, layout, groups, folds, n_members=settings.n_members, seed=seed)
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
    detectable = smallest_detectable(family, features, layout, outcomes, scores, reading, permuter, alpha=alpha, seed=seed)
    classes = class_findings(samples, outcomes, alpha=class_alpha, testable=layout.testable, seed=seed, superclasses=superclasses)
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
        model=Assigner(regressor, features, rules, len(clusters), layout.class_of_label, embeddings.encoder, embeddings.space, superclasses),
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
    """The method on plain arrays: (n, d) vectors and (n,) losses that are fitted as they are. For benchmarks and notebooks."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    names = () if labels is None else tuple(str(c) for c in range(int(labels.max()) + 1))
    samples = SampleSet(tuple(str(i) for i in range(len(losses))), labels=labels, class_names=names, groups=groups, metadata=columns)
    outcomes = Outcomes(np.asarray(losses, np.float64), "loss", "loss", "given", errors=errors)
    return diagnose_records(samples, outcomes, Embeddings(unit.astype(np.float32), "given", "given"), words=words, settings=settings)


def _check(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> None:
    n = len(samples)
    if not n == len(outcomes.loss) == len(embeddings):
        raise InvalidInput(f"Samples, losses and embeddings must have the same length: got {n}, {len(outcomes.loss)} and {len(embeddings)}.")
    if n < FEWEST_SAMPLES:
        raise InvalidInput(f"At least {FEWEST_SAMPLES} samples are needed to test anything: got {n}. Bring more rows.")
    if float(np.ptp(outcomes.fitted)) <= 0:
        raise InvalidInput(f"All {n:,} losses are equal ({outcomes.fitted[0]:g}), so there is nothing to explain. Check the loss column.")
    if samples.groups is not None and len(np.unique(samples.groups)) < 2:
        named = samples.group_name or "group"
        raise InvalidInput(f"All {n:,} samples are one group ({named}), so none can be held out. Name another group column or none, or bring others.")


def _clipped(outcomes: Outcomes) -> Outcomes:
    """The outcomes with a clip at the 99th percentile where the largest hundredth of the losses owns a quarter of the variance."""
    squared = np.sort((outcomes.loss - outcomes.loss.mean()) ** 2)
    share = squared[-max(1, len(squared) // 100) :].sum() / max(float(squared.sum()), 1e-12)
    clip = float(np.quantile(outcomes.loss, 0.99))
    binary = len(np.unique(outcomes.loss)) <= 2
    constant = clip <= outcomes.loss.min()  # 99 % of the losses are the least one: a clip would leave no difference
    return outcomes if outcomes.clip is not None or binary or constant or share < 0.25 else replace(outcomes, clip=clip)


def _useful(groups: I64 | None) -> I64 | None:
    """Groups, unless every row is one of its own."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else groups
