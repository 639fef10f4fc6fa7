"""Tags as tables and JSON values: see docs/schema.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.records import Diagnosis
from core.records.codec import to_json
from core.reports.tables.values import estimate, fields, strings
from core.systems.label_descriptions.tagging import TagFinding, TagReport
from core.systems.label_descriptions.wording import headline, tag_sentence


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
    def maybe(name: str) -> Any:
        found = getattr(tag, name)
        return None if found is None else estimate(found)

    return {
        **fields(tag, "name counted size share among_failures among_others"),
        "lift": estimate(tag.lift),
        "error_difference": maybe("error_difference"),
        "loss_difference": maybe("loss_difference"),
        **fields(tag, "p measure"),
        "confirmed": report.is_confirmed(tag),
        "sentence": tag_sentence(report, tag),
        "spread": {
            of: dict(zip(("mean", "least", "greatest"), tag.spread(of), strict=True))
            for of in ("share", "lift", "overlap")
        },
        "agreeing": tag.agreeing,
        "wordings": [fields(one, "pattern share lift overlap") for one in tag.wordings],
    }


def tags_table(report: TagReport) -> pd.DataFrame:
    """One row for each tag, strongest excess first."""
    rows = [
        {
            **fields(tag, "name counted size share among_failures among_others"),
            "lift": tag.lift.value,
            "lift_low": tag.lift.low,
            "lift_high": tag.lift.high,
            "p": np.nan if tag.p is None else tag.p,
            "confirmed": report.is_confirmed(tag),
            "agreeing": tag.agreeing,
            **{
                f"{of}_{end}": value
                for of in ("share", "lift", "overlap")
                for end, value in zip(("mean", "least", "greatest"), tag.spread(of), strict=True)
            },
        }
        for tag in report.tags
    ]
    return pd.DataFrame(rows)


def samples_table(diagnosis: Diagnosis, report: TagReport) -> pd.DataFrame:
    """One row for each sample: id, its tags (strongest first, with semicolons between), and its score for each tag."""
    names = [tag.name for tag in report.tags]
    own: list[str] = []
    for row, carried in zip(report.scores, report.carried, strict=True):
        ranked = np.argsort(-row, kind="stable")
        own.append("; ".join(names[t] for t in ranked.tolist() if carried[t]))
    scores = {f"score: {name}": report.scores[:, t] for t, name in enumerate(names)}
    return pd.DataFrame({"id": strings(diagnosis.samples.ids), "tags": strings(own), **scores})
