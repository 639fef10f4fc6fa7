"""What the browser says of an event: nothing about it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from core.errors import DiagnosisError, InvalidInput
from webapp.state.boxes import on_page


def event_data(event: gr.EventData) -> dict[str, Any]:
    """The event's whole payload, if it is an object: it comes from the browser, so nothing about it is trusted."""
    said = event._data  # pyright: ignore[reportPrivateUsage] - Gradio offers no other way to the whole payload
    return said if isinstance(said, dict) else {}


def event_of_run(event: gr.EventData, run: str) -> dict[str, Any]:
    """The event's payload, provided that it speaks of the open run: a map that was replaced meanwhile does not."""
    said = event_data(event)
    if said.get("run") != run:
        raise InvalidInput("The map has changed since. Draw the outline again.")
    return said


def as_int(value: Any) -> int:
    """The value as a whole number; raises InvalidInput where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # the last where the browser said Infinity
        raise InvalidInput(f"Expected a whole number: got {str(value)[:40]!r}. Reload the page.") from None


MOST_AT_ONCE = 20
"""Presses that one event brings."""


def in_turn(
    event: gr.EventData, do: Callable[..., Sequence[Any]], *states: Any, places: Sequence[int] = (0,), n: int
) -> tuple[Any, ...]:
    """What the presses that an event brings come to, in their order: assets/js/latest.js sends those together that
    came while another was being answered. One that is refused leaves the others as they are.

    Args:
        do: called with the states and the event of one press; returns n outputs.
        states: what it is called with first.
        places: where among the outputs the states after it are.
        n: number of outputs; each is skipped where no press gives it.

    Raises:
        DiagnosisError: each press was refused.
    """
    held = list(states)
    made = [gr.skip() for _ in range(n)]
    refused = list[DiagnosisError]()
    said = event_data(event).get("acts", [event_data(event)])
    presses = [one for one in said if isinstance(one, dict)][:MOST_AT_ONCE] if isinstance(said, list) else []
    for one in presses:
        try:
            outputs = do(*held, gr.EventData(getattr(event, "target", None), one))
        except DiagnosisError as error:
            refused.append(error)
            continue
        held = [outputs[place] if not _skips(outputs[place]) else old for place, old in zip(places, held, strict=True)]
        made = [_after(old, new) for old, new in zip(made, outputs, strict=True)]
    if refused and len(refused) == len(presses):
        raise refused[-1]
    for error in refused:
        gr.Warning(on_page(str(error)), title="This needs a change")
    return tuple(made)


def _after(old: Any, new: Any) -> Any:
    """An output of two presses: an update changes what it names, and nothing else."""
    if _skips(new):
        return old
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _skips(output: Any) -> bool:
    return isinstance(output, dict) and output == gr.skip()
