"""Who is being served: the visit that a callback, or the job that it started, works for."""

from __future__ import annotations

from gradio.context import LocalContext


def visitor() -> str:
    """The key of the present visit, or "" where nobody is being served."""
    request = LocalContext.request.get(None)
    return str(getattr(request, "session_hash", None) or "")


def address() -> str:
    """Where the present request comes from, or ""; uploads are counted by it."""
    client = getattr(LocalContext.request.get(None), "client", None)
    return str(getattr(client, "host", None) or "")


def has_left() -> bool:
    """Whether the program or page that asked for the present callback has hung up."""
    blocks = LocalContext.blocks.get(None)
    event = LocalContext.event_id.get(None)
    if blocks is None or event is None:
        return False
    # Gradio marks the event and tells the function nothing.
    active = blocks._queue.active_jobs  # pyright: ignore[reportPrivateUsage]
    return any(one._id == event and not one.alive for job in active if job for one in job)  # pyright: ignore[reportPrivateUsage]
