"""Run a probe on samples: give each fold what it needs, put the folds together, and measure. The result is a loss for
each sample."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders import Encoder
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.options import check_seed, read_name
from core.probes.base import Images, Needs, Probe, ProbeInput, Scored, said_shots
from core.probes.measures import calibration_error
from core.probes.row_order import moved, moved_back, order_of
from core.probes.splits import VALIDATION, Fold, Split, apart, draw, halves, score_every_row
from core.records import (
    F32,
    F64,
    I64,
    Bool,
    Choice,
    Control,
    Embeddings,
    LogitParts,
    Neighbours,
    Outcomes,
    ProbeResult,
    Progress,
    SampleSet,
    Support,
    no_progress,
)
from core.statistics import losses
from core.statistics.intervals import accuracy_of, bootstrap
from core.statistics.paired import paired_difference, paired_p, sign_flip_p

SHOWN = 6


"""Classes for which the parts of the logits are kept: the true one and the leading others."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What probes are run on."""

    samples: SampleSet
    """n rows with labels."""
    joint: Embeddings
    """(n, d) the samples in the encoder's space shared with texts."""
    encoder: Encoder
    pool: Images | None = None
    """Images for a support set; None takes the other half of the samples, without their labels."""
    split: Split | None = None
    """None: every row is scored, by halves where the probe learns from labelled or pooled rows."""
    seed: int = 0
    cache: Path | None = None


def run_probe(name: str, probe: Probe, task: Task, *, label: str = "", progress: Progress = no_progress) -> ProbeResult:
    """The probe's outcome for each row.

    Args:
        name: of the probe, in `core.probes.PROBES`.
        label: what the result is called, see `read_name`; by default the name, with the shots if there are any.
        progress: called as ("probe", done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the samples have no labels or one class, the vectors are of another space, or the probe refuses
        what it was given.
    """
    check_task(task)
    order, label = order_of(task.samples.ids), read_name(label)
    return moved_back(_run(name, probe, in_id_order(task), label, progress), order)


def in_id_order(task: Task) -> Task:
    """The same task with its samples in the order of their ids, in which rows are drawn: the order of a table changes
    nothing."""
    order = order_of(task.samples.ids)
    return replace(task, samples=task.samples.keep(order), joint=task.joint.keep(order), split=moved(task.split, order))


def _run(name: str, probe: Probe, task: Task, label: str, progress: Progress) -> ProbeResult:
    labels, names = check_task(task)
    needs, started = probe.needs(), time.process_time()
    split = apart(task.split, task.samples.groups) if task.split else _split(needs, task, labels)
    made: list[tuple[Fold, Scored]] = []
    for i, fold in enumerate(split.folds):
        said = "probe" if len(split.folds) == 1 else f"probe, part {i + 1} of {len(split.folds)}"
        part = _part(probe, needs, task, labels, names, fold, _renamed(progress, said))
        made.append((fold, _sound(probe.run(part), len(fold.test), len(names))))
        progress(said, 1, 1)
    seconds = time.process_time() - started
    return _result(name, probe, label or label_of(name, probe), task, labels, names, split, made, seconds)


def check_task(task: Task) -> tuple[I64, tuple[str, ...]]:
    """(n,) labels and k class names of samples that a probe can be run on.

    Raises:
        InvalidInput: there are no samples or labels, fewer than two classes, names that a text encoder cannot tell
        apart, vectors of another
            space, or the seed is out of range.
    """
    samples = task.samples
    check_seed(task.seed)
    if samples.labels is None:
        raise InvalidInput("A probe needs to know each image's true class. Bring a table with a label column.")
    names = samples.class_names
    if not len(samples):
        raise InvalidInput("There are no samples, so there is nothing to score. Bring labelled images.")
    check_names(names)
    if task.joint.space != task.encoder.joint_space:
        raise InvalidInput(
            f"The images' vectors are of the space {task.joint.space!r} and the encoder's is "
            f"{task.encoder.joint_space!r}. Use one encoder."
        )
    return samples.labels, names


def check_names(names: Sequence[str]) -> None:
    """Refuse class names that a text encoder cannot tell apart.

    Raises:
        InvalidInput: there are fewer than two, one is empty, or two differ in case, underscores or the composition of
        accents alone.
    """
    folded = [fold_name(n) for n in names]
    if not all(folded):
        raise InvalidInput(
            f"A class has no name (number {folded.index('')}), so nothing can be said of it. Give every class a name."
        )
    if len(names) < 2:
        raise InvalidInput(
            f"There is only one class, {', '.join(names)!r}, so there is nothing to tell apart. "
            "Bring samples of at least two."
        )
    if len(set(folded)) < len(folded):
        twice = next(i for i, n in enumerate(folded) if n in folded[:i])
        raise InvalidInput(
            f"Two classes have the same name to a text encoder: {names[folded.index(folded[twice])]!r} and "
            f"{names[twice]!r}. Rename one."
        )


