"""Run a probe on samples: give each fold what it needs, put the folds together, and measure. The result is a loss for
each sample."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.encoders import Encoder
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.numbers import count
from core.options import check_seed, read_name
from core.records import I64, Progress, SampleSet, no_progress
from core.systems.probes.base import Images, Needs, Probe, ProbeInput, Scored, Task, said_shots
from core.systems.probes.records import ProbeResult
from core.systems.probes.result import make_result
from core.systems.probes.row_order import moved, moved_back, order_of
from core.systems.probes.splits import VALIDATION, Fold, Split, apart, draw, halves, score_every_row


def run_probe(name: str, probe: Probe, task: Task, *, label: str = "", progress: Progress = no_progress) -> ProbeResult:
    """The probe's outcome for each row.

    Args:
        name: of the probe, in `core.systems.probes.PROBES`.
        label: what the result is called, see `read_name`; by default the name, with the shots if there are any.
        progress: called as ("probe", done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the samples have no labels or one class, the vectors are of another space, or the probe refuses
        what it was given.
    """
    check_task(task)
    check_tower(probe.needs(), task.encoder)
    order = order_of(task.samples.ids)
    label = read_name(label)
    return moved_back(_run(name, probe, in_id_order(task), label, progress), order)


def run_each(
    name: str, probes: Sequence[Probe], task: Task, *, label: str = "", progress: Progress = no_progress
) -> tuple[ProbeResult, ...]:
    """The result of a probe with each of several numbers of shots, in their order; of one alone as `run_probe` gives
    it.

    Args:
        label: what the results are called, each with its shots behind; by default as `run_probe` calls them.
        progress: called as ("8 shots: probe, part 1 of 2", done, total).

    Raises:
        InvalidInput: as `run_probe` does. The most shots are run first, so that what they lack is known at once.
    """
    if len(probes) == 1:
        return (run_probe(name, probes[0], task, label=label, progress=progress),)
    found: dict[int, ProbeResult] = {}
    for at in sorted(range(len(probes)), key=lambda i: -probes[i].needs().shots):
        shots = said_shots(probes[at].needs().shots)

        def report(step: str, done: int, total: int, shots: str = shots) -> None:
            progress(f"{shots}: {step}", done, total)

        found[at] = run_probe(name, probes[at], task, label=label and f"{label}, {shots}", progress=report)
    return tuple(found[at] for at in range(len(probes)))


def check_draws(probe: Probe, samples: SampleSet, split: Split | None, seed: int) -> None:
    """Refuse shots that the samples do not offer, before they are embedded.

    Raises:
        InvalidInput: the samples have no labels, or a class offers fewer than the probe is to learn from.
    """
    needs = probe.needs()
    if not needs.shots or samples.labels is None:
        return
    order = order_of(samples.ids)
    samples = samples.keep(order)
    split = moved(split, order)
    labels = samples.labels
    assert labels is not None
    made = halves(labels, samples.groups, seed) if split is None else apart(split, samples.groups)
    fewer = bool(getattr(probe, "fewer", False))
    for fold in made.folds:
        draw(labels, fold.train, samples.class_names, needs.shots, 0, seed, fewer=fewer, checked=fold.validation)


def in_id_order(task: Task) -> Task:
    """The same task with its samples in the order of their ids, in which rows are drawn: the order of a table changes
    nothing."""
    order = order_of(task.samples.ids)
    return replace(task, samples=task.samples.keep(order), joint=task.joint.keep(order), split=moved(task.split, order))


def _run(name: str, probe: Probe, task: Task, label: str, progress: Progress) -> ProbeResult:
    started = time.process_time()
    split = _split(probe.needs(), task)
    n = len(split.folds)
    steps = ["probe" if n == 1 else f"probe, part {i + 1} of {n}" for i in range(n)]
    # all of them before the first is scored: what a later one lacks is known before the long part
    parts = [_part(probe, task, fold, _renamed(progress, step)) for fold, step in zip(split.folds, steps)]
    scored: list[Scored] = []
    for part, step in zip(parts, steps):
        one = _sound(probe.run(part), len(part.test), len(part.class_names))
        scored.append(replace(one, notes=(*one.notes, *_beside(probe.needs(), task, part))))
        progress(step, 1, 1)
    result = make_result(name, probe, label or label_of(name, probe), task, split, scored)
    return replace(result, seconds=time.process_time() - started)


def check_task(task: Task) -> None:
    """Refuse samples that no probe can be run on.

    Raises:
        InvalidInput: there are no samples or labels, fewer than two classes, names that a text encoder cannot tell
        apart, vectors of another space, or the seed is out of range.
    """
    samples = task.samples
    check_seed(task.seed)
    if samples.labels is None:
        raise InvalidInput("A probe needs to know each sample's true class. Bring a table with a label column.")
    if not len(samples):
        raise InvalidInput("There are no samples, so there is nothing to score. Bring labeled images or texts.")
    check_names(samples.class_names)
    if task.joint.space != task.encoder.joint_space:
        raise InvalidInput(
            f"The samples' vectors are of the space {task.joint.space!r} and the encoder's is "
            f"{task.encoder.joint_space!r}. Use one encoder."
        )


def check_tower(needs: Needs, encoder: Encoder) -> None:
    """Refuse a probe that learns prompts through an encoder that offers no way to.

    Raises:
        InvalidInput: that is so.
    """
    if needs.prompt_tower and not hasattr(encoder, "prompt_tower"):
        raise InvalidInput(
            f"This probe learns prompts through a text tower that takes word embeddings, and the encoder "
            f"{encoder.name!r}, of {encoder.modality}s, has none. Use a probe without learned prompts, such as "
            "zero-shot, label-desc or lp++."
        )


def check_names(names: Sequence[str]) -> None:
    """Refuse class names that a text encoder cannot tell apart.

    Raises:
        InvalidInput: there are fewer than two, in one nothing can be read, or two differ in case, underscores, the
        composition of accents or invisible marks alone.
    """
    folded = [fold_name(n) for n in names]
    if not all(folded):
        raise InvalidInput(
            f"In the name of a class, {names[folded.index('')]!r}, nothing can be read, so nothing can be said of it. "
            "Give every class a name."
        )
    if len(names) < 2:
        raise InvalidInput(
            f"There is only one class, {', '.join(names)!r}, so there is nothing to tell apart. "
            "Bring samples of at least two."
        )
    if len(set(folded)) < len(folded):
        twice = next(i for i, n in enumerate(folded) if n in folded[:i])
        one = names[folded.index(folded[twice])]
        other = names[twice]
        alike = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
        said = ascii if alike else repr  # what looks the same is told by its signs
        raise InvalidInput(
            f"Two classes have the same name to a text encoder: {said(one)} and {said(other)}. Rename one."
        )


def _split(needs: Needs, task: Task) -> Split:
    if task.split is not None:
        return apart(task.split, task.samples.groups)
    learns = needs.shots or needs.validation or (needs.pool and task.pool is None)
    return halves(task.labels, task.samples.groups, task.seed) if learns else score_every_row(len(task.samples))


def images_of(task: Task, rows: I64, labels: I64 | None = None) -> Images:
    """The task's images in these rows, with (n,) labels of all rows or without."""
    ids = tuple(task.samples.ids[i] for i in rows.tolist())
    return Images(task.joint.vectors[rows], ids, None if labels is None else labels[rows], rows)


def _part(probe: Probe, task: Task, fold: Fold, progress: Progress) -> ProbeInput:
    """What the probe is given to score the fold's test rows."""
    needs = probe.needs()
    names = task.samples.class_names
    labels = task.labels
    shots = validation = None
    beside = np.empty(0, np.int64)
    if needs.shots or needs.validation:
        n_validation = min(needs.validation, VALIDATION) if needs.shots else needs.validation
        if not len(fold.train):
            raise InvalidInput(
                "This probe learns from labeled images, and none are left beside those that are scored. "
                "Bring at least two images (or groups) a class, or a split that leaves some to learn from."
            )
        fewer = bool(getattr(probe, "fewer", False))
        drawn, beside = draw(
            labels, fold.train, names, needs.shots, n_validation, task.seed, fewer=fewer, checked=fold.validation,
            groups=task.samples.groups,
        )  # fmt: skip
        shots = images_of(task, drawn, labels) if needs.shots else None
        validation = images_of(task, beside, labels) if n_validation and len(beside) else None
    pool = task.pool if needs.pool else None
    if needs.pool and pool is None:
        rows = fold.train
        if task.samples.groups is not None and validation is not None:
            rows = rows[~np.isin(task.samples.groups[rows], task.samples.groups[beside])]
        pool = replace(images_of(task, rows), hidden=labels[rows])
    test = images_of(task, fold.test)
    items = task.samples.items
    shown = None if items is None else items.keep(fold.test)
    return ProbeInput(names, task.encoder, test, shots, validation, pool, task.seed, task.cache, progress, shown)


def _renamed(progress: Progress, step: str) -> Progress:
    def report(_: str, done: int, total: int) -> None:
        progress(step, min(done, max(0, total - 1)), total)

    return report


def _beside(needs: Needs, task: Task, part: ProbeInput) -> tuple[str, ...]:
    """Notes on what was taken beside the images that the probe says it learned from."""
    stands_in = "No pool was given, so samples that are not scored stand in for one, without their labels."
    notes = [stands_in] if needs.pool and task.pool is None else []
    if part.validation is None or part.validation.labels is None:
        return tuple(notes)
    kind = task.samples.modality
    labelled = count(len(part.validation), f"labeled {kind}")
    notes.append(f"Beside what it learned from, its numbers were chosen by {labelled}.")
    there = set(part.validation.labels.tolist())
    if without := [name for c, name in enumerate(part.class_names) if c not in there]:
        have = f"{len(without):,} of {len(part.class_names):,} classes {'has' if len(without) == 1 else 'have'}"
        such = f"such as {without[0]!r}: what was chosen may not suit them."
        notes.append(f"{have} no {kind} to choose numbers by, {such}")
    return tuple(notes)


def _sound(scored: Scored, m: int, k: int) -> Scored:
    if scored.logits.shape != (m, k) or not np.isfinite(scored.logits).all():
        raise RuntimeError(f"A probe must give ({m}, {k}) finite logits: got {scored.logits.shape}.")
    return scored


def label_of(name: str, probe: Probe) -> str:
    """What a result is called where the user gives no name: what sets it apart from others of its probe that are
    usually set beside it."""
    shots = probe.needs().shots
    templates = getattr(probe, "templates", "simple")
    way = getattr(probe, "by", "descriptions")
    parts = [
        said_shots(shots) if shots else "",
        f"{templates} templates" if templates != "simple" else "",
        way if way != "descriptions" or getattr(probe, "descriptions", "") else "",
    ]
    return ", ".join([name, *filter(None, parts)])
