"""Free questions: what the loss is where images look like any words, with a p that holds for any number of questions.

A text is answered through a phrase of the vocabulary, where one lies close by: the images shown are the phrase's in the
question's scope, at the depth of its strongest excess, and the p is that of the very same images. A text that says a
phrase word for word is answered through that one; else, of several phrases about as close, the one of the strongest
excess answers. The run tested every phrase in every scope at every depth, and
its null is the best of all of them in each permutation. So whoever asks, and however often, can be led to no other set
than those that the p has paid for.

What lies far from every phrase is shown with the fifth of the scope that looks most like it, without a p: a set that
any text may draw is no member of any family. Who wants it tested names it in the vocabulary.

What the run knows of every sample ("three numbers", "dark", "weather = snow") is answered by those that have it: with
the p of that very condition where the run tested it, else without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.answers import Answer as Answer, Difference as Difference, Untested, nothing_shown, with_findings
from core.checks.asked_text import AskedText, directions_of, phrase_said, read_text, require_words, rows_counted, scoped
from core.discovery.called import scope_rows
from core.discovery.conditions import Condition
from core.discovery.design import design_of, measures
from core.discovery.effects import effects_of
from core.discovery.proposals import column_conditions, phrase_sizes, rows_within
from core.discovery.search.family import MIN_CANDIDATE_ROWS, Scope, centre
from core.discovery.search.family_test import FamilyTest
from core.errors import InvalidInput
from core.language.counted import SaidCondition, counted
from core.language.directions import centred
from core.language.likeness import likeness, support, things_of
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Estimate, Measure, Words
from core.statistics.groups import group_terms
from core.statistics.intervals import accuracy_of
from core.statistics.permutation import studentised_excess
from core.statistics.power import least_difference
from core.statistics.redraws import bootstrap_mean

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

SIMILAR = 0.2
"""Share of the scope that is shown of a question that is not tested."""
CLOSE = 0.6
"""Cosine with a phrase from which a question is answered through it. Fixed by looking at texts alone: of 60 ways to say
a phrase of the vocabulary in other words ("poorly lit", "someone running") 49 reach it, of 35 texts that none says ("a
lion", "with buttons") one does (docs/evidence/asked.md)."""
AS_CLOSE = 0.15
"""Of the phrases whose cosine is less than this below the nearest one's, that of the strongest excess answers."""
FLAT = 0.5
"""A phrase along which images vary less than so many times the median phrase says little about them."""


def ask(
    diagnosis: Diagnosis, texts: str | Sequence[str], *, encoder: TextTower | None = None, cache: Path | None = None
) -> list[Answer]:
    """What the loss is where images look like each text.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        texts: free text, such as "a dog in snow", or several; a string is one question. Where it names a class, that
            class is the scope and its plain prompt the reference.
        encoder: the naming encoder, if it is loaded already.
        cache: folder where text vectors are kept.

    Returns:
        An answer for each text. Of several, one that is no question (empty, too long, only the name of a class) says so
        in `Answer.refused`.

    Raises:
        InvalidInput: none of the texts is a question, or the run has no words or those of another encoder's version.
    """
    texts = [texts] if isinstance(texts, str) else texts
    words = require_words(diagnosis, "be asked in words")
    names = diagnosis.samples.class_names
    asked = [read_text(text, names, diagnosis.samples.metadata) for text in texts]
    refused = [one for one in asked if one.refused]
    if len(refused) == len(asked) and refused:
        raise InvalidInput(refused[0].refused)
    tower, reader = speaker_of(words, encoder), QuestionReader(diagnosis, words)
    good = [scoped(one, names, reader.said) for one in asked if not one.refused]
    directions, texts_alone = directions_of(
        tower, [q.text for q in good], [None if q.label is None else names[q.label] for q in good], cache
    )
    alike: Sequence[F64 | None] = [None] * len(good)
    if words.line is not None:
        alike = list(likeness(words.joint.vectors, texts_alone, things_of(tower, cache)).T)
    answers = (
        with_findings(diagnosis, reader.count(one) or reader.answer(one.text, direction, one.label, own), reader.said)
        for one, direction, own in zip(good, directions, alike)
    )
    return [nothing_shown(one.text, refused=one.refused) if one.refused else next(answers) for one in asked]


def speaker_of(words: Words, encoder: TextTower | None) -> TextTower:
    """The naming encoder of the run's words.

    Raises:
        InvalidInput: it is another edition than the words are of.
    """
    if encoder is None:
        from core.encoders import load_encoder

        encoder = load_encoder(words.encoder)
    if words.joint.space not in (encoder.joint_space, getattr(encoder, "former_space", "")):
        raise InvalidInput(
            f"The run's words are of the space {words.joint.space!r} and the encoder {words.encoder!r} now speaks "
            f"{encoder.joint_space!r}, so texts and samples cannot be compared. Diagnose the data again."
        )
    return encoder


class QuestionReader:
    """One diagnosis made ready for questions."""

    def __init__(self, diagnosis: Diagnosis, words: Words) -> None:
        self.diagnosis, self.words = diagnosis, words
        self.design = design_of(diagnosis)
        self.along = centred(words.joint.vectors, self.design.centre_of_row)
        self.scores = self.along @ words.directions.T  # (n, P)
        self.spread = float(np.median(self.scores.std(0)))
        null = np.empty(0, np.float32) if diagnosis.family_null is None else diagnosis.family_null
        alpha = float(diagnosis.settings.get("alpha_inside", 0.05))
        tested = measures(diagnosis.outcomes, self.design)
        self.test = FamilyTest(tested.scores, tested.names, alpha, null[:0], null)
        self.place = np.empty(len(self.along), np.int64)  # of each row in the order of the ids, in which ties were cut
        self.place[np.argsort(np.array(diagnosis.samples.ids), kind="stable")] = np.arange(len(self.along))

    def answer(self, text: str, direction: F32, label: int | None, alike: F64 | None = None) -> Answer:
        """What the samples along one unit direction show, in the class `label` or in all samples.

        Args:
            alike: (n,) likeness of each sample to the text; where even the most alike ones do not reach the encoder's
                line, nothing is answered, unless what is asked for is confirmed. Not looked at within a class: its
                samples show it, whether the encoder knows its name or not.
        """
        scopes, block = self.design.scopes, -1 if label is None else int(self.design.class_of_label[label])
        scope = next((s for s in scopes if s.block == block), scopes[0])  # of all samples the block is None
        name = None if label is None else self.diagnosis.samples.class_names[label]
        found = self._found(text, direction, scope, name)
        if name is not None and scope.name != name:
            found = replace(found, unsearched=name)
        line = self.words.line
        if alike is None or line is None or label is not None or found.confirmed:
            return found
        if support(alike[scope.rows]) >= line:
            return found
        return nothing_shown(text, scope.name, float(self.diagnosis.outcomes.fitted[scope.rows].mean()))

    def count(self, asked: AskedText) -> Answer | None:
        """The samples that have what the text says, where that is counted or measured of each; else None."""
        diagnosis, n = self.diagnosis, len(self.along)
        name = None if asked.label is None else diagnosis.samples.class_names[asked.label]
        found = counted(asked.text, diagnosis, name, self.said)
        if found is None:
            return None
        own = found.confirmed if found.confirmed is not None and name in (None, found.confirmed.scope) else None
        scope = own.scope if own is not None else name or EVERYTHING
        inside, mask = scope_rows(diagnosis, scope, self.design), rows_counted(found, n)
        rows, rest = np.flatnonzero(inside & mask), np.flatnonzero(inside & ~mask)
        losses, errors = diagnosis.outcomes.fitted, diagnosis.outcomes.errors
        wrong = None if errors is None else errors.astype(np.float64)
        if not len(rows) or not len(rest):
            return nothing_shown(asked.text, scope, float(losses[inside].mean()), counted=found.text)
        p, measure = (own.p, own.measure) if own is not None else self._in_family(mask, scope)
        if p is not None:
            observed, rate = self._tested(rows, np.flatnonzero(inside))
        else:
            observed, rate = self._mean(losses, rows), None if wrong is None else self._rate(wrong, rows)
        return replace(
            nothing_shown(asked.text, scope, float(losses[rest].mean()), counted=found.text),
            shown=True,
            rows=rows[np.argsort(self.place[rows])],
            scores=np.where(inside, mask.astype(np.float64), np.nan),
            observed=observed,
            error_rate=rate,
            error_rest=None if wrong is None else float(wrong[rest].mean()),
            p=p,
            measure=measure,
            untested="" if p is not None else "counted alone",
            alpha=self.test.alpha,
            extrapolation=False,
            least=None if p is None else self._least(rest, len(rows)),
        )

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions on columns that the run tested."""
        return column_conditions(self.diagnosis.samples.metadata, self.design)[0]

    @cached_property
    def said(self) -> list[SaidCondition]:
        """What is said of them, the outermost limits first."""
        return [(c.text, c.tests, c.mask) for c in reversed(self.conditions)]

    def _in_family(self, mask: Bool, name: str) -> tuple[float | None, Measure | None]:
        """p and measure of the (n,) rows that meet a condition, in the scope of that name; None where the run tested no
        condition that these very rows of it meet."""
        scope = next((s for s in self.design.scopes if s.name == name), None)
        rows = None if scope is None else rows_within(mask, scope)
        if scope is None or rows is None or not self.test.is_permuted:
            return None, None
        own = mask[scope.rows]
        if not any(np.array_equal(condition.mask[scope.rows], own) for condition in self.conditions):
            return None, None
        _, statistic, measure = self.strongest(np.r_[rows, np.setdiff1d(scope.rows, rows)], [len(rows)])
        return self.test.p(statistic), measure

    def _found(self, text: str, direction: F32, scope: Scope, class_name: str | None) -> Answer:
        words, cosines = self.words, self.words.directions @ direction
        exact = phrase_said(text, words.phrases, class_name)
        phrase = self._phrase(cosines, scope) if exact is None else exact
        through = exact is not None or bool(cosines[phrase] >= CLOSE)
        own = self.scores[:, phrase] if through else self.along @ direction
        ranked = self._ranked(own, scope)
        tested = through and self.test.is_permuted  # without a test nothing is chosen by the outcome
        size, statistic, measure = self.strongest(ranked) if tested else (_similar(len(ranked)), 0.0, None)
        rows, rest = ranked[:size], ranked[size:]
        scores = np.full(len(own), np.nan)
        scores[scope.rows] = own[scope.rows]
        untested: Untested = ""
        if not through:
            untested = "far from every phrase"
        elif not self.test.is_permuted:
            untested = "a run of before" if self.design.testable else "too few groups"
        losses, errors = self.diagnosis.outcomes.fitted, self.diagnosis.outcomes.errors
        wrong = None if errors is None else errors.astype(np.float64)
        if untested:
            observed, rate = self._mean(losses, rows), None if wrong is None else self._rate(wrong, rows)
        else:
            observed, rate = self._tested(rows, scope.rows)
        return Answer(
            text=text,
            scope=scope.name,
            rows=rows,
            scores=scores,
            observed=observed,
            rest=float(losses[rest].mean()),
            error_rate=rate,
            error_rest=None if wrong is None else float(wrong[rest].mean()),
            p=None if untested else self.test.p(statistic),
            nearest=words.phrases[phrase],
            closeness=float(cosines[phrase]),
            through=words.phrases[phrase] if through else None,
            exact=exact is not None,
            untested=untested,
            alpha=self.test.alpha,
            extrapolation=bool(own[scope.rows].std() < FLAT * self.spread),
            measure=measure,
            least=None if untested else self._least(rest, size),
        )

    def _least(self, rest: I64, size: int) -> float | None:
        """How much worse than the rest of its scope a set of so many rows must be to be confirmed 8 times in 10."""
        outcomes = self.diagnosis.outcomes
        if outcomes.errors is not None:
            return least_difference(outcomes.errors[rest].astype(np.float64), size, self.test.threshold, shares=True)
        losses = centre(outcomes.fitted, self.design.centre_of_row)
        return least_difference(losses[rest], size, self.test.threshold)

    def _phrase(self, cosines: F32, scope: Scope) -> int:
        """The phrase of the highest cosine; of several that are close, and about as close, that of the strongest
        excess."""
        nearest = int(cosines.argmax())
        if not self.test.is_permuted:
            return nearest
        near = np.flatnonzero(cosines >= max(CLOSE, float(cosines[nearest]) - AS_CLOSE))
        excess = {int(p): self.strongest(self._ranked(self.scores[:, p], scope))[1] for p in near}
        return max(excess, key=lambda p: (excess[p], cosines[p]), default=nearest)

    def _ranked(self, scores: F32, scope: Scope) -> I64:
        """The rows of a scope by (n,) scores, highest first, ties in the order of the ids."""
        rows = scope.rows[np.argsort(self.place[scope.rows])]
        return rows[np.argsort(-scores[rows], kind="stable")]

    def strongest(self, ranked: I64, of_sizes: Sequence[int] = ()) -> tuple[int, float, Measure]:
        """Of the sizes, by default those at which the run tested its phrases in this scope: how many of the (m,)
        rows, best match first, have the strongest excess in any measure of failure, its statistic, and the measure."""
        own, groups = self.test.scores[ranked], self.design.groups
        tested = phrase_sizes(len(own), self.scores.size, len(self.design.scopes))
        sizes = np.array(of_sizes or [size for _, size in tested])
        terms = () if groups is None else tuple(term.T for term in group_terms(own.T, groups[ranked]))
        sums = [np.cumsum(part, 0) for part in (own, own**2, *terms)]
        (inside, total), (inside_squares, total_squares), *grouped = (
            [part[at].astype(np.float32) for at in (sizes - 1, slice(-1, None))] for part in sums
        )
        heights, n = sizes[:, None].astype(np.float64), np.full((1, 1), float(len(own)))
        excess = studentised_excess(heights, n, inside, inside_squares, total, total_squares, *zip(*grouped))
        best, measure = divmod(int(excess.argmax()), excess.shape[1])
        return int(sizes[best]), float(excess[best, measure]), self.test.names[measure]

    def _tested(self, rows: I64, scope: I64) -> tuple[Estimate, Estimate | None]:
        """Mean loss and error rate of a set that was tested, as observed: the intervals reach as far as the test asks
        for (the test inverted), so they hold for every set that could have been asked for at once."""
        inside = np.isin(np.arange(len(self.along)), rows)
        found = effects_of(inside, scope, self.diagnosis.outcomes, self.design, self.test.threshold, None, of=scope)
        return found.mean_loss, found.error_rate

    def _rate(self, wrong: F64, rows: I64) -> Estimate:
        """Error rate of a set that was not tested. Of few rows or groups a bootstrap would be too sure."""
        groups = self.diagnosis.samples.groups
        return accuracy_of(wrong[rows] <= 0, None if groups is None else groups[rows])

    def _mean(self, values: F64, rows: I64) -> Estimate:
        """Mean over the rows of a set that was not tested, with an interval for this one set."""
        groups, rng = self.diagnosis.samples.groups, np.random.default_rng(0)
        return bootstrap_mean(values[rows], None if groups is None else groups[rows], rng, repeats=400)


def _similar(n: int) -> int:
    """How many of n are shown of a question that is not tested."""
    return max(min(MIN_CANDIDATE_ROWS, n - 1), round(SIMILAR * n))
