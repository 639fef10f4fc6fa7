"""When clips look like a phrase: small curves over their seconds, for report and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from core.encoders import EMBEDDED
from core.errors import DiagnosisError, InvalidInput
from core.numbers import number, plural
from core.records import I64, Diagnosis, FailureCluster
from core.reports.wording.competence import known_words
from core.statistics.measures import insights_of

if TYPE_CHECKING:
    from core.encoders.clips import ClipEncoder
    from core.language.moments import TextMoments

WIDTH = 300
HEIGHT = 72
LEAST_RANGE = 0.06
"""Cosines over which a chart reaches at least, so that a level curve looks level."""
MOST_CURVES = 4
"""Clips of a cluster of which the report draws one: each takes an eighth of a second."""

DRAWN_FROM = (
    "Likeness (cosine) of up to eight frames to the words; dashed, the mean over the names of ordinary things. Drawn "
    "from the small animation that a run keeps, so the clip is not needed and a curve from the clip itself would "
    "differ a little. For looking: nothing is tested here."
)


@dataclass(frozen=True, slots=True)
class ShownMoments:
    """A curve on a field of `WIDTH` by `HEIGHT`; plain texts."""

    name: str
    sentence: str
    curve: str
    """Points of the text's line."""
    usual: str
    """Points of the line of ordinary things."""
    dots: tuple[tuple[str, str, bool], ...]
    """(x, y, whether it belongs to the span that is said) of each frame."""
    end: str
    """Seconds at the right end."""
    low: str
    high: str
    figures: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class PhraseMoments:
    """The curves of several clips for one text, on one scale, and what to beware of."""

    text: str
    clips: tuple[ShownMoments, ...]
    caution: str
    drawn_from: str = DRAWN_FROM


def shown_moments(moments: Sequence[TextMoments], names: Sequence[str]) -> PhraseMoments:
    """What is drawn of one text in one or more clips."""
    values = np.concatenate([np.concatenate([clip.cosines, clip.usual]) for clip in moments])
    low = float(values.min())
    high = float(values.max())
    lack = LEAST_RANGE - (high - low)
    if lack > 0:
        low = low - lack / 2
        high = high + lack / 2
    shown = tuple(_shown(clip, name, low, high) for clip, name in zip(moments, names, strict=True))
    return PhraseMoments(moments[0].text, shown, caution(moments[0]))


def moment_sentence(moments: TextMoments) -> str:
    """When the clip looks most like the text, and whether that says anything."""
    first, last = (number(second, 1) for second in moments.span)
    when = f"from {first} to {last} s"
    if first == last:
        when = f"at {first} s"
    text = f"Most like “{moments.text}” {when} of {number(moments.length, 1)} s"
    if not moments.moves:
        text = f"{text}, which says little"
    as_much = moments.n_things - moments.n_less
    move = plural(as_much, "moves", "move")
    text = f"{text}: of {moments.n_things:,} ordinary things {as_much:,} {move} as much over the clip."
    if (moments.cosines > moments.usual).any():
        return text
    return f"{text} No frame is more like it than like ordinary things in the mean."


def caution(moments: TextMoments) -> str:
    """How well the encoder knows the text, as far as that was measured: on single images."""
    known = moments.competence
    if known is None:
        return "How well this encoder knows words was not measured."
    if not known.is_known(0):
        return "Whether the encoder knows these words was not measured: see whether the images agree."
    return f"On single images {known_words(known, 0)}. Of clips nothing was measured."


def frame_figures(moments: TextMoments) -> Sequence[tuple[str, str, str]]:
    """(second, cosine, mean over ordinary things) of each frame."""
    figures = list[tuple[str, str, str]]()
    for second, cosine, usual in zip(moments.seconds.tolist(), moments.cosines.tolist(), moments.usual.tolist()):
        figures.append((number(second, 1), number(cosine, 3), number(usual, 3)))
    return figures


def cluster_phrase(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The strongest phrase on the cluster; "" where there is none."""
    return next((i.text for i in insights_of(diagnosis, cluster.id, "phrase")), "")


def cluster_moments(diagnosis: Diagnosis, cluster: FailureCluster, rows: I64) -> PhraseMoments | None:
    """The first of these clips with the cluster's phrase; None where they are no clips, no phrase describes it, or the
    encoder is not the one that comes along: a report fetches nothing."""
    words = diagnosis.words
    items = diagnosis.samples.items
    text = cluster_phrase(diagnosis, cluster)
    if diagnosis.samples.modality != "clip" or items is None or words is None or not text:
        return None
    if words.encoder != EMBEDDED["clip"]:
        return None
    moments = list["TextMoments"]()
    names = list[str]()
    try:
        for row in rows[:MOST_CURVES].tolist():
            moments.append(moments_in(diagnosis, row, text))
            names.append(diagnosis.samples.ids[row])
    except DiagnosisError:  # a package is missing, or the words are of another edition: the rest of the report stands
        return None
    if not moments:
        return None
    return shown_moments(moments, names)


def moments_in(diagnosis: Diagnosis, row: int, text: str) -> TextMoments:
    """A text in a clip of the run, from what the run keeps.

    Raises:
        InvalidInput: the run has no clips or no words, or the clip cannot be read.
    """
    from core.checks.questions import speaker_of  # brings the encoder
    from core.language.moments import moments_of

    words = diagnosis.words
    items = diagnosis.samples.items
    if diagnosis.samples.modality != "clip" or items is None or words is None or not words.encoder:
        raise InvalidInput("Only of clips that an encoder with words has seen is it known when they look like a text.")
    return moments_of(items, row, text, cast("ClipEncoder", speaker_of(words, None)))


def _shown(moments: TextMoments, name: str, low: float, high: float) -> ShownMoments:
    def position(second: float, value: float) -> tuple[str, str]:
        x = 4 + (WIDTH - 8) * second / max(moments.length, 1e-9)
        return f"{x:.1f}", f"{4 + (HEIGHT - 8) * (high - value) / (high - low):.1f}"

    seconds = moments.seconds.tolist()
    curve = [position(second, cosine) for second, cosine in zip(seconds, moments.cosines.tolist())]
    usual = [position(second, cosine) for second, cosine in zip(seconds, moments.usual.tolist())]
    first, last = moments.span
    inside = ((moments.seconds >= first) & (moments.seconds <= last)).tolist()
    return ShownMoments(
        name,
        moment_sentence(moments),
        " ".join(f"{x},{y}" for x, y in curve),
        " ".join(f"{x},{y}" for x, y in usual),
        tuple((x, y, is_in) for (x, y), is_in in zip(curve, inside)),
        number(moments.length, 1),
        number(low, 2),
        number(high, 2),
        frame_figures(moments),
    )
