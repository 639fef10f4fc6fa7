"""Which samples each of two models gets right or wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import I64, OWN, Diagnosis, ModelResult

MODEL_KINDS = (("fixed", "Fixed"), ("broken", "Broken"), ("both", "Both wrong"), ("neither", "Both right"))
"""A sample by the answers of two models: your model wrong and the probe right, the reverse, both wrong, both right."""
ALONE = (("wrong", "Wrong"), ("right", "Right"))
"""A sample by the probe's answer, if your model has only losses."""


def is_own(diagnosis: Diagnosis, name: str) -> bool:
    """Whether the model of the run is itself the probe of that name."""
    return diagnosis.extras.get(OWN) == name


@dataclass(frozen=True, slots=True)
class Called:
    """Names of the model of a run."""

    name: str
    """In a sentence: "your model"."""
    title: str
    """At the start of a sentence: "Your model"."""
    short: str
    """Before its answer: "yours"."""


def own_model(diagnosis: Diagnosis) -> Called:
    """Return the names of the user's model, or of the probe whose predictions the run uses."""
    probe = diagnosis.extras.get(OWN)
    if not isinstance(probe, str) or not probe:
        return Called("your model", "Your model", "yours")
    called = f"the probe “{probe}”"  # such as "lp++, 4 shots"
    if probe.replace("-", "").isalnum():
        called = f"the {probe} probe"
    return Called(called, f"T{called[1:]}", probe)


def kinds_of(diagnosis: Diagnosis, result: ModelResult) -> tuple[tuple[str, str], ...]:
    """Return (kind, title) of the kinds of samples; only the probe's answers count without another model's errors."""
    if diagnosis.outcomes.errors is None or is_own(diagnosis, result.name):
        return ALONE
    return MODEL_KINDS


def rows_of_kind(diagnosis: Diagnosis, result: ModelResult, kind: str, scope: str = "all") -> I64:
    """Return indices in `result.rows` of the samples of one kind within a scope ("all", or a cluster's id), the second
    model's largest loss first."""
    wrong = result.outcomes.errors
    assert wrong is not None
    first_wrong = diagnosis.outcomes.errors
    if first_wrong is None or kind in dict(ALONE):
        picked = ~wrong
        if kind == "wrong":
            picked = wrong
    else:
        mine = first_wrong[result.rows]
        picked = {"fixed": mine & ~wrong, "broken": ~mine & wrong, "both": mine & wrong}.get(kind, ~mine & ~wrong)
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    if cluster is not None:
        picked = picked & (cluster.membership[result.rows] >= 0.5)
    rows = np.flatnonzero(picked)
    return rows[np.argsort(-result.outcomes.loss[rows], kind="stable")].astype(np.int64)
