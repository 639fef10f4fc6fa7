"""No mistake between a run and a second table is silent, and no honest pair is stopped."""

import re

import pytest

from tests.mistakes.pairs import BASES, HONEST, MISTAKES, Pair, outcome

OPEN = {
    "losses: losses in bits": "harder samples",
    "losses: losses as roots": "harder samples",
    "losses: losses as 1 - p": "easier samples",
}
"""Mistakes that are still silent, and the honest pair that looks like them."""


@pytest.mark.parametrize("pair", MISTAKES, ids=lambda pair: pair.name)
def test_no_mistake_between_two_tables_is_silent_but_those_that_are_known(pair: Pair) -> None:
    came, said = outcome(pair)
    assert (came == "SILENT") == (pair.name in OPEN), said


@pytest.mark.parametrize("pair", HONEST, ids=lambda pair: pair.name)
def test_no_honest_pair_is_stopped_or_taken_for_a_mistake(pair: Pair) -> None:
    came, said = outcome(pair)
    assert came != "refused", said
    assert all(re.search(pair.words, note) for note in said.split(" | ") if note), said


def test_no_two_are_called_alike() -> None:
    names = [pair.name for pair in (*MISTAKES, *HONEST)]
    assert len({*names}) == len(names) >= 60
    assert {pair.base for pair in MISTAKES} == {*BASES}
