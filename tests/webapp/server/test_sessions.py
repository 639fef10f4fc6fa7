"""Which visits are remembered, and what of them."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from webapp.app import build_app
from webapp.server.sessions import CLOSED_S, MAX_UNREAD_VISITS, Sessions, SmallSession
from webapp.state.quotas import AT_HOME, quotas, set_quotas


@pytest.fixture(autouse=True)
def three() -> Iterator[None]:
    before = quotas()
    set_quotas(replace(AT_HOME, max_sessions=3))
    yield
    set_quotas(before)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    return build_app(examples=tmp_path_factory.mktemp("none"))


@pytest.fixture
def forgotten() -> list[str]:
    return []


@pytest.fixture
def sessions(page: gr.Blocks, forgotten: list[str]) -> Sessions:
    return Sessions(page, forgotten.append)


def test_a_session_keeps_no_copy_of_the_page(page: gr.Blocks) -> None:
    session = SmallSession(page)
    for key, block in page.blocks.items():
        if isinstance(block, gr.HTML):
            session._update_value_in_config(key, "x" * 10_000)
            session._update_config(key)
    assert len(pickle.dumps((session.config_values, session.state_data))) < 1000


def test_a_state_is_kept_by_its_session_alone(page: gr.Blocks, sessions: Sessions) -> None:
    key = next(key for key, block in page.blocks.items() if isinstance(block, gr.State))
    sessions["ann"][key] = "hers"
    assert sessions["ann"][key] == "hers"
    assert sessions["ben"][key] != "hers"


def test_a_flood_of_requests_without_a_page_drops_no_visitor_who_has_one(sessions: Sessions) -> None:
    sessions.opened("ann", "1.1.1.1")
    assert sessions["ann"]
    for i in range(50):
        assert sessions[f"flood{i}"]
    assert list(sessions.session_data) == ["ann", "flood48", "flood49"]


def test_of_open_pages_those_of_the_address_with_the_most_go_first(sessions: Sessions, forgotten: list[str]) -> None:
    sessions.opened("ann", "1.1.1.1")
    assert sessions["ann"]
    for i in range(5):
        sessions.opened(f"flood{i}", "6.6.6.6")
        assert sessions[f"flood{i}"]
    assert list(sessions.session_data) == ["ann", "flood3", "flood4"]
    assert forgotten == ["flood0", "flood1", "flood2"]


def test_a_closed_page_goes_before_an_open_one(sessions: Sessions) -> None:
    for name in ("ann", "ben", "cy"):
        sessions.opened(name, name)
        assert sessions[name]
    sessions.closed("cy")
    assert sessions["dee"]
    assert list(sessions.session_data) == ["ann", "ben", "dee"]


def test_a_clock_that_was_set_ahead_ends_no_state(page: gr.Blocks) -> None:
    now = [0.0]
    session = SmallSession(page, clock=lambda: now[0])
    key = next(key for key, block in page.blocks.items() if isinstance(block, gr.State) and block.time_to_live)
    session[key] = "kept"
    assert [over for _, _, over in session.state_components] == [False]
    session.is_closed = True
    now[0] = CLOSED_S + 1
    assert [over for _, _, over in session.state_components] == [True]


def test_a_session_that_goes_deletes_its_run(page: gr.Blocks, sessions: Sessions, tmp_path: Path) -> None:
    dropped: list[object] = []
    key, state = next((key, block) for key, block in page.blocks.items() if isinstance(block, gr.State))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "delete_callback", dropped.append)
        sessions["ann"][key] = "her run"
        for i in range(3):
            assert sessions[f"flood{i}"]
    assert dropped == ["her run"]


def test_a_page_that_connects_anew_before_it_lets_go_is_still_open(sessions: Sessions) -> None:
    sessions.opened("ann", "1.1.1.1")
    session = sessions["ann"]
    sessions.opened("ann", "2.2.2.2")
    session.is_closed = True  # what Gradio does where the first heartbeat ends
    sessions.closed("ann")
    assert not session.is_closed
    for i in range(5):
        assert sessions[f"flood{i}"]
    assert "ann" in sessions.session_data
    sessions.closed("ann")
    assert session.is_closed
    for i in range(3):
        assert sessions[f"more{i}"]
    assert "ann" not in sessions.session_data


def test_answers_that_nobody_fetches_go_with_their_session(sessions: Sessions, page: gr.Blocks) -> None:
    queue = page._queue
    for i in range(5):
        queue.pending_messages_per_session[f"visit{i}"] = asyncio.Queue()
        queue.pending_event_ids_session[f"visit{i}"] = {"event"}
        assert sessions[f"visit{i}"]
    assert (
        list(queue.pending_messages_per_session) == list(queue.pending_event_ids_session) == list(sessions.session_data)
    )
    assert queue.pending_messages_per_session.max_size == MAX_UNREAD_VISITS
