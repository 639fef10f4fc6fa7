"""What the browser says of an event: nothing about it is trusted."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.errors import InvalidInput


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
