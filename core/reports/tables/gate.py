"""A gate as Markdown for a person and as JUnit XML for a server that runs checks."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.checks.checkpoints.gate import Gate, is_worse
from core.errors import printable
from core.language.titles import capital
from core.numbers import count, interval, p_value, percent, points
from core.records import ClassFinding, Diagnosis, Estimate, FailureCluster, FourWay, Row, Section
from core.reports.wording.comparison import scope_title
from core.reports.wording.findings import cluster_title

_MARKS = re.compile(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)")
"""What Markdown reads as more than a letter; a "_" inside a word is one."""
STATES = {"passed": "not shown worse", "failed": "worse", "skipped": "not tested"}
COVERAGE_STATES = {"passed": "enough", "failed": "**too few**"}
COVERAGE = "coverage"

KINDS = {"cluster": "group"}


@dataclass(frozen=True, slots=True)
class GateCase:
    """One thing that was asked."""

    kind: str
    """COVERAGE, "all samples", "group", "condition", "phrase" or "new regressions"."""
    title: str
    n: int
    state: str
    """A key of `STATES`."""
    figure: str
    """The new model's error rate, and its change in points with interval and p; or why it was not tested."""


def gate_cases(diagnosis: Diagnosis, gate: Gate) -> list[GateCase]:
    """How many of the samples were answered, if not all; all samples; then the run's findings, clusters in rank order
    first, then what is new."""
    comparison = gate.comparison
    cases = list[GateCase]()
    if gate.answered < 1:
        n = len(diagnosis.samples)
        answered = round(gate.answered * n)
        figure = f"{answered:,} of {n:,} are answered ({percent(gate.answered, 1)}), "
        figure += f"{percent(gate.coverage)} are asked for"
        cases.append(GateCase(COVERAGE, "the run's samples", answered, _state(gate.covers), figure))
    cases.append(_scope("all samples", "all samples", comparison.overall, gate.margin))
    for scope in gate.findings:
        kind = KINDS.get(scope.kind, scope.kind)
        cases.append(_scope(kind, scope_title(diagnosis, scope), scope, gate.margin))
    if gate.regressions is not None and gate.new:
        return [*cases, *(_new(gate.regressions, finding) for finding in gate.new)]
    state = "passed"
    why = "none was confirmed"
    if gate.unsearched:
        state = "skipped"
        why = gate.unsearched
    elif gate.regressions is None:
        why = "no sample was broken"
    return [*cases, GateCase("new regressions", "anywhere else", len(comparison.rows), state, why)]


def _state(passed: bool) -> str:
    if passed:
        return "passed"
    return "failed"


def _scope(kind: str, title: str, scope: FourWay, margin: float) -> GateCase:
    if scope.p is None:
        return GateCase(kind, title, scope.n, "skipped", f"not tested: {count(scope.n, 'sample')}")
    less = scope.difference
    more = Estimate(-less.value, -less.high, -less.low)
    wrong = percent((scope.broken + scope.both) / scope.n)
    return GateCase(
        kind, title, scope.n, _state(not is_worse(scope, margin)), f"{wrong} wrong: {_change(more, scope.p)}"
    )


def _new(regressions: Diagnosis, finding: ClassFinding | FailureCluster) -> GateCase:
    if isinstance(finding, ClassFinding):
        name = f"the class {finding.name}"
        return GateCase("new regressions", name, finding.size, "failed", _change(finding.mean_loss, finding.p))
    aside = ""
    if regressions.samples.labels is not None:
        aside = ", class means set aside (whole classes are tested apart)"
    figure = f"{points(finding.mean_loss, digits=1)}; beyond the rest{aside}: {_change(finding.excess_loss, finding.p)}"
    return GateCase("new regressions", cluster_title(regressions, finding), finding.size, "failed", figure)


def _change(more: Estimate, p: float | None) -> str:
    change = points(more.value, digits=1)
    ends = interval(more, points=True, digits=1)
    if p is None:
        return f"{change} ({ends})"
    return f"{change} ({ends}, {p_value(p)})"


