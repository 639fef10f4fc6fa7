"""The answers to questions in words, and how two texts differ, in plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.checks.answers import Answer, Difference
from core.language.hard_words import hearing_notes
from core.language.prompts import class_in
from core.numbers import count, digits_for, interval, number, p_value, percent, plural, points, with_unit
from core.records import EVERYTHING, Diagnosis
from core.reports.wording.competence import words_known
from core.reports.wording.findings import cluster_figures, cluster_title, sample_noun, sentence
from core.statistics.counts import rows_of_scope
from core.statistics.weighted import least_p


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """The answer to a question, a short paragraph each; "" where there is nothing to say. Its text has an empty line
    between two paragraphs."""

    direct: str
    """The samples that match, their figures and how sure that is, or why there is no answer."""
    likeness: str = ""
    """Of an answer by likeness: how many may show the text, and what is known of those shown."""
    cluster: str = ""
    """The confirmed group that the words may also mean, with the run's own figures."""
    condition: str = ""
    """The confirmed condition that the words may also mean, where it is not the direct answer itself."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Those that say something, in the order in which they are read."""
        return tuple(filter(None, (self.direct, self.likeness, self.cluster, self.condition)))

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)


def answer_parts(diagnosis: Diagnosis, answer: Answer) -> AnswerParts:
    """What the samples that match a question's text show, and how sure that is; after it, what the run measured itself
    and those words may also mean.

    Args:
        diagnosis: the run that was asked.
        answer: one that `ask` gave.
    """
    cluster = _cluster(diagnosis, answer)
    condition = _condition(diagnosis, answer)
    if not answer.counted:
        return AnswerParts(_matches(diagnosis, answer), _likeness(diagnosis, answer), cluster, condition)
    finding = answer.condition
    if answer.p is not None and finding is not None and finding.scope == answer.scope:
        return AnswerParts(condition, cluster=cluster)
    return AnswerParts(_counted(diagnosis, answer), "", cluster, condition)


def answer_sentence(diagnosis: Diagnosis, answer: Answer) -> str:
    """The paragraphs of `answer_parts` in one line.

    Args:
        diagnosis: the run that was asked.
        answer: one that `ask` gave.
    """
    return " ".join(answer_parts(diagnosis, answer).paragraphs)


def _cluster(diagnosis: Diagnosis, answer: Answer) -> str:
    """The run's own figures of the confirmed group whose title the text says."""
    cluster = answer.cluster
    if cluster is None:
        return ""
    figures = cluster_figures(diagnosis, cluster)
    return f'Group {cluster.id + 1}, "{cluster_title(diagnosis, cluster)}", is confirmed: {figures}.'


def _condition(diagnosis: Diagnosis, answer: Answer) -> str:
    """The run's own figures of the confirmed condition that the text says or names: no encoder has to guess it."""
    finding = answer.condition
    if finding is None:
        return ""
    figures = sentence(diagnosis, finding, proxies=False)
    if not answer.named:
        return f"Counted from the table. {figures}"
    if answer.named == finding.text:
        text = f'"{answer.named}" is in the table and confirmed in {finding.scope}. {figures}'
    else:
        text = f'"{answer.named}" is in the table and equivalent to a confirmed condition in {finding.scope}. {figures}'
    known = answer.known
    if known is None or known.of_finding is None:
        return text
    return f"{text} Of those {finding.size:,}, {_of(known.of_finding, finding.size)} {known.text}."


def _matches(diagnosis: Diagnosis, answer: Answer) -> str:
    """Figures of the samples that match by likeness, or why none does."""
    if answer.refused:
        return f'"{answer.text}" was not asked. {answer.refused}'
    noun = sample_noun(diagnosis)
    if not answer.shown:
        return f'{_within(answer)}No {noun} clearly matches "{answer.text}". The encoder may not know these words.'
    matches = plural(answer.support, "matches", "match")
    parts = [
        f'{_within(answer)}{count(answer.support, noun)} {matches} "{answer.text}": {_figures(diagnosis, answer)}.',
        _unsearched(diagnosis, answer),
        _chance(diagnosis, answer),
    ]
    return " ".join(filter(None, parts))


def _likeness(diagnosis: Diagnosis, answer: Answer) -> str:
    """How many matches may show the text, and what is known of them."""
    if answer.refused:
        return ""
    notes = hearing_notes([answer.text], diagnosis.samples.modality, diagnosis.insights)
    if not answer.shown:
        return " ".join(filter(None, (words_known(diagnosis.words, answer.text), *notes)))
    text = f"About {count(round(answer.expected), sample_noun(diagnosis))} may show it."
    if answer.guessed:
        text = f"{text} That is a guess: it was not measured how well this encoder matches texts."
    return " ".join(filter(None, (text, _set_by(diagnosis, answer), *notes)))


