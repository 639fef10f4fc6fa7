"""Slices that other engines propose on a run's samples, matched with its clusters; a finding of two is more credible.

A peer's slice has no p-value of its own: the engine chose it on the samples that it is counted on. Each engine has one
p-value instead: it proposes slices from one half of the samples, and they are tested on the other half.
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

N_SPLITS = 5
"""Random halvings of the samples; one alone would make the p-value a matter of luck. The number is a convention."""
N_PERMUTATIONS = 499
"""In each split, so that the smallest p-value of an engine is 2 / 500 = 0.004."""
MIN_HALF_ROWS = 20
"""A slice holds at least ten rows, which would be more than half of fewer; a convention."""
MIN_JACCARD = 0.25
MIN_TIMES_CHANCE = 2.0
"""Two sets match from this Jaccard index on, if it is also this many times what chance gives sets of their sizes (0.03
for two that each hold a twentieth of the samples). Both are conventions."""
MEMBER = 0.5
"""Membership from which a sample counts as one of a cluster's."""


@dataclass(frozen=True, slots=True, eq=False)
class PeerSlice:
    """A slice that an engine proposes: about a twentieth of the samples, those of highest score (`top_rows`)."""

    engine: str
    rank: int
    """0 is its first."""
    rows: I64
    mean_loss: float
    error_rate: float | None
    mostly: str
    """Its most frequent class, "" without classes."""
    cluster: int | None
    """The run's cluster with the highest Jaccard index, the slice cut to that cluster's size; None without a match."""
    jaccard: float
    """With that cluster; 0 without."""

    @property
    def title(self) -> str:
        """Engine and number: "domino, slice 2"."""
        return f"{self.engine}, slice {self.rank + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class PeerOpinion:
    """One engine's slices of all samples."""

    engine: str
    slices: tuple[PeerSlice, ...] = ()
    p: float | None = None
    """Of the null that losses, class by class, are no higher in its slices of the half that it was not fitted on:
    twice the median over the splits (Meinshausen et al. 2009, JASA 104), its best slice counting. None where
    `untested` says why."""
    untested: str = ""
    refused: str = ""
    """Why it has no slices."""


WITHOUT_PROBABILITIES = (
    "It needs class probabilities, and this run has none. Diagnose a table with one probability column per class."
)


@dataclass(frozen=True, slots=True)
class PeerAgreement:
    """Two slices, or a cluster and a slice, that share many samples."""

    first: str
    second: str
    jaccard: float
    """Samples in both over samples in either."""


@dataclass(frozen=True, slots=True, eq=False)
class PeerReport:
    """The answer of each engine, and where two agree."""

    opinions: tuple[PeerOpinion, ...]
    agreements: tuple[PeerAgreement, ...]
    """From `MIN_JACCARD` on, the closest first."""


def ask_peers(
    diagnosis: Diagnosis, engines: Sequence[str], *, seed: int = 0, progress: Progress = no_progress
) -> PeerReport:
    """Slice the run's samples with each engine, and match the slices with the clusters and with each other.

    Raises:
        InvalidInput: no engine is named, one of them is unknown, or named twice.
        Cancelled: from `progress`.
    """
    for name in engines:
        if name not in ENGINES:
            raise InvalidInput(f"Unknown engine {name[:60]!r}. Use {', '.join(ENGINES)}.")
    if not engines or len(set(engines)) < len(engines):
        raise InvalidInput(f"Name at least one engine, and each only once. Use {', '.join(ENGINES)}.")
    rows = rows_of(diagnosis)
    opinions = list[PeerOpinion]()
    for i, name in enumerate(engines):
        progress("ask other engines", i, len(engines))
        opinions.append(_opinion(diagnosis, rows, name, seed))
    progress("ask other engines", len(engines), len(engines))
    return PeerReport(tuple(opinions), tuple(_agreements(diagnosis, opinions)))


