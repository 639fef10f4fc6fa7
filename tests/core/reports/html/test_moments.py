"""When clips look like their cluster's phrase, in the report: from what a run keeps alone."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from core.files import ASSETS
from core.language.moments import TextMoments
from core.records import Competence, Diagnosis
from core.reports.html import moments
from core.reports.html.diagnosis import render_report
from core.reports.html.moments import (
    MOST_CURVES,
    caution,
    cluster_moments,
    cluster_phrase,
    moment_sentence,
    shown_moments,
)
from core.store import load
from tests.support.page import Page

TEXT = 'lit <b>from the "side"'


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    """The clips that come along, without their files, whose cluster is described by a phrase that would be markup."""
    clips = load(ASSETS / "examples" / "clips" / "run.errata")
    phrase = next(i for i in clips.insights if i.kind == "phrase")
    return replace(clips, insights=(replace(phrase, text=TEXT, cluster=clips.clusters[0].id, scope="rises"),))


def made(cosines: list[float], n_less: int) -> TextMoments:
    return TextMoments("red", np.arange(3.0), 3.0, np.array(cosines), np.full(3, 0.2), n_less, 100)


def test_the_report_draws_some_clips_of_a_cluster_with_its_phrase_and_says_the_same_in_words(run: Diagnosis) -> None:
    page = Page(render_report(run))
    charts = [one for one in page.named("svg") if one.get("class") == "moment-chart"]
    assert len(charts) == MOST_CURVES < run.clusters[0].size
    assert all(f"Most like “{TEXT}”" in str(one["aria-label"]) and one["role"] == "img" for one in charts)
    assert page.text.count(f"Most like “{TEXT}”") == len(charts)
    assert "Whether the encoder knows these words was not measured" in page.text
    assert "from the small animation that a run keeps" in page.text


def test_a_report_fetches_no_encoder_for_its_curves(run: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.words is not None
    other = replace(run, words=replace(run.words, encoder="clips:ViT-B-32/laion2b_s34b_b79k"))
    monkeypatch.setattr(moments, "moments_in", None)
    rows = np.arange(3)
    assert cluster_moments(other, run.clusters[0], rows) is None
    assert cluster_moments(replace(run, insights=()), run.clusters[0], rows) is None
    assert cluster_moments(replace(run, samples=replace(run.samples, items=None)), run.clusters[0], rows) is None


def test_the_phrase_is_the_confirmed_one_that_describes_the_cluster_best(run: Diagnosis) -> None:
    one = run.insights[0]
    others = (
        replace(one, text="best", confirmed=False, retrieval=0.9),
        replace(one, text="sure", confirmed=True, retrieval=0.7),
        replace(one, text="other", confirmed=True, retrieval=0.6),
    )
    assert cluster_phrase(replace(run, insights=others), run.clusters[0]) == "sure"
    assert cluster_phrase(replace(run, insights=()), run.clusters[0]) == ""


def test_a_second_that_says_little_is_said_so_and_a_level_curve_looks_level() -> None:
    clear, flat = made([0.1, 0.3, 0.1], 100), made([0.11, 0.12, 0.11], 40)
    assert moment_sentence(clear) == (
        "Most like “red” at 1.0 s of 3.0 s: of 100 ordinary things 0 move as much over the clip."
    )
    assert "which says little: of 100 ordinary things 60 move as much" in moment_sentence(flat)
    assert moment_sentence(flat).endswith("No frame is more like it than like ordinary things in the mean.")
    alone = shown_moments([made([0.2, 0.21, 0.2], 0)], ["a"]).clips[0]
    heights = [float(y) for _, y, _ in alone.dots]
    assert max(heights) - min(heights) < 0.25 * moments.HEIGHT
    assert [inside for _, _, inside in alone.dots] == [False, True, False]


def test_what_was_measured_of_single_pictures_is_said_as_that() -> None:
    figures = [np.array([x]) for x in (0.9, 0.8, 0.95)]
    known = Competence(figures[0], figures[1], figures[2], np.array([20]), np.array([300]), 0.75)
    said = caution(replace(made([0.1, 0.2, 0.1], 1), competence=known))
    assert said.startswith(
        "On single images the encoder knows these words (AUROC 0.90, 95% CI 0.80 to 0.95; 20 samples"
    )
    assert said.endswith("Of clips nothing was measured.")


def test_the_grid_of_clips_is_no_grid_of_panels_and_panels_look_like_cards() -> None:
    css = (files("core.reports.html") / "templates" / "report.css").read_text("utf-8")
    said = {name: "" for name in (".panel", ".card", ".moments")}
    for selectors, rule in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for one in {part.strip() for part in selectors.split(",")} & set(said):
            said[one] += rule
    assert all("background:" in said[name] and "border:" in said[name] for name in (".panel", ".card"))
    assert "grid" in said[".moments"]
    assert "grid" not in said[".panel"]
