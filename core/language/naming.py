"""What a cluster is called: one decision over all that is known of it. The rule and its reasons stand in
docs/decisions/names.md.

Naming claims nothing and tests nothing: it chooses among what was measured, confirmed and described. Every p stays what
it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from core.data.images.tint import HUES
from core.language.grammar import right_articles, words_in
from core.records import I64, Bool, ClusterName, Column, FailureCluster, Insight, Words
from core.statistics.ranking import auroc

T = TypeVar("T")
PLAIN: Mapping[str, tuple[str, str]] = {
    "grey": ("", "black and white"),
    "tint": ("", "with a {} tint"),
    "brightness change": ("darkening", "brightening"),
    "cuts": ("", "with cuts"),
    "flicker": ("", "flickering"),
    "brightness": ("dark", "bright"),
    "noise": ("", "noisy"),
    "blur": ("", "blurred"),
    "colourfulness": ("hardly any colour", "very colourful"),
    "contrast": ("low contrast", "high contrast"),
    "links": ("", "with links"),
    "markup tags": ("", "with markup"),
    "question marks": ("", "with questions"),
    "negations": ("", "with negations"),
    "hedges": ("", "hedged"),
    "numbers": ("", "with numbers"),
    "words": ("short", "long"),
    "still share": ("", "standing still"),
    "motion": ("", "with much motion"),
    "length": ("short", "long"),
}
"""Measured properties of pictures, clips and texts that people see as such, with what their low and their high end is
called. Of two that fit equally well the earlier one is meant: dark pictures have low contrast too, and blurred ones as
well; tinted ones are very colourful; a link may hold numbers; a clip that darkens is dark."""
VISIBLE: Mapping[str, float] = {
    "noise": 0.01,
    "flicker": 0.01,
    "cuts": 1.0,
    **dict.fromkeys(("question marks", "numbers", "negations", "hedges", "links", "markup tags"), 1.0),
}
"""Least median of the members with which the high end may be said at all: grass has more noise than the sky, and is not
noisy."""
PROXIES = frozenset({"file size", "file format", "width", "height", "megapixels", "aspect ratio", "entropy"})
"""Properties that only stand for others: never a name."""
UNSEEN = frozenset({("noise", "<="), ("tint strength", "<="), ("tint", "none")})
"""Tests of a condition, (property, sign or category), that say what is not there: never a name, as with compressed
pictures, which have no noise."""
FITS = 0.9
"""Least AUROC with which a plain property must tell members from the rest of the scope."""
AS_WELL = 0.03
"""AUROCs that differ less are equally good."""
CONDITION, MEASURED = 0.75, 0.85
"""Least AUROC of a confirmed condition on the user's own columns, and of one on another measured property."""
PHRASE, PHRASE_LOW = 0.8, 0.7
"""Least AUROC of a phrase on unseen rows, and least lower end of its interval."""
CUT = 0.08
"""So much less may a condition on the user's own columns reach: it is one cut where the others are whole rankings, and
it was tested."""
GUESS = 0.75
"""Least AUROC on unseen rows with which a phrase is said to be what a cluster might be."""
DOUBTFUL = 2
"""Phrases that are said to be what a cluster might be."""
NEAR_MISS = 0.05
"""A phrase is no name where anything else retrieves the members better than it by more than this."""
WITNESS = 0.7
"""Least AUROC, or share of members of a colour, with which a measurement bears out a phrase that it could see."""
TINTED = 0.65
"""AUROC of one measured tint from which the members' colours are that tint's, and no vivid ones."""
SEEN: Mapping[str, tuple[str, int]] = {
    "in the dark": ("brightness", -1),
    "in dim light": ("brightness", -1),
    "underexposed": ("brightness", -1),
    "at night": ("brightness", -1),
    "mostly black all over": ("brightness", -1),
    "dark coloured": ("brightness", -1),
    "overexposed": ("brightness", 1),
    "washed-out": ("brightness", 1),
    "mostly white all over": ("brightness", 1),
    "in bright sunlight": ("brightness", 1),
    "in sepia": ("colourfulness", -1),
    "in faded colours": ("colourfulness", -1),
    "in vivid colours": ("colourfulness", 1),
    "brightly coloured": ("colourfulness", 1),
    "with low contrast": ("contrast", -1),
    "with high contrast": ("contrast", 1),
    "blurred": ("blur", 1),
    "out-of-focus": ("blur", 1),
    "motion-blurred": ("blur", 1),
    "low-resolution": ("blur", 1),
    "noisy": ("noise", 1),
    "grainy": ("noise", 1),
    "in fog": ("contrast", -1),
    "hazy": ("contrast", -1),
    "asking a question": ("question marks", 1),
    "with a negation": ("negations", 1),
    "hedged": ("hedges", 1),
    "with numbers": ("numbers", 1),
    "in the first person": ("first-person words", 1),
    "quoting what somebody said": ("quotation marks", 1),
    "in capitals": ("capital share", 1),
    "with code or markup": ("punctuation share", 1),
    "short and bare": ("words", -1),
}
"""Phrases that a measured property must bear out: (property, sign)."""
BORNE: Mapping[str, tuple[str, str]] = {
    "in black and white": ("grey", "grey"),
    **{f"with a {tint} tint": ("tint", tint) for tint in ("red", "green", "blue", "yellow")},
}
"""Phrases of which a measured category says whether a picture shows them: (property, category). A black dog on snow has
little colour, and is no black-and-white picture."""


