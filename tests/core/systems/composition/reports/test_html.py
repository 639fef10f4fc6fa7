"""The report of composition is one file that fetches nothing, runs nothing, escapes everything, and says what the
results say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.records import Estimate
from core.systems.common.epochs import Epoch
from core.systems.composition.records import Benchmark, CompositionResult
from core.systems.composition.reports import html as report
from core.systems.composition.reports.html import render_composition_report
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.run import run_composition
from core.systems.composition.training.forgetting import ForgettingCheck
from tests.support.benchmarks import Given, benchmark, choices, pair, pairs, pictured, queries, random_scores
from tests.support.forgetting import lost_accuracy
from tests.support.page import Page

HOSTILE = "<script>alert(1)</script>"


CURVE = ([Epoch(0, None, 0.7, 0.1), Epoch(1, 0.6, 0.5, 0.6), Epoch(2, 0.4, 0.6, 0.5)], 1)


def run(bench: Benchmark, seed: int = 0, name: str = "first", **more: Any) -> CompositionResult:
    scores = random_scores(bench, np.random.default_rng(seed))
    return run_composition(pictured(bench), Given(scores, name="model"), name=name, **more)


def regression_check() -> ForgettingCheck:
    row = lost_accuracy("240 images of scenes in 8 classes")
    kept = replace(
        row, task="Image to text", metric="recall at 1", difference=Estimate(0.0, -0.02, 0.02), p=1.0, verdict="kept"
    )
    return ForgettingCheck("embedded", "embedded + local", (row, kept), (kept,), ("2 captions are shared.",))


def hostile() -> Benchmark:
    items = [
        pair(f"{HOSTILE}{i}", (2 * i, 2 * i + 1), (f"a {HOSTILE} {i}", f"b {i}"), kind=f"<b>{i % 2}</b>")
        for i in range(20)
    ]
    return benchmark(
        "pairs", items, "image", notes=(f"Note {HOSTILE}",), excluded=(("x", f"{HOSTILE}: because"),), source=HOSTILE
    )


def everything() -> str:
    bench = hostile()
    a, b = run(bench), run(bench, 1, "second")
    return render_composition_report(
        [a, b],
        bench,
        store=pictured(bench).store,
        comparison=compare_results(a, b),
        regression=regression_check(),
        curve=CURVE,
    )


MADE: dict[str, Benchmark] = {
    "pairs": pairs(30),
    "choice": choices(60),
    "ranks": choices(30, 12),
    "averaged": choices(60, average="kind"),
    "retrieval": queries(8, 12, np.random.default_rng(0)),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("bare", [True, False])
def test_nothing_is_fetched_and_no_script_runs(kind: str, bare: bool) -> None:
    bench = MADE[kind]
    html = render_composition_report([run(bench)], bench, store=None if bare else pictured(bench).store)
    check_closed(html)
    assert bool(list(Page(html).named("img"))) is not bare


def check_closed(html: str) -> None:
    page = Page(html)
    assert not list(page.named("script", "link", "iframe", "object", "embed", "form", "base"))
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset", "data"):
            assert attributes.get(name) is None or str(attributes[name]).startswith("data:image/webp;base64,")
    assert "@import" not in html
    assert "url(" not in html
    assert any("default-src 'none'" in (a.get("content") or "") for a in page.named("meta"))


def test_markup_in_captions_tags_ids_and_notes_is_shown_as_text() -> None:
    html = everything()
    check_closed(html)
    text = Page(html).text
    for said in (f"a {HOSTILE} ", f"{HOSTILE}1", "<b>0</b>", f"Note {HOSTILE}"):
        assert said in text


def test_every_section_is_there_and_says_what_was_found() -> None:
    text = Page(everything()).text
    for heading in (
        "The figures",
        "second against first",
        "How it is wrong",
        "By kind of item",
        "Worst errors",
        "What the adaptation cost",
        "How it was trained",
        "Left out, notes, and settings",
    ):
        assert heading in text
    assert "zero-shot accuracy from 87% to 83%" in text
    assert "2 captions are shared." in text
    assert "2 epochs of training. Epoch 1 was best: 60.0% of the validation items right" in text


def test_figures_are_those_of_the_result() -> None:
    bench = pairs(30)
    result = run(bench)
    text = Page(render_composition_report([result], bench)).text
    assert f"Right on {int(result.correct['image'].sum())} of 30 items" in text
    for metric in result.metrics:
        assert metric.title in text
        assert f"{100 * metric.value.value:.1f}%" in text
    assert "chance is 25.0%" in text
    assert "Both images take the same caption" in text


def test_what_is_not_given_has_no_section() -> None:
    bench = choices(20)
    text = Page(render_composition_report([run(bench, blind=False)], bench)).text
    for heading in (
        "How it is wrong",
        "Without looking",
        "What the adaptation cost",
        "How it was trained",
        "against",
        "Published figures",
    ):
        assert heading not in text.split("What was left out")[0].replace("held against", "")


def test_blind_baselines_say_whether_the_model_is_above_text_alone() -> None:
    bench = choices(60)
    text = Page(render_composition_report([run(bench)], bench)).text
    assert text.count("This benchmark does not show that model looks at the image") == 2  # above the figures too
    scores = tuple(np.array([[1.0, 0.0]]) for _ in range(60))
    perfect = run_composition(pictured(bench), Given(scores, name="model"))
    (name, metrics) = perfect.blind[0]
    guess = replace(perfect, blind=((name, tuple(replace(m, value=Estimate(0.5, 0.4, 0.6)) for m in metrics)),))
    assert (
        f"model is above what text alone reaches ({name}: 50.0%)."
        in Page(render_composition_report([guess], bench)).text
    )


def test_what_was_left_out_is_counted_by_reason_and_missing_pictures_are_named() -> None:
    bench = replace(pairs(20), excluded=(("x", "no image: a.png"), ("y", "no image: b.png"), ("z", "twice")))
    found = replace(run(bench), missing=("a.png", "b.png"))
    page = Page(render_composition_report([found, replace(found, name="second", excluded=())], bench))
    cells = "".join(page.text.split())
    assert "first:noimage2first:twice1" in cells
    assert "2missingimagesa.png,b.png" in cells


def test_a_note_of_one_result_names_it() -> None:
    bench = pairs(20)
    a, b = run(bench), replace(run(bench, 1, "second"), notes=("Only here.",))
    assert "second: Only here." in Page(render_composition_report([a, b], bench)).text


def test_published_figures_stand_with_their_source() -> None:
    bench = pairs(20)
    found = replace(run(bench), published=("CLIP ViT-B/32, image: 21.42 (read in the paper), Ray et al. 2023",))
    assert "21.42 (read in the paper), Ray et al. 2023" in Page(render_composition_report([found], bench)).text


def test_pictures_are_bounded_and_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_PICTURE_BYTES", 300)
    bench = pairs(20)
    page = Page(render_composition_report([run(bench)], bench, store=pictured(bench).store))
    shown = list(page.named("img"))
    assert sum(len(a["src"] or "") for a in shown) <= 300
    (n,) = re.findall(r"This file leaves out (\d+) images", page.text)
    assert int(n) + len(shown) == 2 * page.text.count("; margin ")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_report_opens_offline_without_a_fault_and_fits_the_window(
    tmp_path: Path, chromium: Any, scheme: Any, width: int
) -> None:
    (tmp_path / "report.html").write_text(everything(), "utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto((tmp_path / "report.html").as_uri())
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    page.close()
