"""Requests that mean harm: bodies, paths, headers, file arguments, uploads, sessions and junk at every endpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile import add
from tests.hostile.making import EVIL
from tests.hostile.server import Answer, Harm, Server

ANY = r"^(refused|accepted)"
REFUSED = r"^refused: "
MB = 2**20
SECRETS = ("root:x:0:", "Traceback (most recent", "site-packages")


def said(answer: Answer) -> str:
    """What an answer comes to; an answer that tells too much is harm."""
    for secret in SECRETS:
        if secret in answer.text:
            raise Harm(f"the answer tells {secret!r}")
    if answer.status >= 500:
        raise Harm(f"status {answer.status}: {answer.text[:100]}")
    failed = "event: error" in answer.text or '"success":false' in answer.text
    refused = answer.status >= 400 or answer.status == 0 or failed
    text = " ".join(answer.text.split())[:150]
    return f"{'refused' if refused else 'accepted'}: {answer.status} {text}".replace("\x1b", "")


def visit(
    name: str, go: Callable[[Server], Answer | str], expects: str = ANY, kind: str = "requests", **options: Any
) -> None:
    """Enter a request as a case."""

    def make(folder: Path) -> Callable[[Server], str]:
        def meet(server: Server) -> str:
            found = go(server)
            return found if isinstance(found, str) else said(found)

        return meet

    add(name, kind, "visit", make, expects, **options)


ENDPOINTS = {
    "diagnose": 4, "clusters": 1, "select": 2, "report": 1, "ask": 2, "audit": 2, "predict": 4, "compose": 4,
    "probe": 3, "compare": 3,
}  # fmt: skip
WRONG: dict[str, Any] = {
    "nothing": None,
    "numbers of 400 digits": 10**400,
    "lists in lists": [[[[]]]],
    "objects": {"a": {"b": [1]}},
    "HTML": EVIL,
    "lone surrogates": "\ud800",
    "a zero byte": "a\0b",
}
for endpoint, n in ENDPOINTS.items():
    for what, value in WRONG.items():
        visit(f"/{endpoint}: {what}", lambda s, e=endpoint, v=value, n=n: s.call(e, [v] * n))
    visit(f"/{endpoint}: a run that climbs", lambda s, e=endpoint, n=n: s.call(e, ["../../../etc/passwd"] * n))
    visit(f"/{endpoint}: too few arguments", lambda s, e=endpoint: s.call(e, []))

PATHS: dict[str, Any] = {
    "an address": {"path": "http://evil.invalid/a.csv", "meta": {"_type": "gradio.FileData"}},
    "an address as url": {"url": "http://evil.invalid/a.csv", "path": "a.csv", "meta": {"_type": "gradio.FileData"}},
    "an address without its mark": {"path": "http://evil.invalid/a.csv"},
    "ftp": {"path": "ftp://evil.invalid/a.csv", "meta": {"_type": "gradio.FileData"}},
    "the machine's own services": {"path": "http://127.0.0.1:22/", "meta": {"_type": "gradio.FileData"}},
    "the cloud's own address": {"path": "http://169.254.169.254/latest", "meta": {"_type": "gradio.FileData"}},
    "/etc/passwd": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    "file:///etc/passwd": {"path": "file:///etc/passwd", "meta": {"_type": "gradio.FileData"}},
    "a device": {"path": "/dev/zero", "meta": {"_type": "gradio.FileData"}},
    "a path of 100,000 letters": {"path": "a" * 100_000, "meta": {"_type": "gradio.FileData"}},
    "a path with a zero byte": {"path": "a\0b", "meta": {"_type": "gradio.FileData"}},
    "a path that is a list": {"path": ["a"], "meta": {"_type": "gradio.FileData"}},
    "text": "/etc/passwd",
    "another mark": {"path": "/etc/passwd", "meta": {"_type": "gradio.Evil"}},
}
for what, path in PATHS.items():
    visit(f"file argument: {what}", lambda s, p=path: s.call("diagnose", [p, None, None, {}]), REFUSED)
visit(
    "file argument: an address deep in the options",
    lambda s: s.call("diagnose", [None, None, None, {"loss": PATHS["an address"]}]),
    REFUSED,
)
visit(
    "file argument: an address for the state of a probe",
    lambda s: s.call("probe", [PATHS["an address"], "zero-shot", {}]), REFUSED,
)  # fmt: skip

TARGETS = {
    "/etc/passwd": "/gradio_api/file=/etc/passwd",
    "climbing": "/gradio_api/file=../../../../etc/passwd",
    "climbing in hexadecimal": "/gradio_api/file=%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "climbing in hexadecimal twice": "/gradio_api/file=%252e%252e%252fetc%252fpasswd",
    "its own program": "/gradio_api/file=webapp/app.py",
    "this process": "/gradio_api/file=/proc/self/environ",
    "a zero byte": "/gradio_api/file=/etc/passwd%00.png",
    "an address": "/gradio_api/file=http://evil.invalid/a",
    "an address without its kind": "/gradio_api/file=//evil.invalid/a",
    "a proxy": "/gradio_api/proxy=http://evil.invalid/a",
    "assets that climb": "/assets/../../../etc/passwd",
    "assets that climb in hexadecimal": "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "static that climbs": "/static/..%2f..%2f..%2fetc/passwd",
    "svelte that climbs": "/svelte/..%2f..%2f..%2fetc/passwd",
    "a component's files": "/gradio_api/custom_component/0/server/component/..%2f..%2fetc/passwd",
    "deep links": "/gradio_api/deep_link?session_hash=x",
    "monitoring": "/monitoring/summary",
    "profiling": "/gradio_api/profiling",
    "the list of routes": "/gradio_api/openapi.json",
    "an upload's progress of nobody": "/gradio_api/upload_progress?upload_id=nobody",
    "a stream of nobody": "/gradio_api/stream/a/b/1/playlist.m3u8",
    "the queue of nobody": "/gradio_api/call/diagnose/nobody",
    "100,000 letters": "/" + "a" * 60_000,
    "HTML": "/%3Cimg%20src=x%3E",
    "a page of another theme": "/?__theme=%22%3E%3Cscript%3E&view=%7B%7D&deep_link=../../etc/passwd",
    "the number of a route": "/gradio_api/api/0",
}
for what, target in TARGETS.items():
    visit(
        f"path: {what}",
        lambda s, t=target: s.ask("GET", t),
        ANY if what.startswith(("a page", "HTML", "an upload", "the queue")) else REFUSED,
    )

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{]",
    "null": b"null",
    "a list": b"[]",
    "a number of 5,000 digits": b'{"data": [' + b"9" * 5000 + b"]}",
    "100,000 lists deep": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "900 lists deep": b'{"data": [' + b"[" * 900 + b"]" * 900 + b"]}",
    "20 MB": b'{"data": ["' + b"a" * 20 * MB + b'"]}',
    "15 MB of brackets": b'{"data": [' + b"[]," * 5_000_000 + b"1]}",
    "a million keys": b'{"data": [{' + b",".join(b'"k%d":1' % i for i in range(500_000)) + b"}]}",
    "a key twice": b'{"data": [], "data": ["a"]}',
    "data that is text": b'{"data": "abc"}',
    "data that is a number": b'{"data": 5}',
    "NaN": b'{"data": [NaN, Infinity]}',
    "UTF-16": '{"data": []}'.encode("utf-16"),
    "no UTF-8": b'{"data": ["\xff\xfe"]}',
    "a compressed bomb by its header": b"\x1f\x8b\x08" + bytes(5000),
    "an event of 10 MB": b'{"data": [], "event_data": "' + b"a" * 10 * MB + b'"}',
}
for what, body in BODIES.items():
    visit(f"body of a call: {what}", lambda s, b=body: s.ask("POST", "/gradio_api/call/clusters", b), ANY)
    visit(f"body of the queue: {what}", lambda s, b=body: s.ask("POST", "/gradio_api/queue/join", b), ANY)

EVENTS: dict[str, Any] = {
    "nothing": None,
    "objects": {"a": 1},
    "HTML": EVIL,
    "numbers of 400 digits": 10**400,
    "infinite numbers": 1e308 * 10,
    "lists": [[1, "a", None]],
    "lone surrogates": "\ud800",
}


def every_private(server: Server, value: Any) -> str:
    """One value for every input of every private event; each is answered, and none by too much."""
    left: list[str] = []
    for fn, n in server.private:
        answer = server.ask(
            "POST", "/gradio_api/run/predict",
            {"data": [value] * n, "fn_index": fn, "session_hash": f"s{fn}", "event_data": value}, patience=20.0,
        )  # fmt: skip
        if any(secret in answer.text for secret in SECRETS):
            left.append(f"event {fn} tells too much")
    if left:
        raise Harm("; ".join(left[:3]))
    return f"accepted: {len(server.private)} events"


for what, value in EVENTS.items():
    visit(f"every private event: {what}", lambda s, v=value: every_private(s, v), slow=True, max_cpu_s=30.0)
    visit(f"the queue's own numbers: {what}", lambda s, v=value: s.join(v, [], "junk"), ANY)
    if what != "lone surrogates":  # no address can hold one
        visit(f"the session is {what}", lambda s, v=value: s.join(s.private[0][0], [], v), ANY)


def _sessions(server: Server, n: int = 300) -> str:
    """Small calls, each with a new session: they may not make the server grow without end."""
    from tests.hostile.bounds import high_water

    before = high_water(str(server.process))
    fn, inputs = server.private[0]
    for i in range(n):
        server.ask("POST", "/gradio_api/queue/join", {"data": [None] * inputs, "fn_index": fn, "session_hash": f"n{i}"})
        server.ask(
            "POST", "/gradio_api/run/predict", {"data": [None] * inputs, "fn_index": fn, "session_hash": f"m{i}"}
        )
    grown = high_water(str(server.process)) - before
    if grown > 200:
        raise Harm(f"{grown:.0f} MB more after {2 * n} small calls of new sessions")
    return f"accepted: {2 * n} calls of new sessions"


visit("sessions: 600 small calls, each with a new one", _sessions, slow=True, max_cpu_s=60.0)


def _waiting(server: Server) -> str:
    """More calls of a heavy endpoint at once than the queue holds; later ones are told so or wait, and it recovers."""
    ids = [server.ask("POST", "/gradio_api/call/ask", {"data": ["x", ["dark"]]}).status for _ in range(120)]
    return f"accepted: {sum(status == 200 for status in ids)} of 120 wait"


visit("queue: 120 calls at once that nobody waits for", _waiting)
