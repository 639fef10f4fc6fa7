"""The systems that stand beside the kernel: found by name, asked for their parts, and simply not there where they are
not installed.

The kernel imports no system. It asks here, and here `core.systems` is imported by name: our own systems, then those of
other packages (entry point group "errata.systems"). One of those that cannot be imported, or that fails while it is
asked, is left out with a warning; a fault of ours is raised.
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

    from core.records import I64, Column, Diagnosis, SampleSet
    from core.systems.contract import ModalityKind, Option, Panel, Section, System

GROUP = "errata.systems"
_OWN = "core.systems"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """An encoder, as it is listed without being loaded."""

    load: str
    """"module:Class"; it is called with what stands behind "name:", and the class is a `core.encoders.Encoder`."""
    called: str
    """As `errata encoders` lists it, such as "neuralizer" or "sentences:FOLDER"."""
    description: str
    """What it is, and what it knows: a sentence or two."""
    packages: tuple[str, ...]
    """Modules that must be installed."""
    how: str = ""
    """What to do besides installing them."""
    comes_with: str = ""
    """The modality whose items it embeds where no encoder is named; "" of an encoder that is always named."""


def why(error: BaseException) -> str:
    """What went wrong, in a line: a user is no developer of that package."""
    return f"{type(error).__name__}: {error}"


class Part(NamedTuple):
    """A part of a system, as it signed on."""

    system: System
    name: str
    """Such as the command's, or the table's."""
    value: Any
    foreign: bool
    """Whether another package brought it."""

    def call(self, *given: Any, fit: Callable[[Any], Any] = lambda found: found) -> Any:
        """What the function behind the value gives; of another package's, None where it fails, and a warning.

        Args:
            fit: from that to what is needed; raises an error where it is something else.
        """
        said = f"The system {self.system.name!r} failed in {self.value} and is left out there."
        return self.spared(lambda: fit(load(self.value)(*given)), said)

    def spared(self, work: Callable[[], Any], said: str) -> Any:
        """What `work` gives. A fault of ours is raised; that of another package ends nothing: None, and a warning.

        Args:
            said: the warning's sentence, before what went wrong.
        """
        try:
            return work()
        except Exception as error:
            if not self.foreign:
                raise
            _log.warning("%s %s", said, why(error))
            return None


def load(name: str) -> Any:
    """What "module:attribute" names."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


@cache
def own_systems() -> tuple[System, ...]:
    """Those of `core.systems`, in its order; none where that folder is not there."""
    try:
        listed: Sequence[str] = import_module(_OWN).SYSTEMS
    except ModuleNotFoundError as error:
        if error.name != _OWN:
            raise
        return ()
    return tuple(load(name) for name in listed)


@cache
def foreign_systems() -> tuple[System, ...]:
    """Those that other packages bring, by the names of their entry points."""
    if not own_systems():
        return ()
    kind = load(f"{_OWN}.contract:System")
    found = list[Any]()
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            system = entry.load()
        except (Exception, SystemExit) as error:
            _log.warning(
                "The system %r (%s) cannot be imported and is left out. %s", entry.name, entry.value, why(error)
            )
            continue
        if not isinstance(system, kind):
            _log.warning("%s is no System of errata and is left out.", entry.value)
            continue
        try:
            system.check()
        except Exception as error:
            _log.warning("The system of %s does not fit and is left out. %s", entry.value, why(error))
            continue
        found.append(system)
    return tuple(found)


@cache
def parts(kind: str) -> tuple[Part, ...]:
    """Every part of that kind, a field of `System`, our own systems first; of two of one name the first."""
    found = dict[str, Part]()
    for foreign, systems in ((False, own_systems()), (True, foreign_systems())):
        for system in systems:
            brought = getattr(system, kind)
            if isinstance(brought, str):
                named = {system.name: brought} if brought else {}
            elif isinstance(brought, Mapping):
                named = brought
            else:
                named = {one.name if hasattr(one, "name") else one.key: one for one in brought}
            for name, value in named.items():
                if name in found:
                    _log.warning("%r of the system %r is taken (%s) and is left out.", name, system.name, kind)
                else:
                    found[name] = Part(system, name, value, foreign)
    return tuple(found.values())


def commands() -> dict[str, str]:
    """Command -> module."""
    return {part.name: part.value for part in parts("commands")}


def options(command: str) -> list[Option]:
    """What systems add to a command of the kernel."""
    return [part.value for part in parts("options") if part.value.command == command]


def panels(place: str) -> list[Panel]:
    """The parts of the page at that place."""
    return [part.value for part in parts("panels") if part.value.place == place]


def encoders() -> dict[str, EncoderKind]:
    """Encoder -> how it is loaded and listed."""
    return {part.name: part.value for part in parts("encoders")}


