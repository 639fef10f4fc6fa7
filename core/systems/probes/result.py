"""A probe's folds put together: its outcome for each row, and all that explains it."""

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

SHOWN = 6
"""Classes for which the parts of the logits are kept: the true one and the leading others."""


def make_result(name: str, probe: Probe, label: str, task: Task, split: Split, scored: Sequence[Scored]) -> ProbeResult:
    """The result of a probe on a task, without the time that it took.

    Args:
        name: of the probe, in `core.systems.probes.PROBES`.
        label: what the result is called.
        split: its folds, and for each
        scored: what the probe says of the fold's test rows.
    """
    rows = np.concatenate([fold.test for fold in split.folds])
    back = np.argsort(rows, kind="stable")
    rows = rows[back]
    names = task.samples.class_names
    samples = task.samples
    logits = np.concatenate([s.logits for s in scored])[back].astype(np.float64)
    truth = task.labels[rows]
    groups = None if samples.groups is None else samples.groups[rows]
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
        split=split.said,
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
    found: list[Control] = []
    for name in scored[0].controls:
        predictions = np.concatenate([s.controls[name] for s in scored], axis=1)[:, back]  # (r, m)
        wrong = predictions != truth
        if len(wrong) == 1:
            accuracy = accuracy_of(wrong[0], groups)
            gain = paired_difference(wrong[0], errors, groups)
            p = paired_p(wrong[0], errors, groups, seed=seed)
        else:
            mean = wrong.mean(0)
            difference = wrong.mean(0) - errors
            rng = np.random.default_rng(seed)
            accuracy, gain = (bootstrap_mean(values, groups, rng) for values in (1 - mean, difference))
            p = sign_flip_p(difference, groups, seed=seed)
        names = scored[0].repeats.get(name, ("",) * len(wrong))
        each = tuple(zip(names, (1 - wrong.mean(1)).tolist(), strict=True)) if len(wrong) > 1 else ()
        found.append(Control(name, accuracy, gain, p, len(wrong), each))
    return tuple(found)


def _choices(scored: Sequence[Scored]) -> tuple[Choice, ...]:
    if len({tuple(s.choices) for s in scored}) == 1:
        return scored[0].choices
    return tuple(replace(c, name=f"{c.name}, part {i + 1}") for i, s in enumerate(scored) for c in s.choices)


def _details(scored: Sequence[Scored]) -> dict[str, Any]:
    if len(scored) == 1:
        return dict(scored[0].details)
    same = {key: value for key, value in scored[0].details.items() if all(s.details.get(key) == value for s in scored)}
    every = [(i, key, value) for i, s in enumerate(scored) for key, value in s.details.items()]
    return same | {f"{key}, part {i + 1}": value for i, key, value in every if key not in same}


def _parts(scored: Sequence[Scored], back: I64, logits: F64, truth: I64) -> LogitParts | None:
    names = tuple(scored[0].parts)
    if not names:
        return None
    leading = np.argsort(-logits, axis=1, kind="stable")[:, :SHOWN]
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
    given = [(i, s.support, s) for i, s in enumerate(scored) if s.support is not None]
    if not given:
        return None
    labels = np.concatenate([im.labels for _, im, _ in given if im.labels is not None])
    rows = np.concatenate([np.full(len(im), -1, np.int64) if im.rows is None else im.rows for _, im, _ in given])
    folds = np.concatenate([np.full(len(im), i, np.int64) for i, im, _ in given])
    hidden = np.concatenate([np.full(len(im), -1, np.int64) if im.hidden is None else im.hidden for _, im, _ in given])
    purities = [s.purity for _, _, s in given if s.purity is not None]
    purity = np.mean(purities, axis=0).astype(np.float32) if purities else None
    k = scored[0].logits.shape[1]
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
    said = f"By their real labels, less than half of the support images of {', '.join(poor)} are of that class."
    return (said,) if poor else ()


def _neighbours(scored: Sequence[Scored], back: I64) -> tuple[Neighbours, ...]:
    if not scored[0].neighbours:
        return ()
    starts = np.cumsum([0] + [0 if s.support is None else len(s.support) for s in scored])
    found: list[Neighbours] = []
    for place, first in enumerate(scored[0].neighbours):
        nearest = [
            np.where(s.neighbours[place].nearest >= 0, s.neighbours[place].nearest + starts[i], -1)
            for i, s in enumerate(scored)
        ]
        width = min(n.shape[1] for n in nearest)
        similarity = np.concatenate([s.neighbours[place].similarity[:, :width] for s in scored])[back]
        found.append(Neighbours(first.affinity, np.concatenate([n[:, :width] for n in nearest])[back], similarity))
    return tuple(found)
