"""Another model's result on the items of a run, set beside the model whose failures were diagnosed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.compare import compare
from core.checks.paired_errors import MODEL
from core.composition.failures.diagnose import COMPOSITION, diagnose_composition
from core.composition.failures.samples import CaptionSamples, Loss, caption_samples
from core.discovery.settings import DEFAULT_EMBEDDING, DEFAULTS, EmbeddingSettings, Settings
from core.errors import InvalidInput
from core.records import (
    I64,
    Comparison,
    CompositionResult,
    Diagnosis,
    LoadedBenchmark,
    ProbeResult,
    Progress,
    no_progress,
)
from core.statistics.intervals import UNDEFINED, accuracy_of


def with_second_result(diagnosis: Diagnosis, pictured: LoadedBenchmark, result: CompositionResult) -> Diagnosis:
    """The run with another model's result on the same items among its results, by its name, so that
    `core.checks.compare` sets them side by side.

    Raises:
        InvalidInput: the result is of another benchmark or asks other questions, right and wrong are not known, or its
        name is taken.
    """
    mine = diagnosis.extras.get(COMPOSITION)
    if mine is None:
        raise InvalidInput(
            "This run is no diagnosis of composition, so such a result cannot be set beside it. "
            "Diagnose one with diagnose_composition."
        )
    if (mine["benchmark"], mine["headline"]) != (result.benchmark, result.headline):
        raise InvalidInput(
            f"{result.name!r} is the {result.headline!r} score on {result.benchmark!r}, and this run the "
            f"{mine['headline']!r} score on {mine['benchmark']!r}. Score both models on one benchmark."
        )
    if result.name in {MODEL, *(p.name for p in diagnosis.probes)}:
        raise InvalidInput(f"This run already has a result called {result.name!r}. Give the other one its own name.")
    found = caption_samples(pictured, result, mine["loss"])
    place = {name: row for row, name in enumerate(diagnosis.samples.ids)}
    rows = np.array([place.get(name, -1) for name in found.ids], np.int64)
    known = np.flatnonzero(rows >= 0)
    if not len(known):
        raise InvalidInput(f"{result.name!r} shares no item with this run. Score the same items.")
    return replace(
        diagnosis,
        probes=(
            *diagnosis.probes,
            _as_probe(diagnosis, result, found, rows, known[np.argsort(rows[known], kind="stable")]),
        ),
    )


def two_models(
    pictured: LoadedBenchmark,
    a: CompositionResult,
    b: CompositionResult,
    embedding: EmbeddingSettings = DEFAULT_EMBEDDING,
    *,
    loss: Loss = "margin",
    settings: Settings = DEFAULTS,
    progress: Progress = no_progress,
) -> tuple[Diagnosis, Comparison]:
    """The failures of model A, and what B (an adapted encoder, say) fixes and breaks of them: over all, by kind and by
    cluster; the arguments are those of `diagnose_composition`.

    Raises:
        InvalidInput: as of `diagnose_composition` and `with_second_result`.
    """
    run = diagnose_composition(pictured, a, embedding, loss=loss, settings=settings, progress=progress)
    both = with_second_result(run, pictured, b)
    return both, compare(both, MODEL, b.name, seed=settings.seed)


def _as_probe(
    diagnosis: Diagnosis, result: CompositionResult, found: CaptionSamples, rows: I64, order: I64
) -> ProbeResult:
    outcomes, samples = found.outcomes.keep(order), diagnosis.samples
    if outcomes.errors is None:
        raise InvalidInput(
            f"{result.name!r} is average precision, which is neither right nor wrong. "
            "Compare results with compare_results instead."
        )
    at = rows[order]
    groups = None if samples.groups is None else samples.groups[at]
    labels = np.full(len(at), -1, np.int64) if samples.labels is None else samples.labels[at]
    accuracy = accuracy_of(outcomes.errors, groups)
    return ProbeResult(
        result.name,
        "table",
        {},
        result.model,
        samples.class_names,
        at,
        labels,
        outcomes,
        accuracy,
        UNDEFINED,
        f"Scored on {result.title}.",
    )
