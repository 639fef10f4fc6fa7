"""What a system may bring to the diagnosis: the record by which it signs on.

A system is a folder of `core/systems`, or somebody else's package, that knows something the kernel does not: a
classifier, a benchmark, a network for scans. Every part is optional and stands as text, "module:attribute", so that
signing on imports nothing; the kernel imports a part when it is first used (`core.extensions`) and never names a
system. docs/systems.md lists them all and shows one in a single file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.annotations import check_fields
from core.extensions import EncoderKind as EncoderKind


@dataclass(frozen=True, slots=True)
class Option:
    """An option that a system adds to a command of the kernel."""

    command: str
    """The kernel's command; "ask" takes options."""
    flag: str
    """Such as "--rerank DIR"."""
    help: str
    """A noun phrase, for --help."""
    check: str
    """"module:function", called as check(value) before any work; raises InvalidInput for a value that cannot do."""
    change: str
    """"module:function", called as change(diagnosis, answers, value, progress). It gives (answers, document): the
    answers, their matches perhaps in another order, and a mapping whose "sentence" is printed."""
    json_key: str
    """The key of --json below which that mapping stands; null there where the option is not given."""

    @property
    def key(self) -> str:
        """The option's name without dashes."""
        return self.flag.partition(" ")[0].removeprefix("--").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page."""

    place: Literal["tab", "ask", "probe", "findings"]
    """"tab": a place of its own, after the page's own. "ask": a fold below the question in Ask. "probe": a part of
    Probe. "findings": a fold below the findings."""
    name: str
    """The place's id in the page's address; of a part a name of its own."""
    build: str
    """"module:function", called as build(page, opening) when the place is first opened: a `webapp.panels.Page` and a
    `webapp.panels.Opening`."""
    title: str = ""
    """Of a place, or of a part of Probe."""


@dataclass(frozen=True, slots=True)
class ModalityKind:
    """A kind of item, such as "scan"."""

    load: str
    """"module:Class", a `core.data.modality.Modality`."""
    suffixes: frozenset[str]
    """How the names of its files end, such as ".wav"."""


@dataclass(frozen=True, slots=True)
class System:
    """Everything that a system brings; what it found of a run stands in `Diagnosis.extras` under a key of its own."""

    name: str
    """What messages call it; of ours, its folder."""
    paper: str = ""
    """Authors, year and address."""
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    """Command -> the module that holds it as a function of its name, made by `core.cli.command.command`, or any Click
    command."""
    options: tuple[Option, ...] = ()
    """Options that it adds to commands of the kernel."""
    methods: Mapping[str, str] = field(default_factory=dict[str, str])
    """Method of a run from Python -> "module:function", called as function(run, ...) with a `core.run.Run`."""
    panels: tuple[Panel, ...] = ()
    """Its tabs and folds on the page."""
    sections: str = ""
    """sections(diagnosis) -> Sequence[Section]; none where the run has nothing of it."""
    documents: Mapping[str, str] = field(default_factory=dict[str, str])
    """Key of diagnosis.json -> document(diagnosis) -> JSON values."""
    tables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name -> table(diagnosis) -> pandas.DataFrame: NAME.parquet beside the run where it has rows, and `export --what
    NAME`."""
    figures: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name -> figure(diagnosis) -> plotly's Figure, which is `errata.figures.NAME`."""
    facts: str = ""
    """facts(diagnosis, row) -> Sequence[str]: lines on the card of one sample."""
    second_opinion: str = ""
    """second_opinion(diagnosis, rows) -> (right, errors) or None: how many of the model's errors among the rows another
    model gets right, at once."""
    describers: str = ""
    """describers(samples) -> Sequence[Column]: (n,) numbers or words, each a condition that the search may test, and
    that may become a title. Also called for the fresh samples of `predict`."""
    encoders: Mapping[str, EncoderKind] = field(default_factory=dict[str, EncoderKind])
    """Name -> encoder; "NAME" or "NAME:REST" loads it."""
    modalities: Mapping[str, ModalityKind] = field(default_factory=dict[str, ModalityKind])
    """Name -> kind of item."""
    endpoints: str = ""
    """endpoints() adds the page's public addresses for programs, inside the open `gr.Blocks`."""
    extra: str = ""
    """The extra of the wheel with the packages that its commands and encoders need (pyproject.toml)."""
    records: str = ""
    """The module whose dataclasses `Diagnosis.extras` may hold on disk."""

    def check(self) -> None:
        """See that every part is what its field says.

        Raises:
            TypeError, ValueError: one is not; it is named.
        """
        check_fields(self)
        for part in (*self.options, *self.panels, *self.encoders.values(), *self.modalities.values()):
            check_fields(part)
        for flag in (option.flag for option in self.options):
            if not re.fullmatch(r"--[a-z][a-z0-9-]*( \S+)?", flag):
                raise ValueError(f"an option is such as '--rerank DIR', not {flag[:40]!r}")
        for table in self.tables:
            if not re.fullmatch(r"[\w-]+", table):
                raise ValueError(f"a table is called in letters, digits, - and _, not {table[:40]!r}")
