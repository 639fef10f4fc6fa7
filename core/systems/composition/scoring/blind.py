"""How far a benchmark's foils can be told by their text alone: baselines that never see an image.

A model is only worth what it has over them. Known cases: the foils of ARO and CREPE read badly (Hsieh et al. 2023,
SugarCrepe, arXiv 2306.14610), and a caption to which something was added is longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from core.records import F64, I64, Progress, no_progress
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Scorer, Scores
from core.systems.composition.scoring.judging import true_places

FOLDS = 5
MIN_LEARNING_ITEMS = 50
"""Items from which foils' habits are learned: below it, nothing is."""
MAX_FOILS = 20_000
"""(true caption, foil) pairs that one fit learns from; drawn at random where there are more."""
STRENGTH = 0.3
"""C of the logistic regression, fixed beforehand: no score is looked at to choose it."""


@dataclass(frozen=True, slots=True)
class LengthScorer:
    """Takes the caption with fewer characters for the true one, or the one with more. Nothing is learned."""

    longer: bool = False

    @property
    def name(self) -> str:
        if self.longer:
            return "longer caption"
        return "shorter caption"

    @property
    def fingerprint(self) -> str:
        return f"blind/{self.name}"

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """The signed number of characters of each caption, whatever the image."""
        sign = -1.0
        if self.longer:
            sign = 1.0
        scores_of = [np.array([sign * len(c) for c in item.captions]) for item in pictured.benchmark.items]
        return Scores(self.name, self.fingerprint, _rows(pictured.benchmark, scores_of))


@dataclass(frozen=True, slots=True)
class LearnedScorer:
    """Learns from other items' captions how foils differ from true captions, and never sees an image.

    A logistic regression on true minus foil: words, pairs of words, runs of 2 to 4 letters, and length. Every item is
    scored by a fit on items of other images (5 folds), within each value of the tag that the benchmark averages over,
    if that has `MIN_LEARNING_ITEMS` items.

    It is told which caption of the *other* items is the true one, as no zero-shot model is. So it says how far text
    alone can go on this benchmark, not how a language model would fare that was never shown it.
    """

    seed: int = 0

    @property
    def name(self) -> str:
        return "learned from other captions"

    @property
    def fingerprint(self) -> str:
        return f"blind/{self.name}, C {STRENGTH}, seed {self.seed}"

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """The fitted weight of each caption, whatever the image.

        Args:
            pictured: choices, at least `MIN_LEARNING_ITEMS` of at least `FOLDS` images.
            progress: called as ("learn the foils' habits", done, total).
        """
        benchmark = pictured.benchmark
        folds = _folds(benchmark, self.seed)
        scores_of: list[F64] = [np.empty(0)] * len(benchmark)
        parts = _parts(benchmark)
        for number, part in enumerate(parts):
            for fold in range(FOLDS):
                progress("learn the foils' habits", number * FOLDS + fold, len(parts) * FOLDS)
                train, test = (part[(folds[part] == fold) == held] for held in (False, True))
                if len(test):
                    if len(train) < MIN_LEARNING_ITEMS // 2:  # the part is all of a few images
                        train = np.flatnonzero(folds != fold)
                    rng = np.random.default_rng([self.seed, number, fold])
                    captions = _Weights([benchmark.items[i] for i in train.tolist()], rng)
                    for i, scores in zip(test.tolist(), captions.of([benchmark.items[i] for i in test.tolist()])):
                        scores_of[i] = scores
        progress("learn the foils' habits", 1, 1)
        return Scores(self.name, self.fingerprint, _rows(benchmark, scores_of))


def blind_scorers(benchmark: Benchmark, seed: int = 0) -> tuple[tuple[Scorer, ...], tuple[str, ...]]:
    """The baselines that say something of this benchmark, and notes on those that do not.

    Pairs and queries have none: a scorer that does not look at the image gives both images the same
    score, so it is never right.
    """
    if benchmark.kind == "pairs":
        return (), (
            (
                "A blind baseline does not apply: without looking, two images with the same captions have equal "
                "scores, which counts as wrong."
            ),
        )
    if benchmark.kind == "retrieval":
        return (), ()
    lengths = (LengthScorer(False), LengthScorer(True))
    n_files = len({benchmark.pictures[item.pictures[0]].name for item in benchmark.items})
    if len(benchmark) < MIN_LEARNING_ITEMS or n_files < FOLDS:
        there = f"{len(benchmark):,} of {n_files:,}"
        return lengths, (
            (
                f"The learned blind baseline needs {MIN_LEARNING_ITEMS} items of {FOLDS} images; this benchmark has "
                f"{there}."
            ),
        )
    return (*lengths, LearnedScorer(seed)), ()


