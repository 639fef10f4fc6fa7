"""The report is one file that fetches nothing, runs nothing, escapes everything, and says what the diagnosis says."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.checks.audit_table import audit_table
from core.records import Diagnosis, Estimate
from core.reports.html import diagnosis as report, gallery
from core.reports.html.diagnosis import render_report, write_audit, write_report
from core.store import load, save
from tests.support.diagnoses import MemoryImages, confirmed_without_clusters, draw_picture, make_diagnosis
from tests.support.page import Page
from tests.support.words import made_prediction, with_words

VARIANTS: list[dict[str, Any]] = [
    {},
    {"n_clusters": 0},
    {"with_images": False},
    {"with_errors": False},
    {"hostile": True},
    {"n": 200, "n_clusters": 9},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_nothing_is_fetched_and_no_script_runs(options: dict[str, Any]) -> None:
    html = render_report(make_diagnosis(**options))
    page = Page(html)
    assert not list(page.named("script", "link", "iframe", "object", "embed", "form", "base"))
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "data:").startswith("data:image/webp;base64,") or attributes.get(
                name
            ) is None
    assert "@import" not in html
    assert "url(" not in html
    assert any("default-src 'none'" in (a.get("content") or "") for a in page.named("meta"))


def test_markup_in_names_and_metadata_is_shown_as_text() -> None:
    page = Page(render_report(make_diagnosis(hostile=True)))
    assert "<script>alert(1)</script>.png" in page.text
    assert "weather = <b>fog</b>" in page.text
    assert not list(page.named("script"))
    assert len([a for a in page.named("b") if a == {} or a == {"class": "wrong"}]) == len(list(page.named("b")))


def test_what_the_report_says(diagnosis: Diagnosis, golden: Callable[..., None]) -> None:
    first, worded = diagnosis.clusters[0], with_words()
    shares = replace(first, measure="error rate", error_difference=Estimate(0.28, 0.09, 0.47))
    unknown = make_diagnosis(with_errors=False)
    of_losses = replace(worded, prediction=made_prediction("mean loss"))
    scenes = {
        "In words, with a prediction": replace(worded, prediction=made_prediction()),
        "Without words; the first cluster leads with its error rate; no second list": replace(
            diagnosis, clusters=(shares, *diagnosis.clusters[1:]), candidates=()
        ),
        "Nothing found: what would have been": make_diagnosis(n_clusters=0),
        "Confirmed without a cluster: not called nothing": confirmed_without_clusters(),
        "Of a proxy": replace(unknown, outcomes=replace(unknown.outcomes, name="entropy", is_proxy=True)),
    }
    golden("report.txt", {title: Page(render_report(run)).lines for title, run in scenes.items()})
    assert "expected mean loss 0.55" in render_report(of_losses)


def test_the_prediction_and_the_heat_map_are_drawn_folded() -> None:
    diagnosis = replace(with_words(), sensitivity=None, prediction=made_prediction())  # which is a heat map too
    page = Page(render_report(diagnosis))
    marked = [a for a in page.named("td") if "heat" in (a.get("class") or "")]
    assert len(marked) == len(audit_table(diagnosis, most=report.HEAT_PHRASES)) == 8 * 4
    assert not any("open" in a for a in page.named("details"))
    assert [text in page.text for text in ("Holds.", "Does not hold.", "Too few to tell: fewer than 5 samples.")] == [
        True,
        True,
        True,
    ]


def test_pictures_are_small_webp_and_their_sum_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosis = make_diagnosis()
    noise = np.random.default_rng(0).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    images = MemoryImages(diagnosis.samples.ids, (buffer.getvalue(),) * 60)
    noisy = replace(diagnosis, samples=replace(diagnosis.samples, items=images))
    addresses = [a["src"] or "" for a in Page(render_report(noisy)).named("img")]
    with Image.open(io.BytesIO(base64.b64decode(addresses[0].split(",")[1]))) as picture:
        assert picture.format == "WEBP"
        assert max(picture.size) == gallery.THUMBNAIL_SIZE
    monkeypatch.setattr(gallery, "MAX_PICTURE_BYTES", 3 * len(addresses[0]) + 50)
    page = Page(render_report(noisy))
    assert len(list(page.named("img"))) == 3
    assert f"{len(addresses) - 3} images are not in this file" in page.text


def test_a_large_diagnosis_with_hard_pictures_stays_below_six_megabytes() -> None:
    payload = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (160, 160, 3), dtype=np.uint8)).save(payload, "PNG")
    diagnosis = make_diagnosis(600, n_clusters=10, with_images=False)
    images = MemoryImages(diagnosis.samples.ids, (payload.getvalue(),) * 600)
    html = render_report(replace(diagnosis, samples=replace(diagnosis.samples, items=images)))
    assert len(html.encode()) < 6_000_000


def test_a_reloaded_run_gives_the_same_words(tmp_path: Path, diagnosis: Diagnosis) -> None:
    save(diagnosis, tmp_path / "run.errata")
    write_report(diagnosis, tmp_path / "a.html")
    write_report(load(tmp_path / "run.errata"), tmp_path / "b.html")
    a, b = (Page((tmp_path / name).read_text("utf-8")) for name in ("a.html", "b.html"))
    assert a.text == b.text
    assert len(list(b.named("img"))) == len(list(a.named("img"))) > 20


def test_an_undecodable_picture_leaves_a_blank_and_is_counted(diagnosis: Diagnosis) -> None:
    row = int(diagnosis.clusters[0].counterexamples[0])
    images = diagnosis.samples.items
    assert isinstance(images, MemoryImages)
    broken = MemoryImages(
        images.names, tuple(b"broken" if i == row else payload for i, payload in enumerate(images.payloads))
    )
    text = Page(render_report(replace(diagnosis, samples=replace(diagnosis.samples, items=broken)))).text
    assert "no image" in text
    assert "images are not in this file" in text


def test_the_audit_page_fetches_nothing_and_escapes_phrases(tmp_path: Path) -> None:
    diagnosis = with_words()
    cells = [replace(c, phrase="<b>bold</b>") if c.phrase == "red" else c for c in audit_table(diagnosis)]
    write_audit(diagnosis, cells, tmp_path / "audit.html")
    page = Page((tmp_path / "audit.html").read_text("utf-8"))
    assert not list(page.named("script", "link", "img"))
    assert "<b>bold</b>" in page.text
    assert len([a for a in page.named("td")]) == len(cells)


def test_a_diagnosis_of_composition_says_which_result_it_explains() -> None:
    names = {
        "name": "cola, <i>embedded</i>",
        "model": "embedded",
        "benchmark": "cola",
        "title": "Cola",
        "kind": "pairs",
        "headline": "image",
    }
    figures = {"value": 0.2, "low": 0.15, "high": 0.26, "n": 210, "metric": "Image score", "chance": 0.25}
    plain = make_diagnosis()
    assert "A model of composition" not in Page(render_report(plain)).text
    text = Page(render_report(replace(plain, extras={"composition": names | figures}))).text
    assert (
        "embedded on Cola (cola, <i>embedded</i>): Image score 20%, 95% interval 15 to 26%, "
        "n = 210; chance is 25%." in text
    )
    ranks = {
        **names,
        **figures,
        "headline": "mean rank",
        "metric": "Mean rank",
        "value": 1.5,
        "low": 1.2,
        "high": 1.8,
        "chance": None,
    }
    assert (
        "Mean rank 1.50, 95% interval 1.20 to 1.80, n = 210."
        in Page(render_report(replace(plain, extras={"composition": ranks}))).text
    )
    assert (
        "embedded on Cola (cola, <i>embedded</i>)."
        in Page(render_report(replace(plain, extras={"composition": names}))).text
    )


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_report_opens_offline_without_a_fault_and_fits_the_window(
    tmp_path: Path, chromium: Any, scheme: Any, width: int
) -> None:
    write_report(
        replace(with_words(make_diagnosis(120, hostile=True)), prediction=made_prediction()), tmp_path / "report.html"
    )
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    colours = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    background, ink = (sum(map(int, re.findall(r"\d+", colour))) for colour in colours)
    assert (background > ink) == (scheme == "light")
    assert abs(background - ink) > 400
    page.close()


def test_the_picture_of_a_sample_is_shown_upright_and_whole() -> None:
    payload = draw_picture(3, size=300)
    diagnosis = make_diagnosis(60)
    images = MemoryImages(diagnosis.samples.ids, (payload,) * 60)
    address = (
        next(Page(render_report(replace(diagnosis, samples=replace(diagnosis.samples, items=images)))).named("img"))[
            "src"
        ]
        or ""
    )
    with (
        Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as shown,
        Image.open(io.BytesIO(payload)) as original,
    ):
        expected = np.asarray(original.convert("RGB").resize((128, 128), Image.Resampling.LANCZOS), dtype=float)
        assert np.abs(np.asarray(shown.convert("RGB"), dtype=float) - expected).mean() < 6


def test_a_caption_says_wrong_or_right_before_the_loss() -> None:
    known = render_report(make_diagnosis())
    assert re.search(
        r'<figcaption><b class="wrong">wrong</b> \w+ <span class="wrong">model: \w+</span> <small>loss ', known
    )
    assert re.search(r"<figcaption><b>right</b> \w+ <small>loss ", known)
    unknown = render_report(make_diagnosis(with_errors=False))
    assert re.search(r"<figcaption><b>\d", unknown)
