"""A result of composition as markup: the headline, every metric, kinds of item, what the literature reports, what was
left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.numbers import bracketed, count, number, percent
from core.records import CompositionComparison, CompositionResult, Estimate, Metric
from webapp.compose.markup import AS_IT_IS, drawn, figure, tabs, with_interval
from webapp.compose.versus import comparison_view, difference
from webapp.markup.html import esc
from webapp.markup.shares import ALPHA
from webapp.markup.whiskers import Mark, chart

NOUNS = {"pairs": "item", "choice": "item", "retrieval": "query"}


def result_view(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str] = ()
) -> str:
    """One or two results on a benchmark: headline, then the panels.

    Args:
        habits: how each model is right and wrong on pairs, a sentence each; "" where that is not known.
    """
    panels = [("kinds", "By kind of item", kinds_view(results)), ("metrics", "All metrics", metrics_view(results))]
    if comparison is not None:
        panels.insert(0, ("versus", "Against each other", comparison_view(comparison)))
    panels += [
        ("published", "Published figures", published_view(results[0])),
        ("left", "Left out and notes", left_out_view(results)),
    ]
    return headline_view(results, comparison, habits) + tabs("compose", "Views of the result", panels)


def headline_metric(result: CompositionResult) -> Metric:
    """The metric that the benchmark is known by."""
    return next((m for m in result.metrics if m.key == result.headline), result.metrics[0])


def headline_view(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str] = ()
) -> str:
    """The headline of each model with its interval, beside chance and what no picture is needed for."""
    first = results[0]
    mine = headline_metric(first)
    noun = NOUNS[first.kind]
    ties = sum(headline_metric(r).ties for r in results)
    tied = f" {count(ties, 'tie')} counted as wrong." if ties else " No ties."
    return (
        '<article class="answer probe-head compose-head"><header><h2 tabindex="-1" '
        f'class="pane-title">{esc(first.title)}: '
        f"{figure(mine.key, mine.value.value)} <small>{bracketed(mine.value, share=mine.key not in AS_IT_IS)}, "
        f"{esc(first.name)}, {_queries(len(first.ids), noun)}</small></h2></header>"
        f'<p class="said">{esc(mine.title)}. '
        f"{esc(_verdict(results, comparison))}{tied}</p>{_habits(results, habits)}{_chart(results)}"
        f'<p class="muted small-note">{esc(_cost(results))}</p></article>'
    )


def _habits(results: Sequence[CompositionResult], habits: Sequence[str]) -> str:
    named = len(results) > 1
    lines = [
        f"<li>{f'<b>{esc(r.name)}</b>: ' if named else ''}{esc(habit)}</li>"
        for r, habit in zip(results, habits)
        if habit
    ]
    return f'<ul class="compose-list habits">{"".join(lines)}</ul>' if lines else ""


def _queries(n: int, noun: str) -> str:
    return f"{n:,} queries" if noun == "query" and n != 1 else count(n, noun)


def _verdict(results: Sequence[CompositionResult], comparison: CompositionComparison | None) -> str:
    """What the headline means (plain text)."""
    mine = headline_metric(results[0])
    if comparison is not None and (row := next((r for r in comparison.rows if r.key == mine.key), None)) is not None:
        gap = difference(row)
        word = "no clear difference" if row.p > ALPHA else "a clear difference"
        name = results[1].name
        return (
            f"{name}: {gap}, {word}. It is right on {count(row.only_b, 'item')} that {results[0].name} is not, "
            f"and the other way on {row.only_a:,}."
        )
    if mine.chance is None:
        return ""
    chance = percent(mine.chance)
    if mine.value.high < mine.chance:
        return f"Below chance ({chance}): that is a habit and no guess."
    if mine.value.low > mine.chance:
        return f"Above chance ({chance})."
    return f"Not told apart from chance ({chance})."


def _chart(results: Sequence[CompositionResult]) -> str:
    mine = headline_metric(results[0])
    if mine.key in AS_IT_IS:
        return ""
    nan = float("nan")
    marks = [
        Mark(
            headline_metric(r).value,
            "observed" if i == 0 else "read",
            r.name,
            with_interval(mine.key, headline_metric(r).value),
        )
        for i, r in enumerate(results)
    ]
    for name, metrics in results[0].blind:
        found = next((m for m in metrics if m.key == mine.key), None)
        if found is not None:
            marks.append(Mark(found.value, "read", f"Sees no picture: {name}", with_interval(mine.key, found.value)))
    if mine.chance is not None:
        marks.append(Mark(Estimate(mine.chance, nan, nan), "rest", "Chance", percent(mine.chance)))
    return chart(marks, (0.0, 1.0), percent)


def _cost(results: Sequence[CompositionResult]) -> str:
    source = results[0].source
    said = ", ".join(f"{r.name} {number(r.seconds)}" for r in results)
    return f"{source + '. ' if source else ''}CPU seconds: {said}."


def metrics_view(results: Sequence[CompositionResult]) -> str:
    """Every metric of each model, chance, ties, and the baselines that see no picture."""
    blind = dict(results[0].blind)
    names = [*(r.name for r in results), "Chance", "Ties", *(f"Sees no picture: {name}" for name in blind)]
    head = "".join(f'<th scope="col">{esc(n)}</th>' for n in ("Metric", *names))
    rows = "".join(_metric_row(results, blind, m) for m in results[0].metrics)
    note = (
        ""
        if blind
        else '<p class="muted small-note">No baseline without pictures can be right on this form of item, '
        "so none is shown.</p>"
    )
    return (
        '<div class="scroll tall"><table '
        f'class="probes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}'
    )


def _metric_row(results: Sequence[CompositionResult], blind: dict[str, tuple[Metric, ...]], metric: Metric) -> str:
    def cell(metrics: Sequence[Metric]) -> str:
        found = next((m for m in metrics if m.key == metric.key), None)
        if found is None:
            return "<td></td>"
        return (
            f"<td>{figure(found.key, found.value.value)} "
            f"<small>{bracketed(found.value, share=found.key not in AS_IT_IS)}</small></td>"
        )

    chance = "" if metric.chance is None else figure(metric.key, metric.chance)
    ties = ", ".join(f"{next((m.ties for m in r.metrics if m.key == metric.key), 0):,}" for r in results)
    mark = ' <span class="mark">headline</span>' if metric.key == results[0].headline else ""
    models, without = "".join(cell(r.metrics) for r in results), "".join(cell(metrics) for metrics in blind.values())
    return f'<tr><th scope="row">{esc(metric.title)}{mark}</th>{models}<td>{chance}</td><td>{ties}</td>{without}</tr>'


def kinds_view(results: Sequence[CompositionResult]) -> str:
    """The headline by the values of each tag, the worst first; a press shows the items."""
    first = results[0]
    tags = list(dict.fromkeys(t.tag for t in first.by_tag))
    if not tags:
        return '<p class="muted small-note">The items of this benchmark carry no tags.</p>'
    if first.headline in AS_IT_IS:
        return '<p class="muted small-note">A mean rank is not drawn by kind: see the downloads.</p>'
    body = "".join(_tag_section(results, tag, folded=i > 1) for i, tag in enumerate(tags))
    key = "".join(
        f'<span><i class="at {kind}"></i>{esc(r.name)}</span>' for kind, r in zip(("observed", "read"), results)
    )
    return (
        f'<div class="compose-key">{key}<span><i class="at rest"></i>chance</span>'
        '<span class="muted">95 % intervals; press a row to see its items</span></div>'
        f"{body}"
    )


def _tag_section(results: Sequence[CompositionResult], tag: str, *, folded: bool) -> str:
    rows: list[tuple[float, str]] = []
    for t in results[0].by_tag:
        if t.tag != tag:
            continue
        found = [
            m
            for r in results
            for u in r.by_tag
            if (u.tag, u.value) == (tag, t.value)
            for m in u.metrics
            if m.key == results[0].headline
        ]
        if found:
            said = "".join(f'<span class="k{i}">{with_interval(m.key, m.value)}</span>' for i, m in enumerate(found))
            rows.append(
                (
                    found[0].value.value,
                    f'<button type="button" class="compose-bar" data-do="tag" data-tag="{esc(tag)}" '
                    f'data-value="{esc(t.value)}">'
                    f"<span>{esc(t.value)} "
                    f"<small>{found[0].n:,}</small></span>{drawn([m.value for m in found], found[0].chance)}"
                    f'<span class="compose-said">{said}</span></button>',
                )
            )
    body = f'<div class="compose-bars">{"".join(row for _, row in sorted(rows, key=lambda row: row[0]))}</div>'
    title = esc(tag[:1].upper() + tag[1:])
    return (
        f"<details><summary>{title} <small>{len(rows)}</small></summary>{body}</details>"
        if folded
        else f"<h3>{title}</h3>{body}"
    )


def published_view(result: CompositionResult) -> str:
    """What the literature reports on this benchmark."""
    if not result.published:
        return '<p class="muted small-note">No published figures are known for this benchmark.</p>'
    rows = "".join(f"<li>{esc(line)}</li>" for line in result.published)
    return (
        '<p class="muted small-note">In per cent, as printed; '
        f'another preprocessing or subset may move them.</p><ul class="compose-list">{rows}</ul>'
    )


def left_out_view(results: Sequence[CompositionResult]) -> str:
    """Items that could not be asked, by reason, pictures that are missing, and notes."""
    first = results[0]
    reasons = Counter(reason.split(": ")[0] for _, reason in first.excluded)
    rows = "".join(f"<li>{count(n, 'item')}: {esc(reason)}</li>" for reason, n in reasons.most_common())
    if first.missing:
        few = ", ".join(first.missing[:5])
        rows += (
            f"<li>{count(len(first.missing), 'picture')} not among the images: "
            f"{esc(few)}{', …' if len(first.missing) > 5 else ''}</li>"
        )
    notes = dict.fromkeys(note for r in results for note in r.notes)
    listed = "".join(f"<li>{esc(note)}</li>" for note in notes)
    return (
        f'<h3>Left out</h3><ul class="compose-list">{rows or "<li>Nothing: every item was scored.</li>"}</ul>'
        f'<h3>Notes</h3><ul class="compose-list muted">{listed or "<li>None.</li>"}</ul>{_similarity(first)}'
    )


def _similarity(result: CompositionResult) -> str:
    similar = result.foil_similarity
    if similar is None or not len(similar):
        return ""
    low, high = np.quantile(similar, [0.05, 0.95])
    return (
        f'<p class="muted small-note">A caption and its nearest foil have a cosine of {similar.mean():.3f} in the '
        f"text tower ({low:.3f} to "
        f"{high:.3f} for nine items in ten). Near 1, the text side hardly tells them apart.</p>"
    )
