"""Run a scorer on a benchmark whose images were found: scores, figures with intervals, baselines that see no image,
and what was left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.numbers import with_interval
from core.options import read_name
from core.records import F32, I64, Bool, Progress, no_progress
from core.systems.composition.readers.builder import counted, retrieval_fault
from core.systems.composition.records import (
    Benchmark,
    CompositionResult,
    Item,
    LoadedBenchmark,
    Metric,
    Scorer,
    Scores,
    distinct_captions,
)
from core.systems.composition.scoring.blind import blind_scorers
from core.systems.composition.scoring.encoder import cosines
from core.systems.composition.scoring.judging import (
    BOTH,
    Judged,
    hard_pictures,
    judge,
    readable,
    true_places,
    with_text_only,
)
from core.systems.composition.scoring.measures import by_tag, metrics_of, picture_groups, tags_of
from core.systems.composition.scoring.published import figures_for

TAUGHT = "the adapter learned from it"
WHOLE = 0.9
"""Share of a benchmark's items from which its published figures are shown beside the result."""


def run_composition(
    pictured: LoadedBenchmark,
    scorer: Scorer,
    *,
    name: str = "",
    cache: Path | None = None,
    progress: Progress = no_progress,
    blind: bool = True,
    seed: int = 0,
) -> CompositionResult:
    """How well a model tells which images and captions of a benchmark belong together.

    Args:
        scorer: `EncoderScorer(load_encoder(...))`, an adapted encoder, or anything else that gives (I, T) scores.
        name: what the result is called; by default the benchmark and the model.
        cache: folder where vectors are kept between runs.
        blind: also score baselines that never see an image, where the benchmark's form lets them be right.
        seed: of the intervals and of the folds of the learned baseline.

    Returns:
        The result, of items that the model did not learn from where there are such. An item of pairs or choices with an
        image that cannot be read is excluded with the reason; a query
        is ranked without that image, and excluded only if nothing is left to rank.

    Raises:
        InvalidInput: no image could be read, no item is left, or a score is not finite.
        Cancelled: from `progress`.
    """
    label = read_name(name)
    started = time.process_time()
    benchmark = pictured.benchmark
    scores = scorer.score(pictured, cache=cache, progress=progress)
    if len(scores.matrices) != len(benchmark):
        raise InvalidInput(
            f"{scorer.name} scored {len(scores.matrices):,} of the {len(benchmark):,} items of "
            f"{benchmark.title}. Score each one."
        )
    usable, rows, lost = _usable(benchmark, scores)
    usable, rows, learned, taught = _unseen(usable, rows, scores, seed)
    unread = lost
    lost = (*lost, *learned)
    judged = judge(usable, tuple(scores.matrices[row] for row in rows.tolist()), frozenset(scores.unreadable))
    texts = _text_side(scorer, benchmark, rows, cache, progress)
    if texts is not None and benchmark.headline == BOTH:
        judged = with_text_only(judged, usable, texts)
    groups, shared = picture_groups(usable.items, usable.pictures)
    published, fragment = _published(usable, judged, len(benchmark.excluded) + len(lost))
    baselines, blind_notes = _blind(replace(pictured, benchmark=usable), groups, progress, seed) if blind else ((), ())
    notes = (
        *benchmark.notes,
        *scores.notes,
        taught,
        *_lost_notes(benchmark, scores, unread),
        shared,
        *blind_notes,
        fragment,
    )
    progress("measure", 0, 1)
    result = replace(
        _measured(usable, scores, rows, judged, groups, seed),
        name=label or f"{benchmark.name}, {scores.model}",
        blind=baselines,
        foil_similarity=None if texts is None else np.array([_nearest(i, v) for i, v in zip(usable.items, texts)]),
        missing=pictured.missing,
        excluded=(*benchmark.excluded, *lost),
        notes=tuple(dict.fromkeys(filter(None, notes))),
        published=published,
        seconds=time.process_time() - started,
    )
    progress("measure", 1, 1)
    return result


def _measured(
    usable: Benchmark, scores: Scores, rows: I64, judged: Judged, groups: I64 | None, seed: int
) -> CompositionResult:
    """The figures of the items that could be scored, without a name and what else is said of them."""
    tags = tags_of(usable.items)
    average = usable.average
    return CompositionResult(
        "",
        usable.name,
        usable.title,
        usable.kind,
        scores.model,
        scores.fingerprint,
        usable.headline,
        metrics=metrics_of(judged, groups, strata=tags.get(average), seed=seed),
        by_tag=by_tag(judged, tags, groups, average=average, seed=seed),
        blind=(),
        ids=tuple(item.id for item in usable.items),
        correct=judged.correct,
        margin=judged.margin,
        tied=judged.tied,
        matrices=tuple(scores.matrices[row] for row in rows.tolist()),
        source=usable.source,
        values=judged.values,
        tags=tags,
        groups=groups,
        average=average,
    )


def _published(usable: Benchmark, judged: Judged, n_excluded: int) -> tuple[tuple[str, ...], str]:
    """The papers' figures for these metrics; none, and what is then said, where too few of the items are scored."""
    figures = [f for f in figures_for(usable) if f.metric in (*judged.correct, *judged.values)]
    n = len(usable) + n_excluded
    if not figures or len(usable) >= WHOLE * n:
        return tuple(figure.sentence for figure in figures), ""
    return (), (
        f"Published figures are not shown: they cover all {n:,} items, and only {len(usable):,} are scored. Add "
        "the missing images."
    )


