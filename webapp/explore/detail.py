"""The right-hand pane once something is picked: its figures, what it shares, and its gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.numbers import bracketed, count, number, p_value, percent, signed
from core.records import I64, Diagnosis, FailureCluster, Insight
from core.reports.wording.findings import ALL, cluster_title, overlap
from webapp.explore.findings import findings_columns
from webapp.explore.members import excess_interval
from webapp.markup.html import esc, hue, sample_facts, tile
from webapp.markup.shares import is_own

EXPLORATORY = "Exploratory: you chose these samples after seeing their losses, so no p is given."
ASKED = "Chosen by your question; its p stands in Ask."


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is picked and what is said of it."""

    rows: I64
    insights: tuple[Insight, ...]
    cluster: FailureCluster | None = None
    shown: int = 12
    described: tuple[str, ...] = ()
    """Exploratory phrases, ready as markup."""
    title: str = ""
    """What the matches of a question are called."""
    scope: str = ALL
    """Within which the question was answered."""


def selection_pane(diagnosis: Diagnosis, selection: Selection) -> str:
    """The whole pane for a cluster, a lasso or a single sample."""
    cluster, rows = selection.cluster, selection.rows
    if cluster is not None:
        mark = f'<span class="badge">{cluster.id + 1}</span>' if cluster.confirmed else ""
        title = f"{mark}{esc(cluster_title(diagnosis, cluster))}"
        flag = "" if cluster.confirmed else _flag("Not confirmed. Could be chance: too few to tell.")
        style = f"--hue:{hue(cluster.id)}" if cluster.confirmed else ""
    else:
        one = len(rows) == 1
        title = esc(diagnosis.samples.ids[int(rows[0])]) if one else esc(selection.title or "Your selection")
        asked = f'<p class="muted small-note">{ASKED}</p>' if selection.title else ""
        flag, style = ("" if one else asked or _flag(EXPLORATORY)), ""
    back = '<button type="button" class="plain back" data-do="clear">&larr; All clusters</button>'
    steps = (
        '<span class="steps"><button type="button" class="plain" data-do="step" data-by="-1" aria-label="Previous '
        'cluster">&lsaquo;</button>'
        '<button type="button" class="plain" data-do="step" data-by="1" aria-label="Next '
        'cluster">&rsaquo;</button></span>'
        if diagnosis.clusters
        else ""
    )
    body = f"{_figures(diagnosis, selection)}{_shared(diagnosis, selection)}{_gallery(diagnosis, selection)}{_cause(cluster)}"
    counted = chip(diagnosis, rows, selection.scope if cluster is None else cluster.scope)
    return (
        f'<div class="pane-head" style="{style}"><div class="pane-nav">{back}{steps}</div>'
        f'<h2 class="pane-title" tabindex="-1">{title}</h2>{counted}{flag}</div><div class="pane-body" '
        f'style="{style}">{body}</div>'
    )


def chip(diagnosis: Diagnosis, rows: I64, scope: str = ALL) -> str:
    """ "312 selected (1.2 %), mean loss 2.31 against 0.84 in the rest of boat", and the button that clears."""
    from core.discovery.design import scope_rows  # scipy: not needed to start the page

    inside = np.zeros(len(diagnosis.samples), bool)
    inside[rows] = True
    within = scope_rows(diagnosis, scope)
    mean, rest = float(diagnosis.outcomes.loss[inside].mean()), within & ~inside
    share = f"{percent(len(rows) / int(within.sum()))}{'' if scope == ALL else f' of {esc(scope)}'}"
    said = f"<b>{len(rows):,}</b> selected ({share}), mean loss <b>{number(mean)}</b>"
    if rest.any():
        said += (
            f" against {number(float(diagnosis.outcomes.loss[rest].mean()))} in the "
            f"rest{'' if scope == ALL else f' of {esc(scope)}'}"
        )
    return (
        f'<p class="selection-chip" aria-live="polite"><span>{said}</span><button type="button" '
        'data-do="clear">Clear</button></p>'
    )


def empty_lasso() -> str:
    """Said in the pane where the lasso holds no point."""
    return '<p class="selection-chip"><span>The outline held no point.</span></p>'


def _flag(text: str) -> str:
    return f'<p class="flag">{esc(text)}</p>'


def _figures(diagnosis: Diagnosis, selection: Selection) -> str:
    cluster = selection.cluster
    if cluster is None:
        if len(selection.rows) != 1:
            return ""
        return f'<ul class="facts-list">{"".join(f"<li>{esc(line)}</li>" for line in sample_facts(diagnosis, int(selection.rows[0])))}</ul>'
    unit = esc(diagnosis.outcomes.unit)
    cells = [
        (
            "Excess loss",
            f"{signed(cluster.excess_loss.value)} <small>{unit} {excess_interval(diagnosis, cluster)}</small>",
        )
    ]
    if cluster.error_rate is not None:
        outside = "" if cluster.error_outside is None else f"outside {percent(cluster.error_outside)}"
        cells.append(("Error rate", f"{percent(cluster.error_rate.value)} <small>{outside}</small>"))
    known = "failures" if diagnosis.outcomes.errors is not None else "excess loss"
    cells.append(
        (
            f"Share of all {known}",
            f"{percent(cluster.coverage.value)} <small>{bracketed(cluster.coverage, share=True)}</small>",
        )
    )
    if cluster.p is not None:
        cells.append(("Adjusted p", p_value(cluster.p, bare=True)))
    shared = overlap(diagnosis, cluster) if cluster.confirmed else ""
    note = (f'<p class="overlap">{shared}.</p>' if shared else "") + probed(diagnosis, cluster)
    return f'<dl class="figures">{"".join(f"<div><dt>{t}</dt><dd>{v}</dd></div>" for t, v in cells)}</dl>{note}'


