"""What the views of composition share: small pictures, and how a metric's figures are written."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence

from core.data.images.inline import InlinePictures
from core.data.images.thumbnails import shrink
from core.numbers import bracketed, percent, points, signed
from core.records import LOWER_IS_BETTER, Estimate, ItemStore
from core.reports.html.composition_tables import FigureStyle
from core.reports.html.intervals import Dot, Mark, dots, tick
from core.reports.html.item_cards import ShownPicture

SIZE = 224
"""Longest side, in pixels, of a picture on the page."""
KINDS = ("observed", "read")
"""How the marks of the first and of the second model look."""


def inline(store: ItemStore) -> InlinePictures:
    """The pictures, small, as data addresses, so that none has an address that another visitor could ask for."""
    return InlinePictures(store, sys.maxsize, SIZE)


def shown(
    store: ItemStore, places: Sequence[int], alts: Sequence[str] = (), said: Sequence[str] = ()
) -> list[ShownPicture]:
    """The pictures in these places, or their names where they cannot be read."""
    pictures, nothing = inline(store), [""] * len(places)
    return [
        ShownPicture(store.name(at), pictures.address(at), alt, text)
        for at, alt, text in zip(places, alts or nothing, said or nothing)
    ]


def data_address(payload: bytes) -> str:
    """An encoded picture, made small, as a data address."""
    return "data:image/webp;base64," + base64.b64encode(shrink(payload, SIZE)).decode("ascii")


def figure(key: str, value: float | None) -> str:
    """A metric's value: a percentage, or of a rank the number itself."""
    return f"{value:.2f}" if key in LOWER_IS_BETTER and value is not None else percent(value)


def interval(key: str, estimate: Estimate) -> str:
    """Its interval in brackets, or ""."""
    return bracketed(estimate, share=key not in LOWER_IS_BETTER)


def with_interval(key: str, estimate: Estimate) -> str:
    """ "13 % (9 to 18 %)"."""
    return f"{figure(key, estimate.value)} {interval(key, estimate)}".strip()


def difference(key: str, change: Estimate) -> str:
    """Second minus first with its interval."""
    if key in LOWER_IS_BETTER:
        return f"{signed(change.value)} {bracketed(change)}"
    return f"{points(change.value, sign=True)} {bracketed(change, points=True)}"


ROUNDED = FigureStyle(figure, difference)
"""Whole per cents, as the page writes them."""


def marks(estimates: Sequence[Estimate], chance: float | None) -> tuple[Dot, ...]:
    """One or two shares on a line, with a tick where chance is."""
    drawn = [Mark(estimate, kind) for estimate, kind in zip(estimates, KINDS)]
    return dots([*([] if chance is None else [tick(chance)]), *drawn], (0.0, 1.0))
