"""Figures as people read them: one style for the command line, the report and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.records import F64, Diagnosis, Estimate

UNDEFINED = "–"
PER_CENT = "%"


def number(value: float | None, digits: int | None = None) -> str:
    """The value with `digits` decimals, or to about three figures (1.02, −0.40, 0.0041, 12,345) if none are asked
    for, and 1.23e+15 from there on; a true minus sign, none before a zero, and a dash where it is undefined."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    size = abs(value)
    if digits is None and 0 < size < 0.095:
        text = f"{value:.2g}"
    elif size >= 1e15:  # more digits than a float holds
        text = f"{value:.3g}"
    else:
        text = f"{value:,.{_decimals(size) if digits is None else digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.replace("-", "")


def _decimals(size: float) -> int:
    if 0 < size < 0.095:
        return min(6, 1 - math.floor(math.log10(size)))
    return 0 if size >= 100 else 1 if size >= 10 else 2


def digits_for(loss: F64) -> int:
    """How many decimals show differences of this loss: two for losses of about 1, none for squared errors in the
    thousands."""
    spread = float(np.std(loss)) or 1.0
    if spread >= 0.1:
        return 2 if spread < 20 else 1 if spread < 200 else 0
    return min(6, 1 - math.floor(math.log10(spread)))


def percent(value: float | None, digits: int | None = None) -> str:
    """A share of 1 as a percentage with `digits` decimals; tenths below 10% alone if none are asked for."""
    text = _hundredths(value, digits)
    return text if text == UNDEFINED else f"{text}{PER_CENT}"


def _hundredths(share: float | None, digits: int | None = None) -> str:
    if share is None or not math.isfinite(share):
        return UNDEFINED
    return number(100 * share, int(0 < abs(share) < 0.0995) if digits is None else digits)


def interval(estimate: Estimate | None, *, share: bool = False, points: bool = False, digits: int | None = None) -> str:
    """The interval alone, such as "0.30 to 0.50"; of a share "30 to 50%"; of a difference of shares in percentage
    `points` "−4.4 to +6.8". Both ends have as many decimals, unless one would read as 0 and is not."""
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
    """An end close to 0 says on which side it lies: "0.003", not "0.00"."""
    said = number(end, digits)
    return said if end == 0 or said.strip("0.,") else number(float(f"{end:.1g}"))


def bracketed(
    estimate: Estimate | None, *, share: bool = False, points: bool = False, digits: int | None = None
) -> str:
    """The interval to stand behind its estimate, such as "(30 to 50%)"; "" where there is none."""
    found = interval(estimate, share=share, points=points, digits=digits)
    return "" if found == "no interval" else f"({found})"


def with_interval(estimate: Estimate | None, *, share: bool = False, digits: int | None = None) -> str:
    """The value with its interval behind it, such as "13% (9 to 18%)"; alone where there is no interval."""
    if estimate is None:
        return UNDEFINED
    value = percent(estimate.value, digits) if share else number(estimate.value, digits)
    return f"{value} {bracketed(estimate, share=share, digits=digits)}".strip()


def p_value(p: float | None, *, bare: bool = False) -> str:
    """Such as "p = 0.004", "p < 0.001", or "no p" where none was computed; `bare`, below a heading that says what it
    is, "0.004", "< 0.001" or a dash."""
    if p is None or not math.isfinite(p):
        return UNDEFINED if bare else "no p"
    if p < 0.001:
        return "< 0.001" if bare else "p < 0.001"
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return text if bare else f"p = {text}"


def held_to(p: float | None, level: float) -> str:
    """A p beside the level below which it would be claimed, such as "p = 0.045, held to 0.005"."""
    return f"{p_value(p)}, held to {level:.2g}"


def count(n: int, noun: str) -> str:
    """The count with its noun, such as "1 cluster", "2,400 samples", "3 classes" or "4 queries"."""
    if n == 1:
        return f"1 {noun}"
    return (
        f"{n:,} {noun[:-1]}ies"
        if noun[-1] == "y" and noun[-2] not in "aeiou"
        else f"{n:,} {noun}{'es' if noun.endswith('ss') else 's'}"
    )


def with_unit(diagnosis: Diagnosis) -> str:
    """The loss's unit with a space before it, where it has one that says more than "loss" does."""
    unit = diagnosis.outcomes.said_unit
    return unit and f" {unit}"


def points(difference: float | None, *, sign: bool = False, digits: int | None = None) -> str:
    """A difference of two shares in percentage points, such as "45 points", with decimals as in `percent`. With `sign`,
    "+45 points"."""
    text = _hundredths(difference, digits)
    if difference is None or text == UNDEFINED:
        return text
    noun = "point" if text == "1" else "points"
    return f"{_plus(text, difference) if sign else text} {noun}"


def signed(value: float | None, digits: int | None = None) -> str:
    """The value with its sign, "+" included; none before a zero."""
    return _plus(number(value, digits), value or 0.0)


def _plus(text: str, value: float) -> str:
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def listed(parts: Sequence[str], most: int = 4, noun: str = "more") -> str:
    """The first `most` parts with semicolons, and how many are left, such as "a; b; and 3 more"."""
    left = len(parts) - most
    return "; ".join(parts[:most]) + (f"; and {left:,} {noun}" if left > 0 else "")


def either(parts: Sequence[str], word: str = "or") -> str:
    """Such as "1, 2 or 3"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def clock(seconds: float) -> str:
    """Minutes and seconds, such as "0:31"; hours in front from 60 minutes on."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
