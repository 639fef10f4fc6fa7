"""Whether a column of losses is one: larger where the model is worse, a value for each sample, none lost or made up."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import gammaln
from scipy.stats import hypergeom, norm, skewtest

from core.data.desk.classes import ALPHA
from core.data.desk.numbers import SIGMAS, say_missing, stand_in
from core.data.desk.scales import EQUAL, FEWEST, FOLLOWS, check_computed, check_loss_scale, explained
from core.data.tables.cells import as_numbers, texts_of
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.numbers import number, percent
from core.records import F64, I64, Bool
from core.records.ledger import Ledger
from core.statistics.losses import cross_entropy

RELATED = 0.75
RELATED_WITHIN = 0.97
"""Chance that of a row that went wrong and one of its label that went right the first has the larger loss, below which
a loss is of other rows or of something else; the second for losses from 0 to log k, as those against the predicted
class are. The losses of real models, focal, smoothed and heated ones too, lie above (docs/evidence/desk.md)."""
NOT_SHUFFLED = float(norm.ppf(0.95))
"""Standard errors beyond one half from which a loss is related, if weakly, and only noted: 1 of 20 shuffled ones is."""
BOUNDS = (0, 1, 100)
"""Where losses end by themselves, so that no missing one is meant: shares and percents (1 - IoU, word errors), and 100,
at which torch.nn.BCELoss cuts."""


def check_losses(frame: pd.DataFrame, recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Hold a given loss against what else the table says of each row.

    Raises:
        InvalidInput: it falls where the model is worse, has nothing to do with that, is the mean of batches, holds
        values that stand for missing ones, or cannot be read just where the model is wrong.
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
    if odd is not None and odd[0] not in BOUNDS and not _all_wrong(written[rows] == odd[0], measured, rows):
        say_missing(name, written[rows], odd, ledger)
    if (length := _batches(written)) and not _is_shared(frame, recognized, written, measured):
        ledger.doubt(
            f"{name!r} is equal in runs of about {length} rows that follow each other, so it holds the mean of each "
            'batch and not the loss of each sample. Compute it with reduction="none"; if such rows share a loss, as '
            "frames of a video may, name what they share (--group)."
        )
    computed = None
    share = 0.0
    if measured.scores is not None and measured.labels is not None:
        scores = measured.scores[rows]
        labels = measured.labels[rows]
        computed = cross_entropy(scores, labels)
        share = explained(loss, computed, scores, labels)
        check_computed(name, written[rows], computed, labels, share, ledger)
    of = np.zeros(len(rows), np.int64) if measured.labels is None else measured.labels[rows]
    is_own = share >= FOLLOWS
    for worse, what, most in _worse(frame, recognized, measured, None if is_own else computed, rows):
        least = RELATED_WITHIN if loss.min() >= 0 and loss.max() <= most else RELATED
        if not _check_rank(name, loss, worse, of, least, is_own, what, recognized.roles.higher_is_better, ledger):
            break
    if loss.max() <= 0 > loss.min() and not recognized.roles.higher_is_better:
        # a loss has its long tail above; cosines and other scores that are turned round end at -1
        is_score = len(rows) >= FEWEST and loss.min() < -1 and skewtest(loss, alternative="less").pvalue < ALPHA
        (ledger.doubt if is_score else ledger.note)(
            f"No value of {name!r} is above 0{' and the long tail is below' if is_score else ''}, and larger ones are "
            "read as worse. A log-likelihood is a score: then add --higher-is-better."
        )
    _check_least(name, loss, measured, rows, ledger)
    check_loss_scale(written[rows], recognized, measured, rows, ledger)


def _worse(
    frame: pd.DataFrame, recognized: RecognizedColumns, measured: Measured, computed: F64 | None, rows: I64
) -> list[tuple[Bool, str, float]]:
    """(rows,) where the model did worse, by each thing but the loss that tells, what that is, and up to where the loss
    is of the predicted class, if it is: a class that is no less likely than another has at most log k."""
    roles = recognized.roles
    known = list[tuple[Bool, str, float]]()
    if measured.errors is not None and measured.predictions is not None and measured.labels is not None:
        what = f"{roles.prediction or 'the highest score'!r} is not {roles.label!r}"
        known.append((measured.errors[rows], what, math.log(len(measured.class_names)) * (1 + EQUAL)))
    if computed is not None:
        known.append((computed > np.median(computed), "the cross-entropy of label and scores is larger", -1))
    if roles.target is not None and roles.prediction is not None:
        gap = np.abs(as_numbers(frame[roles.target]) - as_numbers(frame[roles.prediction]))[rows]
        if np.isfinite(gap).all():
            known.append((gap > np.median(gap), f"{roles.prediction!r} is far from {roles.target!r}", -1))
    return known


def _check_rank(
    name: str, loss: F64, worse: Bool, labels: I64, least: float, is_own: bool, what: str, turned: bool, ledger: Ledger
) -> bool:
    """Whether the loss is larger where the model did worse, as far as the rows can tell: stop where it is smaller, or
    has nothing to do with that; note where it is larger in too few pairs, or follows from the row's own scores.

    The chance is the Mann-Whitney statistic over its number of pairs, both within labels (van Elteren 1960), since a
    loss may be weighted by class.
    """
    n = np.bincount(labels)
    n1 = np.bincount(labels, worse)
    pairs = n1 * (n - n1)
    ranks = pd.Series(loss).groupby(labels).rank().to_numpy()
    shuffled = pairs * (n + 1) / 12
    # at a chance p, p (1 - p) / min(n1, n0) bounds the variance of its estimate (Birnbaum and Klose 1957)
    bound = np.minimum(shuffled, least * (1 - least) * pairs * np.maximum(n1, n - n1))
    of = float(pairs.sum())
    chance = float((np.bincount(labels, ranks * worse) - n1 * (n1 + 1) / 2).sum()) / of if of else 1.0
    if not of or chance + SIGMAS * math.sqrt(bound.sum()) / of >= least:
        return True
    beyond = (chance - 0.5) * of / math.sqrt(shuffled.sum())
    against = beyond < -SIGMAS
    related = beyond > NOT_SHUFFLED
    said = "is no larger"
    way = "Check that all columns are of the same rows and of one model"
    if against:
        way = "If it is a score or a log-likelihood, add --higher-is-better"
        said = "is smaller"
        way = "Leave out --higher-is-better" if turned else way
    elif related:
        said = "is hardly larger"
        way = f"{way}, and that the loss is against the label, not against the prediction"
    (ledger.doubt if against or not (is_own or related) else ledger.note)(
        f"{name!r} {said} where {what}: compared with other rows of the same label, such rows have the larger loss in "
        f"{percent(chance)} of pairs, where one expects nearly all. {way}."
    )
    return False


def _all_wrong(odd: Bool, measured: Measured, rows: I64) -> bool:
    """Whether the model is wrong on all of these rows, beyond chance: then they are its worst, and not missing."""
    if measured.errors is None:
        return False
    wrong = measured.errors[rows]
    return bool(wrong[odd].all()) and float(wrong.mean()) ** int(odd.sum()) < ALPHA


def _check_least(name: str, loss: F64, measured: Measured, rows: I64, ledger: Ledger) -> None:
    """Note a whole number that is the least loss, and as far as rows can tell as often where the model is wrong."""
    least = float(loss.min())
    if measured.errors is None or not least.is_integer() or len(np.unique(loss)) < 3:
        return
    wrong = measured.errors[rows]
    at = loss == least
    n = int(at.sum())
    both = int(wrong[at].sum())
    if both > 1 and hypergeom.cdf(both, len(loss), int(wrong.sum()), n) >= ALPHA:
        ledger.note(
            f"{name!r} is {number(least, 0)} in {n:,} rows and nowhere less, and {both:,} of these are wrong, "
            "though no right prediction has a lower loss. If it stands for a missing one, leave such cells empty."
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
    if worst := lost_worst(lost[judged], errors[judged]):
        n = f"{int((judged & lost).sum()):,}"
        ledger.doubt(
            f"{name!r} has no number in {n} rows, and {worst}: the worst rows would be left out. Write their losses as "
            "numbers, large ones too."
        )


def lost_worst(lost: Bool, wrong: Bool) -> str:
    """How many of the lost rows are wrong, and of the others, where more of the lost ones are than chance gives; else
    ""."""
    n = len(lost)
    n_lost = int(lost.sum())
    n_wrong = int(wrong.sum())
    both = int((lost & wrong).sum())
    if not 0 < n_lost < n or hypergeom.sf(both - 1, n, n_wrong, n_lost) >= ALPHA:
        return ""
    return (
        f"{percent(both / n_lost)} of those are wrong, against {percent((n_wrong - both) / (n - n_lost))} of the others"
    )


def _batches(written: F64) -> int:
    """The usual length of runs of one value, where most rows lie in runs, no value comes back, and the rows are not
    sorted by it; 0 otherwise, and where shuffled rows would be so by chance."""
    values = written[np.isfinite(written)]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs = values[starts]
    lengths = np.diff(np.r_[starts, len(values)])
    repeated = lengths[lengths > 1]
    steps = np.diff(runs)
    is_sorted = bool((steps > 0).all() or (steps < 0).all())
    if len(runs) < 3 or len(np.unique(runs)) < len(runs) or is_sorted or 2 * repeated.sum() < len(values):
        return 0
    # c equal values among n stand together with the chance c! (n - c + 1)! / n!
    n = len(values)
    chance = (gammaln(repeated + 1) + gammaln(n - repeated + 2) - gammaln(n + 1)).sum()
    return int(np.median(repeated)) if chance < math.log(ALPHA) else 0


def _is_shared(frame: pd.DataFrame, recognized: RecognizedColumns, written: F64, measured: Measured) -> bool:
    """Whether rows share a loss by right: those of a group, as of a patient or a video; or frames of one scene and
    repeated samples, so that none that is right has the loss of one that is wrong beside it."""
    by_group = (
        recognized.roles.group is not None
        and pd.Series(written).groupby(texts_of(frame[recognized.roles.group])).nunique()
    )
    if by_group is not False and (by_group <= 1).all():
        return True
    runs = np.cumsum(np.r_[True, written[1:] != written[:-1]])
    errors = measured.errors
    return errors is not None and bool(errors.any() and (pd.Series(errors).groupby(runs).nunique() <= 1).all())
