"""The report of composition: one HTML file that holds its images and charts, opens offline, and runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.data.inline import InlinePictures
from core.numbers import count, number
from core.records import ItemStore
from core.reports.html.charts import N_CLUSTER_COLOURS
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.systems.composition.records import (
    LOWER_IS_BETTER,
    Benchmark,
    CompositionComparison,
    CompositionResult,
    Metric,
)
from core.systems.composition.reports import charts as charts, wording as sentences
from core.systems.composition.reports.html_tables import by_tag, compared_tables, forgetting_rows
from core.systems.composition.reports.item_cards import MAX_WORST, worst_items
from core.systems.composition.reports.training_curve import training_curve
from core.systems.composition.scoring.signature import Signature, signature_of
from core.systems.composition.templates import TEMPLATES

if TYPE_CHECKING:
    from core.systems.common.epochs import Epoch
    from core.systems.composition.training.forgetting import ForgettingCheck

MAX_PICTURE_BYTES = 5_500_000
"""Bound on all images together, as they stand in the file."""
PICTURE_SIZE = 160
WORST_OF_OTHERS = 6
"""Items shown of each result after the first."""
FIRST_TAGS = 3
"""Breakdowns that are open; the others are folded."""
MAX_NAMED = 50
"""Missing images that are named."""


def render_composition_report(
    results: Sequence[CompositionResult],
    benchmark: Benchmark,
    *,
    store: ItemStore | None = None,
    comparison: CompositionComparison | None = None,
    regression: ForgettingCheck | None = None,
    curve: tuple[Sequence[Epoch], int] | None = None,
) -> str:
    """The report as one HTML document, below about 6 MB of images.

    Args:
        results: of one benchmark; the first is the model that the report is about, the others stand beside it.
        benchmark: that benchmark, as the results were made on it.
        store: `benchmark.pictures`, in that order (`Pictured.store`); None shows items without images.
        comparison: of two of the results.
        regression: what the second model, an adapter, cost.
        curve: its epochs and the number of the one that was kept (`AdapterRecord.curve` and `.best`).
    """
    pictures = InlinePictures(store, MAX_PICTURE_BYTES, PICTURE_SIZE)
    values = figure_values(results, benchmark, comparison) | {
        "figures": _figures(results[0]),
        "worst": _worst(results, benchmark, pictures),
        "pictures_left_out": pictures.left_out,
    }
    training = _training(regression, curve)
    return str(render("composition.html.j2", TEMPLATES, **values, **training, **style()))


def figure_values(
    results: Sequence[CompositionResult], benchmark: Benchmark, comparison: CompositionComparison | None
) -> dict[str, Any]:
    """What `composition_figures.html.j2` and `composition_account.html.j2` ask for, in report and page."""
    return {
        "benchmark": benchmark,
        "first": results[0],
        "models": [(result.name, _colour(at)) for at, result in enumerate(results)],
        "metrics": _metric_rows(results),
        "comparison": comparison,
        "compared": [] if comparison is None else compared_tables(comparison, bars=True),
        "blind": _blind(results),
        "tags": _tags(results),
        "first_tags": FIRST_TAGS,
        **_said(results, benchmark),
        **_account(results, benchmark),
    }


def _worst(
    results: Sequence[CompositionResult], benchmark: Benchmark, pictures: InlinePictures
) -> list[tuple[str, Any]]:
    """(name, items) of each result that has wrong ones, fewer after the first result."""
    worst = [
        (result.name, worst_items(result, benchmark, pictures.address, WORST_OF_OTHERS if at else MAX_WORST))
        for at, result in enumerate(results)
    ]
    return [(name, items) for name, items in worst if items]


def _colour(at: int) -> str:
    return f"cluster-{(at + 1) % N_CLUSTER_COLOURS}"


# ---- figures and metrics


def _figures(result: CompositionResult) -> list[tuple[str, str]]:
    metric = sentences.headline_of(result)
    tied = 0
    if metric is not None:
        tied = metric.ties
    noun = "items"
    if result.kind == "retrieval":
        noun = "queries"
    left = ""
    if result.excluded:
        left = f", {len(result.excluded):,} left out"
    ties = "items decided by a tie, counted as wrong"
    if result.kind == "retrieval":
        ties = "queries with a wrong image at a true one's score"
    shown = [(f"{len(result.ids):,}", f"{noun} scored{left}"), (f"{tied:,}", ties)]
    if metric is not None:
        shown.insert(0, (sentences.figure(metric.key, metric.value.value), f"{metric.title}, 95% {_span(metric)}"))
        shown.insert(1, (sentences.figure(metric.key, metric.chance), "chance"))
    if result.missing:
        shown.append((f"{len(result.missing):,}", f"image{'' if len(result.missing) == 1 else 's'} missing"))
    return shown


def _span(metric: Metric) -> str:
    return sentences.figure_interval(metric.key, metric.value)


def _metric_rows(results: Sequence[CompositionResult]) -> list[dict[str, Any]]:
    """One row for each metric and result, the results of one metric under each other."""
    rows: list[dict[str, Any]] = []
    for key in dict.fromkeys(metric.key for result in results for metric in result.metrics):
        for at, result in enumerate(results):
            metric = sentences.metric_of(result.metrics, key)
            if metric is not None:
                rows.append(_metric_row(metric, result.name, _colour(at), headline=key == result.headline))
    return rows


def _metric_row(metric: Metric, name: str, colour: str, *, headline: bool) -> dict[str, Any]:
    return {
        "title": metric.title,
        "model": name,
        "colour": colour,
        "headline": headline,
        "bar": "" if metric.key in LOWER_IS_BETTER else charts.bars([(metric.value, colour)], metric.chance),
        "value": sentences.figure(metric.key, metric.value.value),
        "span": _span(metric),
        "chance": sentences.figure(metric.key, metric.chance),
        "n": f"{metric.n:,}",
        "ties": f"{metric.ties:,}",
    }


def _blind(results: Sequence[CompositionResult]) -> dict[str, Any] | None:
    """The headline of each baseline that sees no image, beside the first model's own; None without baselines."""
    result = results[0]
    mine = sentences.headline_of(result)
    rows = [(name, metric) for name, metrics in result.blind for metric in metrics if metric.key == result.headline]
    if mine is None or not rows:
        return None
    named = [(result.model, mine, "cluster-1"), *((name, m, "quiet") for name, m in rows)]
    return {
        "says": sentences.blind_sentences(results),
        "rows": [_metric_row(m, name, colour, headline=False) for name, m, colour in named],
    }


