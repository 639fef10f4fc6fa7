"""Ask a chat model for words: any endpoint that answers POST {URL}/chat/completions as OpenAI's does.

What is sent: an instruction, the class if the samples are of one, and a sheet of wrong and one of right images as small
JPEGs, or the beginnings of the texts. Nothing else of the run. The answer is not trusted: its bytes, its time and its
phrases are bounded, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from PIL import Image

from core.data.inline import text_of
from core.documents import parse_json
from core.errors import InvalidInput
from core.limits import byte_size
from core.records import EVERYTHING, I64, Diagnosis
from core.results import Selection
from core.systems.proposer.sheet import Sheet

KEY = "ERRATA_PROPOSE_KEY"
"""Environment variable with the endpoint's key. A name of our own, so that no other service's key is sent."""
MAX_ANSWER = 2**18
"""Bytes of an answer."""
MAX_S = 120.0
"""Seconds for the whole exchange."""
CONNECT_S = 10.0
MAX_LETTERS = 80
"""Of a phrase."""
MAX_TEXT_LETTERS = 400
"""Of a text that is sent."""
CELL = 160
"""Pixels of an image on a sheet."""
COLUMNS = 4
JPEG_QUALITY = 75
MARKED = re.compile(r"^(?:[-*•–]+|\d{1,3}[.):])\s+")
"""How a line of a list begins."""
THOUGHT = re.compile(r"<think>.*?</think>", re.S)
"""What reasoning models say before their answer."""
QUOTES = "\"'`“”‘’*_ "


def endpoint_of(url: str) -> httpx.URL:
    """The address to post to.

    Raises:
        InvalidInput: it is not http or https, holds a password, or the key would be sent unencrypted.
    """
    try:
        address = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError):
        address = httpx.URL("")
    known = address.scheme in ("http", "https") and bool(address.host) and (address.port or 1) < 2**16
    if not known or address.userinfo or address.fragment:
        raise InvalidInput(
            f"The endpoint must be an address such as http://127.0.0.1:8080/v1, without a password: got {url[:80]!r}. "
            f"Fix it, and put a key into {KEY}."
        )
    local = address.host in ("127.0.0.1", "localhost", "::1")
    if address.scheme == "http" and not local and os.environ.get(KEY):
        raise InvalidInput(f"The key in {KEY} would reach {address.host} unencrypted. Use https, or unset {KEY}.")
    path = address.path.rstrip("/").removesuffix("/chat/completions")
    return address.copy_with(path=f"{path}/chat/completions")


def ask_for_words(url: str, model: str, diagnosis: Diagnosis, sheet: Sheet, most: int) -> tuple[list[str], int]:
    """The phrases that the model proposes, at most `most`, and how many of its answer were skipped.

    Raises:
        InvalidInput: the endpoint does not answer as it should, or the samples cannot be shown.
    """
    address = endpoint_of(url)
    messages = [{"role": "user", "content": message_of(diagnosis, sheet, most)}]
    answer = _now(_posted(address, {"model": model, "messages": messages}))
    phrases, skipped = phrases_in(_content(answer, address), most)
    if not phrases:
        raise InvalidInput(f"The answer of {address.host} holds no usable phrase. Try another model.")
    return phrases, skipped


def message_of(diagnosis: Diagnosis, sheet: Sheet, most: int) -> list[dict[str, Any]]:
    """What is sent, as the parts of one message.

    Raises:
        InvalidInput: the run has vectors alone, or an image cannot be decoded.
    """
    samples = diagnosis.samples
    is_text = samples.modality == "text"
    noun = "texts" if is_text else "images"
    of_class = ""
    if sheet.scope != EVERYTHING:
        of_class = f" All are of {sheet.scope!r}."
    asked = (
        f"A classifier is wrong on the {noun} A and right on the {noun} B.{of_class} Name what A have in common more "
        f"often than B. Answer with a JSON list of at most {most} phrases of two to six words, each as one would "
        'caption such samples, for example "in the snow". Write nothing else.'
    )
    parts: list[dict[str, Any]] = [{"type": "text", "text": asked}]
    for name, rows in (("A, wrong:", sheet.wrong), ("B, right:", sheet.right)):
        if is_text:
            texts = [" ".join(text_of(samples, row).split())[:MAX_TEXT_LETTERS] for row in rows.tolist()]
            parts.append({"type": "text", "text": "\n".join([name, *(f"- {text}" for text in texts)])})
            continue
        encoded = base64.b64encode(_contact_sheet(diagnosis, rows)).decode("ascii")
        parts.append({"type": "text", "text": name})
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{encoded}"}})
    return parts


def _contact_sheet(diagnosis: Diagnosis, rows: I64) -> bytes:
    """The images of some rows in a grid, as a JPEG without any metadata."""
    images = Selection(diagnosis, "", "", rows, None).images(len(rows))
    n_lines = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL, n_lines * CELL), "white")
    for at, image in enumerate(images):
        image = image.convert("RGB")
        image.thumbnail((CELL, CELL))
        sheet.paste(image, (at % COLUMNS * CELL, at // COLUMNS * CELL))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _now(work: Coroutine[Any, Any, bytes]) -> bytes:
    """The result of an exchange, also inside a notebook, whose own loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _posted(address: httpx.URL, body: dict[str, Any]) -> bytes:
    """The body of the answer.

    Raises:
        InvalidInput: there is none, or it is not a plain success.
    """
    host = address.host
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    key = os.environ.get(KEY, "").strip()
    if key:
        headers["Authorization"] = f"Bearer {key}"
    timeout = httpx.Timeout(MAX_S, connect=CONNECT_S)
    try:
        # the environment could name a proxy, or a file with other passwords
        async with (
            asyncio.timeout(MAX_S),
            httpx.AsyncClient(timeout=timeout, trust_env=False) as client,
            client.stream("POST", address, json=body, headers=headers) as answer,
        ):
            if answer.has_redirect_location:
                raise InvalidInput(f"{host} redirects elsewhere, which is not followed. Give the final address.")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise InvalidInput(f"{host} compresses its answer though asked not to. Use another endpoint.")
            data = await _read(answer, host)
    except (TimeoutError, httpx.TimeoutException):
        raise InvalidInput(
            f"{host} did not answer within {MAX_S:.0f} seconds. Try again, or use a faster model."
        ) from None
    except httpx.ConnectError:
        raise InvalidInput(
            f"No connection to {host}:{_port(address)}. Start the endpoint, or fix its address."
        ) from None
    except (httpx.HTTPError, UnicodeError) as error:
        raise InvalidInput(
            f"{host} did not answer as an HTTP server does ({type(error).__name__}). Check the address."
        ) from None
    if answer.status_code != 200:
        raise InvalidInput(
            f"{host} answered with HTTP {answer.status_code}{_reason(data)}. Check address, model and {KEY}."
        )
    return data


