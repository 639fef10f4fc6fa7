"""Whether a column of losses is one: larger where the model is worse, a value for each sample, none lost or made up."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import hypergeom, rankdata

from core.data.desk.classes import ALPHA
from core.data.desk.numbers import SIGMAS, says_missing, stand_in
from core.data.desk.scales import check_loss_scale
from core.data.tables.cells import as_numbers, texts_of
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognisedColumns
from core.numbers import percent
from core.records import F64, I64, Bool
from core.records.ledger import Ledger
from core.statistics.losses import cross_entropy

RELATED = 0.75
"""Chance that of a row that went wrong and one that went right the first has the larger loss, below which a loss is of
other rows or of something else. The losses of real models, focal, smoothed, weighted and heated ones too, lie above it
(docs/evidence/desk.md)."""
BOUNDS = (0, 1, 100)
"""Where losses end by themselves, so that no missing one is meant: shares and percents (1 - IoU, word errors), and 100,
at which torch.nn.BCELoss cuts."""


def check_losses(frame: pd.DataFrame, found: RecognisedColumns, measured: Measured, ledger: Ledger) -> None:
    """Hold a given loss against what else the table says of each row.

    Raises:
        InvalidInput: it falls where the model is worse, has nothing to do with that, is the mean of batches, holds
        values that stand for missing ones, or cannot be read just where the model is wrong.
    """
    name = found.roles.loss
    if name is None or not measured.source.startswith(f"column {name!r}"):
        return
    written, rows = as_numbers(frame[name]), ledger.kept()
    _check_lost(name, measured, ledger)
    if not len(rows):
        return
    loss = measured.loss[rows]
    odd = stand_in(written[rows], below=True)
    if odd is not None and odd[0] not in BOUNDS and not _all_wrong(written[rows] == odd[0], measured, rows):
        ledger.doubt(says_missing(name, *odd))
    if (length := _batches(written)) and not _is_of_groups(frame, found, written) and _is_mixed(written, measured):
        ledger.doubt(
            f"{name!r} is equal in runs of about {length} rows that follow each other, so it holds the mean of each "
            'batch and not the loss of each sample. Compute it with reduction="none"; if such rows share a loss, as '
            "frames of a video may, name what they share (--group)."
        )
    if loss.max() <= 0 > loss.min() and not found.roles.higher_is_better and np.isfinite(loss).all():
        ledger.note(
            f"No value of {name!r} is above 0, and larger ones are read as worse. A log-likelihood is a score: then "
            "add --higher-is-better."
        )
    computed = None
    if measured.scores is not None and measured.labels is not None:
        computed = cross_entropy(measured.scores[rows], measured.labels[rows])
    for worse, what in _worse(frame, found, measured, computed, rows):
        if not _check_rank(name, loss, worse, what, found.roles.higher_is_better, ledger):
            break
    check_loss_scale(written[rows], found, measured, computed, rows, ledger)


def _worse(
    frame: pd.DataFrame, found: RecognisedColumns, measured: Measured, computed: F64 | None, rows: I64
) -> list[tuple[Bool, str]]:
    """(rows,) where the model did worse, by each thing but the loss that tells, and what that is.

    Args:
        computed: (rows,) cross-entropy of label and scores, where both are known.
    """
    roles, known = found.roles, list[tuple[Bool, str]]()
    if measured.errors is not None and measured.predictions is not None and measured.labels is not None:
        known.append((measured.errors[rows], f"{roles.prediction or 'the highest score'!r} is not {roles.label!r}"))
    if computed is not None:
        known.append((computed > np.median(computed), "the cross-entropy of label and scores is larger"))
    if roles.target is not None and roles.prediction is not None:
        gap = np.abs(as_numbers(frame[roles.target]) - as_numbers(frame[roles.prediction]))[rows]
        if np.isfinite(gap).all():
            known.append((gap > np.median(gap), f"{roles.prediction!r} is far from {roles.target!r}"))
    return known


def _check_rank(name: str, loss: F64, worse: Bool, what: str, turned: bool, ledger: Ledger) -> bool:
    """Whether the loss is larger where the model did worse, as far as the rows can tell.

    The chance is the Mann-Whitney statistic over its number of pairs, its error that of shuffled losses.
    """
    n1, n0 = int(worse.sum()), int((~worse).sum())
    if not n1 or not n0:
        return True
    ranks = rankdata(loss)
    chance = float((ranks[worse].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
    error = math.sqrt((n1 + n0 + 1) / (12 * n1 * n0))
    if chance + SIGMAS * error >= RELATED:
        return True
    against = chance + SIGMAS * error < 0.5
    way = "Leave out --higher-is-better." if turned else "If it is a score or a log-likelihood, add --higher-is-better."
    ledger.doubt(
        f"{name!r} {'is smaller' if against else 'is no larger'} where {what}: of such a row and another, the first "
        f"has the larger loss in {percent(chance)} of pairs, and a loss would have it in nearly all. "
        + (way if against else "Check that all columns are of the same rows and of one model.")
    )
    return False


def _all_wrong(odd: Bool, measured: Measured, rows: I64) -> bool:
    """Whether the model is wrong on all of these rows, beyond chance: then they are its worst, and not missing."""
    if measured.errors is None:
        return False
    wrong = measured.errors[rows]
    return bool(wrong[odd].all()) and float(wrong.mean()) ** int(odd.sum()) < ALPHA


def _check_lost(name: str, measured: Measured, ledger: Ledger) -> None:
    """Stop where rows without a loss are those where the model is wrong."""
    lost = np.array([reason.startswith(f"the loss {name!r}") for reason in ledger.reasons], np.bool_)
    errors, labels, predictions = measured.errors, measured.labels, measured.predictions
    if not lost.any() or errors is None or labels is None or predictions is None:
        return
    judged = (lost | ledger.standing()) & (labels >= 0) & (predictions >= 0)
    n, n_lost, wrong = int(judged.sum()), int((judged & lost).sum()), int(errors[judged].sum())
    both = int(errors[judged & lost].sum())
    if n_lost < n and hypergeom.sf(both - 1, n, wrong, n_lost) < ALPHA:
        ledger.doubt(
            f"{name!r} has no number in {n_lost:,} rows, and {percent(both / n_lost)} of those are wrong, against "
            f"{percent((wrong - both) / (n - n_lost))} of the others: the worst rows would be left out. Write their "
            "losses as numbers, large ones too."
        )


def _batches(written: F64) -> int:
    """The usual length of runs of one value, where most rows lie in runs, no value comes back, and the rows are not
    sorted by it; 0 otherwise, and where shuffled rows would be so by chance."""
    values = written[np.isfinite(written)]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs, lengths = values[starts], np.diff(np.r_[starts, len(values)])
    repeated = lengths[lengths > 1]
    steps = np.diff(runs)
    is_sorted = bool((steps > 0).all() or (steps < 0).all())
    if len(runs) < 3 or len(np.unique(runs)) < len(runs) or is_sorted or 2 * repeated.sum() < len(values):
        return 0
    # c equal values among n stand together with the chance c! (n - c + 1)! / n!
    n = len(values)
    chance = (gammaln(repeated + 1) + gammaln(n - repeated + 2) - gammaln(n + 1)).sum()
    return int(np.median(repeated)) if chance < math.log(ALPHA) else 0


def _is_mixed(written: F64, measured: Measured) -> bool:
    """Whether rows that are right and wrong share a run of one value, as in a batch; frames of one scene and repeated
    samples do not. True where it is not known."""
    if measured.errors is None or not measured.errors.any():
        return True
    runs = np.cumsum(np.r_[True, written[1:] != written[:-1]])
    return bool((pd.Series(measured.errors).groupby(runs).nunique() > 1).any())


def _is_of_groups(frame: pd.DataFrame, found: RecognisedColumns, written: F64) -> bool:
    """Whether the loss is one for each group, as of a patient or a video."""
    if found.roles.group is None:
        return False
    groups = pd.Series(texts_of(frame[found.roles.group]))
    return bool((pd.Series(written).groupby(groups).nunique() <= 1).all())