def name_cluster(
    cluster: FailureCluster, insights: Sequence[Insight], columns: Sequence[Column], rows: I64, words: Words | None
) -> ClusterName:
    """The most plausible name of a confirmed cluster, or none.

    In this order: a confirmed condition on the user's own columns that retrieves the members about as well as anything
    else; a plain property that fits as well as the best phrase; a confirmed condition on another measured property that
    retrieves them better than any phrase; a confirmed phrase that the encoder knows, that retrieves them on unseen rows
    and that no measurement contradicts; nothing.

    Args:
        insights: what was found of this cluster.
        columns: metadata and measured properties of all samples.
        rows: of the cluster's scope.
    """
    own = [i for i in insights if i.cluster == cluster.id]
    members = cluster.membership[rows] >= 0.5
    phrases = sorted((i for i in own if i.kind == "phrase" and i.held_out is not None), key=_unseen, reverse=True)
    possible = [i for i in phrases if _unseen(i) >= GUESS and _may_be(words, i.number, columns, rows, members)]
    if not cluster.confirmed or not 0 < members.sum() < len(members):
        return ClusterName("", "none", _texts(possible))
    able = [i for i in phrases if i.confirmed and nameable(words, i.number, columns, rows, members)]
    phrase = _best_known(able, words)
    heard = 0.0 if phrase is None else _unseen(phrase)
    measured = {column.name for column in columns if column.measured}
    told, cut = (_best(own, measured, among) for among in (False, True))
    plain = _plain_property(columns, rows, members, heard)
    if told is not None and _area(told) >= max(heard, plain[2] if plain else 0.0) - CUT:
        return ClusterName(told.text, "condition", _texts(possible))
    if plain is not None:
        return ClusterName(_with_limit(plain[0], plain[1], own), "property", _texts(possible))
    if cut is not None and _area(cut) > heard:
        return ClusterName(cut.text, "condition", _texts(possible))
    if phrase is not None and _stands(phrase, phrases):
        return ClusterName(phrase.text, "phrase", _texts(i for i in possible if i is not phrase))
    return ClusterName("", "none", _texts(possible))


def _texts(phrases: Iterable[Insight]) -> tuple[str, ...]:
    return tuple(i.text for i in phrases)[:DOUBTFUL]


def _area(condition: Insight) -> float:
    return condition.retrieval or 0.0


def _unseen(insight: Insight) -> float:
    return 0.0 if insight.held_out is None else insight.held_out.value


def _best_known(phrases: Sequence[Insight], words: Words | None) -> Insight | None:
    """Of the phrases that retrieve the members about as well as the best of these, the one that the encoder knows
    best."""
    if words is None or words.competence is None or not phrases:
        return None
    low, equal = words.competence.low, [i for i in phrases if _unseen(i) >= _unseen(phrases[0]) - AS_WELL]
    return max(equal, key=lambda i: low[i.number or 0])


def _stands(phrase: Insight, phrases: Sequence[Insight]) -> bool:
    """Whether the phrase retrieves the members well on unseen rows, and about as well as any other, known or not."""
    found = phrase.held_out
    best = max(map(_unseen, phrases))
    return found is not None and found.value >= PHRASE and found.low >= PHRASE_LOW and found.value >= best - NEAR_MISS


def _best(own: Sequence[Insight], measured: Collection[str], among: bool) -> Insight | None:
    """The confirmed condition that retrieves the members best, if it fits: of those on the user's own columns, or
    `among` those on measured properties. None may be on a property that only stands for others, or say what is not
    there."""
    fitting = (
        i
        for i in own
        if i.kind == "condition"
        and i.confirmed
        and not PROXIES.intersection(i.columns)
        and not any((name, sign) in UNSEEN or (name, value) in UNSEEN for name, sign, value in i.tests)
        and any(column in measured for column in i.columns) == among
        and _area(i) >= (MEASURED if among else CONDITION)
    )
    return max(fitting, key=_area, default=None)


