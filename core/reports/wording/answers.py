"""The answers to questions in words, and how two texts differ, in plain sentences."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from core.numbers import count, digits_for, interval, number, p_value, percent, with_unit
from core.records import Diagnosis
from core.reports.wording.findings import ALL, sample_noun

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

NEGATION = re.compile(r"\b(not|no|without|never|neither|nor|cannot)\b|n't\b", re.IGNORECASE)


def answer_sentence(diagnosis: Diagnosis, answer: Answer) -> str:
    """What the samples that look like a question's text show, and how sure that is."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    one = answer.support == 1
    matches = f"the {sample_noun(diagnosis)}" if one else f"the {answer.support:,} {sample_noun(diagnosis)}s"
    within = "" if answer.scope == ALL else f"within {answer.scope}, "
    if not answer.shown:
        return (
            f'"{answer.text}": {within}nothing here shows this, as far as the encoder sees. Even the most alike '
            f"{sample_noun(diagnosis)}s are not clearly more like it than like ordinary things, so none is shown and "
            "nothing is tested."
        )
    if answer.error_rate is not None:
        span = interval(answer.error_rate, share=True)
        observed = f"{'is' if one else 'are'} wrong {percent(answer.error_rate.value)} of the time (95\u00a0% {span})"
        against = f"against {percent(answer.error_rest)} of the rest"
    else:
        span = interval(answer.observed, digits=digits)
        observed = (
            f"{'has' if one else 'have'} a mean loss of "
            f"{number(answer.observed.value, digits)}{unit} (95\u00a0% {span})"
        )
        against = f"against {number(answer.rest, digits)} in the rest"
    group = (
        "They form a group of their own along these words."
        if answer.stands_apart
        else "They are no group of their own, just the most similar ones."
    )
    parts = [f'"{answer.text}": {within}{matches} most like it {observed} {against}.', group, _chance(answer)]
    if answer.read is not None and answer.is_tested:  # of other texts the ensemble reads little but the mean
        span = interval(answer.read, digits=digits)
        parts.append(
            f"In the words alone the ensemble reads a mean loss of {number(answer.read.value, digits)}{unit} "
            f"({span}, the spread of its members)."
        )
    if answer.is_tested:
        parts.append(f"{percent(answer.inside)} of what the question says lies within the words that are tested.")
    if NEGATION.search(answer.text):
        parts.append('Text encoders hardly hear a "not": this was read much as the same words without it.')
    if answer.extrapolation:
        parts.append(
            "This is an extrapolation: the images hardly differ along these words, so nothing here shows what they say."
        )
    return " ".join(parts)


def _chance(answer: Answer) -> str:
    if answer.p is None:
        return "There is no p: with so few groups nothing can be permuted."
    if not answer.is_tested:
        return (
            f"Not tested: only {percent(answer.inside)} of what the question says lies within the "
            "words that are tested."
        )
    via = "" if answer.through is None else f'tested through "{answer.through}", '
    held = f"{via}{p_value(answer.p)}, adjusted for any number of questions"
    return (
        f"Confirmed: the loss goes with these words ({held})."
        if answer.confirmed
        else f"Not confirmed: with these images it cannot be told from chance ({held})."
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
    first, second = (
        f'"{text}"' + (f" ({scope})" if found.scopes[0] != found.scopes[1] else "")
        for text, scope in zip((found.first, found.second), found.scopes)
    )
    said = (
        f"the mean loss of {first} is {number(abs(value), digits)}{unit} {side} that of {second} (difference "
        f"{number(value, digits)}, 95\u00a0% {interval(found.observed, digits=digits)} for this pair alone)."
    )
    return (f"{said[0].upper()}{said[1:]}" if clear else f"No clear difference: {said}") + shared
