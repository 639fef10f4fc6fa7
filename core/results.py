"""What the methods of a run give: findings, answers, comparisons, gates, predictions, probes.

Each shows itself: a few lines in a terminal, images in a notebook. None computes a figure; they arrange what records
and sections hold.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.annotations import check_arguments
from core.errors import InvalidInput, printable
from core.files import as_path
from core.numbers import count
from core.records import I64, ClassFinding, Diagnosis, Estimate, FailureCluster, Insight, Row, Section

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

MAX_LINES = 10
"""Lines of a result in a terminal."""
MAX_LETTERS = 200
"""Letters of such a line."""
WIDTH = 110
"""Letters of a line of a sentence on its own."""
PREVIEW_SIZE = 512
"""Longest side in pixels of an image with outlines, and of a clip or a scan."""


def samples_frame(diagnosis: Diagnosis) -> pd.DataFrame:
    """(n, ...) a row for each sample: id, the text of texts, label, prediction and wrong where they are known,
    loss, predicted, spread, cluster (-1: none), membership, x, y, and the columns of the table."""
    from core.reports.tables.diagnosis import samples_table

    table = samples_table(diagnosis)
    samples = diagnosis.samples
    names = np.array([*samples.class_names, None], dtype=object)
    known: list[tuple[str, Any]] = []
    if samples.modality == "text" and samples.items is not None:
        known.append(("text", [samples.items.read(row).decode(errors="replace") for row in range(len(samples))]))
    for name, classes in (("label", samples.labels), ("prediction", diagnosis.outcomes.predictions)):
        if classes is not None:
            known.append((name, names[classes]))
    if diagnosis.outcomes.errors is not None:
        known.append(("wrong", diagnosis.outcomes.errors))
    for position, (name, values) in enumerate(known, start=1):
        table.insert(position, name, values)
    for column in samples.metadata:
        if column.name not in table:
            table[column.name] = column.values
    return table


def short(lines: Sequence[str]) -> str:
    """The lines, at most `MAX_LINES` of them and none longer than `MAX_LETTERS`."""
    shown = list(lines[:MAX_LINES])
    if len(lines) > MAX_LINES:
        shown[-1] = f"... and {len(lines) - MAX_LINES + 1:,} more lines"
    return "\n".join(line if len(line) <= MAX_LETTERS else f"{line[: MAX_LETTERS - 3]}..." for line in shown)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result:
    """A comparison, a gate, a prediction or a probe: what it says, and every field of its record."""

    run: Any
    """The `core.run.Run` with it."""
    section: Section
    """What it says: a title, a lead, a row for each group."""
    record: Any
    """The record whose fields are also fields of this result."""

    def to_frame(self) -> pd.DataFrame:
        """(r, 12) a row for each thing that it says: subject, text, n, value with low and high, p, verdict."""
        from core.reports.tables.sections import rows_table

        return rows_table([self.section])

    def report(self, path: str | Path) -> Path:
        """Write it with its images as one HTML file, and return the path.

        Args:
            path: of the file.
        """
        from core.reports.html.diagnosis import write_section

        write_section(self.run, self.section, as_path(path))
        return as_path(path)

    def __getattr__(self, name: str) -> Any:
        return _field_of(self, name)

    def __dir__(self) -> list[str]:
        return _names_of(self)

    def __repr__(self) -> str:
        from core.reports.terminal import section_lines

        return short(section_lines(self.section))

    def _repr_html_(self) -> str:
        from core.reports.html.notebook import section_html

        return section_html(self.run, self.section)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Selection:
    """Samples of a run, and what is said of them."""

    run: Any
    """The `core.run.Run` they are of."""
    title: str
    """Such as "Dogs in the snow"; of an answer the question in quotes."""
    text: str
    """Its figures in a sentence."""
    rows: I64
    """(m,) row numbers in the run, the most typical first."""
    record: Any
    """The record whose fields are also fields of this result."""

    @property
    def samples(self) -> pd.DataFrame:
        """(m, ...) its rows of `Run.to_frame`."""
        return samples_frame(self.run).iloc[self.rows]

    def images(self, most: int = 6) -> list[Image.Image]:
        """Its images: wrong ones first, the most typical first among them.

        Args:
            most: how many at most.

        Raises:
            InvalidInput: the samples have no images, or one cannot be decoded.
        """
        check_arguments(Selection.images, self, most)
        if most < 0:
            raise InvalidInput(f"The number of images must be at least 0: got {most}. Change it.")
        items = self.run.samples.items
        modality = self.run.samples.modality
        if items is None:
            raise InvalidInput("The run has vectors alone, so it has no images to show. Diagnose with images.")
        if modality == "text":
            raise InvalidInput('The samples are texts, not images. Read them with samples["text"].')
        return [_image(items.read(row), modality, items.marks(row)) for row in self.wrong_first()[:most].tolist()]

    def wrong_first(self) -> I64:
        """(m,) its rows, those that the model gets wrong first."""
        errors = self.run.outcomes.errors
        if errors is None:
            return self.rows
        return self.rows[np.argsort(~errors[self.rows], kind="stable")]

    def __getattr__(self, name: str) -> Any:
        return _field_of(self, name)

    def __dir__(self) -> list[str]:
        return _names_of(self)

    def __repr__(self) -> str:
        return short(wrap(printable(f"{self.title}: {self.text}"), WIDTH))

    def _repr_html_(self) -> str:
        from core.reports.html.notebook import selections_html

        return selections_html(self.run, [(self.title, self.text, self.wrong_first())])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reply(Selection):
    """The answer to a question, with the fields of `Answer`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Finding(Selection):
    """A finding of a run, with the fields of its record: `FailureCluster`, `ClassFinding` or `Insight`."""

    kind: Literal["group", "class", "confusion", "condition", "phrase", "hint"]
    """What it is; a hint is not confirmed."""
    row: Row
    """Its row of the run's sections."""

    @property
    def n_wrong(self) -> int | None:
        """Errors among its samples; None if errors are unknown."""
        errors = self.run.outcomes.errors
        if errors is None:
            return None
        return int(errors[self.rows].sum())

    @property
    def error_rate(self) -> float | None:
        """Share of its samples that are wrong, as counted; of a confused pair, its share of the true class. None if
        errors are unknown."""
        if isinstance(self.record, ClassFinding):
            return None if self.record.error_rate is None else self.record.error_rate.value
        if self.n_wrong is None:
            return None
        return self.n_wrong / len(self.rows)

    @property
    def others(self) -> float | None:
        """The error rate of the samples that it is compared with, or where errors are unknown their mean loss; None of
        a confused pair, and without such samples."""
        from core.statistics.counts import mean_of_other_classes

        if self.kind == "confusion":
            return None
        if isinstance(self.record, ClassFinding):
            return mean_of_other_classes(self.run, self.record)
        if self.run.outcomes.errors is None:
            return self.row.against
        return self.record.error_outside

    @property
    def corrected(self) -> Estimate | None:
        """The error rate, or where errors are unknown the mean loss, corrected for the search, with its 95% interval.
        None of a condition or phrase, of which the difference is estimated, and of a hint."""
        if isinstance(self.record, Insight) or self.kind == "hint":
            return None
        return self.record.error_rate or self.row.estimate

    @property
    def difference(self) -> Estimate | None:
        """How far it lies above the others, with its 95% interval, in the measure that was tested (`measure`). None of
        a class or a confused pair."""
        from core.statistics.measures import tested_effect

        if isinstance(self.record, ClassFinding):
            return None
        return tested_effect(self.record)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the interval of `corrected`, or without it of `difference`."""
        estimate = self.corrected or self.difference
        if estimate is None:
            return None
        return estimate.low, estimate.high


class Findings(list[Finding]):
    """The findings or the hints of a run, as a list with a table."""

    def __init__(self, run: Any, *, confirmed: bool) -> None:
        super().__init__(_confirmed(run) if confirmed else _hints(run))
        self._run = run
        self._is_confirmed = confirmed

    def to_frame(self) -> pd.DataFrame:
        """Their rows of `errata.findings_table`."""
        from core.reports.tables.findings import findings_table

        table = findings_table(self._run)
        return table[table["confirmed"] == self._is_confirmed].reset_index(drop=True)

    def lines(self, most: int = MAX_LINES) -> list[str]:
        """A line for each, the groups first, and how many are left out."""
        ordered = sorted(self, key=lambda finding: finding.kind != "group")
        lines = [repr(finding) for finding in ordered[:most]]
        if len(ordered) > most:
            lines[-1] = f"and {count(len(ordered) - most + 1, 'more finding')}"
        return lines

    def __repr__(self) -> str:
        if self:
            return short(self.lines())
        return "None is confirmed." if self._is_confirmed else "There are no hints."

    def _repr_html_(self) -> str:
        from core.reports.html.notebook import selections_html

        return selections_html(self._run, [(f.title, f.text, f.wrong_first()) for f in self])


def _confirmed(run: Any) -> list[Finding]:
    from core.reports.sections import class_row, group_row, insight_row
    from core.statistics.measures import insights_in_order

    found: list[Finding] = []
    for record in (c for c in run.classes if c.confirmed):
        found.append(_finding(run, record.kind, class_row(run, record), _rows_of_class(run, record), record))
    for cluster in run.clusters:
        found.append(_finding(run, "group", group_row(run, cluster), _members(run, cluster), cluster))
    for insight in insights_in_order(run):
        if insight.confirmed:
            found.append(_finding(run, insight.kind, insight_row(run, insight), np.flatnonzero(insight.mask), insight))
    return found


def _hints(run: Any) -> list[Finding]:
    from core.reports.sections import hints

    rows = hints(run).rows
    return [_finding(run, "hint", row, _members(run, c), c) for c, row in zip(run.candidates, rows, strict=True)]


def _finding(run: Any, kind: Any, row: Row, rows: Any, record: Any) -> Finding:
    return Finding(run, row.subject, row.text, rows.astype(np.int64), record, kind, row)


def _members(run: Any, cluster: FailureCluster) -> I64:
    from core.statistics.counts import top_members

    return top_members(run, cluster, len(run.samples))


def _rows_of_class(run: Any, finding: ClassFinding) -> I64:
    """The rows of a class, or of a confused pair; none of a superclass, whose classes the run does not keep."""
    from core.reports.tables.columns import confused_pairs
    from core.statistics.counts import rows_of_scope

    samples = run.samples
    predictions = run.outcomes.predictions
    inside = rows_of_scope(run, finding.name)
    if finding.kind == "confusion" and samples.labels is not None and predictions is not None:
        inside = confused_pairs(samples.class_names, samples.labels, predictions) == finding.name
    if inside is None:
        return np.empty(0, np.int64)
    return np.flatnonzero(inside)


def _field_of(result: Result | Selection, name: str) -> Any:
    if name.startswith("_") or name in ("record", "run"):  # `copy` asks before there is a record
        raise AttributeError(name)
    try:
        return getattr(result.record, name)
    except AttributeError:
        listed = ", ".join(_names_of(result))
        raise AttributeError(f"A {type(result).__name__.lower()} has no {name!r}. It has: {listed}.") from None


def _names_of(result: Result | Selection) -> list[str]:
    names = {*dir(type(result)), *dir(type(result.record))}
    return sorted(name for name in names if not name.startswith("_"))


def _image(payload: bytes, modality: str, marks: Any) -> Image.Image:
    from PIL import Image

    from core.data.images.decoding import decode
    from core.data.modality import Unreadable, modality_of

    if modality == "image" and not marks:
        try:
            return decode(payload).image
        except Unreadable as error:
            raise InvalidInput(f"The image {error}") from error
    return Image.open(io.BytesIO(modality_of(modality).preview(payload, PREVIEW_SIZE, marks)))
