"""Check that a column holds losses: larger where the model is worse, one per sample, none missing or filled in."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import hypergeom, norm, skewtest

from core.data.desk.classes import ALPHA
from core.data.desk.numbers import SIGMAS, say_missing, stand_in
from core.data.desk.scales import (
    MAX_RATIO_ERROR,
    MIN_EXPLAINED_SHARE,
    MIN_ROWS,
    check_computed,
    check_loss_scale,
    explained,
)
from core.data.tables.cells import as_numbers, texts_of
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.numbers import number, percent
from core.records import F64, I64, Bool
from core.records.ledger import Ledger
from core.statistics.losses import cross_entropy

MIN_AUROC = 0.75
MIN_BOUNDED_AUROC = 0.97
"""Chance that a wrong row has a larger loss than a right one of the same label, below which the loss is of other rows
or something else; the second for losses from 0 to log k, like those against the predicted class. The losses of real
models, also focal, smoothed and heated ones, lie above (docs/evidence/desk.md)."""
NOT_SHUFFLED_SIGMAS = float(norm.ppf(0.95))
"""Standard errors beyond one half from which a loss is weakly related, and only noted: so is 1 of 20 shuffled ones."""
LOSS_BOUNDS = (0, 1, 100)
"""Values at which losses end by nature, so they do not stand for a missing one: shares and percents (1 - IoU, word
errors), and 100, at which torch.nn.BCELoss cuts."""


def check_losses(frame: pd.DataFrame, recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Check a column of losses against the table's other columns.

    Raises:
        InvalidInput: the loss falls where the model is worse, is unrelated to it, is the mean of batches, holds values
        that stand for missing ones, or is missing where the model is wrong.
    """
    name = recognized.roles.loss
    if name is None or not measured.source.startswith(f"column {name!r}"):
        return
    written = as_numbers(frame[name])
    rows = ledger.kept_rows()
    _check_lost(name, measured, ledger)
    if not len(rows):
        return
    loss = measured.loss[rows]
    odd = stand_in(written[rows], below=True)
    if odd is not None and odd[0] not in LOSS_BOUNDS and not _all_wrong(written[rows] == odd[0], measured, rows):
        say_missing(name, written[rows], odd, ledger)
    length = _batches(written)
    if length and not _is_shared(frame, recognized, written, measured):
        ledger.doubt(
            f"{name!r} repeats in runs of about {length} rows, so it holds batch means, not sample losses. Compute it "
            'with reduction="none", or name with --group what these rows share, like a video.'
        )
    computed = None
    share = 0.0
    if measured.scores is not None and measured.labels is not None:
        scores = measured.scores[rows]
        labels = measured.labels[rows]
        computed = cross_entropy(scores, labels)
        share = explained(loss, computed, scores, labels)
        check_computed(name, written[rows], computed, labels, share, ledger)
    strata = np.zeros(len(rows), np.int64) if measured.labels is None else measured.labels[rows]
    follows = share >= MIN_EXPLAINED_SHARE
    if follows:
        computed = None
    for worse, what, bound in _worse(frame, recognized, measured, computed, rows):
        min_auroc = MIN_AUROC
        if loss.min() >= 0 and loss.max() <= bound:
            min_auroc = MIN_BOUNDED_AUROC
        turned = recognized.roles.higher_is_better
        if not _check_rank(name, loss, worse, strata, min_auroc, follows, what, turned, ledger):
            break
    if loss.max() <= 0 > loss.min() and not recognized.roles.higher_is_better:
        # a loss has its long tail above; negated cosines and similar scores end at -1
        is_score = len(rows) >= MIN_ROWS and loss.min() < -1 and skewtest(loss, alternative="less").pvalue < ALPHA
        report = ledger.doubt if is_score else ledger.note
        report(
            f"No value of {name!r} is above 0, and larger values count as worse. "
            "If it is a score, like a log-likelihood, add --higher-is-better."
        )
    _check_least(name, loss, measured, rows, ledger)
    check_loss_scale(written[rows], recognized, measured, rows, ledger)


def _worse(
    frame: pd.DataFrame, recognized: RecognizedColumns, measured: Measured, computed: F64 | None, rows: I64
) -> list[tuple[Bool, str, float]]:
    """For each column but the loss that shows it: (rows,) where the model did worse, a description, and the bound of a
    loss of the predicted class: the likeliest of k classes has at most log k."""
    roles = recognized.roles
    known = list[tuple[Bool, str, float]]()
    if measured.errors is not None and measured.predictions is not None and measured.labels is not None:
        what = f"{roles.prediction or 'the highest score'!r} is not {roles.label!r}"
        known.append((measured.errors[rows], what, math.log(len(measured.class_names)) * (1 + MAX_RATIO_ERROR)))
    if computed is not None:
        known.append((computed > np.median(computed), "the cross-entropy of label and scores is larger", -1))
    if roles.target is not None and roles.prediction is not None:
        gap = np.abs(as_numbers(frame[roles.target]) - as_numbers(frame[roles.prediction]))[rows]
        if np.isfinite(gap).all():
            known.append((gap > np.median(gap), f"{roles.prediction!r} is far from {roles.target!r}", -1))
    return known


