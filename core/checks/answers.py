"""What is known of the samples that look like a text, and how two texts differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import F64, I64, Estimate
from core.statistics.intervals import UNDEFINED

MOSTLY = 0.5
"""A question of which less is tested cannot be confirmed: the p would speak of something else than its words."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of the samples that look like a text."""

    text: str
    scope: str
    """The class that the text speaks of, else "all samples"."""
    rows: I64
    """The matching samples, best match first."""
    scores: F64
    """(n,) how far each sample looks like the text; nan outside the scope."""
    observed: Estimate
    """Mean loss of the matching samples, with a 95 % interval for this one question."""
    rest: float
    """Mean loss of the rest of the scope."""
    error_rate: Estimate | None
    error_rest: float | None
    read: Estimate | None
    """Loss that the ensemble reads in the text alone, plus or minus 1.64 spreads over members."""
    p: float | None
    """Adjusted for any number of questions; None where nothing could be permuted."""
    inside: float
    """Share of the text's direction that is tested: the squared cosine with that phrase, or the share within the span
    of the leading directions."""
    stands_apart: bool
    """True where the matching samples form a group of their own along the text; otherwise they are the most similar
    fifth."""
    extrapolation: bool
    """True where the samples hardly differ along the text: nothing here shows what it says."""
    through: str | None = None
    """The phrase of the vocabulary that the question was tested through; None where none is close."""
    alpha: float = 0.05
    """The level of the run."""
    shown: bool = True
    """False where nothing in the scope is like the text: then there are no rows, no figures and no p."""

    @property
    def support(self) -> int:
        return len(self.rows)

    @property
    def confirmed(self) -> bool:
        return self.p is not None and self.p <= self.alpha and self.is_tested

    @property
    def is_tested(self) -> bool:
        """Whether the p speaks of the text: at least half of its direction is tested."""
        return self.inside >= MOSTLY


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The answer to one text minus the answer to another."""

    first: str
    second: str
    observed: Estimate
    """Difference of mean loss; 95 % interval by group bootstrap over the samples, the shared ones counted on both
    sides."""
    shared: int
    scopes: tuple[str, str] = ("", "")
    """Where each text was answered: they may differ."""


def nothing_shown(text: str, scope: str, level: float) -> Answer:
    """The answer where nothing in the scope, whose mean loss is `level`, is like the text."""
    none = np.zeros(0, np.int64)
    return Answer(
        text=text,
        scope=scope,
        rows=none,
        scores=none.astype(np.float64),
        observed=UNDEFINED,
        rest=level,
        error_rate=None,
        error_rest=None,
        read=None,
        p=None,
        inside=0.0,
        stands_apart=False,
        extrapolation=True,
        shown=False,
    )
