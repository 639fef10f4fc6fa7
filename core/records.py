"""The nouns that flow between the rooms: frozen dataclasses over numpy arrays.

n samples, d dimensions, k classes, c clusters. The row order is the order of `SampleSet.ids` everywhere.
`eq=False` throughout: Gradio hashes its state, and a record that holds arrays must not be compared or hashed by value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

Progress = Callable[[str, int, int], None]
"""Called as progress(step, done, total). It may raise `core.errors.Cancelled` to stop the run at the next safe point."""


def no_progress(step: str, done: int, total: int) -> None:
    """The silent default of every `progress` argument."""


def _same_length(owner: str, n: int, **arrays: Any) -> None:
    for name, array in arrays.items():
        if array is not None and len(array) != n:
            raise InvalidInput(f"{owner}.{name} must have one entry for each of the {n} samples: got {len(array)}.")


def _pick(array: npt.NDArray[Any] | None, rows: I64) -> Any:
    return None if array is None else array[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A number with its interval; `low <= value <= high` unless the value is undefined (nan)."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


class ImageStore(Protocol):
    """The encoded pictures of a sample set, opened one at a time so that memory stays bounded. `read` is thread-safe."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """The path below the images' root, or the name inside the archive or table."""
        ...

    def read(self, index: int) -> bytes:
        """The encoded bytes (JPEG, PNG, ...) of row `index`."""
        ...

    def keep(self, rows: I64) -> ImageStore:
        """The same store restricted to `rows`, in that order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of metadata, of model outputs or of measured properties.

    values: (n,) float64 with nan for missing where kind is "number"; (n,) object array of str or None otherwise.
    """

    name: str
    kind: Literal["category", "number", "text"]
    values: npt.NDArray[Any]
    measured: bool = False
    """True for an image property that Errata measured, False for a column of the user's table."""

    def keep(self, rows: I64) -> Column:
        return Column(self.name, self.kind, self.values[rows], self.measured)


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """What is diagnosed: ids, pictures if any, labels if known, and the table's other columns."""

    ids: tuple[str, ...]
    images: ImageStore | None = None
    labels: I64 | None = None
    """(n,) index into class_names."""
    class_names: tuple[str, ...] = ()
    metadata: tuple[Column, ...] = ()
    """Columns that may serve as conditions."""
    model_outputs: tuple[Column, ...] = ()
    """Columns that a model wrote (pred*, prob*, loss*, ...): never conditions unless the user picks them."""
    groups: I64 | None = None
    """(n,) group number; the rows of a group (patient, video, source, near-duplicates) are never split."""
    group_name: str = ""
    splits: npt.NDArray[Any] | None = None
    """(n,) object array of str ("train", "test", ...), if the table has such a column."""
    name: str = "samples"

    def __post_init__(self) -> None:
        n = len(self.ids)
        _same_length("SampleSet", n, images=self.images, labels=self.labels, groups=self.groups, splits=self.splits)
        for column in (*self.metadata, *self.model_outputs):
            _same_length("SampleSet", n, **{f"column {column.name!r}": column.values})

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, rows: I64) -> SampleSet:
        """The same set restricted to `rows`, in that order."""
        return SampleSet(
            ids=tuple(self.ids[i] for i in rows),
            images=None if self.images is None else self.images.keep(rows),
            labels=_pick(self.labels, rows),
            class_names=self.class_names,
            metadata=tuple(c.keep(rows) for c in self.metadata),
            model_outputs=tuple(c.keep(rows) for c in self.model_outputs),
            groups=_pick(self.groups, rows),
            group_name=self.group_name,
            splits=_pick(self.splits, rows),
            name=self.name,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """A loss for each sample: larger is worse, always. Every probe ends in this record."""

    loss: F64
    """(n,) finite."""
    name: str
    """Such as "cross-entropy", "0/1 error", "squared error", "1 - IoU", or the user's column."""
    unit: str
    """Such as "nats", "error", "share"; shown beside every figure."""
    source: str
    """Where it came from, for instance "label x prob_* (10 columns)" or "column 'loss', negated: higher was better"."""
    clip: float | None = None
    """Losses above it are fitted as if they were equal to it (cross-entropy only)."""
    errors: Bool | None = None
    """(n,) True where the model was wrong, if that is known."""
    scores: F64 | None = None
    """(n, k) probabilities, if known."""
    predictions: I64 | None = None
    """(n,) index into class_names, if known."""
    is_proxy: bool = False
    """True where no truth was given (entropy of the prediction): called a proxy everywhere."""

    def __post_init__(self) -> None:
        n = len(self.loss)
        _same_length("Outcomes", n, errors=self.errors, scores=self.scores, predictions=self.predictions)
        if not np.isfinite(self.loss).all():
            raise InvalidInput("Outcomes.loss must be finite: leave such rows out and say so.")

    @property
    def fitted(self) -> F64:
        """(n,) the loss as the regressors see it: clipped at `clip`."""
        return self.loss if self.clip is None else np.minimum(self.loss, self.clip)

    def keep(self, rows: I64) -> Outcomes:
        """The same outcomes restricted to `rows`, in that order."""
        errors, scores, predictions = (_pick(a, rows) for a in (self.errors, self.scores, self.predictions))
        return Outcomes(self.loss[rows], self.name, self.unit, self.source, self.clip, errors, scores, predictions, self.is_proxy)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Unit rows of one encoder. Only vectors of one `space` may be compared."""

    vectors: F32
    """(n, d) unit rows, float32."""
    encoder: str
    """The encoder's name and fingerprint, or "given"."""
    space: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
            bad = int((~np.isfinite(np.atleast_1d(self.vectors))).any(-1).sum())
            raise InvalidInput(f"Embeddings must be a finite (n, d) array: got {self.vectors.shape}, {bad:,} rows with nan or inf. Leave such out.")

    def __len__(self) -> int:
        return len(self.vectors)

    def keep(self, rows: I64) -> Embeddings:
        return Embeddings(self.vectors[rows], self.encoder, self.space)


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
    error_rate: Estimate | None
    p: float | None
    """Adjusted (Holm) over all classes and pairs; None where it is only described."""
    confirmed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """A condition on the table's columns or the measured properties under which the loss is higher."""

    text: str
    """Such as "brightness at most 0.31" or "weather = fog and brightness at most 0.31"."""
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
    """Conditions whose effect falls away once this one is taken out: they say the same."""


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
    excess_loss: Estimate
    """Mean loss of members minus the rest of the scope, corrected for the selection."""
    error_rate: Estimate | None
    error_outside: float | None
    error_difference: Estimate | None
    p: float | None
    """Adjusted for every candidate, condition and scope searched. None for a candidate that did not pass."""
    coverage: Estimate
    """Share of all failures (or of all loss above the mean, where errors are unknown) that lie in it."""
    counterexamples: I64
    """For the worst members, the nearest low-loss sample of the same scope: row numbers, no repeats."""
    cause: str
    """A guess with its ground, or "unknown" and what would be needed to know."""
    confirmed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Detectable:
    """The smallest effect that would have been found with probability `power` in a cluster of `size` samples."""

    size: int
    excess_loss: float | None
    """None where even the largest effect tried would be missed."""
    error_difference: float | None
    power: float


@dataclass(frozen=True, slots=True, eq=False)
class FailureMap:
    """(n, 2) coordinates for looking, never for testing."""

    xy: F32
    method: Literal["umap", "pca"]


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Everything that one run says, with what is needed to say it again."""

    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings
    estimate: LossEstimate
    classes: tuple[ClassFinding, ...]
    clusters: tuple[FailureCluster, ...]
    """Confirmed, in rank order."""
    candidates: tuple[FailureCluster, ...]
    """Looked at and not confirmed: shown apart, greyed, without a p."""
    insights: tuple[Insight, ...]
    detectable: tuple[Detectable, ...]
    label_errors: I64
    """Rows whose label is suspected, most suspected first; empty without probabilities."""
    map: FailureMap
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    fingerprint: str
    """SHA-256 of losses, embeddings, labels, groups and metadata."""
    notes: tuple[str, ...] = ()
    """Plain sentences on what was assumed, pooled, clipped or left out."""
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of every row left out."""
    model: Any = None
    """What `assign` needs: core.assigner.Assigner."""
    extras: Mapping[str, Any] = field(default_factory=dict)

    def cluster_of(self) -> tuple[I64, F64]:
        """(n,) confirmed cluster of highest membership if that is at least 0.5, else -1; and (n,) that membership."""
        if not self.clusters:
            n = len(self.samples)
            return np.full(n, -1, np.int64), np.zeros(n)
        memberships = np.stack([c.membership for c in self.clusters])  # (c, n)
        best, top = memberships.argmax(0), memberships.max(0)
        ids = np.array([c.id for c in self.clusters])
        return np.where(top >= 0.5, ids[best], -1).astype(np.int64), top
