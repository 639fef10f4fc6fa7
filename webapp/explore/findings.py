"""What a run can say of a cluster or a selection, as sentences and markup: phrases "in words" beside conditions on
columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.numbers import bracketed, count, number, percent, signed
from core.records import I64, Bool, Diagnosis, Insight
from core.reports.wording.findings import sentence
from webapp.explore.members import met_by
from webapp.markup.html import esc, whisker

LOOKED_AT = 1500
"""Rows among which the phrases of a selection are looked for."""
SHOWN = 2
"""Findings of a kind that stand open; the others are folded under them."""


def of_cluster(diagnosis: Diagnosis, cluster: int | None, kind: str = "") -> list[Insight]:
    """The insights on a cluster (None: those that stand alone), confirmed before exploratory, best first; of one kind
    if it is named."""
    own = [i for i in diagnosis.insights if i.cluster == cluster and kind in ("", i.kind)]
    return sorted(own, key=lambda i: (not i.confirmed, disagrees(i), -(i.retrieval or 0.0)))


def disagrees(insight: Insight) -> bool:
    """Whether what the ensemble reads in a phrase points the other way than what its images show."""
    return insight.read is not None and insight.read.value * insight.effect.value < 0


def finding(diagnosis: Diagnosis, insight: Insight, span: float, share: str = "") -> str:
    """One finding: its text and effect, `share`, the bar, the sentence, and what says the same folded under it."""
    quiet = not insight.confirmed or disagrees(insight)
    effect = (
        f"<b>{signed(insight.effect.value)}</b> {esc(diagnosis.outcomes.unit)} "
        f"<small>{bracketed(insight.effect)}</small>"
    )
    marks = "" if insight.confirmed else '<span class="mark">exploratory</span>'
    if disagrees(insight):
        marks += '<span class="mark warn">evidences disagree</span>'
    met = f'<p class="share">{share}</p>' if share else ""
    twins = len(insight.proxies)
    same = "".join(f"<li>{esc(p)}</li>" for p in insight.proxies)
    fold = (
        f"<details><summary>{count(twins, 'other')} that {'says' if twins == 1 else 'say'} the "
        f"same</summary><ul>{same}</ul></details>"
    )
    return (
        f'<div class="insight{" quiet" if quiet else ""}"><div '
        f'class="insight-top"><span>{esc(insight.text)}{marks}</span>'
        f'<span class="insight-effect">{effect}</span></div>{met}{whisker(insight.effect, span)}'
        f'<p class="said">{esc(sentence(diagnosis, replace(insight, proxies=())))}</p>{fold if twins else ""}</div>'
    )


def findings_columns(
    diagnosis: Diagnosis,
    insights: Sequence[Insight],
    *,
    described: Sequence[str] = (),
    rows: I64 | None = None,
    what: str = "members",
) -> str:
    """ "In words" beside "Conditions"; "" for a part that has nothing to say, one sentence where neither has.

    Args:
        described: exploratory phrases of a selection, ready as markup.
        rows: what is described; with each condition stands how many of them, called `what`, meet it.
    """
    ordered = sorted(insights, key=lambda i: (not i.confirmed, disagrees(i), -(i.retrieval or 0.0)))
    span = max((i.effect.high for i in ordered if math.isfinite(i.effect.high)), default=1.0)
    parts = []
    for title, kind in (("In words", "phrase"), ("Conditions", "condition")):
        counted = rows if kind == "condition" else None
        made = [
            finding(diagnosis, i, span, "" if counted is None else met_by(diagnosis, i, counted, what))
            for i in ordered
            if i.kind == kind
        ]
        made += described if kind == "phrase" else []
        if made:
            first, rest = made[:SHOWN], made[SHOWN:]
            fold = (
                f'<details class="others"><summary>{count(len(rest), "more")[:-1]}</summary>{"".join(rest)}</details>'
                if len(rest) > 1
                else ""
            )
            first = made if len(rest) == 1 else first
            parts.append(f"<section><h3>{title}</h3>{''.join(first)}{fold}</section>")
    if not parts:
        return (
            '<p class="shared muted">No phrase, no column of the table and no measured property sets '
            "these samples apart.</p>"
        )
    return f'<div class="shared two">{"".join(parts)}</div>'


def without_cluster(diagnosis: Diagnosis) -> str:
    """Confirmed phrases and conditions that describe no cluster, folded; "" if there are none."""
    found = [i for i in of_cluster(diagnosis, None) if i.confirmed]
    if not found:
        return ""
    title = f'Confirmed on their own <span class="muted">{len(found)}</span>'
    note = (
        "Phrases and conditions under which the loss is higher, whether or not they lie in a cluster. "
        "Each p allows for the whole search."
    )
    return (
        f'<details class="candidates alone"><summary>{title}</summary><p '
        f'class="muted">{note}</p>{findings_columns(diagnosis, found)}</details>'
    )


def _part(members: Bool) -> I64:
    """All rows, or of many a random part that is enough to find phrases and is read within a second."""
    rng = np.random.default_rng(0)
    kept = [
        rng.permutation(np.flatnonzero(kind))[:most]
        for kind, most in ((members, LOOKED_AT // 3), (~members, 2 * LOOKED_AT // 3))
    ]
    return np.sort(np.concatenate(kept))


def phrases_of_rows(diagnosis: Diagnosis, rows: I64) -> list[str]:
    """Phrases that set picked rows apart, as markup, best first; exploratory, so without a p."""
    words, n = diagnosis.words, len(diagnosis.samples)
    if words is None or not 2 <= len(rows) <= n - 2:
        return []
    from core.discovery.cluster_phrases import describe  # scipy: not needed for the first view
    from core.discovery.design import design_of
    from core.language.directions import phrase_scores

    members = np.zeros(n, bool)
    members[rows] = True
    part = _part(members)
    scores = phrase_scores(words.joint.vectors, words.directions, design_of(diagnosis).centre_of_row)[part]
    made = []
    for found in describe(scores, members[part], diagnosis.estimate.folds[part]):
        area = f"AUROC {number(found.held_out.value)} {bracketed(found.held_out)}"
        text = (
            f"Finds your selection with {area} on samples that it was not chosen on; "
            f"chosen in {percent(found.stability)} of the folds."
        )
        same = "".join(f"<li>{esc(words.phrases[q])}</li>" for q in found.alike)
        fold = (
            f"<details><summary>{count(len(found.alike), 'phrase')} much like it</summary><ul>{same}</ul></details>"
            if same
            else ""
        )
        made.append(
            f'<div class="insight quiet"><div class="insight-top"><span>{esc(words.phrases[found.phrase])}'
            f'<span class="mark">exploratory, no p</span></span></div><p class="said">{esc(text)}</p>{fold}</div>'
        )
    return made
