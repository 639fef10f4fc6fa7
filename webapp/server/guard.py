"""Web rules, checked in order before a request reaches Gradio; every answer carries the browser's rules in its headers.

Plain ASGI: only the body of a call and the page itself are buffered, so uploads, downloads, and events stream.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial
from typing import Any

from gradio.components import download_button, file
from gradio.routes import App, ORJSONResponse
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.server.arguments import read_body, replay, strange_session
from webapp.server.asked import Asked, Refusal, read_request
from webapp.server.headers import InlineScripts, set_headers, taken_codings
from webapp.server.hosts import unknown_host
from webapp.server.images import PATH, send_image
from webapp.server.mcp import offer_tools, refuse_call
from webapp.server.origins import from_another_site
from webapp.server.routes import ENTRANCE, LOGIN, STARTUP, TOOLS, UPLOAD, closed_route
from webapp.server.rules import WebRules
from webapp.server.sessions import HEARTBEAT, Visits
from webapp.server.uploads import CountedUploads, NoFile, take_files_only

FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
"""Headers from which Gradio would take its own address."""


class GuardedApp(App):
    """Gradio's server behind the rules; `launch` uses it instead of its own."""

    def __init__(self, rules: WebRules) -> None:
        super().__init__(
            default_response_class=ORJSONResponse,
            openapi_url=None,
            middleware=[Middleware(InlineScripts), Middleware(CountedUploads), Middleware(Visits)],
        )
        self.rules = rules
        self.add_route(PATH, send_image)
        take_files_only()
        for module in (file, download_button):
            module.tempfile = NoFile  # type: ignore[assignment] - used only for the name of an empty file
        if rules.mcp:
            offer_tools()

    def build_middleware_stack(self) -> ASGIApp:
        """Return the guard around everything that Gradio adds, including its CORS."""
        return Guard(super().build_middleware_stack(), self.rules)


class Guard:
    """Refuses requests against the rules, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, rules: WebRules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = read_request(dict(scope), self.rules)
        shared = ""  # origin of the requesting page, if it may embed this one
        if asked.headers.get("origin") in self.rules.embed_in:
            shared = asked.headers["origin"]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                set_headers(headers, asked, self.rules)
                if shared:
                    headers["Access-Control-Allow-Origin"] = shared
                    headers["Access-Control-Allow-Credentials"] = "true"
                    headers.add_vary_header("Origin")
            await send(message)

        refusal = unknown_host(asked, self.rules) or from_another_site(asked, self.rules)
        if refusal is None and asked.method == "OPTIONS" and shared:
            headers = {
                "Access-Control-Allow-Methods": "GET, HEAD, POST",
                "Access-Control-Allow-Headers": asked.headers.get("access-control-request-headers", ""),
            }
            await Response(status_code=204, headers=headers)(scope, receive, answer)
            return
        refusal = refusal or closed_route(asked, mcp=self.rules.mcp) or self._not_signed_in(asked, scope)
        for name in _sessions(asked, scope):
            refusal = refusal or strange_session(name)
        if refusal is None and not asked.is_read and asked.path.rstrip("/") != UPLOAD:  # an upload has no arguments
            app = scope["app"]
            unread = {}
            if app.blocks is not None:
                unread = app.blocks._queue.pending_event_ids_session
            body, refusal = await read_body(asked, receive, partial(_events, app), unread)
            if refusal is not None and asked.path.rstrip("/") == TOOLS:
                refused = await refuse_call(body, receive)
                await refused(scope, receive, answer)
                return
            receive = replay(body, receive)
        if refusal is not None:
            await JSONResponse({"detail": refusal.text}, refusal.status)(scope, receive, answer)
            return
        try:
            await self.app(self._trusted(scope), receive, answer)
        except RuntimeError as error:  # Gradio rejects an unknown event or session after starting its answer
            if not isinstance(error.__cause__, HTTPException):
                raise
            await answer({"type": "http.response.body", "body": b"", "more_body": False})

    def _not_signed_in(self, asked: Asked, scope: Scope) -> Refusal | None:
        """Return a refusal without sign-in; Gradio itself checks only some routes."""
        is_entrance = asked.is_read and ENTRANCE.fullmatch(asked.path) is not None
        if self.rules.accounts is None or asked.path.rstrip("/") in (LOGIN, STARTUP) or is_entrance:
            return None
        app: Any = scope["app"]
        cookies = cookie_parser(asked.headers.get("cookie", ""))
        names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        if any(cookies.get(name) in app.tokens for name in names):
            return None
        return Refusal(401, "Sign in first: open the page, or send your name and password to /login.")

    def _trusted(self, scope: Scope) -> Scope:
        """Return the request without headers that Gradio would trust: its origin is already checked, and only a
        configured proxy sets the address. Refused codings are removed from Accept-Encoding."""
        removed = [b"origin", b"accept-encoding"]
        if not self.rules.behind_proxy:
            removed += FORWARDED
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in removed]
        return {**scope, "headers": [*headers, (b"accept-encoding", taken_codings(scope["headers"]))]}


def _events(app: Any, visit: Any) -> Container[int]:
    """Return the numbers of the events that a visit may call: the page's, and those of the places it has opened."""
    if app.blocks is None:
        return ()
    held = app.state_holder.session_data.get(visit)
    if held is None:
        return app.blocks.fns
    return held.blocks_config.fns


def _sessions(asked: Asked, scope: Scope) -> list[str]:
    """Return the visits that a request's URL names."""
    names = QueryParams(scope.get("query_string", b"")).getlist("session_hash")
    if HEARTBEAT in asked.path:
        return [*names, asked.path.rpartition(HEARTBEAT)[2].rstrip("/")]
    return names
