"""Free questions: the loss where samples match any words.

A text is a direction among the samples: its own vector less half of the vector of the class that it names. That class
is the scope. How alike a sample is becomes its chance of showing the text (`core.language.chance`); the most alike are
shown, as many as the chances add up to. No loss is used until then, so the rates of what is shown are plain rates. A
permutation test asks whether samples more likely to show the text have more loss.

What the run knows of every sample ("three numbers", "dark", "weather = snow") is answered by those that have it: with
the p of that condition if the run tested it, otherwise with a p of its own.
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
from core.files import path_or_none
from core.language.chance import CLASS_SHARE, GUESS, Chance, asked_directions
from core.language.competence import find_competence
from core.language.counted import StatedCondition, counted
from core.language.likeness import likeness, support, things_of
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Measure, Words
from core.statistics.groups import groups_at
from core.statistics.intervals import accuracy_of
from core.statistics.permutation import bonferroni, difference_of, permutation_p
from core.statistics.permuter import Permuter
from core.statistics.redraws import bootstrap_mean
from core.statistics.weighted import weighted_test

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

MIN_SHOWN = 5
"""Samples shown at least."""
POWER = 0.8
"""Probability of being confirmed, for the smallest effect reported as detectable. A convention."""


def ask(
    diagnosis: Diagnosis,
    texts: str | Sequence[str],
    *,
    top: int | None = None,
    before: str | Sequence[str] = (),
    tested: bool = True,
    encoder: TextTower | None = None,
    cache: str | Path | None = None,
) -> list[Answer]:
    """Measure the loss where samples match each text.

    Args:
        diagnosis: from `diagnose` or `load`.
        texts: free text, for example "a dog in snow", or several; a string is one question. A class that it names is
            the scope.
        top: how many of the most alike samples to show; None shows as many as are expected to show the text.
        before: texts asked of this run before: each p counts them too.
        tested: False leaves out the p, which takes long for very many samples.
        encoder: the naming encoder, if already loaded.
        cache: folder for text vectors.

    Returns:
        An answer for each text. Among several, a text that is not a question (empty, too long, only a class name) gives
        the reason in `Answer.refused`.

    Raises:
        InvalidInput: no text is a question, `top` is not a positive whole number, or the run has no words or those of
            another encoder version.
    """
    if isinstance(texts, str):
        texts = [texts]
    if isinstance(before, str):
        before = [before]
    if top is not None and (type(top) not in (int, np.int64) or top < 1):
        raise InvalidInput(f"The number of samples to show must be a whole number from 1: got {top!r}. Change it.")
    cache = path_or_none(cache)
    words = require_words(diagnosis, "be asked in words")
    names = diagnosis.samples.class_names
    read: list[AskedText] = []
    for text in texts:
        figures = about_run(text, diagnosis)
        if figures:
            read.append(AskedText(text, refused=figures))
        else:
            read.append(read_text(text, names, diagnosis.samples.metadata))
    refused = [question for question in read if question.refused]
    if len(refused) == len(read):
        if refused:
            raise InvalidInput(refused[0].refused)
        return []
    tower = speaker_of(words, encoder)
    table = find_competence(tower, cache)[0]
    chance = None
    if table is not None:
        chance = table.chance
    reader = QuestionReader(diagnosis, words, chance, top, tested)
    good = [scoped(question, names, reader.stated) for question in read if not question.refused]
    n_asked = len({same_question(text) for text in (*before, *(q.text for q in good))})
    spoken: list[str | None] = []
    for question in good:
        spoken.append(None if question.label is None else f"a {names[question.label].replace('_', ' ')}")
    directions, of_class = asked_directions(tower, [q.text for q in good], spoken, cache)
    alike: Sequence[tuple[F64, F64] | None] = [None] * len(good)
    if words.line is not None:
        objects = things_of(tower, cache)
        whole = directions + CLASS_SHARE * of_class
        to_text = likeness(words.joint.vectors, unit(whole.astype(np.float32)), objects)
        to_class = likeness(words.joint.vectors, unit(of_class.astype(np.float32)), objects)
        alike = list(zip(to_text.T, to_class.T))
    answers: list[Answer] = []
    position = 0
    for question in read:
        if question.refused:
            answers.append(nothing_shown(question.text, refused=question.refused))
            continue
        question = good[position]
        answer = reader.count(question, n_asked)
        if answer is None:
            answer = reader.answer(question, directions[position], n_asked, alike[position])
        answers.append(with_findings(diagnosis, answer, reader.stated))
        position += 1
    return answers


def speaker_of(words: Words, encoder: TextTower | None) -> TextTower:
    """The encoder of the run's words.

    Raises:
        InvalidInput: its version differs from the run's.
    """
    if encoder is None:
        from core.encoders import load_encoder

        encoder = load_encoder(words.encoder)
    if words.joint.space != encoder.joint_space:
        raise InvalidInput(
            f"The run's words use the space {words.joint.space!r}, the encoder {words.encoder!r} now uses "
            f"{encoder.joint_space!r}, so they cannot be compared. Diagnose the data again."
        )
    return encoder


class QuestionReader:
    """A diagnosis prepared for questions.

    Args:
        chance: of showing a text, by likeness; None if it was not measured for the encoder.
        top: number of samples to show for each text.
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
        self.id_order = np.empty(len(diagnosis.samples), np.int64)  # of each row; breaks ties in likeness
        self.id_order[np.argsort(np.array(diagnosis.samples.ids), kind="stable")] = np.arange(len(self.id_order))

    def answer(
        self, asked: AskedText, direction: F32, n_asked: int = 1, alike: tuple[F64, F64] | None = None
    ) -> Answer:
        """Answer by likeness: what the samples along a direction show, in the class that the text names or overall.

        Args:
            direction: (d,) of the text.
            n_asked: number of different questions so far.
            alike: (n,) likeness of each sample to the text, and to its class. If even the most alike samples do not
                reach the encoder's line, nothing is answered, unless the answer is confirmed; within a class only if
                the class name alone reaches the line.
        """
        name, scope = self._scope(asked.label)
        scores = np.full(len(self.id_order), np.nan)
        scores[scope] = self.words.joint.vectors[scope] @ direction
        chances = (self.chance or GUESS).of(scores[scope])
        answer = replace(
            nothing_shown(asked.text, name),
            scores=scores,
            expected=float(chances.sum()),
            guessed=self.chance is None,
            **self._test(scope, chances, n_asked),
        )
        top = self.top
        if top is None:
            top = max(round(answer.expected), MIN_SHOWN)
        answer = self._cut(answer, top)
        if asked.label is not None and name == EVERYTHING:
            answer = replace(answer, unsearched=self.diagnosis.samples.class_names[asked.label])
        line = self.words.line
        if alike is None or line is None or answer.confirmed or support(alike[0][scope]) >= line:
            return answer
        if name != EVERYTHING and support(alike[1][scope]) < line:
            return answer
        return nothing_shown(asked.text, name, float(self.diagnosis.outcomes.fitted[scope].mean()))

    def with_top(self, answer: Answer, top: int) -> Answer:
        """The answer with another number of samples shown; answers by count stay unchanged."""
        if answer.counted or not answer.shown:
            return answer
        return with_findings(self.diagnosis, self._cut(answer, top), self.stated)

    def _cut(self, answer: Answer, top: int) -> Answer:
        scope = np.flatnonzero(np.isfinite(answer.scores))
        order = scope[np.lexsort((self.id_order[scope], -answer.scores[scope]))]
        size = min(top, len(scope) - 1)
        return self._read(answer, order[:size], order[size:])

    def count(self, asked: AskedText, n_asked: int = 1) -> Answer | None:
        """Answer by count: the samples that have what the text states, if it is known of each; else None."""
        diagnosis = self.diagnosis
        n = len(self.id_order)
        name = None
        if asked.label is not None:
            name = diagnosis.samples.class_names[asked.label]
        property_asked = counted(asked.text, diagnosis, name, self.stated)
        if property_asked is None:
            return None
        confirmed = property_asked.confirmed
        if confirmed is not None and name not in (None, confirmed.scope):
            confirmed = None
        scope = name or EVERYTHING
        if confirmed is not None:
            scope = confirmed.scope
        inside = scope_rows(diagnosis, scope, self.design)
        mask = rows_counted(property_asked, n)
        rows = np.flatnonzero(inside & mask)
        rest = np.flatnonzero(inside & ~mask)
        if not len(rows) or not len(rest):
            level = float(diagnosis.outcomes.fitted[inside].mean())
            return nothing_shown(asked.text, scope, level, counted=property_asked.text)
        if confirmed is not None:
            p = confirmed.p
            measure = confirmed.measure
        else:
            p, measure = self._in_family(mask, scope)
        tested: dict[str, Any] = {"p": p, "measure": measure, "asked": n_asked}
        if p is None:
            tested = self._test(np.flatnonzero(inside), mask[inside].astype(np.float64), n_asked)
        scores = np.where(inside, mask.astype(np.float64), np.nan)
        answer = replace(nothing_shown(asked.text, scope, counted=property_asked.text), scores=scores, **tested)
        return self._read(answer, rows[np.argsort(self.id_order[rows])], rest)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions on columns that the run tested."""
        return column_conditions(self.diagnosis.samples.metadata, self.design)[0]

    @cached_property
    def stated(self) -> list[StatedCondition]:
        """Texts, tests and rows of these conditions, outermost limits first."""
        return [(c.text, c.tests, c.mask) for c in reversed(self.conditions)]

    def _scope(self, label: int | None) -> tuple[str, I64]:
        """Name and rows of the class, or of all samples if there is no class or it has too few samples."""
        samples = self.diagnosis.samples
        if label is not None and samples.labels is not None:
            rows = np.flatnonzero(samples.labels == label)
            if len(rows) >= MIN_GROUPS:
                return samples.class_names[label], rows
        return EVERYTHING, np.arange(len(self.id_order))

    def _read(self, answer: Answer, rows: I64, rest: I64) -> Answer:
        """The answer with rows of its scope, chosen without using the losses, and their figures."""
        losses = self.diagnosis.outcomes.fitted
        errors = self.diagnosis.outcomes.errors
        groups = groups_at(self.diagnosis.samples.groups, rows)
        error_rate = None
        error_rest = None
        if errors is not None:
            error_rate = accuracy_of(~errors[rows], groups)
            error_rest = float(errors[rest].mean())
        return replace(
            answer,
            shown=True,
            rows=rows,
            rest=float(losses[rest].mean()),
            observed=bootstrap_mean(losses[rows], groups, np.random.default_rng(0), repeats=400),
            error_rate=error_rate,
            error_rest=error_rest,
            alpha=self.alpha,
        )

    def _test(self, scope: I64, weights: F64, n_asked: int) -> dict[str, Any]:
        """The fields of an answer that come from the test: whether rows with more weight have more loss.

        Rows are permuted within class (whole groups), since a class may both match the text and be harder.
        """
        if not self.is_tested:
            return {"untested": "not asked for", "asked": n_asked}
        groups = groups_at(self.design.groups, scope)
        strata = self.design.centring_stratum[scope]
        values = self.tested.standardised_residuals[scope]
        n_groups = len(scope)
        if groups is not None:
            n_groups = len(np.unique(groups))
        if not self.design.testable or n_groups < MIN_GROUPS:
            return {"untested": "too few groups", "asked": n_asked}
        # weights less their mean by class: only differences within a class are tested
        centered = weights - (np.bincount(strata, weights) / np.maximum(np.bincount(strata), 1))[strata]
        rng = np.random.default_rng(int(self.diagnosis.settings.get("seed", 0)))
        result = weighted_test(centered, values, Permuter(strata, groups, values), rng)
        # the sum of weight times value that is confirmed with probability POWER at alpha / n_asked, if normal
        reach = float(norm.isf(self.alpha / n_asked) - norm.isf(POWER)) * result.deviation * float(self.tested.scale[0])
        least = reach / max(float((centered**2).sum()), 1e-12)
        errors = self.diagnosis.outcomes.errors
        beyond = errors is not None and ("error rate" not in self.tested.names or least > 1 - errors[scope].mean())
        if beyond or least < 1e-9:  # the latter if nothing varies: then nothing can be confirmed
            least = None
        p = bonferroni(result.p, n_asked)  # over the questions asked so far
        measure = self.tested.names[result.best]
        return {"p": p, "p_alone": result.p, "asked": n_asked, "measure": measure, "least": least}

    def _in_family(self, mask: Bool, name: str) -> tuple[float | None, Measure | None]:
        """p and measure of the (n,) rows that meet a condition, in the scope of that name; None if the run tested no
        condition that exactly these rows of the scope meet.

        The p is against the family null of the whole run, so it is corrected for everything that the run tested."""
        null = self.diagnosis.family_null
        scope = next((s for s in self.design.scopes if s.name == name), None)
        if scope is None or null is None or not len(null):
            return None, None
        rows = rows_within(mask, scope)
        if rows is None:
            return None, None
        inside = mask[scope.rows]
        if not any(np.array_equal(condition.mask[scope.rows], inside) for condition in self.conditions):
            return None, None
        rest = np.setdiff1d(scope.rows, rows)
        groups = self.design.groups
        values = self.tested.standardised_residuals
        of_groups = None
        if groups is not None:
            of_groups = (groups[rows], groups[rest])
        gaps = [difference_of(column[rows], column[rest], of_groups) for column in values.T]
        excess = [gap / error for gap, error in gaps]
        best = int(np.argmax(excess))
        return permutation_p(excess[best], null), self.tested.names[best]
