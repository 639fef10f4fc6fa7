"""A probe's settings as its dataclass declares them: what page and command line build their controls from, and how text
becomes a value."""

from __future__ import annotations

import math
import re
import types
import typing
import unicodedata
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from core.errors import InvalidInput

_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair

MAX_NAME_LENGTH = 200
"""Characters of what a result may be called."""
YES = ("yes", "true", "1", "on")
NO = ("no", "false", "0", "off")
SEEDS = 2**32
"""Seeds are below this: the range of scikit-learn's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a probe's dataclass."""

    name: str
    kind: str
    """"bool", "int", "float", "str"."""
    default: Any
    optional: bool
    """May be None: the probe then chooses."""
    help: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    widget: str = ""
    """"text" for several lines, "file", "folder", or "" for the usual."""
    advanced: bool = False


def setting(default: Any, help: str, **told: Any) -> Any:
    """A dataclass's field that is a setting.

    Args:
        help: a sentence.
        told: `choices`, `low`, `high`, `kind` ("text" for several lines, "file", "folder"), `advanced` (True: below the
            fold).
    """
    return field(default=default, metadata={"help": help, **told})


def settings_of(probe: Any) -> tuple[Setting, ...]:
    """The settings of a probe's class, in order."""
    hints = typing.get_type_hints(probe)
    found: list[Setting] = []
    for declared in fields(probe):
        hint = hints[declared.name]
        optional = False
        if isinstance(hint, types.UnionType):
            inner = [a for a in typing.get_args(hint) if a is not type(None)]
            hint = inner[0]
            optional = True
        said = dict(declared.metadata)
        default = None if declared.default is MISSING else declared.default
        widget = said.pop("kind", "")
        found.append(Setting(declared.name, hint.__name__, default, optional, widget=widget, **said))
    return tuple(found)


def read_settings(probe: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Given values (also as text) as the fields' kinds, checked against their choices and bounds.

    Raises:
        InvalidInput: a name is unknown, or a value is of the wrong kind or out of range.
    """
    known = {s.name: s for s in settings_of(probe)}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(f"{probe.title} has no setting {', '.join(map(repr, unknown))}. It has: {', '.join(known)}.")
    return {name: _read(known[name], value) for name, value in given.items()}


def _read(setting: Setting, value: Any) -> Any:
    if value is None or (value == "" and (setting.optional or setting.kind != "str")):
        if setting.optional:
            return None
        raise InvalidInput(f"{setting.name} needs a value. {_next(setting)}")
    try:
        read = _converted(setting.kind, value)
    except (TypeError, ValueError, KeyError, OverflowError):
        wanted = {"int": "a whole number", "float": "a number", "bool": "yes or no"}.get(setting.kind, "text")
        raise InvalidInput(f"{setting.name} must be {wanted}: got {str(value)[:60]!r}. {_next(setting)}") from None
    if setting.kind == "str":
        check_text(read, setting.name)
    if setting.choices and read not in setting.choices:
        raise InvalidInput(f"{setting.name} must be one of {', '.join(setting.choices)}: got {str(value)[:60]!r}.")
    if setting.kind in ("int", "float"):
        _check_range(setting, read)
    return read


def check_text(text: str, what: str) -> None:
    """Refuse text that no file and no text tower could take.

    Raises:
        InvalidInput: it holds half of a surrogate pair, as bytes that are no UTF-8 leave behind.
    """
    if not text.isascii() and (found := _HALF.search(text)):
        raise InvalidInput(
            f"{what}: character {found.start() + 1} is no character ({found[0]!a}): the text was cut or is no "
            "UTF-8. Write it anew."
        )


def read_name(text: str) -> str:
    """What a result is to be called: one line with single spaces; "" leaves it to the probe.

    Raises:
        InvalidInput: it is too long, holds control characters, or is "model", in whatever case.
    """
    name = " ".join(text.split())
    check_text(name, "The name of a result")
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise InvalidInput(
            f"The name of a result cannot hold control characters: got {name[:60]!r}. Give another name."
        )
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"The name of a result has at most {MAX_NAME_LENGTH} characters: this one has {len(name):,}. "
            "Give a shorter name."
        )
    if name.casefold() == "model":
        raise InvalidInput("A result cannot be called 'model': that is the model under diagnosis. Give another name.")
    return name


def check_seed(seed: int) -> int:
    """The seed itself.

    Raises:
        InvalidInput: it is negative or 2^32 or more.
    """
    if not 0 <= seed < SEEDS:
        raise InvalidInput(f"seed must be at least 0 and below {SEEDS:,}: got {str(seed)[:40]}.")
    return seed


def _next(setting: Setting) -> str:
    """What to do about a value that cannot be taken."""
    return "Without it one is chosen." if setting.default is None else f"The default is {setting.default!r}."


def _check_range(setting: Setting, value: float) -> None:
    low = float("-inf") if setting.low is None else setting.low
    high = float("inf") if setting.high is None else setting.high
    if not low <= value <= high:
        below = f"at most {high:g}" if low == float("-inf") else f"{low:g} to {high:g}"
        bounds = f"at least {low:g}" if high == float("inf") else below
        raise InvalidInput(f"{setting.name} must be {bounds}: got {value:g}. {_next(setting)}")


def _converted(kind: str, value: Any) -> Any:
    if kind == "bool":
        if isinstance(value, str):
            said = value.lower()
            if said not in (*YES, *NO):
                raise ValueError
            return said in YES
        if not isinstance(value, bool):
            raise TypeError
        return value
    if kind == "int":
        if isinstance(value, bool) or float(value) != int(float(value)):
            raise ValueError
        return int(float(value))
    if kind == "float":
        if isinstance(value, bool) or not math.isfinite(float(value)):
            raise ValueError
        return float(value)
    if not isinstance(value, str):
        raise TypeError
    return value
