"""What a program may put where a file belongs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gradio.utils import get_upload_folder
from starlette.types import Message

from tests.webapp.server.test_hosts import ask
from webapp.server.arguments import MAX_UNREAD, foreign_file, read_body
from webapp.server.asked import Refusal
from webapp.state.uploads import UPLOADS

META = {"_type": "gradio.FileData"}
OWN = str(Path(get_upload_folder()).absolute() / f"ab12-{os.getpid()}" / "table.csv")
"""Of this process alone: the parts of a suite run side by side."""


@pytest.fixture(autouse=True)
def own_upload() -> Iterator[None]:
    """A file where `OWN` says."""
    folder = Path(OWN).parent
    folder.mkdir(parents=True, exist_ok=True)
    Path(OWN).write_text("loss\n1\n")
    yield
    shutil.rmtree(folder, ignore_errors=True)


def refused(*data: Any) -> bool:
    return foreign_file({"data": list(data), "fn_index": 1}, ask("127.0.0.1:7860")) is not None


def refusal_of(body: bytes, events: Container[int] = (0, 1)) -> Refusal | None:
    """What the whole body is refused for."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    read, refusal = asyncio.run(read_body(ask("localhost"), receive, lambda _: events))
    assert read == body
    return refusal


@pytest.mark.parametrize(
    "path",
    [
        "http://evil.example/x",
        "HTTPS://evil.example/x",
        "ftp://evil.example",
        "file:///etc/passwd",
        "//evil.example/share",
        "\\\\evil.example\\share",
        "/etc/passwd",
        "table.csv",
        "",
        "~/table.csv",
        "{own}/../../../etc/passwd",
        "{own}\0",
        "{uploads}",
        "{folder}",
        "{uploads}/x.csv",
        "{own}/y.csv",
        "data:text/csv,a",
        "http://[::1",
    ],
)
@pytest.mark.parametrize(
    "wrap", [lambda f: f, lambda f: [f], lambda f: {"a": {"b": [[f]]}}], ids=["bare", "list", "deep"]
)
def test_an_address_or_another_path_is_no_file_argument(path: str, wrap: Any) -> None:
    path = path.format(own=OWN, folder=Path(OWN).parent, uploads=Path(OWN).parents[1])
    assert refused(wrap({"path": path}))
    assert refused(wrap({"path": path, "meta": META, "orig_name": "x"}))


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/gradio_api/file=/x",
        "//evil.example/gradio_api/file=x",
        "http://127.0.0.1@evil.example/gradio_api/file=x",
        "ftp://127.0.0.1/gradio_api/file=x",
        "/other",
        "http://[::1/gradio_api/file=x",
    ],
)
def test_an_address_elsewhere_is_refused_beside_an_upload_and_alone(url: str) -> None:
    assert refused({"path": OWN, "url": url})
    assert refused({"url": url, "meta": META})


def test_an_upload_passes_with_the_address_that_the_page_shows_it_at() -> None:
    assert not refused({"path": OWN, "url": f"http://127.0.0.1:7860/gradio_api/file={OWN}", "meta": META}, None, {})
    assert not refused({"path": OWN}, {"path": None, "url": None}, {"path": 7}, "http://evil.example", [1, {"a": "b"}])


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[" * 100_000, b"\xff\xfe\xfd", b"1" * 5000, b"a=1&b=2"),
        *(b'{"data": [NaN]}', b'{"data": [1e999]}', b'{"fn_index": -Infinity}', b'{"session_hash": "\\ud800"}'),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_one_sentence(body: bytes) -> None:
    refusal = refusal_of(body)
    assert refusal is not None
    assert (refusal.status, "one JSON document" in refusal.text) == (400, True)


def test_a_file_is_of_the_visit_whose_call_names_it() -> None:
    UPLOADS.add("", Path(OWN))
    for visit in ("another", "ann"):
        data = [{"path": OWN}] if visit == "ann" else []
        assert refusal_of(json.dumps({"data": data, "session_hash": visit}).encode()) is None
    UPLOADS.release("another")
    assert Path(OWN).exists()
    UPLOADS.release("ann")
    assert not Path(OWN).exists()


@pytest.mark.parametrize("number", [2, -1, 10**400, 1.0, True, "1", [1], {"a": 1}])
def test_an_event_that_the_page_does_not_have_is_refused(number: Any) -> None:
    refusal = refusal_of(json.dumps({"data": [], "fn_index": number}).encode())
    assert refusal is not None
    assert (refusal.status, "number of an event" in refusal.text) == (400, True)
    assert len(refusal.text) < 200


@pytest.mark.parametrize("said", [{"data": [], "fn_index": 1}, {"data": [], "fn_index": None}, {"data": []}, [1], None])
def test_an_event_of_the_page_passes_and_a_call_by_name(said: Any) -> None:
    assert refusal_of(json.dumps(said).encode()) is None


def test_the_message_names_the_value_in_plain_letters() -> None:
    refusal = foreign_file({"data": [{"path": "\x1b[31m\ud800" + "x" * 500}]}, ask("localhost"))
    assert refusal is not None
    assert refusal.text.isascii()
    assert refusal.text.isprintable()
    assert len(refusal.text) < 400


@pytest.mark.parametrize("name", ["x" * 65, "\U0001f600", "", "a b", "../x", 7, ["a"], {}])
def test_a_visit_is_called_by_a_short_plain_name(name: Any) -> None:
    found = refusal_of(json.dumps({"data": [], "session_hash": name}).encode())
    assert found is not None
    assert found.status == 400
    assert "session_hash" in found.text
    assert len(found.text) < 400
    assert refusal_of(json.dumps({"data": [], "session_hash": "a" * 64}).encode()) is None


@pytest.mark.parametrize(("path", "status"), [("queue/join", 429), ("call/report", 429), ("cancel", 200)])
def test_a_visit_that_fetches_no_answer_may_not_go_on_asking(path: str, status: int) -> None:
    body = json.dumps({"data": [], "session_hash": "ann"}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    asked = replace(ask("localhost"), method="POST", path=f"/gradio_api/{path}")
    for n, expected in ((MAX_UNREAD - 1, 200), (MAX_UNREAD, status)):
        _, refusal = asyncio.run(read_body(asked, receive, lambda _: (), {"ann": {str(i) for i in range(n)}}))
        assert (refusal.status if refusal else 200) == expected
