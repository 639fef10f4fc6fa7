"""What every answer tells the browser: which scripts run, what may be fetched, who may show the page in a frame."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence

from gradio.brotli_middleware import BrotliMiddleware
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.files import ASSETS
from webapp.server.asked import Asked
from webapp.server.routes import FILE
from webapp.server.rules import WebRules

CODINGS = (b"br", b"gzip")
"""In which Gradio sends what is compressed."""
SOURCE = re.compile(rb"\ssrc=")
EARLY = (ASSETS / "js" / "early.js").read_bytes()
SCRIPTS_BY_HASH = "x-inline-scripts"
"""How `InlineScripts` tells `set_headers` the hashes of a page's scripts; it never leaves the server."""
PAGE: Mapping[str, str] = {
    "default-src": "'none'",
    # Gradio compiles the scripts of a gr.HTML with Function, which is eval to a browser.
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'self'",
    "object-src": "'none'",
    "frame-src": "'none'",
}
DATA: Mapping[str, str] = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
"""Of an answer that is no page."""
PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            "accelerometer",
            "camera",
            "display-capture",
            "geolocation",
            "gyroscope",
            "hid",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "serial",
            "usb",
        )
    ),
}


def set_headers(headers: MutableHeaders, asked: Asked, rules: WebRules) -> None:
    """Add the rules of the browser to an answer's headers, and bind its cookies to the page."""
    page = headers.get("content-type", "").startswith("text/html")
    policy = dict(PAGE if page else DATA)
    if SCRIPTS_BY_HASH in headers:
        policy["script-src"] += f" {headers[SCRIPTS_BY_HASH]}"
        del headers[SCRIPTS_BY_HASH]
    if page and "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")  # else a cache may give one coding to who takes another
    if asked.path.startswith(FILE):
        policy["sandbox"] = ""  # a file of a visitor's is never a page of this server's
        headers["Cache-Control"] = "private, max-age=3600"
    policy["frame-ancestors"] = " ".join(("'self'", *(o for o in rules.embed_in if o != "null")))
    headers["Content-Security-Policy"] = "; ".join(f"{key} {value}".strip() for key, value in policy.items())
    for name, value in PLAIN.items():
        headers[name] = value
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if rules.embed_in else "same-origin"
    if not rules.embed_in:
        headers["X-Frame-Options"] = "SAMEORIGIN"
    _bind_cookies(headers, asked.scheme == "https")


def set_sharing(headers: MutableHeaders, origin: str) -> None:
    """Let the scripts of an embedding page read the answer."""
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    headers.add_vary_header("Origin")


def _bind_cookies(headers: MutableHeaders, secure: bool) -> None:
    """Cookies that scripts cannot read, that other sites' requests do not carry, and, where it is https, that never go
    over plain http."""
    cookies = headers.getlist("set-cookie")
    if not cookies:
        return
    del headers["set-cookie"]
    for cookie in cookies:
        kept = [part for part in cookie.split(";") if not _is_bound(part)]
        kept += [" HttpOnly", " SameSite=Lax", *([" Secure"] if secure else [])]
        headers.append("set-cookie", ";".join(kept))


def _is_bound(part: str) -> bool:
    return part.strip().lower().partition("=")[0] in ("httponly", "samesite", "secure")


def hashes_of(page: bytes) -> str:
    """The hash of each script written into a page, as a script-src lists them.

    A page has megabytes, so no pattern is tried at each of its bytes.
    """
    found = dict[bytes, None]()
    lower = page.lower()
    closes = 0
    while (start := lower.find(b"<script", closes)) >= 0:
        opens = lower.find(b">", start)
        closes = lower.find(b"</script", opens)
        if min(opens, closes) < 0:
            break
        if not SOURCE.search(lower, start, opens):
            found[page[opens + 1 : closes]] = None
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in found)


def taken_codings(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """What a request's `Accept-Encoding` takes of what is sent, such as b"gzip, br": without those that it refuses by a
    weight of 0 (RFC 9110, 12.4.2), which Gradio does not read."""
    said = b",".join(value for name, value in headers if name.lower() == b"accept-encoding").lower()
    asked = (b"".join(part.split()).partition(b";q=") for part in said.split(b","))
    return b", ".join(name for name, _, weight in asked if name in CODINGS and (not weight or weight.strip(b"0.")))


class InlineScripts:
    """Holds a page back until it is whole, to write our first script into it, to tell the hashes of the scripts that
    the server wrote, and to compress it: Gradio does that by the path's ending, and the page has none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application; what is no HTML passes as it comes."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message["headers"]):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    page = b"".join(part.get("body", b"") for part in held[1:])
                    await _compressed(held[0], page)({**scope, "path": "/page.html"}, receive, send)

        await self.app(scope, receive, hold)


def _is_page(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _compressed(start: Message, page: bytes) -> ASGIApp:
    """The page as the browser takes it: by brotli, gzip or as it is. One of Gradio's begins with our first script."""
    headers = MutableHeaders(scope=start)
    if b"window.gradio_config" in page:
        page = page.replace(b"<head>", b"<head><script>" + EARLY + b"</script>", 1)
        headers["Content-Length"] = str(len(page))
    if found := hashes_of(page):
        headers[SCRIPTS_BY_HASH] = found

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": page})

    return BrotliMiddleware(whole)
