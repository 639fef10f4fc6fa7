"""Why samples may fail, as a table and as a JSON document: the keys of docs/schema.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.checks.reasons import SampleReason, reasons_of
from core.records import Diagnosis, Faithfulness
from core.records.codec import to_json
from core.reports.tables.values import fields, strings
from core.reports.wording.reasons import RULE, faithfulness_sentence, sentence_of


def reasons_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(n, 5) one row for each sample: id, expected loss, whether that is in the worst tenth, what is named (such as
    "cluster 0 | condition weather = fog | neighbors 3"), and the sentence; "" where nothing is known."""
    reasons = reasons_of(diagnosis)
    names = list[str]()
    for reason in reasons:
        names.append(" | ".join(f"{ground.kind} {ground.label or ground.number}" for ground in reason.grounds))
    return pd.DataFrame(
        {
            "id": strings(diagnosis.samples.ids),
            "expected": [reason.expected for reason in reasons],
            "worst": [reason.worst for reason in reasons],
            "named": strings(names),
            "sentence": strings([sentence_of(diagnosis, reason) for reason in reasons]),
        }
    )


def reasons_document(
    diagnosis: Diagnosis, reasons: Sequence[SampleReason], measured: Faithfulness | None = None
) -> dict[str, Any]:
    """What `explain --json` prints."""
    samples = list[dict[str, Any]]()
    for reason in reasons:
        samples.append(
            {
                "id": diagnosis.samples.ids[reason.row],
                **fields(reason, "expected worst"),
                "named": [fields(ground, "kind text number scope") for ground in reason.grounds],
                "sentence": sentence_of(diagnosis, reason),
            }
        )
    return to_json({"samples": samples, "faithfulness": faithfulness_document(diagnosis, measured), "rule": RULE})


def faithfulness_document(diagnosis: Diagnosis, measured: Faithfulness | None) -> dict[str, Any] | None:
    """What naming causes is worth, as in diagnosis.json; None where it was not measured."""
    if measured is None:
        return None
    return to_json(
        {
            "sentence": faithfulness_sentence(diagnosis, measured),
            "refused": measured.refused,
            "kinds": [fields(k, "kind n n_failing n_named auroc rate_named rate_rest") for k in measured.kinds],
            "causes": [fields(c, "kind text scope n n_named auroc") for c in measured.causes],
        }
    )