def _split(needs: Needs, task: Task, labels: I64) -> Split:
    learns = needs.shots or needs.validation or (needs.pool and task.pool is None)
    return halves(labels, task.samples.groups, task.seed) if learns else score_every_row(len(labels))


def _part(
    probe: Probe, needs: Needs, task: Task, labels: I64, names: Sequence[str], fold: Fold, progress: Progress
) -> ProbeInput:
    def images(rows: I64, *, seen: bool) -> Images:
        return Images(
            task.joint.vectors[rows],
            tuple(task.samples.ids[i] for i in rows.tolist()),
            labels[rows] if seen else None,
            rows,
        )

    shots = validation = None
    if needs.shots or needs.validation:
        wanted = min(needs.validation, VALIDATION) if needs.shots else needs.validation
        if not len(fold.train):
            raise InvalidInput(
                "This probe learns from labelled images, and none are left beside those that are scored. "
                "Bring at least two images (or groups) a "
                "class, or a split that leaves some to teach."
            )
        fewer = bool(getattr(probe, "fewer", False))
        drawn, beside = draw(
            labels, fold.train, names, needs.shots, wanted, task.seed, fewer=fewer, checked=fold.validation
        )
        shots = images(drawn, seen=True) if needs.shots else None
        validation = images(beside, seen=True) if wanted and len(beside) else None
    pool = task.pool if needs.pool else None
    if needs.pool and pool is None:
        pool = replace(images(fold.train, seen=False), hidden=labels[fold.train])
    return ProbeInput(
        tuple(names),
        task.encoder,
        images(fold.test, seen=False),
        shots,
        validation,
        pool,
        task.seed,
        task.cache,
        progress,
    )


def _renamed(progress: Progress, step: str) -> Progress:
    def report(_: str, done: int, total: int) -> None:
        progress(step, min(done, max(0, total - 1)), total)

    return report


def _sound(scored: Scored, m: int, k: int) -> Scored:
    if scored.logits.shape != (m, k) or not np.isfinite(scored.logits).all():
        raise RuntimeError(f"A probe must give ({m}, {k}) finite logits: got {scored.logits.shape}.")
    return scored


def label_of(name: str, probe: Probe) -> str:
    """What a result is called where the user gives no name: what sets it apart from others of its probe that are
    usually set beside it."""
    shots = probe.needs().shots
    templates = getattr(probe, "templates", "simple")
    parts = [
        said_shots(shots) if shots else "",
        f"{templates} templates" if templates != "simple" else "",
        "descriptions" if getattr(probe, "descriptions", "") else "",
    ]
    return ", ".join([name, *filter(None, parts)])


def _result(
    name: str,
    probe: Probe,
    label: str,
    task: Task,
    labels: I64,
    names: tuple[str, ...],
    split: Split,
    made: list[tuple[Fold, Scored]],
    seconds: float,
) -> ProbeResult:
    rows = np.concatenate([fold.test for fold, _ in made])
    order = np.argsort(rows, kind="stable")
    back, rows = order, rows[order]
    logits = np.concatenate([s.logits for _, s in made])[back].astype(np.float64)
    truth = labels[rows]
    groups = None if task.samples.groups is None else task.samples.groups[rows]
    outcomes = outcomes_of(logits, truth, f"probe {label}, {task.encoder.name}")
    errors = outcomes.errors
    assert errors is not None
    assert outcomes.scores is not None
    support = _support([s for _, s in made])
    settings: dict[str, Any] = {**asdict(probe), "seed": task.seed}  # type: ignore[call-overload]
    return ProbeResult(
        name=label,
        probe=name,
        settings=settings,
        encoder=f"{task.encoder.name} {task.encoder.fingerprint[:12]}",
        class_names=names,
        rows=rows,
        labels=truth,
        outcomes=outcomes,
        accuracy=accuracy_of(errors, groups, task.seed),
        calibration_error=calibration_error(outcomes.scores.max(1), ~errors, groups, seed=task.seed),
        split=split.said,
        controls=_controls(made, back, truth, errors, groups, task.seed),
        choices=_choices([s for _, s in made]),
        parts=_parts([s for _, s in made], back, logits, truth),
        neighbours=_neighbours([s for _, s in made], back),
        support=support,
        prompts=made[0][1].prompts,
        details=_details([s for _, s in made]),
        notes=(*dict.fromkeys(note for _, s in made for note in s.notes), *_impure(support, names)),
        excluded=tuple((task.samples.ids[row], reason) for row, reason in split.excluded),
        seconds=seconds,
    )


def outcomes_of(logits: F64, labels: I64, source: str) -> Outcomes:
    """Cross-entropy of (m, k) logits, with probabilities, predictions and errors."""
    loss, predictions = losses.cross_entropy_of_logits(logits, labels), logits.argmax(1).astype(np.int64)
    clip = losses.fitting_clip(loss)
    return Outcomes(
        loss, "cross-entropy", "nats", source, clip, predictions != labels, losses.softmax(logits), predictions
    )


