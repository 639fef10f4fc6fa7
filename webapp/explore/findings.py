"""Descriptions of a cluster or a selection: phrases and conditions on columns, strongest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from core.data.images.properties import OF_PICTURE
from core.data.modality import modality_of
from core.discovery.called import scope_rows
from core.numbers import bracketed, listed, number, percent
from core.records import F32, I64, Bool, Diagnosis, Insight, Row, Words
from core.reports.html.intervals import IntervalBar
from core.reports.html.sections import axes_of, row_bar
from core.reports.sections import insight_row
from core.reports.wording.competence import competence_sentence
from core.reports.wording.effects import effect_figure
from core.statistics.measures import strongest_first, tested_effect

MAX_PHRASE_ROWS = 1500
"""Rows on which phrases for a selection are scored, so that they appear within a second."""
OPEN_FINDINGS = 4
"""Findings shown open; the others are folded."""


Findings = tuple[list[tuple[Row, IntervalBar | None]], list[tuple[Row, IntervalBar | None]]]
"""(open, folded), each finding with its bar."""


def met_by(diagnosis: Diagnosis, insight: Insight, rows: I64, what: str = "members") -> str:
    """Return the shares of the rows, and of the others in the condition's scope, that meet it, such as "43% of members,
    5% of the others" (plain text)."""
    scope = scope_rows(diagnosis, insight.scope)
    picked = np.zeros(len(scope), bool)
    picked[rows] = True
    parts = []
    for part, name in ((picked & scope, what), (scope & ~picked, "the others")):
        if part.any():
            parts.append(f"{percent(float(insight.mask[part].mean()))} of {name}")
    return ", ".join(parts)


def meaning_of(diagnosis: Diagnosis, insight: Insight) -> str:
    """Return the meaning of a condition's measured properties, such as "File size: kilobytes"; "" if all its columns
    are the user's."""
    measured = {column.name for column in diagnosis.samples.metadata if column.measured}
    meanings = modality_of(diagnosis.samples.modality).meanings
    sentences = list[str]()
    for name in insight.columns:
        meaning = meanings.get(name.removesuffix(OF_PICTURE))
        if name in measured and meaning:
            sentences.append(f"{name[:1].upper()}{name[1:]}: {meaning}")
    return ". ".join(sentences)


def shown_findings(
    diagnosis: Diagnosis,
    insights: Sequence[Insight],
    *,
    described: Sequence[tuple[float, Row]] = (),
    rows: I64 | None = None,
    what: str = "members",
) -> Findings:
    """Return phrases and conditions, strongest first, a few of them open.

    Args:
        diagnosis: the run.
        insights: findings of a cluster or a selection.
        described: phrases of a selection, not tested, from `phrases_of_rows`.
        rows: the described samples; each finding gets the share of them, called `what`, that meets it.
        what: "members" or "the selection".
    """
    found = list[tuple[float, Row]]()
    for insight in strongest_first(insights):
        effect = " ".join(effect_figure(insight, diagnosis.outcomes.said_unit))
        met = ""
        if rows is not None:
            met = met_by(diagnosis, insight, rows, what)
        lines = tuple(filter(None, (effect, met, meaning_of(diagnosis, insight))))
        row = replace(insight_row(diagnosis, insight), estimate=tested_effect(insight), against=0.0, details=lines)
        found.append((insight.retrieval or 0.0, row))
    if described:  # of a selection, where nothing is confirmed
        found = sorted([*described, *found], key=lambda pair: -pair[0])
    axes = axes_of([row for _, row in found])
    shown = [(row, row_bar(row, axes)) for _, row in found]
    n_open = len(shown)
    if n_open > OPEN_FINDINGS + 1:  # a fold for a single finding would save no room
        n_open = OPEN_FINDINGS
    return shown[:n_open], shown[n_open:]


def _part(members: Bool) -> I64:
    """Return all rows, or a random sample of many: a third members, two thirds others, enough to rank phrases."""
    rng = np.random.default_rng(0)
    inside = rng.permutation(np.flatnonzero(members))[: MAX_PHRASE_ROWS // 3]
    outside = rng.permutation(np.flatnonzero(~members))[: 2 * MAX_PHRASE_ROWS // 3]
    return np.sort(np.concatenate([inside, outside]))


_MEANS: WeakKeyDictionary[Diagnosis, tuple[I64, F32]] = WeakKeyDictionary()
"""By run in memory: the stratum of each row, within which it is compared, and the strata's means."""


def _means(diagnosis: Diagnosis, words: Words) -> tuple[I64, F32]:
    if diagnosis not in _MEANS:
        from core.discovery.design import design_of  # scipy: not needed for the first view
        from core.language.directions import block_means

        blocks = design_of(diagnosis).centring_stratum
        _MEANS[diagnosis] = blocks, block_means(words.joint.vectors, blocks)
    return _MEANS[diagnosis]


def phrases_of_rows(diagnosis: Diagnosis, rows: I64) -> tuple[tuple[float, Row], ...]:
    """Return phrases that distinguish the selected rows, best first, each with its held-out AUROC. They are not tested:
    the rows were chosen after seeing losses."""
    words = diagnosis.words
    n = len(diagnosis.samples)
    if words is None or not 2 <= len(rows) <= n - 2:
        return ()
    from core.discovery.cluster_phrases import describe  # scipy: not needed for the first view
    from core.language.directions import phrase_scores

    members = np.zeros(n, bool)
    members[rows] = True
    part = _part(members)
    blocks, means = _means(diagnosis, words)
    scores = phrase_scores(words.joint.vectors[part], words.directions, blocks[part], means)
    looked_at = ""
    if len(part) != n:
        looked_at = f", searched on {len(part):,} samples"
    found = list[tuple[float, Row]]()
    for match in describe(scores, members[part], diagnosis.estimate.folds[part]):
        sentence = (
            f"Finds your selection with held-out AUROC {number(match.held_out.value)} {bracketed(match.held_out)}; "
            f"chosen in {percent(match.stability)} of the folds{looked_at}."
        )
        known = competence_sentence(words, match.phrase)
        alike = ""
        if match.alike:
            alike = f"Similar phrases: {listed([words.phrases[q] for q in match.alike])}."
        row = Row(f'like "{words.phrases[match.phrase]}"', sentence, verdict="not tested")
        found.append((match.held_out.value, replace(row, sure=tuple(filter(None, (known, alike))))))
    return tuple(found)
