"""Inputs of a probe from a visitor's form and the open run, their checks, and an estimate of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import DiagnosisError, InvalidInput, MissingDependency
from core.records import Diagnosis
from webapp.state.caches import own_cache
from webapp.state.jobs import duration
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    from core.options import Setting
    from core.systems.probes.run import Task
    from core.systems.probes.splits import Split

OWN_FIELDS = ("seed", "split", "fewer_shots", "pool_folders", "pool_names")
"""Fields of the form that are not settings of the probe."""
PATHS = ("load", "save")
"""Settings that are paths of files to read or write."""
JSON_TEXTS = ("descriptions",)
LINES = ("synonyms",)
MASKED = ("own_patterns",)
"""Settings that core takes as text or as a path: here as JSON text, as lines or JSON text, or as lines with <mask>."""


def refusal(diagnosis: Diagnosis) -> str:
    """Why no probe can run on these samples (plain text); "" where it can."""
    from core.systems.probes.base import words_of

    try:
        words_of(diagnosis)
    except InvalidInput as error:
        return str(error)
    return ""


def unfit(name: str, diagnosis: Diagnosis) -> str:
    """Why this probe cannot run on samples of the run's modality (plain text); "" where it can."""
    modality = diagnosis.samples.modality
    if modality == "image" or not available(name)().needs().prompt_tower:
        return ""
    return (
        f"{available(name).title} learns prompts through the text tower of an image encoder, and these samples are "
        f"{modality}s. Choose a probe without learned prompts."
    )


def split_of(diagnosis: Diagnosis, value: Any) -> Split | None:
    """The split: None lets the probe choose; "column" follows the table's split column."""
    if value in (None, "", "halves"):
        return None
    if value != "column":
        raise InvalidInput(f"split must be 'halves' or 'column': got {str(value)[:40]!r}.")
    from core.systems.probes.splits import by_column

    return by_column(diagnosis.samples)


def task_of(diagnosis: Diagnosis, fields: Mapping[str, Any]) -> Task:
    """The task of a probe: the run's samples in the space that they share with texts.

    Raises:
        InvalidInput: the run has no labels or no words, or the seed or the split cannot be used.
    """
    from core.encoders import load_encoder
    from core.systems.probes.base import Task, words_of

    words = words_of(diagnosis)
    encoder = load_encoder(words.encoder)
    split = split_of(diagnosis, fields.get("split"))
    return Task(
        diagnosis.samples, words.joint, encoder, split=split, seed=read_seed(fields.get("seed", 0)), cache=own_cache()
    )


def pool_of(probe: Any, fields: Mapping[str, Any], names: Sequence[str], *, has_pool: bool) -> dict[str, Any]:
    """The arguments of `core.systems.probes.few_shot.pools.read_pool` on folders.

    Raises:
        InvalidInput: pool_names is not JSON text (a path is never opened), or the form has a pool, or fields about
            one, that this probe with these settings does not use.
    """
    from core.systems.probes.few_shot.pools import FOLDERS, read_aliases

    folders = str(fields.get("pool_folders") or FOLDERS[0])
    aliases = str(fields.get("pool_names") or "").strip()
    if has_pool and not probe.needs().pool:
        raise InvalidInput(f"{probe.title} with these settings does not use a pool. Remove it, or set shots to 0.")
    if not has_pool and (aliases or folders != FOLDERS[0]):
        raise InvalidInput("The fields on the pool’s folders need a pool. Add one, or empty these fields.")
    if folders not in FOLDERS:
        raise InvalidInput(f"pool_folders must be one of {', '.join(FOLDERS)}: got {folders[:40]!r}.")
    if aliases and not aliases.startswith("{"):
        raise InvalidInput(
            f'pool_names must be JSON text such as {{"plane": "airplane"}}: got {aliases[:40]!r}. Paste the file’s '
            "text."
        )
    return {"folders": folders, "aliases": read_aliases(aliases, names) if aliases else None}


