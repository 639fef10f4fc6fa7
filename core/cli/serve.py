"""The command that opens the page, and what its operator says about who may ask."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import click

from core.cli.command import argument, command, heading, option
from core.cli.terminal import say
from core.errors import InvalidInput
from core.program import missing_dependency


@command(note="docs/security.md says what is promised to whom.")
@argument("runs", "[RUN ...]", "runs that `diagnose --out` wrote: the page opens with the first")
@option("--host", "address to listen on (default 127.0.0.1; 0.0.0.0 opens it to the network)")
@option("--port", "default 7860", type=click.IntRange(1, 65_535))
@option("--root FOLDER", "data sets that visitors may choose by name")
@option(
    "--max-minutes N",
    "how long one visitor's run may take (default 120, and no limit at home; 0 sets none)",
    type=click.FloatRange(0),
)
@option(
    "--keep FOLDER",
    "where visitors' runs outlive the server, or none; default: at home one in your data folder (ERRATA_KEEP), "
    "else none",
)
@heading("Who may ask (docs/security.md)")
@option("--allow-host NAME", "further names that the server answers to; *.lab.org stands for all below lab.org")
@option("--embed-in ORIGIN", "sites that may show the page inside theirs, such as https://lab.org")
@option("--behind-proxy", "a reverse proxy says in X-Forwarded-Host and -Proto what a visitor asked for")
@option("--root-path PATH", "where that proxy shows the page, such as /errata")
@option("--mcp", "offer the endpoints as tools to programs of this machine (docs/programs.md)")
@option("--auth FILE", "let in only who has an account in this file")
@option("--add-user NAME", "add an account to --auth, or give it a new password, and stop")
def serve(
    runs: tuple[Path, ...] = (),
    host: str = "127.0.0.1",
    port: int = 7860,
    root: Path | None = None,
    max_minutes: float | None = None,
    keep: str = "",
    allow_host: tuple[str, ...] = (),
    embed_in: tuple[str, ...] = (),
    behind_proxy: bool = False,
    root_path: str = "",
    mcp: bool = False,
    auth: Path | None = None,
    add_user: str = "",
) -> None:
    """Open the page, with runs of yours before the examples.

    It stays open until it is stopped, with Ctrl+C or SIGTERM: then what runs is stopped, what visitors brought is
    deleted, and the exit code is 0. Finished runs of your own machine stay until you delete them on the page.
    """
    if root is not None and not root.is_dir():
        raise InvalidInput(f"--root must be a folder of data sets: {root} is none.")
    if not add_user:
        check_free(host, port)
    try:
        from webapp.server.accounts import add_account, read_accounts
        from webapp.server.rules import WebRules

        if add_user:
            if auth is None:
                raise InvalidInput("--add-user needs the file to add to. Name it with --auth FILE.")
            add_account(auth, add_user, _ask_password(add_user))
            say(f"{add_user} may sign in from the next start of the page on: --auth {auth}")
            return
        accounts = read_accounts(auth) if auth else None
        rules = WebRules(host, allow_host, embed_in, behind_proxy, root_path, accounts, mcp)
        from webapp.app import main
    except ModuleNotFoundError as error:
        if (needed := missing_dependency(error, "The page")) is None:
            raise
        raise needed from error
    main(rules, port=port, root=root, max_minutes=max_minutes, runs=runs, keep=keep)


def check_free(host: str, port: int) -> None:
    """Refuse a port that another program listens on, before the page is loaded; anything else about an address shows
    when the page opens.

    Raises:
        InvalidInput: naming a port that is free.
    """
    if _is_taken(host, port):
        free = next((p for p in range(port + 1, min(port + 100, 65_536)) if not _is_taken(host, p)), None)
        instead = "another one" if free is None else f"{free}"
        raise InvalidInput(
            f"Port {port} is taken at {host}: another program listens there, perhaps this page already. "
            f"Stop it, or choose another port: --port {instead}."
        )


def _is_taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
        if os.name == "posix":  # as the server does; elsewhere it would share a port that is taken
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _ask_password(name: str) -> str:
    """Typed twice without showing, or the first line of a pipe."""
    if sys.stdin.isatty():
        try:
            return click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
        except click.Abort:  # Ctrl+C, which ends this command as any other
            raise KeyboardInterrupt from None
    return sys.stdin.readline().rstrip("\n")
