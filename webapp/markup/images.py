"""Images of runs: at an address of this server for a run that it holds, else inside the markup."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote
from weakref import WeakKeyDictionary

import numpy as np

from core.data.images.thumbnails import STORED_SIZE
from core.data.inline import preview, preview_address
from core.data.modality import Marks
from core.errors import InvalidInput
from core.records import Diagnosis, ItemStore

ROUTE = "run-image"
"""Path of the images, relative to the page. Not below "errata", which is a common root path."""
KINDS = ("image", "whole", "frames", "clip")
"""Last part of an address: an image, one that style sheets do not crop, a clip's storyboard, and the clip itself."""
OUTLINED_SIZE = 288
"""Pixels of a scan with outlines, large enough for thin lines."""
UNREADABLE = (InvalidInput, OSError, ValueError)

_links = WeakKeyDictionary[ItemStore, str]()
"""Link ids of the runs whose images this server sends."""


def serve_images(diagnosis: Diagnosis, link: str) -> None:
    """Let the page request the run's images by its link id."""
    if diagnosis.samples.items is not None:
        _links[diagnosis.samples.items] = link


def inlined(diagnosis: Diagnosis) -> Diagnosis:
    """Return the run with images inside the markup, for a page without a server."""
    items = diagnosis.samples.items
    if items is None:
        return diagnosis
    unknown = items.keep(np.arange(len(items)))
    return replace(diagnosis, samples=replace(diagnosis.samples, items=unknown))


def version_of(diagnosis: Diagnosis) -> str:
    """Return the part of an address that changes with the run's data, because a shared run's id can get other data."""
    return diagnosis.fingerprint[:12]


def picture(diagnosis: Diagnosis, row: int, *, plays: bool = False) -> str:
    """Return the address of the row's image, or "": a text has none, and the run's notes list unreadable images.

    Args:
        plays: whether a clip plays; otherwise its storyboard is still, as in galleries.
    """
    samples = diagnosis.samples
    if samples.items is None or samples.modality == "text":
        return ""
    try:
        link = _links.get(samples.items)
        payload = samples.items.read(row)
        marks = samples.items.marks(row)
        if link is None:
            size, as_saved = _drawing(samples.modality, marks, plays=plays)
            return preview_address(payload, samples.modality, size, as_saved=as_saved, marks=marks)
    except UNREADABLE:
        return ""
    kind = "image"
    if samples.modality == "clip":
        kind = "clip" if plays else "frames"
    elif samples.modality == "scan" or marks:
        kind = "whole"
    return f"{ROUTE}/{quote(link, safe='')}/{row}/{kind}?v={version_of(diagnosis)}"


def encode_image(diagnosis: Diagnosis, row: int, kind: str) -> tuple[bytes, str]:
    """Return the image at an address, and its media type.

    Raises:
        InvalidInput, OSError, ValueError: the run has no images, or this one is unreadable.
    """
    samples = diagnosis.samples
    if samples.items is None:
        raise InvalidInput("The run has no images. Add them and diagnose again.")
    marks = samples.items.marks(row)
    size, as_saved = _drawing(samples.modality, marks, plays=kind == "clip")
    return preview(samples.items.read(row), samples.modality, size, as_saved=as_saved, marks=marks)


def _drawing(modality: str, marks: Marks, *, plays: bool) -> tuple[int, bool]:
    """Return (longest side in pixels, whether a stored WebP stays as it is)."""
    size = STORED_SIZE
    if marks:
        size = OUTLINED_SIZE
    return size, plays or modality != "clip"
