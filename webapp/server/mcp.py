"""The public endpoints as tools of an MCP server, which Gradio makes of them behind the same guard."""

from __future__ import annotations

import os
from importlib.util import find_spec

import gradio.mcp

from core.errors import InvalidInput, MissingDependency


def require_mcp(*, alone: bool) -> None:
    """That tools can be offered here.

    Args:
        alone: whether only programs of this machine reach the server. All that call tools are one visit to it, since
            Gradio passes their calls on as one client: of several people none would be told from another.

    Raises:
        InvalidInput: others reach it.
        MissingDependency: Gradio's extra is not there.
    """
    if not alone:
        raise InvalidInput(
            "--mcp is for programs of this machine alone, since all that call tools share one visit: leave out --host, "
            "--allow-host, --behind-proxy and --auth, or start a second server with --mcp on its own port."
        )
    if find_spec("mcp") is None:
        raise MissingDependency('--mcp needs the package mcp. Run `pip install "gradio[mcp]"`.')


def keep_files_here() -> None:
    """Let files that come inside a call lie in the server's own folder, which is deleted with it: Gradio settles their
    place when it is imported, before there is one. To be called after `process.begin`."""
    gradio.mcp.DEFAULT_TEMP_DIR = os.environ["GRADIO_TEMP_DIR"]
