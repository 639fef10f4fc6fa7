"""What a visitor sees before they scroll, of the example that the page opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import resize

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
MAX_WORDS = 90
MAX_NUMBERS = 12
SEEN = """() => {
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let smallest = Infinity;
  for (let node; (node = walker.nextNode()); ) {
    const of = node.parentElement, range = document.createRange();
    const isShown = of.checkVisibility({ checkVisibilityCSS: true }) && !of.closest('.skip, .sr-only');
    if (!node.textContent.trim() || !isShown) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || box.top >= innerHeight || box.bottom <= 0 || box.left >= innerWidth || box.right <= 0) continue;
    texts.push(node.textContent.trim());
    smallest = Math.min(smallest, parseFloat(getComputedStyle(of).fontSize));
  }
  const images = [...document.querySelector('.pane-body > .finding').querySelectorAll('.card-thumbs img')];
  const boxes = images.map((image) => image.getBoundingClientRect());
  return { text: texts.join(' '), smallest, images: boxes.map((b) => [b.x, b.y, b.width, b.bottom]) };
}"""


def test_the_first_screen_is_images_first_with_what_is_wrong_beside_them(
    open_page: Visit, shipped_address: str
) -> None:
    page = open_page(address=shipped_address.partition("?")[0])
    seen = page.evaluate(SEEN)
    assert len(seen["text"].split()) <= MAX_WORDS, seen["text"]
    assert sum(any(letter.isdigit() for letter in word) for word in seen["text"].split()) <= MAX_NUMBERS, seen["text"]
    assert seen["smallest"] >= 14
    assert seen["images"][0][1] < 200
    assert all(width >= 160 for _, _, width, _ in seen["images"])
    # on a phone the group's rate stands with its first images, two beside each other
    resize(page, 390, 844)
    seen = page.evaluate(SEEN)
    for said in ("Bottoms with garment: skirt", "61 of 100 wrong", "61%", "Other bottoms: 17 of 234", "model: dress"):
        assert said in seen["text"]
    assert all(bottom < 844 for *_, bottom in seen["images"][:4])
    assert seen["images"][0][1] == seen["images"][1][1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_talk_fills_the_screen_with_one_group(open_page: Visit, shipped_address: str) -> None:
    page = open_page(1280, 720, address=f"{shipped_address.partition('?')[0]}?embed=1&size=large")
    seen = page.evaluate(SEEN)
    assert all(width >= 190 for _, _, width, _ in seen["images"])
    assert 540 < seen["images"][-1][3] < 720  # the last row ends in the lower quarter
    sizes = [
        page.locator(part).first.evaluate("e => getComputedStyle(e).fontSize")
        for part in (".card-name", ".card-rate b")
    ]
    assert sizes == ["36px", "48px"]
    assert seen["smallest"] >= 18
