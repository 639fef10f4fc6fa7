"""Translate the command-line options in messages of the core into controls of the page, or arguments of an
endpoint."""

from __future__ import annotations

import html
import re

from core.records.ledger import AS_IS
from webapp.state.choices import SEVERAL_ROLES, SINGLE_ROLES

BOXES = {
    **{f"--{role.replace(' ', '-')}": f'"{label}"' for role, label in (*SINGLE_ROLES, *SEVERAL_ROLES)},
    "--images (zip, tar, folder)": '"Images" (zip or tar)',
    "--group none": '"All rows are separate samples" in "Related rows, never split" (under "Fix columns")',
    "--image": '"Image" (under "Fix columns")',
    "--images": '"Images"',
    "--embeddings": '"Your own embeddings"',
    "--texts (a column)": '"Text" (under "Fix columns")',
    "--table": '"Table"',
    "--encoder": '"Encoder"',
    "--loss-kind": '"Loss" (under "Run")',
    "--these-are": '"These are"',
    "--hold-back": '"Hold out a part to check findings"',
    "--vocabulary": '"Your own phrases"',
    AS_IS: "tick “Accept the table as it is”",
    "--higher-is-better": '"The loss column is a score: higher is better" (under "More settings")',
    "again with --separate-copies": "again on the command line with --separate-copies",
}
"""The page's words by the words of a message."""
_COMMAND = re.compile(r"(`[^`]*`)")
_NAMED = re.compile("|".join(rf"{re.escape(option)}(?![\w-])" for option in sorted(BOXES, key=len, reverse=True)))
_OPTION = re.compile(r"(?<![\w-])(command line with )?--([a-z][a-z0-9-]*)")


def on_page(message: str) -> str:
    """Return the message with the page's controls for options; an option without a control becomes words. Commands in
    backquotes stay."""
    parts = _COMMAND.split(message)
    for i in range(0, len(parts), 2):  # the odd parts are commands
        named = _NAMED.sub(lambda match: BOXES[match[0]], parts[i])
        parts[i] = _OPTION.sub(_in_words, named)
    return "".join(parts)


def _in_words(match: re.Match[str]) -> str:
    """Turn "--no-words" into "no words", unless the message names the command line."""
    if match[1]:
        return match[0]
    return f'"{match[2].replace("-", " ")}"'


def in_message(message: str) -> str:
    """Escape `on_page` for Gradio's messages, which are HTML."""
    return html.escape(on_page(message), quote=False)


def to_program(message: str) -> str:
    """Return the message for a program that calls an endpoint: "--images" becomes `images`."""
    parts = _COMMAND.split(message)
    for i in range(0, len(parts), 2):  # the odd parts are commands
        parts[i] = _OPTION.sub(lambda match: f"{match[1] or ''}`{match[2].replace('-', '_')}`", parts[i])
    return "".join(parts)
