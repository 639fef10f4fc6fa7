"""The right-hand pane while nothing is picked: ranked cluster cards, or the view of a run without clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.records import EVERYTHING, Diagnosis, FailureCluster
from core.reports.html.power_map import power_map
from core.reports.wording.candidates import candidates_sentence, chance_phrase
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.effects import coverage_is, effect_figure
from core.reports.wording.findings import cluster_figures, cluster_title, how_sure, overlap, patches_title
from core.reports.wording.outlines import outlines_sentence
from core.reports.wording.predictions import replication_sentence
from core.reports.wording.sensitivity import confirmed_counts, sensitivity_sentence
from core.reports.wording.verdict import verdict
from core.statistics.measures import in_shares, insights_of, tested_effect
from core.yours import WORDS, yours_of
from webapp.explore.findings import shown_findings
from webapp.explore.members import members_of, met_by, whisker
from webapp.explore.own_part import own_list
from webapp.explore.patches import Patches
from webapp.markup.html import hue, picture
from webapp.markup.render import render

THUMBNAILS = 4


def cluster_list(diagnosis: Diagnosis, note: str = "", patches: Patches | None = None, undo: str = "") -> str:
    """Render the confirmed clusters in rank order, then the hints. Without a cluster: what is confirmed nevertheless,
    the detection limits, and what to try next.

    Args:
        note: a line above all.
        patches: names of clusters that only a visual word describes.
        undo: title of the user's set that was just deleted.
    """
    # clusters tested by error rate share one scale, those tested by loss another
    span = dict[bool, float]()
    for by_rate in (True, False):
        ends = [tested_effect(c).high for c in diagnosis.clusters if in_shares(c) == by_rate]
        span[by_rate] = max(ends, default=1.0)
    yours = yours_of(diagnosis)
    alone = [i for i in insights_of(diagnosis, None) if i.confirmed]
    held_back = ""
    if diagnosis.prediction is not None:
        held_back = f"On {diagnosis.prediction.source}: {replication_sentence(diagnosis.prediction)}"
    cards = list[dict[str, Any]]()
    for cluster in diagnosis.clusters:
        card = _card(diagnosis, cluster, span[in_shares(cluster)], patches)
        cards.append(card | {"own": yours.mark_of("cluster", cluster.id)})
    hints = list[dict[str, Any]]()
    for index, candidate in enumerate(diagnosis.candidates):
        hints.append(_hint(diagnosis, candidate) | {"own": yours.mark_of("candidate", index)})
    return render(
        "explore/cards.html.j2",
        diagnosis=diagnosis,
        note=note,
        own=own_list(diagnosis, undo),
        verdict=verdict(diagnosis),
        beyond=bool(confirmed_counts(diagnosis)),
        outlines=outlines_sentence(diagnosis),
        everywhere=EVERYTHING,
        label=WORDS,
        cards=cards,
        alone=shown_findings(diagnosis, alone),
        candidates=hints,
        hints=candidates_sentence(diagnosis),
        sensitivity=sensitivity_sentence(diagnosis),
        power=power_map(diagnosis),
        held_back=held_back,
    )


def worst_members(diagnosis: Diagnosis, cluster: FailureCluster, n: int) -> list[int]:
    """Return the rows of the members with the highest loss, worst first."""
    rows = members_of(cluster)
    return rows[np.argsort(-diagnosis.outcomes.loss[rows], kind="stable")][:n].tolist()


def _hint(diagnosis: Diagnosis, candidate: FailureCluster) -> dict[str, Any]:
    """Return the card of a candidate: counts, probability of noise, and images of the worst members."""
    pictures = (picture(diagnosis, row) for row in worst_members(diagnosis, candidate, THUMBNAILS))
    return {
        "candidate": candidate,
        "title": cluster_title(diagnosis, candidate),
        "sure": how_sure(diagnosis, candidate),
        "seen": cluster_figures(diagnosis, candidate),
        "chance": chance_phrase(candidate),
        "pictures": [*filter(None, pictures)],
    }


def _card(diagnosis: Diagnosis, cluster: FailureCluster, span: float, patches: Patches | None) -> dict[str, Any]:
    """Return the card of a confirmed cluster, with images of the worst members.

    `met` is the share of members that meet the strongest finding, because not all of them do.
    """
    lead = next(iter(insights_of(diagnosis, cluster.id)), None)
    met = ""
    lead_is_title = False
    named = None
    if patches is not None:
        named = patches.name_of(cluster.id)
    title = cluster_title(diagnosis, cluster)
    sure = how_sure(diagnosis, cluster)
    crops = []
    if named is not None:
        title = patches_title(cluster)
        sure = ""
        crops = named.crops[:THUMBNAILS]
    if lead is not None:
        met = met_by(diagnosis, lead, members_of(cluster))
        words = cluster_name(diagnosis, cluster).title_words
        lead_is_title = named is None and len(words) == 1 and says_the_same(words, lead)
    pictures = (picture(diagnosis, row) for row in worst_members(diagnosis, cluster, THUMBNAILS))
    return {
        "cluster": cluster,
        "title": title,
        "patches": crops,
        "sure": sure,
        "parts": part_sentences(diagnosis, cluster),
        "hue": hue(cluster.id),
        "effect": effect_figure(cluster, diagnosis.outcomes.said_unit),
        "coverage_is": coverage_is(diagnosis.outcomes, cluster.confirmed),
        "bar": whisker(tested_effect(cluster), span),
        "lead": lead,
        "lead_is_title": lead_is_title,
        "met": met,
        "overlap": overlap(diagnosis, cluster),
        "pictures": [*filter(None, pictures)],
    }
