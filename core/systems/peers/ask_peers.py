"""What other engines propose on the samples of a run, beside its clusters: where two agree, a finding is worth more.

A peer's slice carries no p of its own: it was found on the very samples that it is read on. Beside it stands one p for
the engine: what it proposes from one half of the samples, read on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Diagnosis, Progress, no_progress
from core.statistics.groups import term_sums
from core.statistics.max_t import max_t
from core.statistics.permutation import permutation_p, studentised_excess
from core.statistics.permuter import Permuter
from core.systems.peers.engines import ENGINES, load_engine
from core.systems.peers.engines.rows import EngineRows, engine_scores, fit_engine

SPLITS = 5
PERMUTATIONS = 499
LEAST_JACCARD = 0.25
TIMES_CHANCE = 2.0
"""Two agree from that share on, and from so many times what sets of their sizes have by chance (0.03 of two that hold a
twentieth of the samples)."""


@dataclass(frozen=True, slots=True, eq=False)
class PeerSlice:
    """A slice that an engine proposes: about the twentieth of the samples that belong to it most (`top_rows`)."""

    engine: str
    rank: int
    """0 is its first."""
    rows: I64
    mean_loss: float
    error_rate: float | None
    mostly: str
    """The class of most of them, "" without classes."""
    cluster: int | None
    """The cluster of the run that it agrees with most, at that cluster's size; None if with none."""
    jaccard: float
    """With that cluster; 0 without."""

    @property
    def called(self) -> str:
        """Such as "domino, slice 2"."""
        return f"{self.engine}, slice {self.rank + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class PeerOpinion:
    """One engine on all samples."""

    engine: str
    slices: tuple[PeerSlice, ...] = ()
    p: float | None = None
    """That losses are no higher, class by class, in what it finds on one half of the samples and reads on the other:
    twice the median over five splits (Meinshausen et al. 2009, JASA 104), the largest of its slices counting. None
    where `untested` says why."""
    untested: str = ""
    refused: str = ""
    """Why it has no slices."""


WITHOUT_PROBABILITIES = (
    "It reads the probability that the model gives each class, and this run has none. Diagnose a table that has a "
    "column of probabilities for each class."
)


@dataclass(frozen=True, slots=True)
class PeerAgreement:
    """Two slices, or a slice and a cluster, that hold many of the same samples."""

    one: str
    other: str
    jaccard: float
    """Samples in both over samples in either."""


@dataclass(frozen=True, slots=True, eq=False)
class PeerReport:
    """What was asked and came of it."""

    opinions: tuple[PeerOpinion, ...]
    agreements: tuple[PeerAgreement, ...]
    """From `LEAST_JACCARD` on, the closest first."""


def ask_peers(
    diagnosis: Diagnosis, engines: Sequence[str], *, seed: int = 0, progress: Progress = no_progress
) -> PeerReport:
    """The slices of these engines on the samples of the run, each beside its clusters and beside each other.

    Raises:
        InvalidInput: no engine is named, one of them is unknown, or named twice.
        Cancelled: from `progress`.
    """
    unknown = [name for name in engines if name not in ENGINES]
    if unknown or not engines or len(set(engines)) < len(engines):
        said = f"there is no engine {unknown[0][:60]!r}" if unknown else "name at least one engine, and each once"
        raise InvalidInput(f"Peers cannot be asked: {said}. Use {', '.join(ENGINES)}.")
    rows = rows_of(diagnosis)
    opinions = list[PeerOpinion]()
    for i, name in enumerate(engines):
        progress("ask other engines", i, len(engines))
        opinions.append(_opinion(diagnosis, rows, name, seed))
    progress("ask other engines", len(engines), len(engines))
    return PeerReport(tuple(opinions), tuple(_agreements(diagnosis, opinions)))


