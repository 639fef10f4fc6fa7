"""A stand-in for a chat model: a server on this machine that answers every request in the same way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatServer:
    """Its address, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    """(path, headers, body) of each request."""


def completion(content: Any) -> bytes:
    """The body of an answer with that content."""
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


@contextmanager
def chat_server(
    body: bytes = b"",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    wait: float = 0.0,
    write: Callable[[Any], None] | None = None,
) -> Generator[ChatServer]:
    """Serve one answer.

    Args:
        wait: seconds before it.
        write: writes the raw answer to a socket's file, instead of the others.
    """
    server = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked = json.loads(self.rfile.read(length))
            server.asked.append((self.path, dict(self.headers.items()), asked))
            time.sleep(wait)
            try:
                if write is not None:
                    write(self.wfile)
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the client has left
                pass

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_address[1]}/v1"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
