"""The errors that a user can fix, as a tree:

    DiagnosisError
    ├── InvalidInput        the input breaks a rule             (exit code 2)
    ├── MissingDependency   an optional package is missing      (exit code 3)
    └── Cancelled           the user stopped the run            (exit code 130)

A message names the thing, the rule, the value and the next step. Any other exception is a bug and reaches the log.
Names and values are the user's text, so a message shows control characters as codes.
"""

from __future__ import annotations

import re

MAX_MESSAGE_LENGTH = 2_000
"""Characters of a message; our longest, on the formats of benchmarks, has 1,700."""
_LINE_ENDS = re.compile(r"\s*[\t\n]\s*")
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # escape sequences begin with one of these; tab and line feed stay
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, or turning the text's direction
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"  # halves, annotations, no characters, tags
)


def printable(text: str) -> str:
    """Make a text safe for a terminal, a log or a page: control characters, characters that change the text direction,
    and invisible ones become codes such as \\x1b; tabs and line feeds stay."""
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def quoted(*names: object, most: int = 12, length: int = 60) -> str:
    """List names for a message, such as "'bus', 'tram' and 3 more": at most `most` names, each cut to `length`
    characters."""
    shown: list[str] = []
    for name in map(str, names[:most]):
        if len(name) > length:
            name = f"{name[:length]}..."
        shown.append(repr(name))
    text = ", ".join(shown)
    if len(names) > most:
        text += f" and {len(names) - most:,} more"
    return text


class DiagnosisError(Exception):
    """Base of every error with a message for the user; `str` gives it in one printable line, shortened to about 2,000
    characters."""

    exit_code = 1

    def __str__(self) -> str:
        text = _LINE_ENDS.sub(" ", super().__str__())  # a name in it cannot begin a new line
        if len(text) > MAX_MESSAGE_LENGTH:
            middle = MAX_MESSAGE_LENGTH // 2
            text = f"{text[:middle]} [...] {text[-middle:]}"
        return printable(text)


class InvalidInput(DiagnosisError):
    """The user's input breaks a rule; the message names it."""

    exit_code = 2


class MissingDependency(DiagnosisError):
    """A required package is not installed; the message contains the install command."""

    exit_code = 3


class Cancelled(DiagnosisError):
    """The user stopped the run."""

    exit_code = 130
