"""What a model answered of pictures, and what captions say of clusters, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import count, listed, number, p_value, percent
from core.systems.vl_t5.ask import BELOW, NOT_SURE, UNLIKE, AnswerCount, AskedPictures
from core.systems.vl_t5.describe import ALPHA, CaptionedCluster

SHOWN = 10
WORDS = 6
ASKED_RULE = (
    "An answer is what a small model makes of a picture's cells, not what is true of it; p says whether failures got "
    "it more often than chance allows inside classes, over all answers to this question."
)
UNKNOWN_BAR = "The bar for “not sure” was set on drawn scenes; that it holds for other pictures is not known."
UNLIKE_NOTE = "unlike the pictures that the model learned from: there it is “not sure”, whatever it would say."
NEAREST_NOTE = (
    "Each picture gets the nearest caption, even where none fits it; its cosine says how near it is, and is no measure "
    "of whether it is true: a word that passes tells members from the rest, "
    "and whether it is in the pictures only a look at them says."
)
NO_BAR = "Every answer counts: there is no bar for this model and task below which it would be not sure."
DESCRIBED_RULE = (
    "They are suggestions. A word counts only where the captions of the cluster's members have it more often than "
    "those of the rest, by permuting membership inside classes, over all words of the cluster at once."
)


def asked_lines(found: AskedPictures) -> list[str]:
    """The answers by how often they were given, and what they are worth."""
    n = len(found.rows)
    made = [f"{found.question!r} to {count(n, 'image')}:"]
    for one in found.counts[:SHOWN]:
        p = "not compared" if one.p is None else f"adjusted {p_value(one.p)}"
        made.append(
            f"{one.answer}: {one.n:,} of {n:,}; {percent(one.among_failures)} of the failures and "
            f"{percent(one.elsewhere)} of the rest ({p})"
        )
    if len(found.counts) > SHOWN:
        made.append(f"... and {count(len(found.counts) - SHOWN, 'further answer')}: --out FILE writes them all.")
    unsure = sum(one.n for one in found.counts if one.answer == NOT_SURE)
    if found.bar is None:
        made.append(NO_BAR)
    else:
        made.append(
            f"Below a probability of {number(found.bar, 2)} an answer is “not sure” ({unsure:,}). {UNKNOWN_BAR}"
        )
    if found.unlike is not None and (others := int(found.unlike.sum())):
        made.append(f"{count(others, 'image')} {'is' if others == 1 else 'are'} {UNLIKE_NOTE}")
    return [*made, ASKED_RULE, *found.notes]


def asked_headline(found: AskedPictures) -> str:
    """How many pictures were answered surely, and why the others were not."""
    n = len(found.rows)
    why = found.reasons
    sure, unlike, below = (sum(one == kind for one in why) for kind in ("", UNLIKE, BELOW))
    said = f"{f'{sure:,}' if sure else 'None'} of {count(n, 'image')} {'were' if sure > 1 else 'was'} answered surely"
    if sure == n:
        return f"{said}."
    if unlike == n:
        return f"{said}: all are unlike the pictures that the model learned from."
    causes = [f"{unlike:,} unlike the pictures that the model learned from"] if unlike else []
    if below and found.bar is not None and found.bar < 1:
        causes.append(f"{below:,} below the bar, a probability of {number(found.bar, 2)}")
    elif below:
        causes.append(f"{below:,} since it has no bar for such a question")
    return f"{said}; {n - sure:,} “not sure”: {' and '.join(causes)}."


def asked_verdict(found: AskedPictures) -> str:
    """Which answers failures got more often than chance allows."""
    compared = [one for one in found.counts if one.p is not None]
    if not compared:
        return "No answer could be compared with the failures."
    if passed := [one for one in compared if passes(one)]:
        return f"Failures got {listed([f'“{one.answer}”' for one in passed])} more often than chance allows."
    one = len(compared) == 1
    none = "The one answer that was compared does not go" if one else f"None of {len(compared)} compared answers goes"
    return f"{none} with failure more often than chance allows."


def passes(one: AnswerCount) -> bool:
    """Whether failures got the answer more often than chance allows."""
    return one.p is not None and one.p <= ALPHA


def nearest_of(captions: Sequence[str], where: str) -> str:
    """Where captions come from that a user gave: the end of "Captions: ..."."""
    return f"of each picture the nearest of {len(captions):,} captions of {where}"


def headline(clusters: Sequence[CaptionedCluster]) -> str:
    """How many clusters a word of the captions sets apart."""
    apart = sum(bool(one.confirmed) for one in clusters)
    if apart:
        return f"Words of the captions set {apart} of {count(len(clusters), 'cluster')} apart from the rest."
    if not any(one.words and one.words[0].p is not None for one in clusters):
        return "No word could be tested: the captions stay suggestions."
    return f"No word sets {'the cluster' if len(clusters) == 1 else 'a cluster'} apart: the captions stay suggestions."


def described_lines(clusters: Sequence[CaptionedCluster], how: str) -> list[str]:
    """Of each cluster the words that set it apart, and captions of its members.

    Args:
        how: where the captions come from, such as "nearest of 400 captions".
    """
    if not clusters:
        return ["The run has no confirmed cluster, so there is nothing to describe."]
    made = [f"Captions: {how}. {DESCRIBED_RULE}"]
    for one in clusters:
        made.append(f"{one.name} ({sizes(one)}): {verdict(one)}")
        made += [f"    {said}" for said in quotations(one)]
    return [*made, NEAREST_NOTE] if any(one.cosines for one in clusters) else made


def quotations(one: CaptionedCluster) -> list[str]:
    """Such as "“a dog in snow” (cosine 0.24)"."""
    near = [f" (cosine {number(value, 2)})" for value in one.cosines] or [""] * len(one.quoted)
    return [f"“{text}”{said}" for text, said in zip(one.quoted, near, strict=True)]


def sizes(one: CaptionedCluster) -> str:
    """How many captions are compared with how many."""
    return f"{count(one.size, 'member')}, {count(one.others, 'other')}"


def summary(one: CaptionedCluster) -> str:
    """`verdict` as a sentence of its own beside a table, which has the figures."""
    passed = len(one.confirmed)
    if passed:
        return f"{passed} of {count(one.tested, 'word')} {'sets' if passed == 1 else 'set'} it apart."
    said = verdict(one)
    return said[0].upper() + said[1:]


def verdict(one: CaptionedCluster) -> str:
    """The words of the members' captions that pass, or that none does."""
    if not one.tested:
        return "no word is in enough captions to be compared."
    if one.words and one.words[0].p is None:
        return "nothing could be permuted, so no word is tested."
    if not one.confirmed:
        return f"none of {count(one.tested, 'word')} sets it apart; the captions stay a suggestion."
    said = ", ".join(
        f"“{w.word}” ({percent(w.inside)} against {percent(w.outside)}, {'' if w.p is None else p_value(w.p)})"
        for w in one.confirmed[:WORDS]
    )
    more = len(one.confirmed) - WORDS
    return f"its captions say {said}{f' and {more} more' if more > 0 else ''}, of {count(one.tested, 'word')}."
