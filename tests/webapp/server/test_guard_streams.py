"""The guard around a plain application: what passes, and how."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from webapp.server.guard import Guard
from webapp.server.rules import WebRules


@pytest.mark.parametrize("path", ["/errata/config", "/config", "/errata"])
def test_below_a_root_path_the_same_routes_answer(path: str) -> None:
    seen: list[str] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    async def nothing(*message: Any) -> Any:
        return None

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(page, WebRules(root_path="/errata"))({**scope, "root_path": "/errata"}, nothing, nothing))
    assert seen == [path]


def test_events_pass_one_by_one_and_websockets_are_closed() -> None:
    sent: list[Any] = []

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for k in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % k, "more_body": True})
            assert sent[-1]["body"] == b"data: %d\n\n" % k  # it has left before the next is made
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/gradio_api/queue/data", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(stream, WebRules())(scope, receive, send))
    assert [m.get("body") for m in sent[1:4]] == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    sent.clear()
    asyncio.run(Guard(stream, WebRules())({**scope, "type": "websocket"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
