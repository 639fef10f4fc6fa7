"""What an adapter cost: the frozen encoder before and the adapted one after, on tasks that it was not trained for.

    labelled images ─► zero-shot accuracy ┐
    captions          ─► retrieval          ├─► paired difference ─► kept, lost, gained or open
    other benchmarks  ─► their headline     ┘

Cola's own adapter brought CLIP from 87 to 83% on CIFAR-10 (Ray et al. 2023, arXiv 2305.03689), so this stands beside
every gain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.errors import InvalidInput
from core.numbers import count
from core.records import F64, I64, Bool, Estimate, ItemStore, Progress, SampleSet, no_progress
from core.statistics.intervals import accuracy_of
from core.statistics.paired import paired_difference, paired_p
from core.systems.composition.records import ALL_ITEMS, LOWER_IS_BETTER, LoadedBenchmark, Scorer, Scores
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.measures import title_of
from core.systems.composition.scoring.run import run_composition
from core.systems.composition.training.forgetting_rows import (
    TASKS,
    ForgettingRow,
    judged,
    reranked_sentence,
    sentence_of,
)
from core.systems.composition.training.reference_tasks import (
    CAPTIONED,
    Captioned,
    captioned_items,
    scene_captions,
    scene_classes,
)
from core.systems.composition.training.reranking import RerankingScorer, ranks, rerank
from core.systems.composition.training.scorers import matrix_of

PROMPT = "a photo of a {}."
LABELLED = 240
"""Images with labels: a module that looks at every pair has 240 x classes and `CAPTIONED` x captions to look at."""
DEPTHS = (1, 5)


@dataclass(frozen=True, slots=True, eq=False)
class ForgettingCheck:
    """What the adaptation cost, task by task."""

    before: str
    after: str
    rows: tuple[ForgettingRow, ...]
    reranked: tuple[ForgettingRow, ...]
    """Retrieval and the other benchmarks with the adapter as a re-ranker (`training.reranking`); zero-shot is then the
    frozen encoder's."""
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole in a few sentences."""
        return sentence_of(self.rows) + reranked_sentence(self.rows, self.reranked)


def check_regression(
    before: Scorer,
    after: Scorer,
    *,
    labelled: SampleSet | None = None,
    retrieval: LoadedBenchmark | None = None,
    benchmarks: Sequence[LoadedBenchmark] = (),
    weight: float = 1.0,
    cache: Path | None = None,
    progress: Progress = no_progress,
    seed: int = 0,
) -> ForgettingCheck:
    """The frozen encoder of an adapter and the adapted one on what they should both still be able to do.

    Args:
        before, after: each an `EncoderScorer`, or with a method `matrix` like `AdaptedScorer`'s.
        labelled: images with labels for zero-shot; by default the scenes that come along. At most `LABELLED` of them,
            drawn by `seed`.
        retrieval: images with captions; by default the same scenes with theirs. At most `CAPTIONED` images, drawn
            by `seed`.
        benchmarks: other benchmarks of composition, by their headline.
        weight: of the adapted one where it only re-ranks.
        cache: where vectors and tokens are kept between runs.
        progress: steps of the scorers; may raise `Cancelled`.

    Raises:
        InvalidInput: `labelled` has no images, no labels or one class only, or no image can be read.
        Cancelled: from `progress`.
    """

    def both(images: ItemStore, texts: Sequence[str]) -> tuple[F64, F64]:
        matrices = [_matrix(scorer, images, texts, cache, progress) for scorer in (before, after)]
        return matrices[0], matrices[1]

    notes: list[str] = []
    rows = [_zero_shot(labelled or scene_classes(LABELLED, seed, progress), both, notes, seed)]
    captioned = (
        scene_captions(CAPTIONED, seed, progress) if retrieval is None else captioned_items(retrieval, CAPTIONED, seed)
    )
    searched, reranked = _searched(captioned, both, weight, notes, seed)
    rows += searched
    for benchmark in benchmarks:
        known = [_Known(scorer.score(benchmark, cache=cache, progress=progress)) for scorer in (before, after)]
        rows.append(_benchmark(benchmark, known[0], known[1], notes, seed))
        reranked.append(_benchmark(benchmark, known[0], RerankingScorer(known[0], known[1], weight=weight), [], seed))
    return ForgettingCheck(before.name, after.name, judged(rows), judged(reranked), tuple(dict.fromkeys(notes)))


def _matrix(scorer: Any, images: ItemStore, texts: Sequence[str], cache: Path | None, progress: Progress) -> F64:
    if isinstance(scorer, EncoderScorer):
        return matrix_of(scorer, images, texts, cache=cache, progress=progress)
    return cast(F64, scorer.matrix(images, texts, cache=cache, progress=progress))


Both = Callable[[ItemStore, Sequence[str]], tuple[F64, F64]]
"""both(images, texts): (n, m) scores before and after; nan where an image cannot be read."""


def _zero_shot(labelled: SampleSet, both: Both, notes: list[str], seed: int) -> ForgettingRow:
    if labelled.items is None or labelled.labels is None or len(labelled.class_names) < 2:
        raise InvalidInput(
            f"Zero-shot needs images with labels of at least two classes, which {labelled.name} lacks. Add "
            "them, or leave the data out."
        )
    known = np.flatnonzero(labelled.labels >= 0)
    drawn = known if len(known) <= LABELLED else np.sort(np.random.default_rng(seed).permutation(known)[:LABELLED])
    asked = labelled.keep(drawn)
    assert asked.items is not None
    assert asked.labels is not None
    scores = both(asked.items, [PROMPT.format(name.replace("_", " ")) for name in asked.class_names])
    seen = _seen(scores, notes)
    right = [_top(matrix[seen], asked.labels[seen]) for matrix in scores]
    groups = None
    if asked.groups is not None:
        groups = asked.groups[seen]
    data = f"{count(len(seen), 'image')} of {labelled.name} in {len(labelled.class_names):,} classes"
    return _row(TASKS[0], data, "accuracy", (right[0], right[1]), groups, seed)


def _top(scores: F64, labels: I64) -> Bool:
    """(n,) whether the label's score is strictly the highest."""
    mine = np.take_along_axis(scores, labels[:, None], axis=1)
    return (scores >= mine).sum(axis=1) == 1


