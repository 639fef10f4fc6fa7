"""The right-hand pane once something is picked: its figures, what it shares, and its gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.discovery.called import scope_rows
from core.numbers import bracketed, count, p_value, percent, signed
from core.records import EVERYTHING, I64, Diagnosis, FailureCluster, Insight, ItemStore, other_models
from core.reports.wording.candidates import chance_phrase
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.effects import coverage_is, other_measure
from core.reports.wording.findings import cluster_title, how_sure, overlap, patches_title, plain_sentence
from core.reports.wording.outlines import outlines_sentence
from core.statistics.measures import in_shares
from webapp.explore.findings import ShownFinding, shown_findings
from webapp.explore.members import excess_interval
from webapp.explore.own_part import OwnForm, own_form, own_line
from webapp.explore.patches import Patches
from webapp.explore.worth import worth_beside
from webapp.markup.html import Tile, hue, sample_facts, tile_of
from webapp.markup.render import render
from webapp.markup.shares import is_own, own_model

EXPLORATORY = "Exploratory: you chose these samples after seeing their losses, so no p is given."
ASKED = "Chosen by your question. No p stands here: Ask tells it where the same is asked there."
UNCONFIRMED = "Worth a look, no finding: it may be chance."


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is picked and what is said of it."""

    rows: I64
    insights: tuple[Insight, ...]
    cluster: FailureCluster | None = None
    shown: int = 12
    described: tuple[ShownFinding, ...] = ()
    """Exploratory phrases."""
    title: str = ""
    """What the matches of a question are called; its rows then stand as they match, the best first."""
    scope: str = EVERYTHING
    """Within which the question was answered."""
    own: OwnForm | None = None
    """What its reader may say of it."""
    back: str = ""
    """What is picked beside a sample that is open, or ""."""


def selection_pane(diagnosis: Diagnosis, selection: Selection, patches: Patches | None = None) -> str:
    """The whole pane for a cluster, a lasso or a single sample; with `patches`, a cluster that only a visual word tells
    is called so, and what that rests on is said."""
    cluster = selection.cluster
    rows = selection.rows
    confirmed = cluster is not None and cluster.confirmed
    one = len(rows) == 1
    named = None if patches is None or cluster is None or not confirmed else patches.name_of(cluster.id)
    if cluster is not None:
        title = cluster_title(diagnosis, cluster)
        flag = "" if confirmed else unconfirmed(cluster)
        title = title if named is None else patches_title(cluster)
    elif selection.own is not None and selection.own.kept is not None:
        title = selection.own.kept.title
        flag = EXPLORATORY
    else:
        title = diagnosis.samples.ids[int(rows[0])] if one else selection.title or "Your selection"
        flag = "" if one or selection.title else EXPLORATORY
    findings = shown_findings(
        diagnosis,
        selection.insights,
        described=selection.described,
        rows=rows,
        what="the selection" if cluster is None else "members",
    )
    worded = cluster is not None and any(i.kind == "phrase" for i in selection.insights)
    return render(
        "explore/selection.html.j2",
        diagnosis=diagnosis,
        title=title,
        rank=cluster.id + 1 if cluster is not None and confirmed else None,
        hue=hue(cluster.id) if cluster is not None and confirmed else "",
        flag=flag,
        sure=how_sure(diagnosis, cluster) if cluster is not None and named is None else "",
        parts=[] if cluster is None else part_sentences(diagnosis, cluster),
        own_line=own_line(selection.own) if selection.own else "",
        own_form=own_form(selection.own) if selection.own else "",
        back=selection.back,
        note=ASKED if cluster is None and selection.title and not one else "",
        counted=_counted(diagnosis, rows, selection.scope if cluster is None else cluster.scope),
        plain="" if cluster is None else plain_sentence(diagnosis, cluster),
        figures=[] if cluster is None else _figures(diagnosis, cluster),
        facts=sample_facts(diagnosis, int(rows[0])) if cluster is None and one else [],
        patches=named,
        worth=worth_beside(diagnosis, int(rows[0])) if cluster is None and one else None,
        overlap=overlap(diagnosis, cluster) if cluster is not None and confirmed else "",
        probe=None if cluster is None else probed(diagnosis, cluster),
        findings=None if one else findings,
        can_click=worded and not one and diagnosis.samples.items is not None,
        galleries=_galleries(diagnosis, selection),
        near=[tile_of(diagnosis, row) for row in nearest_rows(diagnosis, int(rows[0]))] if one else [],
        outlines=outlines_sentence(diagnosis),
        noun=diagnosis.samples.modality,
        cause="" if cluster is None else cluster.cause,
    )


def unconfirmed(candidate: FailureCluster) -> str:
    """What to beware of in a set of the second list."""
    said = chance_phrase(candidate)
    return f"{UNCONFIRMED} {said[0].upper()}{said[1:]}." if said else f"{UNCONFIRMED} It was not tested."


def _counted(diagnosis: Diagnosis, rows: I64, scope: str) -> dict[str, Any]:
    """How many are picked, what share of the scope that is, its name ("" for all samples), and their mean loss beside
    that of the rest, None without one."""
    within = scope_rows(diagnosis, scope)
    loss = diagnosis.outcomes.loss
    rest = within.copy()
    rest[rows] = False
    return {
        "n": len(rows),
        "share": len(rows) / int(within.sum()),
        "scope": "" if scope == EVERYTHING else scope,
        "mean": float(loss[np.unique(rows)].mean()),
        "rest": float(loss[rest].mean()) if rest.any() else None,
    }


