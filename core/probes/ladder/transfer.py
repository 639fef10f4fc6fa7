"""How well what was learned from some classes serves others: base-to-new and the generalised setting."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.probes.base import Images, Probe, ProbeInput
from core.probes.run import Task, check_task, in_id_order
from core.probes.splits import VALIDATION, Fold, Split, apart, draw, halves, score_every_row
from core.records import F64, I64, Bool, Estimate, Progress, no_progress
from core.statistics.intervals import accuracy_of, bootstrap


@dataclass(frozen=True, slots=True, eq=False)
class BaseToNew:
    """A probe that learned from the first half of the classes, on images of both halves."""

    name: str
    base_classes: tuple[str, ...]
    new_classes: tuple[str, ...]
    n_base: int
    """Scored images of base classes."""
    n_new: int
    base: Estimate
    """Accuracy of base images among base names."""
    new: Estimate
    """Accuracy of new images among new names."""
    h: Estimate
    """Harmonic mean of the two, with its bootstrap interval."""
    seen: Estimate
    """Generalised setting: accuracy of base images among all names."""
    unseen: Estimate
    """Generalised setting: accuracy of new images among all names."""
    general_h: Estimate
    into_base: float
    """Share of the new images that are taken for a base class where all names compete: the pull of what was taught."""
    split: str
    notes: tuple[str, ...]
    seconds: float


def harmonic(base: float, new: float) -> float:
    """H = 2 b n / (b + n); 0 where both are 0. Source: Xian et al. 2017, arXiv 1703.04394; Zhou et al. 2022, arXiv
    2203.05557."""
    return 2 * base * new / (base + new) if base + new > 0 else 0.0


def halve_classes(class_names: Sequence[str], order: Sequence[str] | None = None) -> tuple[I64, I64]:
    """Base and new classes: the first ceil(k / 2) and the rest.

    Args:
        order: the names in another order, such as that of a split file's labels; None: as they are numbered.

    Raises:
        InvalidInput: there are fewer than two classes, or `order` does not hold the same names.
    """
    k = len(class_names)
    if k < 2:
        raise InvalidInput(f"Base-to-new needs at least two classes, one to learn from and one that is new: got {k}.")
    place = {name: c for c, name in enumerate(class_names)}
    if order is not None and sorted(order) != sorted(class_names):
        odd = sorted(set(order) ^ set(class_names))
        raise InvalidInput(
            f"The order of the classes must hold each of the {k} names once: {', '.join(odd[:5])} differ."
        )
    numbers = np.array([place[name] for name in order] if order is not None else range(k), np.int64)
    m = -(-k // 2)
    return numbers[:m], numbers[m:]


def check_transfers(name: str, probe: Probe) -> None:
    """Refuse a probe that has nothing to say about classes it did not learn from.

    Raises:
        InvalidInput: it is a head on image features, or has a context for each class.
    """
    if getattr(probe, "class_specific", False):
        raise InvalidInput(
            f"{probe.title} with a context for each class cannot serve other classes. Turn class_specific off."
        )
    if not _keeps(probe) and (probe.needs().shots or probe.needs().pool or probe.needs().validation):
        raise InvalidInput(
            f"{probe.title} ({name}) learns from images of its own classes alone, so it has nothing to "
            "say about new ones. "
            "Choose coop, cocoop or zero-shot."
        )


def _keeps(probe: Any) -> bool:
    """Whether what it learns can be written and read again, for other names."""
    return hasattr(probe, "save") and hasattr(probe, "load")


def base_to_new(
    name: str, probe: Probe, task: Task, *, order: Sequence[str] | None = None, progress: Progress = no_progress
) -> BaseToNew:
    """Learn from shots of the base classes; score base and new images, each among their own names and among all.

    Where the task has no split, two halves of the rows teach each other, so that every image is scored. One pass over
    all names serves every
    setting, since these probes score a class without regard to the others: the base setting keeps the base columns, the
        new setting the new ones.

    Raises:
        InvalidInput: the probe cannot serve new classes, there are fewer than two classes, no image of one half is
        scored, or see `check_task`.

    Source: Zhou et al. 2022 (CoCoOp), arXiv 2203.05557, section 4.1; the generalised setting as in Xian et al. 2017,
    arXiv 1703.04394.
    """
    check_transfers(name, probe)
    check_task(task)
    labels, names = check_task(task := in_id_order(task))
    base, new = halve_classes(names, order)
    started, split = time.process_time(), _split(probe, task, labels)
    logits = [_scored(name, probe, task, labels, names, base, fold, progress) for fold in split.folds]
    rows = np.concatenate([fold.test for fold in split.folds])
    scores, notes = (
        np.concatenate([own for own, _ in logits]),
        tuple(dict.fromkeys(note for _, own in logits for note in own)),
    )
    truth, groups = labels[rows], None if task.samples.groups is None else task.samples.groups[rows]
    is_base = np.isin(truth, base)
    if is_base.all() or not is_base.any():
        raise InvalidInput(
            f"No image of the {'new' if is_base.all() else 'base'} classes is scored. "
            "Bring images of both halves of the classes."
        )
    alone, among = _right(scores, truth, is_base, base, new), scores.argmax(1) == truth
    halves_of = [_accuracy(right, part, groups, task.seed) for right in (alone, among) for part in (is_base, ~is_base)]
    wins = np.isin(scores[~is_base].argmax(1), base)
    return BaseToNew(
        name,
        tuple(names[c] for c in base),
        tuple(names[c] for c in new),
        int(is_base.sum()),
        int((~is_base).sum()),
        halves_of[0],
        halves_of[1],
        harmonic_of(alone, is_base, groups, task.seed),
        halves_of[2],
        halves_of[3],
        harmonic_of(among, is_base, groups, task.seed),
        float(wins.mean()),
        split.said,
        notes,
        time.process_time() - started,
    )


def harmonic_of(right: Bool, is_base: Bool, groups: I64 | None = None, seed: int = 0) -> Estimate:
    """H of (m,) right or wrong rows, with its percentile bootstrap over rows, or whole groups."""

    def statistic(at: I64) -> float:
        base, own = is_base[at], right[at]
        return (
            harmonic(float(own[base].mean()), float(own[~base].mean()))
            if base.any() and not base.all()
            else float("nan")
        )

    return bootstrap(statistic, len(right), groups, np.random.default_rng(seed))


def _split(probe: Probe, task: Task, labels: I64) -> Split:
    if task.split is not None:
        return apart(task.split, task.samples.groups)
    return halves(labels, task.samples.groups, task.seed) if _keeps(probe) else score_every_row(len(labels))


def _part(task: Task, rows: I64, names: tuple[str, ...], progress: Progress) -> ProbeInput:
    ids = tuple(task.samples.ids[i] for i in rows.tolist())
    return ProbeInput(
        names,
        task.encoder,
        Images(task.joint.vectors[rows], ids, None, rows),
        seed=task.seed,
        cache=task.cache,
        progress=progress,
    )


def _taught(
    probe: Probe, task: Task, labels: I64, names: tuple[str, ...], classes: I64, fold: Fold, progress: Progress
) -> ProbeInput:
    """Shots and validation of these classes alone, numbered from 0; one image is scored, which is thrown away."""
    place = np.full(len(names), -1, np.int64)
    place[classes] = np.arange(len(classes))
    own, needs = place[labels], probe.needs()
    train = fold.train[own[fold.train] >= 0]
    checked = None if fold.validation is None else fold.validation[own[fold.validation] >= 0]
    few = tuple(names[c] for c in classes.tolist())
    fewer = bool(getattr(probe, "fewer", False))
    drawn = draw(
        own, train, few, needs.shots, min(needs.validation, VALIDATION), task.seed, fewer=fewer, checked=checked
    )
    shots, validation = (replace(_part(task, at, few, progress).test, labels=own[at]) for at in drawn)
    return replace(
        _part(task, drawn[0][:1], few, progress), shots=shots, validation=validation if len(validation) else None
    )


def _learned(probe: Any, taught: ProbeInput, folder: Path) -> Any:
    """The probe with what it learned from that part, ready for other names."""
    if not probe.load:
        file = folder / "learned.npz"
        replace(probe, save=str(file)).run(taught)
        return replace(probe, save="", load=str(file))
    return probe


def _scored(
    name: str, probe: Probe, task: Task, labels: I64, names: tuple[str, ...], base: I64, fold: Fold, progress: Progress
) -> tuple[F64, tuple[str, ...]]:
    """(m, k) logits of the fold's test rows by a probe that learned from its base shots, and its notes."""
    with tempfile.TemporaryDirectory() as folder:
        ready = probe
        if _keeps(probe):
            taught = _taught(probe, task, labels, names, base, fold, progress)
            ready = _learned(probe, taught, Path(folder))
        found = ready.run(_part(task, fold.test, names, progress))
    return found.logits, found.notes


def _right(logits: F64, truth: I64, is_base: Bool, base: I64, new: I64) -> Bool:
    """Which rows are right where base images are told apart among base names only, new ones among new names only."""
    return np.where(is_base, base[logits[:, base].argmax(1)], new[logits[:, new].argmax(1)]) == truth


def _accuracy(right: Bool, part: Bool, groups: I64 | None, seed: int) -> Estimate:
    return accuracy_of(~right[part], None if groups is None else groups[part], seed)