def _check_rank(
    name: str,
    loss: F64,
    worse: Bool,
    labels: I64,
    min_auroc: float,
    follows: bool,
    what: str,
    turned: bool,
    ledger: Ledger,
) -> bool:
    """Whether the loss is larger where the model did worse, as far as the rows show. Stop where it is smaller or
    unrelated; note where it is larger in too few pairs, or follows from the row's scores.

    The chance is the Mann-Whitney statistic over its number of pairs, both within labels (van Elteren 1960), since a
    loss may be weighted by class.
    """
    n = np.bincount(labels)
    n1 = np.bincount(labels, worse)
    pairs = n1 * (n - n1)
    ranks = pd.Series(loss).groupby(labels).rank().to_numpy()
    shuffled = pairs * (n + 1) / 12
    # at a chance p, p (1 - p) / min(n1, n0) bounds the variance of its estimate (Birnbaum and Klose 1957)
    bound = np.minimum(shuffled, min_auroc * (1 - min_auroc) * pairs * np.maximum(n1, n - n1))
    n_pairs = float(pairs.sum())
    if not n_pairs:
        return True
    chance = float((np.bincount(labels, ranks * worse) - n1 * (n1 + 1) / 2).sum()) / n_pairs
    if chance + SIGMAS * math.sqrt(bound.sum()) / n_pairs >= min_auroc:
        return True
    beyond = (chance - 0.5) * n_pairs / math.sqrt(shuffled.sum())
    against = beyond < -SIGMAS
    related = beyond > NOT_SHUFFLED_SIGMAS
    verb = "is not larger"
    next_step = "Check that all columns come from the same rows and one model."
    if against:
        verb = "is smaller"
        next_step = "If it is a score or a log-likelihood, add --higher-is-better."
        if turned:
            next_step = "Remove --higher-is-better."
    elif related:
        verb = "is hardly larger"
        next_step = (
            "Check that all columns come from the same rows and one model, and that the loss uses the label, not the "
            "prediction."
        )
    report = ledger.doubt if against or not (follows or related) else ledger.note
    report(
        f"{name!r} {verb} where {what}: higher in {percent(chance)} of pairs with rows of the same label, expected "
        f"nearly all. {next_step}"
    )
    return False


def _all_wrong(odd: Bool, measured: Measured, rows: I64) -> bool:
    """Whether the model is wrong on all of these rows, beyond chance: then they are its worst, and not missing."""
    if measured.errors is None:
        return False
    wrong = measured.errors[rows]
    return bool(wrong[odd].all()) and float(wrong.mean()) ** int(odd.sum()) < ALPHA


def _check_least(name: str, loss: F64, measured: Measured, rows: I64, ledger: Ledger) -> None:
    """Note a whole number that is the smallest loss and, as far as rows show, no rarer where the model is wrong."""
    smallest = float(loss.min())
    if measured.errors is None or not smallest.is_integer() or len(np.unique(loss)) < 3:
        return
    wrong = measured.errors[rows]
    at = loss == smallest
    n = int(at.sum())
    both = int(wrong[at].sum())
    if both > 1 and hypergeom.cdf(both, len(loss), int(wrong.sum()), n) >= ALPHA:
        ledger.note(
            f"{name!r} has its smallest value {number(smallest, 0)} in {n:,} rows, and {both:,} of these are wrong. "
            "If it stands for a missing value, leave these cells empty."
        )


def _check_lost(name: str, measured: Measured, ledger: Ledger) -> None:
    """Stop where rows without a loss are those where the model is wrong."""
    lost = np.array([reason.startswith(f"the loss {name!r}") for reason in ledger.reasons], np.bool_)
    errors = measured.errors
    labels = measured.labels
    predictions = measured.predictions
    if not lost.any() or errors is None or labels is None or predictions is None:
        return
    judged = (lost | ledger.standing()) & (labels >= 0) & (predictions >= 0)
    worst = lost_worst(lost[judged], errors[judged])
    if worst:
        n = f"{int((judged & lost).sum()):,}"
        ledger.doubt(
            f"{name!r} has no number in {n} rows; {worst}. Write all losses as numbers, also large ones, so that the "
            "worst rows stay."
        )


def lost_worst(lost: Bool, wrong: Bool) -> str:
    """Clause with the error rates of the lost rows and the others, if the lost ones are wrong more often than by
    chance; else ""."""
    n = len(lost)
    n_lost = int(lost.sum())
    n_wrong = int(wrong.sum())
    both = int((lost & wrong).sum())
    if not 0 < n_lost < n or hypergeom.sf(both - 1, n, n_wrong, n_lost) >= ALPHA:
        return ""
    return f"{percent(both / n_lost)} of these are wrong, {percent((n_wrong - both) / (n - n_lost))} of the others"


def _batches(written: F64) -> int:
    """The usual length of runs of one value, if most rows lie in runs, no value recurs, and the rows are not sorted by
    it; 0 otherwise, and where shuffled rows would look the same by chance."""
    values = written[np.isfinite(written)]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs = values[starts]
    lengths = np.diff(np.r_[starts, len(values)])
    repeated = lengths[lengths > 1]
    steps = np.diff(runs)
    is_sorted = bool((steps > 0).all() or (steps < 0).all())
    if len(runs) < 3 or len(np.unique(runs)) < len(runs) or is_sorted or 2 * repeated.sum() < len(values):
        return 0
    # c equal values among n are adjacent with the chance c! (n - c + 1)! / n!
    n = len(values)
    chance = (gammaln(repeated + 1) + gammaln(n - repeated + 2) - gammaln(n + 1)).sum()
    if chance >= math.log(ALPHA):
        return 0
    return int(np.median(repeated))


def _is_shared(frame: pd.DataFrame, recognized: RecognizedColumns, written: F64, measured: Measured) -> bool:
    """Whether rows may share a loss: those of a group, like a patient or a video; or frames of one scene and repeated
    samples, so that within a run all rows are right or all are wrong."""
    if recognized.roles.group is not None:
        by_group = pd.Series(written).groupby(texts_of(frame[recognized.roles.group])).nunique()
        if (by_group <= 1).all():
            return True
    runs = np.cumsum(np.r_[True, written[1:] != written[:-1]])
    errors = measured.errors
    return errors is not None and bool(errors.any() and (pd.Series(errors).groupby(runs).nunique() <= 1).all())
