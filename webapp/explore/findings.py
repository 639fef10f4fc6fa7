"""Descriptions of a cluster or a selection: phrases and conditions on columns, strongest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from core.data.images.properties import OF_PICTURE
from core.data.modality import modality_of
from core.numbers import bracketed, count, number, percent
from core.records import F32, I64, Bool, Diagnosis, Insight, Words
from core.reports.html.intervals import IntervalBar
from core.reports.wording.competence import competence_in_brief
from core.reports.wording.effects import effect_figure
from core.reports.wording.findings import name_of, sentence
from core.statistics.measures import in_shares, strongest_first, tested_effect
from webapp.explore.members import met_by, whisker

MAX_PHRASE_ROWS = 1500
"""Rows on which phrases for a selection are scored, so that they appear within a second."""
OPEN_FINDINGS = 4
"""Findings shown open; the others are folded."""


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """One finding as `explore/findings.html.j2` shows it, as plain texts."""

    text: str
    sentence: str
    effect: tuple[str, str] | None = None
    """From `effect_figure`, in the tested measure."""
    bar: IntervalBar | None = None
    met: str = ""
    """Shares of the samples, and of the others, that meet it."""
    mark: str = ""
    """Such as "not confirmed"."""
    meaning: str = ""
    """The measured properties of a condition, with their units."""
    known: str = ""
    """For a phrase, how well the encoder knows it."""
    quiet: bool = False
    alike: tuple[str, ...] = ()
    """Equivalent phrases or conditions, folded under `alike_title`."""
    alike_title: str = ""
    retrieval: float = 0.0
    """AUROC for finding the cluster or the selection."""


Findings = tuple[list[ShownFinding], list[ShownFinding]]
"""(open, folded)."""


def _shown(diagnosis: Diagnosis, insight: Insight, span: Mapping[bool, float], met: str) -> ShownFinding:
    n = len(insight.proxies)
    mark = ""
    if not insight.confirmed:
        mark = "not confirmed"
    return ShownFinding(
        name_of(insight),
        sentence(diagnosis, insight, proxies=False),
        effect_figure(insight, diagnosis.outcomes.said_unit),
        whisker(tested_effect(insight), span[in_shares(insight)]),
        met,
        mark=mark,
        meaning=meaning_of(diagnosis, insight),
        known=competence_in_brief(diagnosis.words, insight.number),
        quiet=not insight.confirmed,
        alike=insight.proxies,
        alike_title=count(n, f"equivalent {insight.kind}"),
        retrieval=insight.retrieval or 0.0,
    )


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
    described: Sequence[ShownFinding] = (),
    rows: I64 | None = None,
    what: str = "members",
) -> Findings:
    """Return phrases and conditions, strongest first, a few of them open.

    Args:
        diagnosis: the run.
        insights: findings of a cluster or a selection.
        described: phrases of a selection, not tested.
        rows: the described samples; each finding gets the share of them, called `what`, that meets it.
        what: "members" or "the selection".
    """
    ordered = strongest_first(insights)
    ends = [(in_shares(i), tested_effect(i).high) for i in ordered]  # error rates share one scale, losses another
    span = dict[bool, float]()
    for by_rate in (True, False):
        span[by_rate] = max((high for of, high in ends if of == by_rate and math.isfinite(high)), default=1.0)
    shown = list[ShownFinding]()
    for insight in ordered:
        met = ""
        if rows is not None:
            met = met_by(diagnosis, insight, rows, what)
        shown.append(_shown(diagnosis, insight, span, met))
    if described:  # of a selection, where nothing is confirmed
        shown = sorted([*described, *shown], key=lambda f: -f.retrieval)
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


def phrases_of_rows(diagnosis: Diagnosis, rows: I64) -> tuple[ShownFinding, ...]:
    """Return phrases that distinguish the selected rows, best first. They are not tested: the rows were chosen after
    seeing losses."""
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
    return tuple(
        ShownFinding(
            f'like "{words.phrases[match.phrase]}"',
            f"Finds your selection with held-out AUROC {number(match.held_out.value)} {bracketed(match.held_out)}; "
            f"chosen in {percent(match.stability)} of the folds{looked_at}.",
            mark="not tested",
            known=competence_in_brief(words, match.phrase),
            quiet=True,
            alike=tuple(words.phrases[q] for q in match.alike),
            alike_title=count(len(match.alike), "similar phrase"),
            retrieval=match.held_out.value,
        )
        for match in describe(scores, members[part], diagnosis.estimate.folds[part])
    )
