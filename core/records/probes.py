"""What a probe leaves behind: numpy only, so that a stored run can hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from statistics import stdev
from typing import Any, Literal

from core.records.samples import F32, I64, Estimate, Outcomes


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """The images that a probe learned from, s of them: shots with their labels, or a support set that was retrieved or
    generated."""

    ids: tuple[str, ...]
    labels: I64
    """(s,) the class that the probe took each for."""
    rows: I64
    """(s,) row among the diagnosed samples, -1 for an image of a pool."""
    folds: I64
    """(s,) number of the fold whose test rows it served."""
    source: str
    """Such as "4 shots a class" or "20 a class from pool.zip"."""
    purity: F32 | None = None
    """(k,) of a support set made without labels: share of a class's images that zero-shot takes for that class; nan for
    an empty class."""
    true_purity: F32 | None = None
    """(k,) share whose real label, where the pool has one that the probe was not shown, is that class."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest support images by one affinity."""

    affinity: str
    """Such as "image" (cosine) or "signature" (Kullback-Leibler divergence of the class probabilities)."""
    nearest: I64
    """(m, q) places in `Support`, nearest first; -1 where there are fewer than q."""
    similarity: F32
    """(m, q) larger is nearer."""


@dataclass(frozen=True, slots=True, eq=False)
class LogitParts:
    """What each logit of the leading classes is the sum of. t classes a sample: the true one first, then those of the
    largest logit."""

    names: tuple[str, ...]
    """Such as ("zero-shot", "cache", "signature")."""
    classes: I64
    """(m, t) index into the class names."""
    values: F32
    """(parts, m, t)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A number that the probe works with, and how it was chosen."""

    name: str
    value: float
    how: Literal["fixed", "validation", "given"]
    """"fixed": the method's default; "validation": searched on validation rows, never on those that are reported;
    "given": by the user."""


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """What the same probe scores on the same rows without the thing that is said to help."""

    name: str
    """Such as "zero-shot" or "random words"."""
    accuracy: Estimate
    gain: Estimate
    """The probe's accuracy minus the control's, paired by row."""
    p: float
    """Two-sided McNemar p (for several repeats of a control: of the mean difference, by signs of rows)."""
    repeats: int = 1
    each: tuple[tuple[str, float], ...] = ()
    """(what it is called, accuracy) of each repeat, where there are several."""

    @property
    def spread(self) -> float:
        """Standard deviation of the repeats' accuracies; nan of fewer than two."""
        return stdev([value for _, value in self.each]) if len(self.each) > 1 else nan


@dataclass(frozen=True, slots=True, eq=False)
class ProbeResult:
    """A probe's outcome for each row that it scored, and what explains it. m rows, k classes."""

    name: str
    """Unique within a run, such as "coop, 16 shots"."""
    probe: str
    """Name in `core.systems.probes.PROBES`."""
    settings: Mapping[str, Any]
    encoder: str
    """Encoder's name and fingerprint."""
    class_names: tuple[str, ...]
    rows: I64
    """(m,) rows of the samples, ascending."""
    labels: I64
    """(m,) true class."""
    outcomes: Outcomes
    """(m,) cross-entropy, with scores and predictions: what the diagnosis explains."""
    accuracy: Estimate
    calibration_error: Estimate
    """Expected calibration error over 15 bins of equal count, with its bootstrap interval."""
    split: str
    """One sentence: which rows were trained on and which were scored."""
    controls: tuple[Control, ...] = ()
    choices: tuple[Choice, ...] = ()
    parts: LogitParts | None = None
    neighbours: tuple[Neighbours, ...] = ()
    support: Support | None = None
    prompts: tuple[tuple[str, ...], ...] = ()
    """For each class the texts that were encoded."""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What one probe alone has to show: JSON-like values, by a name that is shown."""
    notes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of every row that was not scored."""
    seconds: float = 0.0
    """CPU seconds of the probe itself."""
    modality: str = "image"
    """What was scored, a name of `core.data.modality.MODALITIES`."""


@dataclass(frozen=True, slots=True, eq=False)
class FourWay:
    """Two models on the rows of one scope: model A is the one under diagnosis, B the one set beside it."""

    scope: str
    """"all samples", a class, a cluster's title, or what a condition or phrase says, behind its class."""
    kind: Literal["all", "class", "cluster", "condition", "phrase"]
    n: int
    fixed: int
    """A wrong, B right."""
    broken: int
    """A right, B wrong."""
    both: int
    """Both wrong."""
    neither: int
    """Both right."""
    difference: Estimate
    """Error rate of A minus that of B on these rows, paired; positive: B is better. Of a cluster corrected for having
    been chosen by A's losses. The intervals of all clusters hold together, as do those of all classes."""
    p: float | None
    """Two-sided, adjusted (Holm) over the scopes of its kind; None where it is not tested."""
    shares: Estimate | None = None
    """Of a cluster: B's error rate inside minus outside, within the cluster's scope. B's outcomes had no part in
    choosing the cluster."""
    shares_p: float | None = None
    """One-sided p that B does no worse inside than outside, Holm over the clusters."""
    excess_gap: Estimate | None = None
    """Of a cluster: how much more A errs inside than outside, minus the same of B, class by class; corrected as
    `difference` is."""
    room: bool = True
    """Of a cluster: whether B's errors are shown to rise less than if it lost here the same part of its way from chance
    to always right as A does. A model that is near chance has nothing to lose."""
    verdict: Literal["fixed", "partly", "same", "shared", "own", "broken", "open"] = "open"
    """"fixed": B is better here. "partly": better, yet it too does worse here than elsewhere. "same": B is shown to
    fail here as A does, within a margin. "shared": B does worse here than elsewhere. "own": A's errors rise here more
    than B's, which had as much to lose, and B is not known to do worse here than elsewhere. "broken": B is worse.
    "open": too little to tell. Of classes and all samples only fixed, broken or open."""
    cluster: int | None = None
    blind: bool = False
    """Of a cluster: B is not shown to be much better than chance on all rows, so of it at most "broken" is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two outcomes on the same samples side by side."""

    a: str
    b: str
    rows: I64
    """(m,) rows that both scored."""
    accuracy_a: Estimate
    accuracy_b: Estimate
    overall: FourWay
    classes: tuple[FourWay, ...]
    clusters: tuple[FourWay, ...]
    agreement: float
    """Share of rows on which both are right or both wrong, minus what chance would give, over what it leaves (Cohen's
    kappa)."""
    notes: tuple[str, ...] = ()
    untested: str = ""
    """Why nothing is tested at all, which is one of the notes; "" where the two can be compared."""


OWN = "probe"
"""Key of `Diagnosis.extras`: name of the probe whose own losses were diagnosed, where there was no other model."""
SECOND_MODELS = "second models"
"""Key of `Diagnosis.extras` under which other models that were compared are kept (`core.checks.second_model`)."""