async def _read(answer: httpx.Response, host: str) -> bytes:
    data = bytearray()
    async for part in answer.aiter_raw():
        data += part
        if len(data) > MAX_ANSWER:
            raise InvalidInput(f"The answer of {host} is larger than {byte_size(MAX_ANSWER)}. Use another model.")
    return bytes(data)


def _port(address: httpx.URL) -> int:
    if address.port is not None:
        return address.port
    return 443 if address.scheme == "https" else 80


def _reason(data: bytes) -> str:
    """What the body of a failure says, in brackets; "" if that cannot be read."""
    try:
        said = parse_json(data.decode("utf-8", "replace"), "the answer")["error"]["message"]
    except (InvalidInput, LookupError, TypeError):
        return ""
    return f" ({_plain(str(said))[:120]})"


def _content(data: bytes, address: httpx.URL) -> str:
    """The text of the first choice.

    Raises:
        InvalidInput: the answer is not a chat completion.
    """
    try:
        content = parse_json(data.decode("utf-8", "replace"), "the answer")["choices"][0]["message"]["content"]
        if isinstance(content, list):
            content = "\n".join(part["text"] for part in content if part.get("type") == "text")
        if isinstance(content, str):
            return content
    except (InvalidInput, LookupError, TypeError, AttributeError):
        pass
    raise InvalidInput(f"The answer of {address.host} is not a chat completion. Check the address.")


def phrases_in(content: str, most: int) -> tuple[list[str], int]:
    """The phrases of an answer, a JSON list or a phrase a line, at most `most`; and how many others were skipped:
    repeated, without a letter, too long, with markup, or too many."""
    content = THOUGHT.sub("", content)
    lines = _listed(content)
    if lines is None:
        lines = [line.strip() for line in content.splitlines()]
        lines = [MARKED.sub("", line) for line in lines if line and not line.startswith("```") and line[-1] != ":"]
    phrases = dict[str, str]()
    for line in lines:
        phrase = _plain(line).strip(QUOTES).rstrip(".,;").strip(QUOTES)
        fits = len(phrase) <= MAX_LETTERS and any(c.isalnum() for c in phrase) and not re.search(r"[<>]|&\w+;", phrase)
        if fits and len(phrases) < most:
            phrases.setdefault(phrase.casefold(), phrase)
    return list(phrases.values()), len(lines) - len(phrases)


def _listed(content: str) -> list[str] | None:
    """The texts of the JSON list in an answer; None if there is none."""
    start = content.find("[")
    end = content.rfind("]")
    if not 0 <= start < end:
        return None
    try:
        items = parse_json(content[start : end + 1], "the answer")
    except InvalidInput:
        return None
    texts: list[str] = []
    for item in items:
        values = list(item.values()) if isinstance(item, dict) else [item]
        texts += [value for value in values if isinstance(value, str)][:1]
    return texts


def _plain(text: str) -> str:
    """The text in one line, without control characters and such as change its direction."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
