"""What a probe leaves behind: numpy only, so that a stored run can hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import nan
from statistics import stdev
from typing import Any, Literal

from core.records import F32, I64, Diagnosis, Estimate, ModelResult, other_models, with_models
from core.records.fields import below, shaped


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ProbeResult(ModelResult):
    """A probe's outcome for each row that it scored, and what explains it. m rows, k classes."""

    probe: str
    """Name in `core.systems.probes.PROBES`; "table" where the outcomes were brought."""
    settings: Mapping[str, Any]
    calibration_error: Estimate
    """Expected calibration error over 15 bins of equal count, with its bootstrap interval."""
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

    def check(self, n: int) -> None:
        """As of every model, and of what explains it."""
        ModelResult.check(self, n)
        below("labels of a probe", self.labels, len(self.class_names))
        m = len(self.rows)
        k = len(self.class_names)
        s = 0 if self.support is None else len(self.support.ids)
        if self.parts is not None:
            shaped("classes of a probe's parts", self.parts.classes, m, None)
            below("classes of a probe's parts", self.parts.classes, k)
            shaped("parts of a probe", self.parts.values, len(self.parts.names), *self.parts.classes.shape)
        for near in self.neighbours:
            shaped("neighbors of a probe", near.nearest, m, None)
            below("neighbors of a probe", near.nearest, s, -1)
            shaped("similarities of a probe", near.similarity, *near.nearest.shape)
        if self.support is not None:
            for name in ("labels", "rows", "folds"):
                shaped(f"{name} of a probe's support", getattr(self.support, name), s)
            below("labels of a probe's support", self.support.labels, k, -1)
            below("rows of a probe's support", self.support.rows, n, -1)

    @property
    def called(self) -> str:
        """What messages call it."""
        return "a probe"


KEY = "probes"
"""Of `Diagnosis.extras`."""
TABLE = "table"
"""`ProbeResult.probe` of outcomes that no probe made."""


def results_of(diagnosis: Diagnosis) -> tuple[ProbeResult, ...]:
    """The probes' results of a run, in the order in which they were made, and those of other models that were
    brought."""
    return tuple(one if isinstance(one, ProbeResult) else _brought(one) for one in other_models(diagnosis))


def with_results(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> Diagnosis:
    """The run with these results in place of those that it had; what was brought stays where it stands."""
    brought = {one.name for one in other_models(with_models(diagnosis, (), KEY))}
    return with_models(diagnosis, tuple(r for r in results if r.probe != TABLE or r.name not in brought), KEY)


def _brought(result: ModelResult) -> ProbeResult:
    given: dict[str, Any] = {one.name: getattr(result, one.name) for one in fields(result)}
    return ProbeResult(**given, probe=TABLE, settings={}, calibration_error=Estimate(nan, nan, nan))
