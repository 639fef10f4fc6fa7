"""Whether losses and scores have the scale that they must have: bounds and ratios that hold by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import binom

from core.data.desk.classes import ALPHA
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.numbers import number, percent
from core.records import F64, I64
from core.records.ledger import Ledger
from core.statistics.losses import MIN_PROBABILITY, brier, entropy, margin

FEWEST = 30
"""Rows from which bounds are looked at."""
FOLLOWS = 0.95
"""Share of a loss' variance that the usual losses of its scores explain: of such at least 0.98, of those of the
training mode at most 0.93 (docs/evidence/desk.md)."""
SMALLEST = 1e-5
"""Probability at which logarithms end in parts of losses, as many are rounded or clipped."""
EQUAL = 1e-3
"""Relative difference up to which two ratios are one, as losses written with four figures differ."""


def check_loss_scale(loss: F64, recognized: RecognizedColumns, measured: Measured, rows: I64, ledger: Ledger) -> None:
    """Hold a column of losses, (rows,) as written, against what arithmetic says of it.

    Raises:
        InvalidInput: the loss is one value for each class.
    """
    name = str(recognized.roles.loss)
    if len(rows) < FEWEST:
        return
    steps = np.diff(loss)
    if abs(steps[0]) == 1 and (steps == steps[0]).all():
        ledger.note(
            f"{name!r} changes by 1 from each row to the next, as row numbers do. If it counts the rows, name the "
            "column of losses (--loss)."
        )
    if measured.labels is not None:
        by_class = pd.Series(loss).groupby(measured.labels[rows])
        n = len(np.unique(loss))
        if 2 < n < len(loss) and (by_class.nunique() <= 1).all() and (by_class.size() > 1).any():
            ledger.doubt(
                f"{name!r} has one value for all rows of a class, so it holds the mean of each class and not the loss "
                'of each sample. Compute it with reduction="none".'
            )
    all_right = measured.errors is not None and not measured.errors[rows].any()
    most = float(loss.max())
    k = len(measured.class_names)
    # the score of the predicted class is at least 1 / k
    if all_right and k > 1 and recognized.roles.prediction is not None and most > math.log(k):
        ledger.note(
            f"Every {recognized.roles.prediction!r} is its {recognized.roles.label!r}, though {name!r} goes up to "
            f"{number(most)}: a cross-entropy of {k} classes is at most {number(math.log(k))} where the prediction is "
            "right. Check that the one is no copy of the other."
        )


def check_scores(measured: Measured, ledger: Ledger) -> None:
    """Note scores of which no row's classes differ by more than the odds e, as a softmax of cosines, of probabilities
    or at a high temperature leaves them, though the most probable class is right more often than any row says."""
    rows = ledger.kept_rows()
    if len(rows) < FEWEST or measured.scores is None:
        return
    scores = measured.scores[rows]
    least = scores.min(axis=1)
    most = scores.max(axis=1)
    if (most > math.e * (1 + EQUAL) * least).any():
        return
    surest = float(most.max())
    right = "sure of none"
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


def explained(loss: F64, computed: F64, scores: F64, labels: I64) -> float:
    """Share of a loss' variance that sums of what usual losses of label and scores are made of explain, in [0, 1]:
    cross-entropy, focal, smoothed, Brier and margin losses wholly, those of other temperatures nearly."""
    likely = np.exp(-computed)
    most = -math.log(SMALLEST)
    parts = [likely**power * np.minimum(computed, most) for power in range(3)]
    smooth = [-np.log(np.maximum(scores, least)).mean(axis=1) for least in (MIN_PROBABILITY, SMALLEST)]
    kinds = [kind(scores, labels) for kind in (brier, margin)]
    all_parts = np.stack([np.ones(len(loss)), likely, computed, *parts, *smooth, *kinds, entropy(scores)], axis=1)
    left = loss - all_parts @ np.linalg.lstsq(all_parts, loss)[0]
    return 1 - float(left.var() / loss.var()) if np.ptp(loss) else 1.0


def check_computed(name: str, loss: F64, computed: F64, labels: I64, share: float, ledger: Ledger) -> None:
    """Note a loss that is the cross-entropy of the scores times a number, or times one for each class, or that does not
    follow from them: `explained` gave less than `FOLLOWS`."""
    sure = computed > EQUAL
    ratio = loss[sure] / computed[sure]
    if len(ratio) < FEWEST:
        return
    factor = one_ratio(ratio)
    if factor > 0:
        if abs(factor - 1) > EQUAL:
            bits = ", so it is in bits" if abs(factor * math.log(2) - 1) <= EQUAL else ""
            ledger.note(
                f"{name!r} is {number(factor)} times the cross-entropy computed from label and scores{bits}. It is "
                "taken as it is."
            )
        return
    own = [ratio[labels[sure] == c] for c in np.unique(labels[sure])]
    if min(map(len, own)) > 1 and (factors := [one_ratio(values) for values in own]) and min(factors) > 0:
        low = min(factors)
        high = max(factors)
        ledger.note(
            f"{name!r} is the cross-entropy computed from label and scores, weighted by class: {number(low)} to "
            f"{number(high)} times. Classes of a larger weight then seem worse."
        )
    elif share < FOLLOWS:
        ledger.note(
            f"{name!r} does not follow from label and scores: what usual losses are made of explains {percent(share)} "
            "of its variance. Check that it is not of the training mode (dropout, augmentation) or of another pass."
        )


def one_ratio(ratios: F64) -> float:
    """What nearly all of (m,) ratios are, up to rounding; 0 where they are not one number above 0."""
    middle = float(np.median(ratios))
    return middle if middle > 0 and (np.abs(ratios / middle - 1) <= EQUAL).mean() > 0.99 else 0.0
