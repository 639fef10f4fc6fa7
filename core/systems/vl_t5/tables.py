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


def asked_document(diagnosis: Diagnosis, found: AskedPictures) -> dict[str, Any]:
    """The question and its answers as JSON values."""
    answers = [
        dict(zip(_ANSWER, (diagnosis.samples.ids[row], answer, one.text, one.probability, why), strict=True))
        for row, answer, one, why in zip(found.rows.tolist(), found.answers, found.said, found.reasons, strict=True)
    ]
    counts = [asdict(one) for one in found.counts]
    return to_json(
        {"question": found.question, "bar": found.bar, "counts": counts, "answers": answers, "notes": found.notes}
    )


def asked_table(diagnosis: Diagnosis, found: AskedPictures) -> pd.DataFrame:
    """A row for each picture: id, answer, said, probability, reason."""
    return pd.DataFrame(asked_document(diagnosis, found)["answers"], columns=list(_ANSWER))


def described_document(
    diagnosis: Diagnosis,
    clusters: Sequence[CaptionedCluster],
    captions: Sequence[str | None],
    how: str,
    cosines: F64 | None = None,
) -> dict[str, Any]:
    """The clusters with their words, and every sample's caption; with (n,) `cosines` how near it is."""
    own = [asdict(one) | {"cluster": one.cluster + 1, "sentence": verdict(one)} for one in clusters]
    said = described_table(diagnosis, captions, cosines).to_dict("records")
    return to_json({"captions_from": how, "clusters": own, "captions": said})


def words_table(clusters: Sequence[CaptionedCluster]) -> pd.DataFrame:
    """A row for each word of each cluster that was looked at, the strongest first."""
    rows = [{"cluster": one.cluster + 1, "name": one.name} | asdict(word) for one in clusters for word in one.words]
    return pd.DataFrame(rows, columns=["cluster", "name", "word", "inside", "outside", "p", "confirmed"])


def described_table(diagnosis: Diagnosis, captions: Sequence[str | None], cosines: F64 | None = None) -> pd.DataFrame:
    """A row for each sample: id, caption, and where it was chosen by nearness cosine."""
    found = pd.DataFrame({"id": list(diagnosis.samples.ids), "caption": list(captions)})
    return found if cosines is None else found.assign(cosine=cosines)
