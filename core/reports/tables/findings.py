"""Everything that a diagnosis claims, and what it lists beside, as one table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.language.titles import capital
from core.records import EVERYTHING, ClassFinding, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.wording.candidates import candidate_phrase
from core.reports.wording.classes import class_sentence, through_sentence
from core.reports.wording.findings import cluster_title, sentence
from core.statistics.measures import insights_in_order

ESTIMATES = ("excess_loss", "error_rate", "error_difference")
COLUMNS = (
    *("kind", "title", "scope", "measure", "size", "p", "confirmed"),
    *("excess_loss", "excess_loss_low", "excess_loss_high"),
    *("error_rate", "error_rate_low", "error_rate_high"),
    *("error_difference", "error_difference_low", "error_difference_high"),
    "sentence",
)


def findings_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(f, 17) a row for each confirmed class, cluster, condition and phrase, and for each hint.

    Conditions and phrases come strongest first, those on the first cluster before others. Estimates are those of the
    report, each with the ends of its interval; nan where there is none. `p` is nan of a hint.

    Args:
        diagnosis: what `diagnose` or `load` gave.

    Returns:
        Columns kind, title, scope, measure, size, p, confirmed; excess_loss, error_rate and error_difference, each
        with _low and _high; sentence. No limit of an error rate lies beyond [0, 1], nor of a difference of two, the
        excess of a 0/1 error included, beyond [-1, 1].
    """
    rows = [_class(diagnosis, finding) for finding in diagnosis.classes if finding.confirmed]
    rows += [_cluster(diagnosis, finding) for finding in diagnosis.clusters]
    rows += [_insight(diagnosis, finding) for finding in insights_in_order(diagnosis) if finding.confirmed]
    rows += [_cluster(diagnosis, finding) for finding in diagnosis.candidates]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"confirmed": bool, "p": float})


def _class(diagnosis: Diagnosis, finding: ClassFinding) -> dict[str, Any]:
    measure = "mean loss" if finding.error_rate is None else "error rate"
    row = {"kind": finding.kind, "title": finding.name, "scope": EVERYTHING, "measure": measure}
    row |= {
        "sentence": " ".join(filter(None, [class_sentence(diagnosis, finding), through_sentence(diagnosis, finding)]))
    }
    return row | _figures(finding, error_rate=finding.error_rate)


def _cluster(diagnosis: Diagnosis, finding: FailureCluster) -> dict[str, Any]:
    title = cluster_title(diagnosis, finding)
    kind = "hint"
    head = "Hint"
    if finding.confirmed:
        kind = "cluster"
        head = f"Group {finding.id + 1}"
    row = {"kind": kind, "title": title, "scope": finding.scope, "measure": finding.measure}
    row |= {"sentence": f"{head}, {title}. {capital(candidate_phrase(diagnosis, finding))}."}
    return row | _figures(finding, finding.excess_loss, finding.error_rate, finding.error_difference)


def _insight(diagnosis: Diagnosis, finding: Insight) -> dict[str, Any]:
    row = {"kind": finding.kind, "title": finding.text, "scope": finding.scope, "measure": finding.measure}
    row |= {"sentence": sentence(diagnosis, finding)}
    return row | _figures(finding, finding.effect, None, finding.error_difference)


def _figures(
    finding: ClassFinding | FailureCluster | Insight,
    excess_loss: Estimate | None = None,
    error_rate: Estimate | None = None,
    error_difference: Estimate | None = None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"size": finding.size, "p": finding.p, "confirmed": finding.confirmed}
    for name, estimate in zip(ESTIMATES, (excess_loss, error_rate, error_difference)):
        if estimate is not None:
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row
