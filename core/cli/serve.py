"""The command `serve`: open the page, and decide who can reach it."""

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


@command(note="What the server guarantees: docs/security.md.")
@argument("runs", "[RUN ...]", "runs written by `diagnose --out`; the page opens with the first")
@option("--host", "address to listen on (default: 127.0.0.1; 0.0.0.0 opens it to the network)")
@option("--port", "port to listen on (default: 7860)", type=click.IntRange(1, 65_535))
@option("--root FOLDER", "folder of data sets that visitors can choose by name")
@option(
    "--max-minutes N",
    "time limit of a visitor's run (default: 120, unlimited on your own machine; 0: unlimited)",
    type=click.FloatRange(0),
)
@option(
    "--keep FOLDER",
    "folder for finished runs, or none (default: on your own machine ERRATA_KEEP or your data folder, else none)",
)
@heading("Access (docs/security.md)")
@option("--allow-host NAME", "further host names of the server; *.lab.org covers all below lab.org")
@option("--embed-in ORIGIN", "sites that can embed the page, such as https://lab.org")
@option("--files-from URL", "addresses below which visitors can name a Parquet file to fetch")
@option("--behind-proxy", "trust X-Forwarded-Host and -Proto from a reverse proxy")
@option("--root-path PATH", "path of the page behind the proxy, such as /errata")
@option("--mcp", "offer the endpoints as MCP tools to programs on this machine (docs/programs.md)")
@option("--auth FILE", "file of accounts; only these can sign in")
@option("--add-user NAME", "add an account to --auth or change its password, then stop")
def serve(
    runs: tuple[Path, ...] = (),
    host: str = "127.0.0.1",
    port: int = 7860,
    root: Path | None = None,
    max_minutes: float | None = None,
    keep: str = "",
    allow_host: tuple[str, ...] = (),
    embed_in: tuple[str, ...] = (),
    files_from: tuple[str, ...] = (),
    behind_proxy: bool = False,
    root_path: str = "",
    mcp: bool = False,
    auth: Path | None = None,
    add_user: str = "",
) -> None:
    """Open the page, with your runs before the examples.

    Stop it with Ctrl+C or SIGTERM: running work stops, visitors' uploads are deleted, and the exit code is 0. Finished
    runs on your own machine stay until you delete them on the page.
    """
    if root is not None and not root.is_dir():
        raise InvalidInput(f"--root must be a folder of data sets: {root} is not a folder. Choose another --root.")
    if not add_user:
        check_free(host, port)
    try:
        from webapp.server.accounts import add_account, read_accounts
        from webapp.server.rules import WebRules

        if add_user:
            if auth is None:
                raise InvalidInput("--add-user needs a file of accounts. Add --auth FILE.")
            add_account(auth, add_user, _ask_password(add_user))
            say(f"{add_user} can sign in after the next start of the page with --auth {auth}.")
            return
        accounts = read_accounts(auth) if auth else None
        rules = WebRules(host, allow_host, embed_in, behind_proxy, root_path, accounts, mcp, files_from)
        from webapp.app import main
    except ModuleNotFoundError as error:
        needed = missing_dependency(error, "The page")
        if needed is None:
            raise
        raise needed from error
    main(rules, port=port, root=root, max_minutes=max_minutes, runs=runs, keep=keep)


def check_free(host: str, port: int) -> None:
    """Check the port before the page is loaded. Other problems with an address show when the page opens.

    Raises:
        InvalidInput: another program listens on the port; names a free one.
    """
    if not _is_taken(host, port):
        return
    free_ports = (candidate for candidate in range(port + 1, min(port + 100, 65_536)) if not _is_taken(host, candidate))
    free = next(free_ports, None)
    if free is None:
        raise InvalidInput(f"Port {port} is in use. Choose another --port.")
    raise InvalidInput(f"Port {port} is in use. Use --port {free}.")


def _is_taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":  # as the server does; on other systems this option would share a port in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _ask_password(name: str) -> str:
    """Ask twice without echo, or read the first line of a pipe."""
    if sys.stdin.isatty():
        try:
            return click.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True)
        except click.Abort:  # Ctrl+C ends this command like any other
            raise KeyboardInterrupt from None
    return sys.stdin.readline().rstrip("\n")
