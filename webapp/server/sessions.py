"""The visits that the server remembers: small, bounded in number, and the ones that are on the page last to go.

Gradio keeps a copy of the whole page's description for each session name that anybody sends, up to 1.9 MB of it, and
the last 10,000 of them. Only its deep links read those copies, which this page does not offer.
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
"""How many visits' answers wait to be fetched; the longest waiting go first."""
CLOSED_S = 3600.0
"""How long a visit is remembered after its page was closed."""


class SmallSession(SessionState):
    """What one visit has changed: Gradio's states and the components that it updated, nothing of the page besides."""

    def __init__(self, blocks: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
        # Not Gradio's own __init__: it describes every component of the page once more.
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self.is_closed = False
        self._clock = clock
        self._changed: dict[int, float] = {}
        self._closed_since: float | None = None

    def is_over(self) -> bool:
        """Whether its page was closed long ago and nothing is remembered of it any more."""
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
        """Nothing: the page's description is kept nowhere."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing: the page's description is kept nowhere."""

    @property
    def state_components(self) -> Iterator[tuple[State, Any, bool]]:
        """(component, value, whether its time is over), by a clock that does not jump."""
        now = self._clock()
        for key, value in list(self.state_data.items()):
            block = self.blocks_config.blocks.get(key)
            if isinstance(block, State) and key in self._changed:
                kept = CLOSED_S if self.is_closed else block.time_to_live
                yield block, value, kept is not None and now - self._changed[key] > kept


class Sessions(StateHolder):
    """The sessions by name. Beyond `Quotas.max_sessions` the one goes that is missed least: of no page first, then of
    a closed one, then of the address that has the most pages open; of several the one that was longest idle.

    Args:
        forget: called with the name of a session that goes, some time after its page was closed or for want of room.
    """

    def __init__(self, blocks: gr.Blocks, forget: Callable[[str], object]) -> None:
        super().__init__()
        self._forget = forget
        self._queue = blocks._queue  # pyright: ignore[reportPrivateUsage]
        self._queue.pending_messages_per_session.max_size = MAX_UNREAD_VISITS
        self._open: dict[str, list[str]] = {}
        """By the name of each session whose page is open the addresses of its heartbeats; a page that connects anew has
        two for a while."""
        self.set_blocks(blocks)

    def __getitem__(self, session_id: str) -> SessionState:
        with self.lock:
            if session_id not in self.session_data:
                self.session_data[session_id] = SmallSession(self.blocks)
            self.session_data.move_to_end(session_id)
            found = self.session_data[session_id]
            gone = self._beyond(session_id)
        for name in gone:
            self._gone(name)
        return found

    def _gone(self, name: str) -> None:
        """A session has gone: what waits to be fetched by it goes too."""
        self._queue.pending_messages_per_session.pop(name, None)
        self._queue.pending_event_ids_session.pop(name, None)
        self._forget(name)

    def opened(self, session_id: str, address: str) -> None:
        """A page was opened; its session exists from its first event on."""
        self._open.setdefault(session_id, []).append(address)
        self._mark(session_id)

    def closed(self, session_id: str) -> None:
        """Its page was closed, or one of its heartbeats has ended."""
        if session_id in self._open:
            self._open[session_id].pop(0)
            if not self._open[session_id]:
                del self._open[session_id]
        self._mark(session_id)

    def _mark(self, session_id: str) -> None:
        """Let the session know whether its page is open: Gradio takes it for closed when one heartbeat ends."""
        session = self.session_data.get(session_id)
        if isinstance(session, SmallSession):
            session.is_closed = session_id not in self._open

    def delete_state(self, session_id: str, expired_only: bool = False) -> None:
        """Delete the session's states, or those whose time is over; a session without any is forgotten whole."""
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

    def _beyond(self, newest: str) -> list[str]:
        """Take out the sessions that are too many; returns their names."""
        gone = list[str]()
        while len(self.session_data) > quotas().max_sessions:
            name = self._least_missed(newest)
            session = self.session_data.pop(name)
            for component, value, _ in list(session.state_components):
                component.delete_callback(value)
            gone.append(name)
        return gone

    def _least_missed(self, newest: str) -> str:
        pages: dict[str, int] = {}
        for name in self.session_data:
            if name in self._open:
                address = self._open[name][-1]
                pages[address] = pages.get(address, 0) + 1

        def missed(name: str) -> int:
            return pages[self._open[name][-1]] if name in self._open else 0

        others = [name for name in self.session_data if name != newest]  # the longest idle first
        without_page = next((name for name in others if name not in self._open), None)
        return without_page or max(others, key=missed)


class Visits:
    """Middleware that tells the sessions which pages are open: each holds one long request, its heartbeat."""

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
    """Let a page that was just launched remember its visits so."""
    sessions = Sessions(demo, forget)
    demo.app.state_holder = sessions
    demo.state_holder = sessions
    return sessions
