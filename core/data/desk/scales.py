"""Whether losses and scores have the scale that they must have: bounds and ratios that hold by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognisedColumns
from core.numbers import number
from core.records import F64, I64
from core.records.ledger import Ledger

FEWEST = 30
"""Rows from which bounds are looked at."""
EQUAL = 1e-3
"""Relative difference up to which two ratios are one, as losses written with four figures differ."""


def check_loss_scale(
    loss: F64, found: RecognisedColumns, measured: Measured, computed: F64 | None, rows: I64, ledger: Ledger
) -> None:
    """Hold a column of losses against what arithmetic says of it.

    Args:
        loss: (rows,) as written.
        computed: (rows,) cross-entropy of label and scores, where both are known.

    Raises:
        InvalidInput: the loss is one value for each class.
    """
    name = str(found.roles.loss)
    if len(rows) < FEWEST:
        return
    steps = np.diff(loss)
    if abs(steps[0]) == 1 and (steps == steps[0]).all():
        ledger.note(
            f"{name!r} changes by 1 from each row to the next, as row numbers do. If it counts the rows, name the "
            "column of losses (--loss)."
        )
    if measured.labels is not None:
        _check_of_classes(name, loss, measured.labels[rows], ledger)
        if computed is not None:
            _check_ratio(name, loss, computed, measured.labels[rows], ledger)
    if measured.errors is not None and measured.predictions is not None:
        _check_all_right(name, found, loss, measured, rows, ledger)


def check_scores(measured: Measured, ledger: Ledger) -> None:
    """Hold probabilities and logits against what arithmetic says of them."""
    rows = ledger.kept()
    if len(rows) < FEWEST:
        return
    if measured.logits is not None:
        most = float(np.abs(measured.logits[rows]).max())
        if most <= 1:
            ledger.note(
                f"No logit is beyond {number(most)}, as of cosines without their scale: the softmax of such leaves all "
                "classes about as likely. If so, multiply them by the model's scale (CLIP: 100)."
            )
    elif measured.scores is not None:
        _check_twice(measured.scores[rows], ledger)


def _check_of_classes(name: str, loss: F64, labels: I64, ledger: Ledger) -> None:
    """Stop over a loss that the label alone tells."""
    by_class = pd.Series(loss).groupby(labels)
    values = np.unique(loss)
    if len(values) > 2 and (by_class.nunique() <= 1).all() and (by_class.size() > 1).any() and len(values) < len(loss):
        ledger.doubt(
            f"{name!r} has one value for all rows of a class, so it holds the mean of each class and not the loss of "
            'each sample. Compute it with reduction="none".'
        )


def _check_ratio(name: str, loss: F64, computed: F64, labels: I64, ledger: Ledger) -> None:
    """Note a loss that is the cross-entropy of the scores times a number, or times one for each class."""
    sure = computed > EQUAL
    ratio = pd.Series(loss[sure] / computed[sure])
    if len(ratio) < FEWEST:
        return

    def is_one(values: pd.Series[float]) -> bool:
        middle = float(values.median())
        return bool(middle > 0 and (abs(values / middle - 1) <= EQUAL).mean() > 0.99)

    if is_one(ratio):
        factor = float(ratio.median())
        if abs(factor - 1) > EQUAL:
            bits = ", so it is in bits" if abs(factor * math.log(2) - 1) <= EQUAL else ""
            ledger.note(
                f"{name!r} is {number(factor)} times the cross-entropy computed from label and scores{bits}. It is "
                "taken as it is."
            )
        return
    own = ratio.groupby(labels[sure])
    if own.size().min() > 1 and all(is_one(values) for _, values in own):
        low, high = float(own.median().min()), float(own.median().max())
        ledger.note(
            f"{name!r} is the cross-entropy computed from label and scores, weighted by class: {number(low)} to "
            f"{number(high)} times. Classes of a larger weight then seem worse."
        )


def _check_all_right(
    name: str, found: RecognisedColumns, loss: F64, measured: Measured, rows: I64, ledger: Ledger
) -> None:
    """Note predictions that are all right beside losses that no right prediction has: the score of the predicted class
    is at least 1 / k, so its cross-entropy is at most log k."""
    assert measured.errors is not None
    most, k = float(loss.max()), len(measured.class_names)
    if k > 1 and found.roles.prediction is not None and not measured.errors[rows].any() and most > math.log(k):
        ledger.note(
            f"Every {found.roles.prediction!r} is its {found.roles.label!r}, though {name!r} goes up to "
            f"{number(most)}: a cross-entropy of {k} classes is at most {number(math.log(k))} where the prediction is "
            "right. Check that the one is no copy of the other."
        )


def _check_twice(scores: F64, ledger: Ledger) -> None:
    """Note probabilities within what a softmax of probabilities can give, and near both ends of it."""
    k = scores.shape[1]
    most, least = math.e / (math.e + k - 1), 1 / (math.e + k - 1)
    top, bottom = float(scores.max()), float(scores.min())
    if top <= most * (1 + EQUAL) and bottom >= least * (1 - EQUAL) and top > 0.9 * most:
        ledger.note(
            f"No probability is above {number(top)} or below {number(bottom)}. A softmax of probabilities gives at "
            f"most {number(most)} and at least {number(least)}: check that it was not taken twice."
        )
