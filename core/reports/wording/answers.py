"""The answers to questions in words, and how two texts differ, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.language.hard_words import hearing_notes
from core.language.prompts import class_in
from core.numbers import count, digits_for, interval, number, p_value, percent, points, with_unit
from core.records import EVERYTHING, Diagnosis
from core.reports.wording.competence import words_known
from core.reports.wording.findings import cluster_title, sample_noun, sentence
from core.reports.wording.summary import cluster_sentence
from core.statistics.weighted import least_p

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """What is said of a question, a short paragraph each; "" where there is nothing to say. Its text has an empty line
    between two paragraphs."""

    direct: str
    """The samples that answer, their figures and how sure that is, or why there is no answer."""
    likeness: str = ""
    """What to know of an answer by likeness: how many may show the text, and what is known of those shown."""
    cluster: str = ""
    """The confirmed cluster that the words may also mean, with the run's own figures."""
    condition: str = ""
    """The confirmed condition that the words may also mean, where it is not the direct answer itself."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Those that say something, in the order in which they are read."""
        return tuple(filter(None, (self.direct, self.likeness, self.cluster, self.condition)))

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)


def answer_parts(diagnosis: Diagnosis, answer: Answer) -> AnswerParts:
    """What the samples that look like a question's text show, and how sure that is; after it, what the run measured
    itself and those words may also mean. Printed, it is a paragraph each.

    Args:
        diagnosis: the run that was asked.
        answer: one that `ask` gave.
    """
    found = answer.condition
    cluster = _cluster(diagnosis, answer)
    condition = _measured(diagnosis, answer)
    if answer.counted:
        if answer.p is not None and found is not None and found.scope == answer.scope:
            return AnswerParts(condition, cluster=cluster)
        return AnswerParts(_counted(diagnosis, answer), "", cluster, condition)
    return AnswerParts(*_alike(diagnosis, answer), cluster, condition)


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
        f'The words may also mean cluster {found.id + 1}, "{cluster_title(diagnosis, found)}", which is confirmed: '
        f"{cluster_sentence(diagnosis, found)}."
    )


def _alike(diagnosis: Diagnosis, answer: Answer) -> tuple[str, str]:
    """Of samples told by likeness: their figures, and what is to be known of them."""
    if answer.refused:
        return f'"{answer.text}": not asked. {answer.refused}', ""
    noun = sample_noun(diagnosis)
    modality = diagnosis.samples.modality
    heard = hearing_notes([answer.text], modality, diagnosis.insights)
    if not answer.shown:
        said = (
            f'"{answer.text}": {_within(answer)}no {noun} clearly matches, so none is shown. The encoder may not know '
            "these words."
        )
        return said, " ".join(filter(None, (words_known(diagnosis.words, answer.text), *heard)))
    figures = [
        f'"{answer.text}": {_within(answer)}the {_these(answer, noun)} most like it {_observed(diagnosis, answer)}.',
        *([_unsearched(diagnosis, answer)] if answer.unsearched else []),
        _chance(diagnosis, answer),
    ]
    return " ".join(figures), " ".join([_expected(answer, noun), *filter(None, (_set_by(diagnosis, answer),)), *heard])


def _these(answer: Answer, noun: str) -> str:
    return noun if answer.support == 1 else f"{answer.support:,} {noun}s"


def _expected(answer: Answer, noun: str) -> str:
    """How many show it, and whether that is known."""
    said = f"About {count(round(answer.expected), noun)} may show it."
    if not answer.guessed:
        return said
    return f"{said} That number is a guess: nobody measured how well this encoder matches texts."


def _set_by(diagnosis: Diagnosis, answer: Answer) -> str:
    """What the samples were found by, and how many of them have the label and the property that the text names, of
    which both are known; "" of a text that names neither, and where nothing is added to what the scope says.

    Such as "Of these 22, all have the label circle and 20 have blur at least 0.867."
    """
    names = diagnosis.samples.class_names
    known = answer.known
    label = class_in(answer.text, names)
    parts = list[str]()
    if answer.labelled is not None and label is not None:
        parts.append(f"{_of(answer.labelled, answer.support)} the label {names[label]}")
    if known is not None:
        parts.append(f"{_of(known.matches, answer.support)} {known.text}")
    if not parts or (known is None and label is not None and answer.scope == names[label]):
        return ""  # that all within a class have its label is said
    these = "this one" if answer.support == 1 else f"these {answer.support:,}"
    return f"Of {these}, {' and '.join(parts)}."


def _of(n: int, support: int) -> str:
    """Such as "all have", "none has" and "20 have"."""
    if n == 0:
        return "none has"
    return ("it has" if support == 1 else "all have") if n == support else f"{n:,} {'has' if n == 1 else 'have'}"


