"""Gradio's routes that the page and programs need; all others return 404.

Closed are the proxy to other sites, the interactive editor and its files, recordings and streams, monitoring and
profiling, deep links (each call writes a file), icons of any size, cookies for scripts, and the machine-readable list
of routes."""

from __future__ import annotations

import re

from webapp.markup.images import KINDS, ROUTE
from webapp.server.asked import Asked, Refusal

API = "/gradio_api"
FILE = f"{API}/file="
UPLOAD = f"{API}/upload"
LOGIN = "/login"
LOGOUT = "/logout"
NO_PAGE = "No page at this address. Open the page at /."
CALLS = ("call/[^/]+", "call/v2/[^/]+", "run/[^/]+", "api/[^/]+")


def _pattern(*routes: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{route})/?" for route in routes))


ENTRANCE = _pattern(
    "",
    LOGOUT,
    "/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/pwa_icon",
    "/robots.txt",
    "/(?:assets|static|svelte)/.+",
)
"""Readable without sign-in: the page's frame and its scripts."""
STARTUP = f"{API}/startup-events"
READ = _pattern(
    "/config",
    f"{API}/(?:info|theme.css|app_id|login_check|startup-events|upload_progress)",
    f"{API}/queue/(?:data|status)",
    f"{API}/heartbeat/[^/]+",
    f"{API}/call/(?:v2/)?[^/]+/[^/]+",
    f"{FILE}.+",
    f"/{ROUTE}/[^/]+/[0-9]{{1,9}}/(?:{'|'.join(KINDS)})",
)
CHANGE = _pattern(
    UPLOAD, LOGIN, f"{API}/(?:queue/join|cancel|reset|component_server)", *(f"{API}/{call}" for call in CALLS)
)


TOOLS = f"{API}/mcp"
"""Route of the tools (`serve --mcp`)."""


def closed_route(asked: Asked, *, mcp: bool = False) -> Refusal | None:
    """Return a refusal for a closed path. mcp: whether the endpoints are also tools of an MCP server."""
    if mcp and asked.method in ("GET", "POST") and asked.path.rstrip("/") == TOOLS:
        return None
    if asked.path.startswith(FILE):
        named = asked.path[len(FILE) :].lstrip()
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:|[/\\]{2}|\\", named):
            return Refusal(403, "Only files of this server's page are served. Use the path of a file here.")
    if asked.is_read:
        fits = ENTRANCE.fullmatch(asked.path) or READ.fullmatch(asked.path)
    else:
        fits = CHANGE.fullmatch(asked.path)
    if fits:
        return None
    return Refusal(404, NO_PAGE)