def gate_section(diagnosis: Diagnosis, gate: Gate) -> Section:
    """The outcome, then a row for each thing that was asked."""
    cases = gate_cases(diagnosis, gate)
    rows = list[Row]()
    for case in cases:
        states = COVERAGE_STATES if case.kind == COVERAGE else STATES
        outcome = capital(states[case.state].strip("*"))
        rows.append(Row(case.title, f"{outcome}. {capital(case.figure)}.", case.n))
    return Section(_outcome(gate, cases, gate.comparison.b), rows=rows, notes=[*gate.notes, *_notes(gate)], key="gate")


def _outcome(gate: Gate, cases: Sequence[GateCase], model: str) -> str:
    n_worse = sum(case.state == "failed" for case in cases if case.kind != COVERAGE)
    why = list[str]()
    if not gate.covers:
        why.append("leaves too many samples without an answer")
    if n_worse:
        why.append(f"is worse in {count(n_worse, 'place')}")
    if why:
        return f"Gate failed: {model} {' and '.join(why)}"
    return f"Gate passed: {model}"


def gate_markdown(diagnosis: Diagnosis, gate: Gate) -> str:
    """A heading that says the outcome, a table, and the notes."""
    cases = gate_cases(diagnosis, gate)
    lines = [f"## {_outcome(gate, cases, _text(gate.comparison.b))}", ""]
    for note in gate.notes:
        lines += [_text(note), ""]
    lines += [
        "| where | samples | the new model's error rate, and by how much it is above the old one's | |",
        "|---|---|---|---|",
    ]
    states = STATES | {"failed": "**worse**"}
    if gate.margin > 0:
        states["passed"] = "not shown beyond the margin"
    for case in cases:
        outcome = (COVERAGE_STATES if case.kind == COVERAGE else states)[case.state]
        where = _text(case.title)
        if case.title != case.kind:
            where = f"{case.kind}: {where}"
        lines.append(f"| {where} | {case.n:,} | {_text(case.figure)} | {outcome} |")
    lines += ["", f"Findings of the run: `{gate.digest[:12]}`."]
    return "\n".join([*lines, *(f"\n{_text(note)}" for note in _notes(gate))])


def _text(text: str) -> str:
    """Of a user's: no cell, tag, link, image, emphasis or line of its own. A "<" before a space opens none, and stays
    as it is for those who read it in a terminal."""
    escaped = html.escape(_MARKS.sub(r"\\\g<0>", printable(text).replace("\n", " ")), quote=False)
    return escaped.replace("&lt; ", "< ").replace("&lt;\u00a0", "<\u00a0")


def gate_junit(diagnosis: Diagnosis, gate: Gate) -> str:
    """One test case for each thing that was asked. Its name is the title, and its class the kind. The notes, such as on
    samples that were left out, follow."""
    cases = gate_cases(diagnosis, gate)
    counts = {"tests": len(cases), "failures": _of(cases, "failed"), "skipped": _of(cases, "skipped"), "errors": 0}
    attributes = {name: str(n) for name, n in counts.items()}
    top = ET.Element("testsuites", {"name": "errata gate", **attributes})
    suite = ET.SubElement(top, "testsuite", {"name": printable(gate.comparison.b), **attributes})
    for case in cases:
        named = {"classname": f"errata.gate.{case.kind}", "name": printable(case.title)}
        element = ET.SubElement(suite, "testcase", named)
        figure = f"{count(case.n, 'sample')}: {printable(case.figure)}"
        if case.state == "passed":
            ET.SubElement(element, "system-out").text = figure
        else:
            tag = {"failed": "failure", "skipped": "skipped"}[case.state]
            ET.SubElement(element, tag, {"message": figure})
    ET.SubElement(suite, "system-out").text = printable("\n".join((*gate.notes, *_notes(gate))))
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _notes(gate: Gate) -> tuple[str, ...]:
    n = sum(finding.p is not None for finding in gate.findings)
    notes = list[str]()
    if n > 1:
        notes.append(
            f"Of the run's {n:,} findings (clusters, conditions and phrases) each p is adjusted for all {n:,} (Holm), "
            "and the intervals hold for all of them at once. All samples and new regressions are each tested apart."
        )
    if gate.margin:
        notes.append(f"What is worse by no more than {gate.margin:g} points, by its interval, holds nothing back.")
    return (*notes, *gate.comparison.notes)


def _of(cases: Sequence[GateCase], state: str) -> int:
    return sum(case.state == state for case in cases)
