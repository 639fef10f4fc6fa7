"""Which of Gradio's routes the page and programs need; all others answer as if they were not there.

Closed so: the proxy to other sites, the interactive editor and its files, recordings and streams, monitoring and
profiling, deep links (they write a file at each call), icons of any size, cookies read back by scripts, and the
machine-readable list of all routes.
"""

from __future__ import annotations

import re

from webapp.server.asked import Asked, Refusal

API = "/gradio_api"
FILE = f"{API}/file="
UPLOAD = f"{API}/upload"
LOGIN = "/login"
LOGOUT = "/logout"
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
"""What is read before anybody has signed in: the page's frame and its scripts."""
STARTUP = f"{API}/startup-events"
READ = _pattern(
    "/config",
    f"{API}/(?:info|theme.css|app_id|login_check|startup-events|upload_progress)",
    f"{API}/queue/(?:data|status)",
    f"{API}/heartbeat/[^/]+",
    f"{API}/call/(?:v2/)?[^/]+/[^/]+",
    f"{FILE}.+",
)
CHANGE = _pattern(
    UPLOAD, LOGIN, f"{API}/(?:queue/join|cancel|reset|component_server)", *(f"{API}/{call}" for call in CALLS)
)


MCP = _pattern(f"{API}/mcp")
"""Where the server says that it has tools (`serve --mcp`)."""


def closed_route(asked: Asked, *, mcp: bool = False) -> Refusal | None:
    """Why a path leads nowhere. mcp: whether the endpoints are tools of an MCP server too."""
    if mcp and asked.method in ("GET", "POST") and MCP.fullmatch(asked.path):
        return None
    if asked.path.startswith(FILE):
        named = asked.path[len(FILE) :].lstrip()
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:|[/\\]{2}|\\", named):
            return Refusal(403, "Only files of the server's own page are served, no address of another host.")
    fits = (
        ENTRANCE.fullmatch(asked.path) or READ.fullmatch(asked.path) if asked.is_read else CHANGE.fullmatch(asked.path)
    )
    return None if fits else Refusal(404, "There is nothing at this address. Open the page at /.")
