"""Format figures in one style for the command line, the report and the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

import numpy as np

from core.records import F64, Diagnosis, Estimate

UNDEFINED = "–"
PER_CENT = "%"
MICROSECONDS_A_DAY = 86_400_000_000


def number(value: float | None, digits: int | None = None) -> str:
    """Format a value with `digits` decimals (default: about three figures: 1.02, −0.40, 0.0041, 12,345, and exponents
    from 1e15), with a true minus sign, none before a zero, and a dash if undefined."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    size = abs(value)
    if digits is None and 0 < size < 0.095:
        text = f"{value:.2g}"
    elif size >= 1e15:  # more digits than a float holds
        text = f"{value:.3g}"
    else:
        if digits is None:
            digits = _decimals(size)
        text = f"{value:,.{digits}f}"
    minus = "−" if text.strip("-0.,") else ""
    return text.replace("-", minus)


def _decimals(size: float) -> int:
    if 0 < size < 0.095:
        return min(6, 1 - math.floor(math.log10(size)))
    if size >= 100:
        return 0
    return 1 if size >= 10 else 2


def value_text(value: float, form: str = "", *, exact: bool = False) -> str:
    """Format a value of a column, such as "0.31", "2017" or "2022-11-12 08:30"; a dash if undefined.

    Args:
        form: what the number is, as in `Column.form`.
        exact: with every digit, so that the text names this value alone.
    """
    if not math.isfinite(value):
        return UNDEFINED
    if form == "year":
        return f"{value:.0f}"
    if form == "date":
        return str(np.datetime64(round(value), "D"))
    if form == "time":  # to the minute, or in more digits if it has them
        moment = np.datetime64(round(value * MICROSECONDS_A_DAY), "us")
        text, _, fraction = str(moment).replace("T", " ").partition(".")
        fraction = fraction.rstrip("0")
        if fraction:
            return f"{text}.{fraction}"
        return text.removesuffix(":00")
    if exact:  # as a table writes it, in the fewest digits that no other number has: it may be 20240131, or an id
        if value and not 1e-6 <= abs(value) < 1e15:
            return np.format_float_scientific(value, trim="-", exp_digits=1)
        return np.format_float_positional(value, trim="-")
    if form == "count":
        return number(value, 0)
    return number(value)


def short_limit(inside: F64, outside: F64, limit: float, form: str = "") -> float:
    """Shorten a limit to the fewest digits that still separate the values inside from those outside, so that its text
    selects exactly these: for whole numbers, years and dates a value inside, for times a whole day, hour, minute, or
    less, else at least three digits."""
    if not len(inside) or not len(outside):
        return limit
    shorter: Iterator[float] = iter(())
    if form == "time":
        shorter = _moments(limit)
    elif not form and math.isfinite(limit):
        shorter = _rounded(limit)
    for shown in shorter:
        if inside.max() <= shown < outside.min() or outside.max() < shown <= inside.min():
            return shown
    if inside.max() < outside.min():
        return float(inside.max())
    return float(inside.min())


def limit_text(values: F64, least: float, form: str = "") -> str:
    """Format the lower end of a range, in as many digits as it takes to select the same values."""
    text = number(least)
    inside = values >= least
    if not form and text != UNDEFINED:
        read = float(text.replace(",", "").replace("−", "-"))
        if ((values >= read) == inside).all():
            return text
    return value_text(short_limit(values[inside], values[values < least], least, form), form, exact=True)


def _rounded(limit: float) -> Iterator[float]:
    """Yield the limit, and the numbers next to it, in three and more digits, and all before the point."""
    exact = Decimal(limit)
    for digits in range(max(3, exact.adjusted() + 1), 18):
        for rounding in (ROUND_HALF_EVEN, ROUND_CEILING, ROUND_FLOOR):
            yield float(Context(digits, rounding).plus(exact)) + 0.0


def _moments(limit: float) -> Iterator[float]:
    """Yield the time, and those next to it, in whole days, hours, minutes, seconds, and thousandths or
    millionths of a second."""
    moment = limit * MICROSECONDS_A_DAY
    for step in (MICROSECONDS_A_DAY, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1):
        for rounded in (round, math.ceil, math.floor):
            yield rounded(moment / step) * step / MICROSECONDS_A_DAY


def digits_for(loss: F64) -> int:
    """Choose the decimals that show differences of this loss: two for losses of about 1, none for squared errors in the
    thousands."""
    spread = float(np.std(loss)) or 1.0
    if spread >= 200:
        return 0
    if spread >= 20:
        return 1
    if spread >= 0.1:
        return 2
    return min(6, 1 - math.floor(math.log10(spread)))


def percent(value: float | None, digits: int | None = None) -> str:
    """Format a share of 1 as a percentage with `digits` decimals (default: one below 10%, else none)."""
    text = _hundredths(value, digits)
    if text == UNDEFINED:
        return text
    return f"{text}{PER_CENT}"


