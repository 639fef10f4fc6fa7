"""Launch settings of the server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from core.files import ASSETS
from webapp.server.guard import GuardedApp
from webapp.server.rules import WebRules
from webapp.state.jobs import MAX_THREADS
from webapp.theme import quiet_theme

MAX_UPLOAD = "4gb"
SIGN_IN = "<b>Errata</b>: where does your model fail? Ask this server's operator for an account."
SHEETS = ("tokens", "page", "explore", "samples", "data", "words", "models")
"""Sheets of assets/css; later ones override earlier ones."""
SYSTEMS = Path(__file__).parents[1] / "systems"


def launch_settings(rules: WebRules = WebRules()) -> dict[str, Any]:
    """Return the arguments of `launch` besides host and port: looks, privacy, and the web rules."""
    sign_in = None
    if rules.accounts:
        sign_in = rules.accounts.check
    temporary = Path(tempfile.gettempdir()).resolve()
    # never served: the repository, and the home folder unless it contains temporary files
    private = (ASSETS.parent, Path.home().resolve())
    blocked = [str(folder) for folder in private if not temporary.is_relative_to(folder)]
    return {
        "_app": GuardedApp(rules),  # the only way to run before Gradio's own middleware
        "auth": sign_in,
        "auth_message": SIGN_IN,
        "root_path": rules.root_path.rstrip("/"),
        "theme": quiet_theme(),
        "css_paths": sheets(),
        "favicon_path": ASSETS / "favicon.svg",
        "footer_links": [],
        "run_history": False,
        "max_file_size": MAX_UPLOAD,
        "blocked_paths": blocked,
        "show_error": False,
        "ssr_mode": False,
        "mcp_server": rules.mcp,  # always set, else Gradio reads it from the environment
        "share": False,
        "_frontend": False,  # else a busy machine that needs over three seconds for the first request fails to start
        "enable_monitoring": False,
        "max_threads": MAX_THREADS,
    }


def sheets() -> list[Path]:
    """Return the style sheets in order: the page's, then those of its systems."""
    return [*(ASSETS / "css" / f"{name}.css" for name in SHEETS), *sorted(SYSTEMS.glob("*/*.css"))]


def believe_proxies(rules: WebRules) -> None:
    """Accept a visitor's address from `X-Forwarded-For` only behind a configured proxy (uvicorn reads the environment).
    Otherwise, local programs could appear as a new visitor with each request."""
    if not rules.behind_proxy:
        os.environ["FORWARDED_ALLOW_IPS"] = ""
