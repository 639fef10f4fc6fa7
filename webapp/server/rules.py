"""The operator's rules on who can use the server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from webapp.server.accounts import Accounts

NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9_\[\]:.-]*[a-z0-9_\]](:(\d{1,5}|\*))?|null|vscode-webview:")
SOURCE = re.compile(r"https?://[a-z0-9_\[\]:.-]*[a-z0-9_\]](/[A-Za-z0-9_~.-]+)*/?")
ROOT = re.compile(r"(https?://[A-Za-z0-9_.\[\]:-]+)?(/[A-Za-z0-9_~.-]+)*")
HUGGING_FACE = ("https://huggingface.co",)
NOTEBOOKS = ("http://localhost:*", "http://127.0.0.1:*", "vscode-webview:")
"""Origins of notebooks."""


@dataclass(frozen=True, slots=True)
class WebRules:
    """Who can connect, and which pages can embed this one.

    Args:
        listening: the address or name that the server listens on.
        allow_host: further names that it answers to; "*.lab.org" covers all names below lab.org.
        embed_in: origins ("https://lab.org") whose pages can show this one in a frame and call it from scripts.
        behind_proxy: whether a reverse proxy sets X-Forwarded-Host and X-Forwarded-Proto.
        root_path: path of the page at that proxy, such as "/errata".
        accounts: who can sign in; None admits everybody.
        mcp: whether the endpoints are also tools of an MCP server.
        files_from: addresses ("https://huggingface.co/datasets") below which visitors may name a table.

    Raises:
        InvalidInput: an invalid name, origin, or path.
    """

    listening: str = "127.0.0.1"
    allow_host: tuple[str, ...] = ()
    embed_in: tuple[str, ...] = ()
    behind_proxy: bool = False
    root_path: str = ""
    accounts: Accounts | None = None
    mcp: bool = False
    files_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.allow_host:
            if not NAME.fullmatch(name.lower()):
                raise InvalidInput(
                    f"--allow-host takes a name, such as errata.lab.org or *.lab.org: got {name[:80]!r}. "
                    "Remove http:// and the port."
                )
        for origin in self.embed_in:
            if not ORIGIN.fullmatch(origin):
                raise InvalidInput(
                    f"--embed-in takes an origin, such as https://lab.org: got {origin[:80]!r}. "
                    "Use lower case and remove everything after the name and port."
                )
        for prefix in self.files_from:
            if not SOURCE.fullmatch(prefix):
                raise InvalidInput(
                    f"--files-from takes an address, such as https://huggingface.co/datasets: got {prefix[:80]!r}. "
                    "Use lower case up to the port, and no ? or #."
                )
        if not ROOT.fullmatch(self.root_path.rstrip("/")):
            raise InvalidInput(
                f"--root-path takes a path, such as /errata: got {self.root_path[:80]!r}. Start it with a slash."
            )


def on_this_platform(rules: WebRules) -> WebRules:
    """Return the rules; on Hugging Face, with its names, its site as embedding page, and its proxy.

    A Space takes no options, so ERRATA_ALLOW_HOST and ERRATA_EMBED_IN add names and origins, separated by commas.
    """
    if not os.environ.get("SPACE_ID"):
        return rules
    names = ("*.hf.space", *_listed("SPACE_HOST"), *_listed("ERRATA_ALLOW_HOST"))
    sites = (*HUGGING_FACE, *_listed("ERRATA_EMBED_IN"))
    return replace(rules, allow_host=(*rules.allow_host, *names), embed_in=(*rules.embed_in, *sites), behind_proxy=True)


def _listed(variable: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(variable, "").split(",") if part.strip())
