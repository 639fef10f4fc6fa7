"""Sentences about a model's answers to images, and about the captions of clusters."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import count, listed, number, p_value, percent
from core.systems.vl_t5.ask import BELOW, NOT_SURE, UNLIKE, AnswerCount, AskedPictures
from core.systems.vl_t5.describe import ALPHA, CaptionedCluster

SHOWN_ANSWERS = 10
SHOWN_WORDS = 6
ASKED_RULE = (
    "A small model gives these answers, and they may be wrong. The p tests whether failures got an answer more often "
    "than chance allows within classes. It covers all answers to this question."
)
UNKNOWN_BAR = "The bar for “not sure” was set on drawn scenes and may not hold for other images."
NEAREST_NOTE = (
    "Each image gets the nearest caption, even where none fits. A word that passes separates members from the others. "
    "The cosine measures nearness, not truth, so look at the images."
)
NO_BAR = "Every answer counts, because this model has no bar for “not sure” in this task."
DESCRIBED_RULE = (
    "Captions are suggestions. A word passes where members' captions have it more often than the others, by permuting "
    "membership within classes. Its p covers all words of the group."
)


def asked_lines(asked: AskedPictures) -> list[str]:
    """The answers, the most frequent first, and how far to trust them."""
    n = len(asked.rows)
    lines = [f"{asked.question!r} to {count(n, 'image')}:"]
    for answer in asked.counts[:SHOWN_ANSWERS]:
        p = "not tested" if answer.p is None else f"adjusted {p_value(answer.p)}"
        lines.append(
            f"{answer.answer}: {answer.n:,} of {n:,}; {percent(answer.among_failures)} of failures, "
            f"{percent(answer.elsewhere)} of the others ({p})"
        )
    if len(asked.counts) > SHOWN_ANSWERS:
        lines.append(f"... and {count(len(asked.counts) - SHOWN_ANSWERS, 'further answer')}: --out FILE writes all.")
    if asked.bar is None:
        lines.append(NO_BAR)
    else:
        unsure = asked.answers.count(NOT_SURE)
        lines.append(f"{unsure:,} “not sure”: the bar is a probability of {number(asked.bar, 2)}. {UNKNOWN_BAR}")
    n_unlike = asked.reasons.count(UNLIKE)
    if n_unlike:
        verb = "is" if n_unlike == 1 else "are"
        lines.append(f"{count(n_unlike, 'image')} {verb} unlike the model's training images and count as “not sure”.")
    return [*lines, ASKED_RULE, *asked.notes]


def asked_headline(asked: AskedPictures) -> str:
    """How many images got a sure answer, and why the others did not."""
    n = len(asked.rows)
    sure = asked.reasons.count("")
    unlike = asked.reasons.count(UNLIKE)
    below = asked.reasons.count(BELOW)
    start = f"The model is sure of {sure:,} of {count(n, 'image')}"
    if sure == n:
        return f"{start}."
    if unlike == n:
        return f"{start}: all are unlike its training images."
    causes = list[str]()
    if unlike:
        causes.append(f"{unlike:,} unlike its training images")
    if below and asked.bar is not None and asked.bar < 1:
        causes.append(f"{below:,} below the bar, a probability of {number(asked.bar, 2)}")
    elif below:
        causes.append(f"{below:,} because it has no bar for this kind of question")
    return f"{start}; {n - sure:,} “not sure”: {' and '.join(causes)}."


def asked_verdict(asked: AskedPictures) -> str:
    """Which answers failures got more often than chance allows."""
    tested = [answer for answer in asked.counts if answer.p is not None]
    if not tested:
        return "No answer could be tested against the failures."
    passed = [f"“{answer.answer}”" for answer in tested if passes(answer)]
    if passed:
        return f"Failures got {listed(passed)} more often than chance allows."
    return f"No tested answer ({len(tested):,}) is more frequent among failures than chance allows."


def passes(answer: AnswerCount) -> bool:
    """Whether failures got the answer more often than chance allows."""
    return answer.p is not None and answer.p <= ALPHA


def nearest_of(captions: Sequence[str], source: str) -> str:
    """The origin of a user's captions: the end of "Captions: ..."."""
    return f"the nearest to each image of {len(captions):,} captions in {source}"


def headline(clusters: Sequence[CaptionedCluster]) -> str:
    """How many clusters a word of the captions sets apart."""
    apart = sum(bool(cluster.confirmed) for cluster in clusters)
    if apart:
        return f"Caption words set {apart} of {count(len(clusters), 'group')} apart."
    if not any(cluster.words and cluster.words[0].p is not None for cluster in clusters):
        return "No word could be tested: the captions stay suggestions."
    return "No word sets a group apart: the captions stay suggestions."


def described_lines(clusters: Sequence[CaptionedCluster], how: str) -> list[str]:
    """The words that set each cluster apart, and captions of its members.

    Args:
        how: origin of the captions, such as "nearest of 400 captions".
    """
    if not clusters:
        return ["This run has no confirmed group to describe."]
    lines = [f"Captions: {how}. {DESCRIBED_RULE}"]
    for cluster in clusters:
        lines.append(f"{cluster.name} ({sizes(cluster)}): {verdict(cluster)}")
        lines += [f"    {text}" for text in quotations(cluster)]
    if any(cluster.cosines for cluster in clusters):
        lines.append(NEAREST_NOTE)
    return lines


def quotations(cluster: CaptionedCluster) -> list[str]:
    """Quoted captions such as "“a dog in snow” (cosine 0.24)"."""
    near = [f" (cosine {number(value, 2)})" for value in cluster.cosines] or [""] * len(cluster.quoted)
    return [f"“{text}”{cosine}" for text, cosine in zip(cluster.quoted, near, strict=True)]


def sizes(cluster: CaptionedCluster) -> str:
    """How many captions are compared with how many."""
    return f"{count(cluster.size, 'member')}, {count(cluster.others, 'other')}"


def summary(cluster: CaptionedCluster) -> str:
    """`verdict` as a full sentence beside a table that has the figures."""
    passed = len(cluster.confirmed)
    if passed:
        return f"{passed} of {count(cluster.tested, 'word')} {'sets' if passed == 1 else 'set'} it apart."
    text = verdict(cluster)
    return text[0].upper() + text[1:]


def verdict(cluster: CaptionedCluster) -> str:
    """The words of the members' captions that pass, or that none does."""
    if not cluster.tested:
        return "no word is in enough captions to be tested."
    if cluster.words and cluster.words[0].p is None:
        return "nothing could be permuted, so no word is tested."
    if not cluster.confirmed:
        return f"none of {count(cluster.tested, 'word')} sets it apart; the captions stay a suggestion."
    passed = list[str]()
    for word in cluster.confirmed[:SHOWN_WORDS]:
        p = "" if word.p is None else p_value(word.p)
        passed.append(f"“{word.word}” ({percent(word.inside)}, others {percent(word.outside)}; {p})")
    text = ", ".join(passed)
    more = len(cluster.confirmed) - SHOWN_WORDS
    if more > 0:
        text += f" and {more} more"
    return f"members' captions have {text}; {count(cluster.tested, 'word')} tested."
