"""Another model's result on the items of a run, set beside the model whose failures were diagnosed."""

from __future__ import annotations

from core.checks.compare import compare
from core.checks.matched import rows_of_run
from core.checks.paired_errors import MODEL
from core.checks.second_model import with_outcomes
from core.discovery.settings import DEFAULT_EMBEDDING, DEFAULTS, EmbeddingSettings, Settings
from core.errors import InvalidInput
from core.records import Comparison, Diagnosis, Progress, no_progress, other_models
from core.systems.composition.failures.diagnose import COMPOSITION, diagnose_composition
from core.systems.composition.failures.samples import Loss, caption_samples
from core.systems.composition.records import CompositionResult, LoadedBenchmark


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
            "A second result needs a run of composition, and this run is another kind. Diagnose one with "
            "diagnose_composition."
        )
    if (mine["benchmark"], mine["headline"]) != (result.benchmark, result.headline):
        raise InvalidInput(
            f"{result.name!r} is the {result.headline!r} score on {result.benchmark!r}; this run is the "
            f"{mine['headline']!r} score on {mine['benchmark']!r}. Score both models on one benchmark."
        )
    if result.name in {MODEL, *(p.name for p in other_models(diagnosis))}:
        raise InvalidInput(f"This run already has a result named {result.name!r}. Use another name.")
    samples = caption_samples(pictured, result, mine["loss"])
    rows, order = rows_of_run(diagnosis, samples.ids)
    if not len(order):
        raise InvalidInput(f"{result.name!r} shares no item with this run. Score the same items.")
    outcomes = samples.outcomes.keep(order)
    if outcomes.errors is None:
        raise InvalidInput(
            f"{result.name!r} is average precision, which is neither right nor wrong. Use compare_results instead."
        )
    return with_outcomes(diagnosis, result.name, result.model, outcomes, rows[order], f"Scored on {result.title}.")


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