def read_seed(value: Any) -> int:
    """The seed as a whole number of 0 to 2^31 - 1; raises InvalidInput for other values."""
    try:
        seed = 0.0 if value in (None, "") else float(value)
    except (TypeError, ValueError, OverflowError):
        seed = -1.0
    if isinstance(value, bool) or not 0 <= seed < 2**31 or seed != int(seed):
        raise InvalidInput(f"seed must be a whole number of 0 to 2,147,483,647: got {str(value)[:40]!r}.")
    return int(seed)


def split_settings(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(settings of the probe, fields of the run) from a form or a program."""
    if not isinstance(values, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from outside
        raise InvalidInput(f"The settings must be an object such as {{}}: got {type(values).__name__}.")
    fields = {k: v for k, v in values.items() if k in OWN_FIELDS}
    return {str(k): v for k, v in values.items() if k not in OWN_FIELDS}, fields


def check_paths(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that make the server read or write a file by its path.

    Raises:
        InvalidInput: a setting is a path.
    """
    from core.options import settings_of

    for s in settings_of(available(name)):
        value = settings.get(s.name)
        if value in (None, ""):
            continue
        if is_path(s):
            raise InvalidInput(f"{s.name} is a path on the server and cannot be set here. Use the command line.")
        text = str(value)
        needed = ""
        if s.name in JSON_TEXTS and not text.strip().startswith(("{", "[")):
            needed = "JSON text that begins with {"
        if s.name in LINES and text.strip().casefold().endswith(".json"):
            needed = "lines or JSON text"
        if s.name in MASKED and "<mask>" not in text:
            needed = "lines with <mask>"
        if needed:
            raise InvalidInput(f"{s.name} must be {needed} here: got {text[:40]!r}. Paste the file’s text.")


def is_path(setting: Setting) -> bool:
    """Whether a setting's value is a path, which visitors may not set."""
    return (
        setting.name in PATHS
        or setting.widget == "folder"
        or (setting.widget == "file" and setting.name not in JSON_TEXTS)
    )


def available(name: str) -> Any:
    """The probe's class.

    Raises:
        InvalidInput: the name is unknown, or the probe's part of Errata is not installed.
    """
    from core.systems.probes import probe_class

    try:
        return probe_class(name)
    except (ImportError, AttributeError, MissingDependency) as error:
        raise InvalidInput(f"The probe {name!r} is not available: {error}. Choose another probe.") from error


def read_probes(name: str, settings: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Any]:
    """The probe with these settings; with `fewer_shots` one probe for each of 1, 2, 4, ... up to its shots.

    Raises:
        InvalidInput: a setting is out of range or a path, or fewer_shots is set for a probe with less than 2 shots.
    """
    from core.systems.probes import make_probe
    from core.systems.probes.shot_curves import doubled

    check_paths(name, settings)
    probe = make_probe(name, dict(settings))
    if fields.get("fewer_shots") not in (True, "true", "True"):
        return [probe]
    if probe.needs().shots < 2:
        raise InvalidInput(
            f"Fewer shots need 2 or more: {probe.title} has {probe.needs().shots}. Set more shots, or untick it."
        )
    return [make_probe(name, {**settings, "shots": shots}) for shots in doubled(probe.needs().shots)]


def seconds_for(diagnosis: Diagnosis, name: str, values: Mapping[str, Any]) -> float:
    """Expected CPU seconds of a run.

    Raises:
        InvalidInput: a setting is out of range.
    """
    settings, fields = split_settings(values)
    read_seed(fields.get("seed", 0))
    probes = read_probes(name, settings, fields)
    needs = probes[0].needs()
    folds = 1
    if (needs.shots or needs.validation or needs.pool) and fields.get("split") != "column":
        folds = 2
    n = len(diagnosis.samples)
    k = len(diagnosis.samples.class_names)
    return float(sum(probe.estimate(n, k, folds) for probe in probes))


def estimate(request: Any) -> str:
    """ "About 3 seconds of one core" for [run, probe, settings], or the error in the settings; "" for an invalid
    request.

    The page calls this while the form is filled in, and so may anybody: it opens no file and reveals nothing of other
    runs.
    """
    try:
        run, name, settings = request
        return f"About {duration(seconds_for(RUNS.get(str(run)), str(name), settings))} of one core."
    except DiagnosisError as error:
        return str(error)
    except (TypeError, ValueError):
        return ""
