"""The ladder from zero-shot to learned prompts on one data set, mean over seeds, with the papers' figures beside:
`python -m core reproduce`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from core.encoders import encoder_name, load_encoder
from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.files import write_text
from core.records import Estimate, Progress, no_progress
from core.systems.common.published import PublishedFigure
from core.systems.probes import make_probe
from core.systems.probes.base import Task
from core.systems.probes.few_shot.pools import read_aliases, read_pool
from core.systems.probes.prompt_learning.coop import INIT
from core.systems.probes.run import run_probe
from research.ladder.data_sets import LadderData, read_data_set
from research.ladder.departures import departures, said_figure
from research.ladder.published import find, means
from research.ladder.steps import DEFAULT_CHOICES, LEARNED, NO_DRAW, LadderChoices, LadderStep, ladder
from research.ladder.transfer import base_to_new, cross_data_set

PROTOCOL = ("base", "new", "h", "seen", "unseen", "general_h", "into_base")
"""What base-to-new gives for each seed; see `research.ladder.transfer.BaseToNew`."""
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class LadderRow:
    """One figure of one step."""

    step: str
    shots: int | None
    setting: str
    metric: str
    value: Estimate | None
    """Mean over seeds; None where the step was skipped."""
    each: tuple[float, ...] = ()
    """The seeds' own values."""
    gains: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    """Over each control on the same rows, such as "zero-shot" and "random words"."""
    published: tuple[str, ...] = ()
    """The papers' figures in per cent, each with where it was read; flagged where it was tuned and this was not."""
    seconds: float = 0.0
    """CPU seconds of all seeds."""
    note: str = ""
    """Why it was skipped, or what is to be known of it."""
    protocol: str = ""
    """How the published figures came about."""
    here: tuple[str, ...] = ()
    """What this step does otherwise than they."""


@dataclass(frozen=True, slots=True)
class SupportPool:
    """A pool of images for SuS-X."""

    path: Path
    folders: str = "auto"
    aliases: Path | None = None
    """See `core.systems.probes.few_shot.pools.read_pool` and `read_aliases`."""


