"""Single items of a benchmark as markup, the worst first: pictures, captions, the scores between them, and what is
wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from core.numbers import count, number
from core.records import F64, I64, Benchmark, Bool, CompositionResult, Item, LoadedBenchmark
from webapp.compose.markup import RIGHT, WRONG, changed, image, outcome, places_of, shade
from webapp.compose.visit import ComposeState
from webapp.markup.html import esc

WHICH = (("worst", "All, worst first"), ("wrong", "Wrong"), ("right", "Right"), ("tied", "Decided by a tie"))
VERSUS = (("only_a", "Only the first is right"), ("only_b", "Only the second is right"))
MAX_CAPTIONS = 6
"""Of a choice with more captions the strongest foils are shown."""
MAX_RANKED = 6
"""Pictures of a query that are shown."""


def items_view(composing: ComposeState) -> str:
    """The items that the filter leaves, worst first, and the controls of the filter."""
    if not composing.results or composing.pictured is None:
        return ""
    results, pictured = composing.results, composing.pictured
    rows = picked_rows(composing)
    shown = rows[: composing.shown]
    places = {item.id: item for item in pictured.benchmark.items}
    cards = "".join(item_card(pictured, places[results[0].ids[row]], results, int(row)) for row in shown.tolist())
    more = len(rows) - len(shown)
    button = (
        f'<button type="button" class="plain more" data-do="more">Show more ({more:,} left)</button>'
        if more > 0
        else ""
    )
    empty = '<p class="muted">No item is of this kind. Choose another filter.</p>' if not len(rows) else ""
    return (
        '<section class="compose-items"><header><h3 tabindex="-1">Items, one by one '
        f"<small>{count(len(rows), 'item')}</small></h3>"
        f"{_filters(composing)}</header>{_reading(results)}{empty}"
        f'<div class="compose-cards">{cards}</div>{button}</section>'
    )


def _reading(results: Sequence[CompositionResult]) -> str:
    how = {
        "pairs": "A ring marks the pairs that belong together. "
        "A caption is right if its own picture scores highest in its row; a picture, in "
        "its column.",
        "choice": "The first caption is the true one: it is right if it scores higher than every foil.",
        "retrieval": "The pictures that score highest; a tick marks those that the query describes.",
    }[results[0].kind]
    return f'<p class="muted small-note">{how}</p>'


def _filters(composing: ComposeState) -> str:
    """A list of tags' values and which items to see."""
    results = composing.results
    options = '<option value="">every kind</option>'
    for tag in dict.fromkeys(t.tag for t in results[0].by_tag):
        values = [t for t in results[0].by_tag if t.tag == tag]
        inside = "".join(
            f'<option value="{esc(tag)}={esc(t.value)}"{" selected" if (tag, t.value) == (composing.tag, composing.value) else ""}>'
            f"{esc(tag)}: {esc(t.value)} ({t.metrics[0].n:,})</option>"
            for t in values
        )
        options += f'<optgroup label="{esc(tag)}">{inside}</optgroup>'
    ways = (*WHICH, *(VERSUS if len(results) > 1 else ()))
    which = "".join(
        f'<option value="{key}"{" selected" if key == composing.which else ""}>{title}</option>' for key, title in ways
    )
    return (
        f'<div class="compose-filters"><label>Kind <select data-do="filter">{options}</select></label>'
        f'<label>Show <select data-do="which">{which}</select></label></div>'
    )


def picked_rows(composing: ComposeState) -> I64:
    """Rows of the first result that the filter leaves, the smallest margin first."""
    from core.composition.scoring.measures import POOLED, scopes_of

    first = composing.first
    picked = np.ones(len(first.ids), bool)
    if composing.tag:
        scope = next(
            (
                s
                for s in scopes_of(first.tags, first.average)
                if (s.tag, s.value) == (composing.tag, composing.value or POOLED)
            ),
            None,
        )
        inside = np.zeros(len(first.ids), bool)
        if scope is not None:
            inside[scope.rows] = True
        picked &= inside
    right = right_of(first)
    other = _other_right(composing.results)
    if composing.which == "tied":
        picked &= first.tied
    elif composing.which in ("wrong", "right"):
        picked &= right if composing.which == "right" else ~right
    elif composing.which in dict(VERSUS) and other is not None:
        picked &= (right & ~other) if composing.which == "only_a" else (~right & other)
    rows = np.flatnonzero(picked)
    return rows[np.argsort(first.margin[rows], kind="stable")].astype(np.int64)


