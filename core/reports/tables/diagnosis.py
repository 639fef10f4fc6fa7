"""A diagnosis as tables and as one JSON document: the schema of docs/schema.md.

Nothing here computes a finding; every function only arranges what the records hold. Undefined numbers (nan) become null
in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from core.checks.audit_table import AuditCell
from core.discovery.called import cluster_name
from core.discovery.cluster_parts import PartFigures, cluster_parts
from core.extensions import documents, table_names, table_of
from core.files import replacing, write_json
from core.numbers import digits_for
from core.records import I64, Diagnosis, FailureCluster, Insight, Predictability, PredictionRow
from core.records.codec import to_json as to_json
from core.reports.tables.reasons import faithfulness_document
from core.reports.tables.sections import sections_document
from core.reports.tables.values import fields, flat, reasons, strings
from core.reports.tables.yours import yours_document
from core.reports.wording.candidates import candidates_sentence
from core.reports.wording.classes import why_untested
from core.reports.wording.findings import cluster_title, sentence
from core.reports.wording.predictions import prediction_rows, prediction_sentence, replication_sentence
from core.reports.wording.sensitivity import classes_sentence, pattern_sentence, sensitivity_sentence
from core.reports.wording.verdict import predictability_sentence, verdict
from core.statistics.counts import sample_weights, top_members
from core.statistics.measures import insights_in_order

SCHEMA = "errata.diagnosis/1"
N_TOP = 24
"""How many members and counter-examples of a cluster the document names."""


def write_results(diagnosis: Diagnosis, folder: Path) -> None:
    """Write diagnosis.json and the tables into an existing folder: samples, memberships, excluded, those of systems
    that have rows, and with a prediction prediction.json."""
    tables = {
        "samples": samples_table(diagnosis),
        "memberships": memberships_table(diagnosis),
        "excluded": excluded_table(diagnosis),
    }
    for name, table in tables.items():
        with replacing(folder / f"{name}.parquet") as part:
            table.to_parquet(part, index=False)
    for name in (name for name in table_names() if name not in tables):
        if packed := table_of(name, diagnosis, _parquet):
            with replacing(folder / f"{name}.parquet") as part:
                part.write_bytes(packed)
    write_json(folder / "diagnosis.json", to_document(diagnosis))
    if diagnosis.prediction is not None:
        write_json(folder / "prediction.json", prediction_document(diagnosis))


def framed(table: object) -> pd.DataFrame:
    """The table that a system made.

    Raises:
        TypeError, ValueError: it is none, or none that a file can hold.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"a DataFrame is needed, not {type(table).__name__}")
    _parquet(table)
    return table


def _parquet(table: pd.DataFrame) -> bytes:
    """The table as a file of its own; b"" where it has no rows."""
    file = BytesIO()
    if len(table):
        table.to_parquet(file, index=False)
    return file.getvalue()


def samples_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(n, 8) one row for each sample: id, loss, predicted, spread, cluster (-1: none), membership, x, y.

    Args:
        diagnosis: what `diagnose` or `load` gave.
    """
    clusters, membership = diagnosis.cluster_of()
    return pd.DataFrame(
        {
            "id": strings(diagnosis.samples.ids),
            "loss": diagnosis.outcomes.loss,
            "predicted": diagnosis.estimate.predicted,
            "spread": diagnosis.estimate.spread,
            "cluster": clusters,
            "membership": membership,
            "x": diagnosis.map.xy[:, 0],
            "y": diagnosis.map.xy[:, 1],
        }
    )


def memberships_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(n, 1 + c) id, then one column for each confirmed cluster, named by its id: the membership in it, in [0, 1]."""
    columns = {str(cluster.id): cluster.membership for cluster in diagnosis.clusters}
    return pd.DataFrame({"id": strings(diagnosis.samples.ids), **columns})


def excluded_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """id and reason of every row that was left out."""
    return pd.DataFrame(
        {
            "id": strings([i for i, _ in diagnosis.excluded]),
            "reason": strings([reason for _, reason in diagnosis.excluded]),
        }
    )


