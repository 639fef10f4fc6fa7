"""Records of results, shared by all packages: frozen dataclasses over numpy arrays.

n samples, d dimensions, k classes, c clusters. The row order is the order of `SampleSet.ids` everywhere.
`eq=False` throughout: Gradio hashes its state, and a record that holds arrays must not be compared or hashed by value.
Records of the input are in `core.records.samples`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core.records.faithfulness import Faithfulness
from core.records.samples import F32, F64, I64, Bool, Embeddings, Estimate, Outcomes, SampleSet, Words
from core.records.sensitivity import Detectable, Sensitivity

Measure = Literal["error rate", "mean loss"]
"""What a finding is about: its interval in this measure excludes 0."""

EVERYTHING = "all samples"
"""The scope of findings across all classes; reserved, so no class can have this name."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictability:
    """How well the embedding predicts the loss on held-out rows. It informs, it does not veto."""

    r2: Estimate
    rank_correlation: Estimate
    correlation: Estimate
    error_auroc: Estimate | None
    p: float | None
    """Permutation p-value of the best of several views; None with fewer than 20 groups to permute."""
    n_permutations: int
    confirmed: bool = False
    """Whether p passes the share of alpha that is kept for it."""
    by_class: tuple[tuple[str, int, Estimate, float | None], ...] = ()
    """(class name, rows, correlation, p) for each class with enough rows."""


@dataclass(frozen=True, slots=True, eq=False)
class LossEstimate:
    """The ensemble's out-of-fold prediction: members score only rows outside their training folds."""

    predicted: F64
    spread: F64
    """(n,) standard deviation over members."""
    folds: I64
    predictability: Predictability


