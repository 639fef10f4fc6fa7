"""No mistake is silent, and no honest table is taken for one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from tests.mistakes import judging
from tests.mistakes.every import MISTAKES
from tests.mistakes.good import GOOD, alarms
from tests.mistakes.judging import Mistake, outcome, right
from tests.mistakes.right import RIGHT, Brought, named, world

OPEN = {"argmax over the batch": "predictions a little better than guesses"}
"""Mistakes that are still silent, and the honest table that looks like them."""


def written(brought: Brought) -> dict[str, bytes]:
    """Every file by its path, and the arguments under ""."""
    with TemporaryDirectory() as made:
        arguments = " ".join(brought.write(Path(made))).replace(made, "")
        files = {str(path.relative_to(made)): path.read_bytes() for path in Path(made).rglob("*") if path.is_file()}
    return {"": arguments.encode(), **files}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_no_mistake_is_silent_but_those_that_are_known(mistake: Mistake) -> None:
    came, said = outcome(mistake)
    assert (came == "SILENT") == (mistake.name in OPEN), said
    if came == "right":  # it was made all the same
        brought = right(mistake.base)[0]
        assert written(mistake.make(brought, world())) != written(brought)


@pytest.mark.parametrize("name", [*GOOD, *RIGHT])
def test_no_honest_table_raises_an_alarm(name: str) -> None:
    assert alarms(name) == []


def test_every_right_table_has_mistakes_and_no_two_are_called_alike() -> None:
    assert {mistake.base for mistake in MISTAKES} == set(RIGHT)
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60


def test_what_is_read_as_it_was_is_right_and_one_other_loss_label_or_row_is_not() -> None:
    def came(**columns: object) -> str:
        return outcome(Mistake("", "names", "nothing", lambda t, w: t.put(**columns)))[0]

    w = world()
    assert came() == came(label=[f"a {name}" for name in named(w.truth)], prediction=[f"a {x}" for x in named(w.guess)])
    assert came() == "right"
    assert came(loss=w.loss + np.eye(240)[7]) == "SILENT"
    assert came(label=named(np.where(np.arange(240) == 7, (w.truth + 1) % 4, w.truth))) == "SILENT"
    assert came(size=None) == came(mood="new") == "SILENT"


def test_a_note_counts_if_it_names_the_mistake() -> None:
    for words, expected in (("is missing", "noted"), ("thousands", "SILENT")):
        assert outcome(Mistake("", "losses", words, lambda t, w: t.put(loss=w.some(None, w.loss))))[0] == expected


@pytest.mark.parametrize(("code", "rows", "expected"), [(0, 5, "shown"), (0, 4, "SILENT"), (2, 0, "refused")])
def test_the_command_may_show_or_refuse(code: int, rows: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right("names")
    printed = "cat, predicted dog, loss 2.3: wrong\n" * rows or "errata: label and prediction are swapped."
    monkeypatch.setattr(judging, "MODULES", {"check": ""})
    monkeypatch.setattr(judging, "checked", lambda given: (code, printed))
    swapped = next(mistake for mistake in MISTAKES if mistake.shown)
    assert outcome(swapped)[0] == expected
