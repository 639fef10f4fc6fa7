"""Check file arguments of calls: the path of the caller's upload passes; a URL or another path does not.

Gradio fetches a URL before any check, so the arguments are read before Gradio sees the request.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gradio.utils import get_upload_folder
from starlette.types import Message, Receive

from core.limits import byte_size
from webapp.server.asked import Asked, Refusal, split_host
from webapp.server.routes import API, FILE, LOGIN, TOOLS
from webapp.state.uploads import UPLOADS

SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Valid names of a visit; names are stored."""
QUEUED = (f"{API}/queue/join", f"{API}/call/")
MAX_UNREAD = 64
"""Calls of one visit with unread answers, which are kept until fetched."""
MAX_BODY = 2**20
"""Bytes of a call; Gradio limits uploads (`MAX_UPLOAD`). The page's calls stay below 10 kB. Parsed JSON can take a
hundred times the body's size."""


async def read_body(
    asked: Asked, receive: Receive, events: Callable[[Any], Container[int]], unread: Mapping[str, Collection[str]] = {}
) -> tuple[bytes, Refusal | None]:
    """Read the body of a call; returns it and a refusal or None. Refused are bodies that are too large or not JSON,
    unknown events, file arguments other than uploads, and visits with too many `unread` calls.

    Args:
        events: gives the numbers of a visit's events by its name, which is not trusted.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"", Refusal(400, "The request was incomplete. Send it again.")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return bytes(body), Refusal(413, f"A call can hold {byte_size(MAX_BODY)}. Upload larger data as a file.")
        if not message.get("more_body", False):
            break
    if asked.path.rstrip("/") in (LOGIN, TOOLS):  # what a tool is given comes back as a call of its own
        return bytes(body), None
    document, refusal = _read(bytes(body))
    visit = None
    if isinstance(document, dict):
        visit = document.get("session_hash")
    refusal = refusal or strange_session(visit)
    refusal = refusal or strange_event(document, events(visit)) or foreign_file(document, asked)
    if refusal is None and visit and len(unread.get(visit, ())) >= MAX_UNREAD and asked.path.startswith(QUEUED):
        refusal = Refusal(429, f"{MAX_UNREAD} calls of this visit are unread. Fetch their answers, then call again.")
    if refusal is None and visit:
        for file in _files(document):  # an upload itself has no visit
            if isinstance(file.get("path"), str):
                UPLOADS.claim(visit, asked.address, Path(file["path"]))
    return bytes(body), refusal


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that repeats the body, then continues."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        if waiting:
            return waiting.pop()
        return await receive()

    return again


def _read(body: bytes) -> tuple[Any, Refusal | None]:
    """Parse a body; returns it, and a refusal if it is not JSON. Infinity and half UTF-16 pairs, which Python accepts,
    are refused, because an answer could not repeat them."""
    try:
        document = None
        if body:
            document = json.loads(body)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None, Refusal(400, "The body of a call must be one JSON document in UTF-8. Fix it.")
    return document, None


def strange_session(name: Any) -> Refusal | None:
    """Return a refusal for an invalid name of a visit."""
    if name is None or (isinstance(name, str) and SESSION.fullmatch(name)):
        return None
    return Refusal(
        400,
        f"A session_hash needs 1 to 64 letters, digits, underscores, or dashes: got {str(name)[:80]!a}. Use another.",
    )


def strange_event(document: Any, events: Container[int]) -> Refusal | None:
    """Return a refusal for an unknown event number."""
    number = None
    if isinstance(document, dict):
        number = document.get("fn_index")
    if number is None or (type(number) is int and number in events):
        return None
    return Refusal(
        400,
        f"fn_index must be the number of an event of this page: got {str(number)[:20]!a}. "
        "Reload the page; a program finds them at /config.",
    )


def foreign_file(document: Any, asked: Asked) -> Refusal | None:
    """Return a refusal for an invalid file argument."""
    for file in _files(document):
        path = file.get("path")
        url = file.get("url")
        if isinstance(path, str) and not is_upload(path):
            return _refused("path", path)
        if isinstance(url, str) and url and not _is_ours(url, asked):
            return _refused("url", url)
    return None


def _refused(key: str, value: str) -> Refusal:
    return Refusal(
        400,
        f"The {key} of a file argument is not an existing upload: got {value[:80]!a}. "
        "Upload the file to /gradio_api/upload and use the path that it returns.",
    )


def _files(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in `document` that Gradio could take for a file."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value or "url" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def is_upload(path: str) -> bool:
    """Whether a path, as written, is below the upload folder and is a file; paths elsewhere are not looked at."""
    folder = os.path.abspath(get_upload_folder())
    plain = os.path.abspath(path)
    below = "\0" not in path and os.path.isabs(path) and plain.startswith(folder + os.sep)
    return below and os.path.isfile(plain)


def _is_ours(url: str, asked: Asked) -> bool:
    """Whether a URL is that of a file of this server."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = split_host(asked.host)
    same = not parts.netloc or (here is not None and (split_host(parts.netloc) or ("",))[0] == here[0])
    return same and parts.scheme in ("", "http", "https") and FILE in parts.path
