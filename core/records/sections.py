"""What a result has to say, once: every view draws these records, and none computes a figure of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.records.diagnosis import Measure
from core.records.samples import I64, Estimate

Pictures = Callable[[I64], Sequence[Any]]
"""From row numbers to what the report's template `gallery` draws: `core.reports.html.gallery.ReportSample`."""
Figure = Callable[[Pictures], str]
"""Draws what words cannot say: markup whose texts are escaped, with neither scripts nor addresses from elsewhere."""
Verdict = Literal["confirmed", "not confirmed", "not tested", "hint", ""]
"""Confirmed: beyond chance. Not confirmed: could be chance. Not tested: chosen after seeing losses, or only counted.
Hint: with the probability that it is noise. "": the row makes no claim."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One thing that a section says: of a group, a class, a finding, a frozen finding on new data."""

    subject: str
    """What it is about, such as "Small objects": a title."""
    text: str
    """Its figures in one clause, the count first and the p-value last."""
    n: int = 0
    """Samples that it is about."""
    estimate: Estimate | None = None
    """An error rate (0 to 1) or a mean loss with its 95% interval, corrected for the search where it is confirmed."""
    against: float | None = None
    """The same of the samples that it is compared with."""
    measure: Measure | Literal["gain in points", "share of the class"] = "error rate"
    """What `estimate` and `against` are; a gain is the error rate of one model minus that of another, -1 to 1; of a
    confused pair the estimate is its share of the true class."""
    p: float | None = None
    """Adjusted for everything that was searched; None where nothing was tested."""
    verdict: Verdict = ""
    rank: int | None = None
    """From 1, of what is ranked."""
    details: tuple[str, ...] = ()
    """Further sentences, the most important first."""
    sure: tuple[str, ...] = ()
    """Sentences on how sure it is, for who asks."""
    rows: tuple[Row, ...] = ()
    """What describes it: conditions and phrases of a group."""
    samples: I64 | None = None
    """Row numbers, the most typical first; None where it is of no samples."""
    similar_but_right: I64 | None = None
    """Row numbers of similar samples without the failure."""
    figure: Figure | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of a result for the report, the terminal, the page and JSON; systems bring theirs (`core.systems`)."""

    title: str
    """Its heading."""
    lead: str = ""
    """One or two sentences above the rows."""
    warnings: Sequence[str] = ()
    """What must be known before the result is read: stands first."""
    rows: Sequence[Row] = ()
    """What it says, one row each."""
    figure: Figure | None = None
    """Draws what rows cannot say."""
    notes: Sequence[str] = ()
    """Plain sentences below the rows: in the terminal, the report, and the notes below the page's map."""
    method: Sequence[str] = ()
    """How it was tested: for the report and the page."""
    place: Literal["lead", "body"] = "body"
    """Whether it comes below the report's first figures, or after the findings."""
    hint: str = ""
    """A sentence for the page alone: what else can be asked."""
    key: str = ""
    """Its name in JSON, such as "groups"."""
