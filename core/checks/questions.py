"""Free questions: what the loss is where images look like any words, with a p that holds for any number of questions.

A question is a direction of text, and samples have a score along it. It is tested in one of two ways; which one, its
text alone decides.

* Where a phrase of the vocabulary lies close by, the question is tested *through that phrase*: the phrase's p has paid
  for the whole family, and any number of questions can be led to no more phrases than there are.
* Otherwise its statistic is the correlation of score and class-centred failure score in the question's scope, times the
  root of the rows. In each permutation the largest value that *any* direction within the leading r directions of the
  vocabulary could reach has a closed form, the root of n times R2 of the regression on those r coordinates (Scheffe
  1953, Biometrika 40; the null by permutation). What of a question lies outside that span is not tested, and the answer
  says how much lies inside. This asks for a strong effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.answers import Answer as Answer, Difference as Difference, nothing_shown
from core.discovery.design import design_of, failure_score
from core.discovery.family import MIN_CANDIDATE_ROWS
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.directions import centred
from core.language.likeness import likeness, question_prompts, support, things_of
from core.records import F32, F64, I64, Diagnosis, Estimate, Words
from core.statistics.intervals import bootstrap
from core.statistics.permutation import permutation_p

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

SIMILAR = 0.2
"""Share of the scope that answers a question, where the scores show no group that stands apart."""
CLOSE = 0.7
"""Cosine with a phrase from which a question is tested through it. Fixed by looking at texts alone: "a dark picture of
an animal" lies at 0.84 from "in the dark", "a purple giraffe" at 0.68 from "purple"."""
FLAT = 0.5
"""A phrase along which images vary less than so many times the median phrase says little about them."""
MAX_QUESTION_LENGTH = 300
"""Characters of a question."""


def ask(
    diagnosis: Diagnosis, texts: Sequence[str], *, encoder: TextTower | None = None, cache: Path | None = None
) -> list[Answer]:
    """What the loss is where images look like each text.

    Args:
        texts: free text, such as "a dog in snow". Where it names a class, that class is the scope and its plain prompt
            the reference.
        encoder: the naming encoder, if it is loaded already.
        cache: folder where text vectors are kept.

    Raises:
        InvalidInput: a text is empty, too long or only the name of a class, or the run has no words, or its words are
        of another version of the encoder.
    """
    words = diagnosis.words
    cleaned = [_checked(text) for text in texts]
    if words is None:
        raise InvalidInput(
            "This run cannot be asked in words: no encoder with a text tower saw its images. "
            "Diagnose again with --images and --encoder."
        )
    from core.language.prompts import class_in

    names = diagnosis.samples.class_names
    classes = [class_in(text, names) for text in cleaned]
    for text, number in zip(cleaned, classes):
        if number is not None:
            _check_says_more(text, names[number])
    tower = _tower(words, encoder)
    directions, texts_alone = _directions(tower, cleaned, [None if c is None else names[c] for c in classes], cache)
    reader = QuestionReader(diagnosis, words)
    if words.line is None:
        return [reader.answer(text, direction, c) for text, direction, c in zip(cleaned, directions, classes)]
    alike = likeness(words.joint.vectors, texts_alone, things_of(tower, cache)).T
    return [
        reader.answer(text, direction, c, one) for text, direction, c, one in zip(cleaned, directions, classes, alike)
    ]


def _tower(words: Words, encoder: TextTower | None) -> TextTower:
    """The naming encoder of the run's words.

    Raises:
        InvalidInput: it is another edition than the words are of.
    """
    if encoder is None:
        from core.encoders import load_encoder

        encoder = load_encoder(words.encoder)
    if encoder.joint_space != words.joint.space:
        raise InvalidInput(
            f"The run's words are of the space {words.joint.space!r} and the encoder {words.encoder!r} now speaks "
            f"{encoder.joint_space!r}, "
            "so texts and samples cannot be compared. Diagnose the data again."
        )
    return encoder


