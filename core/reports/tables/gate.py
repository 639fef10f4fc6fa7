"""A gate as Markdown for a person and as JUnit XML for a server that runs checks."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from core.checks.checkpoints.gate import Gate, is_worse
from core.errors import printable
from core.numbers import count, interval, p_value, percent, points
from core.records import ClassFinding, Diagnosis, Estimate, FailureCluster, FourWay
from core.reports.wording.comparison import scope_title
from core.reports.wording.findings import cluster_title

_MARKS = re.compile(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)")
"""What Markdown reads as more than a letter; a "_" inside a word is one."""
SAID = {"passed": "no worse", "failed": "worse", "skipped": "not tested"}
COVERAGE = "coverage"

KINDS = {"cluster": "group"}


@dataclass(frozen=True, slots=True)
class GateCase:
    """One thing that was asked."""

    kind: str
    """COVERAGE, "all samples", "failure cluster", "condition", "phrase" or "new regressions"."""
    title: str
    n: int
    state: str
    """A key of `SAID`."""
    figure: str
    """The new model's error rate, and its change in points with interval and p; or why it was not tested."""


def gate_cases(diagnosis: Diagnosis, gate: Gate) -> list[GateCase]:
    """How many of the samples were answered, if not all; all samples; then the run's findings, clusters in rank order
    first, then what is new."""
    found = gate.comparison
    margin = gate.margin
    cases = [_coverage(diagnosis, gate)] if gate.answered < 1 else []
    cases += [_scope("all samples", "all samples", found.overall, margin)]
    cases += [_scope(KINDS.get(one.kind, one.kind), scope_title(diagnosis, one), one, margin) for one in gate.findings]
    if gate.regressions is not None and gate.new:
        return [*cases, *(_new(gate.regressions, one) for one in gate.new)]
    none = "no sample was broken" if gate.regressions is None else "none was confirmed"
    state, why = ("skipped", gate.unsearched) if gate.unsearched else ("passed", none)
    return [*cases, GateCase("new regressions", "anywhere else", len(found.rows), state, why)]


def _coverage(diagnosis: Diagnosis, gate: Gate) -> GateCase:
    n = len(diagnosis.samples)
    answered = round(gate.answered * n)
    figure = f"{answered:,} of {n:,} are answered ({percent(gate.answered, 1)}), {percent(gate.coverage)} are asked for"
    return GateCase(COVERAGE, "the run's samples", answered, "passed" if gate.covers else "failed", figure)


def _scope(kind: str, title: str, scope: FourWay, margin: float) -> GateCase:
    if scope.p is None:
        return GateCase(kind, title, scope.n, "skipped", f"not tested: {count(scope.n, 'sample')}")
    less = scope.difference
    more = Estimate(-less.value, -less.high, -less.low)
    state = "failed" if is_worse(scope, margin) else "passed"
    wrong = percent((scope.broken + scope.both) / scope.n)
    return GateCase(kind, title, scope.n, state, f"{wrong} wrong: {_change(more, scope.p)}")


def _new(regressions: Diagnosis, found: ClassFinding | FailureCluster) -> GateCase:
    if isinstance(found, ClassFinding):
        name = f"the class {found.name}"
        return GateCase("new regressions", name, found.size, "failed", _change(found.mean_loss, found.p))
    aside = "" if regressions.samples.labels is None else ", class means set aside (whole classes are tested apart)"
    figure = f"{points(found.mean_loss, digits=1)}; beyond the rest{aside}: {_change(found.excess_loss, found.p)}"
    return GateCase("new regressions", cluster_title(regressions, found), found.size, "failed", figure)


def _change(more: Estimate, p: float | None) -> str:
    said = f"{points(more.value, digits=1)} ({interval(more, points=True, digits=1)}"
    return f"{said}{'' if p is None else f', {p_value(p)}'})"


def gate_markdown(diagnosis: Diagnosis, gate: Gate) -> str:
    """A heading that says the outcome, a table, and the notes."""
    cases = gate_cases(diagnosis, gate)
    bad = sum(case.state == "failed" for case in cases if case.kind != COVERAGE)
    why = [] if gate.covers else ["leaves too many samples without an answer"]
    why += [f"is worse in {count(bad, 'place')}"] if bad else []
    head = f"Gate failed: {_text(gate.comparison.b)} {' and '.join(why)}"
    lines = [f"## {head if why else f'Gate passed: {_text(gate.comparison.b)}'}", ""]
    lines += [line for note in gate.notes for line in (_text(note), "")]
    lines += [
        "| where | samples | the new model's error rate, and by how much it is above the old one's | |",
        "|---|---|---|---|",
    ]
    passed = "not shown beyond the margin" if gate.margin > 0 else SAID["passed"]
    for case in cases:
        said = {"passed": "enough", "failed": "too few"} if case.kind == COVERAGE else SAID | {"passed": passed}
        told = f"**{said[case.state]}**" if case.state == "failed" else said[case.state]
        lines.append(f"| {case.kind}: {_text(case.title)} | {case.n:,} | {_text(case.figure)} | {told} |")
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
    given = {name: str(n) for name, n in counts.items()}
    top = ET.Element("testsuites", {"name": "errata gate", **given})
    suite = ET.SubElement(top, "testsuite", {"name": printable(gate.comparison.b), **given})
    for case in cases:
        named = {"classname": f"errata.gate.{case.kind}", "name": printable(case.title)}
        one = ET.SubElement(suite, "testcase", named)
        figure = f"{count(case.n, 'sample')}: {printable(case.figure)}"
        if case.state == "passed":
            ET.SubElement(one, "system-out").text = figure
        else:
            ET.SubElement(one, "failure" if case.state == "failed" else "skipped", {"message": figure})
    ET.SubElement(suite, "system-out").text = printable("\n".join((*gate.notes, *_notes(gate))))
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _notes(gate: Gate) -> tuple[str, ...]:
    n = sum(one.p is not None for one in gate.findings)
    together = (
        f"Of the run's {n:,} findings (clusters, conditions and phrases) each p is adjusted for all {n:,} (Holm), and "
        "the intervals hold for all of them at once. All samples and new regressions are each tested apart."
    )
    margin = f"What is worse by no more than {gate.margin:g} points, by its interval, holds nothing back."
    return (*([together] if n > 1 else []), *([margin] if gate.margin else []), *gate.comparison.notes)


def _of(cases: Sequence[GateCase], state: str) -> int:
    return sum(case.state == state for case in cases)
