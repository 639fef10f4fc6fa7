"""The page's `gr.Blocks`: what goes wrong is shown as text, never as markup."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr


class SafeBlocks(gr.Blocks):
    """Blocks whose error messages are escaped for the page, which draws them as HTML; Gradio's own messages too.

    A program that calls a public endpoint gets the message as it is.
    """

    async def process_api(self, block_fn: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What Gradio's own does; raises gr.Error with an escaped message where an event of the page fails."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            return await super().process_api(function, *args, **kwargs)
        except gr.Error as error:
            if function.api_visibility != "public":
                error.message = html.escape(error.message, quote=False)
            raise
