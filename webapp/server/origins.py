"""Which pages may make a visitor's browser ask: this one, and those that it may be embedded in.

Programs name no origin and are let through; a browser always does, so a page of another site is told from both.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from webapp.server.asked import DEFAULT_PORTS, Asked, Refusal, split_host
from webapp.server.routes import LOGOUT
from webapp.server.rules import WebRules


def from_another_site(asked: Asked, rules: WebRules) -> Refusal | None:
    """Why a request that another site's page makes is refused; following a link to the page is no such request, one
    to its way out is."""
    if asked.headers.get("origin") is None and not _made_elsewhere(asked):
        return None
    said = asked.headers.getlist("origin") or [_origin_of(asked.headers.get("referer", ""))]
    if len(said) == 1 and (said[0] in rules.embed_in or is_own(said[0], asked)):
        return None
    return Refusal(
        403,
        "Another site's page asked for this, and the server answers its own page alone. If that site is yours, start "
        "the server with --embed-in and the site's origin; behind a reverse proxy add --behind-proxy.",
    )


def is_own(origin: str, asked: Asked) -> bool:
    """Whether an origin is the host that was asked; the scheme may differ, as it does behind a proxy that adds TLS."""
    scheme, _, rest = origin.partition("://")
    there = split_host(rest)
    here = split_host(asked.host)
    port = DEFAULT_PORTS.get(scheme)
    if there is None or here is None or port is None:
        return False
    return there[0] == here[0] and (there[1] or port) == (here[1] or port)


def _made_elsewhere(asked: Asked) -> bool:
    """Whether the browser says that another site's page asks, otherwise than by a link or an address typed."""
    if asked.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    is_visit = asked.is_read and asked.headers.get("sec-fetch-mode") == "navigate"
    return not is_visit or asked.path.rstrip("/") == LOGOUT


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme else ""
