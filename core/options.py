"""Read a probe's settings from its dataclass, for the controls of page and command line, and parse their values from
text."""

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
"""Characters of a result's name."""
YES = ("yes", "true", "1", "on")
NO = ("no", "false", "0", "off")
SEEDS = 2**32
"""Exclusive upper limit of seeds, as in scikit-learn."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a probe's dataclass."""

    name: str
    kind: str
    """"bool", "int", "float", "str"."""
    default: Any
    optional: bool
    """Whether it can be None: the probe then chooses."""
    help: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    widget: str = ""
    """"text" for several lines, "file", "folder", or "" for the default."""
    advanced: bool = False


def setting(default: Any, help: str, **properties: Any) -> Any:
    """Declare a dataclass field that is a setting.

    Args:
        help: a sentence.
        properties: `choices`, `low`, `high`, `kind` ("text" for several lines, "file", "folder"), `advanced` (True:
            below the fold).
    """
    return field(default=default, metadata={"help": help, **properties})


def settings_of(probe: Any) -> tuple[Setting, ...]:
    """List the settings of a probe's class, in order."""
    hints = typing.get_type_hints(probe)
    settings: list[Setting] = []
    for declared in fields(probe):
        hint = hints[declared.name]
        optional = False
        if isinstance(hint, types.UnionType):
            inner = [a for a in typing.get_args(hint) if a is not type(None)]
            hint = inner[0]
            optional = True
        properties = dict(declared.metadata)
        default = None if declared.default is MISSING else declared.default
        widget = properties.pop("kind", "")
        settings.append(Setting(declared.name, hint.__name__, default, optional, widget=widget, **properties))
    return tuple(settings)


def read_settings(probe: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values (also text) to the kinds of the fields, and check choices and bounds.

    Raises:
        InvalidInput: an unknown name, a wrong kind, or a value out of range.
    """
    known = {s.name: s for s in settings_of(probe)}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidInput(f"{probe.title} has no setting {', '.join(map(repr, unknown))}. It has: {', '.join(known)}.")
    return {name: _read(known[name], value) for name, value in values.items()}


def _read(setting: Setting, value: Any) -> Any:
    if value is None or (value == "" and (setting.optional or setting.kind != "str")):
        if setting.optional:
            return None
        raise InvalidInput(f"{setting.name} needs a value. {_next(setting)}")
    try:
        converted = _convert(setting.kind, value)
    except (TypeError, ValueError, KeyError, OverflowError):
        wanted = {"int": "a whole number", "float": "a number", "bool": "yes or no"}.get(setting.kind, "text")
        raise InvalidInput(f"{setting.name} must be {wanted}: got {str(value)[:60]!r}. {_next(setting)}") from None
    if setting.kind == "str":
        check_text(converted, setting.name)
    if setting.choices and converted not in setting.choices:
        raise InvalidInput(f"{setting.name} must be one of {', '.join(setting.choices)}: got {str(value)[:60]!r}.")
    if setting.kind in ("int", "float"):
        low = -math.inf if setting.low is None else setting.low
        high = math.inf if setting.high is None else setting.high
        if not low <= converted <= high:
            bounds = f"{low:g} to {high:g}"
            if high == math.inf:
                bounds = f"at least {low:g}"
            elif low == -math.inf:
                bounds = f"at most {high:g}"
            raise InvalidInput(f"{setting.name} must be {bounds}: got {converted:g}. {_next(setting)}")
    return converted


def check_text(text: str, what: str) -> None:
    """Refuse text that files and text towers cannot take.

    Raises:
        InvalidInput: half of a surrogate pair, which remains of bytes that are not UTF-8.
    """
    half = None if text.isascii() else _HALF.search(text)
    if half:
        raise InvalidInput(
            f"{what}: character {half.start() + 1} is not valid UTF-8 ({half[0]!a}). Re-save the text as UTF-8."
        )


def read_name(text: str) -> str:
    """Read the name of a result: one line with single spaces; "" for the probe's default.

    Raises:
        InvalidInput: too long, control characters, or "model" in any case.
    """
    name = " ".join(text.split())
    check_text(name, "The name of a result")
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise InvalidInput(
            f"The name of a result cannot hold control characters: got {name[:60]!r}. Choose another name."
        )
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"The name of a result has at most {MAX_NAME_LENGTH} characters: got {len(name):,}. Shorten it."
        )
    if name.casefold() == "model":
        raise InvalidInput("'model' is reserved for the model under diagnosis. Choose another name.")
    return name


def check_seed(seed: int) -> int:
    """Check a seed and return it.

    Raises:
        InvalidInput: negative, or 2^32 or more.
    """
    if not 0 <= seed < SEEDS:
        raise InvalidInput(f"seed must be at least 0 and below {SEEDS:,}: got {str(seed)[:40]}.")
    return seed


def _next(setting: Setting) -> str:
    """Write the next step after an invalid value."""
    if setting.default is None:
        return "Leave it empty for an automatic choice."
    return f"The default is {setting.default!r}."


def _convert(kind: str, value: Any) -> Any:
    if kind == "bool":
        if isinstance(value, str):
            answer = value.lower()
            if answer not in (*YES, *NO):
                raise ValueError
            return answer in YES
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
