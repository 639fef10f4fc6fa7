"""JSON held against what it must hold: one sentence for each kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from core.errors import InvalidInput
from core.forms import Count, Form, read_form


class Sizes(Form):
    width: Count
    layers: int = Field(default=1, le=1_000)
    rate: float = Field(default=0.1, ge=0, lt=1)
    kind: Literal["plain", "gated"] = "plain"
    names: tuple[str, ...] = ()
    tied: bool = True

    @model_validator(mode="after")
    def _agree(self) -> Sizes:
        if self.width == 7:
            raise ValueError("width must be even: got 7")
        return self


@dataclass(frozen=True)
class Row:
    number: int
    values: tuple[float, ...]


def read(given: Any) -> Sizes:
    return read_form(Sizes, given, "sizes.json in DIR", "Copy it again.")


def test_values_are_read_others_left_alone_and_null_is_absent() -> None:
    found = read({"width": 8, "rate": 0, "names": ["a", "b"], "tied": None, "more": object.__name__})
    assert found == Sizes(width=8, rate=0.0, names=("a", "b"))


def test_dataclasses_and_lists_of_them_are_read() -> None:
    rows = read_form(list[Row], [{"number": 1, "values": [0.5, 2]}], "rows.json", "Write it again.")
    assert rows == [Row(1, (0.5, 2.0))]
    with pytest.raises(InvalidInput, match=r"rows\.json: 0\.values\.1 must be a number: got 'x'\. Write it again\."):
        read_form(list[Row], [{"number": 1, "values": [0.5, "x"]}], "rows.json", "Write it again.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "sizes.json in DIR has no width. Copy it again."),
        ([1], "sizes.json in DIR: its content must be an object: got '[1]'. Copy it again."),
        (
            {"width": "x" * 999},
            "width must be a whole number: got 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'.",
        ),
        ({"width": True}, "sizes.json in DIR: width must be a whole number: got 'True'. Copy it again."),
        ({"width": 0}, "sizes.json in DIR: width must be at least 1: got '0'. Copy it again."),
        ({"width": 8, "layers": 10**299}, "layers must be at most 1,000: got '1000000000"),
        ({"width": 8, "rate": 1}, "rate must be below 1: got '1'."),
        ({"width": 8, "rate": float("nan")}, "rate must be a finite number: got 'nan'."),
        ({"width": 8, "kind": ["plain"]}, "kind must be 'plain' or 'gated': got"),
        ({"width": 8, "names": [1]}, "names.0 must be text: got '1'."),
        ({"width": 8, "tied": "no"}, "tied must be true or false: got 'no'."),
        ({"width": 7}, "sizes.json in DIR: width must be even: got 7. Copy it again."),
    ],
)
def test_each_fault_is_one_sentence_with_its_next_step(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(given)
    assert said in str(refused.value)
    assert str(refused.value).endswith("Copy it again.")