def nameable(words: Words | None, phrase: int | None, columns: Sequence[Column], rows: I64, members: Bool) -> bool:
    """Whether a phrase may be a name at all: the encoder knows it, some sample is like it, and what can be measured of
    it is there."""
    if words is None or words.competence is None or phrase is None:
        return False
    return words.competence.is_enough(phrase) and _may_be(words, phrase, columns, rows, members)


def _may_be(words: Words | None, phrase: int | None, columns: Sequence[Column], rows: I64, members: Bool) -> bool:
    """Whether nothing speaks against a phrase: some sample is like it, and what can be measured of it is there."""
    if words is None or phrase is None:
        return True
    return words.is_shown(phrase) and borne_out(words.phrases[phrase], columns, rows, members)


def borne_out(phrase: str, columns: Sequence[Column], rows: I64, members: Bool) -> bool:
    """False where a measured property could show what the phrase says, and does not."""
    by_name = {column.name: column for column in columns if column.measured}
    name, category = _of(BORNE, phrase) or ("", "")
    # a run from before tints were measured has the dominant colour
    shown = by_name.get(name, by_name.get("dominant colour") if name == "tint" else None)
    if shown is not None:
        return float(_bears(shown, category, rows)[members].mean()) >= WITNESS
    seen = _of(SEEN, phrase)
    if seen is None or seen[0] not in by_name:
        return True
    column, sign = by_name[seen[0]], seen[1]
    if seen == ("colourfulness", 1) and "tint" in by_name:
        colour = by_name["tint"]
        if _fit(colour, rows, members, _usual_tint(colour, rows, members)) >= TINTED:
            return False  # much colour, all of one kind
    area = _fit(column, rows, members)
    return (area if sign > 0 else 1 - area) >= WITNESS and (sign < 0 or _visible(column, rows, members))


def _of(said: Mapping[str, T], phrase: str) -> T | None:
    """What is said of the phrase, however a vocabulary of one's own writes it."""
    wanted = words_in(phrase)
    return next((value for text, value in said.items() if words_in(text) == wanted), None)


def _bears(column: Column, value: str, rows: I64) -> Bool:
    return np.array([found == value for found in column.values[rows]], np.bool_)


def _visible(column: Column, rows: I64, members: Bool) -> bool:
    """Whether the members have so much of the property that people see it."""
    if column.name not in VISIBLE:
        return True
    return float(np.nanmedian(column.values[rows][members].astype(np.float64))) >= VISIBLE[column.name]


def _fit(column: Column, rows: I64, members: Bool, value: str = "") -> float:
    """AUROC of a property's values, or of bearing a category's `value`, for membership; 0.5 where they are all equal,
    below it where members have less."""
    numbers = _bears(column, value, rows).astype(np.float64) if value else column.values[rows].astype(np.float64)
    known = np.isfinite(numbers)
    inside = members[known]
    if not 0 < inside.sum() < len(inside):
        return 0.5
    return auroc(numbers[known], inside)


def _plain_property(
    columns: Sequence[Column], rows: I64, members: Bool, phrase: float
) -> tuple[str, str, float] | None:
    """(what it is called, the property, its AUROC) of the first plain property that fits as well as the best of them,
    and as the phrase."""
    by_name = {column.name: column for column in columns if column.measured}
    found = {name: _said(by_name[name], rows, members) for name in PLAIN if name in by_name}
    best = max((area for said, area in found.values() if said), default=0.0)
    for name, (said, area) in found.items():
        if said and area >= max(FITS, best - AS_WELL, phrase - AS_WELL):
            return said, name, area
    return None


def _said(column: Column, rows: I64, members: Bool) -> tuple[str, float]:
    """What a plain property says of the members, "" for nothing, and its AUROC."""
    low, high = PLAIN[column.name]
    if column.kind == "category":
        value = "grey" if column.name == "grey" else _usual_tint(column, rows, members)
        return right_articles(high.format(value)), _fit(column, rows, members, value)
    area = _fit(column, rows, members)
    if area < 0.5:
        return low, 1 - area
    return high if _visible(column, rows, members) else "", area


def _usual_tint(column: Column, rows: I64, members: Bool) -> str:
    """The tint that most of the members that are tinted have."""
    tinted = [value for value in column.values[rows][members] if value in HUES]
    return max(HUES, key=tinted.count)


def _with_limit(said: str, column: str, own: Sequence[Insight]) -> str:
    """Such as "dark (brightness at most 0.31)", where a condition on the property alone describes the cluster."""
    limit = next((i for i in own if i.kind == "condition" and i.columns == (column,)), None)
    return said if limit is None or column in ("grey", "tint") else f"{said} ({limit.text})"
