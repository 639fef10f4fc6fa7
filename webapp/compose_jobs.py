"""The long work of the tab Compose: followed, stopped, and said to be over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from core.errors import Cancelled
from webapp.jobs import JOBS, Job, closing, status


def follow(job: Job, failed: str, nothing: Any) -> Iterator[tuple[Any, ...]]:
    """Yields (job id, status, nothing made yet) while the job runs; says so where it was stopped or failed."""
    yield job.id, status(job), nothing
    try:
        for _ in JOBS.follow(job):
            yield job.id, status(job), nothing
    except Cancelled as stopped:
        yield "", closing("Stopped", str(stopped)), nothing
    except Exception:
        yield "", closing(failed, "Your choices are still here."), nothing
        raise


def on_cancel(job: str) -> None:
    """Stop the visitor's own job."""
    if not JOBS.cancel(job):
        gr.Info("Nothing is running.")


def on_wait() -> str:
    """The status until the work begins."""
    return closing("Waiting for a free place")
