"""Answers and captions as tables and as JSON values: see docs/schema.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from core.records import F64, Diagnosis
from core.records.codec import to_json
from core.systems.vl_t5.ask import AskedPictures
from core.systems.vl_t5.describe import CaptionedCluster
from core.systems.vl_t5.wording import verdict

_ANSWER = ("id", "answer", "said", "probability", "reason")


def asked_document(diagnosis: Diagnosis, asked: AskedPictures) -> dict[str, Any]:
    """The question and its answers as JSON values."""
    return to_json(
        {
            "question": asked.question,
            "bar": asked.bar,
            "counts": [asdict(answer) for answer in asked.counts],
            "answers": asked_table(diagnosis, asked).to_dict("records"),
            "notes": asked.notes,
        }
    )


def asked_table(diagnosis: Diagnosis, asked: AskedPictures) -> pd.DataFrame:
    """A row for each image: id, answer, said, probability, reason."""
    ids = [diagnosis.samples.ids[row] for row in asked.rows.tolist()]
    texts = [answer.text for answer in asked.spoken]
    probabilities = [answer.probability for answer in asked.spoken]
    columns = (ids, asked.answers, texts, probabilities, asked.reasons)
    return pd.DataFrame(dict(zip(_ANSWER, columns, strict=True)))


def described_document(
    diagnosis: Diagnosis,
    clusters: Sequence[CaptionedCluster],
    captions: Sequence[str | None],
    how: str,
    cosines: F64 | None = None,
) -> dict[str, Any]:
    """The clusters with their words, and every sample's caption with its (n,) cosine."""
    described = [asdict(c) | {"cluster": c.cluster + 1, "sentence": verdict(c)} for c in clusters]
    rows = described_table(diagnosis, captions, cosines).to_dict("records")
    return to_json({"captions_from": how, "clusters": described, "captions": rows})


def words_table(clusters: Sequence[CaptionedCluster]) -> pd.DataFrame:
    """A row for each compared word of each cluster, the strongest first."""
    rows = list[dict[str, Any]]()
    for cluster in clusters:
        for word in cluster.words:
            rows.append({"cluster": cluster.cluster + 1, "name": cluster.name} | asdict(word))
    return pd.DataFrame(rows, columns=["cluster", "name", "word", "inside", "outside", "p", "confirmed"])


def described_table(diagnosis: Diagnosis, captions: Sequence[str | None], cosines: F64 | None = None) -> pd.DataFrame:
    """A row for each sample: id, caption, and the cosine where captions were chosen by it."""
    table = pd.DataFrame({"id": list(diagnosis.samples.ids), "caption": list(captions)})
    return table if cosines is None else table.assign(cosine=cosines)
