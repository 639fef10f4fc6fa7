"""An enlarged clip says when it looks like a text."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from core.files import ASSETS
from core.records import EVERYTHING, Diagnosis
from core.store import load
from tests.support.diagnoses import make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.explore import moments
from webapp.explore.moments import first_text, moment_card
from webapp.explore.tab import describe
from webapp.state.runs import RUNS

HOSTILE = 'a star"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def clips() -> Diagnosis:
    return load(ASSETS / "examples" / "clips" / "run.errata")


def test_the_first_text_is_the_phrase_of_the_clips_cluster_else_one_of_all_samples(clips: Diagnosis) -> None:
    phrase = next(i for i in clips.insights if i.kind == "phrase")
    phrase = replace(phrase, cluster=None, scope=EVERYTHING, confirmed=True, p=0.01)
    member = int(clips.clusters[0].membership.argmax())
    own = replace(phrase, text="in a cluster", cluster=clips.clusters[0].id)
    assert first_text(replace(clips, insights=(phrase, own)), member) == "in a cluster"
    inside, outside = int(phrase.mask.argmax()), int(phrase.mask.argmin())
    alone = replace(clips, clusters=(), insights=(phrase,))
    assert first_text(alone, inside) == phrase.text
    assert first_text(alone, outside) == ""
    assert first_text(make_diagnosis(), 0) is None
    assert first_text(replace(clips, words=None), member) is None


def test_a_text_is_drawn_from_what_the_run_keeps_and_stays_text(clips: Diagnosis) -> None:
    run = RUNS.add(clips)
    large, drawn = describe([run, 3, True]), describe([run, 3, True, HOSTILE])
    assert large is not None
    assert drawn is not None
    assert large["moving"]
    assert isinstance(large["moments"], str)
    shown = Tags(drawn["moment"])
    assert "Most like “a star" in shown.text
    assert "onerror" not in shown.attributes
    assert "<svg" in drawn["moment"]
    assert "<table>" in drawn["moment"]  # the same figures as text


@pytest.mark.parametrize(("text", "why"), [("  ", "text is empty"), ("x" * 301, "300 are allowed")])
def test_what_is_no_text_is_refused_in_its_place(clips: Diagnosis, text: str, why: str) -> None:
    assert why in moment_card(clips, 0, text)["moment"]


def test_a_run_without_clips_and_a_busy_server_say_so(clips: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Only of clips" in moment_card(make_diagnosis(), 0, "red")["moment"]
    monkeypatch.setattr(moments, "_turn", threading.BoundedSemaphore(1))
    monkeypatch.setattr(moments, "PATIENCE_S", 0.01)
    moments._turn.acquire()
    assert moments.BUSY in moment_card(clips, 0, "red")["moment"]
    moments._turn.release()
    assert "Most like" in moment_card(clips, 0, "red")["moment"]