def rows_of(diagnosis: Diagnosis) -> EngineRows:
    """The samples of a run as engines see them; without classes all are of one."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    words = diagnosis.words
    labels = np.zeros(len(samples), np.int64) if samples.labels is None else samples.labels
    likeness = None if words is None else (words.joint.vectors @ words.directions.T).astype(np.float32)
    phrases = () if words is None else words.phrases
    probabilities = None if samples.labels is None else outcomes.scores
    vectors = diagnosis.embeddings.vectors
    return EngineRows(vectors, labels, outcomes.fitted, outcomes.errors, probabilities, likeness, phrases)


def _opinion(diagnosis: Diagnosis, rows: EngineRows, name: str, seed: int) -> PeerOpinion:
    if "probabilities" in load_engine(name).needs and rows.probabilities is None:
        return PeerOpinion(name, refused=WITHOUT_PROBABILITIES)
    try:
        scores = _scores(name, rows, rows, seed)
    except InvalidInput as error:
        return PeerOpinion(name, refused=str(error))
    apart = [rank for rank, column in enumerate(scores.T) if _tells_apart(column, rows)]
    if not apart:
        return PeerOpinion(name, refused=_why_none(rows))
    slices = tuple(_slice(diagnosis, name, rank, scores[:, rank]) for rank in apart)
    if "probabilities" in load_engine(name).needs:
        return PeerOpinion(
            name, slices, untested="it reads the outcomes of the very rows that it scores: no test is fair"
        )
    try:
        return PeerOpinion(name, slices, engine_p(name, rows, diagnosis.samples.groups, seed))
    except InvalidInput as error:
        return PeerOpinion(name, slices, untested=f"its halves cannot be read: {error}")


def _are_equal(rows: EngineRows) -> bool:
    return not np.ptp(rows.embeddings, axis=0).any()


def _tells_apart(scores: F64, rows: EngineRows) -> bool:
    """Whether some samples belong to the slice more than others; where all vectors are equal, others of their class."""
    labels = rows.labels if _are_equal(rows) else np.zeros(len(rows), np.int64)
    return any(scores[labels == label].max() > scores[labels == label].min() for label in np.unique(labels))


def _why_none(rows: EngineRows) -> str:
    """Why every sample is as much of a slice as any other."""
    if _are_equal(rows):
        return (
            f"all {len(rows):,} samples have the same vector, and equal vectors cannot be sliced. Diagnose with the "
            "vectors of an encoder that tells the samples apart."
        )
    return "it scores all samples alike, so that none of its slices is apart from the rest."


def _scores(name: str, fitted: EngineRows, asked: EngineRows, seed: int) -> F64:
    engine = load_engine(name)
    if hasattr(engine, "seed"):
        setattr(engine, "seed", seed)  # noqa: B010
    return engine_scores(fit_engine(engine, fitted), asked)


def _slice(diagnosis: Diagnosis, name: str, rank: int, scores: F64) -> PeerSlice:
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    rows = top_rows(scores, top_count(len(scores)))
    mostly = ""
    if samples.labels is not None and samples.class_names:
        mostly = samples.class_names[int(np.bincount(np.maximum(samples.labels[rows], 0)).argmax())]
    matches = [
        agreement(top_rows(scores, c.size), np.flatnonzero(c.membership >= 0.5), len(scores))
        for c in diagnosis.clusters
    ]
    best = int(np.argmax(matches)) if any(matches) else None
    error_rate = None if outcomes.errors is None else float(outcomes.errors[rows].mean())
    mean = float(outcomes.loss[rows].mean())
    return PeerSlice(name, rank, rows, mean, error_rate, mostly, best, 0.0 if best is None else matches[best])


def top_count(n: int) -> int:
    """How many of n samples stand for a slice: a twentieth, at least ten."""
    return min(n, max(10, n // 20))


def top_rows(scores: F64, n: int) -> I64:
    """The n rows of highest score, ascending. Where more have the n-th score, none of those, or all if no row has a
    higher one: a slice that rows are in or not is taken whole."""
    cut = np.partition(scores, len(scores) - n)[len(scores) - n]
    found = scores >= cut
    if found.sum() > n and (scores > cut).any():
        found = scores > cut
    return np.flatnonzero(found)


def agreement(a: I64, b: I64, n: int) -> float:
    """The Jaccard index of two sets of the n samples, 0 where it is too low to speak of (`LEAST_JACCARD`)."""
    shared = len(np.intersect1d(a, b))
    chance = len(a) * len(b) / n
    found, by_chance = (both / max(len(a) + len(b) - both, 1e-12) for both in (shared, chance))
    return found if found >= max(LEAST_JACCARD, TIMES_CHANCE * by_chance) else 0.0


def _agreements(diagnosis: Diagnosis, opinions: Sequence[PeerOpinion]) -> list[PeerAgreement]:
    slices = [found for opinion in opinions for found in opinion.slices]
    found = [
        PeerAgreement(diagnosis.clusters[s.cluster].name, s.called, s.jaccard) for s in slices if s.cluster is not None
    ]
    for a, b in combinations(slices, 2):
        if a.engine != b.engine:
            found.append(PeerAgreement(a.called, b.called, agreement(a.rows, b.rows, len(diagnosis.samples))))
    return sorted((a for a in found if a.jaccard), key=lambda a: -a.jaccard)


def engine_p(name: str, rows: EngineRows, groups: I64 | None, seed: int) -> float:
    """See `PeerOpinion.p`. Whole groups go to one half, and losses are shuffled within classes by whole groups. The
    engine may not need the outcomes of the rows that it scores.

    Raises:
        InvalidInput: a half is too small for it.
    """
    found = [_half_p(name, rows, groups, np.random.default_rng([seed, 11, i]), seed) for i in range(SPLITS)]
    return min(1.0, 2 * float(np.median(found)))


def _half_p(name: str, rows: EngineRows, groups: I64 | None, rng: np.random.Generator, seed: int) -> float:
    units = np.arange(len(rows)) if groups is None else np.unique(groups, return_inverse=True)[1]
    chosen = rng.random(int(units.max()) + 1) < 0.5
    first = chosen[units]
    if min(first.sum(), (~first).sum()) < 20:
        raise InvalidInput("A half of the samples has fewer than 20.")
    read = rows.keep(~first)
    scores = _scores(name, rows.keep(first), read, seed)
    members = np.zeros((scores.shape[1], len(read)), dtype=np.float32)
    for slice, column in zip(members, scores.T):
        slice[top_rows(column, top_count(len(read)))] = 1
    losses = _standardised(read.losses, read.labels)
    sizes = members.sum(1, keepdims=True).astype(np.float64)
    scope = np.maximum(np.full_like(sizes, len(read)), sizes + 1)  # a slice of all rows has no rest
    together = None if groups is None else groups[~first]

    def best(values: F32) -> F64:
        sums = members @ values, members @ values**2, values.sum(0), (values**2).sum(0)
        of_groups = () if together is None else term_sums(members, values, together)
        return studentised_excess(sizes, scope, *sums, *of_groups).max(axis=0).astype(np.float64)

    column = losses.astype(np.float32)
    permuter = Permuter(read.labels, together, losses)
    null = max_t(lambda way, n, rng: best(column[way.draw(n, rng)]), permuter, rng, [PERMUTATIONS])
    return permutation_p(float(best(column[:, None])[0]), null)


def _standardised(losses: F64, labels: I64) -> F64:
    """Losses less their class's mean, over its deviation."""
    found = losses.astype(np.float64)
    for label in np.unique(labels):
        inside = labels == label
        found[inside] = (losses[inside] - losses[inside].mean()) / max(float(losses[inside].std()), 1e-12)
    return found