def _figures(diagnosis: Diagnosis, cluster: FailureCluster) -> list[tuple[str, str, str | None]]:
    """(title, value, remark) of a cluster; the remark is None where there is none to make."""
    remark = f"{diagnosis.outcomes.said_unit} {excess_interval(diagnosis, cluster)}".lstrip()
    found: list[tuple[str, str, str | None]] = [("Excess loss", signed(cluster.excess_loss.value), remark)]
    if cluster.error_rate is not None:
        outside = "" if cluster.error_outside is None else f", outside {percent(cluster.error_outside)}"
        rate = (
            "Error rate",
            percent(cluster.error_rate.value),
            f"{bracketed(cluster.error_rate, share=True)}{outside}",
        )
        found.insert(0 if in_shares(cluster) else 1, rate)
    of = "all failures" if diagnosis.outcomes.errors is not None else "the loss above the mean"
    coverage = cluster.coverage
    how = coverage_is(diagnosis.outcomes, cluster.confirmed)
    found.append((f"Share of {of}", percent(coverage.value), f"{bracketed(coverage, share=True)} {how}".lstrip()))
    if cluster.p is not None:
        found.append(("Adjusted p", p_value(cluster.p, bare=True), other_measure(cluster) or None))
    return found


def probed(diagnosis: Diagnosis, cluster: FailureCluster) -> tuple[str, str] | None:
    """The latest probe's name, and how often it is wrong in the cluster and in the rest of its scope, with what it
    fixes and breaks there; None without one."""
    result = next((r for r in reversed(other_models(diagnosis)) if not is_own(diagnosis, r.name)), None)
    wrong = None if result is None else result.outcomes.errors
    if result is None or wrong is None:
        return None
    inside = cluster.membership[result.rows] >= 0.5
    rest = ~inside & scope_rows(diagnosis, cluster.scope)[result.rows]
    if not inside.any():
        return None
    said = f"wrong on {percent(float(wrong[inside].mean()))} of the {count(int(inside.sum()), 'member')} that it scored"
    if rest.any():
        where = "" if cluster.scope == EVERYTHING else f" of {cluster.scope}"
        said += f", on {percent(float(wrong[rest].mean()))} of the rest{where}"
    if diagnosis.outcomes.errors is not None:
        mine = diagnosis.outcomes.errors[result.rows][inside]
        fixed = int((mine & ~wrong[inside]).sum())
        broken = int((~mine & wrong[inside]).sum())
        said += f". It fixes {fixed:,} that {own_model(diagnosis).name} gets wrong and breaks {broken:,}"
    return result.name, said


def _galleries(diagnosis: Diagnosis, selection: Selection) -> list[tuple[str, str, list[Tile], int, str]]:
    """(key, title, images shown, how many there are, note) of the matches of a question, most alike first; of the
    worst, the typical and, of a cluster, its counter-examples; of a single sample itself alone."""
    rows = selection.rows
    loss = diagnosis.outcomes.loss
    cluster = selection.cluster
    groups = [("alike", "Most alike", rows, "")] if selection.title and len(rows) != 1 else []
    groups.append(("worst", "Worst", rows[np.argsort(-loss[rows], kind="stable")], ""))
    if len(rows) != 1:
        groups.append(("typical", "Typical", typical_rows(diagnosis, selection), ""))
        if cluster is not None and len(cluster.counterexamples):
            groups.append(("counter", "Counter-examples", cluster.counterexamples, COUNTER))
    return [
        (key, title, [tile_of(diagnosis, row) for row in found[: selection.shown].tolist()], len(found), note)
        for key, title, found, note in groups
    ]


COUNTER = "For the worst members, the most alike samples on which the model does well."


def nearest_rows(diagnosis: Diagnosis, row: int, most: int = 8) -> list[int]:
    """The samples most like one, by the cosine of their embeddings, the nearest first; of several rows that show one
    image, as with several labels, one, and none that shows its own."""
    items = diagnosis.samples.items
    likeness = diagnosis.embeddings.vectors @ diagnosis.embeddings.vectors[row]
    n = len(likeness)
    looked_at = 8 * most
    while True:  # most often the first few are enough, and the others need not be sorted
        looked_at = min(n, looked_at)
        near = np.flatnonzero(likeness >= np.partition(likeness, n - looked_at)[n - looked_at])
        found = _apart(near[np.argsort(-likeness[near], kind="stable")].tolist(), row, items, most)
        if len(found) == most or looked_at == n:
            return found
        looked_at *= 16


def _apart(order: Sequence[int], row: int, items: ItemStore | None, most: int) -> list[int]:
    """The first of these rows that show neither what `row` shows nor what an earlier one does."""
    seen = {row if items is None else items.name(row)}
    found = list[int]()
    for near in order:
        shown = near if items is None else items.name(near)
        if shown not in seen:
            seen.add(shown)
            found.append(near)
        if len(found) == most:
            break
    return found


def typical_rows(diagnosis: Diagnosis, selection: Selection) -> I64:
    """The selection ordered from its middle outwards: by membership in a cluster, else by likeness to the mean
    embedding."""
    rows = selection.rows
    if selection.cluster is not None:
        return rows[np.argsort(-selection.cluster.membership[rows], kind="stable")]
    vectors = diagnosis.embeddings.vectors[rows]
    return rows[np.argsort(-(vectors @ vectors.mean(0)), kind="stable")] if len(rows) else rows
