"""Payloads of events, which come from the browser and are not trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from core.errors import DiagnosisError, InvalidInput
from webapp.state.boxes import on_page


def event_data(event: gr.EventData) -> dict[str, Any]:
    """Return the event's payload if it is an object, else {}; it comes from the browser and is not trusted."""
    payload = event._data  # pyright: ignore[reportPrivateUsage] - Gradio offers no other way to the whole payload
    if isinstance(payload, dict):
        return payload
    return {}


def event_of_run(event: gr.EventData, run: str) -> dict[str, Any]:
    """Return the event's payload; raises InvalidInput if it is about another run, as from a replaced map."""
    payload = event_data(event)
    if payload.get("run") != run:
        raise InvalidInput("The map has changed. Draw the outline again.")
    return payload


def as_int(value: Any) -> int:
    """Convert the value to a whole number; raises InvalidInput."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):  # the last for Infinity
        raise InvalidInput(f"Expected a whole number: got {str(value)[:40]!r}. Reload the page.") from None


MAX_PRESSES = 20
"""Presses handled from one event."""


def in_turn(
    event: gr.EventData, do: Callable[..., Sequence[Any]], *states: Any, places: Sequence[int] = (0,), n: int
) -> tuple[Any, ...]:
    """Handle the presses of an event in order and combine their outputs. assets/js/latest.js collects presses that come
    during an earlier answer. An error in one press does not affect the others.

    Args:
        do: called with the states and the event of one press; returns n outputs.
        states: its first arguments.
        places: indices of the new states among the outputs.
        n: number of outputs; an output that no press sets is skipped.

    Raises:
        DiagnosisError: every press failed.
    """
    held = list(states)
    outputs_so_far = [gr.skip() for _ in range(n)]
    refused = list[DiagnosisError]()
    acts = event_data(event).get("acts", [event_data(event)])
    presses = []
    if isinstance(acts, list):
        presses = [press for press in acts if isinstance(press, dict)][:MAX_PRESSES]
    for press in presses:
        try:
            outputs = do(*held, gr.EventData(getattr(event, "target", None), press))
        except DiagnosisError as error:
            refused.append(error)
            continue
        for index, position in enumerate(places):
            if not _skips(outputs[position]):
                held[index] = outputs[position]
        outputs_so_far = [_after(old, new) for old, new in zip(outputs_so_far, outputs, strict=True)]
    if refused and len(refused) == len(presses):
        raise refused[-1]
    for error in refused:
        gr.Warning(on_page(str(error)), title="Input needs a change")
    return tuple(outputs_so_far)


def _after(old: Any, new: Any) -> Any:
    """Combine an output of two presses: an update changes only the fields it names."""
    if _skips(new):
        return old
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    return new


def _skips(output: Any) -> bool:
    return isinstance(output, dict) and output == gr.skip()
