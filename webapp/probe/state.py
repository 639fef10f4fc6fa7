"""A visitor's probes of the open run: what is kept, what a probe is given, and how two models are set side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DiagnosisError, InvalidInput, MissingDependency
from core.records import Comparison, Diagnosis, ProbeResult, Progress, no_progress
from webapp.markup.shares import is_own
from webapp.state.jobs import duration
from webapp.state.session import RUNS

if TYPE_CHECKING:
    from core.options import Setting
    from core.probes.base import Task
    from core.probes.splits import Split

MODEL = "model"


"""What the model under diagnosis is called where two are compared."""


OWN_FIELDS = ("seed", "split")


"""Fields of the form that are the run's own, not the probe's."""


PATHS = ("load", "save")


"""Settings that are paths of files to read or to write."""


JSON_TEXTS, LINES = ("descriptions",), ("synonyms",)


"""Settings that core takes as text or as a path: here as JSON text, or as lines or JSON text."""


SHORT = 16


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
    """What a probe made of a run, before it stands in the visitor's record under a name of its own."""

    run: str
    result: ProbeResult


def with_probes(run: str, results: tuple[ProbeResult, ...]) -> Diagnosis:
    """The run with the visitor's results in place of the stored ones."""
    return replace(RUNS.get(run), probes=results)


def refusal(diagnosis: Diagnosis) -> str:
    """Why no probe can run on these samples (plain text); "" where it can."""
    if diagnosis.samples.labels is None or len(diagnosis.samples.class_names) < 2:
        return (
            "A probe needs to know each image's true class, of two or more. "
            "Bring a table with a label column in the tab Your data."
        )
    if diagnosis.words is None or not diagnosis.words.encoder:
        return (
            "No encoder with a text tower saw these images, so class names and images cannot be compared. "
            "Diagnose again with pictures in the tab Your data."
        )
    return ""


def split_of(diagnosis: Diagnosis, asked: Any) -> Split | None:
    """How rows are divided: None lets the probe choose; "column" follows the table's split column."""
    if asked in (None, "", "halves"):
        return None
    if asked != "column":
        raise InvalidInput(f"split must be 'halves' or 'column': got {str(asked)[:40]!r}.")
    from core.probes.splits import by_column

    return by_column(diagnosis.samples)


def task_of(diagnosis: Diagnosis, own: Mapping[str, Any]) -> Task:
    """What a probe is run on: the run's samples in the space that they share with texts.

    Raises:
        InvalidInput: the run has no labels or no words, or the seed or the split cannot be used.
    """
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.base import Task

    if why := refusal(diagnosis):
        raise InvalidInput(why)
    assert diagnosis.words is not None
    encoder, split = load_encoder(diagnosis.words.encoder), split_of(diagnosis, own.get("split"))
    return Task(
        diagnosis.samples,
        diagnosis.words.joint,
        encoder,
        split=split,
        seed=read_seed(own.get("seed", 0)),
        cache=default_cache(),
    )


def read_seed(said: Any) -> int:
    """The seed as a whole number of 0 to 2^31 - 1; raises InvalidInput where it is none."""
    try:
        seed = float(said) if said not in (None, "") else 0.0
    except (TypeError, ValueError, OverflowError):
        seed = -1.0
    if isinstance(said, bool) or not 0 <= seed < 2**31 or seed != int(seed):
        raise InvalidInput(f"seed must be a whole number of 0 to 2,147,483,647: got {str(said)[:40]!r}.")
    return int(seed)


def parted(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the probe's settings, the run's own fields) of what a form or a program said."""
    if not isinstance(settings, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from outside
        raise InvalidInput(f"The settings must be an object such as {{}}: got {type(settings).__name__}.")
    own = {k: v for k, v in settings.items() if k in OWN_FIELDS}
    return {str(k): v for k, v in settings.items() if k not in OWN_FIELDS}, own


def run_one(
    diagnosis: Diagnosis,
    name: str,
    settings: Mapping[str, Any],
    *,
    pool: str | None = None,
    results: tuple[ProbeResult, ...] = (),
    progress: Progress = no_progress,
) -> tuple[tuple[ProbeResult, ...], str]:
    """Run a probe on the diagnosis' samples, as `make_one` does; returns (results with the new one, its name)."""
    return added(results, make_one(diagnosis, name, settings, pool=pool, progress=progress))


def make_one(
    diagnosis: Diagnosis,
    name: str,
    settings: Mapping[str, Any],
    *,
    pool: str | None = None,
    progress: Progress = no_progress,
) -> ProbeResult:
    """What a probe makes of the diagnosis' samples.

    Args:
        settings: the probe's, and `seed` and `split`.
        pool: path of an uploaded archive of pictures.

    Raises:
        InvalidInput: the probe, its settings or what it is given cannot be used.
    """
    from core.probes import make_probe
    from core.probes.few_shot.pools import read_pool
    from core.probes.run import run_probe

    given, own = parted(settings)
    if why := refusal(diagnosis):
        raise InvalidInput(why)
    probe = make_probe(name, allowed(name, given))
    progress("load the text encoder", 0, 1)
    task = task_of(diagnosis, own)
    progress("load the text encoder", 1, 1)
    if not (pool and probe.needs().pool):
        return run_probe(name, probe, task, progress=progress)
    joint, names = task.joint.vectors, diagnosis.samples.class_names
    brought = read_pool(pool, task.encoder, names, samples=joint, cache=task.cache, progress=progress)
    found = run_probe(name, probe, replace(task, pool=brought.images), progress=progress)
    return replace(found, settings={**found.settings, "pool": Path(pool).name}, notes=(*found.notes, *brought.notes))


