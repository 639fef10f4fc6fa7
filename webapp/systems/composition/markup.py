"""Small images for the views of composition."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence

from core.data.images.thumbnails import shrink
from core.data.inline import InlinePictures
from core.records import ItemStore
from core.systems.composition.reports.item_cards import ShownPicture

SIZE = 224
"""Longest side, in pixels, of an image on the page."""


def inline(store: ItemStore) -> InlinePictures:
    """The images, small, as data addresses, so that none has an address that another visitor could ask for."""
    return InlinePictures(store, sys.maxsize, SIZE)


def shown(
    store: ItemStore, places: Sequence[int], alts: Sequence[str] = (), said: Sequence[str] = ()
) -> list[ShownPicture]:
    """The images in these places, or their names where they cannot be read."""
    pictures = inline(store)
    nothing = [""] * len(places)
    return [
        ShownPicture(store.name(at), pictures.address(at), alt, text)
        for at, alt, text in zip(places, alts or nothing, said or nothing)
    ]


def data_address(payload: bytes) -> str:
    """An encoded image, made small, as a data address."""
    return "data:image/webp;base64," + base64.b64encode(shrink(payload, SIZE)).decode("ascii")
