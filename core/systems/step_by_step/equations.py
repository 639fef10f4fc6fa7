"""Equations of word problems, such as "( 76.0 - 25.0 )" or "8 - 3 = 5", read by a parser: nothing is ever run."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from core.errors import InvalidInput

MAX_TOKENS = 200
MAX_DEPTH = 40
"""Brackets and signs inside each other."""
_TOKEN = re.compile(r"\s*(?:(\d[\d,]*(?:\.\d*)?|\.\d+)|([-+*/()=]))")
_SIGNS = str.maketrans("−–×÷", "--*/")


def value_of(equation: str) -> float | None:
    """What an equation comes to; None where it is none, divides by zero, or where the sides of a "=" differ."""
    try:
        values = [_Sums(side).value() for side in _sides(_tokens(equation))]
    except (InvalidInput, ZeroDivisionError, OverflowError):
        return None
    same = all(is_same(values[0], other) for other in values[1:])
    return values[0] if same and math.isfinite(values[0]) else None


def is_same(one: float, other: float) -> bool:
    """Whether two values are equal but for rounding."""
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)


def _tokens(text: str) -> list[str]:
    text = text.translate(_SIGNS).strip()
    at = 0
    found = list[str]()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(found) == MAX_TOKENS:
            raise InvalidInput(f"{text[:60]!r} is not an equation. Write numbers, + - * / and brackets.")
        found.append((match[1] or match[2]).replace(",", ""))
        at = match.end()
    return found


def _sides(tokens: Sequence[str]) -> list[list[str]]:
    sides: list[list[str]] = [[]]
    for token in tokens:
        if token == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


class _Sums:
    """A sum is products with + and - between them, a product parts with * and /, a part a number, - part or ( sum )."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def value(self) -> float:
        found = self._sum(0)
        if self.at != len(self.tokens):
            raise InvalidInput("Something stands behind the equation.")
        return found

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _sum(self, depth: int) -> float:
        found = self._product(depth)
        while (sign := self._next()) in ("+", "-"):
            self.at += 1
            other = self._product(depth)
            found = found + other if sign == "+" else found - other
        return found

    def _product(self, depth: int) -> float:
        found = self._part(depth)
        while (sign := self._next()) in ("*", "/"):
            self.at += 1
            other = self._part(depth)
            found = found * other if sign == "*" else found / other
        return found

    def _part(self, depth: int) -> float:
        token = self._next()
        self.at += 1
        if depth > MAX_DEPTH or not token or token in "+*/)":
            raise InvalidInput("A number is missing, or the brackets are too deep.")
        if token == "-":
            return -self._part(depth + 1)
        if token != "(":
            return float(token)
        found = self._sum(depth + 1)
        if self._next() != ")":
            raise InvalidInput("A bracket is not closed.")
        self.at += 1
        return found