@dataclass(frozen=True, slots=True, eq=False)
class ClassFinding:
    """A whole class with more errors than the others, or a confused pair. Tested before the search inside classes."""

    name: str
    """The class, or "true → predicted" for a confusion pair."""
    kind: Literal["class", "confusion"]
    size: int
    mean_loss: Estimate
    """Of unclipped losses; the 95% interval holds for all classes at once. A pair has no interval."""
    error_rate: Estimate | None
    """Of a pair, its share of the true class; the 95% interval holds for all classes (or all pairs) at once."""
    p: float | None
    """Adjusted (Holm) over all classes and pairs; None if only described. A class is tested by error rate, or by mean
    loss if errors are unknown."""
    confirmed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """A description of samples with a higher loss: a condition on columns or properties, or a phrase that they
    match."""

    text: str
    """Such as "brightness at most 0.31" or "weather = fog and brightness at most 0.31"; or the phrase, such as "in the
    dark"."""
    columns: tuple[str, ...]
    scope: str
    """"all samples" or the class it was tested in."""
    cluster: int | None
    """The cluster it explains, or None for a finding about the scope as a whole."""
    mask: Bool
    """(n,) the rows that meet the condition, within the scope."""
    size: int
    effect: Estimate
    """Mean loss inside minus outside, within the scope; interval corrected for the search."""
    error_inside: float | None
    error_outside: float | None
    p: float | None
    """Adjusted over the whole family; None if not tested."""
    confirmed: bool
    retrieval: float | None
    """AUROC of the condition for membership in the cluster, within the cluster's scope; None without a cluster."""
    proxies: tuple[str, ...] = ()
    """Equivalent conditions and phrases: their effect disappears when this one is controlled for."""
    kind: Literal["condition", "phrase"] = "condition"
    family: str = ""
    """Attribute family of a phrase."""
    error_difference: Estimate | None = None
    """Error rate inside minus outside, within the scope; interval corrected for the search."""
    coverage: Estimate | None = None
    """Share of the scope's errors that meet it, by the corrected error rate if confirmed; if errors are unknown, share
    of the loss above the mean, as observed."""
    held_out: Estimate | None = None
    """`retrieval` of a phrase of a cluster on held-out rows, not used to choose it."""
    stability: float | None = None
    """Share of folds in which the phrase, or an equivalent one, was chosen without the fold's rows."""
    tests: tuple[tuple[str, str, str | float | None], ...] = ()
    """Parts of a condition as (column, "=", "<=", ">=" or "missing", value); they apply it to new samples."""
    number: int | None = None
    """Index of a phrase in `Words.phrases`."""
    measure: Measure | None = None
    """What was tested; None of a run from before it was written down."""
    measured: tuple[tuple[str, float], ...] = ()
    """Measured properties that correlate with a phrase's scores in the scope, with rank correlations: evidence that
    does not depend on the encoder."""
    source: str = ""
    """Who proposed a phrase, such as "an assistant"; it was tested on samples that the proposer was not shown, and `p`
    is adjusted for the proposals. "" for what the run searched."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPart:
    """Members of a cluster that share a trait the other members lack."""

    title: str
    words: tuple[str, ...]
    """Descriptions, best first."""
    chance: float
    """Probability that a reader who sees the samples agrees."""
    rows: I64
    share: float
    """Share of the inspected members."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterName:
    """The title of a cluster; see docs/decisions/names.md."""

    text: str
    """The title, such as "Dogs in the snow"."""
    kind: Literal["property", "condition", "phrase", "confusion", "parts", "none"]
    """Evidence of the title: a measured property, a column, a phrase, the class that members are mistaken for, two
    parts."""
    might_be: tuple[str, ...] = ()
    """Weaker descriptions of the cluster."""
    grade: Literal["", "likely", "perhaps", "mixed"] = ""
    """Confidence in the title; "" in runs from before grades existed, which get a new title."""
    chance: float | None = None
    """Probability that a reader who sees the samples agrees with the title; for a confusion, the share of errors with
    that prediction."""
    words: tuple[str, ...] = ()
    """Equivalents of the title, best first."""
    parts: tuple[ClusterPart, ...] = ()
    """The two parts of a mixed cluster."""

    @property
    def title_words(self) -> tuple[str, ...]:
        """The phrases, properties and columns in the title: the first of `words` if the title is likely, else all, and
        the first of each part."""
        last = 1 if self.grade == "likely" else None
        return self.words[:last] + tuple(part.words[0] for part in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class FailureCluster:
    """Samples that are wrong together, beyond chance after the whole search."""

    id: int
    """0 is the first in rank."""
    name: str
    scope: str
    """"all samples" or the class it lies in."""
    membership: F64
    """(n,) in [0, 1]; at least 0.5 for members; out of fold; 0 outside the scope."""
    size: int
    mean_loss: float
    """Of the members, corrected like `excess_loss`."""
    excess_loss: Estimate
    """Mean loss of members minus that of the others in the scope, within classes; corrected for the selection. The
    interval holds for everything searched at once."""
    error_rate: Estimate | None
    """Of the members, corrected like `error_difference`."""
    error_outside: float | None
    error_difference: Estimate | None
    """Error rate of members minus that of the others in the scope, like `excess_loss`."""
    p: float | None
    """Adjusted for every candidate, condition and scope searched; None for an unconfirmed candidate."""
    coverage: Estimate
    """Share of all errors in the cluster, by its corrected error rate; if errors are unknown, share of all loss above
    the mean, as observed and without an interval."""
    counterexamples: I64
    """For the worst members, the nearest low-loss sample of the same scope: row numbers, no repeats."""
    cause: str
    """A possible cause with its evidence, or "unknown" and what would reveal it."""
    confirmed: bool = True
    called: ClusterName | None = None
    """None in runs from before titles existed."""
    chance: float | None = None
    """For a candidate, the share of permuted losses whose strongest listable set stands out as much; None for a
    cluster, without permutations, and in older runs."""
    local_fdr: float | None = None
    """For a candidate, the probability that it is noise (`core.statistics.local_fdr`); None if `chance` is None."""
    measure: Measure | None = None
    """What was tested; None of a run from before it was written down."""


@dataclass(frozen=True, slots=True, eq=False)
class FailureMap:
    """(n, 2) coordinates for display; no test uses them."""

    xy: F32
    method: Literal["umap", "pca"]


@dataclass(frozen=True, slots=True)
class MatchedSample:
    """A new sample that a frozen finding covers, as it is shown: new samples are not stored otherwise."""

    id: str
    answer: str
    """Its label, and the prediction where that is wrong: "cat", or "cat → dog"; "" if unknown."""
    wrong: bool | None
    """None if errors are unknown."""
    picture: str
    """Data URL of a preview; "" without an image."""
    text: str
    """The start of a text; "" for other samples."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictionRow:
    """The prediction of a frozen finding for new samples, and their observed figures."""

    kind: Literal["cluster", "phrase", "condition", "by-eye lasso", "your lasso", "top-loss neighbors"]
    """The last three are not findings but untested picks, as a person would make them, for comparison."""
    text: str
    scope: str
    n: int
    """New samples that match the finding."""
    predicted: Estimate
    """Error rate or mean loss (`measure`), with the 95% interval that was frozen."""
    expected: Estimate
    """`predicted` widened by the sampling variation of n new samples: the observed value should lie in it."""
    observed: Estimate | None
    """None if no new sample matches."""
    rest: float | None
    """Observed in the new samples of the scope that do not match."""
    p: float | None
    """One-sided p-value of the null that matching new samples do no worse than the others, adjusted (Holm) over the
    findings."""
    as_predicted: bool | None
    """Whether `observed` lies in `expected`; None with too few samples, or if `expected` is too wide to be
    informative."""
    measure: Measure
    """The measure of all figures in the row: that of the finding."""
    not_tried: str | None = None
    """Why the new samples could not be tested, in a few words; None if they were."""
    n_wrong: int | None = None
    """Errors among the matching new samples; None if unknown."""
    rest_wrong: float | None = None
    """Error rate of the new samples of the scope that do not match; None if unknown, or without any."""
    samples: tuple[MatchedSample, ...] = ()
    """Some new samples that match a finding, evenly from the table's order, to be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Frozen findings tested on new samples."""

    digest: str
    """SHA-256 of the frozen findings, their rules and predicted intervals."""
    n_fresh: int
    measure: Measure
    """The measure of the picks by eye: that of most findings. Other rows have separate measures."""
    source: str
    """Such as "320 held-out samples" or the fresh table's name."""
    rows: tuple[PredictionRow, ...]
    notes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of each skipped new row."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Diagnosis:
    """All results of one run, with its inputs."""

    samples: SampleSet
    """Ids, labels, metadata, groups and images of the n samples."""
    outcomes: Outcomes
    """Their losses, and which are errors, if known."""
    embeddings: Embeddings
    """(n, d) unit vectors that were searched."""
    estimate: LossEstimate
    """The loss predicted by the ensemble, and how predictable it is."""
    classes: tuple[ClassFinding, ...]
    """All classes and confused pairs, confirmed or not."""
    clusters: tuple[FailureCluster, ...]
    """Confirmed, in rank order."""
    candidates: tuple[FailureCluster, ...]
    """Hints, not findings: shown apart, without a p-value, least likely to be noise first."""
    insights: tuple[Insight, ...]
    """Conditions and phrases, confirmed or not."""
    detectable: tuple[Detectable, ...]
    """The weakest detectable effect for each planted size."""
    label_errors: I64
    """Rows whose label is suspected, most suspected first; empty without probabilities."""
    map: FailureMap
    """(n, 2) coordinates for display."""
    settings: Mapping[str, Any]
    """Settings of the run."""
    versions: Mapping[str, str]
    """Versions of Errata and its packages."""
    fingerprint: str
    """SHA-256 of losses, embeddings, labels, groups and metadata."""
    notes: tuple[str, ...] = ()
    """Sentences on assumptions, pooling, clipping and skipped rows."""
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of every skipped row."""
    model: Any = None
    """Model for `assign`: core.discovery.assigner.Assigner."""
    words: Words | None = None
    """None without an encoder that has a text tower."""
    family_null: F32 | None = None
    """(b,) per permutation, the largest statistic of all tests inside classes; it gives the p-value of a condition in a
    question. None without permutations."""
    prediction: Prediction | None = None
    """The findings tested on new samples, if that was done."""
    sensitivity: Sensitivity | None = None
    """Detection limits; None if nothing could be tested."""
    faithfulness: Faithfulness | None = None
    """How well named causes predict errors, if measured."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Other data stored with the run, by name: results of systems (`core.extensions`), other models
    (`core.records.models.other_models`), the reader's sets and notes."""

    def __repr__(self) -> str:
        counts = f"{len(self.samples):,} samples, confirmed clusters: {len(self.clusters)}"
        return f"<Diagnosis of {self.samples.name!r}: {counts}>"

    def cluster_of(self) -> tuple[I64, F64]:
        """Return (n,) the confirmed cluster of highest membership if that is at least 0.5, else -1; and (n,) that
        membership."""
        if not self.clusters:
            n = len(self.samples)
            return np.full(n, -1, np.int64), np.zeros(n)
        memberships = np.stack([c.membership for c in self.clusters])  # (c, n)
        best = memberships.argmax(0)
        top = memberships.max(0)
        ids = np.array([c.id for c in self.clusters])
        return np.where(top >= 0.5, ids[best], -1).astype(np.int64), top
