"""Results of composition as markup: figures right, items found, and nothing of the user's able to act as markup."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from core.numbers import percent
from core.records import Estimate
from core.systems.composition.records import CompositionResult, LoadedBenchmark, TagMetrics
from core.systems.composition.reports.html import render_composition_report
from core.systems.composition.reports.item_cards import shown_captions
from core.systems.composition.scoring.compare import compare_results
from tests.support.composed import choices, pairs, queries, result
from tests.webapp.markup.test_html import Tags
from webapp.systems.composition.files import results_document
from webapp.systems.composition.items import items_csv, items_view, picked_rows, right_of
from webapp.systems.composition.result import headline_metric, result_view
from webapp.systems.composition.visit import ComposeState

EVIL = '<img src=x onerror="alert(1)">'


def shown(loaded: LoadedBenchmark, *results: CompositionResult, **more: str) -> ComposeState:
    return replace(ComposeState("own", loaded, loaded, results), **more)  # type: ignore[arg-type]


def test_the_headline_stands_with_its_interval_n_and_chance() -> None:
    found = result(pairs(40), share=0.25)
    view = result_view([found], pairs(40).benchmark, None)
    text = " ".join(Tags(view).text.split())
    metric = headline_metric(found)
    assert " ".join(f"Made pairs: {percent(metric.value.value)}".split()) in text
    assert "40 items" in text
    assert "chance is 25.0%." in text.replace("\u00a0", " ")
    assert "chance could explain this" in text


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_far_from_chance_is_said(share: float) -> None:
    text = Tags(result_view([result(pairs(40), share=share)], pairs(40).benchmark, None)).text
    assert ("Above chance" in text) == (share == 1.0)
    assert ("Below chance" in text) == (share == 0.0)


def test_what_text_alone_reaches_stands_beside_above_chance() -> None:
    found = result(pairs(40), share=0.9)
    told = replace(
        found, blind=(("longer caption", (replace(headline_metric(found), value=Estimate(0.95, 0.9, 1.0)),)),)
    )
    text = " ".join(Tags(result_view([told], pairs(40).benchmark, None)).text.split())
    assert "Above chance" in text
    assert "(longer caption). This benchmark does not show that first" in text
    assert "Text alone" not in Tags(result_view([found], pairs(40).benchmark, None)).text
    both = [told, replace(found, name="two", model="first + Local matching")]
    text = " ".join(Tags(result_view(both, pairs(40).benchmark, None)).text.split())
    assert "(longer caption). This benchmark does not show that first + Local matching looks at the image." in text


def test_kinds_of_foil_at_chance_stand_in_a_sentence_on_page_and_report() -> None:
    found, loaded = result(pairs(40), share=0.9), pairs(40)
    metric = headline_metric(found)
    low, high = (replace(metric, value=Estimate(value, value - 0.1, value + 0.1)) for value in (0.25, 0.85))
    told = replace(found, by_tag=(TagMetrics("kind", "swap_att", (low,)), TagMetrics("kind", "add_obj", (high,))))
    report = render_composition_report([told], loaded.benchmark, store=loaded.store)
    for view in (result_view([told], loaded.benchmark, None), report):
        text = " ".join(Tags(view).text.split())
        assert "Not clearly different from chance: swap attributes. Swap attributes: " in text


def test_two_models_are_compared_on_the_same_items() -> None:
    loaded = pairs(40)
    first, second = result(loaded, "first", 0.2), result(loaded, "second", 0.9, seed=1)
    comparison = compare_results(first, second)
    text = " ".join(Tags(result_view([first, second], loaded.benchmark, comparison)).text.split())
    row = next(r for r in comparison.rows if r.key == "image")
    assert f"It fixes {row.only_b} items that first gets wrong, and breaks {row.only_a}." in text
    assert "Only the second is right" in Tags(items_view(shown(loaded, first, second))).text
    document = results_document(shown(loaded, first, second))
    assert document["comparison"]["rows"][0]["only_b"] == row.only_b
    assert [r["name"] for r in document["results"]] == ["first", "second"]


def test_items_are_filtered_by_kind_and_by_who_is_right() -> None:
    loaded = pairs(40)
    first, second = result(loaded, "first", 0.5), result(loaded, "second", 0.5, seed=9)
    every = shown(loaded, first, second)
    margins = first.margin[picked_rows(every)]
    assert (np.diff(margins) >= 0).all()
    kinds = [
        loaded.benchmark.items[row].tags["kind"]
        for row in picked_rows(replace(every, tag="kind", value="size")).tolist()
    ]
    assert kinds == ["size"] * 20
    a, b = right_of(first), right_of(second)
    for which, wanted in (("wrong", ~a), ("right", a), ("only_a", a & ~b), ("only_b", ~a & b)):
        assert set(picked_rows(replace(every, which=which)).tolist()) == set(np.flatnonzero(wanted).tolist())


def test_a_pair_shows_who_picks_whom_by_words_and_not_by_colour_alone() -> None:
    loaded = pairs(24)
    wrong = Tags(items_view(shown(loaded, result(loaded, share=0.0), which="wrong"))).text
    right = Tags(items_view(shown(loaded, result(loaded, share=1.0), which="right"))).text
    assert "picks the other" in wrong
    assert "picks its image" not in wrong
    assert "picks its caption" in right
    assert "picks the other" not in right


def test_of_many_foils_the_strongest_are_shown() -> None:
    loaded = choices(foils=9)
    found = result(loaded, share=0.0)
    item = loaded.benchmark.items[0]
    captions = shown_captions(item, found.matrices[0])
    assert captions[0] == 0
    assert captions[1:] == np.argsort(-found.matrices[0][0])[:5].tolist()
    assert "4 weaker foils not shown" in Tags(items_view(shown(loaded, found))).text


def test_a_query_shows_its_pictures_by_rank() -> None:
    loaded = queries()
    text = Tags(items_view(shown(loaded, result(loaded, share=1.0)))).text
    assert "first right image at rank 1 of 10" in text


def test_the_words_that_differ_are_marked_and_escaped() -> None:
    loaded = pairs(24, word="<b> cube")
    assert "a <mark>red</mark> &lt;b&gt; cube" in items_view(shown(loaded, result(loaded)))


def test_nothing_of_the_users_becomes_an_element() -> None:
    loaded = pairs(24, word=EVIL)
    bad = replace(
        loaded.benchmark,
        title=EVIL,
        source=EVIL,
        notes=(EVIL,),
        excluded=((EVIL, EVIL),),
        items=tuple(
            replace(item, id=f"{EVIL}{item.id}", tags={EVIL: f"{EVIL}{i % 2}"})
            for i, item in enumerate(loaded.benchmark.items)
        ),
    )
    loaded = replace(loaded, benchmark=bad, missing=(EVIL,))
    first, second = result(loaded, EVIL, 0.3), result(loaded, f"second {EVIL}", 0.6, seed=3)
    view = result_view([first, second], bad, compare_results(first, second)) + items_view(shown(loaded, first, second))
    tags = Tags(view)
    assert "onerror" not in tags.attributes
    assert view.count("<img") == view.count('<img src="data:image/webp')


def test_a_cell_that_would_start_a_formula_is_led_by_an_apostrophe() -> None:
    loaded = pairs(24)
    items = tuple(
        replace(item, captions=(f"=HYPERLINK({i})", item.captions[1])) for i, item in enumerate(loaded.benchmark.items)
    )
    loaded = replace(loaded, benchmark=replace(loaded.benchmark, items=items))
    rows = list(csv.DictReader(io.StringIO(items_csv(result(loaded), loaded.benchmark).decode("utf-8"))))
    assert len(rows) == 24
    assert rows[3]["captions"] == "'=HYPERLINK(3) | a blue cube 3"
    assert float(rows[3]["margin"]) == pytest.approx(float(result(loaded).margin[3]))
