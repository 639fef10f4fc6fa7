"""Diagnosis of a probe's own failures: its losses are diagnosed like those of any model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.discovery.class_pools import needs_superclasses
from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.discovery.superclasses import name_vectors
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES, WHY_SO_MANY
from core.records import OWN, Diagnosis, Progress, no_progress
from core.systems.probes.records import ProbeResult, with_results

if TYPE_CHECKING:
    from core.data.samples import DataSet


def check_enough(n: int) -> None:
    """Refuse to diagnose a probe on too few rows, before anything is embedded or scored.

    Args:
        n: rows that will be scored.

    Raises:
        InvalidInput: n is below `MIN_SAMPLES`.
    """
    if n < MIN_SAMPLES:
        raise InvalidInput(
            f"At least {MIN_SAMPLES} samples must be scored {WHY_SO_MANY}. This split scores {n}: add "
            "samples, or change --split."
        )


def diagnose_probe(
    of: Diagnosis | DataSet,
    result: ProbeResult,
    *,
    settings: Settings,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis of the rows that the probe scored, with the probe as the model and its result among the run's
    probes.

    Args:
        of: the samples, embeddings and words that the probe ran on, with their notes and excluded rows.

    Raises:
        InvalidInput: too few rows were scored, or the probe's losses do not differ.
    """
    assert of.embeddings is not None
    assert of.words is not None
    rows = result.rows
    samples = of.samples.keep(rows)
    vectors = of.embeddings.keep(rows)
    words = of.words.keep(rows)
    names = None
    if needs_superclasses(samples) and words.encoder:
        from core.encoders import load_encoder

        names = name_vectors(load_encoder(words.encoder), samples.class_names, cache)
    try:
        diagnosis = diagnose_records(
            samples, result.outcomes, vectors, words=words, names=names, settings=settings, progress=progress
        )
    except InvalidInput as error:
        raise InvalidInput(f"Errata cannot diagnose the failures of {result.name!r}. {error}") from None
    notes = (
        f"The model of this run is the probe {result.name!r} ({result.encoder}). {result.split}",
        "A probe's loss comes from the encoder's own features, so these predict much of the loss by construction.",
        *of.notes,
    )
    diagnosis = with_results(diagnosis, (_renumber_rows(result, len(of.samples)),))
    return replace(
        diagnosis,
        extras={**diagnosis.extras, OWN: result.name},
        notes=tuple(dict.fromkeys((*notes, *diagnosis.notes))),
        excluded=(*of.excluded, *result.excluded),
    )


def _renumber_rows(result: ProbeResult, n: int) -> ProbeResult:
    """The result with rows numbered among those it scored; support images outside them get -1, like images of a
    pool."""
    position = np.full(n + 1, -1, np.int64)  # the last entry serves row -1
    position[result.rows] = np.arange(len(result.rows))
    support = result.support
    if support is not None:
        support = replace(support, rows=position[support.rows])
    return replace(result, rows=np.arange(len(result.rows), dtype=np.int64), support=support, excluded=())
