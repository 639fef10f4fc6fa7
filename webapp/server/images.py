"""The route of runs' images (`webapp.markup.images`). A run's link id is its key, as it is for the page."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from webapp.markup.images import KINDS, ROUTE, UNREADABLE, encode_image, version_of
from webapp.server.routes import NO_PAGE
from webapp.state.runs import RUNS

PATH = f"/{ROUTE}/{{run}}/{{row}}/{{kind}}"
CACHED = "private, max-age=86400, immutable"
"""For as long as a shared server keeps a run: the bytes at an address never change."""
MAX_AT_ONCE = 4
"""Images drawn at the same time, which bounds the memory that requests need."""
_drawing = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="image")


async def send_image(request: Request) -> Response:
    """Answer with an image. An unknown run, row or kind gets the answer of an unknown address."""
    run, row, kind = (request.path_params[name] for name in ("run", "row", "kind"))
    version = request.query_params.get("v", "")
    found = await asyncio.get_running_loop().run_in_executor(_drawing, find_image, run, row, kind, version)
    if found is None:
        return JSONResponse({"detail": NO_PAGE}, 404)
    content, media_type = found
    return Response(content, media_type=media_type, headers={"Cache-Control": CACHED})


def find_image(run: str, row: str, kind: str, version: str) -> tuple[bytes, str] | None:
    """Return (bytes, media type) of an image; None if the address is of no image.

    Args:
        run: a link id or the id of a shared run; a run's own id, which allows changes, is not accepted.
        row, kind, version: the other parts of the address.
    """
    if not (RUNS.is_example(run) or RUNS.is_linked(run)) or kind not in KINDS:
        return None
    try:
        diagnosis = RUNS.get(run)
        if version != version_of(diagnosis) or int(row) >= len(diagnosis.samples):
            return None
        return encode_image(diagnosis, int(row), kind)
    except UNREADABLE:
        return None
