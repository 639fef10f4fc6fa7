"""The page's `gr.Blocks`: errors appear as text, never as markup, and the browser gets a small configuration."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr
from pydantic import ValidationError

TOLD_TO_PROGRAMS = ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs")
"""Gradio's descriptions of a component for programs, which browsers do not read."""


class SafeBlocks(gr.Blocks):
    """Blocks whose error messages are escaped for the page, which draws them as HTML; Gradio's own messages too.

    A program that calls a public endpoint gets the plain message. Components outside public endpoints are not described
    for programs, which halves the values that a browser copies before drawing.
    """

    def get_config_file(self) -> Any:
        """Return Gradio's configuration, with descriptions for programs only on public components. It has no menu of
        pages, because the endpoints' fields stand on a page that nobody opens."""
        config = super().get_config_file()
        config["pages"] = config["pages"][:1]
        public = set[int]()
        for function in self.fns.values():
            if function.api_visibility != "private":
                public |= {block._id for block in (*function.inputs, *function.outputs)}
        for component in config["components"]:
            if component["id"] not in public:
                for name in TOLD_TO_PROGRAMS:
                    component.pop(name, None)
        return config

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Preprocess as Gradio does; raises gr.Error for an invalid file argument, which Gradio would not report."""
        try:
            return await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except ValidationError:
            pass
        files = [(block.label, value) for block, value in zip(block_fn.inputs, inputs) if isinstance(block, gr.File)]
        values = ", ".join(f"{label} is {str(value)[:80]!a}" for label, value in files if value is not None)
        raise gr.Error(
            'A file argument must be null or an upload, {"path": ..., "meta": {"_type": "gradio.FileData"}}: '
            f"{values}. Upload the file to /gradio_api/upload and use the path that it returns."
        )

    async def process_api(self, block_fn: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Process as Gradio does; an error of a page event is raised with an escaped message."""
        function = block_fn
        if isinstance(function, int):
            function = self.fns[function]
        try:
            return await super().process_api(function, *args, **kwargs)
        except gr.Error as error:
            if function.api_visibility != "public":
                error.message = html.escape(error.message, quote=False)
            raise
