"""Messages of the core name options of the command line; on the page they name the page's boxes, and to a program what
it calls them."""

from __future__ import annotations

import html
import re

BOXES = {
    "--images (zip, tar, folder)": '"Pictures" (zip or tar)',
    "--images": '"Pictures"',
    "--embeddings": '"Embeddings of your own"',
    "--texts (a column)": '"Text" (under "Correct the roles")',
    "--texts": '"Text"',
    "--table": '"Table"',
    "--id": '"Id"',
    "--label": '"Label"',
    "--encoder": '"Encoder"',
    "again with --separate-copies": "again on the command line with --separate-copies",
}
"""What a message says, the longest first, and what the page says for it."""
_COMMAND = re.compile(r"(`[^`]*`)")
_NAMED = re.compile("|".join(rf"{re.escape(option)}(?![\w-])" for option in BOXES))


def on_page(message: str) -> str:
    """The message with boxes for options; a command in backquotes stays as it is typed."""
    parts = _COMMAND.split(message)
    return "".join(part if i % 2 else _NAMED.sub(lambda found: BOXES[found[0]], part) for i, part in enumerate(parts))


def in_message(message: str) -> str:
    """The same for a message of Gradio's, which takes it for HTML: what was brought or linked stays text."""
    return html.escape(on_page(message), quote=False)


_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])")


def to_program(message: str) -> str:
    """The message to who calls the page from a program, and sees no box: "--images" is `images` there."""
    parts = _COMMAND.split(message)
    said = (
        part if i % 2 else _OPTION.sub(lambda f: f"`{f[1].replace('-', '_')}`", part) for i, part in enumerate(parts)
    )
    return "".join(said)
