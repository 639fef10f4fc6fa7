"""The public endpoints as tools of an MCP server, which Gradio builds behind the same guard."""

from __future__ import annotations

import os
from importlib.util import find_spec

import gradio.mcp

from core.errors import InvalidInput, MissingDependency


def require_mcp(*, alone: bool) -> None:
    """Check that tools can be offered.

    Args:
        alone: whether only programs of this machine reach the server. Gradio passes all tool calls on as one client, so
            they share one visit, and several people could not be separated.

    Raises:
        InvalidInput: others reach the server.
        MissingDependency: Gradio's extra is missing.
    """
    if not alone:
        raise InvalidInput(
            "--mcp is only for programs on this machine, because all tool calls share one visit. "
            "Remove --host, --allow-host, --behind-proxy, and --auth, or start a second server with --mcp."
        )
    if find_spec("mcp") is None:
        raise MissingDependency('--mcp needs the package mcp. Run `pip install "gradio[mcp]"`.')


def keep_files_here() -> None:
    """Store files sent inside a call in the server's folder, which is deleted with it. Gradio sets another folder when
    it is imported, so call this after `process.begin`."""
    gradio.mcp.DEFAULT_TEMP_DIR = os.environ["GRADIO_TEMP_DIR"]
