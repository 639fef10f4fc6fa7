"""Remembered visits: small, bounded in number, with open pages dropped last.

Gradio stores a copy of the page's description, up to 1.9 MB, for each session name in a request, for the last 10,000.
Only its deep links read those copies, which this page does not offer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import gradio as gr
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder
from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.server.asked import address_of
from webapp.state.quotas import quotas

HEARTBEAT = "/heartbeat/"
MAX_UNREAD_VISITS = 512
"""Visits with unread answers; beyond, the oldest are dropped."""
CLOSED_S = 3600.0
"""Seconds that a visit is remembered after its page was closed."""


class SmallSession(SessionState):
    """The changes of one visit: Gradio's states and updated components, without a copy of the page."""

    def __init__(self, blocks: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
        # Gradio's __init__ is skipped, because it copies the description of every component
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self.is_closed = False
        self._clock = clock
        self._changed: dict[int, float] = {}
        self._closed_since: float | None = None

    def is_over(self) -> bool:
        """Whether its page was closed long ago and its states are gone."""
        if not self.is_closed or self.state_data:
            self._closed_since = None
            return False
        if self._closed_since is None:
            self._closed_since = self._clock()
        return self._clock() - self._closed_since > CLOSED_S

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(self.blocks_config.blocks.get(key), State):
            self._changed[key] = self._clock()
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Do nothing: no copy of the page's description is kept."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Do nothing: no copy of the page's description is kept."""

    @property
    def state_components(self) -> Iterator[tuple[State, Any, bool]]:
        """Yield (component, value, whether it has expired), by a monotonic clock."""
        now = self._clock()
        for key, value in list(self.state_data.items()):
            block = self.blocks_config.blocks.get(key)
            if isinstance(block, State) and key in self._changed:
                lifetime = block.time_to_live
                if self.is_closed:
                    lifetime = CLOSED_S
                yield block, value, lifetime is not None and now - self._changed[key] > lifetime


class Sessions(StateHolder):
    """The sessions by name. Beyond `Quotas.max_sessions`, sessions without an open page are dropped first, then those
    of the address with the most open pages; among equals, the longest idle.

    Args:
        forget: called with the name of a dropped session.
    """

    def __init__(self, blocks: gr.Blocks, forget: Callable[[str], object]) -> None:
        super().__init__()
        self._forget = forget
        self._queue = blocks._queue  # pyright: ignore[reportPrivateUsage]
        self._queue.pending_messages_per_session.max_size = MAX_UNREAD_VISITS
        self._open: dict[str, list[str]] = {}
        """Addresses of heartbeats by session with an open page; a reconnecting page briefly has two."""
        self.set_blocks(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        with self.lock:
            if session_id not in self.session_data:
                self.session_data[session_id] = SmallSession(self.blocks)
            self.session_data.move_to_end(session_id)
            session = self.session_data[session_id]
            gone = list[str]()
            while len(self.session_data) > quotas().max_sessions:
                name = self._least_missed(session_id)
                for component, value, _ in list(self.session_data.pop(name).state_components):
                    component.delete_callback(value)
                gone.append(name)
        for name in gone:
            self._gone(name)
        return session

    def _gone(self, name: str) -> None:
        """Drop the unread answers of a session, and forget it."""
        self._queue.pending_messages_per_session.pop(name, None)
        self._queue.pending_event_ids_session.pop(name, None)
        self._forget(name)

    def opened(self, session_id: str, address: str) -> None:
        """Record an opened page; its session starts with its first event."""
        self._open.setdefault(session_id, []).append(address)
        self._mark(session_id)

    def closed(self, session_id: str) -> None:
        """Record a closed page, or the end of one of its heartbeats."""
        if session_id in self._open:
            self._open[session_id].pop(0)
            if not self._open[session_id]:
                del self._open[session_id]
        self._mark(session_id)

    def _mark(self, session_id: str) -> None:
        """Mark the session as open or closed, because Gradio marks it closed when any heartbeat ends."""
        session = self.session_data.get(session_id)
        if isinstance(session, SmallSession):
            session.is_closed = session_id not in self._open

    def delete_state(self, session_id: str, expired_only: bool = False) -> None:
        """Delete the session's states, or only expired ones; a session without states is dropped."""
        session = self.session_data.get(session_id)
        if session is None:
            return
        for component, value, expired in list(session.state_components):
            if expired or not expired_only:
                component.delete_callback(value)
                session.state_data.pop(component._id, None)  # pyright: ignore[reportPrivateUsage]
        if isinstance(session, SmallSession) and session.is_over():
            with self.lock:
                self.session_data.pop(session_id, None)
            self._gone(session_id)

    def _least_missed(self, newest: str) -> str:
        pages: dict[str, int] = {}
        for name in self.session_data:
            if name in self._open:
                address = self._open[name][-1]
                pages[address] = pages.get(address, 0) + 1

        def missed(name: str) -> int:
            if name in self._open:
                return pages[self._open[name][-1]]
            return 0

        others = [name for name in self.session_data if name != newest]  # the longest idle first
        without_page = next((name for name in others if name not in self._open), None)
        return without_page or max(others, key=missed)


class Visits:
    """Middleware that tracks open pages by their heartbeat, one long request each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sessions = getattr(scope.get("app"), "state_holder", None)
        path = str(scope.get("path", ""))
        if not isinstance(sessions, Sessions) or scope["type"] != "http" or HEARTBEAT not in path:
            await self._app(scope, receive, send)
            return
        name = path.rpartition(HEARTBEAT)[2]
        sessions.opened(name, address_of(scope))
        try:
            await self._app(scope, receive, send)
        finally:
            sessions.closed(name)


def bound_sessions(demo: gr.Blocks, forget: Callable[[str], object]) -> Sessions:
    """Install `Sessions` in a launched page."""
    sessions = Sessions(demo, forget)
    demo.app.state_holder = sessions
    demo.state_holder = sessions
    return sessions