def clusters_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each confirmed cluster in rank order, then the candidates, which have no p."""
    both = (*diagnosis.clusters, *diagnosis.candidates)
    table = pd.DataFrame([flat(_cluster(diagnosis, c, ranked=c.confirmed), drop=_LISTS) for c in both])
    if not both:
        return table
    return table.astype({"id": "Int64"})


def insights_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each insight, in the order of `insights_in_order`."""
    drop = ("rule", "measured", "competence")
    rows = [flat(_insight(diagnosis, insight), drop=drop) for insight in insights_in_order(diagnosis)]
    if not rows:
        return pd.DataFrame()
    for row in rows:
        row["columns"] = " | ".join(row["columns"])
        row["proxies"] = " | ".join(row["proxies"])
    return pd.DataFrame(rows).astype({"cluster": "Int64"})


def weights_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """id and weight: how much more often to draw a sample in training (`core.statistics.counts.sample_weights`)."""
    return pd.DataFrame({"id": strings(diagnosis.samples.ids), "weight": sample_weights(diagnosis)})


def to_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The content of diagnosis.json: plain JSON values, no nan."""
    outcomes = diagnosis.outcomes
    error_rate = float(outcomes.errors.mean()) if outcomes.errors is not None else None
    classes = list[dict[str, Any]]()
    for finding in diagnosis.classes:
        figures = fields(finding, "name kind size mean_loss error_rate p confirmed")
        classes.append(figures | {"untested": why_untested(diagnosis, finding)})
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": diagnosis.samples.name,
        "n": len(diagnosis.samples),
        "verdict": verdict(diagnosis),
        "sections": sections_document(diagnosis),
        "loss": {
            **fields(outcomes, "name unit source clip is_proxy"),
            "mean": float(outcomes.loss.mean()),
            "error_rate": error_rate,
        },
        "encoder": diagnosis.embeddings.encoder,
        "predictability": {
            "sentence": predictability_sentence(diagnosis),
            **_predictability(diagnosis.estimate.predictability),
        },
        "classes": classes,
        "clusters": [_cluster(diagnosis, cluster, ranked=True) for cluster in diagnosis.clusters],
        "worth_a_look": candidates_sentence(diagnosis),
        "candidates": [_cluster(diagnosis, candidate, ranked=False) for candidate in diagnosis.candidates],
        "insights": [_insight(diagnosis, insight) for insight in insights_in_order(diagnosis)],
        "words": _words(diagnosis),
        "prediction": prediction_document(diagnosis),
        "faithfulness": faithfulness_document(diagnosis, diagnosis.faithfulness),
        "detectable": [fields(d, "size excess_loss error_difference power") for d in diagnosis.detectable],
        "sensitivity": _sensitivity(diagnosis),
        "yours": yours_document(diagnosis),
        "label_errors": _ids(diagnosis, diagnosis.label_errors),
        "excluded": reasons(diagnosis.excluded),
        "notes": list(diagnosis.notes),
        "map": diagnosis.map.method,
        "settings": dict(diagnosis.settings),
        "versions": dict(diagnosis.versions),
        "fingerprint": diagnosis.fingerprint,
    }
    more = {key: value for key, value in documents(diagnosis, to_json).items() if key not in document}
    return to_json(document | more)


def _predictability(predictability: Predictability) -> dict[str, Any]:
    by_class = list[dict[str, Any]]()
    for name, n, correlation, p in predictability.by_class:
        by_class.append({"name": name, "n": n, "correlation": correlation.to_dict(), "p": p})
    return fields(predictability, "r2 rank_correlation correlation error_auroc p n_permutations confirmed") | {
        "by_class": by_class
    }


def _sensitivity(diagnosis: Diagnosis) -> dict[str, Any]:
    sensitivity = diagnosis.sensitivity
    sentence = {"sentence": sensitivity_sentence(diagnosis)}
    if sensitivity is None:
        return sentence
    patterns = list[dict[str, Any]]()
    for pattern in sensitivity.patterns:
        figures = fields(pattern, "scope size share strength excess_loss error_difference n_plants n_found found")
        patterns.append(figures | {"sentence": pattern_sentence(sensitivity, pattern)})
    return {
        **sentence,
        "classes_sentence": classes_sentence(diagnosis),
        **fields(sensitivity, "unit base classes class_size n_samples power smallest surest unplanted"),
        "patterns": patterns,
    }


_LISTS = ("top_members", "counterexamples", "might_be", "parts")


def _cluster(diagnosis: Diagnosis, cluster: FailureCluster, *, ranked: bool) -> dict[str, Any]:
    called = cluster_name(diagnosis, cluster)
    chances: dict[str, Any] = {}
    if not ranked:
        chances = fields(cluster, "chance local_fdr")
    return {
        "id": cluster.id if ranked else None,  # a candidate has no rank, so nothing to refer to it by
        "name": cluster.name,
        "title": cluster_title(diagnosis, cluster),
        "title_grade": called.grade,
        "title_chance": called.chance,
        "named_by": called.kind,
        "might_be": list(called.might_be),
        "parts": [_part(diagnosis, part) for part in cluster_parts(diagnosis, cluster)],
        **fields(cluster, "scope confirmed measure size mean_loss excess_loss error_rate error_outside"),
        **fields(cluster, "error_difference p coverage cause"),
        **chances,
        "top_members": _ids(diagnosis, top_members(diagnosis, cluster, N_TOP)),
        "counterexamples": _ids(diagnosis, cluster.counterexamples[:N_TOP]),
    }


def _part(diagnosis: Diagnosis, figures: PartFigures) -> dict[str, Any]:
    confirmed = None
    if figures.confirmed is not None:
        confirmed = fields(figures.confirmed, "text kind p")
    return {
        **fields(figures.part, "title chance share"),
        **fields(figures, "size error_rate mean_loss"),
        "confirmed": confirmed,
        "ids": _ids(diagnosis, figures.part.rows),
    }


def _insight(diagnosis: Diagnosis, insight: Insight) -> dict[str, Any]:
    return {
        **fields(insight, "text kind family columns"),
        "rule": [{"column": column, "sign": sign, "operand": value} for column, sign, value in insight.tests],
        **fields(insight, "scope cluster size effect error_inside error_outside error_difference coverage p confirmed"),
        **fields(insight, "measure retrieval held_out stability"),
        "measured": [{"property": name, "rank_correlation": rho} for name, rho in insight.measured],
        "competence": _competence(diagnosis, insight),
        "proxies": list(insight.proxies),
        "sentence": sentence(diagnosis, insight),
    }


def _competence(diagnosis: Diagnosis, insight: Insight) -> dict[str, Any] | None:
    """How well the encoder knows a phrase; None of a condition, and where that was not measured."""
    words = diagnosis.words
    if words is None or words.competence is None or insight.number is None:
        return None
    known = words.competence
    if not known.is_known(insight.number):
        return None
    n_with = int(known.n_with[insight.number])
    n_without = int(known.n_without[insight.number])
    enough = known.is_enough(insight.number)
    return {"auroc": known.of(insight.number).to_dict(), "with": n_with, "without": n_without, "enough": enough}


def _words(diagnosis: Diagnosis) -> dict[str, Any] | None:
    words = diagnosis.words
    if words is None:
        return None
    return {"encoder": words.encoder, "n_phrases": len(words.phrases), "n_families": len(set(words.families))}


def prediction_document(diagnosis: Diagnosis) -> dict[str, Any] | None:
    """What the frozen findings said of fresh samples beside what those show, as in diagnosis.json; None if that was not
    tried."""
    prediction = diagnosis.prediction
    if prediction is None:
        return None
    digits = digits_for(diagnosis.outcomes.loss)
    rows = list[dict[str, Any]]()
    for row in prediction_rows(diagnosis):
        rows.append(_prediction_row(row) | {"sentence": prediction_sentence(row, digits)})
    return to_json(
        {
            **fields(prediction, "digest measure source n_fresh"),
            "summary": replication_sentence(prediction),
            "rows": rows,
            "notes": list(prediction.notes),
            "excluded": [{"id": name, "reason": reason} for name, reason in prediction.excluded],
        }
    )


def prediction_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each row of the prediction; empty if there is none."""
    table = pd.DataFrame([flat(_prediction_row(row)) for row in prediction_rows(diagnosis)])
    if table.empty:
        return table
    return table.astype({"as_predicted": "boolean"})


def _prediction_row(row: PredictionRow) -> dict[str, Any]:
    return fields(row, "kind text scope n measure predicted expected observed rest p as_predicted not_tried")


def audit_frame(cells: Sequence[AuditCell]) -> pd.DataFrame:
    """One row for each phrase in each scope: what the images show, and what the ensemble reads."""
    names = "phrase family scope support observed read stands_out error_inside error_outside"
    return pd.DataFrame([flat(fields(cell, names)) for cell in cells])


def _ids(diagnosis: Diagnosis, rows: I64) -> list[str]:
    return [diagnosis.samples.ids[int(row)] for row in rows]
