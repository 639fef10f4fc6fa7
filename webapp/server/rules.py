"""What an operator says about who may ask the server: the one record that all its rules read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from webapp.server.accounts import Accounts

NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9_\[\]:.-]*[a-z0-9_\]](:(\d{1,5}|\*))?|null|vscode-webview:")
ROOT = re.compile(r"(https?://[A-Za-z0-9_.\[\]:-]+)?(/[A-Za-z0-9_~.-]+)*")
HUGGING_FACE = ("https://huggingface.co",)
NOTEBOOKS = ("http://localhost:*", "http://127.0.0.1:*", "vscode-webview:")
"""Where a notebook's cells are shown."""


@dataclass(frozen=True, slots=True)
class WebRules:
    """Who may ask, and who may show the page inside their own.

    Args:
        listening: the address or name that the server listens on.
        allow_host: further names that it answers to; "*.lab.org" stands for all below lab.org.
        embed_in: origins ("https://lab.org") whose pages may show this one in a frame and call it from their scripts.
        behind_proxy: whether a reverse proxy says in X-Forwarded-Host and X-Forwarded-Proto what the visitor asked for.
        root_path: where that proxy shows the page, such as "/errata".
        accounts: who may sign in; None lets everybody in.
        mcp: whether the endpoints are tools of an MCP server too.

    Raises:
        InvalidInput: a name, an origin or a path is none.
    """

    listening: str = "127.0.0.1"
    allow_host: tuple[str, ...] = ()
    embed_in: tuple[str, ...] = ()
    behind_proxy: bool = False
    root_path: str = ""
    accounts: Accounts | None = None
    mcp: bool = False

    def __post_init__(self) -> None:
        for name in self.allow_host:
            if not NAME.fullmatch(name.lower()):
                raise InvalidInput(
                    f"--allow-host takes a name alone, such as errata.lab.org or *.lab.org: got {name[:80]!r}. "
                    "Leave out http:// and the port."
                )
        for origin in self.embed_in:
            if not ORIGIN.fullmatch(origin):
                raise InvalidInput(
                    f"--embed-in takes an origin, such as https://lab.org: got {origin[:80]!r}."
                    " Write it in lower case and leave out what follows the name and port."
                )
        if not ROOT.fullmatch(self.root_path.rstrip("/")):
            raise InvalidInput(
                f"--root-path takes a path such as /errata: got {self.root_path[:80]!r}. Begin it with a slash."
            )


def on_this_platform(rules: WebRules) -> WebRules:
    """The rules as they are; where Hugging Face runs the page, its names too, shown inside huggingface.co, behind its
    proxy.

    The operator of a Space can give no options, so ERRATA_ALLOW_HOST and ERRATA_EMBED_IN add to both, separated by
    commas.
    """
    if not os.environ.get("SPACE_ID"):
        return rules
    names = ("*.hf.space", *_listed("SPACE_HOST"), *_listed("ERRATA_ALLOW_HOST"))
    sites = (*HUGGING_FACE, *_listed("ERRATA_EMBED_IN"))
    return replace(rules, allow_host=(*rules.allow_host, *names), embed_in=(*rules.embed_in, *sites), behind_proxy=True)


def _listed(variable: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(variable, "").split(",") if part.strip())
