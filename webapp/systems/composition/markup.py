"""Small images for the views of composition."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence

from core.data.images.thumbnails import shrink
from core.data.inline import InlinePictures
from core.records import ItemStore
from core.systems.composition.reports.item_cards import ShownPicture

MAX_SIDE = 224
"""Longest side of an image on the page, in pixels."""


def inline(store: ItemStore) -> InlinePictures:
    """The images, reduced, as data addresses, which other visitors cannot request."""
    return InlinePictures(store, sys.maxsize, MAX_SIDE)


def shown(
    store: ItemStore, rows: Sequence[int], alts: Sequence[str] = (), captions: Sequence[str] = ()
) -> list[ShownPicture]:
    """The images of these rows, or their names if they are unreadable."""
    pictures = inline(store)
    empty = [""] * len(rows)
    images = list[ShownPicture]()
    for row, alt, caption in zip(rows, alts or empty, captions or empty):
        images.append(ShownPicture(store.name(row), pictures.address(row), alt, caption))
    return images


def data_address(payload: bytes) -> str:
    """An encoded image, reduced, as a data address."""
    return "data:image/webp;base64," + base64.b64encode(shrink(payload, MAX_SIDE)).decode("ascii")
