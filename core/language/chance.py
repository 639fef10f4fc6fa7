"""By what chance a sample shows a text, told from how alike the two are.

A cosine is no chance: it depends on the text and on the encoder. So the likeness is standardized within the scope that
is asked about, and a small logistic model, fitted on samples of which people said what they show, turns it into a
chance. It looks at no loss. Those of a scope add up to how many of its samples show the text.
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
"""Of the class's own prompts, so much is taken out of a text: of none, a quarter, a half, three quarters and all, the
half put the right photographs first most often, in classes and among all samples (docs/evidence/asked.md)."""
ANYTHING = "something"
"""What a text is said of where it names no class."""
FEWEST = 12
MOST = 0.5
"""A question teaches the chance where so many samples show it, and at most such a share of its scope."""
ENOUGH_QUESTIONS = 10
"""With fewer nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Chance:
    """The logistic model: log odds are `level + slope * z + top * t`, z being the standardized likeness of a sample and
    t the mean z of the scope's most alike ones."""

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
"""Where nothing was fitted: about what was fitted of the encoder that ships."""


def standardised(scores: F64) -> tuple[F64, float]:
    """(n,) scores less their mean over their deviation, and the mean of the highest of them."""
    z = (scores - scores.mean()) / max(float(scores.std()), 1e-12)
    return z, float(np.sort(z)[-TOP:].mean())


def teaches(shown: Bool) -> bool:
    """Whether a question teaches the chance, by which samples of its scope show it."""
    return bool(FEWEST <= shown.sum() <= MOST * len(shown))


def fit_chance(questions: Sequence[tuple[F64, Bool]]) -> Chance | None:
    """The model that tells best which samples show what was asked; None where too few questions teach it.

    Args:
        questions: of each, the (n,) likeness of the samples of its scope, and which of them show it. One that fewer
            than 12 or more than half show is left out.
    """
    taught = [(scores, shown) for scores, shown in questions if teaches(shown)]
    if len(taught) < ENOUGH_QUESTIONS:
        return None
    from sklearn.linear_model import LogisticRegression  # a question is answered without it

    seen: list[F64] = []
    for scores, _ in taught:
        z, t = standardised(scores)
        seen.append(np.column_stack([z, np.full(len(z), t)]))
    model = LogisticRegression(C=1e4, max_iter=1000).fit(np.concatenate(seen), np.concatenate([y for _, y in taught]))
    return Chance(float(model.intercept_[0]), float(model.coef_[0, 0]), float(model.coef_[0, 1]))


def asked_directions(
    encoder: TextTower, texts: Sequence[str], names: Sequence[str | None], cache: Path | None = None
) -> tuple[F32, F32]:
    """Texts as directions among the samples of the classes that they name.

    Args:
        names: of each text, as it is said of one of them ("a dog"); None where it names none.

    Returns:
        (q, d) directions, each text less `CLASS_SHARE` of what it says of its class, and (q, d) what it says of that
        class.
    """
    said = [one for text, name in zip(texts, names) for one in (text, name or ANYTHING)]
    prompts = [prompt for one in said for prompt in question_prompts(one, encoder.modality)]
    vectors = encode_texts(encoder, prompts, cache).reshape(len(texts), 2, 2, -1).mean(2)
    text = vectors[:, 0]
    of_class = vectors[:, 1]
    return (text - CLASS_SHARE * of_class).astype(np.float32), of_class.astype(np.float32)
