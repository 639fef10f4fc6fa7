"""What the browser is sent of the page's parts, and what programs are told of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest

from webapp.server.headers import EARLY, hashes_of
from webapp.server.page import TOLD_TO_PROGRAMS, SafeBlocks
from webapp.server.settings import launch_settings


def said(file: str | None, name: str) -> str:
    return f"{file} {name}"


def page_of(kind: type[gr.Blocks]) -> gr.Blocks:
    with kind(analytics_enabled=False) as demo:
        file, name, mine = gr.File(label="table"), gr.Textbox(label="name"), gr.File(label="mine")
        gr.Button().click(said, [file, name], name, api_name="say")
        gr.Button().click(said, [mine, name], name, api_visibility="undocumented", api_name="hidden")
        gr.Button().click(said, [gr.File(label="own"), name], name, api_visibility="private", api_name="own")
    return demo


@pytest.mark.parametrize("all_endpoints", [False, True])
def test_programs_are_told_what_gradio_tells_them(all_endpoints: bool) -> None:
    ours, theirs = (page_of(kind).get_api_info(all_endpoints=all_endpoints) for kind in (SafeBlocks, gr.Blocks))
    assert ours == theirs
    assert ("/hidden" in ours["named_endpoints"]) == all_endpoints


def test_a_part_that_no_program_meets_is_not_described_for_programs() -> None:
    components = page_of(SafeBlocks).get_config_file()["components"]
    described = {c["props"].get("label") for c in components if any(name in c for name in TOLD_TO_PROGRAMS)}
    assert described == {"table", "name", "mine"}
    own = next(c for c in components if c["props"].get("label") == "own")
    assert own["props"]["name"] == "file"  # as ever otherwise


def test_a_server_that_is_slow_to_answer_itself_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    demo = page_of(SafeBlocks)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    try:
        assert httpx.get(f"{address}gradio_api/info", timeout=60).status_code == 200
    finally:
        demo.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where such a page is served."""
    demo = page_of(SafeBlocks)
    yield demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())[1]
    demo.close()


def test_our_first_script_stands_before_all_others(address: str) -> None:
    answer = httpx.get(address, headers={"accept-encoding": "identity"})
    assert answer.content.index(EARLY) < answer.content.index(b"window.gradio_config")
    assert answer.content.partition(EARLY)[0].endswith(b"<head><script>")
    assert answer.headers["content-security-policy"].count("sha256-") == len(hashes_of(answer.content).split())
    assert hashes_of(b"<script>" + EARLY + b"</script>") in answer.headers["content-security-policy"]


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_the_page_is_compressed_as_the_browser_takes_it(address: str, coding: str) -> None:
    plain, answer = (httpx.get(address, headers={"accept-encoding": how}) for how in ("identity", f"{coding}, zstd"))
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == (coding, "Accept-Encoding")
    assert int(answer.headers["content-length"]) < len(plain.content) / 2
    assert answer.headers["content-security-policy"] == plain.headers["content-security-policy"]
    assert answer.content == plain.content


@pytest.mark.parametrize("asked", ["br;q=0", "br; q=0.000, GZIP;q=0", "brotli", "*", ""])
def test_what_a_browser_does_not_take_it_is_not_sent(address: str, asked: str) -> None:
    answers = [httpx.get(f"{address}{path}", headers={"accept-encoding": asked}) for path in ("", "theme.css")]
    taken = httpx.get(address, headers={"accept-encoding": "br;q=0, GZIP;q=0.001"})
    assert [(answer.status_code, "content-encoding" in answer.headers) for answer in answers] == [(200, False)] * 2
    assert taken.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("wrong", [{"path": None}, {"path": 7, "meta": {"_type": "gradio.FileData"}}, 5, "x", [], {}])
def test_a_program_is_told_which_argument_is_no_file(address: str, wrong: object) -> None:
    begun = httpx.post(f"{address}gradio_api/call/say", json={"data": [wrong, "me"]}).json()
    told = httpx.get(f"{address}gradio_api/call/say/{begun['event_id']}", timeout=60).text
    event, data = told.strip().splitlines()[-2:]
    assert event == "event: error"
    assert re.sub(r"\W", "", f"table is {wrong}") in re.sub(r"\W", "", data)
    assert "Upload the file to /gradio_api/upload" in data
