"""The list of findings: a card for each group with its images, or the view of a run without groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.discovery.called import scope_rows
from core.language.titles import capital
from core.numbers import digits_for, number, percent
from core.records import Diagnosis, FailureCluster, Row
from core.reports.html.intervals import IntervalBar
from core.reports.html.power_map import power_map
from core.reports.html.sections import axes_of, row_bar
from core.reports.sections import expected_rate, groups, hints
from core.reports.wording.effects import others_of
from core.reports.wording.findings import patches_title
from core.reports.wording.outlines import outlines_sentence
from core.reports.wording.predictions import replication_sentence
from core.reports.wording.sensitivity import confirmed_counts, sensitivity_sentence
from core.reports.wording.verdict import predictability_sentence
from core.statistics.counts import n_wrong, wrong_members
from core.statistics.measures import insights_of
from core.yours import WORDS, yours_of
from webapp.explore.findings import shown_findings
from webapp.explore.overview import class_section
from webapp.explore.own_part import own_list
from webapp.explore.patches import Patches
from webapp.markup.html import Tile, hue, tile_of
from webapp.markup.render import render

CARD_IMAGES = 6
"""Images on a card that the model gets wrong."""
RIGHT_IMAGES = 3
"""Similar images that it gets right."""
HINT_IMAGES = 6
WORST_IMAGES = 12
"""Images of a run without a group."""


def cluster_list(
    diagnosis: Diagnosis, note: str = "", patches: Patches | None = None, undo: str = "", *, shows_map: bool = False
) -> str:
    """Render the confirmed groups in rank order, then the hints. Without a group: what is confirmed nevertheless, the
    detection limits, and what to try next.

    Args:
        note: a line above all.
        patches: names of groups that only a visual word describes.
        undo: title of the user's set that was just deleted.
        shows_map: whether the map stands open beside the list.
    """
    yours = yours_of(diagnosis)
    alone = [i for i in insights_of(diagnosis, None) if i.confirmed]
    held_back = ""
    if diagnosis.prediction is not None:
        held_back = f"On {diagnosis.prediction.source}: {replication_sentence(diagnosis.prediction)}"
    section = groups(diagnosis)
    axes = axes_of(section.rows)
    cards = list[dict[str, Any]]()
    for cluster, row in zip(diagnosis.clusters, section.rows, strict=True):
        card = _card(diagnosis, cluster, row, row_bar(row, axes), patches)
        cards.append(card | {"own": yours.mark_of("cluster", cluster.id)})
    hint_section = hints(diagnosis)
    candidates = list[dict[str, Any]]()
    for index, (candidate, row) in enumerate(zip(diagnosis.candidates, hint_section.rows, strict=True)):
        candidates.append(_hint(diagnosis, candidate, row) | {"own": yours.mark_of("candidate", index)})
    worst = list[Tile]()
    if not cards:
        order = np.argsort(-diagnosis.outcomes.loss, kind="stable")[:WORST_IMAGES]
        worst = [tile_of(diagnosis, at, mark_wrong=True) for at in order.tolist()]
    return render(
        "explore/cards.html.j2",
        diagnosis=diagnosis,
        note=note,
        shows_map=shows_map,
        own=own_list(diagnosis, undo),
        beyond=bool(confirmed_counts(diagnosis)),
        outlines=outlines_sentence(diagnosis),
        label=WORDS,
        method=section.method,
        cards=cards,
        alone=shown_findings(diagnosis, alone),
        candidates=candidates,
        worst=worst,
        hints=hint_section.lead,
        explained=predictability_sentence(diagnosis),
        sensitivity=sensitivity_sentence(diagnosis),
        power=power_map(diagnosis),
        held_back=held_back,
        classes=class_section(diagnosis),
    )


def _hint(diagnosis: Diagnosis, candidate: FailureCluster, row: Row) -> dict[str, Any]:
    """Return the card of a hint: counts, probability of noise, and images of members that are wrong."""
    shown = wrong_members(diagnosis, candidate, HINT_IMAGES).tolist()
    return {"row": row, "tiles": [tile_of(diagnosis, at) for at in shown]}


def _card(
    diagnosis: Diagnosis, cluster: FailureCluster, row: Row, bar: IntervalBar | None, patches: Patches | None
) -> dict[str, Any]:
    """Return the card of a confirmed group: its rate, images that are wrong, and similar ones that are right."""
    title = row.subject
    crops = []
    named = None
    if patches is not None:
        named = patches.name_of(cluster.id)
    if named is not None:
        title = patches_title(cluster)
        crops = named.crops[:RIGHT_IMAGES]
    expected = ""
    if expected_rate(diagnosis, cluster) and cluster.error_rate is not None:
        expected = percent(cluster.error_rate.value)
    return {
        "row": row,
        "cluster": cluster.id,
        "title": title,
        "rate": _rate(diagnosis, cluster),
        "expected": expected,
        "crops": crops,
        "hue": hue(cluster.id),
        "bar": bar,
        "tiles": [tile_of(diagnosis, at) for at in wrong_members(diagnosis, cluster, CARD_IMAGES).tolist()],
        "right": [tile_of(diagnosis, at) for at in cluster.counterexamples[:RIGHT_IMAGES].tolist()],
    }


def _rate(diagnosis: Diagnosis, cluster: FailureCluster) -> dict[str, Any]:
    """Return what leads on a card: `value`, errors counted in a group such as "58 of 86", or its mean loss; `what` it
    is; `others`, the same of those it is compared with; and the shares of both that are wrong, of no mean loss."""
    members = cluster.membership >= 0.5
    n = int(members.sum())
    if diagnosis.outcomes.errors is None or cluster.error_outside is None:
        others = cluster.mean_loss - cluster.excess_loss.value
        digits = digits_for(diagnosis.outcomes.loss)
        compared = f"{capital(others_of(diagnosis, cluster.scope))}: {number(others, digits)}"
        what = f"mean {diagnosis.outcomes.name}"
        return {"value": number(cluster.mean_loss, digits), "what": what, "others": compared}
    wrong = n_wrong(diagnosis, members)
    share_others = cluster.error_outside
    n_others = int((scope_rows(diagnosis, cluster.scope) & ~members).sum())
    compared = f"{capital(others_of(diagnosis, cluster.scope))}: {round(share_others * n_others):,} of {n_others:,}"
    shares = {"share": wrong / n, "share_others": share_others}
    return {"value": f"{wrong:,} of {n:,}", "what": "wrong", "others": compared, **shares}