def _usable(benchmark: Benchmark, scores: Scores) -> tuple[Benchmark, I64, tuple[tuple[str, str], ...]]:
    """The benchmark without items that could not be scored, their places among all, and (id, reason) of the others."""
    unreadable = frozenset(scores.unreadable)
    rows = list[int]()
    lost = list[tuple[str, str]]()
    for row, item in enumerate(benchmark.items):
        seen = readable(item, unreadable)
        if seen.all():
            reason = ""
        elif benchmark.kind == "retrieval":
            reason = _unranked(item, seen)
        else:
            reason = f"an image cannot be read: {scores.unreadable[item.pictures[int(np.argmin(seen))]]}"
        if reason:
            lost.append((item.id, reason))
        else:
            rows.append(row)
    if not rows:
        why = lost[0][1] if lost else benchmark.excluded[0][1] if benchmark.excluded else "it has none"
        raise InvalidInput(
            f"No item of {benchmark.title} can be scored. The first: {why}. Add images that can be read."
        )
    return replace(benchmark, items=tuple(benchmark.items[row] for row in rows)), np.array(rows, np.int64), tuple(lost)


def _unseen(
    usable: Benchmark, rows: I64, scores: Scores, seed: int
) -> tuple[Benchmark, I64, tuple[tuple[str, str], ...], str]:
    """The items that the model did not learn from, their places among all, (id, reason) of the others, and a note that
    gives the headline on all of them; everything as it was where it learned from none, or from all."""
    seen = [row in scores.taught for row in rows.tolist()]
    n = sum(seen)
    N = len(seen)
    if not n:
        return usable, rows, (), ""
    which = f"{n:,} of {N:,} items were in this adapter's training. On those it shows memory, not skill"
    if n == N:
        return usable, rows, (), f"{which}. All its figures come from them."
    groups, _ = picture_groups(usable.items, usable.pictures)
    judged = judge(usable, tuple(scores.matrices[row] for row in rows.tolist()), frozenset(scores.unreadable))
    strata = tags_of(usable.items).get(usable.average)
    headline = next((m for m in metrics_of(judged, groups, strata=strata, seed=seed) if m.key == usable.headline), None)
    whole = ""
    if headline is not None:
        whole = f" On all {N:,}: {headline.title}, {with_interval(headline.value, share=True)}."
    learned = tuple((item.id, TAUGHT) for item, one in zip(usable.items, seen) if one)
    items = tuple(item for item, one in zip(usable.items, seen) if not one)
    return replace(usable, items=items), rows[~np.array(seen)], learned, f"{which}, so they are left out.{whole}"


def _unranked(item: Item, seen: Bool) -> str:
    """Why a query cannot be ranked without the images that could not be read, or ""."""
    match = [pair for pair in item.match if seen[pair[0]]]
    fault = retrieval_fault(match, None if item.hard is None else hard_pictures(item, seen), int(seen.sum()))
    return fault and f"{fault}, without the unreadable images"


def _lost_notes(benchmark: Benchmark, scores: Scores, lost: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What became of images that could not be read."""
    if not scores.unreadable:
        return ()
    first = next(iter(scores.unreadable.values()))
    n = len(scores.unreadable)
    which = "1 image"
    if n != 1:
        which = f"{n:,} images"
    what = "All items remain."
    if lost:
        what = "Left out: " + "; ".join(counted(lost)) + "."
    ranked = ""
    if benchmark.kind == "retrieval":
        ranked = " Queries are ranked without it."
    return (f"{which} could not be read, such as {first}{ranked} {what}",)


def _blind(
    pictured: LoadedBenchmark, groups: I64 | None, progress: Progress, seed: int
) -> tuple[tuple[tuple[str, tuple[Metric, ...]], ...], tuple[str, ...]]:
    """(name, metrics) of each baseline that sees no image, and notes."""
    scorers, notes = blind_scorers(pictured.benchmark, seed)
    strata = tags_of(pictured.benchmark.items).get(pictured.benchmark.average)
    baselines: list[tuple[str, tuple[Metric, ...]]] = []
    for scorer in scorers:
        judged = judge(pictured.benchmark, scorer.score(pictured, progress=progress).matrices)
        baselines.append((scorer.name, metrics_of(judged, groups, strata=strata, seed=seed)))
    return tuple(baselines), notes


def _text_side(
    scorer: Scorer, benchmark: Benchmark, rows: I64, cache: Path | None, progress: Progress
) -> list[F32] | None:
    """(T, d) unit rows of each item's captions; None without a text side, or without foils."""
    read: Any = getattr(scorer, "read_captions", None)
    if benchmark.kind == "retrieval" or read is None:
        return None
    texts = distinct_captions(benchmark.items)  # all of them, as they were read for the scores
    vectors = read(texts.captions, cache=cache, progress=progress)
    return [vectors[texts.at[row]] for row in rows.tolist()]


def _nearest(item: Item, vectors: F32) -> float:
    """Cosine of an item's caption with its nearest foil; of pairs with the other caption."""
    places = true_places(item)
    first = places[0]
    others = places if len(item.pictures) == 1 else places[:1]
    return float(cosines(vectors[first : first + 1], np.delete(vectors, others, axis=0)).max())
