"""Results of probes: numpy only, so that a stored run can hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import nan
from statistics import stdev
from typing import Any, Literal

from core.errors import InvalidInput
from core.records import F32, I64, OWN, Diagnosis, Estimate, ModelResult, other_models, with_models
from core.records.fields import below, shaped


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """The s images that a probe learned from: shots with their labels, or a retrieved or generated support set."""

    ids: tuple[str, ...]
    labels: I64
    """(s,) the class that the probe assigned to each."""
    rows: I64
    """(s,) row among the diagnosed samples, -1 for an image of a pool."""
    folds: I64
    """(s,) number of the fold whose test rows it served."""
    source: str
    """Such as "4 shots a class" or "20 a class from pool.zip"."""
    purity: F32 | None = None
    """(k,) of a support set without labels: share of a class's images that zero-shot assigns to that class; nan for an
    empty class."""
    true_purity: F32 | None = None
    """(k,) share whose real label is that class, where the pool has labels that the probe did not see."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest support images by one affinity."""

    affinity: str
    """Such as "image" (cosine) or "signature" (Kullback-Leibler divergence of the class probabilities)."""
    nearest: I64
    """(m, q) positions in `Support`, nearest first; -1 where there are fewer than q."""
    similarity: F32
    """(m, q) larger is nearer."""


@dataclass(frozen=True, slots=True, eq=False)
class LogitParts:
    """Summands of the logits of the leading classes. t classes a sample: the true class first, then those with the
    largest logits."""

    names: tuple[str, ...]
    """Such as ("zero-shot", "cache", "signature")."""
    classes: I64
    """(m, t) index into the class names."""
    values: F32
    """(parts, m, t)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting of the probe, and how it was chosen."""

    name: str
    value: float
    how: Literal["fixed", "validation", "given"]
    """"fixed": the method's default; "validation": searched on validation rows, never on scored rows; "given": by the
    user."""


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """The same probe on the same rows without the component under test."""

    name: str
    """Such as "zero-shot" or "random words"."""
    accuracy: Estimate
    gain: Estimate
    """The probe's accuracy minus the control's, paired by row."""
    p: float
    """Two-sided McNemar p (for several repeats of a control: a sign-flip p of the mean difference)."""
    repeats: int = 1
    each: tuple[tuple[str, float], ...] = ()
    """(name, accuracy) of each repeat, where there are several."""

    @property
    def spread(self) -> float:
        """Standard deviation of the repeats' accuracies; nan of fewer than two."""
        if len(self.each) < 2:
            return nan
        return stdev([value for _, value in self.each])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ProbeResult(ModelResult):
    """A probe's outcome for each scored row, with its explanation. m rows, k classes."""

    probe: str
    """Name in `core.systems.probes.PROBES`; "table" for outcomes read from a table."""
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
    """JSON-like values that this probe alone reports, by the name shown to users."""
    notes: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """(id, reason) of every row that was not scored."""
    seconds: float = 0.0
    """CPU seconds of the probe itself."""
    modality: str = "image"
    """Kind of the scored samples, a name of `core.data.modality.MODALITIES`."""

    def check(self, n: int) -> None:
        """Check the shapes and ranges of every array, for n samples."""
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
"""The key of probes in `Diagnosis.extras`."""
TABLE = "table"
"""`ProbeResult.probe` of outcomes read from a table."""


def results_of(diagnosis: Diagnosis) -> tuple[ProbeResult, ...]:
    """The probes' results of a run, in the order of their runs, and those of other models from tables."""
    results: list[ProbeResult] = []
    for model in other_models(diagnosis):
        if not isinstance(model, ProbeResult):
            values: dict[str, Any] = {f.name: getattr(model, f.name) for f in fields(model)}
            model = ProbeResult(**values, probe=TABLE, settings={}, calibration_error=Estimate(nan, nan, nan))
        results.append(model)
    return tuple(results)


def with_results(diagnosis: Diagnosis, results: Sequence[ProbeResult]) -> Diagnosis:
    """The run with these results in place of its earlier ones; models from tables stay."""
    tables = {model.name for model in other_models(with_models(diagnosis, (), KEY))}
    return with_models(diagnosis, tuple(r for r in results if r.probe != TABLE or r.name not in tables), KEY)


def with_result(diagnosis: Diagnosis, result: ProbeResult) -> tuple[Diagnosis, bool]:
    """The run with the result, and whether it replaced one of the same name.

    Raises:
        InvalidInput: the model under diagnosis is a probe of that name.
    """
    if result.name == diagnosis.extras.get(OWN):
        raise InvalidInput(
            f"The model of this run is itself the probe {result.name!r}. Use another name for the new result (--name)."
        )
    before = results_of(diagnosis)
    others = tuple(p for p in before if p.name != result.name)
    return with_results(diagnosis, (*others, result)), len(others) < len(before)
