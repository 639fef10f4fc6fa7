"""Thirty clicks: a random strip of a cluster and its controls, a person's yes or no to one sentence, and the share of
the cluster that the sentence describes.

The strip is drawn at random and shown in random order, so the person cannot see which images belong to the cluster.
The answers alone give a Wilson interval. With the phrase score of every member as a predictor they give a
prediction-powered interval, which is narrower if the score separates yes from no (Angelopoulos et al. 2023, Science
382; PPI++, arXiv 2311.01453).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.checks.prediction_powered import finite_share, newcombe, prediction_powered
from core.errors import InvalidInput
from core.records import F64, I64, UNDEFINED, Bool, Estimate

Method = Literal["whole cluster", "clicks", "prediction-powered", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Rows to show, in this order; the person must not see `is_member`."""

    rows: I64
    is_member: Bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """Result of a person's answers. A share without any answer is nan."""

    share: Estimate
    """Share of the cluster that matches the sentence: the headline figure."""
    method: Method
    reason: str
    """Why this method, in a sentence."""
    clicks: Estimate
    """The same share from the cluster's answers alone: Wilson, with finite-population correction."""
    predicted: Estimate | None
    """The same share with the phrase score's help; None with too few answers of either kind."""
    weight: float | None
    """The tuned lambda of PPI++: 0 ignores the score, 1 trusts it."""
    control: Estimate
    """Share of the others in the scope that match."""
    difference: Estimate
    """Cluster minus control, from the answers alone (Newcombe)."""
    balanced_accuracy: Estimate
    """How well the sentence separates the cluster from the others: 0.5 is chance, 1 is a sentence that holds for the
    cluster only."""
    n_cluster: int
    n_control: int
    """Answers counted."""
    n_skipped: int
    notes: tuple[str, ...] = ()


def draw_strip(
    members: Bool, scope: Bool, n_cluster: int = 20, n_control: int = 10, *, seed: int = 0, groups: I64 | None = None
) -> Strip:
    """Random members and random others of the scope, shuffled together.

    Args:
        members: (n,) the cluster; only its rows within the scope are drawn.
        scope: (n,) the rows that the cluster was found among.
        groups: (n,) group numbers; a group gives a second row only after every group gave one. Large groups are then
            drawn slightly less often than their size suggests.

    Returns:
        The strip; if there are fewer rows than asked, all of them and a note.

    Raises:
        InvalidInput: arrays of different lengths, counts out of range, or no member within the scope.
    """
    if members.shape != scope.shape or members.ndim != 1 or (groups is not None and groups.shape != members.shape):
        raise InvalidInput(
            f"members, scope and groups must be (n,) arrays of one length: got {members.shape} and {scope.shape}. "
            "Pass one mask a row."
        )
    if n_cluster < 1 or n_control < 0:
        raise InvalidInput(
            f"A strip needs at least 1 sample of the group and 0 of the others: got {n_cluster} and {n_control}. "
            "Ask for more."
        )
    inside = np.flatnonzero(members & scope)
    outside = np.flatnonzero(scope & ~members)
    if not len(inside):
        raise InvalidInput("The group has no member within its scope, so there is nothing to show. Pick another group.")
    rng = np.random.default_rng(seed)
    drawn: list[I64] = []
    notes: list[str] = []
    for pool, wanted, source in ((inside, n_cluster, "the group"), (outside, n_control, "the others")):
        rows = rng.permutation(pool)
        if groups is not None:
            first = np.zeros(len(rows), bool)
            first[np.unique(groups[rows], return_index=True)[1]] = True
            rows = np.concatenate([rows[first], rows[~first]])
        rows = rows[:wanted]
        drawn.append(rows)
        if len(rows) < wanted:
            notes.append(f"Showing {len(rows)} samples of {source} instead of {wanted}: there are no more.")
    rows = np.concatenate(drawn)
    order = rng.permutation(len(rows))
    return Strip(rows[order], np.arange(len(rows))[order] < len(drawn[0]), tuple(notes))


