"""Whether columns of numbers hold what they seem to: cells that are no numbers, values that stand for missing ones,
targets and predictions in other units."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, norm, rankdata

from core.data.desk.classes import ALPHA, MENDED, SHIFTS, slipped
from core.data.tables.cells import as_numbers, holds_arrays, text_of, texts_of
from core.data.tables.delimited import MISSING
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.numbers import number
from core.records import F64
from core.records.ledger import Ledger

NOTHING = {"none", "missing", "<unk>", "?", *(text.casefold() for text in MISSING)}
"""How programs write that there is nothing; many of these are read as such where they are the whole cell."""
SIGMAS = float(-norm.ppf(ALPHA))
"""Standard errors that an estimate lies off by with a chance of `ALPHA`: 3.1."""
ENOUGH_PAIRS = 10
"""Pairs of numbers from which a correlation's interval (Fisher's) is taken."""


def check_unreadable(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Stop where cells of a column that must be numbers hold digits and are none, such as "1,234.56" or "> 10": left
    out, they would often be the largest.

    Raises:
        InvalidInput: there are such cells.
    """
    roles = recognized.roles
    regression = (roles.target, roles.prediction) if roles.target is not None else ()
    for name in (roles.loss, *regression, *roles.probabilities, *roles.logits):
        if name is not None and not holds_arrays(frame[name]) and (spoiled := unreadable(frame[name])):
            ledger.doubt(
                f"{name!r} must hold numbers: {len(spoiled):,} of its {len(frame):,} cells are none, such as "
                f"{spoiled[0][:40]!r}, and their rows would be left out. Write numbers with a decimal point and "
                "nothing else, such as 1234.56."
            )


def unreadable(column: pd.Series) -> list[str]:
    """The cells that hold digits and are no number."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return []
    bad = np.isnan(as_numbers(column)) & column.notna().to_numpy()
    return [text for text in texts_of(column[bad]) if any(sign.isdigit() for sign in text)]


def stand_in(values: F64, *, below: bool = False) -> tuple[float, int] | None:
    """A value that stands for a missing one, and in how many rows: a whole number at one end of the others, repeated,
    and further from them than they are from each other.

    Args:
        values: (n,) nan where missing.
        below: the others are never negative, so one negative value, repeated, stands for a missing one, too.

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
    """Stop where target and prediction are in other units, of other signs or of rows that have slipped.

    Raises:
        InvalidInput: predictions are worse than the mean of the targets, though another scale or order of rows makes
        them explain half of the variance; or a value stands for missing ones.
    """
    target = recognized.roles.target
    prediction = recognized.roles.prediction
    if target is None or prediction is None:
        return
    numbers = [as_numbers(frame[name]) for name in (target, prediction)]
    for name, values, other in zip((target, prediction), numbers, numbers[::-1]):
        odd = stand_in(values[ledger.kept_rows()])
        if odd is not None and not _goes_along(values[ledger.kept_rows()], other[ledger.kept_rows()], odd[0]):
            say_missing(name, values[ledger.kept_rows()], odd, ledger)
    rows = ledger.kept_rows()
    rows = rows[np.isfinite(numbers[0][rows]) & np.isfinite(numbers[1][rows])]
    truth, said = (values[rows] for values in numbers)
    _check_unforeseen(truth, said, target, prediction, ledger)
    if len(rows) < ENOUGH_PAIRS or np.ptp(truth) == 0 or np.ptp(said) == 0:
        return
    r = _correlation(truth, said)
    spread = SIGMAS / math.sqrt(len(rows) - 3)
    explained = 1 - float(((truth - said) ** 2).mean() / truth.var())
    slope = r * float(truth.std() / said.std())
    if not 0 < abs(slope) < math.inf:  # squares beyond what a number holds
        return
    ranked = _correlation(rankdata(truth), rankdata(said))  # logarithms go with amounts, though not along a line
    pair = f"The prediction {prediction!r} and the target {target!r}"
    together = f"{pair} go together (rank correlation {number(ranked, 2)})"
    # a few huge errors alone make it so of a prediction that is near in most rows
    is_far = float(np.median(np.abs(truth - said))) > float(np.median(np.abs(truth - np.median(truth))))
    if explained < 0 and ranked * ranked >= MENDED and abs(math.atanh(ranked)) > spread:
        if is_far and (slope < 0 or round(math.log10(slope))):
            ledger.doubt(
                f"{together}, but as written the mean of the targets is a better prediction (R² "
                f"{number(explained, 2)}): a prediction is {number(1 / slope)} times the target. Write both in one "
                "unit and of one sign."
            )
        else:
            ledger.note(
                f"{together}, but the mean of the targets is a better prediction (R² {number(explained, 2)}). Check "
                "that both are in one unit, in the rows of the largest losses too."
            )
    elif math.atanh(r) < spread:
        fits = {s: _correlation(*slipped(truth, said, s)) for s in SHIFTS}
        shift, *others = sorted(fits, key=lambda s: -fits[s])
        # one shift must do better than any other, as it does not where rows repeat themselves
        if fits[shift] ** 2 >= MENDED and math.atanh(fits[shift]) - math.atanh(max(fits[others[0]], 0)) > spread:
            ledger.doubt(
                f"{pair} have slipped by {abs(shift)} rows: as written their correlation is {number(r, 2)}, and "
                f"{number(fits[shift], 2)} if each prediction is that of the row {abs(shift)} "
                f"{'before' if shift > 0 else 'after'}. Write them in one order."
            )
            return
        ledger.note(
            f"{together}, but not along a line (correlation {number(r, 2)}): a few errors are huge. Check that all are "
            "in one unit."
            if math.atanh(ranked) > spread
            else f"{pair} have nothing to do with each other (correlation {number(r, 2)} over {len(rows):,} rows). "
            "Check that both are of the same rows."
        )


