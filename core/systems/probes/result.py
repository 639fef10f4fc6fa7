"""Results of a probe from its folds: the outcome for each row, with its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from core.records import F32, F64, I64, Bool, Outcomes
from core.statistics import losses
from core.statistics.intervals import accuracy_of
from core.statistics.paired import paired_difference, paired_p, sign_flip_p
from core.statistics.redraws import bootstrap_mean
from core.systems.probes.base import Probe, Scored, Task
from core.systems.probes.measures import calibration_error
from core.systems.probes.records import Choice, Control, LogitParts, Neighbours, ProbeResult, Support
from core.systems.probes.splits import Split

SHOWN_CLASSES = 6
"""Classes with stored logit parts: the true one and the leading others. A convention: what one chart shows."""


def make_result(name: str, probe: Probe, label: str, task: Task, split: Split, scored: Sequence[Scored]) -> ProbeResult:
    """The result of a probe on a task, without its CPU time.

    Args:
        name: of the probe, in `core.systems.probes.PROBES`.
        label: name of the result.
        split: the folds.
        scored: the probe's output for each fold's test rows.
    """
    rows = np.concatenate([fold.test for fold in split.folds])
    back = np.argsort(rows, kind="stable")
    rows = rows[back]
    names = task.samples.class_names
    samples = task.samples
    logits = np.concatenate([s.logits for s in scored])[back].astype(np.float64)
    truth = task.labels[rows]
    groups = samples.groups
    if groups is not None:
        groups = groups[rows]
    outcomes = outcomes_of(logits, truth, f"probe {label}, {task.encoder.name}")
    assert outcomes.errors is not None
    assert outcomes.scores is not None
    confidence = outcomes.scores.max(1)
    errors = outcomes.errors
    support = _support(scored)
    notes = dict.fromkeys(note for s in scored for note in s.notes)
    return ProbeResult(
        name=label,
        probe=name,
        settings={**asdict(probe), "seed": task.seed},  # type: ignore[call-overload]
        encoder=f"{task.encoder.name} {task.encoder.fingerprint[:12]}",
        class_names=names,
        rows=rows,
        labels=truth,
        outcomes=outcomes,
        accuracy=accuracy_of(errors, groups),
        calibration_error=calibration_error(confidence, ~errors, groups, seed=task.seed),
        split=split.sentence,
        controls=_controls(scored, back, truth, errors, groups, task.seed),
        choices=_choices(scored),
        parts=_parts(scored, back, logits, truth),
        neighbours=_neighbours(scored, back),
        support=support,
        prompts=scored[0].prompts,
        details=_details(scored),
        notes=(*notes, *_impure(support, names)),
        excluded=tuple((samples.ids[row], reason) for row, reason in split.excluded),
        modality=samples.modality,
    )


def outcomes_of(logits: F64, labels: I64, source: str) -> Outcomes:
    """Cross-entropy of (m, k) logits, with probabilities, predictions and errors."""
    loss = losses.cross_entropy_of_logits(logits, labels)
    predictions = logits.argmax(1).astype(np.int64)
    clip = losses.fitting_clip(loss)
    return Outcomes(
        loss, "cross-entropy", "nats", source, clip, predictions != labels, losses.softmax(logits), predictions
    )


def _controls(
    scored: Sequence[Scored], back: I64, truth: I64, errors: Bool, groups: I64 | None, seed: int
) -> tuple[Control, ...]:
    controls: list[Control] = []
    for name in scored[0].controls:
        predictions = np.concatenate([s.controls[name] for s in scored], axis=1)[:, back]  # (r, m)
        wrong = predictions != truth
        each: tuple[tuple[str, float], ...] = ()
        if len(wrong) == 1:
            accuracy = accuracy_of(wrong[0], groups)
            gain = paired_difference(wrong[0], errors, groups)
            p = paired_p(wrong[0], errors, groups, seed=seed)
        else:
            # McNemar's test needs one prediction a row; a mean over repeats is tested by flipping the signs of rows
            mean_error = wrong.mean(0)
            difference = mean_error - errors
            rng = np.random.default_rng(seed)
            accuracy = bootstrap_mean(1 - mean_error, groups, rng)
            gain = bootstrap_mean(difference, groups, rng)
            p = sign_flip_p(difference, groups, seed=seed)
            names = scored[0].repeats.get(name, ("",) * len(wrong))
            each = tuple(zip(names, (1 - wrong.mean(1)).tolist(), strict=True))
        controls.append(Control(name, accuracy, gain, p, len(wrong), each))
    return tuple(controls)


def _choices(scored: Sequence[Scored]) -> tuple[Choice, ...]:
    if len({tuple(s.choices) for s in scored}) == 1:
        return scored[0].choices
    choices: list[Choice] = []
    for part, s in enumerate(scored, 1):
        choices.extend(replace(c, name=f"{c.name}, part {part}") for c in s.choices)
    return tuple(choices)


def _details(scored: Sequence[Scored]) -> dict[str, Any]:
    if len(scored) == 1:
        return dict(scored[0].details)
    same = {key: value for key, value in scored[0].details.items() if all(s.details.get(key) == value for s in scored)}
    details = dict(same)
    for part, s in enumerate(scored, 1):
        for key, value in s.details.items():
            if key not in same:
                details[f"{key}, part {part}"] = value
    return details


def _parts(scored: Sequence[Scored], back: I64, logits: F64, truth: I64) -> LogitParts | None:
    names = tuple(scored[0].parts)
    if not names:
        return None
    leading = np.argsort(-logits, axis=1, kind="stable")[:, :SHOWN_CLASSES]
    t = leading.shape[1]
    m = len(truth)
    classes = np.empty((m, t), np.int64)
    classes[:, 0] = truth
    others = leading != truth[:, None]
    for row in range(m):  # the true class first, then the leading others
        classes[row, 1:] = leading[row][others[row]][: t - 1]
    at = back[:, None], classes
    values: list[F32] = [np.concatenate([s.parts[name] for s in scored])[at].astype(np.float32) for name in names]
    return LogitParts(names, classes, np.stack(values))


def _support(scored: Sequence[Scored]) -> Support | None:
    with_support = [(i, s, s.support) for i, s in enumerate(scored) if s.support is not None]
    if not with_support:
        return None
    ids: list[str] = []
    columns: list[tuple[I64, I64, I64, I64]] = []  # (labels, rows, folds, hidden labels) of each fold
    for i, _, images in with_support:
        unknown = np.full(len(images), -1, np.int64)
        ids += images.ids
        assert images.labels is not None
        rows = unknown if images.rows is None else images.rows
        hidden = unknown if images.hidden is None else images.hidden
        columns.append((images.labels, rows, np.full(len(images), i, np.int64), hidden))
    labels, rows, folds, hidden = (np.concatenate(column) for column in zip(*columns, strict=True))
    purities = [s.purity for _, s, _ in with_support if s.purity is not None]
    purity = None
    true_purity = None
    if purities:
        purity = np.mean(purities, axis=0).astype(np.float32)
        known = hidden >= 0
        if known.any():
            k = scored[0].logits.shape[1]
            counts = np.bincount(labels[known], minlength=k)
            right = np.bincount(labels[known], (hidden == labels)[known], minlength=k)
            true_purity = np.where(counts > 0, right / np.maximum(counts, 1), np.nan).astype(np.float32)
    source = with_support[0][1].support_source
    return Support(tuple(ids), labels, rows, folds, source, purity, true_purity)


def _impure(support: Support | None, names: Sequence[str]) -> tuple[str, ...]:
    """A note on classes whose support images mostly belong to others, by labels that the probe did not see."""
    if support is None or support.true_purity is None:
        return ()
    poor = [f"{name} ({share:.0%})" for name, share in zip(names, support.true_purity.tolist()) if share < 0.5]
    if not poor:
        return ()
    return (f"By their real labels, less than half of these classes' support images are right: {', '.join(poor)}.",)


def _neighbours(scored: Sequence[Scored], back: I64) -> tuple[Neighbours, ...]:
    merged: list[Neighbours] = []
    for number, first in enumerate(scored[0].neighbours):
        by_fold = [s.neighbours[number] for s in scored]
        width = min(near.nearest.shape[1] for near in by_fold)
        start = 0  # supports of all folds stand one after another
        nearest: list[I64] = []
        for s, near in zip(scored, by_fold, strict=True):
            places = near.nearest[:, :width]
            nearest.append(np.where(places >= 0, places + start, -1))
            if s.support is not None:
                start += len(s.support)
        similarity = np.concatenate([near.similarity[:, :width] for near in by_fold])[back]
        merged.append(Neighbours(first.affinity, np.concatenate(nearest)[back], similarity))
    return tuple(merged)