def _within(answer: Answer) -> str:
    return "" if answer.scope == EVERYTHING else f"within {answer.scope}, "


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
    said = (
        f'The words may also mean "{answer.named}", which is known of each {sample_noun(diagnosis)} without an encoder '
        f"and {own} in {found.scope}: {told}"
    )
    known = answer.known
    if known is None or known.of_finding is None:
        return said
    return f"{said} Of those {found.size:,}, {_of(known.of_finding, found.size)} {known.text}."


def _counted(diagnosis: Diagnosis, answer: Answer) -> str:
    """Of what is known of each sample and is no finding of its own, as observed."""
    noun = sample_noun(diagnosis)
    head = f'"{answer.text}" was counted, not guessed: {_within(answer)}'
    if not answer.shown:
        return f'{head}either no {noun} or every one meets "{answer.counted}", so there is nothing to compare.'
    matches = f"the {_these(answer, noun)}"
    return f"{head}{matches} with {answer.counted} {_observed(diagnosis, answer)}. {_chance(diagnosis, answer)}"


def _unsearched(diagnosis: Diagnosis, answer: Answer) -> str:
    """That the class which the text names is too small to be a scope, and where the answer looks instead."""
    samples = diagnosis.samples
    name = answer.unsearched
    size = 0 if samples.labels is None else int((samples.labels == samples.class_names.index(name)).sum())
    return f'The class "{name}" ({count(size, sample_noun(diagnosis))}) is too small, so this is of {answer.scope}.'


def _observed(diagnosis: Diagnosis, answer: Answer) -> str:
    """Such as "are wrong in 21 of 34 cases (62%, 95% 45 to 76%), the others in 20%"."""
    one = answer.support == 1
    if answer.in_shares and answer.error_rate is not None:
        wrong = round(answer.error_rate.value * answer.support)
        span = f"{percent(answer.error_rate.value)}, 95% {interval(answer.error_rate, share=True)}"
        cases = f"{'is' if one else 'are'} wrong in {wrong:,} of {count(answer.support, 'case')}"
        return f"{cases} ({span}), the others in {percent(answer.error_rest)}"
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    observed = f"{'has' if one else 'have'} a mean loss of {number(answer.observed.value, digits)}{unit}"
    span = "" if one else f" (95% {interval(answer.observed, digits=digits)})"
    return f"{observed}{span}, the others {number(answer.rest, digits)}"


def p_told(answer: Answer) -> str:
    """The p values of an answer in words; "" where there is none."""
    if answer.p is None:
        return ""
    of = f" of the {answer.measure}" if answer.measure == "mean loss" else ""
    if answer.p_alone is None:
        return f"adjusted {p_value(answer.p)}{of}, which counts everything that the run tested"
    alone = f"{p_value(answer.p_alone)}{of}"
    if answer.asked == 1:
        return f"{alone}; it is your only question so far"
    return f"{alone} if this was your only question, {p_value(answer.p)} since you asked {answer.asked:,}"


def _chance(diagnosis: Diagnosis, answer: Answer) -> str:
    if answer.p is None:
        few = answer.untested == "too few groups"
        return "Not tested: there are too few groups of related rows to shuffle." if few else "Not tested."
    worse = "have a higher mean loss" if answer.measure == "mean loss" else "are wrong more often"
    if answer.confirmed:
        meet = "have it" if answer.counted else "are more like it"
        return f"Confirmed: {sample_noun(diagnosis)}s that {meet} {worse} than the others ({p_told(answer)})."
    told = f"Not confirmed: this could be chance ({p_told(answer)})."
    least = least_p(int(np.isfinite(answer.scores).sum()))
    if answer.p_alone is not None and least * answer.asked > answer.alpha:
        return f"{told} {_asked_too_much(answer, least)}"
    if answer.least is None:
        return told
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    more = points(answer.least) if answer.error_rate is not None else f"{number(answer.least, digits)}{unit}"
    return f"{told} A difference of {more} would be confirmed 8 times in 10."


def _asked_too_much(answer: Answer, least: float) -> str:
    return (
        f"After {answer.asked:,} questions none can be confirmed any more: a p is at least {number(least)}, and is "
        "multiplied by them. Losses of new samples can still confirm it: ask these alone."
    )


def difference_sentence(diagnosis: Diagnosis, found: Difference) -> str:
    """How the loss of the first text's matches compares with that of the second's."""
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
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
    first, second = (
        f'"{text}"' + (f" ({scope})" if found.scopes[0] != found.scopes[1] else "")
        for text, scope in zip((found.first, found.second), found.scopes)
    )
    said = (
        f"the mean loss of {first} is {number(abs(value), digits)}{unit} {side} that of {second} (difference "
        f"{number(value, digits)}, 95% {interval(found.observed, digits=digits)})."
    )
    return (f"{said[0].upper()}{said[1:]}" if clear else f"No difference shown: {said}") + shared