def _hundredths(share: float | None, digits: int | None = None) -> str:
    if share is None or not math.isfinite(share):
        return UNDEFINED
    if digits is None:
        digits = int(0 < abs(share) < 0.0995)
    return number(100 * share, digits)


def interval(estimate: Estimate | None, *, share: bool = False, points: bool = False, digits: int | None = None) -> str:
    """Format an interval, such as "0.30 to 0.50", "30 to 50%" for a share, or "−4.4 to +6.8" for a difference in
    percentage `points`. Both ends have the same decimals, unless one would read as 0 and is not."""
    if estimate is None or not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    if points:
        return " to ".join(_plus(_hundredths(end, digits), end) for end in (estimate.low, estimate.high))
    if share:
        return f"{_hundredths(estimate.low, digits)} to {percent(estimate.high, digits)}"
    if digits is None:
        digits = _decimals(max(abs(estimate.low), abs(estimate.high)))
    ends = (estimate.low, estimate.high)
    noise = 1e-6 * max(map(abs, ends))
    return " to ".join(_no_false_zero(end if abs(end) > noise else 0.0, digits) for end in ends)


def _no_false_zero(end: float, digits: int) -> str:
    """Format an end close to 0 so that its side of 0 shows: "0.003", not "0.00"."""
    text = number(end, digits)
    if end == 0 or text.strip("0.,"):
        return text
    return number(float(f"{end:.1g}"))


def bracketed(
    estimate: Estimate | None, *, share: bool = False, points: bool = False, digits: int | None = None
) -> str:
    """Format an interval to follow its estimate, such as "(30 to 50%)"; "" without one."""
    text = interval(estimate, share=share, points=points, digits=digits)
    if text == "no interval":
        return ""
    return f"({text})"


def with_interval(estimate: Estimate | None, *, share: bool = False, digits: int | None = None) -> str:
    """Format a value and its interval, such as "13% (9 to 18%)"; only the value without an interval."""
    if estimate is None:
        return UNDEFINED
    value = percent(estimate.value, digits) if share else number(estimate.value, digits)
    return f"{value} {bracketed(estimate, share=share, digits=digits)}".strip()


def p_value(p: float | None, *, bare: bool = False) -> str:
    """Format a p-value: "p = 0.004", "p < 0.001", or "not tested" without one; `bare`, below a heading: "0.004",
    "< 0.001" or a dash."""
    if p is None or not math.isfinite(p):
        return UNDEFINED if bare else "not tested"
    if p < 0.001:
        return "< 0.001" if bare else "p < 0.001"
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return text if bare else f"p = {text}"


def count(n: int, noun: str) -> str:
    """Format a count with its noun, such as "1 cluster", "2,400 samples", "3 classes" or "4 queries"."""
    if n == 1:
        return f"1 {noun}"
    if noun[-1] == "y" and noun[-2] not in "aeiou":
        return f"{n:,} {noun[:-1]}ies"
    ending = "es" if noun.endswith("ss") else "s"
    return f"{n:,} {noun}{ending}"


def plural(n: int, singular: str, several: str) -> str:
    """Choose the form of a word that agrees with a count, such as plural(n, "is", "are")."""
    if n == 1:
        return singular
    return several


def with_unit(diagnosis: Diagnosis) -> str:
    """Return the unit of the loss after a space; "" if it adds nothing to "loss"."""
    unit = diagnosis.outcomes.said_unit
    return unit and f" {unit}"


def points(difference: float | None, *, sign: bool = False, digits: int | None = None) -> str:
    """Format a difference of shares in percentage points, such as "45 points", with decimals as in `percent`. With
    `sign`: "+45 points"."""
    text = _hundredths(difference, digits)
    if difference is None or text == UNDEFINED:
        return text
    noun = "point" if text == "1" else "points"
    if sign:
        text = _plus(text, difference)
    return f"{text} {noun}"


def signed(value: float | None, digits: int | None = None) -> str:
    """Format a value with its sign, also "+"; none before a zero."""
    return _plus(number(value, digits), value or 0.0)


def _plus(text: str, value: float) -> str:
    if value > 0 and text.strip("0.,"):
        return f"+{text}"
    return text


def listed(parts: Sequence[str], most: int = 4, noun: str = "more") -> str:
    """Join the first `most` parts with semicolons and count the others, such as "a; b; and 3 more"."""
    text = "; ".join(parts[:most])
    left = len(parts) - most
    if left > 0:
        text += f"; and {left:,} {noun}"
    return text


def either(parts: Sequence[str], word: str = "or") -> str:
    """Join alternatives, such as "1, 2 or 3"."""
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def clock(seconds: float) -> str:
    """Format minutes and seconds, such as "0:31", and hours from 60 minutes on."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
