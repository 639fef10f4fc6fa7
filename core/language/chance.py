"""The chance that a sample shows a text, from how alike the two are.

A cosine is not a chance: it depends on the text and on the encoder. So likeness is standardized within the scope of the
question, and a small logistic model, fitted on samples whose content people described, turns it into a chance. It uses
no loss. The chances of a scope add up to the number of its samples that show the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.embeddings.texts import TextTower, encode_texts
from core.language.likeness import TOP, question_prompts
from core.records import F32, F64, Bool

CLASS_SHARE = 0.5
"""Share of the class's own prompts that is subtracted from a text: of none, a quarter, a half, three quarters and all,
the half put the right photographs first most often, within classes and among all samples (docs/evidence/asked.md)."""
ANYTHING = "something"
"""Stands for the class of a text that names none."""
MIN_SHOWING = 12
MAX_SHOWING_SHARE = 0.5
"""A question is used for the fit if at least this many samples, and at most this share of its scope, show it."""
MIN_QUESTIONS = 10
"""With fewer questions nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A logistic model: log odds are `level + slope * z + top * t`, where z is the standardized likeness of a sample
    and t the mean z of the most alike samples of the scope."""

    level: float
    slope: float
    top: float

    def of(self, scores: F64) -> F64:
        """(n,) chance that each sample of a scope shows the text.

        Args:
            scores: (n,) likeness of all samples of the scope, in any unit.
        """
        z, t = standardised(scores)
        return 1 / (1 + np.exp(-(self.level + self.slope * z + self.top * t)))


GUESS = Chance(0.0, 1.0, -1.0)
"""Used if nothing was fitted: close to the fit for the shipped encoder."""


def standardised(scores: F64) -> tuple[F64, float]:
    """(n,) scores less their mean over their standard deviation, and the mean of the highest of them."""
    z = (scores - scores.mean()) / max(float(scores.std()), 1e-12)
    return z, float(np.sort(z)[-TOP:].mean())


def teaches(shown: Bool) -> bool:
    """Whether a question is used for the fit, given which samples of its scope show it."""
    return bool(MIN_SHOWING <= shown.sum() <= MAX_SHOWING_SHARE * len(shown))


def fit_chance(questions: Sequence[tuple[F64, Bool]]) -> Chance | None:
    """Fit the model that best predicts which samples show what was asked; None with too few usable questions.

    Args:
        questions: for each, the (n,) likeness of the samples of its scope, and which of them show it. Questions that
            fewer than 12 or more than half of the samples show are left out.
    """
    taught = [(scores, shown) for scores, shown in questions if teaches(shown)]
    if len(taught) < MIN_QUESTIONS:
        return None
    from sklearn.linear_model import LogisticRegression  # not needed to answer a question

    seen: list[F64] = []
    for scores, _ in taught:
        z, t = standardised(scores)
        seen.append(np.column_stack([z, np.full(len(z), t)]))
    model = LogisticRegression(C=1e4, max_iter=1000).fit(np.concatenate(seen), np.concatenate([y for _, y in taught]))
    return Chance(float(model.intercept_[0]), float(model.coef_[0, 0]), float(model.coef_[0, 1]))


def asked_directions(
    encoder: TextTower, texts: Sequence[str], names: Sequence[str | None], cache: Path | None = None
) -> tuple[F32, F32]:
    """Directions of texts among the samples of the classes that they name.

    Args:
        names: for each text, its class as an object ("a dog"); None if it names none.

    Returns:
        (q, d) directions, each text less `CLASS_SHARE` of its class, and (q, d) vectors of those classes.
    """
    prompts: list[str] = []
    for text, name in zip(texts, names):
        prompts += question_prompts(text, encoder.modality)
        prompts += question_prompts(name or ANYTHING, encoder.modality)
    vectors = encode_texts(encoder, prompts, cache).reshape(len(texts), 2, 2, -1).mean(2)
    text = vectors[:, 0]
    of_class = vectors[:, 1]
    return (text - CLASS_SHARE * of_class).astype(np.float32), of_class.astype(np.float32)
