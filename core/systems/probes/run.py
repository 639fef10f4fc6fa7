"""Run a probe on samples: prepare each fold's inputs, score the folds, and merge them into a loss for each sample."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.numbers import count
from core.options import check_seed, read_name
from core.records import I64, Progress, SampleSet, no_progress
from core.systems.probes.base import Images, Needs, Probe, ProbeInput, Scored, Task, shots_words
from core.systems.probes.records import ProbeResult
from core.systems.probes.result import make_result
from core.systems.probes.row_order import id_order, reorder_split, restore_order
from core.systems.probes.splits import VALIDATION, Fold, Split, apart, draw, halves, score_every_row

STEP = "Running the probe"


def run_probe(name: str, probe: Probe, task: Task, *, label: str = "", progress: Progress = no_progress) -> ProbeResult:
    """The probe's outcome for each row.

    Args:
        name: of the probe, in `core.systems.probes.PROBES`.
        label: name of the result, see `read_name`; by default the probe's name, with its shots.
        progress: called as ("Running the probe", done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the samples have no labels or one class, the vectors are of another space, or the probe refuses
        its inputs.
    """
    check_task(task)
    encoder = task.encoder
    if probe.needs().prompt_tower and not hasattr(encoder, "prompt_tower"):
        raise InvalidInput(
            f"This probe learns prompts through a text tower that takes word embeddings. The encoder {encoder.name!r}, "
            f"of {encoder.modality}s, has none. Use zero-shot, label-desc or lp++."
        )
    order = id_order(task.samples.ids)
    label = read_name(label)
    return restore_order(_run(name, probe, in_id_order(task), label, progress), order)


def run_each(
    name: str, probes: Sequence[Probe], task: Task, *, label: str = "", progress: Progress = no_progress
) -> tuple[ProbeResult, ...]:
    """The result of a probe with each of several numbers of shots, in their order; a single one as from `run_probe`.

    Args:
        label: name of the results, each followed by its shots; by default as in `run_probe`.
        progress: called as ("8 shots: Running the probe, part 1 of 2", done, total).

    Raises:
        InvalidInput: as in `run_probe`. The most shots run first, so that missing samples are reported at once.
    """
    if len(probes) == 1:
        return (run_probe(name, probes[0], task, label=label, progress=progress),)
    results: dict[int, ProbeResult] = {}
    for i in sorted(range(len(probes)), key=lambda i: -probes[i].needs().shots):
        shots = shots_words(probes[i].needs().shots)

        def report(step: str, done: int, total: int, shots: str = shots) -> None:
            progress(f"{shots}: {step}", done, total)

        results[i] = run_probe(name, probes[i], task, label=label and f"{label}, {shots}", progress=report)
    return tuple(results[i] for i in range(len(probes)))


def check_draws(probe: Probe, samples: SampleSet, split: Split | None, seed: int) -> None:
    """Refuse more shots than the samples offer, before they are embedded.

    Raises:
        InvalidInput: a class offers fewer shots than the probe asks for.
    """
    needs = probe.needs()
    if not needs.shots or samples.labels is None:
        return
    order = id_order(samples.ids)
    samples = samples.keep(order)
    labels = samples.labels
    assert labels is not None
    split = reorder_split(split, order)
    split = halves(labels, samples.groups, seed) if split is None else apart(split, samples.groups)
    fewer = bool(getattr(probe, "fewer", False))
    for fold in split.folds:
        draw(labels, fold.train, samples.class_names, needs.shots, 0, seed, fewer=fewer, checked=fold.validation)


def in_id_order(task: Task) -> Task:
    """The same task with its samples sorted by id before rows are drawn, so that the order of a table changes
    nothing."""
    order = id_order(task.samples.ids)
    split = reorder_split(task.split, order)
    return replace(task, samples=task.samples.keep(order), joint=task.joint.keep(order), split=split)


def _run(name: str, probe: Probe, task: Task, label: str, progress: Progress) -> ProbeResult:
    started = time.process_time()
    needs = probe.needs()
    if task.split is not None:
        split = apart(task.split, task.samples.groups)
    elif needs.shots or needs.validation or (needs.pool and task.pool is None):
        split = halves(task.labels, task.samples.groups, task.seed)
    else:
        split = score_every_row(len(task.samples))
    n = len(split.folds)
    steps = [STEP]
    if n > 1:
        steps = [f"{STEP}, part {i + 1} of {n}" for i in range(n)]
    # All parts before the first is scored: missing images of a later one are reported before the long work.
    parts = [_part(probe, task, fold, _renamed(progress, step)) for fold, step in zip(split.folds, steps)]
    all_scored: list[Scored] = []
    for part, step in zip(parts, steps):
        scored = probe.run(part)
        expected = len(part.test), len(part.class_names)
        if scored.logits.shape != expected or not np.isfinite(scored.logits).all():
            raise RuntimeError(f"A probe must return {expected} finite logits: got {scored.logits.shape}.")
        all_scored.append(replace(scored, notes=(*scored.notes, *_input_notes(needs, task, part))))
        progress(step, 1, 1)
    result = make_result(name, probe, label or label_of(name, probe), task, split, all_scored)
    return replace(result, seconds=time.process_time() - started)


def check_task(task: Task) -> None:
    """Refuse samples that no probe can run on.

    Raises:
        InvalidInput: samples or labels are missing, there are fewer than two classes, two class names look the same to
        a text encoder, the vectors are of another space, or the seed is out of range.
    """
    samples = task.samples
    check_seed(task.seed)
    if samples.labels is None:
        raise InvalidInput("A probe needs each sample's true class. Use a table with a label column.")
    if not len(samples):
        raise InvalidInput("A probe needs samples, and the table has none. Add labeled images or texts.")
    check_names(samples.class_names)
    if task.joint.space != task.encoder.joint_space:
        raise InvalidInput(
            f"The samples' vectors are of the space {task.joint.space!r} and the encoder's is "
            f"{task.encoder.joint_space!r}. Use one encoder."
        )


def check_names(names: Sequence[str]) -> None:
    """Refuse class names that a text encoder cannot distinguish.

    Raises:
        InvalidInput: there are fewer than two, one has no readable character, or two differ only in case, underscores,
        the composition of accents or invisible marks.
    """
    folded = [fold_name(n) for n in names]
    if not all(folded):
        raise InvalidInput(f"The class name {names[folded.index('')]!r} has no readable character. Rename the class.")
    if len(names) < 2:
        raise InvalidInput(
            f"A probe needs at least two classes: got {len(names)}, {', '.join(names)!r}. Add samples of another class."
        )
    if len(set(folded)) < len(folded):
        twice = next(i for i, n in enumerate(folded) if n in folded[:i])
        pair = [names[folded.index(folded[twice])], names[twice]]
        look_same = unicodedata.normalize("NFC", pair[0]) == unicodedata.normalize("NFC", pair[1])
        first, second = map(ascii if look_same else repr, pair)  # code points where the eye sees no difference
        raise InvalidInput(f"A text encoder reads two classes as the same name: {first} and {second}. Rename one.")


def images_of(task: Task, rows: I64, labels: I64 | None = None) -> Images:
    """The task's images in these rows, with labels if (n,) labels of all rows are passed."""
    ids = tuple(task.samples.ids[i] for i in rows.tolist())
    return Images(task.joint.vectors[rows], ids, None if labels is None else labels[rows], rows)


def _part(probe: Probe, task: Task, fold: Fold, progress: Progress) -> ProbeInput:
    """The probe's input for the fold's test rows."""
    needs = probe.needs()
    names = task.samples.class_names
    labels = task.labels
    groups = task.samples.groups
    shots = validation = pool = None
    validation_rows = np.empty(0, np.int64)
    if needs.shots or needs.validation:
        n_validation = needs.validation
        if needs.shots:
            n_validation = min(n_validation, VALIDATION)
        if not len(fold.train):
            raise InvalidInput(
                "This probe learns from labeled images, and the split scores all of them. "
                "Add at least two images (or groups) a class, or use another split."
            )
        fewer = bool(getattr(probe, "fewer", False))
        shot_rows, validation_rows = draw(
            labels, fold.train, names, needs.shots, n_validation, task.seed, fewer=fewer, checked=fold.validation,
            groups=groups,
        )  # fmt: skip
        if needs.shots:
            shots = images_of(task, shot_rows, labels)
        if n_validation and len(validation_rows):
            validation = images_of(task, validation_rows, labels)
    if needs.pool:
        pool = task.pool
        if pool is None:
            rows = fold.train
            if groups is not None and validation is not None:
                rows = rows[~np.isin(groups[rows], groups[validation_rows])]
            pool = replace(images_of(task, rows), hidden=labels[rows])
    test = images_of(task, fold.test)
    items = task.samples.items
    if items is not None:
        items = items.keep(fold.test)
    return ProbeInput(names, task.encoder, test, shots, validation, pool, task.seed, task.cache, progress, items)


def _renamed(progress: Progress, step: str) -> Progress:
    def report(_: str, done: int, total: int) -> None:
        progress(step, min(done, max(0, total - 1)), total)

    return report


def _input_notes(needs: Needs, task: Task, part: ProbeInput) -> tuple[str, ...]:
    """Notes on images that the probe used besides those it learned from."""
    notes: list[str] = []
    if needs.pool and task.pool is None:
        notes.append("Without a pool, the samples that are not scored served as one, without their labels.")
    if part.validation is None or part.validation.labels is None:
        return tuple(notes)
    kind = task.samples.modality
    notes.append(f"The probe chose its settings on {count(len(part.validation), f'more labeled {kind}')}.")
    present = set(part.validation.labels.tolist())
    missing = [name for c, name in enumerate(part.class_names) if c not in present]
    if missing:
        have = "has" if len(missing) == 1 else "have"
        notes.append(
            f"{len(missing):,} of {len(part.class_names):,} classes {have} no {kind} to choose settings on, such as "
            f"{missing[0]!r}. The settings may not suit them."
        )
    return tuple(notes)


def label_of(name: str, probe: Probe) -> str:
    """The default name of a result: the probe, with the settings that users usually compare."""
    parts = [name]
    shots = probe.needs().shots
    if shots:
        parts.append(shots_words(shots))
    templates = getattr(probe, "templates", "simple")
    if templates != "simple":
        parts.append(f"{templates} templates")
    by = getattr(probe, "by", "descriptions")
    if by != "descriptions" or getattr(probe, "descriptions", ""):
        parts.append(by)
    return ", ".join(parts)
