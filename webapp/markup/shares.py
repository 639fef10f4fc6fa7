"""Which images are right or wrong in which of two models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import I64, OWN, Diagnosis, ModelResult

ALPHA = 0.05
KINDS = (("fixed", "Fixed"), ("broken", "Broken"), ("both", "Both wrong"), ("neither", "Both right"))
"""What two models make of an image: your model wrong and the probe right, the other way round, both wrong, both
right."""
ALONE = (("wrong", "Wrong"), ("right", "Right"))
"""The same where of the model only losses are known."""


def is_own(diagnosis: Diagnosis, name: str) -> bool:
    """Whether the model of the run is itself the probe of that name."""
    return diagnosis.extras.get(OWN) == name


@dataclass(frozen=True, slots=True)
class Called:
    """What the model of a run is called."""

    name: str
    """In a sentence: "your model"."""
    title: str
    """At a beginning: "Your model"."""
    short: str
    """Before what it says: "yours"."""


def own_model(diagnosis: Diagnosis) -> Called:
    """The user's model, or the probe that stands for it where Errata made the predictions itself."""
    probe = diagnosis.extras.get(OWN)
    if not isinstance(probe, str) or not probe:
        return Called("your model", "Your model", "yours")
    called = f"the {probe} probe" if probe.replace("-", "").isalnum() else f"the probe “{probe}”"  # "lp++, 4 shots"
    return Called(called, f"T{called[1:]}", probe)


def kinds_of(diagnosis: Diagnosis, result: ModelResult) -> tuple[tuple[str, str], ...]:
    """(kind, title) of the kinds of images that can be told apart: the probe alone where there is no other model's
    errors."""
    return ALONE if diagnosis.outcomes.errors is None or is_own(diagnosis, result.name) else KINDS


def class_scope(diagnosis: Diagnosis, name: str) -> str:
    """The scope of a class, as `rows_of_kind` reads it."""
    return f"class-{diagnosis.samples.class_names.index(name)}"


def class_of_scope(diagnosis: Diagnosis, scope: str) -> int | None:
    """The number of the class that is the scope; None where it is none of the run's."""
    number = scope.removeprefix("class-")
    known = number != scope and number.isdecimal() and diagnosis.samples.labels is not None
    return int(number) if known and int(number) < len(diagnosis.samples.class_names) else None


def rows_of_kind(diagnosis: Diagnosis, result: ModelResult, kind: str, scope: str = "all") -> I64:
    """Places in `result.rows` of the images of one kind within a scope ("all", a cluster's id or a
    `class_scope`), the second model's largest loss first."""
    wrong = result.outcomes.errors
    assert wrong is not None
    own = diagnosis.outcomes.errors
    if own is None or kind in dict(ALONE):
        picked = wrong if kind == "wrong" else ~wrong
    else:
        mine = own[result.rows]
        picked = {"fixed": mine & ~wrong, "broken": ~mine & wrong, "both": mine & wrong}.get(kind, ~mine & ~wrong)
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    if cluster is not None:
        picked = picked & (cluster.membership[result.rows] >= 0.5)
    place = class_of_scope(diagnosis, scope)
    labels = diagnosis.samples.labels
    if place is not None and labels is not None:
        picked = picked & (labels[result.rows] == place)
    found = np.flatnonzero(picked)
    return found[np.argsort(-result.outcomes.loss[found], kind="stable")].astype(np.int64)
