"""Tags as tables and JSON values: see docs/schema.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.records import Diagnosis, Estimate
from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, strings
from core.systems.label_descriptions.tagging import TagFinding, TagReport
from core.systems.label_descriptions.wording import headline, tag_sentence

SPREADS = ("share", "lift", "overlap")
ENDS = ("mean", "least", "greatest")
"""Keys of a spread over wordings."""


def tags_document(diagnosis: Diagnosis, report: TagReport) -> dict[str, Any]:
    """The report as JSON values."""
    return to_json(
        {
            "samples": len(report.carried),
            "modality": diagnosis.samples.modality,
            "n_failures": report.n_failures,
            "failures": report.failures,
            "alpha": report.alpha,
            "permutations": report.permutations,
            "tags": [_tag(report, tag) for tag in report.tags],
            "headline": headline(report),
            "notes": report.notes,
        }
    )


def _tag(report: TagReport, tag: TagFinding) -> dict[str, Any]:
    def maybe(difference: Estimate | None) -> Any:
        return None if difference is None else estimate(difference)

    return {
        **fields(tag, "name counted size share among_failures among_others"),
        "lift": estimate(tag.lift),
        "error_difference": maybe(tag.error_difference),
        "loss_difference": maybe(tag.loss_difference),
        **fields(tag, "p measure"),
        "confirmed": report.is_confirmed(tag),
        "sentence": tag_sentence(report, tag),
        "spread": {measure: dict(zip(ENDS, tag.spread(measure), strict=True)) for measure in SPREADS},
        "agreeing": tag.agreeing,
        "wordings": [fields(wording, "pattern share lift overlap") for wording in tag.wordings],
    }


def tags_table(report: TagReport) -> pd.DataFrame:
    """One row for each tag, strongest excess first."""
    rows: list[dict[str, Any]] = []
    for tag in report.tags:
        row = {
            **fields(tag, "name counted size share among_failures among_others"),
            "lift": tag.lift.value,
            "lift_low": tag.lift.low,
            "lift_high": tag.lift.high,
            "p": np.nan if tag.p is None else tag.p,
            "confirmed": report.is_confirmed(tag),
            "agreeing": tag.agreeing,
        }
        for measure in SPREADS:
            for end, value in zip(ENDS, tag.spread(measure), strict=True):
                row[f"{measure}_{end}"] = value
        rows.append(row)
    return pd.DataFrame(rows)


def samples_table(diagnosis: Diagnosis, report: TagReport) -> pd.DataFrame:
    """One row for each sample: id, its tags (strongest first, separated by semicolons), and its score for each tag."""
    names = [tag.name for tag in report.tags]
    tags: list[str] = []
    for row, carried in zip(report.scores, report.carried, strict=True):
        ranked = np.argsort(-row, kind="stable")
        tags.append("; ".join(names[t] for t in ranked.tolist() if carried[t]))
    scores = {f"score: {name}": report.scores[:, t] for t, name in enumerate(names)}
    return pd.DataFrame({"id": strings(diagnosis.samples.ids), "tags": strings(tags), **scores})