def _said(results: Sequence[CompositionResult], benchmark: Benchmark) -> dict[str, Any]:
    """The headline in words, and of pairs how each model is right and wrong."""
    signatures = [(result.name, signature_of(result, benchmark)) for result in results]
    first = signatures[0][1]
    leads = (
        sentences.chance_sentence(results[0]),
        sentences.blind_sentences(results),
        sentences.kinds_sentence(results[0]),
        "" if first is None else first.sentence,
    )
    return {
        "heading": sentences.title_sentence(results[0]),
        "leads": [said for said in leads if said],
        "signatures": [_signature(name, signature) for name, signature in signatures if signature is not None],
        "guessed": charts.guessed_picks(),
    }


def _signature(name: str, signature: Signature) -> dict[str, Any]:
    shares = (
        ("Both captions take the same image", signature.captions.same),
        ("Both images take the same caption", signature.pictures.same),
        ("True matches win without the model's preferences", signature.binding),
    )
    rows = [
        (title, sentences.figure("", share.value), sentences.figure_interval("", share), "50%")
        for title, share in shares
    ]
    return {
        "name": name,
        "verdict": signature.verdict,
        "sentence": signature.sentence,
        "captions": charts.picks_of(signature.captions),
        "pictures": charts.picks_of(signature.pictures),
        "rows": rows,
    }


def _tags(results: Sequence[CompositionResult]) -> list[tuple[str, list[dict[str, Any]]]]:
    """For each tag a row for each value, with one bar for each result."""
    key = results[0].headline
    by_value = by_tag(results)
    metrics = [metric for values in by_value.values() for rows in values.values() for _, metric in rows]
    top = 1.0
    if key in LOWER_IS_BETTER:
        top = max((metric.value.high for metric in metrics), default=1.0)

    def row(value: str, metrics_of: Sequence[tuple[int, Metric]]) -> dict[str, Any]:
        return {
            "value": value,
            "n": f"{max(metric.n for _, metric in metrics_of):,}",
            "bar": charts.bars(
                [(metric.value, _colour(at)) for at, metric in metrics_of], metrics_of[0][1].chance, top
            ),
            "said": [(sentences.figure(key, metric.value.value), _span(metric)) for _, metric in metrics_of],
            "chance": sentences.figure(key, metrics_of[0][1].chance),
        }

    return [(tag, [row(value, metrics_of) for value, metrics_of in values.items()]) for tag, values in by_value.items()]


# ---- a training


def _training(regression: ForgettingCheck | None, curve: tuple[Sequence[Epoch], int] | None) -> dict[str, Any]:
    values: dict[str, Any] = {"regression": regression, "forgotten": [], "reranked": [], "curve": None}
    if regression is not None:
        values["forgotten"] = forgetting_rows(regression.rows, bars=True)
        values["reranked"] = forgetting_rows(regression.reranked, bars=True)
    if curve is not None and curve[0]:
        epochs, best = curve
        values["curve"] = training_curve(epochs, best, losses=True)
        values["curve_says"] = _trained(epochs, best)
    return values


def _trained(epochs: Sequence[Epoch], best: int) -> str:
    best_epoch = next((epoch for epoch in epochs if epoch.number == best), epochs[-1])
    passes = count(max(epoch.number for epoch in epochs), "epoch")
    right = sentences.figure("", best_epoch.validation_accuracy)
    loss = number(best_epoch.validation_loss, 3)
    return f"{passes} of training. Epoch {best} was best: {right} of the validation items right, with a loss of {loss}."


# ---- what else a reader must know


def _account(results: Sequence[CompositionResult], benchmark: Benchmark) -> dict[str, Any]:
    return {
        "left_out": _left_out(results),
        "missing": [*dict.fromkeys(name for result in results for name in result.missing)],
        "most_named": MAX_NAMED,
        "notes": _notes(results),
        "settings": _settings(results, benchmark),
    }


def _left_out(results: Sequence[CompositionResult]) -> list[tuple[str, str, int]]:
    """(result or "", reason, items)."""
    rows = [sentences.reasons_left_out(result) for result in results]
    if all(reasons == rows[0] for reasons in rows):
        return [("", reason, n) for reason, n in rows[0]]
    return [(result.name, reason, n) for result, reasons in zip(results, rows) for reason, n in reasons]


def _notes(results: Sequence[CompositionResult]) -> list[str]:
    """Each note once, with the names of the results where not all have it."""
    notes = [*dict.fromkeys(note for result in results for note in result.notes)]
    if len(results) == 1:
        return notes
    holders = {note: [result.name for result in results if note in result.notes] for note in notes}
    return [note if len(holders[note]) == len(results) else f"{', '.join(holders[note])}: {note}" for note in notes]


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
