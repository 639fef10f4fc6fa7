"""Check the scale of losses and scores by bounds and ratios that hold by arithmetic."""

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

MIN_ROWS = 30
"""Rows needed to check bounds, a convention."""
MIN_EXPLAINED_SHARE = 0.95
"""Share of a loss' variance that the usual losses of its scores must explain: those losses reach at least 0.98, losses
from the training mode at most 0.93 (docs/evidence/desk.md)."""
CUT_PROBABILITY = 1e-5
"""Probability at which logarithms are cut in parts of losses, since many are rounded or clipped."""
MAX_RATIO_ERROR = 1e-3
"""Relative difference up to which two ratios are equal, since losses are often written with four figures."""


def check_loss_scale(loss: F64, recognized: RecognizedColumns, measured: Measured, rows: I64, ledger: Ledger) -> None:
    """Check a column of losses, (rows,) as written, against bounds by arithmetic.

    Raises:
        InvalidInput: the loss is one value for each class.
    """
    name = str(recognized.roles.loss)
    if len(rows) < MIN_ROWS:
        return
    steps = np.diff(loss)
    if abs(steps[0]) == 1 and (steps == steps[0]).all():
        ledger.note(
            f"{name!r} changes by 1 from each row to the next, like row numbers. "
            "If it counts the rows, name the column of losses with --loss."
        )
    if measured.labels is not None:
        by_class = pd.Series(loss).groupby(measured.labels[rows])
        n = len(np.unique(loss))
        if 2 < n < len(loss) and (by_class.nunique() <= 1).all() and (by_class.size() > 1).any():
            ledger.doubt(
                f"{name!r} has one value for all rows of a class, so it holds class means, not sample losses. "
                'Compute it with reduction="none".'
            )
    all_right = measured.errors is not None and not measured.errors[rows].any()
    largest = float(loss.max())
    k = len(measured.class_names)
    # the score of the predicted class is at least 1 / k
    if all_right and k > 1 and recognized.roles.prediction is not None and largest > math.log(k):
        ledger.note(
            f"Every {recognized.roles.prediction!r} equals {recognized.roles.label!r}, but {name!r} goes up to "
            f"{number(largest)}: right predictions of {k} classes have at most {number(math.log(k))}. "
            "Check that one is not a copy of the other."
        )


def check_scores(measured: Measured, ledger: Ledger) -> None:
    """Note scores whose classes differ by less than the odds e in every row, as after a softmax of cosines, of
    probabilities or at a high temperature, if the most probable class is right more often than the highest score."""
    rows = ledger.kept_rows()
    if len(rows) < MIN_ROWS or measured.scores is None:
        return
    scores = measured.scores[rows]
    lowest = scores.min(axis=1)
    highest = scores.max(axis=1)
    if (highest > math.e * (1 + MAX_RATIO_ERROR) * lowest).any():
        return
    top = float(highest.max())
    right = "never confident"
    if measured.labels is not None:
        hits = int((scores.argmax(axis=1) == measured.labels[rows]).sum())
        if binom.sf(hits - 1, len(rows), top) >= ALPHA:
            return
        right = f"right in {percent(hits / len(rows))} of rows"
    ledger.note(
        f"No class has a probability above {number(top)}, but the model is {right}. A softmax of cosines without their "
        "scale (CLIP: 100), of probabilities, or at a high temperature does this. Write the model's own probabilities."
    )


def explained(loss: F64, computed: F64, scores: F64, labels: I64) -> float:
    """Share of a loss' variance explained by the parts of usual losses of label and scores, in [0, 1]: all of the
    cross-entropy, focal, smoothed, Brier and margin losses, nearly all of those at other temperatures."""
    if not np.ptp(loss):
        return 1.0
    likely = np.exp(-computed)
    parts = [likely**power * np.minimum(computed, -math.log(CUT_PROBABILITY)) for power in range(3)]
    smooth = [-np.log(np.maximum(scores, floor)).mean(axis=1) for floor in (MIN_PROBABILITY, CUT_PROBABILITY)]
    kinds = [brier(scores, labels), margin(scores, labels)]
    all_parts = np.stack([np.ones(len(loss)), likely, computed, *parts, *smooth, *kinds, entropy(scores)], axis=1)
    residuals = loss - all_parts @ np.linalg.lstsq(all_parts, loss)[0]
    return 1 - float(residuals.var() / loss.var())


def check_computed(name: str, loss: F64, computed: F64, labels: I64, share: float, ledger: Ledger) -> None:
    """Note a loss that is the cross-entropy of the scores times a constant, or times one for each class, or that does
    not follow from them: `explained` is below `MIN_EXPLAINED_SHARE`."""
    above_0 = computed > MAX_RATIO_ERROR
    ratio = loss[above_0] / computed[above_0]
    if len(ratio) < MIN_ROWS:
        return
    factor = common_ratio(ratio)
    if factor > 0:
        if abs(factor - 1) > MAX_RATIO_ERROR:
            bits = ""
            if abs(factor * math.log(2) - 1) <= MAX_RATIO_ERROR:
                bits = " (bits)"
            ledger.note(
                f"{name!r} is {number(factor)} times the cross-entropy of label and scores{bits}. It stays as written."
            )
        return
    class_ratios = [ratio[labels[above_0] == c] for c in np.unique(labels[above_0])]
    factors = [common_ratio(ratios) for ratios in class_ratios]
    if min(map(len, class_ratios)) > 1 and min(factors) > 0:
        ledger.note(
            f"{name!r} is the cross-entropy weighted by class: {number(min(factors))} to {number(max(factors))} times. "
            "Classes of a larger weight then seem worse."
        )
    elif share < MIN_EXPLAINED_SHARE:
        ledger.note(
            f"{name!r} does not follow from label and scores: usual losses explain {percent(share)} of its variance. "
            "Check that it comes from the same pass, not from training mode (dropout, augmentation)."
        )


def common_ratio(ratios: F64) -> float:
    """The value of nearly all of (m,) ratios, up to rounding; 0 where they differ or are not above 0."""
    middle = float(np.median(ratios))
    if middle > 0 and (np.abs(ratios / middle - 1) <= MAX_RATIO_ERROR).mean() > 0.99:
        return middle
    return 0.0
