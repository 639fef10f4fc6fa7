"""Everything that a diagnosis claims, and what it lists beside, as one table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.records import EVERYTHING, ClassFinding, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.wording.classes import class_sentence, through_sentence
from core.reports.wording.findings import cluster_title, plain_sentence, sentence
from core.statistics.measures import insights_in_order

ESTIMATES = ("excess_loss", "error_rate", "error_difference")
COLUMNS = (
    *("kind", "title", "scope", "measure", "size", "p", "confirmed"),
    *(f"{name}{end}" for name in ESTIMATES for end in ("", "_low", "_high")),
    "sentence",
)


def findings_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(f, 17) a row for each confirmed class, cluster, condition and phrase, and for each set that is worth a look.

    Conditions and phrases come strongest first, those on the first cluster before others. Estimates are those of the
    report, each with the ends of its interval; nan where there is none. `p` is nan of a set that is only worth a look.

    Args:
        diagnosis: what `diagnose` or `load` gave.

    Returns:
        Columns kind, title, scope, measure, size, p, confirmed; excess_loss, error_rate and error_difference, each
        with _low and _high; sentence. No limit of an error rate lies beyond [0, 1], nor of a difference of two, the
        excess of a 0/1 error included, beyond [-1, 1].
    """
    rows = [_class(diagnosis, found) for found in diagnosis.classes if found.confirmed]
    rows += [_cluster(diagnosis, found) for found in diagnosis.clusters]
    rows += [_insight(diagnosis, found) for found in insights_in_order(diagnosis) if found.confirmed]
    rows += [_cluster(diagnosis, found) for found in diagnosis.candidates]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"confirmed": bool, "p": float})


def _class(diagnosis: Diagnosis, found: ClassFinding) -> dict[str, Any]:
    measure = "mean loss" if found.error_rate is None else "error rate"
    made = {"kind": found.kind, "title": found.name, "scope": EVERYTHING, "measure": measure}
    made |= {"sentence": " ".join(filter(None, [class_sentence(diagnosis, found), through_sentence(diagnosis, found)]))}
    return made | _figures(found, error_rate=found.error_rate)


def _cluster(diagnosis: Diagnosis, found: FailureCluster) -> dict[str, Any]:
    title = cluster_title(diagnosis, found)
    said = plain_sentence(diagnosis, found)
    head = f"Cluster {found.id + 1}, {title}" if found.confirmed else f"Worth a look, {title}"
    made = {"kind": "cluster" if found.confirmed else "worth a look", "title": title}
    made |= {"scope": found.scope, "measure": found.measure, "sentence": f"{head}. {said}"}
    return made | _figures(found, found.excess_loss, found.error_rate, found.error_difference)


def _insight(diagnosis: Diagnosis, found: Insight) -> dict[str, Any]:
    made = {"kind": found.kind, "title": found.text, "scope": found.scope, "measure": found.measure}
    made |= {"sentence": sentence(diagnosis, found)}
    return made | _figures(found, found.effect, None, found.error_difference)


def _figures(
    found: ClassFinding | FailureCluster | Insight,
    excess_loss: Estimate | None = None,
    error_rate: Estimate | None = None,
    error_difference: Estimate | None = None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"size": found.size, "p": found.p, "confirmed": found.confirmed}
    for name, estimate in zip(ESTIMATES, (excess_loss, error_rate, error_difference)):
        if estimate is not None:
            made |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return made