def right_of(result: CompositionResult) -> Bool:
    """(n,) whether the item is right by the headline; of average precision or ranks, whether it is better than the
    middle item."""
    if result.headline in result.correct:
        return result.correct[result.headline]
    if result.headline in result.values:
        values = result.values[result.headline]
        return values >= np.median(values)
    return result.margin > 0


def _other_right(results: Sequence[CompositionResult]) -> Bool | None:
    """(n,) whether the second model has the first one's items right; items that it lacks count as wrong."""
    if len(results) < 2:
        return None
    known = dict(zip(results[1].ids, right_of(results[1]).tolist()))
    return np.array([known.get(name, False) for name in results[0].ids], bool)


def item_card(pictured: LoadedBenchmark, item: Item, results: Sequence[CompositionResult], row: int) -> str:
    """One item: its pictures and captions, and each model's scores."""
    first = results[0]
    tags = "".join(
        f'<span class="chip">{esc(tag)}: <b>{esc(value)}</b></span>' for tag, value in list(item.tags.items())[:3]
    )
    similar = (
        ""
        if first.foil_similarity is None
        else f'<span class="chip">captions alike: <b>{first.foil_similarity[row]:.3f}</b></span>'
    )
    tie = outcome(None, "a tie decided") if first.tied[row] else ""
    body = "".join(_model(pictured, item, r, i, several=len(results) > 1) for i, r in enumerate(results))
    return (
        f'<article class="compose-item"><header><b>{esc(item.id)}</b>{tie}<span '
        f'class="chips">{tags}{similar}</span></header>{body}</article>'
    )


def _model(pictured: LoadedBenchmark, item: Item, result: CompositionResult, which: int, *, several: bool) -> str:
    try:
        row = result.ids.index(item.id)
    except ValueError:
        return f'<p class="muted small-note">{esc(result.name)} has no score of this item.</p>'
    name = f'<h4 class="k{which}">{esc(result.name)}</h4>' if several else ""
    scores = result.matrices[row]
    if result.kind == "retrieval":
        return name + _ranked(pictured, item, scores, float(result.margin[row]))
    return name + _matrix(pictured, item, scores, pictures=which == 0)


def _matrix(pictured: LoadedBenchmark, item: Item, scores: F64, *, pictures: bool) -> str:
    """Captions in rows, pictures in columns; who picks whom at the ends."""
    captions = shown_captions(item, scores)
    low, high, places = float(np.nanmin(scores)), float(np.nanmax(scores)), places_of(scores)
    match = set(item.match)
    body = ""
    for text in captions:
        cells = "".join(
            _cell(float(scores[i, text]), low, high, places, true=(i, text) in match) for i in range(len(item.pictures))
        )
        body += f'<tr><th scope="row">{changed(item.captions[text], _rival(item, text))}</th>{cells}{_row_outcome(item, scores, text)}</tr>'
    head = ""
    if pictures:
        faces = "".join(
            f'<th scope="col">{image(pictured.store, at, f"Picture {i + 1} of {item.id}")}</th>'
            for i, at in enumerate(item.pictures)
        )
        head = f"<thead><tr><td></td>{faces}<td></td></tr></thead>"
    foot = "".join(f"<td>{_picture_outcome(item, scores, i)}</td>" for i in range(len(item.pictures)))
    left = len(item.captions) - len(captions)
    note = f'<p class="muted small-note">{count(left, "weaker foil")} not shown.</p>' if left else ""
    return (
        f'<table class="compose-grid">{head}<tbody>{body}<tr '
        f'class="picks"><td></td>{foot}<td></td></tr></tbody></table>{note}'
    )


