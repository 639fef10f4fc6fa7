"""The whole method on one screen: samples + losses (+ embeddings) -> Diagnosis."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.assigner import Assigner, rules_of
from core.classes import class_findings, suspected_label_errors
from core.clusters import find_clusters
from core.detectable import smallest_detectable
from core.ensemble import FAMILIES, LossRegressor, out_of_fold
from core.errors import InvalidInput
from core.findings import describe_clusters
from core.insights import find_insights
from core.layout import Layout, failure_score, lay_out
from core.predictability import predictability_of
from core.projection import pca_map, umap_map
from core.proposals import propose
from core.records import F32, F64, I64, Bool, Column, Diagnosis, Embeddings, LossEstimate, Outcomes, Progress, SampleSet, no_progress
from core.regressors import Features, assign_folds
from core.statistics import Permuter

if TYPE_CHECKING:
    import pandas as pd

    from core.samples import Audit, Roles

FOLDS = 5
FEWEST_SAMPLES = 40
CLASS_SHARE_OF_ALPHA = 0.2
"""Of alpha, so much is spent at class level and the rest inside, so that a run claims anything at all with at most alpha."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is made; the same input, settings and seed give the same diagnosis."""

    alpha: float = 0.05
    seed: int = 0
    family: str = "ridge"
    n_members: int = 20
    n_permutations: int = 5000
    max_clusters: int = 10
    map: bool = True
    """False leaves the map at its PCA view, for speed."""

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise InvalidInput(f"alpha must lie between 0 and 0.5: got {self.alpha}. The usual choice is 0.05.")
        if self.family not in FAMILIES:
            raise InvalidInput(f"family must be one of {', '.join(FAMILIES)}: got {self.family!r}.")
        if self.n_permutations < 100:
            raise InvalidInput(f"n_permutations must be at least 100 (5,000 for a p that is reported): got {self.n_permutations}.")
        if self.alpha * (1 - CLASS_SHARE_OF_ALPHA) * (self.n_permutations + 1) < 1:
            raise InvalidInput(
                f"With alpha {self.alpha:g} and {self.n_permutations:,} permutations no p could be small enough: "
                f"set n_permutations to at least {int(np.ceil(1 / (self.alpha * (1 - CLASS_SHARE_OF_ALPHA)))):,}."
            )
        if not 1 <= self.max_clusters <= 50 or self.n_members < 2 or self.seed < 0:
            raise InvalidInput(
                f"max_clusters must be 1 to 50, n_members at least 2 and seed at least 0: got {self.max_clusters}, {self.n_members}, {self.seed}."
            )


