"""Uploads against the quotas, through Gradio's own parser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from webapp.server import uploads
from webapp.server.routes import UPLOAD
from webapp.server.uploads import CountedUploads, take_files_only
from webapp.state.quotas import SHARED, quotas, set_quotas
from webapp.state.uploads import Uploads


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Uploads]:
    """A ledger of its own, and room for 3 MiB."""
    before, ledger = quotas(), Uploads()
    set_quotas(replace(SHARED, max_own_upload_bytes=3 * 2**20, min_free_bytes=0))
    monkeypatch.setattr(uploads, "UPLOADS", ledger)
    yield ledger
    set_quotas(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.fixture
def app(folder: Path) -> CountedUploads:
    with gr.Blocks() as demo:
        gr.File()
    demo.max_file_size = None  # as `launch` sets it
    return CountedUploads(gr.routes.App.create_app(demo))


def files_in(folder: Path) -> list[Path]:
    return [Path(root) / name for root, _, names in os.walk(folder) for name in names]


def test_what_fits_is_taken_in_and_counted(app: CountedUploads, held: Uploads, folder: Path) -> None:
    said = TestClient(app).post(UPLOAD, files={"files": ("a.csv", b"x" * 2**20)})
    assert said.status_code == 200
    assert [str(path) for path in files_in(folder)] == said.json()
    assert "1 GiB" not in held.refusal("testclient", 2**20)
    assert "Your files" in held.refusal("testclient", 2 * 2**20 + 1)


def test_what_is_too_much_is_one_message_and_leaves_nothing(app: CountedUploads, held: Uploads, folder: Path) -> None:
    said = TestClient(app).post(UPLOAD, files={"files": ("a.csv", b"x" * (4 * 2**20))})
    assert said.status_code == 400
    assert "Your files" in said.text
    assert "Delete my data now" in said.text
    assert files_in(folder) == []
    assert held.refusal("testclient", 3 * 2**20) == ""


BODY = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'


def send(
    app: CountedUploads, parts: Iterable[Message], headers: list[tuple[bytes, bytes]], root: str = ""
) -> list[Message]:
    """What is answered to a body that comes in these parts."""
    waiting, answered = iter(parts), list[Message]()

    async def receive() -> Message:
        return next(waiting)

    async def answer(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": root + UPLOAD,
        "raw_path": (root + UPLOAD).encode(),
        "query_string": b"",
        "root_path": root,
        "scheme": "http",
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("6.6.6.6", 1),
        "headers": [*headers, (b"host", b"127.0.0.1"), (b"content-type", b"multipart/form-data; boundary=b")],
    }
    asyncio.run(app(scope, receive, answer))
    return answered


def chunk(content: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_body_without_a_length_is_counted_as_it_comes(app: CountedUploads, held: Uploads, folder: Path) -> None:
    parts = [chunk(BODY), *(chunk(b"x" * 2**19) for _ in range(20)), chunk(b"\r\n--b--\r\n", more=False)]
    answered = send(app, parts, [])
    assert answered[0]["status"] == 400
    assert files_in(folder) == []


def test_a_length_that_lies_is_no_way_round(app: CountedUploads, held: Uploads, folder: Path) -> None:
    parts = [chunk(BODY), *(chunk(b"x" * 2**19) for _ in range(20)), chunk(b"\r\n--b--\r\n", more=False)]
    assert send(app, parts, [(b"content-length", b"9")])[0]["status"] == 400
    assert files_in(folder) == []


def test_an_upload_that_is_broken_off_leaves_nothing(app: CountedUploads, held: Uploads, folder: Path) -> None:
    send(app, [chunk(BODY), chunk(b"x" * 2**19), {"type": "http.disconnect"}], [])
    assert files_in(folder) == []
    assert held.refusal("6.6.6.6", 3 * 2**20) == ""


@pytest.mark.parametrize("ends", [b"", b"\r\n--b", b"\r\n--b\r\n"])
def test_a_body_without_its_last_boundary_is_refused_and_leaves_nothing(
    ends: bytes, app: CountedUploads, held: Uploads, folder: Path
) -> None:
    take_files_only()
    whole = BODY + b"whole\r\n" + BODY.replace(b"a.csv", b"b.csv") + b"cut"
    answered = send(app, [chunk(whole + ends, more=False)], [])
    assert answered[0]["status"] == 400
    assert b"upload was incomplete" in answered[1]["body"]
    assert files_in(folder) == []
    assert held.paths() == []


FIELD = BODY + b'a\r\n--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "boundary", "said"),
    [(FIELD, b"b", b"Add a filename to each part"), (b"", b"b" * 60_000, b"Shorten it")],
    ids=["a field", "a boundary"],
)
def test_an_upload_that_is_no_list_of_files_is_one_message_and_leaves_nothing(
    body: bytes, boundary: bytes, said: bytes, app: CountedUploads, held: Uploads, folder: Path
) -> None:
    take_files_only()
    answered = send(app, [chunk(body, more=False)], [(b"content-type", b"multipart/form-data; boundary=" + boundary)])
    assert answered[0]["status"] == 400
    assert said in answered[1]["body"]
    assert files_in(folder) == []


def many(n: int, name: str = "a") -> bytes:
    head = '--b\r\nContent-Disposition: form-data; name="files"; filename="%s%d.csv"\r\n\r\n%s%d\r\n'
    return "".join(head % (name, i, name, i) for i in range(n)).encode() + b"--b--\r\n"


def test_behind_a_root_path_uploads_are_counted_too(app: CountedUploads, held: Uploads, folder: Path) -> None:
    parts = [chunk(BODY), *(chunk(b"x" * 2**19) for _ in range(20)), chunk(b"\r\n--b--\r\n", more=False)]
    answered = send(app, parts, [], root="/errata")
    assert answered[0]["status"] == 400
    assert files_in(folder) == []


def test_more_files_than_one_visitor_may_hold_are_refused_as_they_come_and_leave_nothing(
    app: CountedUploads, held: Uploads, folder: Path
) -> None:
    take_files_only()
    set_quotas(replace(quotas(), max_own_uploads=5))
    answered = send(app, [chunk(many(6)), chunk(b"never read", more=False)], [])
    assert answered[0]["status"] == 400
    assert b"5 files here" in answered[1]["body"]
    assert files_in(folder) == []
    assert send(app, [chunk(many(5), more=False)], [])[0]["status"] == 200
    assert len(files_in(folder)) == 5
    assert b"5 files here" in send(app, [chunk(many(1, "z"), more=False)], [])[1]["body"]


def test_files_of_requests_in_flight_count_against_each_other(app: CountedUploads, held: Uploads, folder: Path) -> None:
    take_files_only()
    set_quotas(replace(quotas(), max_own_uploads=5))
    within = list[Message]()

    def parts() -> Iterator[Message]:
        yield chunk(many(4)[: -len(b"--b--\r\n")])
        with ThreadPoolExecutor(1) as another:
            within.extend(another.submit(send, app, [chunk(many(2, "z"), more=False)], []).result())
        yield chunk(b"--b--\r\n", more=False)

    assert send(app, parts(), [])[0]["status"] == 200
    assert within[0]["status"] == 400
    assert len(files_in(folder)) == 4
