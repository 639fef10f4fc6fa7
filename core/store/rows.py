"""Whether the arrays of a run belong together: each as long as the samples, no row or class number beyond them."""

from __future__ import annotations

from math import isnan
from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt

from core.records import (
    CauseKind,
    ClusterName,
    Diagnosis,
    Estimate,
    Faithfulness,
    KindFaithfulness,
    Words,
    other_models,
)
from core.records.fields import below, shaped
from core.store.planted import check_planted

Array = npt.NDArray[Any]


def check_rows(diagnosis: Diagnosis) -> None:
    """See that every array of a run that was read has the shape that its record promises, and points at nothing that is
    not there.

    Raises:
        ValueError: one does not; it is named.
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
    if not (np.abs(diagnosis.map.xy) <= np.finfo(np.float32).max).all():  # as which the page draws it
        raise ValueError("the map has places that are no number")
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
        _check_setting(name, diagnosis.settings.get(name, 0), high)


def _check_odds(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"{name}: none or 0 to 1 is needed, not {value:g}")


def _check_name(called: ClusterName | None, n: int) -> None:
    """See that a title's chances are some, and that each part has words and rows."""
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


def _check_faithfulness(found: Faithfulness | None, n: int) -> None:
    """See that each kind of cause is there once, or why none is, that no more rows are counted than there are, and that
    shares and areas are some."""
    if found is None:
        return
    kinds = sorted(kind.kind for kind in found.kinds)
    if kinds != ([] if found.refused else sorted(get_args(CauseKind))):
        raise ValueError(
            f"faithfulness: each kind of cause once is needed, or why not, not {', '.join(kinds) or 'none'}"
        )
    for one in (*found.kinds, *found.causes):
        name = f"faithfulness of {one.kind[:40]!a}"
        if not 0 <= one.n <= n:
            raise ValueError(f"{name}: 0 to {n} rows are needed, not {one.n}")
        counts = (one.n_named, one.n_failing) if isinstance(one, KindFaithfulness) else (one.n_named,)
        if not all(0 <= count <= one.n for count in counts):
            raise ValueError(f"{name}: counts of at most {one.n} rows are needed")
        _check_share(f"{name}: AUROC", one.auroc)
    for kind in found.kinds:
        for rate in (kind.rate_named, kind.rate_rest):
            _check_share(f"faithfulness of {kind.kind}: share of failing rows", Estimate(rate, rate, rate))


def _check_share(name: str, found: Estimate) -> None:
    """See that an estimate lies between 0 and 1 and in its own interval, or is undefined altogether."""
    value = found.value
    low = found.low
    high = found.high
    if not (all(map(isnan, (value, low, high))) or 0 <= low <= value <= high <= 1):
        raise ValueError(f"{name}: 0 to 1, within its interval, is needed, not {value:g} [{low:g}, {high:g}]")


def _check_within(within: Any) -> None:
    """See that the classes that were named beforehand are names."""
    if not isinstance(within, list | tuple) or not all(isinstance(name, str) for name in cast("list[Any]", within)):
        raise ValueError(f"within of the settings: names of classes are needed, not {str(cast(Any, within))[:40]!a}")


def _check_setting(name: str, value: Any, high: int) -> None:
    """See that a number among the settings is one: later steps take it from there."""
    whole = name == "seed"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not 0 <= value <= high:
        what = "a whole number" if whole else "a number"
        raise ValueError(f"{name} of the settings: {what} of 0 to {high:,} is needed, not {str(value)[:40]!a}")


def _check_words(diagnosis: Diagnosis, n: int) -> None:
    words = diagnosis.words
    shaped("family_null", diagnosis.family_null, None)
    if words is None:
        return
    p = len(words.phrases)
    d = words.joint.vectors.shape[1]
    _check_directions(words, n, p, d)
    if words.titles is not None:
        from core.language.title_model import TitleModel  # scipy: not needed to start the page

        TitleModel.read(words.titles)
    if words.competence is not None:
        measured = words.competence.auroc[words.competence.n_with > 0]
        if not ((measured >= 0) & (measured <= 1)).all():
            raise ValueError("AUROC of a phrase that was measured: 0 to 1 is needed")
    if any(one.number is not None and not 0 <= one.number < p for one in diagnosis.insights):
        raise ValueError("an insight is of a phrase that is not there")


def _check_directions(words: Words, n: int, p: int, d: int) -> None:
    shaped("joint embeddings", words.joint.vectors, n, d)
    shaped("directions", words.directions, p, d)
    shaped("strengths", words.strengths, p)
    shaped("support of the phrases", words.support, p)
