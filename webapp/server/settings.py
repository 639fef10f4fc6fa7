"""What the server is started with."""

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
SIGN_IN = "<b>Errata</b>: where does your model fail? Accounts are given by this server's operator."
SHEETS = ("tokens", "page", "explore", "linked", "data", "words", "models")
"""Of assets/css, in the order in which a later one has the last word."""
SYSTEMS = Path(__file__).parents[1] / "systems"


def launch_settings(rules: WebRules = WebRules()) -> dict[str, Any]:
    """What `launch` needs besides host and port: looks, private by default, and the web's rules before all else."""
    return {
        "_app": GuardedApp(rules),  # the one way to stand before Gradio's own middleware
        "auth": rules.accounts.check if rules.accounts else None,
        "auth_message": SIGN_IN,
        "root_path": rules.root_path.rstrip("/"),
        "theme": quiet_theme(),
        "css_paths": sheets(),
        "favicon_path": ASSETS / "favicon.svg",
        "footer_links": [],
        "run_history": False,
        "max_file_size": MAX_UPLOAD,
        "blocked_paths": _blocked(),
        "show_error": False,
        "ssr_mode": False,
        "mcp_server": rules.mcp,  # said in any case, else Gradio reads it from the environment
        "share": False,
        "_frontend": False,  # else a machine too busy to answer the first request within three seconds ends the start
        "enable_monitoring": False,
        "max_threads": MAX_THREADS,
    }


def sheets() -> list[Path]:
    """The page's style sheets in their order: its own, then whatever sheets lie in the folders of its systems."""
    return [*(ASSETS / "css" / f"{name}.css" for name in SHEETS), *sorted(SYSTEMS.glob("*/*.css"))]


def believe_proxies(rules: WebRules) -> None:
    """Let the server, which uvicorn asks for in the environment, take a visitor's address from `X-Forwarded-For` only
    where a proxy was told of: programs of this machine could else count as somebody new with each request."""
    if not rules.behind_proxy:
        os.environ["FORWARDED_ALLOW_IPS"] = ""


def _blocked() -> list[str]:
    """Folders that are never served. The home folder too, unless the temporary files lie in it."""
    repository = ASSETS.parent
    home = Path.home().resolve()
    temporary = Path(tempfile.gettempdir()).resolve()
    return [str(folder) for folder in (repository, home) if not temporary.is_relative_to(folder)]
