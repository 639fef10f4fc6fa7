"""The report of composition: one HTML file that holds its pictures and charts, opens offline, and runs no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.composition.scoring.compare import ALL
from core.composition.scoring.measures import title_of
from core.composition.scoring.signature import Signature, signature_of
from core.data.images.inline import InlinePictures
from core.errors import InvalidInput
from core.files import write_text
from core.numbers import count, number, p_value, percent
from core.records import (
    Benchmark,
    ComparedMetric,
    CompositionComparison,
    CompositionResult,
    Estimate,
    ItemStore,
    Metric,
)
from core.reports.html import composition_charts as charts
from core.reports.html.charts import N_CLUSTER_COLOURS
from core.reports.html.diagnosis import style
from core.reports.html.intervals import interval_bar, interval_range
from core.reports.html.render import render
from core.reports.html.worst_items import WORST, worst_items
from core.reports.wording import composition as sentences

if TYPE_CHECKING:
    from core.training.forgetting import ForgettingCheck
    from core.training.forgetting_rows import ForgettingRow

MAX_PICTURE_BYTES = 5_500_000
"""Bound on all pictures together, as they stand in the file."""
PICTURE_SIZE = 160
WORST_OF_OTHERS = 6
"""Items shown of each result after the first."""
FIRST_TAGS = 3
"""Breakdowns that are open; the others are folded."""
MAX_NAMED = 50
"""Missing pictures that are named."""


def write_composition_report(
    results: Sequence[CompositionResult],
    benchmark: Benchmark,
    path: Path,
    *,
    store: ItemStore | None = None,
    comparison: CompositionComparison | None = None,
    regression: ForgettingCheck | None = None,
    curve: tuple[Sequence[charts.TrainingEpoch], int] | None = None,
) -> None:
    """Write the report to `path`, whole or not at all. Arguments and errors as of `render_composition_report`."""
    write_text(
        path,
        render_composition_report(
            results, benchmark, store=store, comparison=comparison, regression=regression, curve=curve
        ),
    )


def render_composition_report(
    results: Sequence[CompositionResult],
    benchmark: Benchmark,
    *,
    store: ItemStore | None = None,
    comparison: CompositionComparison | None = None,
    regression: ForgettingCheck | None = None,
    curve: tuple[Sequence[charts.TrainingEpoch], int] | None = None,
) -> str:
    """The report as one HTML document, below about 6 MB of pictures.

    Args:
        results: of one benchmark; the first is the model that the report is about, the others stand beside it.
        benchmark: that benchmark, as the results were made on it.
        store: `benchmark.pictures`, in that order (`Pictured.store`); None shows items without pictures.
        comparison: of two of the results.
        regression: what the second model, an adapter, cost.
        curve: its epochs and the number of the one that was kept (`AdapterRecord.curve` and `.best`).

    Raises:
        InvalidInput: there is no result, one is of another benchmark, or the store has another number of pictures.
    """
    _check(results, benchmark, store)
    pictures = InlinePictures(store, MAX_PICTURE_BYTES, PICTURE_SIZE)
    signatures = [signature_of(result, benchmark) for result in results]
    first = results[0]
    worst = [
        {
            "name": result.name,
            "items": worst_items(result, benchmark, pictures, WORST if result is first else WORST_OF_OTHERS),
        }
        for result in results
    ]
    return str(
        render(
            "composition.html.j2",
            benchmark=benchmark,
            first=first,
            heading=sentences.title_sentence(first),
            leads=[sentences.chance_sentence(first), *([] if signatures[0] is None else [signatures[0].sentence])],
            figures=_figures(first),
            models=[(result.name, result.model, _colour(at)) for at, result in enumerate(results)],
            metrics=_metric_rows(results),
            comparison=None if comparison is None else _comparison(comparison),
            signatures=[_signature(result, found) for result, found in zip(results, signatures) if found is not None],
            guessed=charts.guessed_picks(),
            blind=_blind(first),
            tags=_tags(results),
            first_tags=FIRST_TAGS,
            worst=worst,
            bare=store is None,
            pictures_left_out=pictures.left_out,
            regression=None if regression is None else _regression(regression),
            curve=None if curve is None or not curve[0] else _curve(*curve),
            left_out=_left_out(results),
            missing=[*dict.fromkeys(name for result in results for name in result.missing)],
            most_named=MAX_NAMED,
            notes=_notes(results),
            settings=_settings(results, benchmark),
            **style(),
        )
    )


def _check(results: Sequence[CompositionResult], benchmark: Benchmark, store: ItemStore | None) -> None:
    if not results:
        raise InvalidInput("A report of composition needs at least one result. Run a model on the benchmark first.")
    known = {item.id for item in benchmark.items}
    for result in results:
        if result.benchmark != benchmark.name or not known.issuperset(result.ids):
            raise InvalidInput(
                f"{result.name!r} is of {result.title}, not of {benchmark.title}. "
                "Give the benchmark that the result was made on."
            )
    if store is not None and len(store) != len(benchmark.pictures):
        raise InvalidInput(
            f"{benchmark.title} has {len(benchmark.pictures):,} pictures and the store {len(store):,}. "
            "Give the store of `Pictured`."
        )


def _colour(at: int) -> str:
    return f"cluster-{(at + 1) % N_CLUSTER_COLOURS}"


# ---- figures and metrics


def _figures(result: CompositionResult) -> list[tuple[str, str]]:
    metric = sentences.headline_of(result)
    tied = 0 if metric is None else metric.ties
    noun = "queries" if result.kind == "retrieval" else "items"
    left = f", {len(result.excluded):,} left out" if result.excluded else ""
    ties = (
        "queries with a wrong picture at a true one's score"
        if result.kind == "retrieval"
        else "items decided by a tie, counted as wrong"
    )
    shown = [(f"{len(result.ids):,}", f"{noun} scored{left}"), (f"{tied:,}", ties)]
    if metric is not None:
        shown.insert(
            0, (sentences.figure(metric.key, metric.value.value), f"{metric.title}, 95\u202f% {_span(metric)}")
        )
        shown.insert(1, (sentences.figure(metric.key, metric.chance), "chance"))
    if result.missing:
        shown.append((f"{len(result.missing):,}", f"picture{'' if len(result.missing) == 1 else 's'} missing"))
    return shown


def _span(metric: Metric) -> str:
    return sentences.figure_interval(metric.key, metric.value)


def _metric_rows(results: Sequence[CompositionResult]) -> list[dict[str, Any]]:
    """One row for each metric and result, the results of one metric under each other."""
    rows: list[dict[str, Any]] = []
    for key in dict.fromkeys(metric.key for result in results for metric in result.metrics):
        for at, result in enumerate(results):
            metric = next((m for m in result.metrics if m.key == key), None)
            if metric is not None:
                rows.append(_metric_row(metric, result.name, _colour(at), headline=key == result.headline))
    return rows


def _metric_row(metric: Metric, name: str, colour: str, *, headline: bool) -> dict[str, Any]:
    rank = metric.key == "mean rank"
    return {
        "title": metric.title,
        "model": name,
        "colour": colour,
        "headline": headline,
        "bar": "" if rank else charts.bars([(metric.value, colour)], metric.chance),
        "value": sentences.figure(metric.key, metric.value.value),
        "span": _span(metric),
        "chance": sentences.figure(metric.key, metric.chance),
        "n": f"{metric.n:,}",
        "ties": f"{metric.ties:,}",
    }


def _blind(result: CompositionResult) -> dict[str, Any] | None:
    """The headline of each baseline that sees no picture, beside the model's own; None where there is none."""
    mine = sentences.headline_of(result)
    rows = [(name, metric) for name, metrics in result.blind for metric in metrics if metric.key == result.headline]
    if mine is None or not rows:
        return None
    best, metric = max(rows, key=lambda row: row[1].value.value)
    reached = sentences.figure(metric.key, metric.value.value)
    if mine.value.low > metric.value.value:
        says = f"{result.model} is above what text alone reaches here ({best}: {reached})."
    else:
        says = (
            f"Text alone reaches {reached} ({best}): this benchmark does not show that {result.model} "
            "looks at the picture."
        )
    named = [(result.model, mine, "cluster-1"), *((name, m, "quiet") for name, m in rows)]
    return {"says": says, "rows": [_metric_row(m, name, colour, headline=False) for name, m, colour in named]}


