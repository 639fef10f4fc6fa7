"""The right-hand pane while nothing is picked: ranked cluster cards, or the calm view where nothing was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.numbers import bracketed, count, p_value, percent, signed
from core.records import Diagnosis, FailureCluster, Insight
from core.reports.wording.findings import cluster_title, overlap, replication_sentence
from webapp.explore.findings import without_cluster
from webapp.explore.members import excess_interval, members_of, met_by
from webapp.markup.html import esc, hue, picture, whisker

THUMBNAILS = 4
NEXT_STEPS = (
    ("Try another encoder", "An embedding that sees other things may order the losses where this one cannot."),
    ("Bring more samples", "Twice the samples find an effect about 0.7 times as large."),
    ("Check that ids match", "Losses joined to the wrong pictures look exactly like this."),
    ("Look at whole classes", "The class table above tests those without any embedding."),
)


RANKED = (
    "Ranked by the least that mending them is worth: lower bound of the excess times size. "
    "Each is more than chance allows, after the whole search."
)


def cluster_list(diagnosis: Diagnosis) -> str:
    """The confirmed clusters in rank order, then what was looked at and not confirmed."""
    if not diagnosis.clusters:
        return nothing_found(diagnosis)
    span = max(c.excess_loss.high for c in diagnosis.clusters)
    cards = "".join(cluster_card(diagnosis, c, span) for c in diagnosis.clusters)
    head = f"{count(len(diagnosis.clusters), 'failure cluster')}"
    return (
        f'<div class="pane-head"><h2>{head}</h2><p class="muted">{RANKED}</p>{held_back_line(diagnosis)}</div>'
        f'<div class="pane-body" tabindex="-1">{cards}{without_cluster(diagnosis)}{candidate_list(diagnosis)}</div>'
    )


def lead_insight(insights: tuple[Insight, ...], cluster: int) -> Insight | None:
    """The condition that says best what the cluster is: confirmed before exploratory, then by how well it retrieves the
    members.

    The phrase is in the title already.
    """
    own = [i for i in insights if i.cluster == cluster and i.kind == "condition"]
    return max(own, key=lambda i: (i.confirmed, i.retrieval or 0.0), default=None)


def worst_members(diagnosis: Diagnosis, cluster: FailureCluster, n: int) -> list[int]:
    """The members of highest loss, worst first."""
    rows = members_of(cluster)
    return rows[np.argsort(-diagnosis.outcomes.loss[rows], kind="stable")][:n].tolist()


def cluster_card(diagnosis: Diagnosis, cluster: FailureCluster, span: float) -> str:
    """One cluster as a button: name, excess loss with interval, error rates, adjusted p, share of failures, pictures,
    lead condition."""
    unit = esc(diagnosis.outcomes.unit)
    facts = [count(cluster.size, "sample") + ("" if cluster.scope == "all samples" else f" of {esc(cluster.scope)}")]
    if cluster.error_rate and cluster.error_outside is not None:
        facts.append(f"<b>{percent(cluster.error_rate.value)}</b> wrong, {percent(cluster.error_outside)} outside")
    facts.append(
        f"holds {percent(cluster.coverage.value)} of all failures"
        if diagnosis.outcomes.errors is not None
        else f"holds {percent(cluster.coverage.value)} of the excess loss"
    )
    if cluster.p is not None:
        facts.append(f"adjusted {p_value(cluster.p)}")
    if shared := overlap(diagnosis, cluster):
        facts.append(f'<span class="overlap">{shared}</span>')
    title = cluster_title(diagnosis, cluster)
    said = _lead(diagnosis, cluster, title)
    tiles = "".join(_thumbnail(diagnosis, row) for row in worst_members(diagnosis, cluster, THUMBNAILS))
    effect = f"<b>{signed(cluster.excess_loss.value)}</b> {unit}<small>{bracketed(cluster.excess_loss)}</small>"
    return (
        f'<button type="button" class="card" data-do="cluster" data-cluster="{cluster.id}" '
        f'style="--hue:{hue(cluster.id)}">'
        f'<span class="card-top"><span class="badge">{cluster.id + 1}</span><span '
        f'class="card-name">{esc(title)}{said}</span>'
        f'<span class="card-effect">{effect}</span></span>'
        f"{whisker(cluster.excess_loss, span)}"
        f'<span class="card-facts">{"".join(f"<span>{f}</span>" for f in facts)}</span>'
        f'<span class="card-thumbs">{tiles}</span></button>'
    )


def _lead(diagnosis: Diagnosis, cluster: FailureCluster, title: str) -> str:
    """The lead condition with the share of the members that meet it, so that nobody takes it for what all of them
    share."""
    lead = lead_insight(diagnosis.insights, cluster.id)
    if lead is None:
        return ""
    name = "" if lead.text in title else f"{esc(lead.text)}: "
    mark = "" if lead.confirmed else ' <span class="mark">exploratory</span>'
    return f'<span class="card-lead">{name}{met_by(diagnosis, lead, members_of(cluster))}{mark}</span>'


def _thumbnail(diagnosis: Diagnosis, row: int) -> str:
    source = picture(diagnosis, row)
    return f'<img src="{source}" alt="" loading="lazy">' if source else ""


def candidate_list(diagnosis: Diagnosis) -> str:
    """What was looked at and not confirmed: apart, quiet, without a p."""
    if not diagnosis.candidates:
        return ""
    unit, rows = esc(diagnosis.outcomes.unit), ""
    for i, c in enumerate(diagnosis.candidates):
        effect = f"{count(c.size, 'sample')}, {signed(c.excess_loss.value)} {unit} {excess_interval(diagnosis, c)}"
        button = f'<button type="button" class="plain" data-do="candidate" data-candidate="{i}">{esc(c.name)}</button>'
        rows += f'<li>{button} <span class="muted">{effect}</span></li>'
    title = f'Looked at, not confirmed <span class="muted">{len(diagnosis.candidates)}</span>'
    return (
        f'<details class="candidates"><summary>{title}</summary><p class="muted">Could be chance: '
        f"too few to tell.</p><ul>{rows}</ul></details>"
    )


def nothing_found(diagnosis: Diagnosis) -> str:
    """The result "nothing", with the smallest effect that would have been found and what to try next."""
    unit = esc(diagnosis.outcomes.unit)
    rows = "".join(
        f"<tr><td>{d.size:,}</td><td>{'often missed' if d.excess_loss is None else f'{signed(d.excess_loss)} {unit}'}</td>"
        f"<td>{'' if d.error_difference is None else '+' + percent(d.error_difference).replace('%', 'points')}</td></tr>"
        for d in diagnosis.detectable
    )
    power = f"{percent(diagnosis.detectable[0].power)}" if diagnosis.detectable else ""
    head = f"<tr><th>Samples</th><th>Excess {esc(diagnosis.outcomes.name)}</th><th>Excess errors</th></tr>"
    found = ""
    if rows:
        found = (
            f"<h3>What would have been found</h3><p>The smallest excess that would have been confirmed {power} of "
            "the time, in a round "
            "neighbourhood of the embedding. Often missed: less often than that, even if four fifths of it failed.</p>"
            f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        )
    steps = "".join(f"<li><b>{title}.</b> {why}</li>" for title, why in NEXT_STEPS)
    return (
        '<div class="pane-head"><h2>No failure cluster</h2>'
        f'{held_back_line(diagnosis)}</div><div class="pane-body calm">'
        "<p>No group of samples fails together more than chance allows. That is a result: "
        "the failures are spread, or this embedding does not see what they share.</p>"
        f"{found}<h3>What to try "
        f"next</h3><ul>{steps}</ul>{without_cluster(diagnosis)}{candidate_list(diagnosis)}</div>"
    )


if TYPE_CHECKING:
    pass


def held_back_line(diagnosis: Diagnosis) -> str:
    """For the list of clusters: what became of the findings on samples that were held back; "" where none were."""
    if diagnosis.prediction is None:
        return ""
    said = f"On {diagnosis.prediction.source}: {replication_sentence(diagnosis.prediction)}"
    return (
        f'<p class="selection-chip"><span>{esc(said)}</span><button type="button" '
        'data-do="predict">See them</button></p>'
    )
