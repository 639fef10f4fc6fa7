"""The right-hand pane while nothing is picked: ranked cluster cards, or the calm view where nothing was found."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.records import EVERYTHING, Diagnosis, FailureCluster
from core.reports.html.power_map import power_map
from core.reports.wording.candidates import candidates_sentence, chance_phrase, members_seen
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.effects import coverage_is, effect_figure
from core.reports.wording.findings import cluster_title, how_sure, overlap, patches_title
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
    """The confirmed clusters in rank order, then what is worth a look; with no cluster, that result or what is
    confirmed all the same, the patterns that would have been found, and what to try next. A `note` stands above all;
    with `patches`, a cluster that only a visual word tells is called so; `undo` is the title of an own set that was
    just deleted."""
    # clusters of the error rate share one scale, those of the loss another
    span = {
        kind: max((tested_effect(c).high for c in diagnosis.clusters if in_shares(c) == kind), default=1.0)
        for kind in (True, False)
    }
    yours = yours_of(diagnosis)
    alone = [i for i in insights_of(diagnosis, None) if i.confirmed]
    prediction = diagnosis.prediction
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
        cards=[
            _card(diagnosis, c, span[in_shares(c)], patches) | {"own": yours.mark_of("cluster", c.id)}
            for c in diagnosis.clusters
        ],
        alone=shown_findings(diagnosis, alone),
        candidates=[
            _look(diagnosis, candidate) | {"own": yours.mark_of("candidate", at)}
            for at, candidate in enumerate(diagnosis.candidates)
        ],
        worth_a_look=candidates_sentence(diagnosis),
        sensitivity=sensitivity_sentence(diagnosis),
        power=power_map(diagnosis),
        held_back="" if prediction is None else f"On {prediction.source}: {replication_sentence(prediction)}",
    )


def worst_members(diagnosis: Diagnosis, cluster: FailureCluster, n: int) -> list[int]:
    """The members of highest loss, worst first."""
    rows = members_of(cluster)
    return rows[np.argsort(-diagnosis.outcomes.loss[rows], kind="stable")][:n].tolist()


def _look(diagnosis: Diagnosis, candidate: FailureCluster) -> dict[str, Any]:
    """A candidate: what is seen of it, how likely it is to be nothing, and the images of the worst."""
    pictures = (picture(diagnosis, row) for row in worst_members(diagnosis, candidate, THUMBNAILS))
    return {
        "candidate": candidate,
        "title": cluster_title(diagnosis, candidate),
        "sure": how_sure(diagnosis, candidate),
        "seen": members_seen(diagnosis, candidate),
        "chance": chance_phrase(candidate),
        "pictures": [*filter(None, pictures)],
    }


def _card(diagnosis: Diagnosis, cluster: FailureCluster, span: float, patches: Patches | None) -> dict[str, Any]:
    """A confirmed cluster, with the share of its members that meet its strongest finding, so that nobody takes it for
    what all of them share, and the images of the worst."""
    lead = next(iter(insights_of(diagnosis, cluster.id)), None)
    said = cluster_name(diagnosis, cluster).title_words
    named = None if patches is None else patches.name_of(cluster.id)
    pictures = (picture(diagnosis, row) for row in worst_members(diagnosis, cluster, THUMBNAILS))
    return {
        "cluster": cluster,
        "title": cluster_title(diagnosis, cluster) if named is None else patches_title(cluster),
        "patches": [] if named is None else named.crops[:THUMBNAILS],
        "sure": how_sure(diagnosis, cluster) if named is None else "",
        "parts": part_sentences(diagnosis, cluster),
        "hue": hue(cluster.id),
        "effect": effect_figure(cluster, diagnosis.outcomes.said_unit),
        "coverage_is": coverage_is(diagnosis.outcomes, cluster.confirmed),
        "bar": whisker(tested_effect(cluster), span),
        "lead": lead,
        "lead_is_title": lead is not None and named is None and len(said) == 1 and says_the_same(said, lead),
        "met": "" if lead is None else met_by(diagnosis, lead, members_of(cluster)),
        "overlap": overlap(diagnosis, cluster),
        "pictures": [*filter(None, pictures)],
    }
