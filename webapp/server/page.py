"""The page's `gr.Blocks`: what goes wrong is shown as text, never as markup, and the browser gets what it needs."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr
from pydantic import ValidationError

TOLD_TO_PROGRAMS = ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs")
"""What Gradio writes of a component for the programs that call an endpoint; a browser reads none of it."""


class SafeBlocks(gr.Blocks):
    """Blocks whose error messages are escaped for the page, which draws them as HTML; Gradio's own messages too.

    A program that calls a public endpoint gets the message as it is. Components that no such endpoint takes or gives
    are not described for programs: that was half of all values that a browser had to copy before it drew anything.
    """

    def get_config_file(self) -> Any:
        """Gradio's own, with the forms of values only where a program meets them."""
        config = super().get_config_file()
        met = {
            block._id
            for function in self.fns.values()
            if function.api_visibility != "private"
            for block in (*function.inputs, *function.outputs)
        }
        for component in config["components"]:
            if component["id"] not in met:
                for name in TOLD_TO_PROGRAMS:
                    component.pop(name, None)
        return config

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """What Gradio's own does; raises gr.Error where a file's place holds no file, which Gradio tells nobody."""
        try:
            return await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except ValidationError:
            pass
        files = [(block.label, value) for block, value in zip(block_fn.inputs, inputs) if isinstance(block, gr.File)]
        said = ", ".join(f"{label} is {str(value)[:80]!a}" for label, value in files if value is not None)
        raise gr.Error(
            'A file argument must be null, or name an uploaded file as {"path": ..., "meta": {"_type": '
            f'"gradio.FileData"}}}}: {said}. Upload the file to /gradio_api/upload, and give the path that it answers.'
        )

    async def process_api(self, block_fn: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What Gradio's own does; raises gr.Error with an escaped message where an event of the page fails."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            return await super().process_api(function, *args, **kwargs)
        except gr.Error as error:
            if function.api_visibility != "public":
                error.message = html.escape(error.message, quote=False)
            raise
