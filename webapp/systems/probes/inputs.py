"""What a probe is given of a visitor's form and of the open run, what of it is allowed, and how long it will take."""

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
"""Fields of the form that are not the probe's own."""
PATHS = ("load", "save")
"""Settings that are paths of files to read or to write."""
JSON_TEXTS = ("descriptions",)
LINES = ("synonyms",)
MASKED = ("own_patterns",)
"""Settings that core takes as text or as a path: here as JSON text, as lines or JSON text, or as lines with <mask>."""


def refusal(diagnosis: Diagnosis) -> str:
    """Why no probe can run on these samples (plain text); "" where it can."""
    if diagnosis.samples.labels is None or len(diagnosis.samples.class_names) < 2:
        return (
            "A probe needs to know each sample's true class, of two or more. "
            "Bring a table with a label column in the tab Your data."
        )
    if diagnosis.words is None and diagnosis.samples.modality == "scan":
        return "The encoder of scans was taught no words, so class names and scans cannot be compared."
    if diagnosis.words is None or not diagnosis.words.encoder:
        return (
            "No encoder with a text tower saw these samples, so class names and samples cannot be compared. "
            "Diagnose again with images, clips or texts in the tab Your data."
        )
    return ""


def unfit(name: str, diagnosis: Diagnosis) -> str:
    """Why this probe cannot run on samples of the run's modality (plain text); "" where it can."""
    modality = diagnosis.samples.modality
    if modality == "image" or not available(name)().needs().prompt_tower:
        return ""
    return (
        f"{available(name).title} learns prompts through the text tower of an encoder of images, and these "
        f"samples are {modality}s. Choose a probe without learned prompts."
    )


def split_of(diagnosis: Diagnosis, asked: Any) -> Split | None:
    """How rows are divided: None lets the probe choose; "column" follows the table's split column."""
    if asked in (None, "", "halves"):
        return None
    if asked != "column":
        raise InvalidInput(f"split must be 'halves' or 'column': got {str(asked)[:40]!r}.")
    from core.systems.probes.splits import by_column

    return by_column(diagnosis.samples)


def task_of(diagnosis: Diagnosis, own: Mapping[str, Any]) -> Task:
    """What a probe is run on: the run's samples in the space that they share with texts.

    Raises:
        InvalidInput: the run has no labels or no words, or the seed or the split cannot be used.
    """
    from core.encoders import load_encoder
    from core.systems.probes.base import Task

    if why := refusal(diagnosis):
        raise InvalidInput(why)
    assert diagnosis.words is not None
    encoder = load_encoder(diagnosis.words.encoder)
    split = split_of(diagnosis, own.get("split"))
    return Task(
        diagnosis.samples,
        diagnosis.words.joint,
        encoder,
        split=split,
        seed=read_seed(own.get("seed", 0)),
        cache=own_cache(),
    )


def pool_of(probe: Any, own: Mapping[str, Any], names: Sequence[str], *, brought: bool) -> dict[str, Any]:
    """How the folders of a pool are read, as `core.systems.probes.few_shot.pools.read_pool` takes it.

    Args:
        brought: whether there is a pool.

    Raises:
        InvalidInput: other names are no JSON text (a path is never opened), or a pool was brought, or something was
            said of it, that this probe with these settings has no use for.
    """
    from core.systems.probes.few_shot.pools import FOLDERS, read_aliases

    folders = str(own.get("pool_folders") or FOLDERS[0])
    said = str(own.get("pool_names") or "").strip()
    if brought and not probe.needs().pool:
        raise InvalidInput(
            f"{probe.title} with these settings makes no support set of a pool. Take the pool out, or set shots to 0."
        )
    if not brought and (said or folders != FOLDERS[0]):
        raise InvalidInput("Something was said of the pool’s folders, and there is no pool. Bring one, or empty that.")
    if folders not in FOLDERS:
        raise InvalidInput(f"pool_folders must be one of {', '.join(FOLDERS)}: got {folders[:40]!r}.")
    if said and not said.startswith("{"):
        raise InvalidInput(
            f'pool_names must be JSON text such as {{"plane": "airplane"}}: got {said[:40]!r}. Paste the file’s text.'
        )
    return {"folders": folders, "aliases": read_aliases(said, names) if said else None}


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
        if s.name in MASKED and "<mask>" not in str(said):
            raise InvalidInput(
                f"{s.name} must be lines that hold <mask> here: got {str(said)[:40]!r}. Paste the file’s text."
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
    from core.systems.probes import probe_class

    try:
        return probe_class(name)
    except (ImportError, AttributeError, MissingDependency) as error:
        raise InvalidInput(f"The probe {name!r} cannot be used here: {error}. Choose another one.") from error


def read_probes(name: str, given: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """The probe with these settings; where fewer shots are asked for too, with 1, 2, 4, ... up to them.

    Raises:
        InvalidInput: a setting is out of range or a path, or fewer shots are asked of a probe that takes none.
    """
    from core.systems.probes import make_probe
    from core.systems.probes.shot_curves import doubled

    given = allowed(name, given)
    probe = make_probe(name, given)
    if own.get("fewer_shots") not in (True, "true", "True"):
        return [probe]
    if probe.needs().shots < 2:
        raise InvalidInput(
            f"{probe.title} has no fewer shots to be run with. Set shots to 2 or more, or leave that out."
        )
    return [make_probe(name, {**given, "shots": shots}) for shots in doubled(probe.needs().shots)]


def seconds_for(diagnosis: Diagnosis, name: str, settings: Mapping[str, Any]) -> float:
    """CPU seconds that a run is likely to take.

    Raises:
        InvalidInput: a setting is out of range.
    """
    given, own = parted(settings)
    read_seed(own.get("seed", 0))
    probes = read_probes(name, given, own)
    needs = probes[0].needs()
    folds = 2 if (needs.shots or needs.validation or needs.pool) and own.get("split") != "column" else 1
    n = len(diagnosis.samples)
    k = len(diagnosis.samples.class_names)
    return float(sum(probe.estimate(n, k, folds) for probe in probes))


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
