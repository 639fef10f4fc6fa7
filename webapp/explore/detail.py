"""The right-hand pane for a selection: figures, what it shares, and galleries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from core.discovery.called import scope_rows
from core.language.titles import capital
from core.numbers import count, digits_for, number, percent, with_unit
from core.records import EVERYTHING, I64, Diagnosis, FailureCluster, Insight, ItemStore, Row, other_models
from core.reports.sections import group_row
from core.reports.wording.candidates import chance_phrase
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.effects import coverage_text, loss_phrase, others_of
from core.reports.wording.findings import cluster_figures, cluster_title, how_sure, patches_title
from core.reports.wording.outlines import outlines_sentence
from core.statistics.counts import means_of_rows
from core.yours import MAX_NOTE, MAX_TITLE, WORDS
from webapp.clicks.judging import claims_of
from webapp.explore.findings import shown_findings
from webapp.explore.own_part import OwnForm
from webapp.explore.patches import Patches
from webapp.explore.worth import worth_of
from webapp.markup.html import Tile, hue, sample_facts, tile_of
from webapp.markup.render import render
from webapp.markup.shares import is_own, own_model

NOT_TESTED = "Not tested: you chose these after seeing their losses."
CHOSEN_BY_QUESTION = "Chosen by your question. Ask shows its p."
HINT = "A hint, not a finding."


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A selection and its description."""

    rows: I64
    insights: tuple[Insight, ...]
    cluster: FailureCluster | None = None
    shown: int = 24
    described: tuple[tuple[float, Row], ...] = ()
    """Phrases that describe the selection, not tested, from `phrases_of_rows`."""
    title: str = ""
    """Title of the matches of a question; its rows are then sorted, best match first."""
    scope: str = EVERYTHING
    """Scope in which the question was answered."""
    form: OwnForm | None = None
    """Form for the user's title, note, and sets."""
    back: str = ""
    """Name of the selection behind an open sample, or ""."""
    clicks: str = ""
    """The images to judge, or the judgment on them, rendered."""
    second_opinion: tuple[int, int] | None = None
    """(right, errors): how many of a group's errors another model gets right, where that is known at once."""
    hides_images: bool = False
    """While the images are judged blind."""


def selection_pane(diagnosis: Diagnosis, selection: Selection, patches: Patches | None = None) -> str:
    """Render the pane for a cluster, a lasso, or a single sample; `patches` names clusters that only a visual word
    describes, with the evidence."""
    cluster = selection.cluster
    rows = selection.rows
    confirmed = cluster is not None and cluster.confirmed
    is_single = len(rows) == 1
    named = None
    if patches is not None and cluster is not None and confirmed:
        named = patches.name_of(cluster.id)
    if cluster is not None:
        title = cluster_title(diagnosis, cluster)
        flag = ""
        if not confirmed:
            flag = f"{HINT} {capital(chance_phrase(cluster) or 'not tested')}."
        if named is not None:
            title = patches_title(cluster)
    elif selection.form is not None and selection.form.own_set is not None:
        title = selection.form.own_set.title
        flag = NOT_TESTED
    else:
        title = selection.title or "Your selection"
        if is_single:
            title = diagnosis.samples.ids[int(rows[0])]
        flag = NOT_TESTED
        if is_single or selection.title:
            flag = ""
    lines = list[str]()
    if cluster is not None:
        lines = _lines(diagnosis, cluster)
    if cluster is not None and named is not None:  # its title is another
        lines = [line for line in lines if line != how_sure(diagnosis, cluster)]
    findings = shown_findings(
        diagnosis,
        selection.insights,
        described=selection.described,
        rows=rows,
        what="the selection" if cluster is None else "members",
    )
    return render(
        "explore/selection.html.j2",
        diagnosis=diagnosis,
        title=title,
        rank=cluster.id + 1 if cluster is not None and confirmed else None,
        hue=hue(cluster.id) if cluster is not None and confirmed else "",
        flag=flag,
        form=selection.form,
        own_label=WORDS,
        most_title=MAX_TITLE,
        most_note=MAX_NOTE,
        back=selection.back,
        note=CHOSEN_BY_QUESTION if cluster is None and selection.title and not is_single else "",
        counted=_counted(diagnosis, rows, selection.scope if cluster is None else cluster.scope),
        plain="" if cluster is None else f"{capital(cluster_figures(diagnosis, cluster))}.",
        lines=lines,
        facts=sample_facts(diagnosis, int(rows[0])) if cluster is None and is_single else [],
        patches=named,
        worth=worth_of(diagnosis, int(rows[0])) if cluster is None and is_single else "",
        probe=None if cluster is None else probed(diagnosis, cluster),
        findings=None if is_single else findings,
        can_click=cluster is not None and bool(claims_of(diagnosis, cluster)),
        cluster=None if cluster is None else cluster.id,
        clicks=selection.clicks,
        hides_images=selection.hides_images,
        second_opinion=selection.second_opinion,
        galleries=_galleries(diagnosis, selection),
        near=[tile_of(diagnosis, row) for row in nearest_rows(diagnosis, int(rows[0]))] if is_single else [],
        outlines=outlines_sentence(diagnosis),
        noun=diagnosis.samples.modality,
    )


