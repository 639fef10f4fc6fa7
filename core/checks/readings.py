"""What the loss ensemble predicts from words alone, by class and attribute: the bias that prompts reveal.

A phrase's direction is the mean difference of paired prompts, "a photo of a dog in the snow" minus "a photo of a dog",
over templates and class names. The ensemble, a ridge head for each class shrunk toward a shared one, is linear, so
along that direction it gives the change in loss, whether or not an image shows the two together. (Ardeshir 2023,
arXiv 2305.03212, reads an ensemble through a language model's prompts; pairs, heads and the null are ours.)

A reading is also linear in the losses, so permuted losses are refitted at the cost of a product. Each reading is given
in standard deviations of the readings of permuted losses. It stands out if it exceeds the largest of *all* phrases in
*all* scopes in all but a share alpha of permutations: any part of the grid may be looked at. This test is separate from
the run's, so what stands out is exploratory. The images show how large the change is: the reading itself is shrunk too
much for that (docs/evidence/asked.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.discovery.design import Design
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import factor_heads, solve_heads, split_by_block
from core.records import F32, F64, Words
from core.statistics.max_t import chunks, conservative_null, nulls
from core.statistics.permutation import permutation_threshold

RIDGE_PENALTY = 3.0
SHARED_WEIGHT = 2.0
"""Of the heads (see `core.discovery.ridge.heads.solve_heads`). A small penalty gives less weight to phrases that merely
occur with the true one; chosen on planted failures of tuning seeds."""
PERMUTATIONS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """The grid of readings, in standard deviations."""

    values: F64
    """(scopes, P) of each phrase in each scope of the design; positive if the words mean more loss. nan if nothing can
    be permuted."""
    threshold: float
    """The smallest absolute reading that stands out; nan if nothing can be permuted."""

    def stands_out(self, scope: int, phrase: int) -> bool:
        """Whether the reading exceeds what permuted losses give anywhere in the grid."""
        return bool(abs(self.values[scope, phrase]) >= self.threshold)


def read_phrases(
    words: Words, scores: F64, design: Design, *, alpha: float = 0.05, n_permutations: int = PERMUTATIONS, seed: int = 0
) -> Readings:
    """Read the ensemble along every phrase in every scope.

    Args:
        scores: (n,) class-centered losses, in the order of the design.
    """
    if not design.testable:
        return Readings(np.full((len(design.scopes), len(words.phrases)), np.nan), float("nan"))
    features = Features(words.joint.vectors, design.blocks)
    rng = np.random.default_rng([seed, 5])
    along = features.along(words.directions)  # (P, r)
    rows = split_by_block(np.arange(len(scores)), design.head_group, int(design.head_group.max()) + 1)
    factors = factor_heads(features.rows, rows, RIDGE_PENALTY, SHARED_WEIGHT)
    shares = np.stack([np.bincount(design.head_group[s.rows], minlength=len(rows)) for s in design.scopes])
    shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)  # (scopes, heads)

    def read(losses: F32) -> F32:
        heads = np.stack(
            solve_heads(features.rows, rows, factors, losses, RIDGE_PENALTY, SHARED_WEIGHT)
        )  # (heads, r, p)
        return np.stack([along @ np.tensordot(share, heads, 1) for share in shares])  # (scopes, P, p)

    column = scores.astype(np.float32)
    observed = read(column[:, None])[..., 0]
    permuter = design.permuter(scores[:, None])
    sizes = chunks(n_permutations, 100)
    ways = nulls(lambda way, count, rng: read(column[way.draw(count, rng)]), permuter, rng, sizes)
    deviation = np.maximum(np.max([null.std(axis=2) for null in ways], axis=0), 1e-12)
    largest = conservative_null([(np.abs(null) / deviation[..., None]).max((0, 1)) for null in ways])
    values = (observed / deviation).astype(np.float64)
    return Readings(values, permutation_threshold(largest.astype(np.float32), alpha))
