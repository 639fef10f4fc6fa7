"""Two models on the same samples: the samples that one of them, both, or none gets right."""

from __future__ import annotations

from typing import Any

from core.records import Diagnosis, ModelResult
from core.reports.wording.findings import cluster_title
from webapp.markup.html import shown
from webapp.markup.render import render
from webapp.markup.shares import kinds_of, own_model, rows_of_kind

MAX_PICTURES = 24
STATES = {
    "fixed": "held",
    "partly": "partly",
    "same": "partly",
    "shared": "partly",
    "own": "held",
    "broken": "bad",
    "open": "unsure",
}
"""Color of a verdict."""


def gallery_view(
    diagnosis: Diagnosis,
    result: ModelResult,
    kind: str,
    scope: str,
    shown: int = MAX_PICTURES,
    *,
    other: str = "probe",
    explained: bool = True,
) -> str:
    """Render the samples of one kind in one scope, the second model's largest loss first.

    Args:
        other: name of the second model.
        explained: whether pressing a sample explains it; otherwise it is enlarged.
    """
    kinds = list[tuple[str, str, int]]()
    for name, title in kinds_of(diagnosis, result):
        kinds.append((name, title, len(rows_of_kind(diagnosis, result, name, scope))))
    titles = {key: title for key, title, _ in kinds}
    if kind not in titles:
        kind = next((key for key, _, n in kinds if n), kinds[0][0])
    where = f"all {diagnosis.samples.modality}s"
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    if cluster is None:
        scope = "all"
    else:
        where = f"group {cluster.id + 1}: {cluster_title(diagnosis, cluster)}"
    places = rows_of_kind(diagnosis, result, kind, scope)
    return render(
        "markup/gallery.html.j2",
        title=titles[kind],
        n=len(places),
        where=where,
        scope=scope,
        kind=kind,
        mine=own_model(diagnosis),
        other=other,
        explained=explained,
        noun=diagnosis.samples.modality,
        kinds=kinds,
        tiles=[model_tile(diagnosis, result, position) for position in places[:shown].tolist()],
    )


def model_tile(diagnosis: Diagnosis, result: ModelResult, position: int) -> dict[str, Any]:
    """Return a tile with the true class and each model's prediction, "" if unknown."""
    row = int(result.rows[position])
    names = result.class_names
    predictions = result.outcomes.predictions
    first_predictions = diagnosis.outcomes.predictions
    assert predictions is not None
    yours = ""
    if first_predictions is not None:
        yours = names[int(first_predictions[row])]
    thumbnail, text = shown(diagnosis, row)
    return {
        "place": position,
        "row": row,
        "name": diagnosis.samples.ids[row],
        "picture": thumbnail,
        "text": text,
        "true": names[int(result.labels[position])],
        "predicted": names[int(predictions[position])],
        "yours": yours,
    }
