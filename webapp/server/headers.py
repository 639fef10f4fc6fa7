"""Security headers of every answer: allowed scripts, requests, and framing pages."""

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

BOUND = ("httponly", "samesite", "secure")
"""Parts of a cookie that are set here."""
CODINGS = (b"br", b"gzip")
"""Codings that Gradio uses for compression."""
SOURCE = re.compile(rb"\ssrc=")
EARLY = (ASSETS / "js" / "early.js").read_bytes()
SCRIPTS_BY_HASH = "x-inline-scripts"
"""Internal header with the hashes of a page's scripts, from `InlineScripts` to `set_headers`."""
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
"""Policy of an answer that is not a page."""
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
    """Add the security headers to an answer, and restrict its cookies to the page."""
    page = headers.get("content-type", "").startswith("text/html")
    policy = dict(DATA)
    if page:
        policy = dict(PAGE)
    if SCRIPTS_BY_HASH in headers:
        policy["script-src"] += f" {headers[SCRIPTS_BY_HASH]}"
        del headers[SCRIPTS_BY_HASH]
    if page and "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")  # else a cache may serve the wrong coding
    if asked.path.startswith(FILE):
        policy["sandbox"] = ""  # a visitor's file must not act as a page of this server
        headers["Cache-Control"] = "private, max-age=3600"
    policy["frame-ancestors"] = " ".join(("'self'", *(o for o in rules.embed_in if o != "null")))
    headers["Content-Security-Policy"] = "; ".join(f"{key} {value}".strip() for key, value in policy.items())
    for name, value in PLAIN.items():
        headers[name] = value
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if not rules.embed_in:
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "SAMEORIGIN"
    _bind_cookies(headers, asked.scheme == "https")


def _bind_cookies(headers: MutableHeaders, secure: bool) -> None:
    """Restrict cookies: not readable by scripts, not sent with other sites' requests, and with https never over plain
    http."""
    cookies = headers.getlist("set-cookie")
    if not cookies:
        return
    del headers["set-cookie"]
    for cookie in cookies:
        names = [part.strip().lower().partition("=")[0] for part in cookie.split(";")]
        parts = [part for part, name in zip(cookie.split(";"), names) if name not in BOUND]
        parts += [" HttpOnly", " SameSite=Lax"]
        if secure:
            parts.append(" Secure")
        headers.append("set-cookie", ";".join(parts))


def hashes_of(page: bytes) -> str:
    """Return the hashes of a page's inline scripts for script-src.

    A page has megabytes, so the search uses `find` instead of a pattern at each byte.
    """
    scripts = dict[bytes, None]()
    lower = page.lower()
    closes = 0
    while True:
        start = lower.find(b"<script", closes)
        if start < 0:
            break
        opens = lower.find(b">", start)
        closes = lower.find(b"</script", opens)
        if min(opens, closes) < 0:
            break
        if not SOURCE.search(lower, start, opens):
            scripts[page[opens + 1 : closes]] = None
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in scripts)


def taken_codings(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the accepted codings of `Accept-Encoding`, such as b"gzip, br", without those of weight 0 (RFC 9110,
    12.4.2), which Gradio ignores."""
    header = b",".join(value for name, value in headers if name.lower() == b"accept-encoding").lower()
    asked = (b"".join(part.split()).partition(b";q=") for part in header.split(b","))
    return b", ".join(name for name, _, weight in asked if name in CODINGS and (not weight or weight.strip(b"0.")))


class InlineScripts:
    """Middleware that buffers a page to insert our first script, hash its inline scripts, and compress it. Gradio
    compresses by the path's ending, which the page lacks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI); answers other than HTML stream unchanged."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and MutableHeaders(scope=message).get("content-type", "").startswith("text/html"):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    page = b"".join(part.get("body", b"") for part in held[1:])
                    await _compressed(held[0], page)({**scope, "path": "/page.html"}, receive, send)

        await self.app(scope, receive, hold)


def _compressed(start: Message, page: bytes) -> ASGIApp:
    """Return the page compressed as the browser accepts. Gradio's pages get our first script."""
    headers = MutableHeaders(scope=start)
    if b"window.gradio_config" in page:
        page = page.replace(b"<head>", b"<head><script>" + EARLY + b"</script>", 1)
        headers["Content-Length"] = str(len(page))
    hashes = hashes_of(page)
    if hashes:
        headers[SCRIPTS_BY_HASH] = hashes

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": page})

    return BrotliMiddleware(whole)
