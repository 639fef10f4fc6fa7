"""How well what was learned from some classes serves others: base-to-new, the generalized setting, and another data
set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.files import scratch_folder
from core.records import F64, I64, Bool, Estimate, Progress, no_progress
from core.statistics.intervals import accuracy_of, bootstrap
from core.systems.probes.base import Images, Probe, ProbeInput, Scored, Task
from core.systems.probes.few_shot.support import drop_samples
from core.systems.probes.records import ProbeResult
from core.systems.probes.run import check_task, images_of, in_id_order, run_probe
from core.systems.probes.splits import VALIDATION, Fold, Split, apart, draw, halves, score_every_row


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
    """Generalized setting: accuracy of base images among all names."""
    unseen: Estimate
    """Generalized setting: accuracy of new images among all names."""
    general_h: Estimate
    into_base: float
    """Share of the new images that are taken for a base class where all names compete: the pull of what was learned."""
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
            "say about new ones. Choose coop, cocoop or zero-shot."
        )


def _keeps(probe: Any) -> bool:
    """Whether what it learns can be written and read again, for other names."""
    return hasattr(probe, "save") and hasattr(probe, "load")


def base_to_new(
    name: str, probe: Probe, task: Task, *, order: Sequence[str] | None = None, progress: Progress = no_progress
) -> BaseToNew:
    """Learn from shots of the base classes; score base and new images, each among their own names and among all.

    Where the task has no split, each half is scored by what learned from the other, so that every image is scored. One
    pass over all names serves every setting, since these probes score a class without regard to the others: the base
    setting keeps the base columns, the new setting the new ones.

    Raises:
        InvalidInput: the probe cannot serve new classes, there are fewer than two classes, no image of one half is
        scored, or see `check_task`.

    Source: Zhou et al. 2022 (CoCoOp), arXiv 2203.05557, section 4.1; the generalized setting as in Xian et al. 2017,
    arXiv 1703.04394.
    """
    check_transfers(name, probe)
    check_task(task)
    task = in_id_order(task)
    names = task.samples.class_names
    base, new = halve_classes(names, order)
    started = time.process_time()
    split = _split(probe, task)
    scored = [_scored(probe, task, base, fold, progress) for fold in split.folds]
    rows = np.concatenate([fold.test for fold in split.folds])
    scores = np.concatenate([part.logits for part in scored])
    truth = task.labels[rows]
    groups = None if task.samples.groups is None else task.samples.groups[rows]
    is_base = np.isin(truth, base)
    if is_base.all() or not is_base.any():
        raise InvalidInput(
            f"No image of the {'new' if is_base.all() else 'base'} classes is scored. "
            "Bring images of both halves of the classes."
        )
    alone = _right(scores, truth, is_base, base, new)
    among = scores.argmax(1) == truth

    def accuracy(right: Bool, part: Bool) -> Estimate:
        return accuracy_of(~right[part], None if groups is None else groups[part])

    return BaseToNew(
        name,
        base_classes=tuple(names[c] for c in base),
        new_classes=tuple(names[c] for c in new),
        n_base=int(is_base.sum()),
        n_new=int((~is_base).sum()),
        base=accuracy(alone, is_base),
        new=accuracy(alone, ~is_base),
        h=harmonic_of(alone, is_base, groups, task.seed),
        seen=accuracy(among, is_base),
        unseen=accuracy(among, ~is_base),
        general_h=harmonic_of(among, is_base, groups, task.seed),
        into_base=float(np.isin(scores[~is_base].argmax(1), base).mean()),
        split=split.sentence,
        notes=tuple(dict.fromkeys(note for part in scored for note in part.notes)),
        seconds=time.process_time() - started,
    )


def cross_data_set(
    name: str, probe: Probe, source: Task, target: Task, *, progress: Progress = no_progress
) -> ProbeResult:
    """Learn from shots of every class of one data set; score another by its own class names.

    The source's training part teaches, or all of it where it has no split; the target's test part is scored, or all of
    it. Images of the source that are among the target's, by their vectors, teach nothing.

    Raises:
        InvalidInput: the probe cannot serve other classes or learns nothing, the two were embedded by different
        encoders, the source has too few images, or see `check_task`.

    Source: Zhou et al. 2022 (CoCoOp), arXiv 2203.05557, section 4.2.
    """
    check_transfers(name, probe)
    if not _keeps(probe):
        raise InvalidInput(
            f"{probe.title} learns from no image, so nothing can be carried over. Score the target alone."
        )
    check_task(source)
    check_task(target)
    if source.encoder.fingerprint != target.encoder.fingerprint:
        raise InvalidInput("The two data sets were read by different encoders. Use one for both.")
    source, every = in_id_order(source), np.arange(len(source.samples), dtype=np.int64)
    fold = Fold(every, every[:0]) if source.split is None else apart(source.split, source.samples.groups).folds[0]
    kept, said = drop_samples(images_of(source, fold.train), target.joint.vectors)
    checked = fold.validation
    if checked is not None:
        checked = drop_samples(images_of(source, checked), target.joint.vectors)[0].rows
    if kept.rows is None or not len(kept):
        raise InvalidInput("Every image that could teach is among those that are scored. Bring another data set.")
    fold = Fold(kept.rows, every[:0], checked)
    names = source.samples.class_names
    part = _part(source, kept, progress)
    with scratch_folder() as folder:
        classes = np.arange(len(names), dtype=np.int64)
        learned = _learned(probe, _base_part(probe, source, classes, fold, part), folder)
        result = run_probe(name, learned, target, progress=progress)
    taught = f"Learned from {probe.needs().shots} images of each of {len(names):,} classes of another data set."
    return replace(result, notes=(taught, said.replace("the pool's", "the first data set's")) if said else (taught,))


def harmonic_of(right: Bool, is_base: Bool, groups: I64 | None = None, seed: int = 0) -> Estimate:
    """H of (m,) right or wrong rows, with its percentile bootstrap over rows, or whole groups."""

    def statistic(at: I64) -> float:
        base = is_base[at]
        own = right[at]
        if base.all() or not base.any():
            return float("nan")
        return harmonic(float(own[base].mean()), float(own[~base].mean()))

    return bootstrap(statistic, len(right), groups, np.random.default_rng(seed))


def _split(probe: Probe, task: Task) -> Split:
    if task.split is not None:
        return apart(task.split, task.samples.groups)
    return halves(task.labels, task.samples.groups, task.seed) if _keeps(probe) else score_every_row(len(task.samples))


def _scored(probe: Probe, task: Task, base: I64, fold: Fold, progress: Progress) -> Scored:
    """What a probe that learned from the fold's shots of base classes says of its test rows, among all names."""
    part = _part(task, images_of(task, fold.test), progress)
    if not _keeps(probe):
        return probe.run(part)
    with scratch_folder() as folder:
        return _learned(probe, _base_part(probe, task, base, fold, part), folder).run(part)


