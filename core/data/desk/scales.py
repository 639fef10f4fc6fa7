"""Whether losses and scores have the scale that they must have: bounds and ratios that hold by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import binom

from core.data.desk.classes import ALPHA
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognisedColumns
from core.numbers import number, percent
from core.records import F64, I64
from core.records.ledger import Ledger
from core.statistics.losses import brier, entropy, margin

FEWEST = 30
"""Rows from which bounds are looked at."""
FOLLOWS = 0.95
"""Share of a loss' variance that the usual losses of its scores explain: of such at least 0.98, of those of the
training mode at most 0.93 (docs/evidence/desk.md)."""
SMALLEST = 12.0
"""Nats at which logarithms end here: probabilities are often rounded."""
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
            _check_computed(name, loss, computed, measured, rows, ledger)
    if measured.errors is not None and measured.predictions is not None:
        _check_all_right(name, found, loss, measured, rows, ledger)


def check_scores(measured: Measured, ledger: Ledger) -> None:
    """Note scores of which no row's classes differ by more than the odds e, as a softmax of cosines, of probabilities
    or at a high temperature leaves them, though the most probable class is right more often than any row says."""
    rows = ledger.kept()
    if len(rows) < FEWEST or measured.scores is None:
        return
    scores = measured.scores[rows]
    least, most = scores.min(axis=1), scores.max(axis=1)
    if (most > math.e * (1 + EQUAL) * least).any():
        return
    surest, right = float(most.max()), "sure of none"
    if measured.labels is not None:
        hits = int((scores.argmax(axis=1) == measured.labels[rows]).sum())
        if binom.sf(hits - 1, len(rows), surest) >= ALPHA:
            return
        right = f"right in {percent(hits / len(rows))} of rows"
    ledger.note(
        f"No probability of a class is above {number(surest)}, and the model is {right}: the softmax of logits that "
        "lack their scale (cosines; CLIP: 100), of probabilities, or at a high temperature leaves all classes about as "
        "likely. Write the probabilities that the model gives by itself."
    )


def _check_of_classes(name: str, loss: F64, labels: I64, ledger: Ledger) -> None:
    """Stop over a loss that the label alone tells."""
    by_class = pd.Series(loss).groupby(labels)
    values = np.unique(loss)
    if len(values) > 2 and (by_class.nunique() <= 1).all() and (by_class.size() > 1).any() and len(values) < len(loss):
        ledger.doubt(
            f"{name!r} has one value for all rows of a class, so it holds the mean of each class and not the loss of "
            'each sample. Compute it with reduction="none".'
        )


def _check_computed(name: str, loss: F64, computed: F64, measured: Measured, rows: I64, ledger: Ledger) -> None:
    """Note a loss that is the cross-entropy of the scores times a number, or times one for each class, or that does not
    follow from the scores in any usual way."""
    assert measured.labels is not None
    assert measured.scores is not None
    labels, scores, sure = measured.labels[rows], measured.scores[rows], computed > EQUAL
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
        return
    # cross-entropy, focal, smoothed, Brier and margin losses, and others nearly, are sums of these
    least, smooth = np.minimum(computed, SMALLEST), -np.log(np.maximum(scores, math.exp(-SMALLEST))).mean(axis=1)
    known = [np.exp(-computed) ** power * least for power in range(3)]
    parts = np.stack([np.ones(len(loss)), np.exp(-computed), *known, smooth, entropy(scores),
                      *(kind(scores, labels) for kind in (brier, margin))], axis=1)  # fmt: skip
    left = loss - parts @ np.linalg.lstsq(parts, loss)[0]
    explained = 1 - float(left.var() / loss.var()) if np.ptp(loss) else 1.0
    if explained < FOLLOWS:
        ledger.note(
            f"{name!r} does not follow from label and scores: all usual losses computed from them explain "
            f"{percent(explained)} of its variance. Check that it is not of the training mode (dropout, augmentation) "
            "or of another pass."
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
