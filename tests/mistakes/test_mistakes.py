"""No mistake is silent, and no honest table is taken for one."""

import pytest

from tests.mistakes.every import MISTAKES
from tests.mistakes.good import GOOD, alarms
from tests.mistakes.judging import Mistake, outcome
from tests.mistakes.right import RIGHT


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_no_mistake_is_silent(mistake: Mistake) -> None:
    came, said = outcome(mistake)
    assert came != "SILENT", said


@pytest.mark.parametrize("name", [*GOOD, *RIGHT])
def test_no_honest_table_raises_an_alarm(name: str) -> None:
    assert alarms(name) == []


def test_every_right_table_has_mistakes_and_no_two_are_called_alike() -> None:
    assert {mistake.base for mistake in MISTAKES} == set(RIGHT)
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60
