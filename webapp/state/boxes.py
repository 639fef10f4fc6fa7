"""Messages of the core name options of the command line; on the page they name the page's boxes, and to a program what
it calls them."""

from __future__ import annotations

import html
import re

from core.records.ledger import AS_IS
from webapp.state.choices import SEVERAL_ROLES, SINGLE_ROLES

BOXES = {
    **{f"--{role.replace(' ', '-')}": f'"{label}"' for role, label in (*SINGLE_ROLES, *SEVERAL_ROLES)},
    "--images (zip, tar, folder)": '"Pictures" (zip or tar)',
    "--image": '"Picture" (under "Correct the roles")',
    "--images": '"Pictures"',
    "--embeddings": '"Embeddings of your own"',
    "--texts (a column)": '"Text" (under "Correct the roles")',
    "--table": '"Table"',
    "--encoder": '"Encoder"',
    "--loss-kind": '"Loss" (under "Run")',
    "--hold-back": '"Hide a part and predict it"',
    "--vocabulary": '"Your own phrases"',
    AS_IS: "tick “Take the table as it is”",
    "--higher-is-better": '"The loss column is a score: higher is better" (under "More settings")',
    "again with --separate-copies": "again on the command line with --separate-copies",
}
"""What a message says, and what the page says for it."""
_COMMAND = re.compile(r"(`[^`]*`)")
_NAMED = re.compile("|".join(rf"{re.escape(option)}(?![\w-])" for option in sorted(BOXES, key=len, reverse=True)))
_OPTION = re.compile(r"(?<![\w-])(command line with )?--([a-z][a-z0-9-]*)")


def on_page(message: str) -> str:
    """The message with boxes for options, and the words of an option that has no box of its name; a command in
    backquotes stays as it is typed."""
    parts = _COMMAND.split(message)
    return "".join(
        part if i % 2 else _OPTION.sub(_in_words, _NAMED.sub(lambda found: BOXES[found[0]], part))
        for i, part in enumerate(parts)
    )


def _in_words(found: re.Match[str]) -> str:
    """ "--no-words" as "no words", unless the message says that it is for the command line."""
    return found[0] if found[1] else f'"{found[2].replace("-", " ")}"'


def in_message(message: str) -> str:
    """The same for a message of Gradio's, which takes it for HTML: what was brought or linked stays text."""
    return html.escape(on_page(message), quote=False)


def to_program(message: str) -> str:
    """The message to who calls the page from a program, and sees no box: "--images" is `images` there."""
    parts = _COMMAND.split(message)
    said = (
        part if i % 2 else _OPTION.sub(lambda f: f"{f[1] or ''}`{f[2].replace('-', '_')}`", part)
        for i, part in enumerate(parts)
    )
    return "".join(said)
