"""The answers to questions in words, and how two texts differ, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.language.hard_words import hearing_notes
from core.language.prompts import class_in
from core.numbers import count, digits_for, interval, number, p_value, percent, points, with_unit
from core.records import EVERYTHING, Diagnosis
from core.reports.wording.competence import competence_in_brief, words_known
from core.reports.wording.findings import cluster_title, sample_noun, sentence
from core.reports.wording.summary import cluster_sentence

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What is said of a question, a short paragraph each; "" where there is nothing to say. Its text has an empty line
    between two paragraphs."""

    cluster: str
    """The confirmed cluster that the words name, with the run's own figures."""
    direct: str
    """The samples that answer, their figures and how sure that is, or why there is no answer; "" where a confirmed
    finding that the words name stands in its place."""
    condition: str = ""
    """The confirmed condition that the words name, where it is not the direct answer itself."""
    likeness: str = ""
    """What is told by likeness alone: the figures beside a finding, else what to know of the direct answer."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Those that say something, in the order in which they are read."""
        return tuple(filter(None, (self.cluster, self.direct, self.condition, self.likeness)))

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)


def answer_parts(diagnosis: Diagnosis, answer: Answer) -> AnswerParts:
    """What the samples that look like a question's text show, and how sure that is; apart from it, what the run
    measured itself of those very words, and what is likeness alone. Printed, it is a paragraph each.

    Args:
        diagnosis: the run that was asked.
        answer: one that `ask` gave.
    """
    found, cluster, condition = answer.condition, _cluster(diagnosis, answer), _measured(diagnosis, answer)
    if answer.counted:
        if answer.p is not None and found is not None and found.scope == answer.scope:
            return AnswerParts(cluster, condition)
        return AnswerParts(cluster, _counted(diagnosis, answer), condition)
    figures, notes = _alike(diagnosis, answer)
    if not cluster and not condition:
        return AnswerParts("", figures, likeness=notes)
    return AnswerParts(cluster, "", condition, " ".join(filter(None, ("By likeness alone:", figures, notes))))


def answer_sentence(diagnosis: Diagnosis, answer: Answer) -> str:
    """The paragraphs of `answer_parts` in one line.

    Args:
        diagnosis: the run that was asked.
        answer: one that `ask` gave.
    """
    return " ".join(answer_parts(diagnosis, answer).paragraphs)


def _cluster(diagnosis: Diagnosis, answer: Answer) -> str:
    """Of the confirmed cluster whose title the text says, the run's own figures."""
    found = answer.cluster
    if found is None:
        return ""
    return (
        f'These words may mean cluster {found.id + 1}, "{cluster_title(diagnosis, found)}", which is confirmed: '
        f"{cluster_sentence(diagnosis, found)}."
    )


def _alike(diagnosis: Diagnosis, answer: Answer) -> tuple[str, str]:
    """Of samples told by likeness: their figures, and what is to be known of them."""
    if answer.refused:
        return f'"{answer.text}": not asked. {answer.refused}', ""
    within, noun = _within(answer), sample_noun(diagnosis)
    heard = hearing_notes([answer.text], diagnosis.samples.modality, diagnosis.insights)
    if not answer.shown:
        said = (
            f'"{answer.text}": {within}nothing comes near enough to this by this encoder, which may not know the '
            f"words. Even the most alike {noun}s are not clearly more like it than like ordinary things, so none is "
            "shown and nothing is tested."
        )
        return said, " ".join(filter(None, (words_known(diagnosis.words, answer.text), *heard)))
    matches = f"the {noun}" if answer.support == 1 else f"the {answer.support:,} {noun}s"
    figures = [
        f"{_through(answer)}: {within}{matches} most like it {_observed(diagnosis, answer)}.",
        *([_unsearched(diagnosis, answer)] if answer.unsearched else []),
        _chance(answer, f"{noun}s"),
        *([_least(diagnosis, answer)] if answer.p is not None and not answer.confirmed else []),
    ]
    heard = [*filter(None, (_set_by(diagnosis, answer),)), *heard]
    if answer.extrapolation:
        heard.append(
            f"This is an extrapolation: the {noun}s hardly differ along these words, so nothing here shows what they "
            "say."
        )
    return " ".join(figures), " ".join(heard)