def _signature(result: CompositionResult, found: Signature) -> dict[str, Any]:
    return {
        "name": result.name,
        "verdict": found.verdict,
        "sentence": found.sentence,
        "captions": charts.picks_of(found.captions),
        "pictures": charts.picks_of(found.pictures),
        "binding": interval_bar(found.binding, 0.0, 1.0, "cluster-1"),
        "rows": [
            ("Both captions take the same picture", *_said(found.captions.same), "50\u202f%"),
            ("Both pictures take the same caption", *_said(found.pictures.same), "50\u202f%"),
            ("True matches win once likings are taken out", *_said(found.binding), "50\u202f%"),
        ],
    }


def _said(share: Estimate) -> tuple[str, str]:
    return sentences.figure("", share.value), sentences.figure_interval("", share)


def _tags(results: Sequence[CompositionResult]) -> list[dict[str, Any]]:
    """For each tag a row for each value, with one bar for each result."""
    key = results[0].headline
    top = (
        1.0
        if key != "mean rank"
        else max((m.value.high for r in results for t in r.by_tag for m in t.metrics if m.key == key), default=1.0)
    )
    found: dict[str, dict[str, list[tuple[int, Metric]]]] = {}
    for at, result in enumerate(results):
        for entry in result.by_tag:
            for metric in entry.metrics:
                if metric.key == key:
                    found.setdefault(entry.tag, {}).setdefault(entry.value, []).append((at, metric))
    return [
        {
            "tag": tag,
            "rows": [
                {
                    "value": value,
                    "n": f"{max(metric.n for _, metric in own):,}",
                    "bar": charts.bars([(metric.value, _colour(at)) for at, metric in own], own[0][1].chance, top),
                    "said": [(sentences.figure(key, metric.value.value), _span(metric)) for _, metric in own],
                    "chance": sentences.figure(key, own[0][1].chance),
                }
                for value, own in values.items()
            ],
        }
        for tag, values in found.items()
    ]