def _check_unforeseen(truth: F64, said: F64, target: str, prediction: str, ledger: Ledger) -> None:
    """Stop over a negative number among targets that are not, and note a 0, that predictions know nothing of: they are
    larger there than where targets are the next smallest (Mann-Whitney)."""
    order = np.argsort(truth, kind="stable")
    n = int((truth == truth.min(initial=np.inf)).sum())
    these = order[:n]
    following = order[n : 2 * n]
    if n < 2 or not len(following) or (value := float(truth[these[0]])) > 0 or not value.is_integer():
        return
    if mannwhitneyu(said[these], said[following], alternative="greater").pvalue < ALPHA:
        say = ledger.doubt if value < 0 <= truth[following[0]] else ledger.note
        say(
            f"{target!r} is {number(value, 0)} in {n:,} rows, and there {prediction!r} is larger than where {target!r} "
            "is the next smallest, as if it stood for a missing one. Leave such cells empty."
        )


def check_whole(frame: pd.DataFrame, recognized: RecognizedColumns, ledger: Ledger) -> None:
    """Note classes, recognized as such, that may be amounts: most predictions are wrong, and wrong ones are near."""
    label = recognized.roles.label
    prediction = recognized.roles.prediction
    rows = ledger.kept_rows()
    if label is None or prediction is None or "label" not in recognized.guessed:
        return
    truth, said = (as_numbers(frame[name])[rows] for name in (label, prediction))
    wrong = truth != said
    if not np.isfinite(truth - said).all() or wrong.sum() < max(ENOUGH_PAIRS, MENDED * len(rows)):
        return
    r = _correlation(truth[wrong], said[wrong])
    if r > 0 and r * r >= MENDED and math.atanh(r) > SIGMAS / math.sqrt(wrong.sum() - 3):
        ledger.note(
            f"{label!r} and {prediction!r} are read as classes, and {wrong.sum():,} of {len(rows):,} predictions are "
            f"another class, though near it as numbers are (correlation {number(r, 2)}). If they are amounts, name the "
            "target as such (--target)."
        )


def _goes_along(values: F64, other: F64, odd: float) -> bool:
    """Whether the other column has its outermost values, on the same side, where this one is odd, beyond chance."""
    at = values == odd
    other = other if odd > np.median(values) else -other
    k = int(at.sum())
    outermost = int((other >= other[at].min()).sum())
    return math.comb(outermost, k) < ALPHA * math.comb(len(values), k)


def _correlation(a: F64, b: F64) -> float:
    r = float(np.corrcoef(a, b)[0, 1])
    return min(max(r, -1 + 1e-12), 1 - 1e-12) if math.isfinite(r) else 0.0


def check_missing(measured: Measured, ledger: Ledger) -> None:
    """Note a class of labels or predictions alone that says there is none: by its name, or as a number apart."""
    columns = list(measured.written.items())
    for (name, texts), (_, others) in zip(columns, columns[::-1]):
        odd = stand_in(as_numbers(pd.Series(texts)), below=True)
        nothing = NOTHING | ({text_of(odd[0])} if odd else set())
        for text in sorted({t for t in texts if t is not None and t.casefold() in nothing} - set(others)):
            ledger.note(
                f"{text!r} is a class of {name!r} alone, in {sum(t == text for t in texts):,} rows, all of them wrong. "
                "If it says that the value is missing, leave those cells empty."
            )


def say_missing(name: str, values: F64, odd: tuple[float, int], ledger: Ledger, *, stop: bool = True) -> None:
    """Stop over what `stand_in` found, or note it, as where all values are whole numbers: counts may lie far apart."""
    (value, n), are_counts = odd, odd[0] > 0 and bool((values[np.isfinite(values)] % 1 == 0).all())
    (ledger.doubt if stop and not are_counts else ledger.note)(
        f"{name!r} is {number(value, 0)} in {n:,} rows, apart from all other values, as if it stood for a missing one. "
        "Leave such cells empty."
    )
