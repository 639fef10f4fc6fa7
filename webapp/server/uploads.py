"""Uploads counted as their bytes come in: what is too much is refused with a message, what is broken off leaves
nothing."""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from pathlib import Path

from gradio import route_utils
from gradio.components import download_button, file
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.server.asked import address_of, path_of
from webapp.server.routes import UPLOAD
from webapp.state.uploads import UPLOADS

DRAIN_S = 20.0
"""How long a refused upload is still read, and thrown away, before it is answered: a browser that is cut off while it
sends shows no message."""
MAX_ANSWER = 2**20
COUNTED_BYTES = 2**20
"""What may come between two looks at the quotas."""


class FilesOnly(route_utils.GradioMultiPartParser):
    """Gradio's parser of uploads, which takes a form field for a file and fails with an error of its own, and keeps the
    last part of a body that ends within it."""

    ended = False
    """Whether the boundary has come that closes the body."""

    def on_end(self) -> None:
        """The last boundary has come."""
        self.ended = True

    def on_headers_finished(self) -> None:
        """The head of a part is whole.

        Raises:
            MultiPartException: it is that of a field, not of a file, or of one file too many.
        """
        body = _BODY.get()
        if body is not None:
            body.begin_file()
        super().on_headers_finished()
        if self._current_part.file is None:
            raise MultiPartException("An upload holds files alone: give each part a filename.")

    async def parse(self) -> FormData:
        """The files of the upload.

        Raises:
            MultiPartException: it cannot be read.
        """
        boundary = parse_options_header(self.headers["Content-Type"])[1].get(b"boundary", b"")
        if len(boundary) > MAX_BOUNDARY_LENGTH:
            raise MultiPartException(
                f"An upload's boundary has at most {MAX_BOUNDARY_LENGTH} letters: got {len(boundary):,}. Shorten it."
            )
        found = await super().parse()
        if not self.ended:
            for part in self._files_to_close_on_error:
                part.close()
                Path(part.name).unlink(missing_ok=True)
            raise MultiPartException("The upload ended before its last boundary. Send it again.")
        return found


def take_files_only() -> None:
    """Let Gradio read every upload with `FilesOnly`; it looks its parser up by name."""
    route_utils.GradioMultiPartParser = FilesOnly


class NoFile:
    """In place of `tempfile` for Gradio's fields of files: each time that one is read they make an empty file, and
    give it the name of the one that is there."""

    class NamedTemporaryFile:
        """Nothing on disk."""

        def __init__(self, **how: object) -> None:
            self.name = ""


def make_no_empty_files() -> None:
    """Let the fields of files leave nothing in the folder of uploads."""
    for module in (file, download_button):
        module.tempfile = NoFile  # type: ignore[assignment] - used for that alone


class CountedUploads:
    """Middleware that counts the bytes and the files of uploads, while they come, against the quotas.

    A refusal is raised where the body is read, as the exception by which Gradio's own parser deletes what it has
    written and answers with the text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope).rstrip("/") != UPLOAD:
            await self._app(scope, receive, send)
            return
        body = CountedBody(address_of(scope), _declared(scope), receive)
        answer = bytearray()
        status = [0]

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                await body.drain()
                status[0] = message["status"]
            elif message["type"] == "http.response.body" and len(answer) < MAX_ANSWER:
                answer.extend(message.get("body", b""))
                if status[0] == 200 and not message.get("more_body", False):
                    body.keep(bytes(answer))  # before the visitor knows the paths, and so can use or release them
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
        address: where it comes from.
        declared: the bytes that its header promises, 0 where it does not say; what comes is counted all the same.
        source: Starlette's own receiver.
    """

    def __init__(self, address: str, declared: int, source: Receive) -> None:
        self._address = address
        self._declared = declared
        self._source = source
        self._come = self._looked = self._files = 0
        self._over = False
        """Whether nothing follows any more."""

    async def receive(self) -> Message:
        """The next part of the body.

        Raises:
            MultiPartException: it is more than is taken in, or it was broken off.
        """
        message = await self._source()
        if message["type"] == "http.disconnect" and not self._over:
            self._over = True
            raise MultiPartException("The upload was broken off.")
        self._over = not message.get("more_body", False)
        n = len(message.get("body", b""))
        if not self._looked or self._come + n - self._looked >= COUNTED_BYTES:
            # A header that lies costs nothing but its own refusal.
            why = UPLOADS.refusal(self._address, max(n, self._declared - self._come))
            if why:
                raise MultiPartException(why)
            self._looked = max(1, self._come + n)
        UPLOADS.coming(self._address, n)
        self._come += n
        return message

    def begin_file(self) -> None:
        """The head of one more file has come.

        Raises:
            MultiPartException: it is more than are taken in.
        """
        why = UPLOADS.reserve(self._address)
        if why:
            raise MultiPartException(why)
        self._files += 1

    def keep(self, answer: bytes) -> None:
        """Note the files of Gradio's answer, which have come now."""
        try:
            paths = [Path(str(path)) for path in json.loads(answer)]
        except ValueError:
            return
        for path in paths:
            UPLOADS.add(self._address, path)
        self.close()

    def close(self) -> None:
        """Nothing of the request is on its way any more."""
        UPLOADS.coming(self._address, -self._come)
        UPLOADS.unreserve(self._address, self._files)
        self._come = self._files = 0

    async def drain(self) -> None:
        """Read what is left of a refused upload, for a while."""
        until = time.monotonic() + DRAIN_S
        while not self._over and time.monotonic() < until:
            self._over = not (await self._source()).get("more_body", False)


_BODY: ContextVar[CountedBody | None] = ContextVar("_BODY", default=None)
"""That of the present request: Gradio makes the parser without telling it whose upload it reads."""


def _declared(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "0")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 20 else 0
