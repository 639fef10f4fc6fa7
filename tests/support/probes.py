"""A made-up result of a probe: every part that one may leave behind, consistent with the small diagnosis of
`tests.support.diagnoses`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from core.records import Diagnosis, Estimate
from core.statistics.intervals import accuracy_of
from core.systems.probes.base import Needs, ProbeInput, Scored
from core.systems.probes.measures import calibration_error
from core.systems.probes.records import Choice, Control, LogitParts, Neighbours, ProbeResult, Support, with_results
from core.systems.probes.result import outcomes_of
from tests.support.diagnoses import make_diagnosis


def made_probe(
    diagnosis: Diagnosis | None = None,
    *,
    name: str = "made, 2 shots",
    right: float = 0.7,
    seed: int = 0,
    left_out: int = 3,
) -> ProbeResult:
    """A probe that is right on about `right` of all samples but the last `left_out`."""
    found = make_diagnosis() if diagnosis is None else diagnosis
    labels, names = found.samples.labels, found.samples.class_names
    assert labels is not None
    n, k, rng = len(found.samples) - left_out, len(names), np.random.default_rng(seed)
    said = np.where(rng.random(n) < right, labels[:n], (labels[:n] + 1) % k)
    logits = rng.normal(0, 0.3, (n, k))
    logits[np.arange(n), said] += 2
    outcomes = outcomes_of(logits, labels[:n], "made")
    assert outcomes.errors is not None
    assert outcomes.scores is not None
    classes = np.stack([labels[:n], (labels[:n] + 1) % k], axis=1)
    shots = np.arange(2 * k, dtype=np.int64)
    nearest = np.tile(np.array([0, 1, -1], np.int64), (n, 1))
    return ProbeResult(
        name=name,
        probe="tip-adapter",
        settings={"shots": 2, "tune": False, "seed": seed},
        encoder="made 123456789abc",
        class_names=names,
        rows=np.arange(n, dtype=np.int64),
        labels=labels[:n],
        outcomes=outcomes,
        accuracy=accuracy_of(outcomes.errors, None),
        calibration_error=calibration_error(outcomes.scores.max(1), ~outcomes.errors),
        split="Two halves: each sample is scored by a probe that saw only samples of the other half.",
        controls=(
            Control("zero-shot", Estimate(0.5, 0.4, 0.6), Estimate(0.2, 0.1, 0.3), 0.0004),
            Control("random words", Estimate(0.45, 0.35, 0.55), Estimate(0.25, 0.12, 0.38), 0.002, 5),
        ),
        choices=(Choice("alpha", 1.5, "fixed"), Choice("beta", 5.5, "validation")),
        parts=LogitParts(("zero-shot", "cache"), classes, rng.normal(size=(2, n, 2)).astype(np.float32)),
        neighbours=(Neighbours("image", nearest, np.full((n, 3), 0.5, np.float32)),),
        support=Support(
            tuple(found.samples.ids[i] for i in shots),
            labels[shots],
            shots,
            np.zeros(len(shots), np.int64),
            "2 shots a class",
            np.array([0.5, np.nan, 1.0], np.float32),
            np.array([0.25, np.nan, 1.0], np.float32),
        ),
        prompts=tuple((f"a photo of a {c}.",) for c in names),
        details={"nearest words": {"context 1": ["photo", 0.4]}, "grid": [0.1, 0.2]},
        notes=("3 prompts were cut at the text tower's limit.",),
        excluded=tuple((found.samples.ids[i], "it taught the probe") for i in range(n, n + left_out)),
        seconds=0.25,
    )


def with_probes(diagnosis: Diagnosis | None = None, **options: Any) -> Diagnosis:
    """The diagnosis with two probes: one that does well and one that does not."""
    found = make_diagnosis() if diagnosis is None else diagnosis
    weak = replace(
        made_probe(found, name="weak", right=0.2, seed=1, left_out=0),
        controls=(),
        choices=(),
        support=None,
        neighbours=(),
        parts=None,
    )
    return with_results(found, (made_probe(found, **options), weak))


@dataclass(frozen=True, slots=True)
class Guess:
    """Says the class that the image's first letter of the id and the settings say; learns from shots if asked."""

    title: ClassVar[str] = "Guess"
    what: ClassVar[str] = "A probe for tests."
    source: ClassVar[str] = "Nobody 2026"

    shots: int = field(default=0, metadata={"help": "labeled images a class", "low": 0, "high": 10})
    way: str = field(default="first", metadata={"help": "what to say", "choices": ("first", "turn")})
    loud: bool = field(default=True, metadata={"help": "be sure, 100% of the time"})
    scale: float | None = field(default=None, metadata={"help": "how sure"})
    pooled: bool = False

    def needs(self) -> Needs:
        return Needs(shots=self.shots, pool=self.pooled)

    def estimate(self, n: int, k: int, folds: int) -> float:
        return 75.0

    def run(self, part: ProbeInput) -> Scored:
        m, k = len(part.test), len(part.class_names)
        said = np.zeros(m, np.int64) if self.way == "first" else np.arange(m) % k
        logits = np.random.default_rng(part.seed).normal(0, 0.1, (m, k))
        logits[np.arange(m), said] += 3.0 if self.loud else 0.5
        return Scored(
            logits, controls={"zero-shot": np.zeros((1, m), np.int64)}, support=part.shots, notes=("guessed",)
        )
