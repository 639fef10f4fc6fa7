"""Uploads, counted as their bytes arrive: too large ones are rejected with a message, broken ones are deleted."""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from pathlib import Path

from gradio import route_utils
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.server.asked import address_of, path_of
from webapp.server.routes import UPLOAD
from webapp.state.uploads import UPLOADS

DRAIN_S = 20.0
"""Seconds to read and discard a rejected upload before answering, because a browser cut off while sending shows no
message."""
MAX_ANSWER = 2**20
COUNTED_BYTES = 2**20
"""Bytes between two checks of the quotas."""


class FilesOnly(route_utils.GradioMultiPartParser):
    """Gradio's upload parser with stricter checks: Gradio's fails on form fields, and keeps the last part of a
    truncated body."""

    ended = False
    """Whether the closing boundary has arrived."""

    def on_end(self) -> None:
        """Record the closing boundary."""
        self.ended = True

    def on_headers_finished(self) -> None:
        """Check the head of a part.

        Raises:
            MultiPartException: the part is a field instead of a file, or one file too many.
        """
        body = _BODY.get()
        if body is not None:
            body.begin_file()
        super().on_headers_finished()
        if self._current_part.file is None:
            raise MultiPartException("An upload contains only files. Add a filename to each part.")

    async def parse(self) -> FormData:
        """Return the files of the upload.

        Raises:
            MultiPartException: it cannot be read.
        """
        boundary = parse_options_header(self.headers["Content-Type"])[1].get(b"boundary", b"")
        if len(boundary) > MAX_BOUNDARY_LENGTH:
            raise MultiPartException(
                f"An upload's boundary can have {MAX_BOUNDARY_LENGTH} letters: got {len(boundary):,}. Shorten it."
            )
        form = await super().parse()
        if not self.ended:
            for part in self._files_to_close_on_error:
                part.close()
                Path(part.name).unlink(missing_ok=True)
            raise MultiPartException("The upload was incomplete. Send it again.")
        return form


def take_files_only() -> None:
    """Make Gradio use `FilesOnly`, which it looks up by name."""
    route_utils.GradioMultiPartParser = FilesOnly


class NoFile:
    """Replacement of `tempfile` in Gradio's file components, which create an empty file on each read only to use its
    name."""

    class NamedTemporaryFile:
        """A named file that is not on disk."""

        def __init__(self, **how: object) -> None:
            self.name = ""


class CountedUploads:
    """Middleware that counts bytes and files of arriving uploads against the quotas.

    A rejection is raised while the body is read, as the exception on which Gradio's parser deletes its files and
    answers with the text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope).rstrip("/") != UPLOAD:
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        declared = 0
        if length.isascii() and length.isdecimal() and len(length) < 20:
            declared = int(length)
        body = CountedBody(address_of(scope), declared, receive)
        answer = bytearray()
        status = [0]

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                await body.drain()
                status[0] = message["status"]
            elif message["type"] == "http.response.body" and len(answer) < MAX_ANSWER:
                answer.extend(message.get("body", b""))
                if status[0] == 200 and not message.get("more_body", False):
                    body.keep(bytes(answer))  # before the visitor gets the paths and can use or release them
            await send(message)

        mark = _BODY.set(body)
        try:
            await self._app(scope, body.receive, watched)
        finally:
            _BODY.reset(mark)
            body.close()


class CountedBody:
    """The body of one upload.

    Args:
        address: address of the client.
        declared: bytes declared in its header, or 0; arriving bytes are counted anyway.
        source: Starlette's own receiver.
    """

    def __init__(self, address: str, declared: int, source: Receive) -> None:
        self._address = address
        self._declared = declared
        self._source = source
        self._come = self._looked = self._files = 0
        self._over = False
        """Whether the body is complete."""

    async def receive(self) -> Message:
        """Return the next part of the body.

        Raises:
            MultiPartException: it exceeds a quota, or the upload was interrupted.
        """
        message = await self._source()
        if message["type"] == "http.disconnect" and not self._over:
            self._over = True
            raise MultiPartException("The upload was interrupted. Send it again.")
        self._over = not message.get("more_body", False)
        n = len(message.get("body", b""))
        if not self._looked or self._come + n - self._looked >= COUNTED_BYTES:
            # a false header only causes its own rejection
            why = UPLOADS.refusal(self._address, max(n, self._declared - self._come))
            if why:
                raise MultiPartException(why)
            self._looked = max(1, self._come + n)
        UPLOADS.coming(self._address, n)
        self._come += n
        return message

    def begin_file(self) -> None:
        """Count another file.

        Raises:
            MultiPartException: it exceeds a quota.
        """
        why = UPLOADS.reserve(self._address)
        if why:
            raise MultiPartException(why)
        self._files += 1

    def keep(self, answer: bytes) -> None:
        """Record the files of Gradio's answer."""
        try:
            paths = [Path(str(path)) for path in json.loads(answer)]
        except ValueError:
            return
        for path in paths:
            UPLOADS.add(self._address, path)
        self.close()

    def close(self) -> None:
        """Release the bytes and files in transfer."""
        UPLOADS.coming(self._address, -self._come)
        UPLOADS.unreserve(self._address, self._files)
        self._come = self._files = 0

    async def drain(self) -> None:
        """Read and discard a rejected upload, up to DRAIN_S seconds."""
        until = time.monotonic() + DRAIN_S
        while not self._over and time.monotonic() < until:
            self._over = not (await self._source()).get("more_body", False)


_BODY: ContextVar[CountedBody | None] = ContextVar("_BODY", default=None)
"""The body of the current request, because Gradio does not pass it to the parser."""
