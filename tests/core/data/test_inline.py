"""Images inside a page: each made once, all within a bound, and those that are not there counted."""

from __future__ import annotations

import base64
import io

from PIL import Image

from core.data.inline import InlinePictures
from tests.support.diagnoses import MemoryImages, draw_picture


def test_an_address_holds_the_small_picture_and_what_cannot_be_decoded_is_counted() -> None:
    pictures = InlinePictures(MemoryImages(("a", "b"), (draw_picture(0, size=200), b"no picture")), 10**6, 50)
    address = pictures.address(0)
    assert address is not None
    assert address.startswith("data:image/webp;base64,")
    assert max(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).size) == 50
    assert pictures.address(1) is None
    assert pictures.left_out == 1


def test_a_picture_that_is_shown_twice_counts_twice() -> None:
    store = MemoryImages(("a",), (draw_picture(0),))
    size = len(InlinePictures(store, 10**6, 50).address(0) or "")
    pictures = InlinePictures(store, 2 * size, 50)
    assert [pictures.address(0) is None for _ in range(3)] == [False, False, True]
    assert pictures.left_out == 1


def test_without_a_store_there_is_no_picture_and_none_is_missed() -> None:
    pictures = InlinePictures(None, 10**6, 50)
    assert pictures.address(0) is None
    assert pictures.left_out == 0
