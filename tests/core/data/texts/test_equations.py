"""Equations are read, not run."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.texts.equations import MAX_DEPTH, MAX_TOKENS, prefix_to_infix, value_of
from core.errors import InvalidInput


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
        "(" * (MAX_DEPTH + 2) + "1" + ")" * (MAX_DEPTH + 2),
        "-" * (MAX_DEPTH + 2) + "1",
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


def test_prefix_becomes_infix_with_its_numbers() -> None:
    assert prefix_to_infix("- + number0 number1 number2", ["7", "2", "3"]) == "( ( 7 + 2 ) - 3 )"
    assert prefix_to_infix("/ number1 2.0", ["7", "10"]) == "( 10 / 2.0 )"


@pytest.mark.parametrize("odd", ["", "+ number0", "number0 number1", "+ number0 number9", "+ number0 x", "+ numberx 1"])
def test_odd_prefixes_are_refused(odd: str) -> None:
    with pytest.raises(InvalidInput, match=r"equation|names|number"):
        prefix_to_infix(odd, ["7", "2"])