def modalities() -> dict[str, ModalityKind]:
    """Modality -> how it is loaded and recognized."""
    return {part.name: part.value for part in parts("modalities")}


def extra_of(name: str) -> str:
    """The extra of the wheel that a system's command or encoder of that name needs; "" where none is known."""
    named = (part for kind in ("commands", "encoders") for part in parts(kind) if part.name == name)
    return next((part.system.extra for part in named), "")


def sections(diagnosis: Diagnosis) -> list[Section]:
    """What systems have to say of a run."""
    found = list[Any]()
    for part in parts("sections"):
        for section in part.call(diagnosis, fit=_sections) or ():
            draw = None if section.html is None else _guarded(part, section.html)
            found.append(replace(section, html=draw))
    return found


def _listed(found: Any) -> list[Any]:
    """The items of a sequence; none of None."""
    if isinstance(found, str | bytes):
        raise TypeError(f"several are needed, not {found[:40]!r}")
    return list(() if found is None else found)


def _check_text(found: Any) -> None:
    """See that it is a text, and one that a file can hold: half a pair of UTF-16 is none."""
    if not isinstance(found, str):
        raise TypeError(f"a text is needed, not {type(found).__name__}")
    found.encode()


def _sections(found: Any) -> list[Section]:
    """Sections whose fields hold what `Section` says."""
    kind = load(f"{_OWN}.contract:Section")
    sections = list[Any]()
    for one in _listed(found):
        if not isinstance(one, kind):
            raise TypeError(f"a Section is needed, not {type(one).__name__}")
        section = replace(one, lines=_listed(one.lines))
        for text in (section.title, section.hint, *section.lines):
            _check_text(text)
        if section.html is not None and not callable(section.html):
            raise TypeError("html of a Section is a function")
        if section.place not in ("lead", "body"):
            raise ValueError(f"the place of a Section is lead or body, not {section.place!r}")
        sections.append(section)
    return sections


def drawn(sections: Sequence[Section], place: str, pictures: Callable[[I64], Sequence[Any]]) -> list[str]:
    """Those of the report's sections that stand at that place, as markup."""
    return [section.html(pictures) for section in sections if section.place == place and section.html is not None]


def _guarded(part: Part, draw: Callable[[Any], str]) -> Callable[[Any], str]:
    """A section's drawing; another package's may fail without ending the report."""
    said = f"The system {part.system.name!r} cannot draw its section; it is left out."

    def text(pictures: Any) -> str:
        found: Any = draw(pictures)
        _check_text(found)
        return found

    def drawn(pictures: Any) -> str:
        return part.spared(lambda: text(pictures), said) or ""

    return drawn


def documents(diagnosis: Diagnosis, plain: Callable[[Any], Any]) -> dict[str, Any]:
    """What systems add to diagnosis.json, by key, each as `plain` makes it JSON."""

    def written(found: Any) -> Any:
        document = plain(found)
        _check_text(json.dumps(document, ensure_ascii=False))
        return document

    return {part.name: part.call(diagnosis, fit=written) for part in parts("documents")}


def table_names() -> list[str]:
    """The tables that systems make of a run."""
    return [part.name for part in parts("tables")]


def table_of(name: str, diagnosis: Diagnosis, pack: Callable[[DataFrame], Any]) -> Any:
    """What `pack` makes of the table of that name; None where its system fails, or it is none that can be packed."""
    return next(part for part in parts("tables") if part.name == name).call(diagnosis, fit=pack)


def facts(diagnosis: Diagnosis, row: int) -> list[str]:
    """What systems know of one sample."""
    told = [part.call(diagnosis, row, fit=_listed) or () for part in parts("facts")]
    return [str(line) for lines in told for line in lines]


def described(samples: SampleSet) -> tuple[Column, ...]:
    """The columns by which systems describe the samples; those that hold something else than a `Column` says, or whose
    name is taken, are left out with a warning."""
    taken = {column.name for column in (*samples.metadata, *samples.model_outputs)}
    found = list[Any]()
    kind = load("core.records:Column")
    for part in parts("describers"):
        for column in part.call(samples, fit=_listed) or ():
            try:
                if not isinstance(column, kind):
                    raise TypeError("it is no Column")
                column.check(len(samples))
                if column.kind != "number":
                    _check_text("".join(filter(None, column.values.tolist())))
                _check_text(column.name)
                if column.name in taken:
                    raise ValueError("the samples have a column of that name already: give it another")
            except Exception as error:
                if not part.foreign:
                    raise
                name = str(getattr(column, "name", type(column).__name__))[:80]
                _log.warning("A column %r of the system %r is left out. %s", name, part.name, why(error))
                continue
            taken.add(column.name)
            found.append(column)
    return tuple(found)
