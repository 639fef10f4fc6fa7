"""Check columns of numbers: cells that are not numbers, values that stand for missing ones, targets and predictions in
different units."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, norm, rankdata

from core.data.desk.classes import ALPHA, MIN_KAPPA, SHIFTS, rows_away, slipped
from core.data.tables.cells import as_numbers, holds_arrays, text_of, texts_of
from core.data.tables.delimited import MISSING
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.numbers import number
from core.records import F64
from core.records.ledger import Ledger

MISSING_WORDS = {"none", "missing", "<unk>", "?", *(text.casefold() for text in MISSING)}
"""How programs write a missing value; many of these count as missing where they are the whole cell."""
SIGMAS = float(-norm.ppf(ALPHA))
"""Standard errors that an estimate exceeds with a chance of `ALPHA`: 3.1."""
MIN_PAIRS = 10
"""Pairs of numbers needed for a correlation's interval (Fisher's z), a convention."""


def check_unreadable(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Stop where cells of a column that must be numbers hold digits but are not numbers, like "1,234.56" or "> 10":
    leaving them out would often drop the largest.

    Raises:
        InvalidInput: a column has these cells.
    """
    roles = recognized.roles
    names = [roles.loss, *roles.probabilities, *roles.logits]
    if roles.target is not None:
        names[1:1] = [roles.target, roles.prediction]
    for name in names:
        if name is None or holds_arrays(frame[name]):
            continue
        spoiled = unreadable(frame[name])
        if spoiled:
            ledger.doubt(
                f"{name!r} must hold numbers: {len(spoiled):,} of {len(frame):,} cells do not, for example "
                f"{spoiled[0][:40]!r}. Write plain numbers with a decimal point, like 1234.56."
            )


def unreadable(column: pd.Series) -> list[str]:
    """The cells that hold digits but are not numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return []
    bad = np.isnan(as_numbers(column)) & column.notna().to_numpy()
    return [text for text in texts_of(column[bad]) if any(sign.isdigit() for sign in text)]


def stand_in(values: F64, *, below: bool = False) -> tuple[float, int] | None:
    """Find a value that stands for a missing one: (value, rows). It is a repeated whole number at one end of the
    others, and further from them than they are from each other.

    Args:
        values: (n,) nan where missing.
        below: also count a repeated negative value among others that are never negative.

    Example:
        >>> stand_in(np.array([0.2, 1.5, 0.7, -999.0, -999.0]))
        (-999.0, 2)
    """
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(distinct) < 3:
        return None
    for at, nearest, rest in ((0, 1, distinct[1:]), (-1, -2, distinct[:-1])):
        value = float(distinct[at])
        n = int(counts[at])
        apart = abs(value - float(distinct[nearest])) > float(np.ptp(rest))
        if n > 1 and value.is_integer() and (apart or (below and value < 0 <= float(rest[0]))):
            return value, n
    return None


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def check_regression(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Stop where target and prediction differ in unit, sign, or by shifted rows.

    Raises:
        InvalidInput: predictions are worse than the mean of the targets, but explain half of the variance in another
        scale or order of rows; or a value stands for missing ones.
    """
    target = recognized.roles.target
    prediction = recognized.roles.prediction
    if target is None or prediction is None:
        return
    numbers = [as_numbers(frame[name]) for name in (target, prediction)]
    for name, values, others in zip((target, prediction), numbers, numbers[::-1]):
        odd = stand_in(values[ledger.kept_rows()])
        if odd is not None and not _goes_along(values[ledger.kept_rows()], others[ledger.kept_rows()], odd[0]):
            say_missing(name, values[ledger.kept_rows()], odd, ledger)
    rows = ledger.kept_rows()
    rows = rows[np.isfinite(numbers[0][rows]) & np.isfinite(numbers[1][rows])]
    truth = numbers[0][rows]
    predicted = numbers[1][rows]
    _check_unforeseen(truth, predicted, target, prediction, ledger)
    if len(rows) < MIN_PAIRS or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return
    r = _correlation(truth, predicted)
    spread = SIGMAS / math.sqrt(len(rows) - 3)
    explained = 1 - float(((truth - predicted) ** 2).mean() / truth.var())
    slope = r * float(truth.std() / predicted.std())
    if not 0 < abs(slope) < math.inf:  # squares overflow
        return
    ranked = _correlation(rankdata(truth), rankdata(predicted))  # ranks: logarithms follow amounts, but not linearly
    pair = f"The prediction {prediction!r} and the target {target!r}"
    together = f"{pair} rise together (rank correlation {number(ranked, 2)})"
    # medians, since a few huge errors can spoil R² of a prediction that is near in most rows
    is_far = float(np.median(np.abs(truth - predicted))) > float(np.median(np.abs(truth - np.median(truth))))
    if explained < 0 and ranked * ranked >= MIN_KAPPA and abs(math.atanh(ranked)) > spread:
        if is_far and (slope < 0 or round(math.log10(slope))):
            ledger.doubt(
                f"{pair} differ in unit or sign: a prediction is {number(1 / slope)} times the target (rank "
                f"correlation {number(ranked, 2)}, R² {number(explained, 2)}). Write both in one unit."
            )
        else:
            ledger.note(
                f"{together}, but the mean target predicts better (R² {number(explained, 2)}). "
                "Check that both have one unit, also in the rows of the largest losses."
            )
    elif math.atanh(r) < spread:
        fits = {s: _correlation(*slipped(truth, predicted, s)) for s in SHIFTS}
        shift, *others = sorted(fits, key=lambda s: -fits[s])
        # one shift must do better than any other, as it does not where rows repeat themselves
        if fits[shift] ** 2 >= MIN_KAPPA and math.atanh(fits[shift]) - math.atanh(max(fits[others[0]], 0)) > spread:
            ledger.doubt(
                f"{pair} are shifted by {abs(shift)} rows: their correlation is {number(r, 2)} as written, and "
                f"{number(fits[shift], 2)} with each prediction from {rows_away(shift)}. Write both in one order."
            )
        elif math.atanh(ranked) > spread:
            ledger.note(
                f"{together}, but not linearly (correlation {number(r, 2)}): a few errors are huge. "
                "Check that all rows have one unit."
            )
        else:
            ledger.note(
                f"{pair} are unrelated (correlation {number(r, 2)} over {len(rows):,} rows). "
                "Check that both come from the same rows."
            )


