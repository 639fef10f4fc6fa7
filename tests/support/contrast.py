"""Whether what a page shows can be read: by day, by night, and without scrolling sideways."""

from __future__ import annotations

from typing import Any

LEAST = 4.5
"""Of text to its ground, as WCAG 2.2 asks at level AA."""
RATIOS = """
(selectors) => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const part = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255, 1];
  };
  const out = {};
  for (const s of selectors) {
    const e = document.querySelector(s);
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    out[s] = (a + 0.05) / (b + 0.05);
  }
  return out;
}
"""
DARK = "document.body.classList.contains('dark')"
FADED = "() => document.getAnimations().every((a) => !(a instanceof CSSTransition) || a.playState !== 'running')"


def switch_mode(page: Any) -> None:
    """Press the page's switch between light and dark, and wait until the colors have changed. A dialog may lie over
    the switch, and what has the focus keeps it."""
    dark = page.evaluate(DARK)
    page.locator(".theme-switch").dispatch_event("click")
    page.wait_for_function(f"dark => {DARK} !== dark", arg=dark)
    page.wait_for_function(FADED)


def check_contrast(page: Any, seen: list[str]) -> None:
    """The first part of the page that each of these CSS selectors tells stands out from its ground, in the mode that
    the page is in and in the other one, in which it is left."""
    for mode in ("as it is", "switched"):
        if mode == "switched":
            switch_mode(page)
        ratios = page.evaluate(RATIOS, seen)
        assert min(ratios.values()) >= LEAST, (mode, ratios)


def check_width(page: Any) -> None:
    """Nothing is wider than the window, once what was moved by a change of its size lies still."""
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