def _set_by(diagnosis: Diagnosis, answer: Answer) -> str:
    """What the samples were found by, and how many of them have the label and the property that the text names, of
    which both are known; "" of a text that names neither, and where nothing is added to what the scope says.

    Such as 'Of these 22, found by likeness to "with a blurred background" (known to the encoder: 0.84), all have the
    label circle and 20 have blur at least 0.867.'
    """
    words, names, known = diagnosis.words, diagnosis.samples.class_names, answer.known
    label, parts = class_in(answer.text, names), list[str]()
    if answer.labelled is not None and label is not None:
        parts.append(f"{_of(answer.labelled, answer.support)} the label {names[label]}")
    if known is not None:
        parts.append(f"{_of(known.matches, answer.support)} {known.text}")
    phrases = () if words is None else words.phrases
    brief = competence_in_brief(words, phrases.index(answer.through) if answer.through in phrases else None)
    if not parts or (known is None and not brief and label is not None and answer.scope == names[label]):
        return ""  # that all within a class have its label is said
    by = f'"{answer.through or answer.text}"{f" ({brief})" if brief else ""}'
    these = "this one" if answer.support == 1 else f"these {answer.support:,}"
    return f"Of {these}, found by likeness to {by}, {' and '.join(parts)}."


def _of(n: int, support: int) -> str:
    """Such as "all have", "none has" and "20 have"."""
    if n == 0:
        return "none has"
    return ("it has" if support == 1 else "all have") if n == support else f"{n:,} {'has' if n == 1 else 'have'}"


def _within(answer: Answer) -> str:
    return "" if answer.scope == EVERYTHING else f"within {answer.scope}, "


def _through(answer: Answer) -> str:
    """The text, and the phrase that answers for it."""
    asked = f'"{answer.text}"'
    if answer.through is None or answer.through == answer.text:
        return asked
    many = answer.p is not None and not answer.exact
    strongest = " (of the phrases about as near, the one with the strongest excess)" if many else ""
    return f'{asked}, answered through "{answer.through}"{strongest}'


def _measured(diagnosis: Diagnosis, answer: Answer) -> str:
    """Of the confirmed condition that the text says or names, what the run measured itself: no encoder has to guess
    it."""
    found = answer.condition
    if found is None:
        return ""
    told = sentence(diagnosis, found, proxies=False)
    if not answer.named:
        return f'"{found.text}" was counted, not guessed: {told}'
    own = "is confirmed" if answer.named == found.text else "says the same as a condition that is confirmed"
    head = "These words may" if answer.cluster is None else "They may also"
    said = (
        f'{head} mean "{answer.named}", which is known of each {sample_noun(diagnosis)} without an encoder '
        f"and {own} in {found.scope}: {told}"
    )
    known = answer.known
    if known is None or known.of_finding is None:
        return said
    return f"{said} Of those {found.size:,}, {_of(known.of_finding, found.size)} {known.text}."


def _counted(diagnosis: Diagnosis, answer: Answer) -> str:
    """Of what is known of each sample and is no finding of its own, as observed."""
    noun, head = sample_noun(diagnosis), f'"{answer.text}" was counted, not guessed: {_within(answer)}'
    if not answer.shown:
        return f'{head}either no {noun} or every one meets "{answer.counted}", so there is nothing to compare.'
    matches = f"the {noun}" if answer.support == 1 else f"the {answer.support:,} {noun}s"
    said = f"{head}{matches} with {answer.counted} {_observed(diagnosis, answer)}."
    if answer.p is None:
        return f"{said} Exploratory, without a p: the run did not test this very condition here."
    told = [said, _chance(answer, f"{noun}s"), *([] if answer.confirmed else [_least(diagnosis, answer)])]
    return " ".join(told)


