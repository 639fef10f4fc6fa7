"""Look up systems beside the kernel, and their parts, by name; systems that are not installed are simply absent.

The kernel imports no system. This module imports `core.systems` by name: our systems, then those of other packages
(entry point group "errata.systems"). A system of another package that cannot be imported or that fails is skipped with
a warning; our own bugs are raised.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pandas import DataFrame

    from core.records import I64, Column, Diagnosis, SampleSet, Section
    from core.systems.contract import ModalityKind, Option, Panel, System

GROUP = "errata.systems"
_OWN = "core.systems"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """An encoder's listing, without loading it."""

    load: str
    """"module:Class" of a `core.encoders.Encoder`; it is called with the text after "name:"."""
    called: str
    """Name in `errata encoders`, such as "neuralizer" or "sentences:FOLDER"."""
    description: str
    """What it is and what it knows, in one or two sentences."""
    packages: tuple[str, ...]
    """Required modules."""
    how: str = ""
    """Further steps besides installing them."""
    comes_with: str = ""
    """The modality of which it is the default encoder; "" for an encoder that is always named."""


def why(error: BaseException) -> str:
    """Describe an error in one line, for a user who does not develop the package."""
    return f"{type(error).__name__}: {error}"


class Part(NamedTuple):
    """A registered part of a system."""

    system: System
    name: str
    """Name of the command, table, and so on."""
    value: Any
    foreign: bool
    """Whether it belongs to another package."""

    def call(self, *arguments: Any, fit: Callable[[Any], Any] = lambda result: result) -> Any:
        """Call the function named by the value. If one of another package fails, return None with a warning.

        Args:
            fit: converts the result to the expected type; raises an error for other types.
        """
        warning = f"The system {self.system.name!r} failed in {self.value} and is skipped there."
        return self.spared(lambda: fit(load(self.value)(*arguments)), warning)

    def spared(self, work: Callable[[], Any], warning: str) -> Any:
        """Return the result of `work`. Our own bugs are raised; an error of another package becomes None with a
        warning.

        Args:
            warning: the sentence before the error.
        """
        try:
            return work()
        except Exception as error:
            if not self.foreign:
                raise
            _log.warning("%s %s", warning, why(error))
            return None


def load(name: str) -> Any:
    """Import "module:attribute"."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


@cache
def own_systems() -> tuple[System, ...]:
    """List the systems of `core.systems`, in order; none without that folder."""
    try:
        listed: Sequence[str] = import_module(_OWN).SYSTEMS
    except ModuleNotFoundError as error:
        if error.name != _OWN:
            raise
        return ()
    return tuple(load(name) for name in listed)


@cache
def foreign_systems() -> tuple[System, ...]:
    """List the systems of other packages, sorted by entry point."""
    if not own_systems():
        return ()
    kind = load(f"{_OWN}.contract:System")
    systems = list[Any]()
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            system = entry.load()
        except (Exception, SystemExit) as error:
            _log.warning(
                "The system %r (%s) cannot be imported and is skipped. %s", entry.name, entry.value, why(error)
            )
            continue
        if not isinstance(system, kind):
            _log.warning("%s is not a System of errata and is skipped.", entry.value)
            continue
        try:
            system.check()
        except Exception as error:
            _log.warning("The system of %s does not fit and is skipped. %s", entry.value, why(error))
            continue
        systems.append(system)
    return tuple(systems)


@cache
def parts(kind: str) -> tuple[Part, ...]:
    """List every part of a kind, a field of `System`, our systems first. The first of two with the same name counts."""
    by_name = dict[str, Part]()
    for foreign, systems in ((False, own_systems()), (True, foreign_systems())):
        for system in systems:
            brought = getattr(system, kind)
            if isinstance(brought, str):
                named = {system.name: brought} if brought else {}
            elif isinstance(brought, Mapping):
                named = brought
            else:
                named = {part.name if hasattr(part, "name") else part.key: part for part in brought}
            for name, value in named.items():
                if name in by_name:
                    _log.warning("%r of the system %r is taken (%s) and is skipped.", name, system.name, kind)
                else:
                    by_name[name] = Part(system, name, value, foreign)
    return tuple(by_name.values())


def commands() -> dict[str, str]:
    """Map commands to modules."""
    return {part.name: part.value for part in parts("commands")}


def options(command: str) -> list[Option]:
    """List the options that systems add to a command of the kernel."""
    return [part.value for part in parts("options") if part.value.command == command]


def methods() -> dict[str, str]:
    """Map the methods that systems add to a run from Python to their functions."""
    return {part.name: part.value for part in parts("methods")}


def panels(place: str) -> list[Panel]:
    """List the panels at that place of the page."""
    return [part.value for part in parts("panels") if part.value.place == place]


def encoders() -> dict[str, EncoderKind]:
    """Map encoders to their listing."""
    return {part.name: part.value for part in parts("encoders")}


def modalities() -> dict[str, ModalityKind]:
    """Map modalities to their loading and recognition."""
    return {part.name: part.value for part in parts("modalities")}


def extra_of(name: str) -> str:
    """Return the extra of the wheel for a system's command or encoder; "" if unknown."""
    for part in (*parts("commands"), *parts("encoders")):
        if part.name == name:
            return part.system.extra
    return ""


