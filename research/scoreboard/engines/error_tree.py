"""For each class a small decision tree that tells failures from successes: its leaves are slices, as in Barlow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.tree import DecisionTreeClassifier

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import failures
from research.scoreboard.engines.class_lines import usable_classes


@dataclass
class ErrorTree:
    """Slices are leaves; a row's score is 1 in its leaf and 0 elsewhere. Leaves in the order of error rate times share
    of the errors.

    A tree for each class, of depth 3, by entropy, with failures and successes of equal weight. Classes with fewer than
    two failures or successes have no tree.

    Source: Singla et al. 2021, arXiv 2012.01750 (Barlow), and its port in Eyuboglu's `domino` (depth, criterion,
    weights, order of leaves). Departures: features are the first principal components of the embedding, where theirs
    are those units of a robustly trained network that say most of the failure; and the port grows one tree over all
    classes, where the paper explains one class at a time, as here.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels",)
    n_slices: int = 5
    n_dimensions: int = 50
    depth: int = 3
    min_rows: int = 5
    """Of a leaf."""
    seed: int = 0
    pca_: PCA = field(init=False, repr=False)
    trees_: dict[int, DecisionTreeClassifier] = field(init=False, repr=False)
    leaves_: list[tuple[int, int]] = field(init=False, repr=False)
    """(class, leaf), best first."""

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        wrong = failures("The error tree", labels, probabilities, errors)
        self.pca_ = PCA(min(self.n_dimensions, *embeddings.shape), random_state=self.seed)
        rows: F64 = self.pca_.fit_transform(embeddings.astype(np.float64))
        self.trees_ = {}
        found = list[tuple[float, int, int]]()
        for c in usable_classes(labels, wrong):
            tree = DecisionTreeClassifier(
                criterion="entropy",
                max_depth=self.depth,
                min_samples_leaf=self.min_rows,
                class_weight="balanced",
                random_state=self.seed,
            )
            inside = rows[labels == c]
            failing = wrong[labels == c]
            at: I64 = tree.fit(inside, failing).apply(inside)
            self.trees_[c] = tree
            found += [(float(failing[at == k].mean() * failing[at == k].sum()), c, int(k)) for k in np.unique(at)]
        if not found:
            raise InvalidInput(
                "The error tree needs a class with at least two failures and two successes: none has. Bring more rows."
            )
        found.sort(key=lambda leaf: -leaf[0])
        self.leaves_ = [(c, leaf) for _, c, leaf in found[: self.n_slices]]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        rows: F64 = self.pca_.transform(embeddings.astype(np.float64))
        at = {c: self.trees_[c].apply(rows) for c in {c for c, _ in self.leaves_}}
        return np.stack([((labels == c) & (at[c] == leaf)).astype(np.float64) for c, leaf in self.leaves_], axis=1)