def _searched(
    captioned: Captioned, both: Both, weight: float, notes: list[str], seed: int
) -> tuple[list[ForgettingRow], list[ForgettingRow]]:
    """Rows of both directions, and the same with the adapter as a re-ranker."""
    scores = both(captioned.images, captioned.captions)
    seen = _seen(scores, notes)
    true = captioned.true[seen]
    asked = true.any(axis=0)  # captions of an image that could be read
    before = scores[0][seen][:, asked]
    after = scores[1][seen][:, asked]
    true = true[:, asked]
    notes += captioned.notes
    plain = list[ForgettingRow]()
    mixed = list[ForgettingRow]()
    sides = ((TASKS[1], "image", before, after, true), (TASKS[2], "caption", before.T, after.T, true.T))
    for way, noun, first, second, right in sides:
        data = f"{count(len(first), noun)} of {captioned.name}"
        base = ranks(first, right)
        for rank, rows in ((ranks(second, right), plain), (ranks(rerank(first, second, weight=weight), right), mixed)):
            rows += [_row(way, data, f"recall at {k}", (base <= k, rank <= k), None, seed) for k in DEPTHS]
    return plain, mixed


def _seen(scores: tuple[F64, F64], notes: list[str]) -> I64:
    """Rows that both could score."""
    fine = np.isfinite(scores[0].sum(axis=1) + scores[1].sum(axis=1))
    if not fine.any():
        raise InvalidInput(
            "Both models could score none of the images of the regression check. Use images that can be read."
        )
    if n := int((~fine).sum()):
        notes.append(
            f"{count(n, 'image')} of {len(fine):,} could not be read and {'is' if n == 1 else 'are'} "
            "left out of the check."
        )
    return np.flatnonzero(fine).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Scores that were made before, as a `Scorer`."""

    scores: Scores

    @property
    def name(self) -> str:
        return self.scores.model

    @property
    def fingerprint(self) -> str:
        return self.scores.fingerprint

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        return self.scores


def _benchmark(pictured: LoadedBenchmark, before: Scorer, after: Scorer, notes: list[str], seed: int) -> ForgettingRow:
    sides = [
        run_composition(pictured, scorer, name=name, blind=False, seed=seed)
        for scorer, name in ((before, "before"), (after, "after"))
    ]
    compared = compare_results(sides[0], sides[1], seed=seed, by_tag=False)
    row = next(row for row in compared.rows if row.key == sides[0].headline and row.scope == ALL_ITEMS)
    notes += [note for note in sides[1].notes if note not in sides[0].notes] + [*compared.notes]
    sign = 1.0
    if row.key in LOWER_IS_BETTER:
        sign = -1.0
    low, high = sorted((sign * row.difference.low, sign * row.difference.high))
    better = Estimate(sign * row.difference.value, low, high)
    title = title_of(row.key, [metric.key for metric in sides[0].metrics]).split(" (")[0]
    data = count(row.n, "item")
    metric = title[0].lower() + title[1:]
    only = row.only_a, row.only_b
    return ForgettingRow(pictured.benchmark.title, data, metric, row.n, row.a, row.b, better, row.p, *only, "open")


def _row(task: str, data: str, metric: str, right: tuple[Bool, Bool], groups: I64 | None, seed: int) -> ForgettingRow:
    """What was right before and after, compared."""
    before, after = right
    shares = [accuracy_of(~side, groups) for side in right]
    difference = paired_difference(~before, ~after, groups)
    p = paired_p(~before, ~after, groups, seed=seed)
    only = int((before & ~after).sum()), int((after & ~before).sum())
    return ForgettingRow(task, data, metric, len(before), shares[0], shares[1], difference, p, *only, "open")
