"""Values of equations of word problems, such as "( 76.0 - 25.0 )" or "8 - 3 = 5", without running any code."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

MAX_TOKENS = 200
"""Longest equation; keeps the recursion short on hostile input."""
_TOKEN = re.compile(r"(\d[\d,]*(?:\.\d*)?|\.\d+)|([-+*/()=])|\S")
_SIGNS = str.maketrans("−–×÷", "--*/")
_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value_of(equation: str) -> float | None:
    """Value of an equation; None if the text is not an equation, divides by zero, or has unequal sides of a "="."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(equation.translate(_SIGNS)):
        if match[1]:
            tokens.append(repr(float(match[1].replace(",", ""))))
        elif match[2] and len(tokens) < MAX_TOKENS:
            tokens.append(match[2])
        else:
            return None
    try:
        first, *others = [_value(ast.parse(side.strip(), mode="eval").body) for side in " ".join(tokens).split("=")]
    except (ArithmeticError, SyntaxError, ValueError):
        return None
    if not math.isfinite(first) or not all(is_same(first, value) for value in others):
        return None
    return first


def is_same(first: float, second: float) -> bool:
    """Whether two values are equal up to rounding."""
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-6)


def _value(node: ast.expr) -> float:
    """Value of a number, of - before a part, or of + - * / between two parts."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not an equation")