def diagnose(
    table: str | Path | pd.DataFrame | None = None,
    *,
    images: str | Path | None = None,
    embeddings: str | Path | F32 | None = None,
    encoder: str = "embedded",
    roles: Roles | None = None,
    loss: str | None = None,
    settings: Settings = Settings(),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """Where the model fails on these samples, and how sure that is.

    Args:
        table: per-sample losses, or what they are computed from, and any metadata; a path or a DataFrame.
        images: zip, tar or folder of pictures; None if the table holds them or embeddings are given.
        embeddings: given vectors instead of an encoder: npy, npz, safetensors, or an (n, d) array in the table's row order.
        encoder: name of an encoder (`core.encoders.list_encoders`).
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
    from core.samples import Roles, read_audit  # reads pandas: not before it is needed

    roles = roles or Roles()
    audit = read_audit(table, images=images, embeddings=embeddings, roles=replace(roles, loss=loss) if loss else roles, progress=progress)
    audit = embed(audit, encoder, cache=cache, progress=progress)
    assert audit.embeddings is not None
    found = diagnose_records(audit.samples, audit.outcomes, audit.embeddings, settings=settings, notes=audit.notes, progress=progress)
    excluded = tuple((str(i), str(r)) for i, r in zip(audit.excluded["id"], audit.excluded["reason"]))
    return replace(found, excluded=excluded)


def embed(audit: Audit, encoder: str, *, cache: Path | None = None, progress: Progress = no_progress) -> Audit:
    """The audit with embeddings, measured properties and near-duplicate groups; unreadable images move to `excluded`."""
    import pandas as pd

    if audit.samples.images is None:
        if audit.embeddings is None:
            raise InvalidInput(
                "There are neither images nor embeddings to diagnose: add --images (zip, tar, folder) or --embeddings (npy, npz, ...)."
            )
        return audit
    from core.embeddings import read_images  # brings the encoder's runtime
    from core.encoders import load_encoder

    reading = read_images(audit.samples.images, load_encoder(encoder), cache=cache, progress=progress)
    if len(reading.kept) < FEWEST_SAMPLES:
        first = next(iter(reading.unreadable.values()), "none was found")
        raise InvalidInput(f"{len(reading.kept)} images could be read and at least {FEWEST_SAMPLES} are needed. The first problem: {first}")
    lost = pd.DataFrame(
        [{"id": audit.samples.ids[i], "row": i, "reason": why} for i, why in reading.unreadable.items()], columns=["id", "row", "reason"]
    )
    samples = audit.samples.keep(reading.kept)
    groups, note = _join_groups(samples.groups, reading.duplicate_groups)
    samples = replace(
        samples,
        metadata=(*samples.metadata, *reading.properties),
        groups=groups,
        group_name=samples.group_name or ("near-duplicate images" if groups is not None else ""),
    )
    notes = (*audit.notes, *reading.notes, *note)
    if len(lost):
        notes = (*notes, f"{len(lost):,} images could not be read and are left out; the reasons are in the list of excluded rows.")
    return replace(
        audit,
        samples=samples,
        outcomes=audit.outcomes.keep(reading.kept),
        embeddings=reading.embeddings if audit.embeddings is None else audit.embeddings.keep(reading.kept),
        excluded=pd.concat([audit.excluded, lost], ignore_index=True),
        notes=notes,
    )


def diagnose_records(
    samples: SampleSet,
    outcomes: Outcomes,
    embeddings: Embeddings,
    *,
    settings: Settings = Settings(),
    notes: tuple[str, ...] = (),
    progress: Progress = no_progress,
) -> Diagnosis:
    """The method itself, on records: lay out, fit the ensemble, search and test, describe, map.

    Raises:
        InvalidInput: too few samples, or all losses are equal.
    """
    _check(samples, outcomes, embeddings)
    outcomes = _clipped(outcomes)
    rng = np.random.default_rng(settings.seed)
    layout = lay_out(samples)
    groups = _useful(samples.groups)
    inside_alpha = settings.alpha * (1 - CLASS_SHARE_OF_ALPHA) if _has_classes(samples) else settings.alpha
    scores = failure_score(outcomes, layout)
    features = Features(embeddings.vectors, layout.blocks)
    n_groups = len(samples) if groups is None else len(np.unique(groups))
    folds = assign_folds(len(samples), layout.blocks, groups, min(FOLDS, n_groups), rng)

    regressor = LossRegressor(family=settings.family, n_members=settings.n_members, random_state=settings.seed)  # type: ignore[arg-type]
    predicted, spread = out_of_fold(regressor, features.rows, outcomes.fitted, layout.blocks, groups, folds, progress)
    regressor.fit(features.rows, outcomes.fitted, layout.blocks, groups)

    proposals = propose(features, layout, folds, samples.metadata, settings.seed)
    found, reading = find_clusters(
        proposals.family,
        features,
        proposals.parts,
        layout.blocks,
        scores,
        groups,
        alpha=inside_alpha,
        n_permutations=settings.n_permutations,
        max_clusters=settings.max_clusters,
        testable=layout.testable,
        rng=rng,
        progress=progress,
    )
    progress("describe", 0, 1)
    suspects, label_notes = suspected_label_errors(samples, outcomes)
    clusters, candidates, order = describe_clusters(found, samples, outcomes, layout, features.rows, suspects, seed=settings.seed)
    insights = find_insights(proposals, reading, layout, outcomes, scores, clusters, alpha=inside_alpha)
    permuter = Permuter(layout.blocks, groups)
    detectable = smallest_detectable(proposals.family, features, layout, outcomes, scores, reading, permuter, alpha=inside_alpha, seed=settings.seed)
    classes = class_findings(samples, outcomes, alpha=settings.alpha * CLASS_SHARE_OF_ALPHA, testable=layout.testable, seed=settings.seed)
    predictability = predictability_of(proposals.family, reading, outcomes, predicted, layout, groups, seed=settings.seed)
    progress("describe", 1, 1)
    mapped = umap_map(embeddings, seed=settings.seed, progress=progress) if settings.map else pca_map(embeddings)
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
        map=mapped,
        settings=_settings(settings, embeddings, inside_alpha),
        versions=versions(),
        fingerprint=fingerprint(samples, outcomes, embeddings),
        notes=(*notes, *layout.notes, *proposals.notes, *label_notes, *_assumptions(samples, outcomes, settings, layout)),
        model=Assigner(
            regressor,
            features,
            rules_of([found[i] for i in order]),
            len(clusters),
            layout.class_of_label,
            embeddings.encoder,
            embeddings.space,
        ),
    )


def diagnose_arrays(
    vectors: F32,
    losses: F64,
    *,
    labels: I64 | None = None,
    errors: Bool | None = None,
    groups: I64 | None = None,
    columns: tuple[Column, ...] = (),
    settings: Settings = Settings(map=False),
) -> Diagnosis:
    """The method on plain arrays: (n, d) vectors and (n,) losses that are fitted as they are. For benchmarks and notebooks."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    names = () if labels is None else tuple(str(c) for c in range(int(labels.max()) + 1))
    samples = SampleSet(tuple(str(i) for i in range(len(losses))), labels=labels, class_names=names, groups=groups, metadata=columns)
    outcomes = Outcomes(np.asarray(losses, np.float64), "loss", "loss", "given", errors=errors)
    return diagnose_records(samples, outcomes, Embeddings(unit.astype(np.float32), "given", "given"), settings=settings)


def _check(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> None:
    n = len(samples)
    if not n == len(outcomes.loss) == len(embeddings):
        raise InvalidInput(f"Samples, losses and embeddings must have the same length: got {n}, {len(outcomes.loss)} and {len(embeddings)}.")
    if n < FEWEST_SAMPLES:
        raise InvalidInput(f"At least {FEWEST_SAMPLES} samples are needed to test anything: got {n}. Bring more rows.")
    if float(np.ptp(outcomes.fitted)) <= 0:
        raise InvalidInput(f"All {n:,} losses are equal ({outcomes.fitted[0]:g}), so there is nothing to explain. Check the loss column.")


def _clipped(outcomes: Outcomes) -> Outcomes:
    """The outcomes with a clip at the 99th percentile where the largest hundredth of the losses owns a quarter of the variance."""
    squared = np.sort((outcomes.loss - outcomes.loss.mean()) ** 2)
    share = squared[-max(1, len(squared) // 100) :].sum() / max(float(squared.sum()), 1e-12)
    binary = len(np.unique(outcomes.loss)) <= 2
    return outcomes if outcomes.clip is not None or binary or share < 0.25 else replace(outcomes, clip=float(np.quantile(outcomes.loss, 0.99)))


def _has_classes(samples: SampleSet) -> bool:
    return samples.labels is not None and len(samples.class_names) > 1


def _useful(groups: I64 | None) -> I64 | None:
    """Groups, unless every row is one of its own."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else groups


def _join_groups(groups: I64 | None, duplicates: I64) -> tuple[I64 | None, tuple[str, ...]]:
    """Groups in which near-duplicates share one, and a note on how many images that concerns."""
    n = len(duplicates)
    counts = np.bincount(np.unique(duplicates, return_inverse=True)[1])
    twins = int(counts[counts > 1].sum())
    if not twins:
        return groups, ()
    note = f"{twins:,} images are near-duplicates of another ({int((counts > 1).sum()):,} sets) and are kept together as one group each."
    if groups is None:
        return np.unique(duplicates, return_inverse=True)[1].astype(np.int64), (note,)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = np.unique(groups, return_inverse=True)[1], np.unique(duplicates, return_inverse=True)[1]
    size = int(a.max()) + int(b.max()) + 2
    graph = coo_matrix((np.ones(n), (a, b + int(a.max()) + 1)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[a], return_inverse=True)[1].astype(np.int64), (note,)


def _assumptions(samples: SampleSet, outcomes: Outcomes, settings: Settings, layout: Layout) -> list[str]:
    said: list[str] = []
    if outcomes.is_proxy:
        said.append(f"No truth was given: {outcomes.name} is a proxy for the loss, so these are places of doubt, not of failure.")
    if outcomes.clip is not None and (outcomes.loss > outcomes.clip).any():
        count = int((outcomes.loss > outcomes.clip).sum())
        said.append(f"{count:,} losses above {outcomes.clip:.3g} {outcomes.unit} are counted as {outcomes.clip:.3g} in fits, tests and effects.")
    if settings.n_permutations < 5000:
        said.append(f"{settings.n_permutations:,} permutations are a preview; 5,000 or more are needed for a p that is reported.")
    if _has_classes(samples):
        said.append(
            f"Of alpha {settings.alpha:g}, {settings.alpha * CLASS_SHARE_OF_ALPHA:.2g} goes to whole classes and confusions, the rest inside classes."
        )
    return said


def _settings(settings: Settings, embeddings: Embeddings, inside_alpha: float) -> Mapping[str, Any]:
    return {**asdict(settings), "alpha_inside": inside_alpha, "encoder": embeddings.encoder, "space": embeddings.space, "folds": FOLDS}


def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    names = ("numpy", "scipy", "scikit-learn", "umap-learn", "pandas", "torch", "open_clip_torch")
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def fingerprint(samples: SampleSet, outcomes: Outcomes, embeddings: Embeddings) -> str:
    """SHA-256 of everything that the method reads."""
    digest = hashlib.sha256()
    arrays = (outcomes.loss, outcomes.errors, outcomes.scores, outcomes.predictions, embeddings.vectors, samples.labels, samples.groups)
    for array in arrays:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    for column in samples.metadata:
        digest.update(column.name.encode())
        digest.update(repr(column.values.tolist()).encode())
    digest.update("\0".join((*samples.ids, *samples.class_names)).encode())
    return digest.hexdigest()