class _Weights:
    """What the captions of some items teach: a weight for each feature of a caption."""

    def __init__(self, items: list[Item], rng: np.random.Generator) -> None:
        words = CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=r"\b\w+\b", min_df=2)
        letters = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), binary=True, min_df=3)
        self._readers: list[Any] = []
        captions = [c for item in items for c in item.captions]
        for reader in (words, letters):
            try:
                self._readers.append(reader.fit(captions))
            except ValueError:  # nothing occurs often enough
                continue
        true, foils = _places(items)
        if len(true) > MAX_FOILS:
            drawn = rng.permutation(len(true))[:MAX_FOILS]
            true = true[drawn]
            foils = foils[drawn]
        lengths = _lengths(captions)
        self._scale = np.maximum((lengths[true] - lengths[foils]).std(axis=0), 1.0)
        features = self._features(captions)
        difference = features[true] - features[foils]
        # without intercept: which of the two stands first carries nothing
        both = sparse.vstack([difference, -difference])
        model = LogisticRegression(C=STRENGTH, fit_intercept=False, solver="liblinear", max_iter=300)
        self._weights: F64 = model.fit(both, np.repeat([1, 0], len(true))).coef_[0]

    def of(self, items: list[Item]) -> list[F64]:
        """(T,) for each item."""
        scores = self._features([c for item in items for c in item.captions]) @ self._weights
        return np.split(scores, np.cumsum([len(item.captions) for item in items])[:-1])

    def _features(self, captions: list[str]) -> Any:
        blocks = [reader.transform(captions) for reader in self._readers]
        return sparse.hstack([*blocks, sparse.csr_matrix(_lengths(captions) / self._scale)]).tocsr()


def _lengths(captions: list[str]) -> F64:
    """(m, 3) characters, words and commas."""
    return np.array([[len(c), len(c.split()), c.count(",")] for c in captions], np.float64)


def _places(items: list[Item]) -> tuple[I64, I64]:
    """Of every (true caption, foil): their places among all captions, one item after the other."""
    true: list[int] = []
    foils: list[int] = []
    start = 0
    for item in items:
        fits = true_places(item)
        for at in range(len(item.captions)):
            if at not in fits:
                true += [start + own for own in fits]
                foils += [start + at] * len(fits)
        start += len(item.captions)
    return np.array(true, np.int64), np.array(foils, np.int64)


def _folds(benchmark: Benchmark, seed: int) -> I64:
    """(n,) fold of each item; items of one image are in one fold."""
    names = [benchmark.pictures[item.pictures[0]].name for item in benchmark.items]
    groups = np.unique(names, return_inverse=True)[1]
    n_groups = int(groups.max()) + 1
    return (np.random.default_rng(seed).permutation(n_groups) % FOLDS)[groups].astype(np.int64)


def _parts(benchmark: Benchmark) -> list[I64]:
    """Items that are learned from together: one value of the averaged tag, the small values together, or all items."""
    values = np.array([item.tags.get(benchmark.average, "") for item in benchmark.items], str)
    names, counts = np.unique(values, return_counts=True)
    small = names[counts < MIN_LEARNING_ITEMS]
    rest = np.flatnonzero(np.isin(values, small))
    if len(names) == 1 or 0 < len(rest) < MIN_LEARNING_ITEMS:
        return [np.arange(len(benchmark))]
    large = [np.flatnonzero(values == name) for name in names[counts >= MIN_LEARNING_ITEMS]]
    if len(rest):
        return [*large, rest]
    return large


def _rows(benchmark: Benchmark, scores_of: list[F64]) -> tuple[F64, ...]:
    """(I, T) for each item: the same scores for every image."""
    return tuple(
        np.repeat(scores[None].astype(np.float64), len(item.pictures), axis=0)
        for item, scores in zip(benchmark.items, scores_of)
    )