def sections(diagnosis: Diagnosis) -> list[Section]:
    """Collect the systems' sections on a run."""
    sections = list[Any]()
    for part in parts("sections"):
        for section in part.call(diagnosis, fit=_sections) or ():
            draw = None if section.figure is None else _guarded(part, section.figure)
            sections.append(replace(section, figure=draw))
    return sections


def _listed(items: Any) -> list[Any]:
    """Make a list of a sequence; None is empty."""
    if isinstance(items, str | bytes):
        raise TypeError(f"must be a sequence, not {items[:40]!r}")
    return list(() if items is None else items)


def _check_text(text: Any) -> None:
    """Check that it is a string that a file can hold: half a UTF-16 pair fails."""
    if not isinstance(text, str):
        raise TypeError(f"must be a string, not {type(text).__name__}")
    text.encode()


def _sections(result: Any) -> list[Section]:
    """Check sections, their rows, and the types of their fields."""
    from core.records import Row, Section

    sections = list[Any]()
    for item in _listed(result):
        if not isinstance(item, Section):
            raise TypeError(f"must be a Section, not {type(item).__name__}")
        lists = {name: _listed(getattr(item, name)) for name in ("rows", "warnings", "notes", "method")}
        section = replace(item, **lists)
        for row in lists["rows"]:
            if not isinstance(row, Row):
                raise TypeError(f"rows of a Section must be Rows, not {type(row).__name__}")
            for text in (row.subject, row.text, *row.details, *row.sure):
                _check_text(text)
        for text in (section.title, section.lead, section.hint, *section.notes, *section.warnings, *section.method):
            _check_text(text)
        if section.figure is not None and not callable(section.figure):
            raise TypeError("figure of a Section must be a function")
        if section.place not in ("lead", "body"):
            raise ValueError(f"the place of a Section must be lead or body, not {section.place!r}")
        sections.append(section)
    return sections


def _guarded(part: Part, draw: Callable[[Any], str]) -> Callable[[Any], str]:
    """Wrap a section's drawing, so that an error of another package does not end the report."""
    warning = f"The system {part.system.name!r} cannot draw its section; it is skipped."

    def draw_text(pictures: Any) -> str:
        text: Any = draw(pictures)
        _check_text(text)
        return text

    def draw_safely(pictures: Any) -> str:
        return part.spared(lambda: draw_text(pictures), warning) or ""

    return draw_safely


def documents(diagnosis: Diagnosis, plain: Callable[[Any], Any]) -> dict[str, Any]:
    """Collect the systems' additions to diagnosis.json by key, converted to JSON by `plain`."""

    def to_document(result: Any) -> Any:
        document = plain(result)
        _check_text(json.dumps(document, ensure_ascii=False))
        return document

    return {part.name: part.call(diagnosis, fit=to_document) for part in parts("documents")}


def table_names() -> list[str]:
    """List the tables that systems make of a run."""
    return [part.name for part in parts("tables")]


def table_of(name: str, diagnosis: Diagnosis, pack: Callable[[DataFrame], Any]) -> Any:
    """Build the table of that name and `pack` it; None if its system fails or the table cannot be packed."""
    part = next(part for part in parts("tables") if part.name == name)
    return part.call(diagnosis, fit=pack)


def facts(diagnosis: Diagnosis, row: int) -> list[str]:
    """Collect the systems' facts about one sample."""
    lines: list[str] = []
    for part in parts("facts"):
        lines += map(str, part.call(diagnosis, row, fit=_listed) or ())
    return lines


def second_opinion(diagnosis: Diagnosis, rows: I64) -> tuple[int, int] | None:
    """Count the model's errors among the rows that another model gets right: (right, errors), of the first system that
    knows; None if none does."""
    counts = (part.call(diagnosis, rows, fit=_two_counts) for part in parts("second_opinion"))
    return next(filter(None, counts), None)


def _two_counts(result: Any) -> tuple[int, int] | None:
    if result is None:
        return None
    right, n = result
    return int(right), int(n)


def described(samples: SampleSet) -> tuple[Column, ...]:
    """Collect the systems' columns that describe the samples. An invalid `Column`, or one whose name is taken, is
    skipped with a warning."""
    taken = {column.name for column in (*samples.metadata, *samples.model_outputs)}
    columns = list[Any]()
    kind = load("core.records:Column")
    for part in parts("describers"):
        for column in part.call(samples, fit=_listed) or ():
            try:
                if not isinstance(column, kind):
                    raise TypeError("it is not a Column")
                column.check(len(samples))
                if column.kind != "number":
                    _check_text("".join(filter(None, column.values.tolist())))
                _check_text(column.name)
                if column.name in taken:
                    raise ValueError("the samples already have a column of that name: choose another")
            except Exception as error:
                if not part.foreign:
                    raise
                name = str(getattr(column, "name", type(column).__name__))[:80]
                _log.warning("A column %r of the system %r is skipped. %s", name, part.name, why(error))
                continue
            taken.add(column.name)
            columns.append(column)
    return tuple(columns)
