"""What a program puts where a file belongs: the path of its own upload passes, an address or another path does not.

Gradio looks an address up before it checks anything, so this is read before Gradio sees the request.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Container, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gradio.utils import get_upload_folder
from starlette.types import Message, Receive

from core.limits import byte_size
from webapp.server.asked import Asked, Refusal, split_host
from webapp.server.routes import API, FILE, LOGIN, UPLOAD
from webapp.state.uploads import UPLOADS

SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a visit may be called: names are kept."""
QUEUED = (f"{API}/queue/join", f"{API}/call/")
MAX_UNREAD = 64
"""Calls of one visit whose answers nobody has fetched: they are kept until then."""
MAX_BODY = 2**20
"""Bytes of a call other than an upload, which Gradio counts itself (`MAX_UPLOAD`). The page's own stay below 10 kB; as
JSON objects a body takes up to a hundred times its size."""


async def read_body(
    asked: Asked, receive: Receive, events: Container[int], unread: Mapping[str, Collection[str]] = {}
) -> tuple[bytes, Refusal | None]:
    """The body of a call, and why it is refused: too large, no JSON, of an event that is not among the page's `events`,
    with a file argument that is no upload, or of a visit with too many calls among the `unread`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"", Refusal(400, "The request ended before it was whole. Send it again.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return b"", Refusal(413, f"A call may hold {byte_size(MAX_BODY)}. Upload what is larger as a file.")
        if not message.get("more_body", False):
            break
    if asked.path.rstrip("/") == LOGIN:
        return bytes(body), None
    said, refusal = _read(bytes(body))
    visit = said.get("session_hash") if isinstance(said, dict) else None
    refusal = refusal or strange_session(visit) or strange_event(said, events) or foreign_file(said, asked)
    if refusal is None and visit and len(unread.get(visit, ())) >= MAX_UNREAD and asked.path.startswith(QUEUED):
        refusal = Refusal(
            429, f"{MAX_UNREAD} calls of this visit wait to be read. Fetch their answers, then call again."
        )
    if refusal is None and visit:
        _claim_files(visit, said, asked)
    return bytes(body), refusal


def has_call(asked: Asked) -> bool:
    """Whether the request brings arguments, which an upload does not."""
    return not asked.is_read and asked.path.rstrip("/") != UPLOAD


def replay(body: bytes, receive: Receive) -> Receive:
    """A receiver that gives the body once more, then what follows it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _read(body: bytes) -> tuple[Any, Refusal | None]:
    """What a body says, and why it is refused where it is no JSON; Infinity and halves of letters, which Python reads,
    are none: an answer that repeats them could not be written."""
    try:
        said = json.loads(body) if body else None
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None, Refusal(400, "The body of a call is one JSON document in UTF-8. Correct it.")
    return said, None


def strange_session(name: Any) -> Refusal | None:
    """Why a request is refused that names a visit so."""
    if name is None or (isinstance(name, str) and SESSION.fullmatch(name)):
        return None
    return Refusal(
        400,
        f"A session_hash is 1 to 64 letters, digits, underscores and dashes: got {str(name)[:80]!a}. Choose another.",
    )


def strange_event(said: Any, events: Container[int]) -> Refusal | None:
    """Why a call is refused that is for an event by a number which the page does not have."""
    number = said.get("fn_index") if isinstance(said, dict) else None
    if number is None or (type(number) is int and number in events):
        return None
    return Refusal(400, f"fn_index is the number of an event of this page: got {str(number)[:20]!a}. See /config.")


def foreign_file(said: Any, asked: Asked) -> Refusal | None:
    """Why a call is refused for one of its file arguments."""
    for file in _files(said):
        path = file.get("path")
        url = file.get("url")
        if isinstance(path, str) and not _is_upload(path):
            return _refused("path", path)
        if isinstance(url, str) and url and not _is_ours(url, asked):
            return _refused("url", url)
    return None


def _claim_files(visit: str, said: Any, asked: Asked) -> None:
    """Note that a visit names files: an upload itself does not say which visit it is of."""
    for file in _files(said):
        if isinstance(path := file.get("path"), str):
            UPLOADS.claim(visit, asked.address, Path(path))


def _refused(key: str, value: str) -> Refusal:
    return Refusal(
        400,
        f"A file argument's {key} must be that of a file uploaded before and not deleted since: got {value[:80]!a}. "
        "Upload the file to /gradio_api/upload and give the path that it answers.",
    )


def _files(said: Any) -> Iterator[dict[str, Any]]:
    """Every object below `said` that Gradio may take for a file."""
    waiting = [said]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value or "url" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _is_upload(path: str) -> bool:
    """Whether a path lies, as it is written, below the folder of uploads, and leads to a file; nothing is looked at
    elsewhere."""
    folder = os.path.abspath(get_upload_folder())
    plain = os.path.abspath(path)
    below = "\0" not in path and os.path.isabs(path) and plain.startswith(folder + os.sep)
    return below and os.path.isfile(plain)


def _is_ours(url: str, asked: Asked) -> bool:
    """Whether an address is that of a file which this server serves."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = split_host(asked.host)
    same = not parts.netloc or (here is not None and (split_host(parts.netloc) or ("",))[0] == here[0])
    return same and parts.scheme in ("", "http", "https") and FILE in parts.path