def _counted(diagnosis: Diagnosis, rows: I64, scope: str) -> dict[str, Any]:
    """Return the size of a selection, its share of the scope, the scope's name ("" for all samples), and what leads:
    errors where they are known, else the mean loss, of the selection and of the others ("" without any)."""
    within = scope_rows(diagnosis, scope)
    scope_name = ""
    if scope != EVERYTHING:
        scope_name = scope
    outcomes = diagnosis.outcomes
    if outcomes.errors is not None:
        rate, rate_others = means_of_rows(outcomes.errors, rows, within)
        wrong = int(outcomes.errors[np.unique(rows)].sum())
        lead = f"wrong on {wrong:,} ({percent(rate)})"
        others = "" if rate_others is None else percent(rate_others)
    else:
        mean, mean_others = means_of_rows(outcomes.loss, rows, within)
        digits = digits_for(outcomes.loss)
        lead = f"mean {outcomes.name} {number(mean, digits)}"
        others = "" if mean_others is None else number(mean_others, digits)
    share = len(rows) / int(within.sum())
    if others:
        others = f"{others_of(diagnosis, scope)} {others}"
    return {"n": len(rows), "share": share, "scope": scope_name, "lead": lead, "others": others}


def _lines(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    """Return what is known of a group besides its counts, a sentence each; of a hint nothing is corrected for the
    search."""
    if cluster.confirmed:
        row = group_row(diagnosis, cluster)
        return [*row.details, *row.sure]
    lines = [how_sure(diagnosis, cluster), *part_sentences(diagnosis, cluster)]
    if all(isfinite(candidate.excess_loss.low) for candidate in diagnosis.candidates):  # all show theirs, or none
        lines.append(f"{capital(loss_phrase(cluster, digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)))}.")
    lines.append(coverage_text(diagnosis, cluster.coverage, EVERYTHING, confirmed=False))
    if cluster.cause:
        lines.append(f"Cause: {cluster.cause}")
    return [*filter(None, lines)]


def probed(diagnosis: Diagnosis, cluster: FailureCluster) -> tuple[str, str] | None:
    """Return the latest probe's name and a sentence: its error rate in the cluster and on the others, and the answers
    it fixes and breaks there; None without a probe."""
    result = next((r for r in reversed(other_models(diagnosis)) if not is_own(diagnosis, r.name)), None)
    wrong = None
    if result is not None:
        wrong = result.outcomes.errors
    if result is None or wrong is None:
        return None
    inside = cluster.membership[result.rows] >= 0.5
    rest = ~inside & scope_rows(diagnosis, cluster.scope)[result.rows]
    if not inside.any():
        return None
    n = int(inside.sum())
    n_wrong = int((wrong & inside).sum())
    sentence = f"wrong on {n_wrong:,} of {count(n, 'scored member')} ({percent(n_wrong / n)})"
    if rest.any():
        others = "the others"
        if cluster.scope != EVERYTHING:
            others = f"the other {cluster.scope} {diagnosis.samples.modality}s"
        sentence += f", {percent(float(wrong[rest].mean()))} of {others}"
    if diagnosis.outcomes.errors is not None:
        mine = diagnosis.outcomes.errors[result.rows][inside]
        fixed = int((mine & ~wrong[inside]).sum())
        broken = int((~mine & wrong[inside]).sum())
        sentence += f". It fixes {fixed:,} and breaks {broken:,} answers of {own_model(diagnosis).name}"
    return result.name, sentence


def _galleries(diagnosis: Diagnosis, selection: Selection) -> list[tuple[str, str, list[Tile], int, str]]:
    """Return (key, title, images, total, note) of each gallery: the matches of a question, the worst, the typical, and
    the counter-examples of a cluster; a single sample has one gallery."""
    rows = selection.rows
    loss = diagnosis.outcomes.loss
    cluster = selection.cluster
    groups = []
    if selection.title and len(rows) != 1:
        groups = [("alike", "Best matches", rows, "")]
    groups.append(("worst", "Highest loss", rows[np.argsort(-loss[rows], kind="stable")], ""))
    if len(rows) != 1:
        groups.append(("typical", "Most typical", typical_rows(diagnosis, selection), ""))
        if cluster is not None and len(cluster.counterexamples):
            title = "Similar, but right"
            note = "For the worst members, the most similar samples that the model gets right."
            if diagnosis.outcomes.errors is None:
                title = "Similar, low loss"
                note = "For the worst members, the most similar samples with a low loss."
            groups.append(("counter", title, cluster.counterexamples, note))
    return [
        (key, title, [tile_of(diagnosis, row) for row in members[: selection.shown].tolist()], len(members), note)
        for key, title, members, note in groups
    ]


def nearest_rows(diagnosis: Diagnosis, row: int, most: int = 8) -> list[int]:
    """Return the samples most similar to a row by cosine of embeddings, nearest first. Rows that share an image appear
    once, and rows with this row's image not at all."""
    items = diagnosis.samples.items
    likeness = diagnosis.embeddings.vectors @ diagnosis.embeddings.vectors[row]
    n = len(likeness)
    looked_at = 8 * most
    while True:  # the first few usually suffice, so the others are not sorted
        looked_at = min(n, looked_at)
        near = np.flatnonzero(likeness >= np.partition(likeness, n - looked_at)[n - looked_at])
        distinct = _apart(near[np.argsort(-likeness[near], kind="stable")].tolist(), row, items, most)
        if len(distinct) == most or looked_at == n:
            return distinct
        looked_at *= 16


def _apart(order: Sequence[int], row: int, items: ItemStore | None, most: int) -> list[int]:
    """Return the first of these rows whose image is neither that of `row` nor of an earlier one."""
    seen = {row if items is None else items.name(row)}
    distinct = list[int]()
    for near in order:
        shown = near
        if items is not None:
            shown = items.name(near)
        if shown not in seen:
            seen.add(shown)
            distinct.append(near)
        if len(distinct) == most:
            break
    return distinct


def typical_rows(diagnosis: Diagnosis, selection: Selection) -> I64:
    """Sort the selection from its center outwards: by cluster membership, else by similarity to the mean embedding."""
    rows = selection.rows
    if selection.cluster is not None:
        return rows[np.argsort(-selection.cluster.membership[rows], kind="stable")]
    vectors = diagnosis.embeddings.vectors[rows]
    if len(rows):
        return rows[np.argsort(-(vectors @ vectors.mean(0)), kind="stable")]
    return rows