def _check_unforeseen(truth: F64, predicted: F64, target: str, prediction: str, ledger: Ledger) -> None:
    """Stop at a negative number among targets that are not negative, and note a 0, if predictions do not follow it:
    they are larger there than where targets are the next smallest (Mann-Whitney)."""
    order = np.argsort(truth, kind="stable")
    n = int((truth == truth.min(initial=np.inf)).sum())
    smallest = order[:n]
    following = order[n : 2 * n]
    if n < 2 or not len(following):
        return
    value = float(truth[smallest[0]])
    if value > 0 or not value.is_integer():
        return
    if mannwhitneyu(predicted[smallest], predicted[following], alternative="greater").pvalue < ALPHA:
        report = ledger.doubt if value < 0 <= truth[following[0]] else ledger.note
        report(
            f"{target!r} is {number(value, 0)} in {n:,} rows, where {prediction!r} is not small. "
            "If it stands for a missing value, leave these cells empty."
        )


def check_whole(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Note recognized classes that may be amounts: most predictions are wrong, and wrong ones are near."""
    label = recognized.roles.label
    prediction = recognized.roles.prediction
    rows = ledger.kept_rows()
    if label is None or prediction is None or "label" not in recognized.guessed:
        return
    truth = as_numbers(frame[label])[rows]
    predicted = as_numbers(frame[prediction])[rows]
    wrong = truth != predicted
    if not np.isfinite(truth - predicted).all() or wrong.sum() < max(MIN_PAIRS, MIN_KAPPA * len(rows)):
        return
    r = _correlation(truth[wrong], predicted[wrong])
    if r > 0 and r * r >= MIN_KAPPA and math.atanh(r) > SIGMAS / math.sqrt(wrong.sum() - 3):
        ledger.note(
            f"{label!r} and {prediction!r} are read as classes: {wrong.sum():,} of {len(rows):,} predictions are wrong "
            f"but near (correlation {number(r, 2)}). If they are amounts, name the target with --target."
        )


def _goes_along(values: F64, others: F64, odd: float) -> bool:
    """Whether the other column has its outermost values, on the same side, where this one is odd, beyond chance."""
    at = values == odd
    if odd <= np.median(values):
        others = -others
    k = int(at.sum())
    outermost = int((others >= others[at].min()).sum())
    return math.comb(outermost, k) < ALPHA * math.comb(len(values), k)


def _correlation(a: F64, b: F64) -> float:
    """Pearson's r, short of ±1 so that its Fisher z is finite; 0 where it is undefined."""
    r = float(np.corrcoef(a, b)[0, 1])
    if not math.isfinite(r):
        return 0.0
    return min(max(r, -1 + 1e-12), 1 - 1e-12)


def check_missing(measured: Measured, ledger: Ledger) -> None:
    """Note a class of only labels or only predictions that means a missing value: by its name, or as a number apart."""
    columns = list(measured.written.items())
    for (name, texts), (_, others) in zip(columns, columns[::-1]):
        words: set[str | None] = {*MISSING_WORDS}
        odd = stand_in(as_numbers(pd.Series(texts)), below=True)
        if odd:
            words.add(text_of(odd[0]))
        for text in sorted({t for t in texts if t is not None and t.casefold() in words} - set(others)):
            ledger.note(
                f"{text!r} is a class of {name!r} alone, in {sum(t == text for t in texts):,} rows, all wrong. "
                "If it means a missing value, leave these cells empty."
            )


def say_missing(name: str, values: F64, odd: tuple[float, int], ledger: Ledger, *, stop: bool = True) -> None:
    """Stop at a value found by `stand_in`, or note it, as where all values are whole numbers: counts may be far
    apart."""
    value, n = odd
    are_counts = value > 0 and bool((values[np.isfinite(values)] % 1 == 0).all())
    report = ledger.doubt if stop and not are_counts else ledger.note
    report(
        f"{name!r} is {number(value, 0)} in {n:,} rows, far from all other values. "
        "If it stands for a missing value, leave these cells empty."
    )
