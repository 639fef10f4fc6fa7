"""A visitor's probe results of the open run: running probes, keeping their results, and comparing two models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.records import Comparison, Diagnosis, Progress, no_progress
from core.systems.probes.records import ProbeResult, results_of, with_results
from webapp.markup.shares import is_own
from webapp.state.caches import own_cache
from webapp.state.runs import RUNS
from webapp.systems.probes.inputs import available, pool_of, read_probes, refusal, split_settings, task_of

MODEL = "model"
"""Name of the model under diagnosis in a comparison."""
MAX_NAMED_LENGTH = 16
"""Longest value, in characters, of a setting that goes into a result's name."""
NAMED = ("shots", "templates", "descriptions")
"""Settings that core already puts into a result's name."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeState:
    """A visitor's probe results. Results on the visitor's own run are also stored with it; shared examples stay
    unchanged."""

    run: str = ""
    by_run: Mapping[str, tuple[ProbeResult, ...]] = field(default_factory=dict[str, tuple[ProbeResult, ...]])
    """The results by run."""
    name: str = ""
    """Name of the shown result."""
    group: int | None = None
    """Id of the cluster that comes first."""
    scope: str = "all"
    """"all", or a cluster's id."""
    kind: str = ""
    shown: int = 0

    @property
    def results(self) -> tuple[ProbeResult, ...]:
        return self.by_run.get(self.run, ())

    def result(self) -> ProbeResult | None:
        """The shown result, by default the last; None before the first."""
        if not self.results:
            return None
        return next((r for r in self.results if r.name == self.name), self.results[-1])


@dataclass(frozen=True, slots=True, eq=False)
class NewResults:
    """Results of a probe on a run, before they get unique names in the visitor's state."""

    run: str
    results: tuple[ProbeResult, ...]


def with_zero_shot(diagnosis: Diagnosis) -> tuple[ProbeResult, ...]:
    """The run's stored results; last zero-shot's, which is shown first, if it is made at once and not among them."""
    from core.systems.probes.at_once import zero_shot_at_once  # scipy: not needed to start the page

    results = results_of(diagnosis)
    zero_shot = zero_shot_at_once(diagnosis)
    if zero_shot is None or any(result.name == zero_shot.name for result in results):
        return results
    return (*results, zero_shot)


def with_probes(run: str, results: tuple[ProbeResult, ...]) -> Diagnosis:
    """The run with the visitor's results in place of the stored ones."""
    return with_results(RUNS.get(run), results)


def run_one(
    diagnosis: Diagnosis,
    name: str,
    settings: Mapping[str, Any],
    *,
    pool: str | None = None,
    results: tuple[ProbeResult, ...] = (),
    progress: Progress = no_progress,
) -> tuple[tuple[ProbeResult, ...], str]:
    """Run a probe on the diagnosis' samples, like `run_all`; returns (all results, the name of the last)."""
    return add_all(results, run_all(diagnosis, name, settings, pool=pool, progress=progress))


def run_all(
    diagnosis: Diagnosis,
    name: str,
    values: Mapping[str, Any],
    *,
    pool: str | None = None,
    progress: Progress = no_progress,
) -> tuple[ProbeResult, ...]:
    """A probe's results on the diagnosis' samples: one, or with `fewer_shots` one for each number of shots.

    Args:
        values: the probe's settings, with `seed`, `split`, `fewer_shots`, `pool_folders` and `pool_names`.
        pool: path of an uploaded archive of images.

    Raises:
        InvalidInput: the probe, its settings or its pool cannot be used.
    """
    from core.systems.probes.few_shot.pools import read_pool
    from core.systems.probes.run import run_each

    settings, fields = split_settings(values)
    reason = refusal(diagnosis)
    if reason:
        raise InvalidInput(reason)
    probes = read_probes(name, settings, fields)
    arguments = pool_of(probes[0], fields, diagnosis.samples.class_names, has_pool=bool(pool))
    progress("Loading the text encoder", 0, 1)
    task = task_of(diagnosis, fields)
    progress("Loading the text encoder", 1, 1)
    if not pool:
        return run_each(name, probes, task, progress=progress)
    arguments |= {"samples": task.joint.vectors, "cache": task.cache, "progress": progress}
    images = read_pool(pool, task.encoder, diagnosis.samples.class_names, **arguments)
    results = run_each(name, probes, replace(task, pool=images.images), progress=progress)
    used = {"pool": Path(pool).name} | {key: fields[key] for key in ("pool_folders", "pool_names") if fields.get(key)}
    return tuple(replace(r, settings={**r.settings, **used}, notes=(*r.notes, *images.notes)) for r in results)