def _part(task: Task, test: Images, progress: Progress) -> ProbeInput:
    """What a probe that learned nothing yet gets of a task, with these images to score."""
    return ProbeInput(
        task.samples.class_names, task.encoder, test,
        seed=task.seed, cache=task.cache, progress=progress,
    )  # fmt: skip


def _base_part(probe: Probe, task: Task, base: I64, fold: Fold, part: ProbeInput) -> ProbeInput:
    """Shots and validation of the base classes alone, numbered from 0; one image is scored, which is thrown away."""
    place = np.full(len(part.class_names), -1, np.int64)
    place[base] = np.arange(len(base))
    labels = place[task.labels]
    needs = probe.needs()
    train = fold.train[labels[fold.train] >= 0]
    checked = None if fold.validation is None else fold.validation[labels[fold.validation] >= 0]
    names = tuple(part.class_names[c] for c in base.tolist())
    fewer = bool(getattr(probe, "fewer", False))
    n_validation = min(needs.validation, VALIDATION)
    drawn = draw(labels, train, names, needs.shots, n_validation, task.seed, fewer=fewer, checked=checked)
    shots, validation = (images_of(task, at, labels) for at in drawn)
    one = images_of(task, drawn[0][:1])
    return replace(part, class_names=names, test=one, shots=shots, validation=validation if len(validation) else None)


def _learned(probe: Any, part: ProbeInput, folder: Path) -> Any:
    """The probe with what it learned from that part, ready for other names."""
    if not probe.load:
        file = folder / "learned.npz"
        replace(probe, save=str(file)).run(part)
        return replace(probe, save="", load=str(file))
    return probe


def _right(logits: F64, truth: I64, is_base: Bool, base: I64, new: I64) -> Bool:
    """Which rows are right where base images are told apart among base names only, new ones among new names only."""
    return np.where(is_base, base[logits[:, base].argmax(1)], new[logits[:, new].argmax(1)]) == truth
