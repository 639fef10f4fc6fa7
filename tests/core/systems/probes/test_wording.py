"""A probe's chosen numbers in words."""

from __future__ import annotations

import pytest

from core.systems.probes.records import Choice
from core.systems.probes.wording import choice_name, choice_sentence


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.5714285, "1.57"), (0.0031622, "0.00316"), (300.0, "300"), (1240.0, "1,240"), (3.2e7, "3.2e+07"), (0.0, "0")],
)
def test_a_chosen_number_has_three_digits_and_a_whole_one_all(value: float, said: str) -> None:
    assert choice_sentence(Choice("alpha", value, "fixed")) == f"alpha = {said} (the method's default)"


def test_what_each_half_has_of_its_own_says_which_half() -> None:
    assert choice_name("alpha at the start, part 2") == "alpha at the start for the second half"
    assert choice_name("alpha, part 3") == "alpha, part 3"
    assert choice_name("alpha") == "alpha"