# ---- two models


def _comparison(found: CompositionComparison) -> dict[str, Any]:
    keys = [row.key for row in found.rows]
    span = interval_range([row.difference for row in found.rows if row.scope == ALL and row.key != "mean rank"])
    return {
        "a": found.a,
        "b": found.b,
        "rows": [_compared(row, keys, span) for row in found.rows if row.scope == ALL],
        "by_tag": [_compared(row, keys, (-1.0, 1.0)) for row in found.rows if row.scope != ALL],
        "notes": found.notes,
    }


def _compared(row: ComparedMetric, keys: Sequence[str], span: tuple[float, float]) -> dict[str, Any]:
    clear = row.p < 0.05
    return {
        "title": title_of(row.key, keys),
        "scope": row.scope,
        "n": f"{row.n:,}",
        "a": sentences.figure(row.key, row.a.value),
        "b": sentences.figure(row.key, row.b.value),
        "bar": None
        if row.key == "mean rank"
        else interval_bar(row.difference, *span, "cluster-2" if clear else "quiet"),
        "difference": sentences.difference(row.key, row.difference.value),
        "span": f"{sentences.difference(row.key, row.difference.low)} to "
        f"{sentences.difference(row.key, row.difference.high)}",
        "only_a": f"{row.only_a:,}",
        "only_b": f"{row.only_b:,}",
        "p": p_value(row.p),
        "clear": clear,
    }


def _regression(found: ForgettingCheck) -> dict[str, Any]:
    span = interval_range([row.difference for row in (*found.rows, *found.reranked)])
    rows, reranked = ([_regressed(row, span) for row in part] for part in (found.rows, found.reranked))
    return {
        "sentence": found.sentence,
        "before": found.before,
        "after": found.after,
        "rows": rows,
        "reranked": reranked,
        "notes": found.notes,
    }


def _regressed(row: ForgettingRow, span: tuple[float, float]) -> dict[str, Any]:
    return {
        "task": row.task,
        "data": row.data,
        "metric": row.metric,
        "before": percent(row.before.value),
        "after": percent(row.after.value),
        "bar": interval_bar(
            row.difference, *span, {"lost": "cluster-0", "gained": "cluster-2"}.get(row.verdict, "quiet")
        ),
        "difference": sentences.difference("", row.difference.value),
        "span": f"{sentences.difference('', row.difference.low)} to {sentences.difference('', row.difference.high)}",
        "p": p_value(row.p),
        "verdict": row.verdict,
    }


def _curve(epochs: Sequence[charts.TrainingEpoch], best: int) -> dict[str, Any]:
    kept = next((epoch for epoch in epochs if epoch.number == best), epochs[-1])
    passes = count(max(epoch.number for epoch in epochs), "epoch")
    right, loss = sentences.figure("", kept.validation_accuracy), number(kept.validation_loss, 3)
    says = (
        f"{passes} of training; epoch {best} was kept, with {right} of the validation items right and a "
        f"loss of {loss} on them."
    )
    return {"chart": charts.training_curve(epochs, best), "says": says}


# ---- what else a reader must know


def _left_out(results: Sequence[CompositionResult]) -> list[tuple[str, str, int]]:
    """(result or "", reason, items); a reason is what stands before its example."""
    counts = [Counter(reason.split(": ")[0] for _, reason in result.excluded) for result in results]
    if all(one == counts[0] for one in counts):
        return [("", reason, n) for reason, n in counts[0].most_common()]
    return [(result.name, reason, n) for result, one in zip(results, counts) for reason, n in one.most_common()]


def _notes(results: Sequence[CompositionResult]) -> list[str]:
    """Each note once, with the names of the results where not all have it."""
    said = [*dict.fromkeys(note for result in results for note in result.notes)]
    if len(results) == 1:
        return said
    holders = {note: [result.name for result in results if note in result.notes] for note in said}
    return [note if len(holders[note]) == len(results) else f"{', '.join(holders[note])}: {note}" for note in said]


def _settings(results: Sequence[CompositionResult], benchmark: Benchmark) -> list[tuple[str, str]]:
    rows = [("benchmark", f"{benchmark.title} ({benchmark.name}), {benchmark.kind}"), ("headline", benchmark.headline)]
    if benchmark.source:
        rows.append(("source", benchmark.source))
    for result in results:
        rows += [
            (result.name, f"{result.model}, {number(result.seconds, 1)} CPU s"),
            ("fingerprint", result.fingerprint),
        ]
    return rows