def judge(strip: Strip, answers: Sequence[bool | None], score: F64, members: Bool, scope: Bool) -> Judgement:
    """Estimate the share of a cluster that matches a sentence from a person's answers.

    Args:
        strip: from `draw_strip`.
        answers: one for each row of the strip, in order: yes (True or 1), no (False or 0), or None for skipped.
            Skipped rows are dropped, as if never drawn.
        score: (n,) finite phrase score of every row, made without the answers.
        members, scope: (n,) as passed to `draw_strip`.

    Returns:
        The share of the cluster that matches, with a 95% interval. The prediction-powered interval is used only with
        at least 15 answers from the cluster, 3 of each kind, and if it is no wider than Wilson's. If every member was
        answered, the share is exact.

    Raises:
        InvalidInput: lengths that do not match, an invalid answer, or a score that is not finite within the scope.

    Source: Wilson 1927; Newcombe 1998 (Stat. Med. 17, method 10); PPI++ (Angelopoulos, Duchi, Zrnic 2023). Ours: the
    population is the finite cluster, so the estimate is the regression estimator of survey sampling (Cochran 1977, ch.
    7); the map from score to answer is fitted without the row that it is used on (as in cross-prediction, Zrnic and
    Candès 2024); and the interval is Wilson's for the effective number of clicks, which keeps its coverage near 0
    and 1.
    """
    _check(strip, answers, score, members, scope)
    answered = np.array([a is not None for a in answers], bool)
    yes = np.array([bool(a) for a in answers], bool)[answered]
    rows = strip.rows[answered]
    is_member = strip.is_member[answered]
    inside = np.flatnonzero(members & scope)
    outside = np.flatnonzero(scope & ~members)
    clicks = finite_share(yes[is_member], len(inside))
    control = finite_share(yes[~is_member], len(outside))
    difference = newcombe(clicks, control)
    predicted, weight = prediction_powered(score, rows, yes, is_member, inside)
    n_cluster = int(is_member.sum())
    skipped = len(answered) - int(answered.sum())
    share, method, reason = _choose_method(clicks, predicted, n_cluster, len(inside), yes[is_member])
    notes = strip.notes
    if skipped:
        notes = (*notes, f"{skipped} skipped and left out.")
    accuracy = Estimate(*((1 + x) / 2 for x in (difference.value, difference.low, difference.high)))
    return Judgement(
        share, method, reason, clicks, predicted, weight, control, difference, accuracy, n_cluster,
        len(is_member) - n_cluster, skipped, notes,
    )  # fmt: skip


def _check(strip: Strip, answers: Sequence[bool | None], score: F64, members: Bool, scope: Bool) -> None:
    if len(answers) != len(strip):
        raise InvalidInput(
            f"{len(answers)} answers for a strip of {len(strip)} samples. Answer or skip each (None for skipped)."
        )
    invalid = [answer for answer in answers if answer is not None and answer not in (True, False)]
    if invalid:
        raise InvalidInput(
            f"An answer must be True or 1 for yes, False or 0 for no, or None for skipped: got {invalid[0]!r}. Fix it."
        )
    if not score.shape == members.shape == scope.shape:
        raise InvalidInput(
            f"score, members and scope must be (n,) arrays of one length: got {score.shape}, "
            f"{members.shape} and {scope.shape}."
        )
    if len(strip) and (strip.rows.max() >= len(score) or (members[strip.rows] != strip.is_member).any()):
        raise InvalidInput("The strip was drawn from another group than `members`. Draw a new strip.")
    if not np.isfinite(score[scope]).all():
        raise InvalidInput(
            "The phrase score is not finite for every row of the scope. "
            "Score the rows that lack it, or leave them out of the scope."
        )


def _choose_method(
    clicks: Estimate, predicted: Estimate | None, n: int, n_members: int, yes: Bool
) -> tuple[Estimate, Method, str]:
    if not n:
        return UNDEFINED, "none", "No sample of the group was answered."
    if n == n_members:
        return clicks, "whole cluster", f"All {n} samples of the group were answered, so the share is exact."
    if predicted is None:
        answers = f"{n} answers with {int(yes.sum())} yes"
        reason = f"From the answers alone: {answers} are too few of one kind to judge the phrase score."
        return clicks, "clicks", reason
    if predicted.high - predicted.low > clicks.high - clicks.low:
        reason = "From the answers alone: the phrase score does not separate yes from no well enough to help."
        return clicks, "clicks", reason
    narrower = 1 - (predicted.high - predicted.low) / (clicks.high - clicks.low)
    reason = f"With the phrase score of all {n_members:,} members: {narrower:.0%} narrower than from the answers alone."
    return predicted, "prediction-powered", reason
