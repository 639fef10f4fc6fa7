"""Thirty clicks: the images tell nothing, and the answers come back as a judgment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checks.clicks import Strip
from core.errors import InvalidInput
from core.records import ClusterName, Diagnosis
from tests.support.diagnoses import make_diagnosis
from tests.support.showcase import add_words, make_showcase
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.address import OpenedAddress, on_go
from webapp.clicks.judging import answer, claims_of, clicks_view, draw, masks, score_of, strip_view
from webapp.explore.picked import on_act
from webapp.state.query import query_of
from webapp.state.runs import RUNS
from webapp.state.session import Clicks, Session

TWO = Clicks(0, 0, Strip(np.arange(2), np.array([True, False]), ()), "--")


@pytest.fixture(scope="module")
def worded() -> Diagnosis:
    return add_words(make_showcase(480))


def drawn(diagnosis: Diagnosis) -> tuple[Session, Strip, str]:
    """Images of the first cluster, as its pane draws them."""
    session, pane, _ = on_act(Session(RUNS.add(diagnosis), cluster=0), press(do="clicks"))
    assert session.clicks is not None
    return session, session.clicks.strip, str(pane)


def judged(session: Session, answers: str) -> tuple[Session, str]:
    """The pane after the answers."""
    session, pane, _ = on_act(session, press(do="judge", answers=answers))
    return session, str(pane)


def test_a_strip_holds_both_kinds_and_tells_neither_ids_nor_kinds(worded: Diagnosis) -> None:
    session, strip, pane = drawn(worded)
    markup = clicks_view(session, RUNS.get(session.run))
    assert markup in pane
    assert len(strip) == 30
    assert 0 < strip.is_member.sum() < 30
    assert markup.count('<button type="button" class="clicks-thumb"') == 30
    assert not any(worded.samples.ids[row] in pane for row in strip.rows)  # nor does a gallery beside it
    assert "describe this image?" in markup
    assert Tags(markup).attributes <= {
        "class",
        "tabindex",
        "aria-label",
        "type",
        "data-say",
        "data-undo",
        "data-claim",
        "value",
        "selected",
        "aria-hidden",
        "role",
        "data-finish",
        "data-strip",
        "data-answers",
        "src",
        "alt",
    }
    for row, thumb in zip(strip.rows, markup.split('class="clicks-thumb"')[1:]):
        assert "loss" not in thumb.split("base64")[0], row


def test_honest_answers_give_the_share_and_say_that_the_words_describe_the_cluster(worded: Diagnosis) -> None:
    session, strip, _ = drawn(worded)
    session, pane = judged(session, "".join("y" if member else "n" for member in strip.is_member))
    assert "holds for 100" in pane
    assert "describes the group" in pane
    assert pane.count('data-answer="y"') == int(strip.is_member.sum())
    assert 'role="tabpanel"' in pane  # the group's own images are back
    _, pane, _ = on_act(session, press(do="cluster", cluster=0))
    assert "holds for 100" not in pane


def test_answers_that_tell_nothing_say_so(worded: Diagnosis) -> None:
    session, _, _ = drawn(worded)
    _, pane = judged(session, "yn" * 15)
    assert "No difference shown between the group and the others" in pane
    session, _, _ = drawn(worded)
    _, pane = judged(session, "s" * 30)
    assert "Too few answers" in pane


@pytest.mark.parametrize("answers", [None, "", "y" * 29, "x" * 30, ["y"] * 30, 7])
def test_answers_that_do_not_fit_are_refused(worded: Diagnosis, answers: Any) -> None:
    session, _, _ = drawn(worded)
    with pytest.raises(InvalidInput, match="30 samples"):
        answer(session, answers)


def test_another_strip_is_another_draw_and_another_group_closes_it(worded: Diagnosis) -> None:
    session, first, _ = drawn(worded)
    again, _, _ = on_act(session, press(do="clicks", claim="0"))
    assert again.clicks is not None
    assert again.clicks.strip.rows.tolist() != first.rows.tolist()
    with pytest.raises(InvalidInput, match="Is the title right"):
        answer(again.only(cluster=1), "y" * 30)


def test_only_clusters_with_words_and_pictures_can_be_judged(worded: Diagnosis) -> None:
    assert "in the dark" in [claim.text for claim in claims_of(worded, worded.clusters[0])]
    without = add_words(make_diagnosis(with_images=False))
    assert claims_of(without, without.clusters[0]) == []
    assert claims_of(worded, worded.candidates[0]) == []
    session = Session(RUNS.add(worded), cluster=0)
    for asked, claim in ((session, 40), (session, -1), (session.only(candidate=0), 0), (session.only(), 0)):
        with pytest.raises(InvalidInput, match="can be judged"):
            draw(asked, worded, claim)
    assert 'data-do="clicks"' in on_act(session, press(do="cluster", cluster=0))[1]
    assert 'data-do="clicks"' not in on_act(session, press(do="candidate", candidate=0))[1]


def test_a_title_from_a_column_is_judged_itself_and_its_phrases_are_offered(worded: Diagnosis) -> None:
    condition = next(i for i in worded.insights if i.kind == "condition")
    cluster = next(c for c in worded.clusters if c.id == condition.cluster)
    name = ClusterName("Dark <trams>", "condition", grade="likely", words=(condition.text,))
    titled = replace(cluster, called=name)
    first, *others = claims_of(worded, titled)
    assert first.text == "Dark <trams>"
    np.testing.assert_array_equal(score_of(worded, first.insight), condition.mask)
    assert all(claim.insight.kind == "phrase" for claim in others)
    guessed = replace(cluster, called=replace(name, grade="perhaps"))
    assert all(claim.insight.kind == "phrase" for claim in claims_of(worded, guessed))
    markup = strip_view(worded, TWO, [first.text, "b"])
    assert "Dark &lt;trams&gt;" in markup
    assert "<trams>" not in markup


def test_the_scope_of_a_candidate_in_a_class_is_that_class(worded: Diagnosis) -> None:
    _, scope = masks(worded, worded.candidates[0])
    assert worded.samples.labels is not None
    np.testing.assert_array_equal(scope, worded.samples.labels == worded.samples.class_names.index("tram"))
    assert np.isfinite(score_of(worded, claims_of(worded, worded.clusters[0])[0].insight)).all()


def test_a_strip_of_clips_is_called_so(worded: Diagnosis) -> None:
    clips = replace(worded, samples=replace(worded.samples, modality="clip"))
    assert 'aria-label="Clip 1"' in strip_view(clips, TWO, ["in the dark"])


def reloaded(session: Session, clicks: str) -> str:
    """The pane of a page that opens the session's address with these answers."""
    query = {**query_of(session), "clicks": clicks}
    answered = on_go(Session(), session.run, [], press(query=query, own=[session.run], back=True))
    return OpenedAddress(*answered).pane["value"]


def test_answers_outlive_a_reload_half_way_and_judged(worded: Diagnosis) -> None:
    session, strip, pane = drawn(worded)
    stem = query_of(session)["clicks"].rstrip("-")
    half = reloaded(session, f"{stem}{'ynsyn' * 3}{'-' * 15}")
    assert f'data-answers="{"ynsyn" * 3}{"-" * 15}"' in half
    assert half.split("clicks-grid")[1] == pane.split("clicks-grid")[1]  # the same images in the same order
    session, pane = judged(session, "".join("y" if member else "n" for member in strip.is_member))
    assert "holds for 100" in reloaded(session, query_of(session)["clicks"])


@pytest.mark.parametrize("clicks", ["x", "0.1.yy", f"77.1.{'y' * 30}", f"0.1.{'y' * 29}z"])
def test_answers_of_an_address_that_do_not_fit_are_named(
    worded: Diagnosis, clicks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()
    monkeypatch.setattr("webapp.address.gr.Warning", lambda text, **_: said.append(text))
    session, _, _ = drawn(worded)
    assert "clicks-grid" not in reloaded(session, clicks)
    assert said
    assert said[0].endswith("The run is open without it.")
