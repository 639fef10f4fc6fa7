"""The route of images, asked from outside."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import gradio as gr
import httpx
import pytest

from core.records import Diagnosis
from webapp.markup.images import encode_image, picture, version_of
from webapp.server import accounts, images
from webapp.server.accounts import Accounts
from webapp.server.page import SafeBlocks
from webapp.server.rules import WebRules
from webapp.server.settings import launch_settings
from webapp.state.runs import RUNS


@contextmanager
def serving(rules: WebRules) -> Generator[str]:
    with SafeBlocks(analytics_enabled=False) as demo:
        gr.HTML("")
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings(rules))
    yield address
    demo.close()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with serving(WebRules()) as address:
        yield address


def test_an_image_is_sent_and_may_be_kept_by_the_browser_alone(served: str, diagnosis: Diagnosis) -> None:
    held = RUNS.get(RUNS.add(diagnosis))
    answer = httpx.get(served + picture(held, 5))
    assert answer.status_code == 200
    assert (answer.content, answer.headers["content-type"]) == encode_image(held, 5, "image")
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "set-cookie" not in answer.headers


def test_only_a_link_opens_an_image_and_every_other_address_gets_the_same_answer(
    served: str, diagnosis: Diagnosis
) -> None:
    run = RUNS.add(diagnosis)
    link = RUNS.link(run)
    version = version_of(diagnosis)
    good = f"{link}/5/image?v={version}"
    wrong = [
        good.replace(link, run),  # its own id allows changes, so it stands in no address
        good.replace(link, "A" * 22),
        good.replace(link, "..%2F..%2Fetc%2Fpasswd"),
        good.replace(link, "%00"),
        good.replace("/5/", "/60/"),
        good.replace("/5/", "/-1/"),
        good.replace("/5/", "/5.0/"),
        good.replace("/5/", f"/{'9' * 400}/"),
        good.replace("/5/", "/%D9%A5/"),
        good.replace("/image", "/original"),
        good.replace(version, "0" * 12),
        good.partition("?")[0],
    ]
    where = f"{served}run-image/"
    assert httpx.get(where + good).status_code == 200
    answers = {(answer.status_code, answer.text) for answer in (httpx.get(where + path) for path in wrong)}
    assert answers == {(404, httpx.get(f"{served}nowhere").text)}
    assert httpx.post(where + good).status_code == 404
    RUNS.remove(run)
    assert httpx.get(where + good).text == httpx.get(f"{served}nowhere").text


def test_however_many_are_asked_for_only_a_few_are_drawn_at_a_time(
    served: str, diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[int]()
    now = list[int]()

    def slow(*of: Any) -> tuple[bytes, str]:
        now.append(1)
        drawn.append(len(now))
        time.sleep(0.05)
        now.pop()
        return b"image", "image/webp"

    monkeypatch.setattr(images, "encode_image", slow)
    held = RUNS.get(RUNS.add(diagnosis))
    addresses = [served + picture(held, row) for row in range(20)]
    with ThreadPoolExecutor(20) as browsers:
        assert {answer.content for answer in browsers.map(httpx.get, addresses)} == {b"image"}
    assert len(drawn) == 20
    assert max(drawn) <= images.MAX_AT_ONCE


def test_an_image_has_the_rules_of_the_page(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "COST", {"n": 2, "r": 1, "p": 1})
    known = Accounts({"ada": accounts.hash_password("right-password")})
    path = picture(RUNS.get(RUNS.add(diagnosis)), 5)
    with serving(WebRules(accounts=known)) as address, httpx.Client(base_url=address) as browser:
        assert browser.get(path).status_code == 401
        browser.post("login", data={"username": "ada", "password": "right-password"})
        assert browser.get(path).status_code == 200
        assert browser.get(path, headers={"Host": "evil.example"}).status_code == 421
        other = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Referer": "https://evil.example/"}
        assert browser.get(path, headers=other).status_code == 403


@pytest.mark.parametrize("strips", [True, False])
def test_an_image_is_found_below_a_root_path(diagnosis: Diagnosis, strips: bool) -> None:
    path = picture(RUNS.get(RUNS.add(diagnosis)), 5)
    with serving(WebRules(behind_proxy=True, root_path="/errata")) as address:
        below = path if strips else f"errata/{path}"  # what a proxy makes of /errata/run-image/...
        assert httpx.get(address + below).status_code == 200
