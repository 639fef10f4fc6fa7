"""Thirty clicks: the strip tells nothing, and the answers come back as a judgment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checks.clicks import Strip
from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis
from tests.support.showcase import add_words, make_showcase
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.clicks.strips import strip_view
from webapp.clicks.tab import (
    ClicksState,
    choices,
    masks,
    on_answers,
    on_cluster,
    on_draw,
    on_go,
    on_open,
    read_answers,
    score_of,
)
from webapp.markup.render import render
from webapp.state.runs import RUNS
from webapp.state.session import Session


@pytest.fixture(scope="module")
def worded() -> Diagnosis:
    return add_words(make_showcase(480))


def drawn(diagnosis: Diagnosis) -> tuple[Session, ClicksState, str]:
    """A strip of the first cluster."""
    session = Session(RUNS.add(diagnosis))
    clicking, strip, _ = on_draw(session, ClicksState(session.run), 0, 0)
    return session, clicking, strip


def test_a_strip_holds_both_kinds_and_tells_neither_ids_nor_kinds(worded: Diagnosis) -> None:
    _, clicking, markup = drawn(worded)
    assert clicking.strip is not None
    assert len(clicking.strip) == 30
    assert 0 < clicking.strip.is_member.sum() < 30
    assert markup.count('<button type="button" class="clicks-thumb"') == 30
    assert not any(worded.samples.ids[row] in markup for row in clicking.strip.rows)
    assert "describe this sample?" in markup
    assert Tags(markup).attributes <= {
        "class",
        "tabindex",
        "aria-label",
        "type",
        "data-say",
        "data-undo",
        "aria-hidden",
        "role",
        "data-finish",
        "src",
        "alt",
    }
    for row, thumb in zip(clicking.strip.rows, markup.split('class="clicks-thumb"')[1:]):
        assert "loss" not in thumb.split("base64")[0], row


def test_honest_answers_give_the_share_and_say_that_the_words_describe_the_cluster(worded: Diagnosis) -> None:
    session, clicking, _ = drawn(worded)
    assert clicking.strip is not None
    answers = "".join("y" if member else "n" for member in clicking.strip.is_member)
    after, strip, judged = on_answers(session, clicking, press(answers=answers))
    assert after.strip is None
    assert strip == ""
    assert "holds for 100" in judged
    assert "describes the group" in judged
    assert judged.count('data-answer="y"') == int(clicking.strip.is_member.sum())


def test_answers_that_tell_nothing_say_so(worded: Diagnosis) -> None:
    session, clicking, _ = drawn(worded)
    _, _, judged = on_answers(session, clicking, press(answers="yn" * 15))
    assert "No difference shown between the group and the others" in judged
    session, clicking, _ = drawn(worded)
    _, _, judged = on_answers(session, clicking, press(answers="s" * 30))
    assert "Too few answers" in judged


@pytest.mark.parametrize("answers", [None, "", "y" * 29, "x" * 30, ["y"] * 30, 7])
def test_answers_that_do_not_fit_are_refused(worded: Diagnosis, answers: Any) -> None:
    _, clicking, _ = drawn(worded)
    with pytest.raises(InvalidInput, match="30 samples"):
        read_answers(clicking, answers)


def test_another_strip_is_another_draw(worded: Diagnosis) -> None:
    session, first, _ = drawn(worded)
    second, _, _ = on_draw(session, first, 0, 0)
    assert second.drawn == 2
    assert first.strip is not None
    assert second.strip is not None
    assert first.strip.rows.tolist() != second.strip.rows.tolist()


def test_only_clusters_with_words_and_pictures_can_be_judged(worded: Diagnosis) -> None:
    assert [cluster for _, cluster in choices(worded)] == [0]
    assert choices(make_diagnosis()) == []
    assert choices(add_words(make_diagnosis(with_images=False))) == []
    session = Session(RUNS.add(worded))
    for cluster, phrase in ((1, 0), (0, 4), (None, None), ("0", 0)):
        with pytest.raises(InvalidInput, match="Choose a group"):
            on_draw(session, ClicksState(), cluster, phrase)
    with pytest.raises(InvalidInput, match="No run is open"):
        on_draw(Session(), ClicksState(), 0, 0)


def test_the_tab_follows_the_open_run_and_keeps_a_strip_under_way(worded: Diagnosis) -> None:
    session, clicking, _ = drawn(worded)
    assert all("__type__" in str(part) for part in on_open(session, clicking))
    fresh, clusters, phrases, *_ = on_open(Session(session.run, cluster=0), ClicksState("another"))
    assert fresh.run == session.run
    assert clusters["value"] == 0
    assert phrases["choices"][0] == ("in the dark", 0)
    assert "No group to judge" in on_open(Session(RUNS.add(make_diagnosis())), ClicksState())[3]
    nothing = on_open(Session(RUNS.add(make_diagnosis(n_clusters=0))), ClicksState())[3]
    assert "would usually be found (33 of 40 planted)" in nothing
    assert on_cluster(session, 1)["value"] is None


def test_a_cluster_s_pane_leads_to_the_tab(worded: Diagnosis) -> None:
    session = Session(RUNS.add(worded), cluster=0)
    tabs, clicking, *_ = on_go(session, ClicksState(), press(do="clicks"))
    assert tabs["selected"] == "clicks"
    assert clicking.cluster == 0
    assert all("__type__" in str(part) for part in on_go(session, ClicksState(), press(do="more")))


def test_a_strip_of_another_run_is_not_judged(worded: Diagnosis) -> None:
    _, clicking, _ = drawn(worded)
    with pytest.raises(InvalidInput, match="Draw one first"):
        on_answers(Session(RUNS.add(worded)), clicking, press(answers="y" * 30))


def test_the_scope_of_a_candidate_in_a_class_is_that_class(worded: Diagnosis) -> None:
    _, scope = masks(worded, worded.candidates[0])
    assert worded.samples.labels is not None
    np.testing.assert_array_equal(scope, worded.samples.labels == worded.samples.class_names.index("tram"))
    assert np.isfinite(score_of(worded, 0)).all()


def test_a_strip_of_clips_is_called_so_and_scans_are_told_why_they_have_none(worded: Diagnosis) -> None:
    clips = replace(worded, samples=replace(worded.samples, modality="clip"))
    strip = Strip(np.arange(2), np.array([True, False]), ())
    assert 'aria-label="Clip 1"' in strip_view(clips, strip, "in the dark")
    said = render("clicks/nothing.html.j2", sensitivity="", wordless=True)
    assert "scan encoder knows no words" in said
    assert "images or texts" not in said
