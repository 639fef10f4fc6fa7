"""The nouns that flow between the rooms: frozen dataclasses over numpy arrays.

n samples, d dimensions, k classes, c clusters. The row order is the order of `SampleSet.ids` everywhere.
`eq=False` throughout: Gradio hashes its state, and a record that holds arrays must not be compared or hashed by value.
Those on the way in are in `core.records.samples`; those that a run makes of them, here.
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
"""What a finding is a finding of: its interval in this measure stays off 0."""

EVERYTHING = "all samples"
"""The scope of what is said of no class alone; a class cannot be called so."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictability:
    """How much of the loss the embedding predicts on rows that the fit did not see. It informs, it does not veto."""

    r2: Estimate
    rank_correlation: Estimate
    correlation: Estimate
    error_auroc: Estimate | None
    p: float | None
    """Permutation p of the best of several views; None where there are fewer than 20 groups to permute."""
    n_permutations: int
    confirmed: bool | None = None
    """Whether p passes the share of alpha that is kept for it; None of a run from before a share was kept."""
    by_class: tuple[tuple[str, int, Estimate, float | None], ...] = ()
    """(class name, rows, correlation, p) for each class with enough rows."""


@dataclass(frozen=True, slots=True, eq=False)
class LossEstimate:
    """The ensemble's out-of-fold reading: no row was scored by a member that saw it."""

    predicted: F64
    spread: F64
    """(n,) standard deviation over members."""
    folds: I64
    predictability: Predictability