def _directions(
    encoder: TextTower, texts: Sequence[str], names: Sequence[str | None], cache: Path | None
) -> tuple[F32, F32]:
    """(texts, d) unit directions, each text minus what it says of its class `names` alone; and (texts, d) the texts
    themselves."""
    from core.embeddings.texts import encode_texts  # brings the vocabulary

    prompts = [prompt for text, name in zip(texts, names) for prompt in _prompts(text, name)]
    vectors = encode_texts(encoder, prompts, cache).reshape(
        len(texts), 2, 2, -1
    )  # (texts, with and without, prompts, d)
    return unit((vectors[:, 0] - vectors[:, 1]).mean(1)), unit(vectors[:, 0].mean(1))


def _checked(text: str) -> str:
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not cleaned or not any(c.isalnum() for c in cleaned):
        raise InvalidInput(
            "A question needs words: got an empty text. Ask for something that images may show, "
            'such as "a dog in snow".'
        )
    if len(cleaned) > MAX_QUESTION_LENGTH:
        raise InvalidInput(
            f"A question has at most {MAX_QUESTION_LENGTH} characters: got {len(cleaned):,}. "
            "Ask for one thing at a time."
        )
    return cleaned


def _check_says_more(text: str, name: str) -> None:
    from core.language.prompts import is_bare_name

    if is_bare_name(text, name):
        raise InvalidInput(
            f'"{text}" says no more than the class "{name}", whose loss stands in the table of classes. '
            f'Add what may be special, such as "{text} in the dark".'
        )


def _prompts(text: str, name: str | None) -> list[str]:
    """The text as two prompts, then the same prompts without what it adds to its class."""
    plain = "something" if name is None else f"a {name.replace('_', ' ')}"
    return [*question_prompts(text), *question_prompts(plain)]


class QuestionReader:
    """One diagnosis made ready for questions."""

    def __init__(self, diagnosis: Diagnosis, words: Words) -> None:
        self.diagnosis, self.words = diagnosis, words
        self.design = design_of(diagnosis)
        self.along = centred(words.joint.vectors, self.design.centre_of_row)
        self.tested = failure_score(diagnosis.outcomes, self.design)
        self.scores = self.along @ words.directions.T  # (n, P)
        self.spread = float(np.median(self.scores.std(0)))

    def answer(self, text: str, direction: F32, label: int | None, alike: F64 | None = None) -> Answer:
        """What the matching samples show along one unit direction, in the class `label` or in all samples.

        Args:
            alike: (n,) likeness of each sample to the text; where even the most alike ones do not reach the encoder's
                line, nothing is answered, unless what is asked for is confirmed. Not looked at within a class: its
                samples show it, whether the encoder knows its name or not.
        """
        diagnosis = self.diagnosis
        scopes, block = self.design.scopes, -1 if label is None else int(self.design.class_of_label[label])
        scope = next((s for s in scopes if s.block == block), scopes[0])  # of all samples the block is None
        own = (self.along[scope.rows] @ direction).astype(np.float64)
        through, p, inside = self._tested(direction, scope.rows, scopes.index(scope))
        order = np.argsort(-own, kind="stable")
        count, apart = _matching(own)
        rows, rest = scope.rows[order[:count]], scope.rows[order[count:]]
        scores = np.full(len(self.tested), np.nan)
        scores[scope.rows] = own
        losses, errors = diagnosis.outcomes.fitted, diagnosis.outcomes.errors
        wrong = None if errors is None else errors.astype(np.float64)
        found = Answer(
            text=text,
            scope=scope.name,
            rows=rows,
            scores=scores,
            observed=_mean(losses, rows, diagnosis.samples.groups),
            rest=float(losses[rest].mean()),
            error_rate=None if wrong is None else _mean(wrong, rows, diagnosis.samples.groups),
            error_rest=None if wrong is None else float(wrong[rest].mean()),
            read=None
            if diagnosis.reader is None
            else diagnosis.reader.read(direction, scope.block, float(losses[scope.rows].mean())),
            p=p,
            through=through,
            inside=inside,
            alpha=float(diagnosis.settings.get("alpha_inside" if through else "alpha", 0.05)),
            stands_apart=apart,
            extrapolation=bool(own.std() < FLAT * self.spread),
        )
        line = self.words.line
        if alike is None or line is None or label is not None or found.confirmed:
            return found
        if support(alike[scope.rows]) >= line:
            return found
        return nothing_shown(text, scope.name, float(losses[scope.rows].mean()))

    def _tested(self, direction: F32, rows: I64, scope: int) -> tuple[str | None, float | None, float]:
        """(phrase that it is tested through, p, share of the direction that is tested)."""
        words, known = self.words, self.diagnosis.phrase_p
        cosines = words.directions @ direction
        nearest = int(cosines.argmax())
        if cosines[nearest] >= CLOSE and known is not None and np.isfinite(known[scope, nearest]):
            return words.phrases[nearest], float(known[scope, nearest]), float(cosines[nearest] ** 2)
        within = words.leading @ direction
        null, inside = self.diagnosis.question_null, float((within**2).sum())
        if null is None or not len(null):
            return None, None, inside
        along = self.along[rows] @ (words.leading.T @ within)
        if along.std() <= 0 or self.tested[rows].std() <= 0:
            return None, 1.0, inside
        statistic = abs(float(np.corrcoef(along, self.tested[rows])[0, 1])) * float(np.sqrt(len(rows)))
        return None, permutation_p(statistic, null), inside


