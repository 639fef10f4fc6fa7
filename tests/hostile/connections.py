"""Connections that mean harm: headers, hosts and origins, broken protocol, uploads and those who say no more."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.hostile import requests
from tests.hostile.making import EVIL
from tests.hostile.requests import ANY, MB, REFUSED
from tests.hostile.server import Answer, Harm, Server
from tests.support.files_below import files_below

END = b"\r\n"
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def visit(name: str, go: Callable[[Server], Answer | str], expects: str = ANY, **options: Any) -> None:
    """Enter a connection as a case."""
    requests.visit(name, go, expects, kind="connections", **options)


def _raw(server: Server, *lines: bytes) -> str:
    """What comes of these very lines."""
    return f"refused: {server.raw(END.join(lines) + END * 2, patience=2.0)[:60]!r}"


HEADERS: dict[str, dict[str, str]] = {
    "another host": {"Host": "evil.example"},
    "a host with a port of words": {"Host": "127.0.0.1:evil"},
    "a host of HTML": {"Host": "<script>"},
    "a host of 60,000 letters": {"Host": "a" * 60_000},
    "a host that ends as ours": {"Host": "127.0.0.1.evil.example"},
    "an address that is this machine's": {"Host": "0x7f000001"},
    "an origin of another site": {"Origin": "http://evil.example"},
    "an origin of null": {"Origin": "null"},
    "an origin that begins as ours": {"Origin": "http://127.0.0.1.evil.example"},
    "an origin of another port": {"Origin": "http://127.0.0.1:1"},
    "forwarded from another host": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"},
    "a cookie of 60,000 letters": {"Cookie": "a=" + "b" * 60_000},
    "a cookie of junk": {"Cookie": "session=" + EVIL + "; access-token=../../x"},
    "a range of the other way round": {"Range": "bytes=99999999999999-1"},
    "many ranges": {"Range": "bytes=" + ",".join("0-1" for _ in range(9000))},
}
_SITE = ("another host", "a host that ends", "an origin", "an address that is")
for what, headers in HEADERS.items():
    visit(
        f"header: {what}",
        lambda s, h=headers: s.ask("POST", "/gradio_api/call/clusters", {"data": ["x"]}, h, patience=6.0),
        REFUSED if what.startswith(_SITE) else ANY,
    )
visit("header: 5 MB of them", lambda s: _raw(s, b"GET / HTTP/1.1", b"a: " + b"b" * 5 * MB))
visit("header: 50,000 of them", lambda s: _raw(s, b"GET / HTTP/1.1", *[b"a: b"] * 50_000))
visit("header: two hosts", lambda s: _raw(s, b"GET / HTTP/1.1", b"Host: a", b"Host: b"))
visit("header: no host", lambda s: _raw(s, b"GET / HTTP/1.1"))
visit("header: a line with a zero byte", lambda s: _raw(s, b"GET /\0\0 HTTP/1.1", b"Host: \0"))
visit("protocol: no HTTP", lambda s: _raw(s, bytes(range(256)) * 40))
visit("protocol: TLS", lambda s: _raw(s, bytes([22, 3, 1, 2, 0, 1]) + bytes(512)))
visit("protocol: a version of 9.9", lambda s: _raw(s, b"GET / HTTP/9.9", b"Host: 127.0.0.1"))
visit("protocol: chunks that lie", lambda s: _raw(s, _chunks()))
visit("protocol: two requests in one", lambda s: _raw(s, _smuggled(s)))


def _chunks() -> bytes:
    head = b"POST /gradio_api/call/clusters HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"fffffffffffffff\r\n" + b"a" * 1000


def _smuggled(server: Server) -> bytes:
    head = f"POST /gradio_api/call/clusters HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()
    return head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /config HTTP/1.1\r\n\r\n"


NAMES = {
    "climbs": "../../../../etc/cron.d/evil", "is absolute": "/etc/evil", "is HTML": f"{EVIL}.csv", "is empty": "",
    "is of 10,000 letters": "a" * 10_000, "holds a zero byte": "a\0.csv",
    "is .htaccess": ".htaccess", "is a device": "/dev/zero",
}  # fmt: skip


def _part(name: str, data: bytes = b"id,loss\n") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n"


def _send(server: Server, body: bytes, headers: dict[str, str] = FORM) -> Answer:
    answer = server.ask("POST", "/gradio_api/upload", body, headers)
    for path in json.loads(answer.body) if answer.status == 200 and answer.body[:1] == b"[" else []:
        if not Path(path).resolve().is_relative_to(server.folder.resolve()):
            raise Harm("an upload lies outside the server's folder")
    return Answer(answer.status, b"told", answer.headers)


for what, name in NAMES.items():
    visit(f"upload: its name {what}", lambda s, n=name: _send(s, _part(n) + b"--x--\r\n"))
UPLOADS: dict[str, bytes] = {
    "nothing": b"",
    "no end": _part("a.csv"),
    "no parts": b"--x--\r\n",
    "2,000 parts": _part("a.csv") * 2000 + b"--x--\r\n",
    "a part's head of 2 MB": b"--x\r\nContent-Disposition: " + b"a" * 2 * MB + b"\r\n\r\n--x--\r\n",
    "10,000 heads in a part": b"--x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n--x--\r\n",
    "fields that are no files": b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--x--\r\n',
}
for what, body in UPLOADS.items():
    visit(f"upload: {what}", lambda s, b=body: _send(s, b))
visit("upload: without its kind", lambda s: _send(s, _part("a.csv"), {"Content-Type": "text/plain"}), REFUSED)
visit(
    "upload: from another site",
    lambda s: _send(s, _part("a.csv") + b"--x--\r\n", {**FORM, "Origin": "http://evil.example"}),
    REFUSED,
)
visit(
    "upload: with a boundary of 60,000 letters",
    lambda s: _send(s, b"", {"Content-Type": "multipart/form-data; boundary=" + "x" * 60_000}),
)


def _broken(server: Server, part: bytes, announced: int, pause: float = 0.0) -> str:
    """An upload that ends in the middle; nothing of it may stay."""
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.origin}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {announced}\r\n\r\n"
    )
    before = _bytes_below(server.folder)
    server.raw(head.encode() + part, patience=1.0, pause=pause)
    for _ in range(20):
        if _bytes_below(server.folder) - before < len(part) / 2:
            return "refused: broken off and swept"
        time.sleep(0.5)
    raise Harm(f"{(_bytes_below(server.folder) - before) / MB:.0f} MB of an upload that was broken off stay")


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in files_below(folder):
        with suppress(OSError):  # gone meanwhile
            total += path.stat().st_size
    return total


visit("upload: broken off after 20 MB", lambda s: _broken(s, _part("a.csv", b"a" * 20 * MB), 100 * MB))
visit("upload: slowly, then broken off", lambda s: _broken(s, _part("b.csv", b"b" * 2 * MB), 100 * MB, 0.05))
visit("upload: of 5 GB by its length", lambda s: _broken(s, _part("c.csv", b"c" * MB), 5 * 2**30))


def _slow(server: Server) -> str:
    """40 visitors that begin a request and say no more; the page answers another one meanwhile."""
    lines = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for line in lines:
        line.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\na")
    status = server.ask("GET", "/", patience=10.0).status
    for line in lines:
        line.close()
    if status != 200:
        raise Harm(f"the page answers {status}")
    return "accepted: the page answers others"


visit("protocol: 40 visitors who say no more", _slow)


visit("methods: TRACE", lambda s: s.ask("TRACE", "/"), REFUSED)
visit("methods: PUT to a file", lambda s: s.ask("PUT", "/gradio_api/file=/tmp/evil", b"a"), REFUSED)
visit("methods: DELETE", lambda s: s.ask("DELETE", "/config"), REFUSED)
visit("methods: one of 10,000 letters", lambda s: _raw(s, b"A" * 10_000 + b" / HTTP/1.1"))
visit(
    "cancel: another's event",
    lambda s: s.ask("POST", "/gradio_api/cancel", {"session_hash": "x", "fn_index": 1, "event_id": "y"}),
)
_SERVER = {"session_hash": "x", "component_id": 1, "fn_name": "__init__", "data": [1]}
visit("component server: a function of nobody", lambda s: s.ask("POST", "/gradio_api/component_server", _SERVER))
