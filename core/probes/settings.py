"""A probe's settings as its dataclass declares them: what page and command line build their controls from, and how text becomes a value."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from core.errors import InvalidInput


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


def settings_of(probe: Any) -> tuple[Setting, ...]:
    """The settings of a probe's class, in order."""
    hints = typing.get_type_hints(probe)
    found: list[Setting] = []
    for field in fields(probe):
        hint, optional = hints[field.name], False
        if isinstance(hint, types.UnionType):
            inner = [a for a in typing.get_args(hint) if a is not type(None)]
            hint, optional = inner[0], True
        said: Mapping[str, Any] = field.metadata
        found.append(
            Setting(
                field.name,
                hint.__name__,
                None if field.default is MISSING else field.default,
                optional,
                said.get("help", ""),
                tuple(said.get("choices", ())),
                said.get("low"),
                said.get("high"),
                said.get("kind", ""),
                bool(said.get("advanced", False)),
            )
        )
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
        raise InvalidInput(f"{setting.name} needs a value. The default is {setting.default!r}.")
    try:
        read = _converted(setting.kind, value)
    except (TypeError, ValueError, KeyError, OverflowError):
        wanted = {"int": "a whole number", "float": "a number", "bool": "yes or no"}.get(setting.kind, "text")
        raise InvalidInput(f"{setting.name} must be {wanted}: got {str(value)[:60]!r}. The default is {setting.default!r}.") from None
    if setting.choices and read not in setting.choices:
        raise InvalidInput(f"{setting.name} must be one of {', '.join(setting.choices)}: got {str(value)[:60]!r}.")
    if setting.kind in ("int", "float"):
        _check_range(setting, read)
    return read


def _check_range(setting: Setting, value: float) -> None:
    low = float("-inf") if setting.low is None else setting.low
    high = float("inf") if setting.high is None else setting.high
    if not low <= value <= high:
        bounds = f"at least {low:g}" if high == float("inf") else f"at most {high:g}" if low == float("-inf") else f"{low:g} to {high:g}"
        raise InvalidInput(f"{setting.name} must be {bounds}: got {value:g}. The default is {setting.default!r}.")


def _converted(kind: str, value: Any) -> Any:
    if kind == "bool":
        if isinstance(value, str):
            return {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}[value.lower()]
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