def add(results: tuple[ProbeResult, ...], new: ProbeResult) -> tuple[tuple[ProbeResult, ...], str]:
    """The results with one more, under a unique name; the same probe with the same settings replaces the earlier
    one."""
    for i, old in enumerate(results):
        if old.probe == new.probe and dict(old.settings) == dict(new.settings) and len(old.rows) == len(new.rows):
            return (*results[:i], replace(new, name=old.name), *results[i + 1 :]), old.name
    name = _named(new)
    taken = {r.name for r in results} | {MODEL}
    n = 2
    unique = name
    while unique in taken:
        unique = f"{name} ({n})"
        n = n + 1
    return (*results, replace(new, name=unique)), unique


def add_all(results: tuple[ProbeResult, ...], new: tuple[ProbeResult, ...]) -> tuple[tuple[ProbeResult, ...], str]:
    """The results with several more, as in `add`, and the name of the last."""
    name = ""
    for result in new:
        results, name = add(results, result)
    return results, name


def _named(result: ProbeResult) -> str:
    """The result's name with its changed settings, if they are short."""
    from core.options import settings_of

    changed = []
    for s in settings_of(available(result.probe)):
        value = result.settings.get(s.name)
        if (
            value != s.default
            and value not in (None, "")
            and s.name not in NAMED
            and len(str(value)) <= MAX_NAMED_LENGTH
            and not s.widget
        ):
            changed.append(f"{s.name.replace('_', ' ')} {value}")
    return ", ".join([result.name, *changed[:3]])


def keep_results(state: ProbeState, run: str, results: tuple[ProbeResult, ...], name: str) -> ProbeState:
    """The visitor's state with new results for a run; the visitor's own run is stored with them."""
    RUNS.change(run, lambda latest: with_results(latest, results))
    return ProbeState(run, {**state.by_run, run: results}, name)


def keep_new(state: ProbeState, new: NewResults) -> ProbeState:
    """The visitor's latest state with new results, whatever else was added while the probe ran."""
    earlier = state.by_run.get(new.run, results_of(RUNS.get(new.run)))
    results, name = add_all(earlier, new.results)
    return keep_results(state, new.run, results, name)


def compared(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The comparison of the model under diagnosis with a probe; None if only its losses are known or it is that
    probe."""
    from core.checks.compare import compare

    if diagnosis.outcomes.errors is None or is_own(diagnosis, name):
        return None
    return compare(diagnosis, MODEL, name)


def diagnose_failures(diagnosis: Diagnosis, result: ProbeResult, progress: Progress) -> str:
    """Diagnose a probe's own failures and store the diagnosis as a run; returns its id."""
    from core.discovery.settings import Settings
    from core.systems.probes.own_failures import diagnose_probe

    if diagnosis.words is None:
        raise InvalidInput(refusal(diagnosis))
    samples = replace(diagnosis.samples, name=f"{result.name} on {diagnosis.samples.name}")
    earlier = diagnosis.settings
    settings = Settings(alpha=float(earlier.get("alpha", 0.05)), seed=int(earlier.get("seed", 0)), map=False)
    of = replace(diagnosis, samples=samples, notes=(), excluded=())
    probe_diagnosis = diagnose_probe(of, result, settings=settings, cache=own_cache(), progress=progress)
    return RUNS.add(probe_diagnosis, progress)