def reproduce(
    method: str,
    dataset: Path,
    encoder: str = "embedded",
    seeds: Sequence[int] = (0, 1, 2),
    *,
    choices: LadderChoices = DEFAULT_CHOICES,
    descriptions: str | None = None,
    pool: SupportPool | None = None,
    targets: Sequence[Path] = (),
    state: Path | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[LadderRow, ...]:
    """Run a method's ladder on a data set.

    Args:
        dataset: class folders, a table, a folder that holds one, or a `split_zhou_*.json` beside its images; see
            `read_data_set`.
        encoder: as in `core.encoders.load_encoder`, also with ":" before the tag.
        choices: shots, start of the context, images a class from the pool.
        descriptions: a file of sentences for each class; "" uses none, None the one that comes with the data set, if
            any.
        pool: images for SuS-X's support set; None: the data set's own training half stands in, and the rows say so.
        targets: other data sets, scored by what the first taught.
        state: JSON file that finished steps are kept in; what it has is not run again.

    Raises:
        InvalidInput: the method or a data set cannot be read, what is given does not fit the method, or `state` holds
        results of another data set or encoder.
    """
    choices = replace(choices, targets=tuple(path.stem for path in targets), pooled=pool is not None)
    planned = ladder(method, choices)
    for step in planned:  # a wrong value is said before anything is read
        make_probe(step.probe, step.settings)
    if pool is not None and not any(step.probe == "sus-x" for step in planned):
        raise InvalidInput(f"{method} makes no support set, so it has no use for a pool. Use sus-x, or leave it out.")
    encoder = encoder_name(encoder)
    if choices.init != INIT and any(step.probe in LEARNED for step in planned):
        _check_start(encoder, choices.init)
    found, *others = (read_data_set(path, encoder, cache=cache, progress=progress) for path in (dataset, *targets))
    if pool is not None:
        names = found.task.samples.class_names
        vectors = found.task.joint.vectors
        aliases = None if pool.aliases is None else read_aliases(pool.aliases, names)
        how: dict[str, Any] = {"samples": vectors, "folders": pool.folders, "aliases": aliases}
        read = read_pool(pool.path, found.task.encoder, names, **how, cache=cache, progress=progress)
        found = replace(found, task=replace(found.task, pool=read.images), pool_notes=read.notes)
    given = found.descriptions if descriptions is None else descriptions
    choices = replace(choices, descriptions=given, source=found.name, targets=tuple(other.name for other in others))
    steps = ladder(method, choices)
    return run_ladder(steps, found, seeds, encoder=encoder, targets=others, state=state, progress=progress)


def _check_start(encoder: str, init: str) -> None:
    """Refuse words that no context can start from, where the encoder can learn prompts at all."""
    loaded = load_encoder(encoder)
    if hasattr(loaded, "prompt_tower"):
        from core.systems.probes.prompt_learning.context import lay_out  # loads torch
        from core.systems.probes.prompt_learning.learner import tower_of
        from core.systems.probes.prompt_learning.training import start_tokens

        tower = tower_of(loaded)
        lay_out(tower, ["a"], len(start_tokens(tower, init)), "end")


def run_ladder(
    steps: Iterable[LadderStep],
    found: LadderData,
    seeds: Sequence[int],
    *,
    encoder: str = "",
    targets: Sequence[LadderData] = (),
    state: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[LadderRow, ...]:
    """Each step on each seed, as rows. A step that cannot be run has one row that says why; the others go on."""
    if not seeds:
        raise InvalidInput("At least one seed is needed. Ask for 3, say.")
    steps = tuple(steps)
    kept = _State.read(state, found.task)
    others = {other.name: other for other in targets}
    rows: list[LadderRow] = []
    for i, step in enumerate(steps):
        progress(step.title, i, len(steps))
        units: list[dict[str, Any]] = []
        reason = ""
        for seed in seeds if step.seeded else seeds[:1]:
            key = _key(step, seed, found, others.get(step.target))
            unit = kept.units.get(key)
            if unit is None:
                try:
                    unit = _unit(step, replace(found, task=replace(found.task, seed=seed)), others.get(step.target))
                except Cancelled:
                    raise
                except (DiagnosisError, ImportError) as fault:
                    reason = f"skipped: {fault}"
                    break
                kept.add(key, unit)
            units.append(unit)
        skipped = LadderRow(step.name, step.shots, step.said_setting, "", None, note=reason)
        rows += [skipped] if reason else _rows(step, units, encoder, found, others.get(step.target))
    progress("reproduce", len(steps), len(steps))
    return tuple(rows)


def over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over seeds with a 95% interval that covers both other rows and other draws.

    The reach on either side is the root of two squares: the mean reach of the seeds' own intervals, which are over rows
    (a little wide, since it takes the seeds' row errors as equal), and the reach of Student's t over the seeds. With
    one seed the interval is over rows alone.

    Source: the squares are added as in Zou & Donner 2008, Statistics in Medicine 27 (MOVER).
    """
    values = np.array([e.value for e in estimates])
    mean = float(values.mean())
    n = len(values)
    drawn = float(stats.t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
    below, above = (float(np.mean([abs(getattr(e, side) - e.value) for e in estimates])) for side in ("low", "high"))
    return Estimate(mean, mean - float(np.hypot(below, drawn)), mean + float(np.hypot(above, drawn)))


def _unit(step: LadderStep, found: LadderData, target: LadderData | None) -> dict[str, Any]:
    """One step on one seed, as JSON."""
    settings = {name: value for name, value in step.settings.items() if (name, value) != ("descriptions", "")}
    if step.name == "descriptions" and "descriptions" not in settings:
        raise InvalidInput("no file of descriptions was given, and none comes with this data set.")
    probe = make_probe(step.probe, settings)
    if step.setting == "base-to-new":
        apart = base_to_new(step.probe, probe, found.task, order=found.order)
        values = {name: getattr(apart, name) for name in PROTOCOL}
        metrics = {n: asdict(v if isinstance(v, Estimate) else Estimate(v, v, v)) for n, v in values.items()}
        return {"metrics": metrics, "gains": {}, "seconds": apart.seconds, "rows": apart.n_base + apart.n_new}
    if target is None:
        result = run_probe(step.probe, probe, found.task)
    else:
        result = cross_data_set(step.probe, probe, found.task, target.task)
    gains = {control.name: asdict(control.gain) for control in result.controls}
    metrics = {"accuracy": asdict(result.accuracy), "calibration error": asdict(result.calibration_error)}
    more = {"seconds": result.seconds, "rows": len(result.rows), "notes": list(result.notes)}
    return {"metrics": metrics, "gains": gains} | more


def _rows(
    step: LadderStep, units: Sequence[Mapping[str, Any]], encoder: str, found: LadderData, target: LadderData | None
) -> list[LadderRow]:
    rows = list[LadderRow]()
    seconds = sum(unit["seconds"] for unit in units)
    notes = [] if step.seeded else [NO_DRAW]
    notes += dict.fromkeys(note for unit in units for note in unit.get("notes", ()))
    notes += found.pool_notes if step.probe == "sus-x" else ()
    for metric in units[0]["metrics"]:
        own = [Estimate(**unit["metrics"][metric]) for unit in units]
        controls = units[0]["gains"] if metric == "accuracy" else ()
        gains = {name: over_seeds([Estimate(**unit["gains"][name]) for unit in units]) for name in controls}
        papers = _published(step, encoder, found.name, metric)
        first = metric in ("accuracy", "h")  # the figure of a step that stands for it
        rows.append(
            LadderRow(
                *(step.name, step.shots, step.said_setting, metric, over_seeds(own)),
                each=tuple(e.value for e in own),
                gains=gains,
                published=tuple(said_figure(figure, step) for figure in papers),
                seconds=seconds,
                note=" ".join(notes) if first else "",
                protocol=papers[0].protocol if papers and first else "",
                here=departures(step, target or found, published=bool(papers)) if first else (),
            )
        )
    return rows


def _published(step: LadderStep, encoder: str, dataset: str, metric: str) -> tuple[PublishedFigure, ...]:
    asked: dict[str, Any] = {"shots": step.shots, "setting": step.setting, "metric": metric}
    method = step.probe if step.probe == "sus-x" else step.name
    own = find(method, encoder, step.target or dataset, **asked)
    return means(method, encoder, **asked) if own is None else (own,)


def _key(step: LadderStep, seed: int, found: LadderData, target: LadderData | None) -> str:
    settings = dict(step.settings)
    if settings.get("descriptions") and Path(settings["descriptions"]).is_file():
        settings["descriptions"] = hashlib.sha256(Path(settings["descriptions"]).read_bytes()).hexdigest()[:16]
    parts: list[Any] = [step.title, step.probe, settings, seed if step.seeded else None]
    if step.probe == "sus-x" and (pool := found.task.pool) is not None:
        labels = b"" if pool.labels is None else pool.labels.tobytes()
        parts.append(hashlib.sha256(pool.features.tobytes() + labels).hexdigest()[:16])
    if target is not None:
        parts.append(_owner(target.task))
    return json.dumps(parts, sort_keys=True)


@dataclass(slots=True)
class _State:
    """Finished steps on disk, written after each."""

    path: Path | None
    owner: str
    units: dict[str, dict[str, Any]]

    @staticmethod
    def read(path: Path | None, task: Task) -> _State:
        """What the file has, or nothing.

        Raises:
            InvalidInput: it is no such file, or holds another data set's or encoder's results.
        """
        owner = _owner(task)
        if path is None or not path.is_file():
            return _State(path, owner, {})
        try:
            said = json.loads(path.read_text("utf-8"))
            format_ = said["format"]
            theirs = said["of"]
            units = dict(said["units"])
        except (RecursionError, KeyError, TypeError, ValueError):
            raise InvalidInput(
                f"{path} is no record of finished steps. Move it away, or write to another folder."
            ) from None
        if (format_, theirs) != (FORMAT, owner):
            raise InvalidInput(
                f"{path} holds steps of another data set, split or encoder. Write to another folder, or move it away."
            )
        return _State(path, owner, units)

    def add(self, key: str, unit: dict[str, Any]) -> None:
        self.units[key] = unit
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, json.dumps({"format": FORMAT, "of": self.owner, "units": self.units}, indent=1))


def _owner(task: Task) -> str:
    """Hash of what the results are of: ids, labels, names, vectors, split and encoder."""
    samples = task.samples
    parts = hashlib.sha256()
    parts.update(json.dumps([samples.ids, samples.class_names, task.encoder.fingerprint]).encode())
    for array in (samples.labels, samples.groups, task.joint.vectors, *(rows for f in _folds(task) for rows in f)):
        parts.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return parts.hexdigest()[:32]


def _folds(task: Task) -> list[tuple[Any, ...]]:
    return [] if task.split is None else [(f.train, f.test, f.validation) for f in task.split.folds]
