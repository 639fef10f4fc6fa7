"""What the failure map shows, as an image, and where its points lie in it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import minimum_filter, uniform_filter

BUTTONS = 70
"""Rows of pixels at the top of the map that hold its buttons."""


def picture(page: Any) -> np.ndarray:
    """(h, w, 3) what the map shows below its buttons."""
    shot = page.locator("#map .map-plate").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), int)[BUTTONS:]


def until(holds: Callable[[], bool], wait: Callable[[float], None] = lambda ms: time.sleep(ms / 1000)) -> None:
    """Until it holds, of what is drawn in a later frame; with a page's own `wait` also of what its events bring."""
    last = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < last
        wait(100)


def crowd(page: Any) -> tuple[float, float]:
    """(x, y) in the window, of the pixel round which most is covered by points: neither plate nor a line's width."""
    shown = picture(page)
    covered = minimum_filter(np.abs(shown - np.median(shown, (0, 1))).max(-1) > 60, 5)
    y, x = np.unravel_index(np.argmax(uniform_filter(covered.astype(float), 25) * covered), covered.shape)
    box = page.locator("#map .map-plate").bounding_box()
    return box["x"] + float(x), box["y"] + BUTTONS + float(y)
