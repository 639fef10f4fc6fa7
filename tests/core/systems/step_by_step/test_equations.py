"""Equations are read, not run."""

from __future__ import annotations

import numpy as np
import pytest

from core.systems.step_by_step.equations import MAX_TOKENS, value_of


@pytest.mark.parametrize(
    ("equation", "value"),
    [
        ("( 76.0 - 25.0 )", 51.0),
        ("8 - 3 = 5", 5.0),
        ("8 - 3 - 2", 3.0),
        ("2 + 3 * 4", 14.0),
        ("(2+3)*4", 20.0),
        ("12 / 4 / 3", 1.0),
        ("-3 + 5", 2.0),
        ("2 * -(1 + 1)", -4.0),
        ("1,200 × 2", 2400.0),
        (".5 + 1.", 1.5),
        ("10 / 3 = 3.3333333", 10 / 3),
        ("(" * 90 + "08" + ")" * 90, 8.0),
        ("-" * 190 + "1", 1.0),
    ],
)
def test_an_equation_has_its_value(equation: str, value: float) -> None:
    assert value_of(equation) == pytest.approx(value)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " ",
        "=",
        "8 - 3 = 6",
        "8 - = 5",
        "( 1 + 2",
        "1 + 2 )",
        "1 2",
        "1 / 0",
        "1 / ( 2 - 2 )",
        "five",
        "2 ** 3",
        "1e9",
        "__import__('os').system('true')",
        "9" * 400,
        "(" * MAX_TOKENS + "1" + ")" * MAX_TOKENS,
        "-" * (MAX_TOKENS + 1) + "1",
        "2 ( 3 )",
        "+ 2",
        "( )",
        " + ".join(["1"] * MAX_TOKENS),
    ],
)
def test_what_is_no_equation_has_none(odd: str) -> None:
    assert value_of(odd) is None


def test_values_are_those_of_pythons_own_arithmetic() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        a, b, c, d = rng.integers(1, 50, 4).tolist()
        assert value_of(f"( {a} - {b} ) * {c} / {d}") == (a - b) * c / d
        assert value_of(f"{a} - {b} * ( {c} - {d} )") == a - b * (c - d)