def allowed(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, provided that none of them makes the server read or write a file by its path.

    Raises:
        InvalidInput: one is a path.
    """
    from core.options import settings_of

    for s in settings_of(available(name)):
        said = given.get(s.name)
        if said in (None, ""):
            continue
        if is_path(s):
            raise InvalidInput(f"{s.name} cannot be given here: it is a path on the server. Use the command line.")
        if s.name in JSON_TEXTS and not str(said).strip().startswith(("{", "[")):
            raise InvalidInput(
                f"{s.name} must be the JSON itself here, which begins with {{: got {str(said)[:40]!r}. "
                "Paste the file’s text."
            )
        if s.name in LINES and str(said).strip().casefold().endswith(".json"):
            raise InvalidInput(
                f"{s.name} must be lines or JSON text here: got {str(said)[:40]!r}. Paste the file’s text."
            )
    return dict(given)


def is_path(setting: Setting) -> bool:
    """Whether a setting's value is a path, which no visitor may give."""
    return (
        setting.name in PATHS
        or setting.widget == "folder"
        or (setting.widget == "file" and setting.name not in JSON_TEXTS)
    )


def available(name: str) -> Any:
    """The probe's class.

    Raises:
        InvalidInput: there is no such probe, or its part of Errata is not installed.
    """
    from core.probes import probe_class

    try:
        return probe_class(name)
    except (ImportError, AttributeError, MissingDependency) as error:
        raise InvalidInput(f"The probe {name!r} cannot be used here: {error}. Choose another one.") from error


def added(results: tuple[ProbeResult, ...], found: ProbeResult) -> tuple[tuple[ProbeResult, ...], str]:
    """The results with one more, under a name of its own; the same probe with the same settings takes the place of the
    earlier one."""
    for i, old in enumerate(results):
        if old.probe == found.probe and dict(old.settings) == dict(found.settings) and len(old.rows) == len(found.rows):
            return (*results[:i], replace(found, name=old.name), *results[i + 1 :]), old.name
    name = _named(found)
    taken, n = {r.name for r in results} | {MODEL}, 2
    unique = name
    while unique in taken:
        unique, n = f"{name} ({n})", n + 1
    return (*results, replace(found, name=unique)), unique


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
            and len(str(value)) <= SHORT
            and not s.widget
        ):
            changed.append(f"{s.name.replace('_', ' ')} {value}")
    return ", ".join([found.name, *changed[:3]])


def keep_results(state: ProbeState, run: str, results: tuple[ProbeResult, ...], name: str) -> ProbeState:
    """The visitor's record with new results for a run; a run of their own is stored anew with them."""
    RUNS.keep(run, with_probes(run, results))
    return ProbeState(run, {**state.kept, run: results}, name, former=state.former if state.run == run else "")


def keep_made(state: ProbeState, made: Made) -> ProbeState:
    """The visitor's record as it is now with one more result, whatever else was added while the probe was at work."""
    results, name = added(state.kept.get(made.run, RUNS.get(made.run).probes), made.result)
    return keep_results(state, made.run, results, name)


def compared(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The model under diagnosis beside a probe; None where only its losses are known, or where it is that probe."""
    from core.checks.compare import compare

    if diagnosis.outcomes.errors is None or is_own(diagnosis, name):
        return None
    return compare(diagnosis, MODEL, name)


def seconds_for(diagnosis: Diagnosis, name: str, settings: Mapping[str, Any]) -> float:
    """CPU seconds that a run is likely to take.

    Raises:
        InvalidInput: a setting is out of range.
    """
    from core.probes import make_probe

    given, own = parted(settings)
    read_seed(own.get("seed", 0))
    probe = make_probe(name, allowed(name, given))
    needs = probe.needs()
    folds = 2 if (needs.shots or needs.validation or needs.pool) and own.get("split") != "column" else 1
    return float(probe.estimate(len(diagnosis.samples), len(diagnosis.samples.class_names), folds))


def estimate(asked: Any) -> str:
    """ "About 3 seconds of one core" for [run, probe, settings], or what is wrong with the settings; "" to a wrong
    question.

    The page calls this while the form is filled in, and so may anybody: it opens nothing and tells nothing of other
    runs.
    """
    try:
        run, name, settings = asked
        return f"About {duration(seconds_for(RUNS.get(str(run)), str(name), settings))} of one core."
    except DiagnosisError as error:
        return str(error)
    except (TypeError, ValueError):
        return ""


def diagnose_failures(diagnosis: Diagnosis, result: ProbeResult, progress: Progress) -> str:
    """Find the failure clusters of a probe's own outcomes and store them as a run; returns its id."""
    from core.discovery.settings import Settings
    from core.embeddings.cache import default_cache
    from core.probes.own_failures import diagnose_probe

    if diagnosis.words is None:
        raise InvalidInput(refusal(diagnosis))
    samples = replace(diagnosis.samples, name=f"{result.name} on {diagnosis.samples.name}")
    given = diagnosis.settings
    settings = Settings(alpha=float(given.get("alpha", 0.05)), seed=int(given.get("seed", 0)), map=False)
    found = diagnose_probe(
        samples,
        diagnosis.embeddings,
        diagnosis.words,
        result,
        settings=settings,
        cache=default_cache(),
        progress=progress,
    )
    return RUNS.add(found, progress)
