"""The errors that a user can mend, as a tree:

    DiagnosisError
    ├── InvalidInput        what was brought breaks a rule      (exit code 2)
    ├── MissingDependency   an optional package is not there    (exit code 3)
    └── Cancelled           the user stopped the run            (exit code 130)

A message names the thing, the rule, the value and the next step. Any other exception is a fault of ours and reaches the
log. Names and values are the user's text, so a message shows each character that would steer a terminal as its code.
"""

from __future__ import annotations

import re

MAX_MESSAGE_LENGTH = 2_000
"""Characters of a message; the longest of ours, on the formats of benchmarks, has 1,700."""
_LINE_ENDS = re.compile(r"\s*[\t\n]\s*")
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # escape sequences begin with one of these; tab and line feed stay
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, or turning the text's direction
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"  # halves, annotations, no characters, tags
)


def printable(text: str) -> str:
    """The text as a terminal, a log or a page may show it: control characters, those that turn the direction of what
    follows, and those that are not seen become their codes, such as \\x1b; tabs and line feeds stay."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def quoted(*names: object, most: int = 12, length: int = 60) -> str:
    """Names as a message lists them, such as "'bus', 'tram' and 3 more": at most so many, of so many letters each."""
    said = [repr(name if len(name) <= length else f"{name[:length]}...") for name in map(str, names[:most])]
    return ", ".join(said) + (f" and {len(names) - most:,} more" if len(names) > most else "")


class DiagnosisError(Exception):
    """Base of every error whose message is written for the user; `str` gives it in one line fit to be shown, and cut
    where it is longer than 2,000 characters."""

    exit_code = 1

    def __str__(self) -> str:
        text = _LINE_ENDS.sub(" ", super().__str__())  # a name in it cannot begin a line of its own
        middle = MAX_MESSAGE_LENGTH // 2
        return printable(text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:middle]} [...] {text[-middle:]}")


class InvalidInput(DiagnosisError):
    """What the user brought breaks a rule that the message names."""

    exit_code = 2


class MissingDependency(DiagnosisError):
    """A package that this step needs is not installed; the message holds the install line."""

    exit_code = 3


class Cancelled(DiagnosisError):
    """The user stopped the run."""

    exit_code = 130