def _set_by(diagnosis: Diagnosis, answer: Answer) -> str:
    """How many of the matches have the label and the property that the text names; "" of a text that names neither,
    and where the scope already says it.

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
        return ""
    these = plural(answer.support, "this one", f"these {answer.support:,}")
    return f"Of {these}, {' and '.join(parts)}."


def _of(n: int, support: int) -> str:
    """Such as "all have", "none has" and "20 have"."""
    if n == 0:
        return "none has"
    if n == support:
        return plural(support, "it has", "all have")
    return f"{n:,} {plural(n, 'has', 'have')}"


def _within(answer: Answer) -> str:
    if answer.scope == EVERYTHING:
        return ""
    return f"Within {answer.scope}: "


def _counted(diagnosis: Diagnosis, answer: Answer) -> str:
    """Figures of a column's value that the text names and that is no finding of its own."""
    noun = sample_noun(diagnosis)
    if not answer.shown:
        return f'{_within(answer)}no {noun} or every one has {answer.counted}, so "{answer.text}" compares nothing.'
    have = f"{count(answer.support, noun)} {plural(answer.support, 'has', 'have')} {answer.counted}"
    figures = f'{_within(answer)}{have} ("{answer.text}", from the table): {_figures(diagnosis, answer)}.'
    return f"{figures} {_chance(diagnosis, answer)}"


def _unsearched(diagnosis: Diagnosis, answer: Answer) -> str:
    """Where the answer looks instead of the class that the text names, which is too small to be a scope; "" if it is
    large enough."""
    name = answer.unsearched
    if not name:
        return ""
    rows = rows_of_scope(diagnosis, name)
    size = 0 if rows is None else int(rows.sum())
    small = f'The class "{name}" is too small ({count(size, sample_noun(diagnosis))})'
    return f"{small}, so this is about {answer.scope}."


def _figures(diagnosis: Diagnosis, answer: Answer) -> str:
    """Such as "21 wrong (62%, 95% CI 45 to 76%), 20% of the others"; where the test was of the loss, the mean losses
    after it."""
    parts = list[str]()
    rate = answer.error_rate
    if rate is not None:
        ci = f"{percent(rate.value)}, 95% CI {interval(rate, share=True)}"
        others = f"{percent(answer.error_rest)} of the others"
        parts.append(f"{round(rate.value * answer.support):,} wrong ({ci}), {others}")
    if rate is None or not answer.in_shares:
        digits = digits_for(diagnosis.outcomes.loss)
        mean = f"mean loss {number(answer.observed.value, digits)}{with_unit(diagnosis)}"
        if answer.support != 1:
            mean = f"{mean} (95% CI {interval(answer.observed, digits=digits)})"
        parts.append(f"{mean}, {number(answer.rest, digits)} for the others")
    return "; ".join(parts)


def p_value_text(answer: Answer) -> str:
    """The p-values of an answer in words; "" where there is none."""
    if answer.p is None:
        return ""
    of = ""
    if answer.measure == "mean loss":
        of = " of the mean loss"
    if answer.p_alone is None:
        return f"adjusted {p_value(answer.p)}{of}, for everything the run tested"
    alone = f"{p_value(answer.p_alone)}{of}"
    if answer.asked == 1:
        return f"{alone}; your only question so far"
    return f"{alone} for this question alone, {p_value(answer.p)} for all {answer.asked:,} you asked"


def _chance(diagnosis: Diagnosis, answer: Answer) -> str:
    if answer.p is None:
        if answer.untested == "too few groups":
            return "Not tested: too few independent rows to permute."
        return "Not tested."
    if answer.confirmed:
        worse = "are wrong more often"
        if answer.measure == "mean loss":
            worse = "have a higher mean loss"
        which = "that have it" if answer.counted else "that match better"
        return f"Confirmed: {sample_noun(diagnosis)}s {which} {worse} ({p_value_text(answer)})."
    text = f"Not confirmed, could be chance ({p_value_text(answer)})."
    smallest = least_p(int(np.isfinite(answer.scores).sum()))
    if answer.p_alone is not None and smallest * answer.asked > answer.alpha:
        return (
            f"{text} After {answer.asked:,} questions none can be confirmed: the smallest possible p is "
            f"{number(smallest)}, times {answer.asked:,}. Ask this one alone on new data."
        )
    if answer.least is None:
        return text
    digits = digits_for(diagnosis.outcomes.loss)
    gap = f"{number(answer.least, digits)}{with_unit(diagnosis)}"
    if answer.error_rate is not None:
        gap = points(answer.least)
    matches = count(answer.support, sample_noun(diagnosis))
    return f"{text} With {matches}, confirming a gap takes about {gap} (80% power)."


def difference_sentence(diagnosis: Diagnosis, difference: Difference) -> str:
    """How the loss of the first text's matches compares with that of the second's."""
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    shared = ""
    if difference.shared:
        noun = sample_noun(diagnosis)
        shared = f" {count(difference.shared, noun)} {plural(difference.shared, 'matches', 'match')} both."
    value = difference.observed.value
    if not math.isfinite(value):
        both = f'"{difference.first}" and "{difference.second}"'
        return f"{both} have the same matches, so there is nothing to compare.{shared}"
    names = list[str]()
    for text, scope in zip((difference.first, difference.second), difference.scopes):
        name = f'"{text}"'
        if difference.scopes[0] != difference.scopes[1]:
            name = f"{name} ({scope})"
        names.append(name)
    ci = f"95% CI {interval(difference.observed, digits=digits)}"
    if difference.observed.low <= 0 <= difference.observed.high:
        return f"No difference shown between {names[0]} and {names[1]}: {number(value, digits)}{unit} ({ci}).{shared}"
    side = "below" if value < 0 else "above"
    gap = f"{number(abs(value), digits)}{unit} {side}"
    return f"The mean loss of {names[0]} is {gap} that of {names[1]} ({ci}).{shared}"
