"""The visit for which a callback, or its job, works."""

from __future__ import annotations

from gradio.context import LocalContext


def visitor() -> str:
    """Return the key of the current visit, or ""."""
    request = LocalContext.request.get(None)
    return str(getattr(request, "session_hash", None) or "")


def address() -> str:
    """Return the address of the current request, or ""; uploads are counted by it."""
    client = getattr(LocalContext.request.get(None), "client", None)
    return str(getattr(client, "host", None) or "")


def has_left() -> bool:
    """Whether the caller of the current callback has hung up."""
    blocks = LocalContext.blocks.get(None)
    event = LocalContext.event_id.get(None)
    if blocks is None or event is None:
        return False
    # Gradio marks the event but does not inform the function.
    active = blocks._queue.active_jobs  # pyright: ignore[reportPrivateUsage]
    for job in active:
        for queued in job or ():
            if queued._id == event and not queued.alive:  # pyright: ignore[reportPrivateUsage]
                return True
    return False
