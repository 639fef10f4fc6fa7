"""Presses that one event brings together."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from core.errors import InvalidInput
from tests.webapp.callbacks import press
from webapp.state.events import MAX_PRESSES, event_data, in_turn


def add(n: int, event: gr.EventData) -> tuple[Any, ...]:
    """A callback whose state is how often it was pressed."""
    said = event_data(event)
    if said.get("do") == "no":
        raise InvalidInput("Not this one.")
    pane = gr.skip() if said.get("do") == "quiet" else str(said.get("do"))
    points: dict[str, Any] = {"__type__": "update", str(said.get("do")): n}
    return n + 1, pane, points


def test_presses_that_came_meanwhile_count_in_their_order() -> None:
    n, pane, points = in_turn(press(acts=[{"do": "pin"}, {"do": "save"}, {"do": "quiet"}]), add, 4, n=3)
    assert (n, pane) == (7, "save")
    assert (points["pin"], points["save"], points["quiet"]) == (4, 5, 6)


def test_one_press_alone_and_one_that_was_sent_already() -> None:
    assert in_turn(press(do="pin"), add, 0, n=3)[:2] == (1, "pin")
    assert in_turn(press(acts=[]), add, 0, n=3) == (gr.skip(),) * 3


def test_what_is_refused_takes_no_other_press_with_it() -> None:
    with pytest.warns(UserWarning, match="Not this one"):
        n, pane, _ = in_turn(press(acts=[{"do": "pin"}, {"do": "no"}, {"do": "save"}]), add, 0, n=3)
    assert (n, pane) == (2, "save")
    with pytest.raises(InvalidInput):
        in_turn(press(acts=[{"do": "no"}]), add, 0, n=3)


@pytest.mark.parametrize("acts", ["x", None, 3, [1, "x", None], {"do": "pin"}])
def test_what_no_page_sends_does_nothing(acts: Any) -> None:
    assert in_turn(press(acts=acts), add, 0, n=3) == (gr.skip(),) * 3


def test_a_page_can_bring_so_many_at_once_and_no_more() -> None:
    assert in_turn(press(acts=[{"do": "pin"}] * 999), add, 0, n=3)[0] == MAX_PRESSES
