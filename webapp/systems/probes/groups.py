"""What a probe gets right and wrong in each confirmed group, with images."""

from __future__ import annotations

from typing import Any

from core.numbers import count, percent
from core.records import Diagnosis, FailureCluster
from core.reports.wording.findings import cluster_title
from core.systems.probes.records import ProbeResult
from webapp.markup.html import hue
from webapp.markup.shares import ALONE, kinds_of, own_model, rows_of_kind
from webapp.markup.two_models import model_tile
from webapp.systems.probes.form import TITLES
from webapp.systems.probes.render import render

N_TILES = 6
"""Images of a kind in a group."""
MAX_DRAWN = 6
"""Groups with images; the others show their counts."""


def groups_view(diagnosis: Diagnosis, result: ProbeResult, first: int | None = None) -> str:
    """Each confirmed group with its fixed, broken and shared images, then all samples.

    Args:
        first: id of the cluster that comes first.
    """
    clusters = sorted((c for c in diagnosis.clusters if c.confirmed), key=lambda c: c.id != first)
    groups: list[dict[str, Any]] = []
    for cluster in clusters:
        groups.append(_group(diagnosis, result, cluster, drawn=len(groups) < MAX_DRAWN))
    groups.append(_group(diagnosis, result, None, drawn=True))
    lead = f"Right on {percent(result.accuracy.value)} of {count(len(result.rows), result.modality)}."
    errors = diagnosis.outcomes.errors
    if errors is not None and len(kinds_of(diagnosis, result)) > len(ALONE):
        accuracy = 1 - float(errors[result.rows].mean())
        lead = f"{lead[:-1]}, {own_model(diagnosis).name} on {percent(accuracy)}."
    return render(
        "groups.html.j2",
        heading=f"{called(result)}: would it get the same {diagnosis.samples.modality}s wrong?",
        lead=lead,
        groups=groups,
        noun=diagnosis.samples.modality,
        other=result.name,
    )


def called(result: ProbeResult) -> str:
    """The result's name at the start of a sentence, by the title of its method."""
    name = TITLES.get(result.probe, result.probe[:1].upper() + result.probe[1:])
    return f"{name}{result.name.removeprefix(result.probe)}"


def _group(diagnosis: Diagnosis, result: ProbeResult, cluster: FailureCluster | None, *, drawn: bool) -> dict[str, Any]:
    """The parts of `groups.html.j2` on one cluster, or on all samples."""
    scope = "all"
    title = f"All {diagnosis.samples.modality}s"
    badge = None
    if cluster is not None:
        scope = str(cluster.id)
        title = cluster_title(diagnosis, cluster)
        badge = (cluster.id + 1, hue(cluster.id))
    places = {kind: rows_of_kind(diagnosis, result, kind, scope) for kind, _ in kinds_of(diagnosis, result)}
    rows: list[dict[str, Any]] = []
    for kind, name in kinds_of(diagnosis, result):
        if kind in ("neither", "right"):
            continue
        n = len(places[kind])
        tiles: list[dict[str, Any]] = []
        if drawn:
            tiles = [_tile(diagnosis, result, place) for place in places[kind][:N_TILES].tolist()]
        rows.append({"kind": kind, "title": name, "n": n, "tiles": tiles, "more": n > len(tiles)})
    return {
        "scope": scope,
        "title": title,
        "badge": badge,
        "sentence": _sentence(result, {kind: len(rows) for kind, rows in places.items()}),
        "rows": rows,
    }


def _tile(diagnosis: Diagnosis, result: ProbeResult, place: int) -> dict[str, Any]:
    """The tile of an image, with the answers that are wrong."""
    tile = model_tile(diagnosis, result, place)
    wrong: list[str] = []
    if tile["yours"] and tile["yours"] != tile["true"]:
        wrong.append(f"{own_model(diagnosis).short}: {tile['yours']}")
    if tile["predicted"] != tile["true"]:
        wrong.append(f"probe: {tile['predicted']}")
    return {**tile, "wrong": wrong}


def _sentence(result: ProbeResult, n: dict[str, int]) -> str:
    """ "Zero-shot gets 41 of these 65 errors right"; of a run without errors the share that the probe gets right."""
    if "fixed" not in n:
        return f"{called(result)} is right on {n['right']:,} of {n['right'] + n['wrong']:,}."
    errors = n["fixed"] + n["both"]
    if not errors:
        return "Your model makes no errors here."
    sentence = f"{called(result)} gets {n['fixed']:,} of these {count(errors, 'error')} right"
    if n["broken"]:
        return f"{sentence}, and {n['broken']:,} wrong that your model gets right."
    return f"{sentence}."
