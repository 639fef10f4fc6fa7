"""The user's model and a probe by failure cluster: what is fixed, shared or broken, and the pictures of each kind."""

from __future__ import annotations

from typing import Any

from core.records import Comparison, Diagnosis, FourWay, ProbeResult
from core.reports.wording.findings import cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from webapp.markup.html import hue, picture
from webapp.markup.render import render
from webapp.markup.shares import KINDS, is_own, kinds_of, rows_of_kind

MAX_PICTURES = 24
STATES = {"fixed": "held", "partly": "partly", "shared": "partly", "own": "held", "broken": "bad", "open": "unsure"}
"""Colour of a verdict."""


def four_way_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """One line for all samples and one for each cluster: four counts that can be pressed, a stacked bar, the difference
    and the verdict."""
    if comparison is None:
        kinds = _counted(diagnosis, result, "all")
        return render("probe/alone.html.j2", is_own=is_own(diagnosis, result.name), kinds=kinds)
    rows = [_line(diagnosis, comparison, f) for f in (comparison.overall, *comparison.clusters)]
    kappa = comparison.agreement
    return render(
        "probe/four_way.html.j2",
        kinds=KINDS,
        noun=diagnosis.samples.modality,
        rows=rows,
        agreement=kappa if kappa == kappa else None,
        meanings=list(dict.fromkeys(row["words"] for row in rows[1:])),
        notes=comparison.notes,
        sensitivity=sensitivity_sentence(diagnosis),
    )


def _line(diagnosis: Diagnosis, comparison: Comparison, found: FourWay) -> dict[str, Any]:
    """Two models on all images, or inside a cluster."""
    from core.reports.wording.probes import verdict_words  # scipy: not needed to start the page

    cluster = next((c for c in diagnosis.clusters if c.id == found.cluster), None)
    return {
        "found": found,
        "name": f"All {diagnosis.samples.modality}s" if cluster is None else cluster_title(diagnosis, cluster),
        "scope": "all" if cluster is None else str(cluster.id),
        "hue": "" if cluster is None else hue(cluster.id),
        "colour": STATES[found.verdict],
        "words": verdict_words(comparison, found),
    }


def _counted(diagnosis: Diagnosis, result: ProbeResult, scope: str) -> list[tuple[str, str, int]]:
    """(kind, title, images) of each kind that can be told apart, within the scope."""
    kinds = kinds_of(diagnosis, result)
    return [(kind, title, len(rows_of_kind(diagnosis, result, kind, scope))) for kind, title in kinds]


def gallery_view(diagnosis: Diagnosis, result: ProbeResult, kind: str, scope: str, shown: int = MAX_PICTURES) -> str:
    """The images of one kind in one scope, the probe's largest loss first; a press explains one."""
    kinds = _counted(diagnosis, result, scope)
    titles = {key: title for key, title, _ in kinds}
    if kind not in titles:
        kind = next((key for key, _, n in kinds if n), kinds[0][0])
    cluster = next((c for c in diagnosis.clusters if str(c.id) == scope), None)
    places = rows_of_kind(diagnosis, result, kind, scope)
    return render(
        "probe/gallery.html.j2",
        title=titles[kind],
        n=len(places),
        where=f"all {diagnosis.samples.modality}s"
        if cluster is None
        else f"cluster {cluster.id + 1}: {cluster_title(diagnosis, cluster)}",
        scope="all" if cluster is None else scope,
        kind=kind,
        noun=diagnosis.samples.modality,
        kinds=kinds,
        tiles=[_tile(diagnosis, result, place) for place in places[:shown].tolist()],
    )


def _tile(diagnosis: Diagnosis, result: ProbeResult, place: int) -> dict[str, Any]:
    """A picture with its true class and what each model says, "" where that is not known."""
    row, names = int(result.rows[place]), result.class_names
    predictions, own = result.outcomes.predictions, diagnosis.outcomes.predictions
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
