"""Parse equations of word problems, such as "( 76.0 - 25.0 )" or "8 - 3 = 5", without running any code."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from core.errors import InvalidInput

MAX_TOKENS = 200
MAX_DEPTH = 40
"""Nested brackets and signs; keeps the recursion short on hostile input."""
_TOKEN = re.compile(r"\s*(?:(\d[\d,]*(?:\.\d*)?|\.\d+)|([-+*/()=]))")
_SIGNS = str.maketrans("−–×÷", "--*/")


def value_of(equation: str) -> float | None:
    """Value of an equation; None if the text is not an equation, divides by zero, or has unequal sides of a "="."""
    try:
        first, *others = [_Parser(side).value() for side in _sides(_tokens(equation))]
    except (InvalidInput, ZeroDivisionError, OverflowError):
        return None
    if not math.isfinite(first) or not all(is_same(first, value) for value in others):
        return None
    return first


def is_same(first: float, second: float) -> bool:
    """Whether two values are equal up to rounding."""
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-6)


def _tokens(text: str) -> list[str]:
    text = text.translate(_SIGNS).strip()
    position = 0
    tokens = list[str]()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) == MAX_TOKENS:
            raise InvalidInput(f"{text[:60]!r} is not an equation. Use numbers, + - * / and brackets.")
        tokens.append((match[1] or match[2]).replace(",", ""))
        position = match.end()
    return tokens


def _sides(tokens: Sequence[str]) -> list[list[str]]:
    sides: list[list[str]] = [[]]
    for token in tokens:
        if token == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


class _Parser:
    """Recursive descent: a sum is products with + and - between them, a product is factors with * and /, a factor is a
    number, - factor or ( sum )."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def value(self) -> float:
        total = self._sum(0)
        if self.position != len(self.tokens):
            raise InvalidInput("Text follows the equation.")
        return total

    def _next(self) -> str:
        if self.position < len(self.tokens):
            return self.tokens[self.position]
        return ""

    def _sum(self, depth: int) -> float:
        total = self._product(depth)
        while (sign := self._next()) in ("+", "-"):
            self.position += 1
            product = self._product(depth)
            if sign == "+":
                total += product
            else:
                total -= product
        return total

    def _product(self, depth: int) -> float:
        product = self._factor(depth)
        while (sign := self._next()) in ("*", "/"):
            self.position += 1
            factor = self._factor(depth)
            if sign == "*":
                product *= factor
            else:
                product /= factor
        return product

    def _factor(self, depth: int) -> float:
        token = self._next()
        self.position += 1
        if depth > MAX_DEPTH or not token or token in "+*/)":
            raise InvalidInput("A number is missing, or the brackets are too deep.")
        if token == "-":
            return -self._factor(depth + 1)
        if token != "(":
            return float(token)
        total = self._sum(depth + 1)
        if self._next() != ")":
            raise InvalidInput("A bracket is not closed.")
        self.position += 1
        return total