def _unsearched(diagnosis: Diagnosis, answer: Answer) -> str:
    """That the class which the text names was not searched on its own, and where the answer looks instead."""
    samples, name = diagnosis.samples, answer.unsearched
    size = 0 if samples.labels is None else int((samples.labels == samples.class_names.index(name)).sum())
    return (
        f'This is not about the class "{name}" alone: it ({count(size, sample_noun(diagnosis))}) was too small to be '
        f"searched on its own, or was not named to be. What else the text says was looked for in {answer.scope}."
    )


def _observed(diagnosis: Diagnosis, answer: Answer) -> str:
    """Such as "have an error rate of 62 % (95 % 41 % to 83 % for any number of questions) against 20 % in the rest"."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    one, holds = answer.support == 1, "for this question alone" if answer.untested else "for any number of questions"
    if answer.in_shares and answer.error_rate is not None:
        span = interval(answer.error_rate, share=True)
        observed = f"{'has' if one else 'have'} an error rate of {percent(answer.error_rate.value)}"
        against = f"against {percent(answer.error_rest)} in the rest"
    else:
        span = interval(answer.observed, digits=digits)
        observed = f"{'has' if one else 'have'} a mean loss of {number(answer.observed.value, digits)}{unit}"
        against = f"against {number(answer.rest, digits)} in the rest"
    return f"{observed} (95\u00a0% {span} {holds}) {against}"


def _least(diagnosis: Diagnosis, answer: Answer) -> str:
    """What would have been confirmed of so many samples."""
    set_of = count(answer.support, sample_noun(diagnosis))
    if answer.least is None:
        return f"Even if all of them failed, {set_of} would be confirmed less than 8 times in 10: too few to tell."
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    more = points(answer.least) if answer.error_rate is not None else f"{number(answer.least, digits)}{unit}"
    what = "an error rate" if answer.error_rate is not None else "a mean loss"
    return f"For {set_of}, {what} higher by {more} than that of the rest would be confirmed 8 times in 10."


def _chance(answer: Answer, nouns: str) -> str:
    if answer.untested == "too few groups":
        return "There is no p: with so few groups nothing can be permuted."
    if answer.untested == "a run of before":
        return "There is no p: an earlier version made this run. Diagnose the data again for one."
    if answer.p is None:
        return (
            "Exploratory, without a p: no phrase of the vocabulary says this (the nearest is "
            f'"{answer.nearest}", cosine {number(answer.closeness, 2)}), and only those were tested. Bring it as a '
            "phrase of your own to have it tested."
        )
    of = f" of the {answer.measure}" if answer.measure else ""
    level = "" if answer.confirmed else f", held to {answer.alpha:.2g}"
    held = f"{p_value(answer.p)}{of} for these very {nouns}, adjusted for any number of questions{level}"
    worse = "fail more" if answer.measure != "mean loss" else "have a higher mean loss"
    return (
        f"Confirmed: these {nouns} {worse} than the rest ({held})."
        if answer.confirmed
        else f"Not confirmed: that these {nouns} fail more than the rest cannot be told from chance ({held})."
    )


def difference_sentence(diagnosis: Diagnosis, found: Difference) -> str:
    """How the loss of the first text's matches compares with that of the second's."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    shared = (
        f" {count(found.shared, sample_noun(diagnosis))} {'matches' if found.shared == 1 else 'match'} both."
        if found.shared
        else ""
    )
    value = found.observed.value
    if not math.isfinite(value):
        return f'"{found.first}" and "{found.second}" have the same matches: there is no difference to tell.{shared}'
    side = "below" if value < 0 else "above"
    clear = found.observed.low > 0 or found.observed.high < 0
    holds = "for any number of questions" if found.any_pair else "for this pair alone"
    first, second = (
        f'"{text}"' + (f" ({scope})" if found.scopes[0] != found.scopes[1] else "")
        for text, scope in zip((found.first, found.second), found.scopes)
    )
    said = (
        f"the mean loss of {first} is {number(abs(value), digits)}{unit} {side} that of {second} (difference "
        f"{number(value, digits)}, 95\u00a0% {interval(found.observed, digits=digits)} {holds})."
    )
    return (f"{said[0].upper()}{said[1:]}" if clear else f"No clear difference: {said}") + shared
