"""A probe's own failures: its losses diagnosed like those of any model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.discovery.design import needs_superclasses
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
    """Refuse to look for the failures of a probe among too few rows, before anything is embedded or scored.

    Args:
        n: rows that will be scored.

    Raises:
        InvalidInput: they are fewer than `MIN_SAMPLES`.
    """
    if n < MIN_SAMPLES:
        raise InvalidInput(
            f"At least {MIN_SAMPLES} samples must be scored {WHY_SO_MANY}. {n} would be: bring more, or score more of "
            "them (--split)."
        )


def diagnose_probe(
    of: Diagnosis | DataSet,
    result: ProbeResult,
    *,
    settings: Settings,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Diagnosis:
    """The diagnosis in which the probe is the model: of the rows that it scored, with its result among the run's
    probes.

    Args:
        of: the samples, embeddings and words that the probe was given, with what was said and left out on the way to
            them.

    Raises:
        InvalidInput: too few rows were scored, or the probe's losses do not differ.
    """
    assert of.embeddings is not None
    assert of.words is not None
    rows = result.rows
    kept = of.samples.keep(rows)
    vectors = of.embeddings.keep(rows)
    words = of.words.keep(rows)
    names = None
    if needs_superclasses(kept) and words.encoder:
        from core.encoders import load_encoder

        names = name_vectors(load_encoder(words.encoder), kept.class_names, cache)
    try:
        found = diagnose_records(
            kept, result.outcomes, vectors, words=words, names=names, settings=settings, progress=progress
        )
    except InvalidInput as error:
        raise InvalidInput(f"The failures of {result.name!r} cannot be diagnosed. {error}") from None
    said = (
        f"The model of this run is the probe {result.name!r} ({result.encoder}). {result.split}",
        "A probe's loss is computed from the encoder's own features, so that these predict much of it by construction.",
        *of.notes,
    )
    found = with_results(found, (_moved(result, len(of.samples)),))
    return replace(
        found,
        extras={**found.extras, OWN: result.name},
        notes=tuple(dict.fromkeys((*said, *found.notes))),
        excluded=(*of.excluded, *result.excluded),
    )


def _moved(result: ProbeResult, n: int) -> ProbeResult:
    """The result with rows counted among those that it scored; supports that are not among them are as images of a
    pool."""
    place = np.full(n + 1, -1, np.int64)  # the last entry serves row -1
    place[result.rows] = np.arange(len(result.rows))
    support = result.support
    moved = None if support is None else replace(support, rows=place[support.rows])
    return replace(result, rows=np.arange(len(result.rows), dtype=np.int64), support=moved, excluded=())