@dataclass(frozen=True, slots=True, eq=False)
class ClassFinding:
    """A whole class that fails more than the rest, or a pair that is confused. Read before looking inside classes."""

    name: str
    """The class, or "true → predicted" for a confusion pair."""
    kind: Literal["class", "confusion"]
    size: int
    mean_loss: Estimate
    """Of the losses as they are, never clipped; its interval holds for all classes at once with 95%. Of a pair,
    without one."""
    error_rate: Estimate | None
    """Of a pair, its share of the true class; the interval holds for all classes (or all pairs) at once with 95%."""
    p: float | None
    """Adjusted (Holm) over all classes and pairs; None where it is only described. Of a class it is of the error rate,
    or of the mean loss where errors are unknown."""
    confirmed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """Something that can be said of samples with a higher loss: a condition on columns or properties, or a phrase that
    they look like."""

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
    """Adjusted over the whole family; None where it is exploratory."""
    confirmed: bool
    retrieval: float | None
    """AUROC of the condition for membership in the cluster, within the cluster's scope; None without a cluster."""
    proxies: tuple[str, ...] = ()
    """Conditions and phrases whose effect falls away once this one is taken out: they say the same."""
    kind: Literal["condition", "phrase"] = "condition"
    family: str = ""
    """Of a phrase, its attribute family."""
    error_difference: Estimate | None = None
    """Error rate inside minus outside, within the scope; interval corrected for the search."""
    coverage: Estimate | None = None
    """Share of the scope's failures that meet it, by its corrected error rate where it is confirmed; where errors are
    unknown, of its loss above the mean, as observed."""
    held_out: Estimate | None = None
    """Of a phrase that describes a cluster, `retrieval` on rows that it was not chosen on."""
    stability: float | None = None
    """Of such a phrase, the share of folds in which it, or one that says the same, was chosen without the fold's
    rows."""
    tests: tuple[tuple[str, str, str | float | None], ...] = ()
    """Of a condition, its parts as (column, "=", "<=", ">=" or "missing", value), by which fresh samples are judged."""
    number: int | None = None
    """Of a phrase, its index in `Words.phrases`."""
    measure: Measure | None = None
    """What was tested; None of a run from before it was written down."""
    measured: tuple[tuple[str, float], ...] = ()
    """Of a phrase, measured properties that go with its scores in the scope, with their rank correlation: a witness
    apart from the encoder."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPart:
    """Members of a cluster that share what the others do not."""

    title: str
    words: tuple[str, ...]
    """What describes them, the best first."""
    chance: float
    """With which a reader who sees them agrees."""
    rows: I64
    share: float
    """Of the members that were looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterName:
    """What a cluster is called; see docs/decisions/names.md."""

    text: str
    """The title, such as "Dogs in the snow"."""
    kind: Literal["property", "condition", "phrase", "confusion", "parts", "none"]
    """What the title rests on: a measured property, a column, a phrase, what members are mistaken for, two parts."""
    might_be: tuple[str, ...] = ()
    """What else describes the cluster, and less well."""
    grade: Literal["", "likely", "perhaps", "mixed"] = ""
    """How sure the title is; "" of a run from before titles were graded, which is titled anew."""
    chance: float | None = None
    """With which a reader who sees the samples agrees with the title; of a confusion, the share of errors that go
    there."""
    words: tuple[str, ...] = ()
    """What says the same as the title, the best first."""
    parts: tuple[ClusterPart, ...] = ()
    """Of a cluster of two kinds."""

    @property
    def said(self) -> tuple[str, ...]:
        """What the title itself says, in the words of phrases, properties and columns: the first of `words`, of a guess
        all of them, of two kinds the first of each."""
        return self.words[: 1 if self.grade == "likely" else None] + tuple(part.words[0] for part in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class FailureCluster:
    """Samples that fail together, more than chance allows after the whole search."""

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
    """Mean loss of members minus the rest of the scope, what rows owe to their class taken out; corrected for the
    selection, and the interval holds for everything that was searched at once."""
    error_rate: Estimate | None
    """Of the members, corrected like `error_difference`."""
    error_outside: float | None
    error_difference: Estimate | None
    """Error rate of members minus the rest of the scope, as `excess_loss`."""
    p: float | None
    """Adjusted for every candidate, condition and scope searched. None for a candidate that did not pass."""
    coverage: Estimate
    """Share of all failures that lie in it, by its corrected error rate; where errors are unknown, of all loss above
    the mean, as observed and without an interval."""
    counterexamples: I64
    """For the worst members, the nearest low-loss sample of the same scope: row numbers, no repeats."""
    cause: str
    """A guess with its ground, or "unknown" and what would be needed to know."""
    confirmed: bool = True
    called: ClusterName | None = None
    """None of a run from before names were decided on."""
    chance: float | None = None
    """Of a candidate, the share of permuted losses in which the strongest set that could be listed stands out as much;
    None of a cluster, where nothing could be permuted, and of a run from before it was written down."""
    local_fdr: float | None = None
    """Of a candidate, how likely it is to be nothing (`core.statistics.local_fdr`); None where `chance` is."""
    measure: Measure | None = None
    """What was tested; None of a run from before it was written down."""


@dataclass(frozen=True, slots=True, eq=False)
class FailureMap:
    """(n, 2) coordinates for looking, never for testing."""

    xy: F32
    method: Literal["umap", "pca"]


@dataclass(frozen=True, slots=True, eq=False)
class PredictionRow:
    """What a finding, frozen before, said of fresh samples, beside what they show."""

    kind: Literal["cluster", "phrase", "condition", "by-eye lasso", "your lasso", "top-loss neighbors"]
    """The last three are no findings: what a person would pick without a test, for comparison."""
    text: str
    scope: str
    n: int
    """Fresh samples that it speaks of."""
    predicted: Estimate
    """Error rate or mean loss (`measure`), with the 95% interval that was frozen."""
    expected: Estimate
    """The same widened by what n fresh samples vary by: the observed value should lie in it."""
    observed: Estimate | None
    """None where no fresh sample matches."""
    rest: float | None
    """Observed in the fresh samples of the scope that do not match."""
    p: float | None
    """One-sided p that the matching fresh samples do no worse than the rest, adjusted (Holm) over the findings."""
    as_predicted: bool | None
    """Whether `observed` lies in `expected`; None with too few samples, or where `expected` is so wide that it says
    nothing."""
    measure: Measure
    """What all figures of the row are in: that in which the finding was found."""
    not_tried: str | None = None
    """Why the fresh samples could not be asked, in a few words; None where they were."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Frozen findings opened on fresh samples."""

    digest: str
    """SHA-256 of the frozen findings, their rules and predicted intervals."""
    n_fresh: int
    measure: Measure
    """What the picks by eye are in: that of most findings. The other rows say their own."""
    source: str
    """Such as "320 held-back samples" or the fresh table's name."""
    rows: tuple[PredictionRow, ...]
    notes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of fresh rows that were left out."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Diagnosis:
    """Everything that one run says, with what is needed to say it again."""

    samples: SampleSet
    """Ids, labels, metadata, groups and images of the n samples."""
    outcomes: Outcomes
    """Their losses, and which answers are wrong where that is known."""
    embeddings: Embeddings
    """(n, d) unit vectors in which failures were looked for."""
    estimate: LossEstimate
    """The loss as the ensemble predicts it, and whether it can be predicted at all."""
    classes: tuple[ClassFinding, ...]
    """Every class, and pairs that are confused: confirmed or not."""
    clusters: tuple[FailureCluster, ...]
    """Confirmed, in rank order."""
    candidates: tuple[FailureCluster, ...]
    """Worth a look and no findings: shown apart, without a p, those least likely to be nothing first."""
    insights: tuple[Insight, ...]
    """Conditions and phrases, confirmed or exploratory."""
    detectable: tuple[Detectable, ...]
    """Of each size that was planted the weakest effect found."""
    label_errors: I64
    """Rows whose label is suspected, most suspected first; empty without probabilities."""
    map: FailureMap
    """(n, 2) coordinates for looking."""
    settings: Mapping[str, Any]
    """How the run was made."""
    versions: Mapping[str, str]
    """Of Errata and the packages that it used."""
    fingerprint: str
    """SHA-256 of losses, embeddings, labels, groups and metadata."""
    notes: tuple[str, ...] = ()
    """Plain sentences on what was assumed, pooled, clipped or left out."""
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of every row left out."""
    model: Any = None
    """What `assign` needs: core.discovery.assigner.Assigner."""
    words: Words | None = None
    """None where no encoder with a text tower saw the samples."""
    family_null: F32 | None = None
    """(b,) in each permutation, the largest statistic of all that was tested inside classes: by it a condition that a
    question says has its p. None where nothing could be permuted."""
    prediction: Prediction | None = None
    """The findings tried on fresh samples, if that was done."""
    sensitivity: Sensitivity | None = None
    """What would have been found. None where nothing could be tested."""
    faithfulness: Faithfulness | None = None
    """What it is worth to name causes of a sample's failure, if that was measured."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What else goes with the run on disk, by name: what systems found (`core.extensions`), other models
    (`core.records.models.other_models`), what its reader wrote."""

    def __repr__(self) -> str:
        found = f"{len(self.samples):,} samples, confirmed clusters: {len(self.clusters)}"
        return f"<Diagnosis of {self.samples.name!r}: {found}>"

    def cluster_of(self) -> tuple[I64, F64]:
        """(n,) confirmed cluster of highest membership if that is at least 0.5, else -1; and (n,) that membership."""
        if not self.clusters:
            n = len(self.samples)
            return np.full(n, -1, np.int64), np.zeros(n)
        memberships = np.stack([c.membership for c in self.clusters])  # (c, n)
        best = memberships.argmax(0)
        top = memberships.max(0)
        ids = np.array([c.id for c in self.clusters])
        return np.where(top >= 0.5, ids[best], -1).astype(np.int64), top