def _controls(
    made: list[tuple[Fold, Scored]], back: I64, truth: I64, errors: Bool, groups: I64 | None, seed: int
) -> tuple[Control, ...]:
    found: list[Control] = []
    for name in made[0][1].controls:
        predictions = np.concatenate([s.controls[name] for _, s in made], axis=1)[:, back]  # (r, m)
        wrong = predictions != truth
        if len(wrong) == 1:
            accuracy, gain = accuracy_of(wrong[0], groups, seed), paired_difference(wrong[0], errors, groups, seed=seed)
            p = paired_p(wrong[0], errors, groups, seed=seed)
        else:
            mean, difference, rng = wrong.mean(0), wrong.mean(0) - errors, np.random.default_rng(seed)
            accuracy = bootstrap(lambda at, mean=mean: 1 - float(mean[at].mean()), len(errors), groups, rng)
            gain = bootstrap(lambda at, difference=difference: float(difference[at].mean()), len(errors), groups, rng)
            p = sign_flip_p(difference, groups, seed=seed)
        found.append(Control(name, accuracy, gain, p, len(wrong)))
    return tuple(found)


def _choices(made: list[Scored]) -> tuple[Choice, ...]:
    if len({tuple(s.choices) for s in made}) == 1:
        return made[0].choices
    return tuple(replace(c, name=f"{c.name}, part {i + 1}") for i, s in enumerate(made) for c in s.choices)


def _details(made: list[Scored]) -> dict[str, Any]:
    if len(made) == 1:
        return dict(made[0].details)
    same = {key: value for key, value in made[0].details.items() if all(s.details.get(key) == value for s in made)}
    each = {
        f"{key}, part {i + 1}": value for i, s in enumerate(made) for key, value in s.details.items() if key not in same
    }
    return same | each


def _parts(made: list[Scored], back: I64, logits: F64, truth: I64) -> LogitParts | None:
    names = tuple(made[0].parts)
    if not names:
        return None
    leading = np.argsort(-logits, axis=1, kind="stable")[:, :SHOWN]
    t, m = leading.shape[1], len(truth)
    classes = np.empty((m, t), np.int64)
    classes[:, 0] = truth
    others = leading != truth[:, None]
    for row in range(m):  # the true class first, then the leading others
        classes[row, 1:] = leading[row][others[row]][: t - 1]
    at = back[:, None], classes
    values: list[F32] = [np.concatenate([s.parts[name] for s in made])[at].astype(np.float32) for name in names]
    return LogitParts(names, classes, np.stack(values))


def _support(made: list[Scored]) -> Support | None:
    given = [(i, s.support, s) for i, s in enumerate(made) if s.support is not None]
    if not given:
        return None
    labels = np.concatenate([im.labels for _, im, _ in given if im.labels is not None])
    rows = np.concatenate([np.full(len(im), -1, np.int64) if im.rows is None else im.rows for _, im, _ in given])
    folds = np.concatenate([np.full(len(im), i, np.int64) for i, im, _ in given])
    hidden = np.concatenate([np.full(len(im), -1, np.int64) if im.hidden is None else im.hidden for _, im, _ in given])
    purities = [s.purity for _, _, s in given if s.purity is not None]
    purity = np.mean(purities, axis=0).astype(np.float32) if purities else None
    k = made[0].logits.shape[1]
    true = None
    if purity is not None and (hidden >= 0).any():
        known = hidden >= 0
        counts = np.bincount(labels[known], minlength=k)
        right = np.bincount(labels[known], (hidden == labels)[known], minlength=k)
        true = np.where(counts > 0, right / np.maximum(counts, 1), np.nan).astype(np.float32)
    ids = tuple(name for _, im, _ in given for name in im.ids)
    return Support(ids, labels, rows, folds, given[0][2].support_source, purity, true)


def _impure(support: Support | None, names: Sequence[str]) -> tuple[str, ...]:
    """A note on classes whose support images mostly are of others, by labels that the probe was not shown."""
    if support is None or support.true_purity is None:
        return ()
    poor = [f"{name} ({share:.0%})" for name, share in zip(names, support.true_purity.tolist()) if share < 0.5]
    return (
        (f"By their real labels, less than half of the support images of {', '.join(poor)} are of that class.",)
        if poor
        else ()
    )


def _neighbours(made: list[Scored], back: I64) -> tuple[Neighbours, ...]:
    if not made[0].neighbours:
        return ()
    starts = np.cumsum([0] + [0 if s.support is None else len(s.support) for s in made])
    found: list[Neighbours] = []
    for place, first in enumerate(made[0].neighbours):
        nearest = [
            np.where(s.neighbours[place].nearest >= 0, s.neighbours[place].nearest + starts[i], -1)
            for i, s in enumerate(made)
        ]
        width = min(n.shape[1] for n in nearest)
        similarity = np.concatenate([s.neighbours[place].similarity[:, :width] for s in made])[back]
        found.append(Neighbours(first.affinity, np.concatenate([n[:, :width] for n in nearest])[back], similarity))
    return tuple(found)
