"""What Errata says about real data: one section of markdown for each case.

    python -m research.evidence.cases                               every case
    python -m research.evidence.cases --case cifar10 --out RESULTS  one case, its files kept below RESULTS/cifar10

The data may not travel with the project: by default it is looked for in ../shared/data. `case_tables.py` says what is
asked of it. Default settings but for the map, which is left out, and the number of permutations (`--permutations`).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.files import default_cache
from core.numbers import digits_for, interval, number, p_value, percent, with_unit
from core.records import ClassFinding, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.tables.diagnosis import write_results
from core.reports.wording.sensitivity import sensitivity_sentence
from core.reports.wording.verdict import predictability_sentence, verdict
from core.statistics.measures import insights_of
from research.evidence.case_tables import CASES, Case

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MAX_CONDITIONS = 6
"""Conditions printed for a cluster, or for the scopes as a whole; the rest is counted."""


@dataclass
class StepClock:
    """CPU seconds of this process, reading and embedding apart from the method."""

    started: float = field(default_factory=time.process_time)
    read: float | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        if self.read is None and step not in ("read table", "check pictures", "embed"):
            self.read = time.process_time()

    def sentence(self) -> str:
        end = time.process_time()
        middle = self.read or end
        return (
            f"CPU: {middle - self.started:.0f} s to read and embed (less where embeddings were cached), "
            f"{end - middle:.0f} s for the method."
        )


def section(case: Case, found: Diagnosis, clock: StepClock) -> str:
    """The case as markdown."""
    digits = digits_for(found.outcomes.loss)
    outcomes = found.outcomes
    groups = (
        ""
        if found.samples.groups is None
        else f", {len(np.unique(found.samples.groups)):,} groups ({found.samples.group_name})"
    )
    errors = (
        ""
        if outcomes.errors is None
        else f", {percent(float(outcomes.errors.mean()))} wrong ({int(outcomes.errors.sum()):,})"
    )
    lines = [
        f"## {case.title}",
        "",
        case.question,
        "",
        f"- n = {len(found.samples):,}{groups}; loss: {outcomes.name}{with_unit(found)}, "
        f"mean {number(float(outcomes.loss.mean()), digits)}{errors}"
        + (f"; {len(found.excluded):,} rows left out" if found.excluded else ""),
        f"- {verdict(found)}",
        *_predictability(found),
        *_classes(found, digits),
        *[line for cluster in found.clusters for line in _cluster(found, cluster, digits)],
        *_conditions("Conditions of their own", [i for i in found.insights if i.cluster is None], digits),
        f"- Candidates that were looked at and not confirmed: {len(found.candidates)}. "
        f"Labels suspected: {len(found.label_errors):,}.",
        f"- {sensitivity_sentence(found)}",
        f"- {clock.sentence()}",
        *[f"- Note: {note}" for note in found.notes],
    ]
    return "\n".join(line for line in lines if line != "- ") + "\n"


def shown(estimate: Estimate | None, digits: int = 2, *, share: bool = False) -> str:
    """The value with its interval in square brackets."""
    if estimate is None:
        return "–"
    return (
        f"{percent(estimate.value) if share else number(estimate.value, digits)} "
        f"[{interval(estimate, share=share, digits=digits)}]"
    )


def _predictability(found: Diagnosis) -> list[str]:
    reading = found.estimate.predictability
    rank = float(np.corrcoef(rankdata(found.estimate.predicted), rankdata(found.outcomes.loss))[0, 1])
    inside = [f"{name} {shown(r)} ({p_value(p)}, n = {n})" for name, n, r, p in reading.by_class]
    return [
        f"- {predictability_sentence(found)}",
        f"- Rank correlation {shown(reading.rank_correlation)}, correlation {shown(reading.correlation)}, AUROC of "
        f"wrong against right {shown(reading.error_auroc)}; {p_value(reading.p)} ({reading.n_permutations:,} "
        f"permutations). Spearman of the out-of-fold prediction with the loss over all rows, plainly: {number(rank)}.",
        *([f"- Within class, correlation: {'; '.join(inside)}."] if inside else []),
    ]


def _classes(found: Diagnosis, digits: int) -> list[str]:
    def said(finding: ClassFinding) -> str:
        wrong = "" if finding.error_rate is None else f", {shown(finding.error_rate, share=True)} wrong"
        return (
            f"{finding.name} (n = {finding.size}, mean loss {shown(finding.mean_loss, digits)}{wrong}, "
            f"{p_value(finding.p)})"
        )

    confirmed = {
        kind: [said(f) for f in found.classes if f.confirmed and f.kind == kind] for kind in ("class", "confusion")
    }
    return [f"- Confirmed {kind} findings: {'; '.join(names) or 'none'}." for kind, names in confirmed.items()]


def _cluster(found: Diagnosis, cluster: FailureCluster, digits: int) -> list[str]:
    wrong = (
        ""
        if cluster.error_rate is None
        else f"{shown(cluster.error_rate, share=True)} wrong against {percent(cluster.error_outside)} outside "
    )
    difference = (
        "" if cluster.error_difference is None else f"(difference {shown(cluster.error_difference, share=True)}), "
    )
    kind = "all failures" if found.outcomes.errors is not None else "the loss above the mean"
    head = (
        f"- **Cluster {cluster.id + 1}, {cluster.name}** (scope: {cluster.scope}, n = {cluster.size}): "
        f"{wrong}{difference}mean loss {number(cluster.mean_loss, digits)}, excess "
        f"{shown(cluster.excess_loss, digits)}, {p_value(cluster.p)}, {shown(cluster.coverage, share=True)} of {kind}. "
        f"Cause: {cluster.cause}"
    )
    return [head, *(f"  {line}" for line in _conditions("Conditions", insights_of(found, cluster.id), digits))]


def _conditions(title: str, insights: list[Insight], digits: int) -> list[str]:
    confirmed = [insight for insight in insights if insight.confirmed]
    more = f" and {len(confirmed) - MAX_CONDITIONS} more" if len(confirmed) > MAX_CONDITIONS else ""
    return [
        f"- {title}: {len(confirmed)} confirmed of {len(insights)} shown{more}" + (":" if confirmed else "."),
        *[f"  - {_condition(i, digits)}" for i in confirmed[:MAX_CONDITIONS]],
    ]


def _condition(insight: Insight, digits: int) -> str:
    retrieval = "" if insight.retrieval is None else f", AUROC for the cluster {number(insight.retrieval)}"
    wrong = (
        ""
        if insight.error_inside is None
        else f", {percent(insight.error_inside)} wrong against {percent(insight.error_outside)}"
    )
    proxies = f"; says the same: {', '.join(insight.proxies[:3])}" if insight.proxies else ""
    return (
        f"{insight.text} ({insight.scope}, n = {insight.size}): {shown(insight.effect, digits)}{wrong}, "
        f"{p_value(insight.p)}{retrieval}{proxies}"
    )


def run(name: str, data: Path, permutations: int, out: Path | None) -> str:
    """Diagnose one case; its files go below `out` if that is given."""
    case = CASES[name](data)
    clock = StepClock()
    clock.started = time.process_time()
    settings = Settings(map=False, n_permutations=permutations)
    found = diagnose(
        case.table, images=case.images, roles=case.roles, settings=settings, cache=default_cache(), progress=clock
    )
    text = section(case, found, clock)
    if out is not None:
        (out / name).mkdir(parents=True, exist_ok=True)
        write_results(found, out / name)
        (out / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--case", choices=tuple(CASES), action="append", help="may be given several times; all by default"
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--permutations", type=int, default=Settings().n_permutations)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if not given.data.is_dir():
        print(
            f"Skipped: the real data is not there ({given.data}). It may not travel with the project; "
            "name its folder with --data."
        )
        return
    with threadpool_limits(1):
        for name in given.case or CASES:
            print(run(name, given.data, given.permutations, given.out), flush=True)


if __name__ == "__main__":
    main()