def _matching(scores: F64) -> tuple[int, bool]:
    """How many samples match, and whether they stand apart: the upper of two normal components, where two fit better
    than one (BIC)."""
    from sklearn.mixture import GaussianMixture  # type: ignore[import-untyped]

    n, least = len(scores), min(MIN_CANDIDATE_ROWS, len(scores) - 1)
    share = max(least, round(SIMILAR * n))
    column = scores[:, None]
    if n < 4 * MIN_CANDIDATE_ROWS or scores.std() <= 0:
        return share, False
    least_variance = 1e-9 + 1e-4 * float(scores.var())
    one, two = (GaussianMixture(k, random_state=0, reg_covar=least_variance).fit(column) for k in (1, 2))
    centres, variances = np.asarray(two.means_)[:, 0], np.asarray(two.covariances_)[:, 0, 0]
    gap = abs(float(centres[0] - centres[1])) / float(np.sqrt(variances.mean()))
    count = int((two.predict_proba(column)[:, int(centres.argmax())] >= 0.5).sum())
    if two.bic(column) + 10 < one.bic(column) and gap > 2 and least <= count <= n // 2:
        return count, True
    return share, False


def _mean(values: F64, rows: I64, groups: I64 | None) -> Estimate:
    own = values[rows]
    inner, rng = None if groups is None else groups[rows], np.random.default_rng(0)
    return bootstrap(lambda i: float(own[i].mean()), len(rows), inner, rng, repeats=400)


def difference(diagnosis: Diagnosis, first: Answer, second: Answer) -> Difference:
    """How much higher the loss is among the matches of the first text than among those of the second.

    Raises:
        InvalidInput: nothing shows one of the texts.
    """
    for answer in (first, second):
        if not answer.shown:
            raise InvalidInput(f"Nothing here shows {answer.text!r}, so there is nothing to compare. Ask another text.")
    losses, groups = diagnosis.outcomes.fitted, diagnosis.samples.groups
    a, b = (np.isin(np.arange(len(losses)), answer.rows) for answer in (first, second))
    rows = np.flatnonzero(a | b)

    def gap(i: I64) -> float:
        picked = rows[i]
        inside, other = picked[a[picked]], picked[b[picked]]
        return float(losses[inside].mean() - losses[other].mean()) if len(inside) and len(other) else float("nan")

    found = bootstrap(gap, len(rows), None if groups is None else groups[rows], np.random.default_rng(0), repeats=400)
    return Difference(first.text, second.text, found, int((a & b).sum()), (first.scope, second.scope))
