"""Two models on the same samples, by failure cluster and class: what is fixed, shared or broken, and the samples of
each kind."""

from __future__ import annotations

from typing import Any

from core.records import Comparison, Diagnosis, FourWay, ModelResult
from core.reports.html.intervals import interval_bar, interval_range
from core.reports.wording.findings import cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from webapp.markup.html import hue, picture
from webapp.markup.render import render
from webapp.markup.shares import KINDS, class_of_scope, class_scope, kinds_of, own_model, rows_of_kind

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
    """One line for all samples and one for each cluster: four counts that can be pressed, a stacked bar, the difference
    and the verdict.

    Args:
        other: what the second model is called.
        classes: with lines for the classes too, those that differ first, at most `MAX_CLASSES` of them.
    """
    ordered = sorted(comparison.classes, key=lambda f: (f.verdict == "open", -abs(f.difference.value) * f.n))
    shown = ordered[:MAX_CLASSES] if classes else []
    scopes = (comparison.overall, *comparison.clusters, *shown)
    low, high = interval_range([f.difference for f in scopes])
    rows = [
        _line(diagnosis, comparison, f) | {"bar": interval_bar(f.difference, low, high, STATES[f.verdict])}
        for f in scopes
    ]
    kappa = comparison.agreement
    return render(
        "markup/four_way.html.j2",
        kinds=KINDS,
        noun=diagnosis.samples.modality,
        mine=own_model(diagnosis),
        other=other,
        rows=rows,
        has_clusters=bool(comparison.clusters),
        n_more=len(comparison.classes) - len(shown) if classes else 0,
        agreement=kappa if kappa == kappa else None,
        meanings=list(dict.fromkeys(row["words"] for row in rows[1:])),
        notes=comparison.notes,
        sensitivity=sensitivity_sentence(diagnosis),
    )


def _line(diagnosis: Diagnosis, comparison: Comparison, found: FourWay) -> dict[str, Any]:
    """Two models on all samples, or inside a cluster or a class."""
    from core.reports.wording.comparison import verdict_words  # scipy: not needed to start the page

    cluster = next((c for c in diagnosis.clusters if c.id == found.cluster), None)
    name = f"All {diagnosis.samples.modality}s"
    scope = "all"
    if cluster is not None:
        name = cluster_title(diagnosis, cluster)
        scope = str(cluster.id)
    elif found.kind == "class":
        name = found.scope
        scope = class_scope(diagnosis, found.scope)
    return {
        "found": found,
        "kind": found.kind,
        "name": name,
        "scope": scope,
        "hue": "" if cluster is None else hue(cluster.id),
        "colour": STATES[found.verdict],
        "words": verdict_words(comparison, found, diagnosis, figures=False),
    }


def counted_kinds(diagnosis: Diagnosis, result: ModelResult, scope: str) -> list[tuple[str, str, int]]:
    """(kind, title, images) of each kind that can be told apart, within the scope."""
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
    """The samples of one kind in one scope, the second model's largest loss first.

    Args:
        other: what the second model is called.
        explained: whether a press explains a sample; otherwise it is enlarged.
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
        tiles=[_tile(diagnosis, result, place) for place in places[:shown].tolist()],
    )


def _where(diagnosis: Diagnosis, scope: str) -> tuple[str, str]:
    """(a scope in words, the scope): of all samples where there is none of that name."""
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    if cluster is not None:
        return f"cluster {cluster.id + 1}: {cluster_title(diagnosis, cluster)}", scope
    if (place := class_of_scope(diagnosis, scope)) is not None:
        return f"class {diagnosis.samples.class_names[place]}", scope
    return f"all {diagnosis.samples.modality}s", "all"


def _tile(diagnosis: Diagnosis, result: ModelResult, place: int) -> dict[str, Any]:
    """An image with its true class and what each model says, "" where that is not known."""
    row = int(result.rows[place])
    names = result.class_names
    predictions = result.outcomes.predictions
    own = diagnosis.outcomes.predictions
    assert predictions is not None
    return {
        "place": place,
        "row": row,
        "name": diagnosis.samples.ids[row],
        "picture": picture(diagnosis, row),
        "true": names[int(result.labels[place])],
        "said": names[int(predictions[place])],
        "yours": "" if own is None else names[int(own[row])],
    }
