"""A chat model is asked for words: what is sent, and what becomes of every kind of answer."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import InvalidInput
from core.store import load
from core.systems.proposer import chat
from core.systems.proposer.chat import KEY, MAX_ANSWER, ask_for_words, endpoint_of, message_of, phrases_in
from core.systems.proposer.sheet import Sheet, make_sheet
from tests.support.chat import chat_server, completion
from tests.support.diagnoses import make_diagnosis
from tests.support.proposers import blank_run

REPOSITORY = Path(__file__).resolve().parents[4]
RUN = make_diagnosis(60)
SHEET = make_sheet(RUN)


def words(url: str, most: int = 10) -> tuple[list[str], int]:
    return ask_for_words(url, "a-model", RUN, SHEET, most)


def refused(url: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        words(url)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_two_sheets_and_an_instruction_are_sent_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of another service")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with chat_server(completion('["in the dark"]')) as server:
        assert words(server.url, 7) == (["in the dark"], 0)
    ((path, headers, body),) = server.asked
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers
    assert {*body} == {"model", "messages"}
    assert body["model"] == "a-model"
    (message,) = body["messages"]
    asked, first, wrong, second, right = message["content"]
    assert "at most 7 phrases" in asked["text"]
    assert [first["text"], second["text"]] == ["A, wrong:", "B, right:"]
    for part, rows in ((wrong, SHEET.wrong), (right, SHEET.right)):
        kind, _, data = part["image_url"]["url"].partition(",")
        assert kind == "data:image/jpeg;base64"
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        assert image.size == (640, 160 * -(-len(rows) // 4))
        assert not image.getexif()
        assert len(data) < 100_000
    assert not any(name in str(body) for name in (*RUN.samples.ids, *RUN.samples.class_names, "weather"))


def test_texts_are_sent_as_texts_and_a_class_by_its_name() -> None:
    run = load(REPOSITORY / "assets/examples/definitions/run.errata")
    sheet = make_sheet(run)
    instruction, wrong, right = message_of(run, sheet, 5)
    assert "the texts A" in instruction["text"]
    assert "All are" not in instruction["text"]
    for part, rows in ((wrong, sheet.wrong), (right, sheet.right)):
        assert part["text"].count("\n- ") == len(rows)
        assert max(map(len, part["text"].splitlines())) <= 402
    of_class = Sheet(sheet.wrong, sheet.right, sheet.unseen, "animal", "")
    assert "All are of 'animal'." in message_of(run, of_class, 5)[0]["text"]


def test_vectors_alone_cannot_be_shown() -> None:
    run = blank_run(60, 0)
    with pytest.raises(InvalidInput, match="vectors alone"):
        message_of(run, make_sheet(run), 5)


def test_the_key_is_sent_to_this_machine_or_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "secret")
    with chat_server(completion('["dark"]')) as server:
        words(server.url)
    assert server.asked[0][1]["Authorization"] == "Bearer secret"
    with pytest.raises(InvalidInput, match=f"The key in {KEY} would reach example.org unencrypted"):
        endpoint_of("http://example.org/v1")
    assert endpoint_of("https://example.org/v1/")
    monkeypatch.delenv(KEY)
    assert endpoint_of("http://example.org/v1")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/chat/completions"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/chat/completions"),
        ("https://h.example/v1/chat/completions", "https://h.example/v1/chat/completions"),
        ("https://h.example/x?api-version=2", "https://h.example/x/chat/completions?api-version=2"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1/chat/completions"),
    ],
)
def test_the_address_ends_in_chat_completions(url: str, address: str) -> None:
    assert str(endpoint_of(url)) == address


@pytest.mark.parametrize(
    "url",
    ["", "8080", "file:///etc/passwd", "ftp://h/v1", "http://", "http://u:p@h/v1", "http://h:99999999/v1", "x" * 99999,
     "http://h/\0", "javascript:alert(1)", "http://h/v1#a"],
)  # fmt: skip
def test_another_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(InvalidInput, match="The endpoint must be an address such as"):
        endpoint_of(url)


LISTS: tuple[tuple[str, list[str], int], ...] = (
    ('["in the dark", "Far away."]', ["in the dark", "Far away"], 0),
    ('Sure:\n```json\n["a", "b"]\n```\nAnything else?', ["a", "b"], 0),
    ('{"phrases": [{"phrase": "dark", "why": "x"}, {"phrase": "far"}]}', ["dark", "far"], 0),
    ("Here are two phrases:\n\n1. in the dark\n2) “far away”\n", ["in the dark", "far away"], 0),
    ("- *dark*\n• far\n", ["dark", "far"], 0),
    ("<think>perhaps [1]</think>\ndark\nfar", ["dark", "far"], 0),
    ('["dark", "Dark", "dark "]', ["dark"], 2),
    ('["<script>alert(1)</script>", "<b>dark</b>", "a &lt; b", "dark"]', ["dark"], 3),
    ('["da\\u0000rk\\u001b[31m", "\\u202efar"]', ["da rk [31m", "far"], 0),
    ('["' + "x" * 81 + '", "' + "y" * 80 + '"]', ["y" * 80], 1),
    ('["...", "", "🙂", "dark"]', ["dark"], 3),
    ('[1, null, true, [], {}, "dark"]', ["dark"], 0),
    ("[" * 5000 + "]" * 5000, [], 1),
    (str([f"phrase {i}" for i in range(30)]).replace("'", '"'), [f"phrase {i}" for i in range(10)], 20),
    ("", [], 0),
)  # fmt: skip


@pytest.mark.parametrize(("content", "phrases", "skipped"), LISTS)
def test_phrases_are_read_from_lists_and_lines_and_bounded(content: str, phrases: list[str], skipped: int) -> None:
    assert phrases_in(content, 10) == (phrases, skipped)


HOSTILE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"body": b""}, "is not a chat completion"),
    ({"body": b"<html>no</html>"}, "is not a chat completion"),
    ({"body": b"[" * 100_000}, "is not a chat completion"),
    ({"body": b'{"choices": []}'}, "is not a chat completion"),
    ({"body": b'{"choices": [{"message": {"content": 3}}]}'}, "is not a chat completion"),
    ({"body": b'{"choices": [{"message": {"content": [3]}}]}'}, "is not a chat completion"),
    ({"body": b"\xff\xfe" * 10}, "is not a chat completion"),
    ({"body": completion("")}, "holds no usable phrase"),
    ({"body": completion("<b></b>")}, "holds no usable phrase"),
    ({"body": b"x" * (MAX_ANSWER + 1)}, "larger than 256 KiB"),
    ({"body": b'{"error": {"message": "no\\u001b[31m\\nmodel"}}', "status": 404}, "HTTP 404 (no [31m model)."),
    ({"body": b"[]", "status": 500}, "HTTP 500. Check"),
    ({"status": 401}, "HTTP 401. Check"),
    ({"status": 204}, "HTTP 204. Check"),
    ({"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, "redirects elsewhere, which is not followed"),
    ({"body": b"\x1f\x8b" + b"0" * 50, "headers": {"Content-Encoding": "gzip"}}, "compresses its answer"),
    ({"write": lambda out: out.write(b"nonsense\r\n\r\n")}, "did not answer as an HTTP server does"),
    ({"write": lambda out: None}, "did not answer as an HTTP server does"),
    ({"write": lambda out: out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[")}, "did not answer as an HTTP"),
)  # fmt: skip


@pytest.mark.parametrize(("answer", "message"), HOSTILE)
def test_an_answer_that_is_not_one_gets_one_line(answer: dict[str, Any], message: str) -> None:
    with chat_server(**answer) as server:
        said = refused(server.url)
    assert message in said
    assert "\x1b" not in said
    assert len(server.asked) == 1


def _drip(first: bytes) -> Callable[[Any], None]:
    def write(out: Any) -> None:
        out.write(first)
        for _ in range(100):
            out.write(b"x")
            out.flush()
            time.sleep(0.05)

    return write


@pytest.mark.parametrize(
    "answer",
    [
        {"wait": 3.0},
        {"write": _drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")},
        {"write": _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")},
    ],
)
def test_an_answer_that_comes_in_drops_ends_at_the_limit(
    answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "MAX_S", 1.0)
    with chat_server(**answer) as server:
        assert "did not answer within 1 seconds" in refused(server.url)


def test_without_a_server_the_address_is_named() -> None:
    with chat_server() as server:
        pass
    assert "No connection to 127.0.0.1:" in refused(server.url)


def test_in_a_notebook_whose_loop_is_running_it_works_too() -> None:
    with chat_server(completion('["dark"]')) as server:

        async def cell() -> Any:
            return words(server.url)

        assert asyncio.run(cell()) == (["dark"], 0)