def probed(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """How often the latest probe is wrong in the cluster and in the rest of its scope, and what it fixes and breaks
    there; "" without one."""
    from core.discovery.design import scope_rows  # scipy: not needed to start the page

    result = next((r for r in reversed(diagnosis.probes) if not is_own(diagnosis, r.name)), None)
    wrong = None if result is None else result.outcomes.errors
    if result is None or wrong is None:
        return ""
    inside = cluster.membership[result.rows] >= 0.5
    rest = ~inside & scope_rows(diagnosis, cluster.scope)[result.rows]
    if not inside.any():
        return ""
    said = f"wrong on {percent(float(wrong[inside].mean()))} of the {count(int(inside.sum()), 'member')} that it scored"
    said += (
        f", on {percent(float(wrong[rest].mean()))} of the rest{'' if cluster.scope == ALL else f' of {cluster.scope}'}"
        if rest.any()
        else ""
    )
    if diagnosis.outcomes.errors is not None:
        mine = diagnosis.outcomes.errors[result.rows][inside]
        said += (
            f". It fixes {int((mine & ~wrong[inside]).sum()):,} that your model gets wrong and breaks "
            f"{int((~mine & wrong[inside]).sum()):,}"
        )
    return f'<p class="muted small-note"><b>{esc(result.name)}</b>, the latest probe: {esc(said)}.</p>'


def _shared(diagnosis: Diagnosis, selection: Selection) -> str:
    """What describes the selection, in words and by conditions."""
    if len(selection.rows) < 2:
        return ""
    what = "members" if selection.cluster is not None else "the selection"
    said = findings_columns(
        diagnosis, selection.insights, described=selection.described, rows=selection.rows, what=what
    )
    can_click = (
        selection.cluster is not None
        and any(i.kind == "phrase" for i in selection.insights)
        and diagnosis.samples.items is not None
    )
    return said + (
        '<button type="button" class="plain go" data-do="clicks">Check the words in thirty clicks</button>'
        if can_click
        else ""
    )


def _cause(cluster: FailureCluster | None) -> str:
    return f'<p class="cause"><b>Cause:</b> {esc(cluster.cause)}</p>' if cluster and cluster.cause else ""


def _gallery(diagnosis: Diagnosis, selection: Selection) -> str:
    rows, loss = selection.rows, diagnosis.outcomes.loss
    if len(rows) == 1:
        return f'<div class="gallery solo">{tile(diagnosis, int(rows[0]))}</div>'
    groups = [
        ("worst", "Worst", rows[np.argsort(-loss[rows], kind="stable")]),
        ("typical", "Typical", typical_rows(diagnosis, selection)),
    ]
    if selection.cluster is not None and len(selection.cluster.counterexamples):
        groups.append(("counter", "Counter-examples", selection.cluster.counterexamples))
    tabs, panels = [], []
    for i, (key, title, found) in enumerate(groups):
        state = f'aria-controls="panel-{key}" aria-selected="{str(i == 0).lower()}"'
        tabs.append(f'<button type="button" role="tab" id="tab-{key}" {state} data-tab="{key}">{title}</button>')
        tiles = "".join(tile(diagnosis, int(row)) for row in found[: selection.shown])
        more = (
            f'<button type="button" class="plain more" data-do="more">Show more of {len(found):,}</button>'
            if len(found) > selection.shown
            else ""
        )
        note = (
            '<p class="muted">For the worst members, the most alike samples on which the model does well.</p>'
            if key == "counter"
            else ""
        )
        state = f'id="panel-{key}" aria-labelledby="tab-{key}"{"" if i == 0 else " hidden"}'
        panels.append(f'<div role="tabpanel" {state}>{note}<div class="gallery">{tiles}</div>{more}</div>')
    return f'<div class="tabs"><div role="tablist" aria-label="Pictures">{"".join(tabs)}</div>{"".join(panels)}</div>'


def typical_rows(diagnosis: Diagnosis, selection: Selection) -> I64:
    """The selection ordered from its middle outwards: by membership in a cluster, else by likeness to the mean
    embedding."""
    rows = selection.rows
    if selection.cluster is not None:
        return rows[np.argsort(-selection.cluster.membership[rows], kind="stable")]
    vectors = diagnosis.embeddings.vectors[rows]
    return rows[np.argsort(-(vectors @ vectors.mean(0)), kind="stable")] if len(rows) else rows
