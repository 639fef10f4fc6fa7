"""The zero-shot result of a run, made at once where the encoder comes with Errata and its texts are few."""

from __future__ import annotations

from contextlib import suppress
from weakref import WeakKeyDictionary

from core.encoders import EMBEDDED, load_encoder
from core.errors import DiagnosisError
from core.records import I64, OWN, Diagnosis
from core.systems.probes.base import Task, words_of
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.run import run_probe
from core.systems.probes.zero_shot.probe import LOADING_SECONDS, ZeroShot

NAME = "zero-shot"
MAX_SECONDS = 2.0
"""CPU seconds, besides those that load the encoder once per process."""

_RESULTS: WeakKeyDictionary[Diagnosis, ProbeResult] = WeakKeyDictionary()


def zero_shot_at_once(diagnosis: Diagnosis) -> ProbeResult | None:
    """The zero-shot result of a run: the stored one, else one that is made now and kept while the run is in memory.

    Returns:
        None if the samples lack labels or an encoder that comes with Errata, or if it would take longer than
        `MAX_SECONDS`.
    """
    stored = next((result for result in results_of(diagnosis) if result.probe == NAME), None)
    if stored is not None:
        return stored
    if diagnosis not in _RESULTS and _is_quick(diagnosis):
        with suppress(DiagnosisError):  # a form's Run says what is missing
            words = words_of(diagnosis)
            task = Task(diagnosis.samples, words.joint, load_encoder(words.encoder))
            _RESULTS[diagnosis] = run_probe(NAME, ZeroShot(), task)
    return _RESULTS.get(diagnosis)


def _is_quick(diagnosis: Diagnosis) -> bool:
    samples = diagnosis.samples
    encoder = diagnosis.words.encoder if diagnosis.words is not None else ""
    seconds = ZeroShot().estimate(len(samples), len(samples.class_names), 1) - LOADING_SECONDS
    return encoder in EMBEDDED.values() and seconds <= MAX_SECONDS


def zero_shot_count(diagnosis: Diagnosis, rows: I64) -> tuple[int, int] | None:
    """Count the model's errors among these rows that zero-shot gets right: (right, errors), as in "41 of these 65".

    Returns:
        None where the model's errors are unknown or none of the rows is one, where the model is that probe itself, or
        where `zero_shot_at_once` has no result.
    """
    errors = diagnosis.outcomes.errors
    if errors is None or not errors[rows].any():
        return None
    result = zero_shot_at_once(diagnosis)
    if result is None or result.outcomes.errors is None or diagnosis.extras.get(OWN) == result.name:
        return None
    missed = rows[errors[rows]]
    right = dict(zip(result.rows.tolist(), (~result.outcomes.errors).tolist()))
    scored = [right[row] for row in missed.tolist() if row in right]
    return sum(scored), len(scored)
