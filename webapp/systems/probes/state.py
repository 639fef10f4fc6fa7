"""A visitor's probes of the open run: what is kept, what a probe makes, and how two models are set side by side."""

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
from webapp.systems.probes.inputs import available, parted, pool_of, read_probes, refusal, task_of

MODEL = "model"
"""What the model under diagnosis is called where two are compared."""
MAX_NAMED_LENGTH = 16
"""A setting's value of at most so many characters goes into a result's name."""
NAMED = ("shots", "templates", "descriptions")
"""Settings that a result's name tells of already, as it comes from core."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeState:
    """What a visitor has run. Of a run of their own the results are stored with it too; the shared examples stay as
    they are."""

    run: str = ""
    kept: Mapping[str, tuple[ProbeResult, ...]] = field(default_factory=dict[str, tuple[ProbeResult, ...]])
    """The results by run."""
    name: str = ""
    """The result that is shown."""
    scope: str = "all"
    """"all", or a cluster's id."""
    kind: str = ""
    shown: int = 0
    former: str = ""
    """The run whose probe was diagnosed into the open one."""

    @property
    def results(self) -> tuple[ProbeResult, ...]:
        return self.kept.get(self.run, ())

    def result(self) -> ProbeResult | None:
        """The result that is shown, or None before the first."""
        return next((r for r in self.results if r.name == self.name), self.results[-1] if self.results else None)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What a probe made of a run, before it stands in the visitor's record under names of its own."""

    run: str
    results: tuple[ProbeResult, ...]


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
    """Run a probe on the diagnosis' samples, as `make_each` does; returns (results with what it made, the name of the
    last)."""
    return all_added(results, make_each(diagnosis, name, settings, pool=pool, progress=progress))


def make_each(
    diagnosis: Diagnosis,
    name: str,
    settings: Mapping[str, Any],
    *,
    pool: str | None = None,
    progress: Progress = no_progress,
) -> tuple[ProbeResult, ...]:
    """What a probe makes of the diagnosis' samples: one result, or with `fewer_shots` one for each number of them.

    Args:
        settings: the probe's, with `seed`, `split`, `fewer_shots`, `pool_folders` and `pool_names`.
        pool: path of an uploaded archive of images.

    Raises:
        InvalidInput: the probe, its settings or what it is given cannot be used.
    """
    from core.systems.probes.few_shot.pools import read_pool
    from core.systems.probes.run import run_each

    given, own = parted(settings)
    if why := refusal(diagnosis):
        raise InvalidInput(why)
    probes = read_probes(name, given, own)
    how = pool_of(probes[0], own, diagnosis.samples.class_names, brought=bool(pool))
    progress("load the text encoder", 0, 1)
    task = task_of(diagnosis, own)
    progress("load the text encoder", 1, 1)
    if not pool:
        return run_each(name, probes, task, progress=progress)
    how |= {"samples": task.joint.vectors, "cache": task.cache, "progress": progress}
    read = read_pool(pool, task.encoder, diagnosis.samples.class_names, **how)
    found = run_each(name, probes, replace(task, pool=read.images), progress=progress)
    told = {"pool": Path(pool).name} | {key: own[key] for key in ("pool_folders", "pool_names") if own.get(key)}
    return tuple(replace(r, settings={**r.settings, **told}, notes=(*r.notes, *read.notes)) for r in found)


def added(results: tuple[ProbeResult, ...], found: ProbeResult) -> tuple[tuple[ProbeResult, ...], str]:
    """The results with one more, under a name of its own; the same probe with the same settings takes the place of the
    earlier one."""
    for i, old in enumerate(results):
        if old.probe == found.probe and dict(old.settings) == dict(found.settings) and len(old.rows) == len(found.rows):
            return (*results[:i], replace(found, name=old.name), *results[i + 1 :]), old.name
    name = _named(found)
    taken = {r.name for r in results} | {MODEL}
    n = 2
    unique = name
    while unique in taken:
        unique = f"{name} ({n})"
        n = n + 1
    return (*results, replace(found, name=unique)), unique


def all_added(results: tuple[ProbeResult, ...], found: tuple[ProbeResult, ...]) -> tuple[tuple[ProbeResult, ...], str]:
    """The results with several more, as `added` takes one, and the name of the last."""
    name = ""
    for result in found:
        results, name = added(results, result)
    return results, name


def _named(found: ProbeResult) -> str:
    """The name with the settings that were changed, as far as they are short."""
    from core.options import settings_of

    changed = []
    for s in settings_of(available(found.probe)):
        value = found.settings.get(s.name)
        if (
            value != s.default
            and value not in (None, "")
            and s.name not in NAMED
            and len(str(value)) <= MAX_NAMED_LENGTH
            and not s.widget
        ):
            changed.append(f"{s.name.replace('_', ' ')} {value}")
    return ", ".join([found.name, *changed[:3]])


def keep_results(state: ProbeState, run: str, results: tuple[ProbeResult, ...], name: str) -> ProbeState:
    """The visitor's record with new results for a run; a run of their own is stored anew with them."""
    RUNS.change(run, lambda now: with_results(now, results))
    return ProbeState(run, {**state.kept, run: results}, name, former=state.former if state.run == run else "")


def keep_made(state: ProbeState, made: Made) -> ProbeState:
    """The visitor's record as it is now with what was made, whatever else was added while the probe was at work."""
    results, name = all_added(state.kept.get(made.run, results_of(RUNS.get(made.run))), made.results)
    return keep_results(state, made.run, results, name)


def compared(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The model under diagnosis beside a probe; None where only its losses are known, or where it is that probe."""
    from core.checks.compare import compare

    if diagnosis.outcomes.errors is None or is_own(diagnosis, name):
        return None
    return compare(diagnosis, MODEL, name)


def diagnose_failures(diagnosis: Diagnosis, result: ProbeResult, progress: Progress) -> str:
    """Find the failure clusters of a probe's own outcomes and store them as a run; returns its id."""
    from core.discovery.settings import Settings
    from core.systems.probes.own_failures import diagnose_probe

    if diagnosis.words is None:
        raise InvalidInput(refusal(diagnosis))
    samples = replace(diagnosis.samples, name=f"{result.name} on {diagnosis.samples.name}")
    given = diagnosis.settings
    settings = Settings(alpha=float(given.get("alpha", 0.05)), seed=int(given.get("seed", 0)), map=False)
    of = replace(diagnosis, samples=samples, notes=(), excluded=())
    found = diagnose_probe(of, result, settings=settings, cache=own_cache(), progress=progress)
    return RUNS.add(found, progress)
