"""Free questions: what the loss is where samples look like any words.

A text is a direction among the samples: its own vector less half of what it says of the class that it names. The class
is the scope. How alike a sample is becomes its chance of showing the text (`core.language.chance`); the most alike ones
are shown, as many as the chances add up to. No loss is looked at until then, so the rates of what is shown are plain
rates. A permutation test asks whether samples that are likelier to show it have more loss.

What the run knows of every sample ("three numbers", "dark", "weather = snow") is answered by those that have it: with
the p of that very condition where the run tested it, else with one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from core.checks.answers import Answer as Answer, Difference as Difference, nothing_shown, with_findings
from core.checks.asked_text import AskedText, about_run, read_text, require_words, rows_counted, same_question, scoped
from core.discovery.called import scope_rows
from core.discovery.conditions import Condition
from core.discovery.design import MIN_GROUPS, design_of, measures
from core.discovery.proposals import column_conditions, rows_within
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.chance import CLASS_SHARE, GUESS, Chance, asked_directions
from core.language.competence import find_competence
from core.language.counted import SaidCondition, counted
from core.language.likeness import likeness, support, things_of
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Measure, Words
from core.statistics.intervals import accuracy_of
from core.statistics.permutation import difference_of, permutation_p
from core.statistics.permuter import Permuter
from core.statistics.redraws import bootstrap_mean
from core.statistics.weighted import weighted_test

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

FEWEST = 5
"""Samples that are shown at least."""
POWER = 0.8


def ask(
    diagnosis: Diagnosis,
    texts: str | Sequence[str],
    *,
    top: int | None = None,
    before: str | Sequence[str] = (),
    tested: bool = True,
    encoder: TextTower | None = None,
    cache: Path | None = None,
) -> list[Answer]:
    """What the loss is where images look like each text.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        texts: free text, such as "a dog in snow", or several; a string is one question. Where it names a class, that
            class is the scope.
        top: how many of the most alike samples are shown; None shows as many as are expected to show the text.
        before: a text that was asked of this run before, or several: each p counts them too.
        tested: False leaves the p out, which takes long of very many samples.
        encoder: the naming encoder, if it is loaded already.
        cache: folder where text vectors are kept.

    Returns:
        An answer for each text. Of several, one that is no question (empty, too long, only the name of a class) says so
        in `Answer.refused`.

    Raises:
        InvalidInput: none of the texts is a question, `top` is no whole number from 1, or the run has no words or those
            of another encoder's version.
    """
    texts, before = ([given] if isinstance(given, str) else given for given in (texts, before))
    if top is not None and (type(top) not in (int, np.int64) or top < 1):
        raise InvalidInput(f"At least one sample must be shown, and a whole number of them: got {top!r}. Change it.")
    words = require_words(diagnosis, "be asked in words")
    names = diagnosis.samples.class_names
    read = [
        AskedText(text, refused=figures)
        if (figures := about_run(text, diagnosis))
        else read_text(text, names, diagnosis.samples.metadata)
        for text in texts
    ]
    refused = [one for one in read if one.refused]
    if len(refused) == len(read):
        if refused:
            raise InvalidInput(refused[0].refused)
        return []
    tower = speaker_of(words, encoder)
    table = find_competence(tower, cache)[0]
    reader = QuestionReader(diagnosis, words, None if table is None else table.chance, top, tested)
    good = [scoped(one, names, reader.said) for one in read if not one.refused]
    asked = len({same_question(text) for text in (*before, *(one.text for one in good))})
    spoken = [None if q.label is None else f"a {names[q.label].replace('_', ' ')}" for q in good]
    directions, of_class = asked_directions(tower, [q.text for q in good], spoken, cache)
    known: Sequence[tuple[F64, F64] | None] = [None] * len(good)
    if words.line is not None:
        things = things_of(tower, cache)
        whole = directions + CLASS_SHARE * of_class
        known = [
            *zip(*(likeness(words.joint.vectors, unit(v.astype(np.float32)), things).T for v in (whole, of_class)))
        ]
    answers = (
        with_findings(diagnosis, reader.count(one, asked) or reader.answer(one, direction, asked, alike), reader.said)
        for one, direction, alike in zip(good, directions, known)
    )
    return [nothing_shown(one.text, refused=one.refused) if one.refused else next(answers) for one in read]


def speaker_of(words: Words, encoder: TextTower | None) -> TextTower:
    """The naming encoder of the run's words.

    Raises:
        InvalidInput: it is another edition than the words are of.
    """
    if encoder is None:
        from core.encoders import load_encoder

        encoder = load_encoder(words.encoder)
    if words.joint.space != encoder.joint_space:
        raise InvalidInput(
            f"The run's words are of the space {words.joint.space!r} and the encoder {words.encoder!r} now speaks "
            f"{encoder.joint_space!r}, so texts and samples cannot be compared. Diagnose the data again."
        )
    return encoder


class QuestionReader:
    """One diagnosis made ready for questions.

    Args:
        chance: of showing a text, by likeness; None where it was not measured of the encoder.
        top: so many samples are shown of each text.
    """

    def __init__(
        self,
        diagnosis: Diagnosis,
        words: Words,
        chance: Chance | None = None,
        top: int | None = None,
        is_tested: bool = True,
    ) -> None:
        self.diagnosis = diagnosis
        self.words = words
        self.chance = chance
        self.top = top
        self.is_tested = is_tested
        self.design = design_of(diagnosis)
        self.tested = measures(diagnosis.outcomes, self.design)
        self.alpha = float(diagnosis.settings.get("alpha", 0.05))
        self.place = np.empty(len(diagnosis.samples), np.int64)  # of each row in the order of the ids
        self.place[np.argsort(np.array(diagnosis.samples.ids), kind="stable")] = np.arange(len(self.place))

    def answer(
        self, asked: AskedText, direction: F32, n_asked: int = 1, alike: tuple[F64, F64] | None = None
    ) -> Answer:
        """What the samples along a direction show, in the class that the text names or in all samples.

        Args:
            direction: (d,) of the text.
            n_asked: different questions up to now.
            alike: (n,) likeness of each sample to the text, and to what it says of its class. Where even the most alike
                ones do not reach the encoder's line, nothing is answered, unless what is asked for is confirmed; within
                a class only if its plain name does.
        """
        name, scope = self._scope(asked.label)
        scores = np.full(len(self.place), np.nan)
        scores[scope] = self.words.joint.vectors[scope] @ direction
        chances = (self.chance or GUESS).of(scores[scope])
        found = replace(
            nothing_shown(asked.text, name),
            scores=scores,
            expected=float(chances.sum()),
            guessed=self.chance is None,
            **self._test(scope, chances, n_asked),
        )
        found = self._cut(found, max(round(found.expected), FEWEST) if self.top is None else self.top)
        if asked.label is not None and name == EVERYTHING:
            found = replace(found, unsearched=self.diagnosis.samples.class_names[asked.label])
        line = self.words.line
        if alike is None or line is None or found.confirmed or support(alike[0][scope]) >= line:
            return found
        if name != EVERYTHING and support(alike[1][scope]) < line:
            return found
        return nothing_shown(asked.text, name, float(self.diagnosis.outcomes.fitted[scope].mean()))

    def with_top(self, answer: Answer, top: int) -> Answer:
        """The answer with so many samples shown; of what is counted it stays as it is."""
        return (
            answer
            if answer.counted or not answer.shown
            else with_findings(self.diagnosis, self._cut(answer, top), self.said)
        )

    def _cut(self, answer: Answer, top: int) -> Answer:
        scope = np.flatnonzero(np.isfinite(answer.scores))
        order = scope[np.lexsort((self.place[scope], -answer.scores[scope]))]
        size = min(top, len(scope) - 1)
        return self._read(answer, order[:size], order[size:])

    def count(self, asked: AskedText, n_asked: int = 1) -> Answer | None:
        """The samples that have what the text says, where that is counted or measured of each; else None."""
        diagnosis = self.diagnosis
        n = len(self.place)
        name = None if asked.label is None else diagnosis.samples.class_names[asked.label]
        found = counted(asked.text, diagnosis, name, self.said)
        if found is None:
            return None
        own = found.confirmed if found.confirmed is not None and name in (None, found.confirmed.scope) else None
        scope = own.scope if own is not None else name or EVERYTHING
        inside = scope_rows(diagnosis, scope, self.design)
        mask = rows_counted(found, n)
        rows = np.flatnonzero(inside & mask)
        rest = np.flatnonzero(inside & ~mask)
        if not len(rows) or not len(rest):
            level = float(diagnosis.outcomes.fitted[inside].mean())
            return nothing_shown(asked.text, scope, level, counted=found.text)
        p, measure = (own.p, own.measure) if own is not None else self._in_family(mask, scope)
        tested: dict[str, Any] = {"p": p, "measure": measure, "asked": n_asked}
        if p is None:
            tested = self._test(np.flatnonzero(inside), mask[inside].astype(np.float64), n_asked)
        scores = np.where(inside, mask.astype(np.float64), np.nan)
        answer = replace(nothing_shown(asked.text, scope, counted=found.text), scores=scores, **tested)
        return self._read(answer, rows[np.argsort(self.place[rows])], rest)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions on columns that the run tested."""
        return column_conditions(self.diagnosis.samples.metadata, self.design)[0]

    @cached_property
    def said(self) -> list[SaidCondition]:
        """What is said of them, the outermost limits first."""
        return [(c.text, c.tests, c.mask) for c in reversed(self.conditions)]

    def _scope(self, label: int | None) -> tuple[str, I64]:
        """Name and rows of the class, or of all samples where it is none or a class of few."""
        samples = self.diagnosis.samples
        if label is not None and samples.labels is not None:
            rows = np.flatnonzero(samples.labels == label)
            if len(rows) >= MIN_GROUPS:
                return samples.class_names[label], rows
        return EVERYTHING, np.arange(len(self.place))

    def _read(self, answer: Answer, rows: I64, rest: I64) -> Answer:
        """The answer with rows of its scope that were chosen without a look at the losses, and their figures."""
        losses = self.diagnosis.outcomes.fitted
        errors = self.diagnosis.outcomes.errors
        groups = self.diagnosis.samples.groups
        own = None if groups is None else groups[rows]
        return replace(
            answer,
            shown=True,
            rows=rows,
            rest=float(losses[rest].mean()),
            observed=bootstrap_mean(losses[rows], own, np.random.default_rng(0), repeats=400),
            error_rate=None if errors is None else accuracy_of(~errors[rows], own),
            error_rest=None if errors is None else float(errors[rest].mean()),
            alpha=self.alpha,
        )

    def _test(self, scope: I64, weights: F64, n_asked: int) -> dict[str, Any]:
        """The fields of an answer that the test of a scope by the weights of its rows fills."""
        if not self.is_tested:
            return {"untested": "not asked for", "asked": n_asked}
        groups = None if self.design.groups is None else self.design.groups[scope]
        strata = self.design.centring_stratum[scope]
        values = self.tested.standardised_residuals[scope]
        n_groups = len(scope) if groups is None else len(np.unique(groups))
        if not self.design.testable or n_groups < MIN_GROUPS:
            return {"untested": "too few groups", "asked": n_asked}
        own = weights - (np.bincount(strata, weights) / np.maximum(np.bincount(strata), 1))[strata]
        rng = np.random.default_rng(int(self.diagnosis.settings.get("seed", 0)))
        found = weighted_test(own, values, Permuter(strata, groups, values), rng)
        reach = float(norm.isf(self.alpha / n_asked) - norm.isf(POWER)) * found.deviation * float(self.tested.scale[0])
        least = reach / max(float((own**2).sum()), 1e-12)
        errors = self.diagnosis.outcomes.errors
        beyond = errors is not None and ("error rate" not in self.tested.names or least > 1 - errors[scope].mean())
        if beyond or least < 1e-9:  # so small where nothing varies: nothing could be confirmed
            least = None
        p = min(1.0, found.p * n_asked)
        measure = self.tested.names[found.best]
        return {"p": p, "p_alone": found.p, "asked": n_asked, "measure": measure, "least": least}

    def _in_family(self, mask: Bool, name: str) -> tuple[float | None, Measure | None]:
        """p and measure of the (n,) rows that meet a condition, in the scope of that name; None where the run tested no
        condition that these very rows of it meet."""
        null = self.diagnosis.family_null
        scope = next((s for s in self.design.scopes if s.name == name), None)
        rows = None if scope is None else rows_within(mask, scope)
        if scope is None or rows is None or null is None or not len(null):
            return None, None
        own = mask[scope.rows]
        if not any(np.array_equal(condition.mask[scope.rows], own) for condition in self.conditions):
            return None, None
        rest = np.setdiff1d(scope.rows, rows)
        groups = self.design.groups
        values = self.tested.standardised_residuals
        of_groups = None if groups is None else (groups[rows], groups[rest])
        found = [difference_of(column[rows], column[rest], of_groups) for column in values.T]
        excess = [gap / error for gap, error in found]
        best = int(np.argmax(excess))
        return permutation_p(excess[best], null), self.tested.names[best]
