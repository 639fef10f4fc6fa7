"""Pages whose requests are accepted: this one, and those that can embed it.

Programs send no origin and pass. Browsers always send one, so pages of other sites are recognized.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from webapp.server.asked import DEFAULT_PORTS, Asked, Refusal, split_host
from webapp.server.routes import LOGOUT
from webapp.server.rules import WebRules


def from_another_site(asked: Asked, rules: WebRules) -> Refusal | None:
    """Return a refusal for a request from another site's page. Following a link to the page is allowed, except to the
    sign-out."""
    if asked.headers.get("origin") is None and not _made_elsewhere(asked):
        return None
    origins = asked.headers.getlist("origin") or [_origin_of(asked.headers.get("referer", ""))]
    if len(origins) == 1 and (origins[0] in rules.embed_in or is_own(origins[0], asked)):
        return None
    return Refusal(
        403,
        "Requests from other sites' pages are refused. If the site is yours, start the server with --embed-in and its "
        "origin. Behind a reverse proxy, add --behind-proxy.",
    )


def is_own(origin: str, asked: Asked) -> bool:
    """Whether an origin is the requested host; the scheme can differ, as behind a proxy that adds TLS."""
    scheme, _, rest = origin.partition("://")
    there = split_host(rest)
    here = split_host(asked.host)
    port = DEFAULT_PORTS.get(scheme)
    if there is None or here is None or port is None:
        return False
    return there[0] == here[0] and (there[1] or port) == (here[1] or port)


def _made_elsewhere(asked: Asked) -> bool:
    """Whether the browser reports another site's page, other than by a link or a typed address."""
    if asked.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    is_visit = asked.is_read and asked.headers.get("sec-fetch-mode") == "navigate"
    return not is_visit or asked.path.rstrip("/") == LOGOUT


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if not parts.scheme:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
