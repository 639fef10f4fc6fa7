"""Fetch a table by its address, from where the operator allows it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import gradio as gr
import httpx
from gradio_client.utils import strip_invalid_filename_characters

from core.errors import InvalidInput
from core.records import Progress, Reporter
from webapp.data.draft import shown_file
from webapp.state import home
from webapp.state.jobs import JOBS, PRIVATE
from webapp.state.session import shows_errors
from webapp.state.uploads import UPLOADS
from webapp.state.visitor import address, visitor

SUFFIXES = (".parquet", ".csv")
MAX_REDIRECTS = 5
MAX_SHOWN = 200
"""Letters of an address in a message."""
CHUNK = 2**20
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to connect, and between two parts of an answer; `Jobs.look` limits the whole."""


def allowed_part(url: str, allowed: Sequence[str]) -> str:
    """Return the operator's prefix that an address is below, or "".

    Args:
        url: as a visitor or a redirect names it.
        allowed: such as "https://huggingface.co/datasets".
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # no valid host
        return ""
    path = unquote(parts.path)
    if parts.username is not None or parts.password is not None or "\\" in url or not url.isprintable():
        return ""
    if any(step in (".", "..") for step in path.split("/")):  # it would lead out of the prefix
        return ""
    for prefix in allowed:
        below = urlsplit(prefix)
        if (parts.scheme, parts.netloc.lower()) != (below.scheme, below.netloc):
            continue
        if f"{path}/".startswith(below.path.rstrip("/") + "/"):
            return prefix
    return ""


def fetch_table(url: str, allowed: Sequence[str], progress: Progress) -> Path:
    """Download a table into the visitor's uploads, within their limits; returns its path.

    Raises:
        InvalidInput: the address is not allowed or no table, or the download fails or exceeds a limit.
    """
    url = url.strip()
    if not allowed_part(url, allowed):
        where = " or ".join(allowed)
        raise InvalidInput(
            f"The address of a table must be below {where}: got {url[:MAX_SHOWN]!r}. Upload a file instead."
        )
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name.lower().endswith(SUFFIXES):
        raise InvalidInput(
            f"The address of a table ends with {' or '.join(SUFFIXES)}: got {name[:MAX_SHOWN]!r}. Name the file itself."
        )
    why = UPLOADS.reserve(address())
    if why:
        raise InvalidInput(why)
    try:
        with _answer(url, allowed) as answer:
            return _keep(answer, strip_invalid_filename_characters(name), progress)
    except httpx.HTTPStatusError as error:
        status = f"{error.response.status_code} {error.response.reason_phrase}"
        raise InvalidInput(
            f"Cannot read {url[:MAX_SHOWN]}: its server answers {status}. Check the address, or upload the file."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InvalidInput(
            f"Cannot read {url[:MAX_SHOWN]}: {error or type(error).__name__}. Try again, or upload the file."
        ) from error
    finally:
        UPLOADS.unreserve(address(), 1)


@contextmanager
def _answer(url: str, allowed: Sequence[str]) -> Generator[httpx.Response]:
    """Open an address, and follow redirects to allowed ones alone."""
    with httpx.Client(timeout=TIMEOUT, trust_env=False, headers={"accept-encoding": "identity"}) as client:
        for _ in range(MAX_REDIRECTS + 1):
            with client.stream("GET", url) as answer:
                if not answer.has_redirect_location:
                    answer.raise_for_status()
                    yield answer
                    return
                url = urljoin(url, answer.headers["location"])
            if not allowed_part(url, allowed):
                host = urlsplit(url).netloc
                raise InvalidInput(
                    f"The address leads on to {host[:MAX_SHOWN]!r}, which the operator does not allow. "
                    "Upload the file instead."
                )
    raise InvalidInput(f"The address leads on more than {MAX_REDIRECTS} times. Upload the file instead.")


def _keep(answer: httpx.Response, name: str, progress: Progress) -> Path:
    """Write an answer to the uploads."""
    declared = answer.headers.get("content-length", "")
    total = 0
    if declared.isdecimal() and len(declared) < 20:
        total = int(declared)
    report = Reporter(progress, "Download", total)
    folder = home.part("uploads") / secrets.token_hex(32)  # named like Gradio's digests
    folder.mkdir(mode=0o700)
    path = folder / name
    come = 0
    try:
        with path.open("wb") as file:
            for chunk in answer.iter_raw(CHUNK):
                why = UPLOADS.refusal(address(), max(len(chunk), total - come))
                if why:
                    raise InvalidInput(why)
                come += len(chunk)
                UPLOADS.coming(address(), len(chunk))
                file.write(chunk)
                report(come)
    except BaseException:
        shutil.rmtree(folder)
        raise
    finally:
        UPLOADS.coming(address(), -come)
    UPLOADS.add(address(), path)
    UPLOADS.claim(visitor(), address(), path)
    return path


def on_address(url: str, allowed: Sequence[str]) -> tuple[str, Any]:
    """Fetch a table: returns (emptied address, table)."""
    path = JOBS.look(lambda progress: fetch_table(url, allowed, progress))
    return "", shown_file(str(path))


def build(table: gr.File, allowed: Sequence[str]) -> None:
    """Lay out the address of a table below the drop zone, if the operator allows any.

    Args:
        table: the field that gets the fetched file.
        allowed: prefixes of addresses.
    """
    if not allowed:
        return
    with gr.Row(equal_height=True):
        info = f"Below {' or '.join(allowed)}"
        url = gr.Textbox(label="Or the address of a Parquet file", info=info, max_lines=1, elem_id="address", scale=5)
        fetch = gr.Button("Fetch", elem_id="fetch", min_width=90, scale=0)
    gr.on([fetch.click, url.submit], shows_errors(lambda url: on_address(url, allowed)), [url], [url, table], **PRIVATE)