def shown_captions(item: Item, scores: F64) -> list[int]:
    """Places of the captions to show: all, or the true ones and the strongest foils."""
    if len(item.captions) <= MAX_CAPTIONS:
        return list(range(len(item.captions)))
    true = [text for _, text in item.match]
    foils = [int(text) for text in np.argsort(-scores[0]) if int(text) not in true]
    return [*true, *foils][:MAX_CAPTIONS]


def _rival(item: Item, text: int) -> str:
    """The caption to mark differences against: the first true one, or of that one the first other."""
    true = item.match[0][1]
    return (
        item.captions[true]
        if text != true
        else item.captions[next((i for i in range(len(item.captions)) if i != true), true)]
    )


def _cell(score: float, low: float, high: float, places: int, *, true: bool) -> str:
    mark = ' <span class="ring" aria-label="belongs together">○</span>' if true else ""
    return (
        f'<td class="score{" true" if true else ""}" '
        f'style="{shade(score, low, high)}">{number(score, places)}{mark}</td>'
    )


def _row_outcome(item: Item, scores: F64, text: int) -> str:
    """Whether a caption picks its picture; nothing where there is one picture."""
    own = [picture for picture, caption in item.match if caption == text]
    if len(item.pictures) < 2:
        return "<td></td>"
    if not own:
        return "<td><small>a foil</small></td>"
    others = [scores[i, text] for i in range(len(item.pictures)) if i not in own]
    gap = min(scores[i, text] for i in own) - max(others)
    return f"<td>{_said(gap, 'picks its picture', 'picks the other')}</td>"


def _picture_outcome(item: Item, scores: F64, picture: int) -> str:
    own = [caption for i, caption in item.match if i == picture]
    others = [scores[picture, t] for t in range(len(item.captions)) if t not in own]
    if not own or not others:
        return ""
    gap = min(scores[picture, t] for t in own) - max(others)
    return _said(gap, "picks its caption", "picks a foil" if len(item.pictures) < 2 else "picks the other")


def _said(gap: float, right: str, wrong: str) -> str:
    return outcome(None, "a tie") if gap == 0 else outcome(bool(gap > 0), right if gap > 0 else wrong)


def _ranked(pictured: LoadedBenchmark, item: Item, scores: F64, precision: float) -> str:
    """A query with the pictures that score highest."""
    column = scores[:, 0]
    order = np.argsort(-np.where(np.isfinite(column), column, -np.inf), kind="stable")
    true = {picture for picture, _ in item.match}
    tiles = ""
    for rank, place in enumerate(order[:MAX_RANKED].tolist()):
        fits = place in true
        face = image(pictured.store, item.pictures[place], f"Rank {rank + 1}")
        said = f"{RIGHT if fits else WRONG} {rank + 1}. {number(float(column[place]), places_of(column))}"
        tiles += f'<figure class="{"fits" if fits else ""}">{face}<figcaption>{said}</figcaption></figure>'
    first = next((rank + 1 for rank, place in enumerate(order.tolist()) if place in true), 0)
    said = f"first right picture at rank {first:,} of {len(order):,}, average precision {precision:.2f}"
    return (
        f'<p class="compose-query">{esc(item.captions[0])}</p><p class="muted small-note">{said}</p><div '
        f'class="compose-ranked">{tiles}</div>'
    )


def items_csv(result: CompositionResult, benchmark: Benchmark) -> str:
    """One line for each item, for a spreadsheet; a cell that would start a formula is led by an apostrophe."""
    from core.reports.tables.composition import items_table  # pandas

    table, out = items_table(result, benchmark), io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow([_harmless(name) for name in table.columns])
    write.writerows(
        [_harmless(value) for value in row] for row in zip(*(table[name].tolist() for name in table.columns))
    )
    return out.getvalue()


def _harmless(value: object) -> object:
    if isinstance(value, list):
        value = " | ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
