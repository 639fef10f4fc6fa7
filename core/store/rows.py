"""Check that the arrays of a run fit together: as many rows as samples, no row or class number out of range."""

from __future__ import annotations

from math import isnan
from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt

from core.records import CauseKind, ClusterName, Diagnosis, Estimate, Faithfulness, KindFaithfulness, other_models
from core.records.fields import below, shaped
from core.store.planted import check_planted

Array = npt.NDArray[Any]


def check_rows(diagnosis: Diagnosis) -> None:
    """Check that every array of a run has the shape of its record and no index out of range.

    Raises:
        ValueError: names the array.
    """
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    estimate = diagnosis.estimate
    n = len(samples)
    k = len(samples.class_names)
    for name, array in (
        ("labels", samples.labels), ("groups", samples.groups), ("splits", samples.splits), ("loss", outcomes.loss),
        ("errors", outcomes.errors), ("predictions", outcomes.predictions), ("predicted losses", estimate.predicted),
        ("spread", estimate.spread), ("folds", estimate.folds),
    ):  # fmt: skip
        shaped(name, array, n)
    for name, array in (("scores", outcomes.scores), ("embeddings", diagnosis.embeddings.vectors)):
        shaped(name, array, n, None)
    shaped("map", diagnosis.map.xy, n, 2)
    if not (np.abs(diagnosis.map.xy) <= np.finfo(np.float32).max).all():  # the page draws float32
        raise ValueError("the map has coordinates that are not finite")
    below("labels", samples.labels, k, -1)
    below("predictions", outcomes.predictions, k, -1)
    below("suspected labels", diagnosis.label_errors, n)
    for column in (*samples.metadata, *samples.model_outputs):
        column.check(n)
    for cluster in (*diagnosis.clusters, *diagnosis.candidates):
        shaped("membership", cluster.membership, n)
        below("counterexamples", cluster.counterexamples, n)
        for name in ("chance", "local_fdr"):
            _check_odds(f"{name} of a cluster", getattr(cluster, name))
        _check_name(cluster.called, n)
    for insight in diagnosis.insights:
        shaped("mask of an insight", insight.mask, n)
    _check_words(diagnosis, n)
    for result in other_models(diagnosis):
        result.check(n)
    if diagnosis.sensitivity is not None:
        check_planted(diagnosis.sensitivity)
    _check_faithfulness(diagnosis.faithfulness, n)
    _check_within(diagnosis.settings.get("within", ()))
    for name, high in (("alpha", 1), ("alpha_inside", 1), ("seed", 2**32 - 1)):
        value = diagnosis.settings.get(name, 0)
        whole = name == "seed"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not 0 <= value <= high:
            what = "a whole number" if whole else "a number"
            raise ValueError(f"{name} of the settings: must be {what} from 0 to {high:,}, not {str(value)[:40]!a}")


def _check_odds(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"{name}: must be 0 to 1 or missing, not {value:g}")


def _check_name(called: ClusterName | None, n: int) -> None:
    """Check that a title's probabilities are valid, and that each part has words and rows."""
    if called is None:
        return
    _check_odds("chance of a title", called.chance)
    for part in called.parts:
        _check_odds("chance of a part", part.chance)
        _check_odds("share of a part", part.share)
        shaped("rows of a part", part.rows, None)
        below("rows of a part", part.rows, n)
        if not len(part.rows) or not part.words:
            raise ValueError("a part of a cluster has no rows or no words")


def _check_faithfulness(faithfulness: Faithfulness | None, n: int) -> None:
    """Check that each kind of cause appears once (or the reason for none), that counts do not exceed the rows, and that
    shares and AUROCs are valid."""
    if faithfulness is None:
        return
    kinds = sorted(kind.kind for kind in faithfulness.kinds)
    if kinds != ([] if faithfulness.refused else sorted(get_args(CauseKind))):
        raise ValueError(
            f"faithfulness: must have each kind of cause once, or a reason, not {', '.join(kinds) or 'none'}"
        )
    for cause in (*faithfulness.kinds, *faithfulness.causes):
        name = f"faithfulness of {cause.kind[:40]!a}"
        if not 0 <= cause.n <= n:
            raise ValueError(f"{name}: must have 0 to {n} rows, not {cause.n}")
        counts = [cause.n_named]
        if isinstance(cause, KindFaithfulness):
            counts.append(cause.n_failing)
        if not all(0 <= count <= cause.n for count in counts):
            raise ValueError(f"{name}: counts must be at most {cause.n} rows")
        _check_share(f"{name}: AUROC", cause.auroc)
    for kind in faithfulness.kinds:
        for rate in (kind.rate_named, kind.rate_rest):
            _check_share(f"faithfulness of {kind.kind}: share of failing rows", Estimate(rate, rate, rate))


def _check_share(name: str, estimate: Estimate) -> None:
    """Check that an estimate lies between 0 and 1 and within its interval, or is undefined."""
    value = estimate.value
    low = estimate.low
    high = estimate.high
    if not (all(map(isnan, (value, low, high))) or 0 <= low <= value <= high <= 1):
        raise ValueError(f"{name}: must be 0 to 1 and within its interval, not {value:g} [{low:g}, {high:g}]")


def _check_within(within: Any) -> None:
    """Check that the classes named in advance are names."""
    if not isinstance(within, list | tuple) or not all(isinstance(name, str) for name in cast("list[Any]", within)):
        raise ValueError(f"within of the settings: must be class names, not {str(cast(Any, within))[:40]!a}")


def _check_words(diagnosis: Diagnosis, n: int) -> None:
    words = diagnosis.words
    shaped("family_null", diagnosis.family_null, None)
    if words is None:
        return
    p = len(words.phrases)
    d = words.joint.vectors.shape[1]
    shaped("joint embeddings", words.joint.vectors, n, d)
    shaped("directions", words.directions, p, d)
    shaped("strengths", words.strengths, p)
    shaped("support of the phrases", words.support, p)
    if words.titles is not None:
        from core.language.title_model import TitleModel  # scipy: not needed to start the page

        TitleModel.read(words.titles)
    if words.competence is not None:
        measured = words.competence.auroc[words.competence.n_with > 0]
        if not ((measured >= 0) & (measured <= 1)).all():
            raise ValueError("AUROC of a measured phrase: must be 0 to 1")
    if any(insight.number is not None and not 0 <= insight.number < p for insight in diagnosis.insights):
        raise ValueError("an insight refers to a missing phrase")
