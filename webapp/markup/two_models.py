"""Two models on the same samples, by cluster and class: answers fixed, shared, or broken, and the samples of each
kind."""

from __future__ import annotations

from typing import Any

from core.records import Comparison, Diagnosis, FourWay, ModelResult
from core.reports.html.intervals import interval_bar, interval_range
from core.reports.wording.findings import cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from webapp.markup.html import hue, shown
from webapp.markup.render import render
from webapp.markup.shares import MODEL_KINDS, class_of_scope, class_scope, kinds_of, own_model, rows_of_kind

MAX_PICTURES = 24
MAX_CLASSES = 12
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


def four_way_view(
    diagnosis: Diagnosis, comparison: Comparison, other: str = "the probe", *, classes: bool = False
) -> str:
    """Render one line for all samples and one per cluster: four counts to press, a stacked bar, the difference, and the
    verdict.

    Args:
        other: name of the second model.
        classes: whether to add lines for at most `MAX_CLASSES` classes, largest difference first.
    """
    ordered = sorted(comparison.classes, key=lambda f: (f.verdict == "open", -abs(f.difference.value) * f.n))
    shown = []
    if classes:
        shown = ordered[:MAX_CLASSES]
    scopes = (comparison.overall, *comparison.clusters, *shown)
    low, high = interval_range([f.difference for f in scopes])
    rows = list[dict[str, Any]]()
    for result in scopes:
        bar = interval_bar(result.difference, low, high, STATES[result.verdict])
        rows.append(_line(diagnosis, comparison, result) | {"bar": bar})
    n_more = 0
    if classes:
        n_more = len(comparison.classes) - len(shown)
    kappa: float | None = comparison.agreement
    if kappa != kappa:  # nan
        kappa = None
    return render(
        "markup/four_way.html.j2",
        kinds=MODEL_KINDS,
        noun=diagnosis.samples.modality,
        mine=own_model(diagnosis),
        other=other,
        rows=rows,
        has_clusters=bool(comparison.clusters),
        n_more=n_more,
        agreement=kappa,
        meanings=list(dict.fromkeys(row["words"] for row in rows[1:])),
        notes=comparison.notes,
        sensitivity=sensitivity_sentence(diagnosis),
    )


def _line(diagnosis: Diagnosis, comparison: Comparison, result: FourWay) -> dict[str, Any]:
    """Return the line of two models on all samples, or in a cluster or a class."""
    from core.reports.wording.comparison import verdict_words  # scipy: not needed to start the page

    cluster = next((c for c in diagnosis.clusters if c.id == result.cluster), None)
    name = f"All {diagnosis.samples.modality}s"
    scope = "all"
    colour = ""
    if cluster is not None:
        name = cluster_title(diagnosis, cluster)
        scope = str(cluster.id)
        colour = hue(cluster.id)
    elif result.kind == "class":
        name = result.scope
        scope = class_scope(diagnosis, result.scope)
    return {
        "result": result,
        "kind": result.kind,
        "name": name,
        "scope": scope,
        "hue": colour,
        "colour": STATES[result.verdict],
        "words": verdict_words(comparison, result, diagnosis, figures=False),
    }


def counted_kinds(diagnosis: Diagnosis, result: ModelResult, scope: str) -> list[tuple[str, str, int]]:
    """Return (kind, title, count) of each kind of samples within the scope."""
    kinds = kinds_of(diagnosis, result)
    return [(kind, title, len(rows_of_kind(diagnosis, result, kind, scope))) for kind, title in kinds]


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
    kinds = counted_kinds(diagnosis, result, scope)
    titles = {key: title for key, title, _ in kinds}
    if kind not in titles:
        kind = next((key for key, _, n in kinds if n), kinds[0][0])
    where, scope = _where(diagnosis, scope)
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
        tiles=[_tile(diagnosis, result, position) for position in places[:shown].tolist()],
    )


def _where(diagnosis: Diagnosis, scope: str) -> tuple[str, str]:
    """Return (the scope in words, the scope); all samples for an unknown scope."""
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    if cluster is not None:
        return f"group {cluster.id + 1}: {cluster_title(diagnosis, cluster)}", scope
    class_index = class_of_scope(diagnosis, scope)
    if class_index is not None:
        return f"class {diagnosis.samples.class_names[class_index]}", scope
    return f"all {diagnosis.samples.modality}s", "all"


def _tile(diagnosis: Diagnosis, result: ModelResult, position: int) -> dict[str, Any]:
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