def rows_of(diagnosis: Diagnosis) -> EngineRows:
    """Hand over the samples of a run as engine rows; without classes all are of one class."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    words = diagnosis.words
    labels = samples.labels
    probabilities = outcomes.scores
    if labels is None:
        labels = np.zeros(len(samples), np.int64)
        probabilities = None
    likeness = None
    phrases: tuple[str, ...] = ()
    if words is not None:
        likeness = (words.joint.vectors @ words.directions.T).astype(np.float32)
        phrases = words.phrases
    vectors = diagnosis.embeddings.vectors
    return EngineRows(vectors, labels, outcomes.fitted, outcomes.errors, probabilities, likeness, phrases)


def _opinion(diagnosis: Diagnosis, rows: EngineRows, name: str, seed: int) -> PeerOpinion:
    needs_probabilities = "probabilities" in load_engine(name).needs
    if needs_probabilities and rows.probabilities is None:
        return PeerOpinion(name, refused=WITHOUT_PROBABILITIES)
    try:
        scores = _scores(name, rows, rows, seed)
    except InvalidInput as error:
        return PeerOpinion(name, refused=str(error))
    all_equal = not np.ptp(rows.embeddings, axis=0).any()
    # equal vectors leave an engine only the classes, which are not slices: then scores must differ within a class
    strata = rows.labels if all_equal else np.zeros(len(rows), np.int64)
    ranked = enumerate(scores.T)
    slices = tuple(_slice(diagnosis, name, rank, column) for rank, column in ranked if _varies(column, strata))
    if not slices and all_equal:
        reason = f"All {len(rows):,} samples have the same vector, so they cannot be sliced. Use another encoder."
        return PeerOpinion(name, refused=reason)
    if not slices:
        return PeerOpinion(name, refused="It gives all samples the same score, so it has no slices.")
    if needs_probabilities:
        return PeerOpinion(name, slices, untested="It reads the outcomes of the rows that it scores.")
    try:
        return PeerOpinion(name, slices, engine_p(name, rows, diagnosis.samples.groups, seed))
    except InvalidInput as error:
        return PeerOpinion(name, slices, untested=str(error))


def _varies(scores: F64, strata: I64) -> bool:
    """Whether the scores differ within one of the strata."""
    for stratum in np.unique(strata):
        inside = scores[strata == stratum]
        if inside.max() > inside.min():
            return True
    return False


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
    best = None
    jaccard = 0.0
    for index, cluster in enumerate(diagnosis.clusters):
        members = np.flatnonzero(cluster.membership >= MEMBER)
        match = agreement(top_rows(scores, cluster.size), members, len(scores))
        if match > jaccard:
            best = index
            jaccard = match
    error_rate = None if outcomes.errors is None else float(outcomes.errors[rows].mean())
    mean = float(outcomes.loss[rows].mean())
    return PeerSlice(name, rank, rows, mean, error_rate, mostly, best, jaccard)


def top_count(n: int) -> int:
    """Size of a slice of n samples: a twentieth, at least ten (a convention, the same for every engine)."""
    return min(n, max(10, n // 20))


def top_rows(scores: F64, n: int) -> I64:
    """The n rows of highest score, ascending.

    Where ties at the n-th score would make them more than n, all tied rows go, or stay if no row scores higher: a slice
    of scores 0 and 1 is taken whole.
    """
    cut = np.partition(scores, len(scores) - n)[len(scores) - n]
    chosen = scores >= cut
    if chosen.sum() > n and (scores > cut).any():
        chosen = scores > cut
    return np.flatnonzero(chosen)


def agreement(a: I64, b: I64, n: int) -> float:
    """The Jaccard index of two sets of the n samples, 0 where it is too low for a match (`MIN_JACCARD`)."""
    jaccard = _jaccard(len(np.intersect1d(a, b)), a, b)
    by_chance = _jaccard(len(a) * len(b) / n, a, b)
    if jaccard < max(MIN_JACCARD, MIN_TIMES_CHANCE * by_chance):
        return 0.0
    return jaccard


def _jaccard(n_shared: float, a: I64, b: I64) -> float:
    return n_shared / max(len(a) + len(b) - n_shared, 1e-12)


def _agreements(diagnosis: Diagnosis, opinions: Sequence[PeerOpinion]) -> list[PeerAgreement]:
    slices: list[PeerSlice] = []
    for opinion in opinions:
        slices.extend(opinion.slices)
    pairs: list[PeerAgreement] = []
    for s in slices:
        if s.cluster is not None:
            pairs.append(PeerAgreement(f"Group {diagnosis.clusters[s.cluster].id + 1}", s.title, s.jaccard))
    for a, b in combinations(slices, 2):
        if a.engine != b.engine:
            pairs.append(PeerAgreement(a.title, b.title, agreement(a.rows, b.rows, len(diagnosis.samples))))
    return sorted((pair for pair in pairs if pair.jaccard), key=lambda pair: -pair.jaccard)


def engine_p(name: str, rows: EngineRows, groups: I64 | None, seed: int) -> float:
    """Test an engine's slices on samples that it was not fitted on; see `PeerOpinion.p`.

    Whole groups go to one half, and losses are shuffled within classes by whole groups. The engine may not need the
    outcomes of the rows that it scores.

    Raises:
        InvalidInput: a half is too small for it.
    """
    p_values = [_half_p(name, rows, groups, np.random.default_rng([seed, 11, i]), seed) for i in range(N_SPLITS)]
    # p-values of several splits of one sample depend on each other; twice their median still keeps the level
    return min(1.0, 2 * float(np.median(p_values)))


def _half_p(name: str, rows: EngineRows, groups: I64 | None, rng: np.random.Generator, seed: int) -> float:
    units = np.arange(len(rows)) if groups is None else np.unique(groups, return_inverse=True)[1]
    chosen = rng.random(int(units.max()) + 1) < 0.5
    first = chosen[units]
    if min(first.sum(), (~first).sum()) < MIN_HALF_ROWS:
        raise InvalidInput(f"Half of the samples are fewer than {MIN_HALF_ROWS}. Use more samples.")
    second = rows.keep(~first)
    scores = _scores(name, rows.keep(first), second, seed)
    members = np.zeros((scores.shape[1], len(second)), dtype=np.float32)
    for slice, column in zip(members, scores.T):
        slice[top_rows(column, top_count(len(second)))] = 1
    # losses less their class's mean, over its deviation: a slice of a hard class shows no excess for that alone
    losses = second.losses.astype(np.float64)
    for label in np.unique(second.labels):
        inside = second.labels == label
        class_losses = second.losses[inside]
        losses[inside] = (class_losses - class_losses.mean()) / max(float(class_losses.std()), 1e-12)
    sizes = members.sum(1, keepdims=True).astype(np.float64)
    scope = np.maximum(np.full_like(sizes, len(second)), sizes + 1)  # a slice of all rows leaves no others
    second_groups = None if groups is None else groups[~first]

    def best(values: F32) -> F64:
        sums = members @ values, members @ values**2, values.sum(0), (values**2).sum(0)
        group_sums = () if second_groups is None else term_sums(members, values, second_groups)
        return studentised_excess(sizes, scope, *sums, *group_sums).max(axis=0).astype(np.float64)

    column = losses.astype(np.float32)
    permuter = Permuter(second.labels, second_groups, losses)
    # the best of the engine's slices in each shuffle, so that proposing many earns nothing
    null = max_t(lambda scheme, n, rng: best(column[scheme.draw(n, rng)]), permuter, rng, [N_PERMUTATIONS])
    return permutation_p(float(best(column[:, None])[0]), null)
