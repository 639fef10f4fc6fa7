"""What a run can say of a cluster or a selection: phrases and conditions on columns, strongest first."""

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

LOOKED_AT = 1500
"""Rows among which the phrases of a selection are looked for."""
SHOWN = 4
"""Findings that stand open; the others are folded under them."""


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """One finding as `explore/findings.html.j2` shows it; plain texts."""

    text: str
    said: str
    effect: tuple[str, str] | None = None
    """`effect_figure`: in the measure that was tested."""
    bar: IntervalBar | None = None
    met: str = ""
    """How many of the samples, and of the rest, meet it."""
    mark: str = ""
    """Such as "exploratory"."""
    meaning: str = ""
    """What the measured properties are that a condition speaks of, with their units."""
    known: str = ""
    """Of a phrase, whether the encoder knows it."""
    quiet: bool = False
    alike: tuple[str, ...] = ()
    """What says the same, folded under `alike_title`."""
    alike_title: str = ""
    retrieval: float = 0.0
    """AUROC with which it finds the cluster or the selection."""


Findings = tuple[list[ShownFinding], list[ShownFinding]]
"""Those that stand open, and those folded under them."""


def _shown(diagnosis: Diagnosis, insight: Insight, span: Mapping[bool, float], met: str) -> ShownFinding:
    n = len(insight.proxies)
    return ShownFinding(
        name_of(insight),
        sentence(diagnosis, insight, proxies=False),
        effect_figure(insight, diagnosis.outcomes.said_unit),
        whisker(tested_effect(insight), span[in_shares(insight)]),
        met,
        mark="" if insight.confirmed else "exploratory",
        meaning=meaning_of(diagnosis, insight),
        known=competence_in_brief(diagnosis.words, insight.number),
        quiet=not insight.confirmed,
        alike=insight.proxies,
        alike_title=f"{count(n, 'other')} that {'says' if n == 1 else 'say'} the same",
        retrieval=insight.retrieval or 0.0,
    )


def meaning_of(diagnosis: Diagnosis, insight: Insight) -> str:
    """Such as "File size: kilobytes": what a condition's measured properties are; "" where all its columns are the
    user's."""
    measured = {column.name for column in diagnosis.samples.metadata if column.measured}
    meanings = modality_of(diagnosis.samples.modality).meanings
    said = ((name, meanings.get(name.removesuffix(OF_PICTURE))) for name in insight.columns if name in measured)
    return ". ".join(f"{name[:1].upper()}{name[1:]}: {meaning}" for name, meaning in said if meaning)


def shown_findings(
    diagnosis: Diagnosis,
    insights: Sequence[Insight],
    *,
    described: Sequence[ShownFinding] = (),
    rows: I64 | None = None,
    what: str = "members",
) -> Findings:
    """Phrases and conditions, strongest first, a few of them open.

    Args:
        diagnosis: the run.
        insights: what was found.
        described: exploratory phrases of a selection.
        rows: what is described; with each finding stands how many of them, called `what`, meet it.
        what: "members" or "the selection".
    """
    ordered = strongest_first(insights)
    ends = [(in_shares(i), tested_effect(i).high) for i in ordered]  # error rates share one scale, losses another
    span = {
        kind: max((high for of, high in ends if of == kind and math.isfinite(high)), default=1.0)
        for kind in (True, False)
    }
    found = [_shown(diagnosis, i, span, "" if rows is None else met_by(diagnosis, i, rows, what)) for i in ordered]
    if described:  # of a selection, where nothing is confirmed
        found = sorted([*described, *found], key=lambda f: -f.retrieval)
    n_open = SHOWN if len(found) > SHOWN + 1 else len(found)  # a fold for one alone would save no room
    return found[:n_open], found[n_open:]


def _part(members: Bool) -> I64:
    """All rows, or of many a random part that is enough to find phrases and is read within a second."""
    rng = np.random.default_rng(0)
    kept = [
        rng.permutation(np.flatnonzero(kind))[:most]
        for kind, most in ((members, LOOKED_AT // 3), (~members, 2 * LOOKED_AT // 3))
    ]
    return np.sort(np.concatenate(kept))


_MEANS: WeakKeyDictionary[Diagnosis, tuple[I64, F32]] = WeakKeyDictionary()
"""Of the runs in memory that were asked: the class of each row within which it is compared, and its mean."""


def _means(diagnosis: Diagnosis, words: Words) -> tuple[I64, F32]:
    if diagnosis not in _MEANS:
        from core.discovery.design import design_of  # scipy: not needed for the first view
        from core.language.directions import block_means

        blocks = design_of(diagnosis).centring_stratum
        _MEANS[diagnosis] = blocks, block_means(words.joint.vectors, blocks)
    return _MEANS[diagnosis]


def phrases_of_rows(diagnosis: Diagnosis, rows: I64) -> tuple[ShownFinding, ...]:
    """Phrases that set picked rows apart, best first; exploratory, so without a p."""
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
    looked_at = "" if len(part) == n else f", looked for among {len(part):,} samples"
    return tuple(
        ShownFinding(
            f'like "{words.phrases[found.phrase]}"',
            f"Finds your selection with AUROC {number(found.held_out.value)} {bracketed(found.held_out)} on samples "
            f"that it was not chosen on; chosen in {percent(found.stability)} of the folds{looked_at}.",
            mark="exploratory, no p",
            known=competence_in_brief(words, found.phrase),
            quiet=True,
            alike=tuple(words.phrases[q] for q in found.alike),
            alike_title=f"{count(len(found.alike), 'phrase')} much like it",
            retrieval=found.held_out.value,
        )
        for found in describe(scores, members[part], diagnosis.estimate.folds[part])
    )
