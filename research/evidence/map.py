"""How long the failure map takes, in headless Chromium with software drawing.

    python -m research.evidence.map [--code FOLDER ...] [--points 0 1600 10000 100000] [--repeats 5] [--out FILE.json]

Each FOLDER is a checkout, such as one of before; they are served in turn and asked by the same client. 0 points are the
page as it is, with the example that it opens. Printed as a table: what, points, the median of the repeats for each
checkout, in milliseconds, and kilobytes sent.

first view     from the address to the map drawn
drawn          from the data in the browser to the map drawn
frame          while the map is dragged, median of 30 frames, of fewer where they take more than eight seconds
lasso          from the lifted mouse to the images of what lies inside
color         from the choice of another column to the map drawn in it
cluster        from a click on a card to the cluster's images
ask            from Enter to the answer, with its images if it has some; on the example alone
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.support.chromium import ARGUMENTS, CHROMIUM, DRAWING

REPOSITORY = Path(__file__).resolve().parents[2]
POINTS = (0, 1600, 10_000, 100_000)
QUESTIONS = ("far away", "a bird far away", "a boat on sand", "facing away from the camera", "a bird on a farm")
READY = "#map [data-ready='true']"
PAGE = """
import sys, tempfile
from dataclasses import replace
from pathlib import Path
from tests.support.diagnoses import MemoryImages, draw_picture
from tests.support.showcase import make_showcase
from webapp.app import build_app
from webapp.server.settings import launch_settings
from webapp.state.runs import RUNS

n, port = int(sys.argv[1]), int(sys.argv[2])
made = make_showcase(n or 100, with_images=False)
pictures = [draw_picture(seed) for seed in range(50)]
items = MemoryImages(made.samples.ids, tuple(pictures[i % 50] for i in range(n or 100)))
made = replace(made, samples=replace(made.samples, items=items))
run = RUNS.offer(Path(tempfile.mkdtemp()) / "made" / "run.errata")
RUNS.offered._loaded[run] = made, ""
build_app(first=[("made up", run)] if n else None).launch(server_port=port, quiet=True, **launch_settings())
"""
"""Serves one made-up run of n samples, or the page as it is for 0."""
IN_PAGE = """
(() => {
  const [real, at] = [window.atob, {}];
  window.atob = (text) => { if (text.length > 2000) at.data ??= performance.now(); return real(text); };
  Element.prototype.setPointerCapture = () => {};
  window.flush = () => { // until it is painted, not only ordered
    for (const c of document.querySelectorAll('#map .map-plate canvas')) {
      const gl = c.className === 'map-points' && (c.getContext('webgl') || null);
      if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
      else c.getContext('2d').getImageData(0, 0, 1, 1);
    }
  };
  window.frame = () => new Promise((done) => requestAnimationFrame(done));
  window.until = async (test) => {
    for (const end = performance.now() + 120000; !test();) {
      if (performance.now() > end) throw new Error('two minutes passed');
      await frame();
    }
    await frame();
    flush();
    return performance.now();
  };
  window.at = at;
  addEventListener('pointerup', () => { at.up = performance.now(); }, true);
  addEventListener('keydown', () => { at.key = performance.now(); }, true);
  addEventListener('click', () => { at.click = performance.now(); }, true);
  document.addEventListener('DOMContentLoaded', async () => {
    at.drawn = await until(() => document.querySelector("#map [data-ready='true']"));
  });
})();
"""
PAN = """async () => {
  const over = document.querySelector('#map .map-over'), box = over.getBoundingClientRect(), took = [];
  document.querySelector('#map [data-tool=pan]').click();
  const send = (kind, by) => over.dispatchEvent(new PointerEvent(kind, { pointerId: 1, button: 0, bubbles: true,
    clientX: box.left + box.width / 2 + by, clientY: box.top + box.height / 2 }));
  send('pointerdown', 0);
  const end = performance.now() + 8000;
  for (let k = 1; k <= 30 && performance.now() < end; k++) {
    const start = performance.now();
    send('pointermove', 2 * k);
    await frame();
    flush();
    took.push(performance.now() - start);
  }
  send('pointerup', 60);
  return took.sort((a, b) => a - b)[took.length >> 1];
}"""
PICTURES = """async ([from, where]) => {
  const drawn = (img) => img.complete && img.naturalWidth;
  const test = () => {
    const all = [...document.querySelectorAll(where + ' .tile img')].filter((i) => i.checkVisibility());
    return (all.length > 3 || document.querySelector(where + ' .answer')) && all.every(drawn); };
  return (await until(test)) - at[from];
}"""
COLOUR = """async (key) => {
  const choice = document.querySelector('#map .map-colour select');
  if (!choice) return null;
  choice.value = key;
  const start = performance.now();
  choice.dispatchEvent(new Event('change', { bubbles: true }));
  return (await until(() => document.querySelector('#map [data-ready]').dataset.colour === key)) - start;
}"""


@contextmanager
def served(code: Path, n: int) -> Generator[str]:
    """The address of that checkout's page with a run of n samples."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as cache:
        told = {**os.environ, "PYTHONPATH": str(code), "ERRATA_CACHE": cache}
        process = subprocess.Popen([sys.executable, "-c", PAGE, str(n), str(port)], cwd=code, env=told)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            yield address
        finally:
            process.terminate()
            process.wait(60)


def _wait(address: str) -> None:
    for _ in range(240):
        try:
            httpx.get(address, timeout=60)
            return
        except httpx.HTTPError:
            time.sleep(1)
    raise TimeoutError(f"{address} is not served")


def look(browser: Any, address: str, question: str | None) -> dict[str, float]:
    """One visit: every figure once."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.add_init_script(IN_PAGE)
    sent = [0.0]
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda told: sent.append(told["encodedDataLength"]))
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    page.wait_for_function("at.drawn")
    found = {"first view": page.evaluate("at.drawn"), "drawn": page.evaluate("at.drawn - at.data")}
    page.wait_for_timeout(1500)
    found["kB first"] = sum(sent) / 1e3
    fold = page.locator("#pane .map-fold:not([open]) summary")  # a checkout of before has none
    if fold.count():
        fold.click()
        page.wait_for_timeout(1000)
    before = sum(sent)
    if (took := page.evaluate(COLOUR, "residual")) is not None:
        found["colour"] = took
        page.wait_for_timeout(300)
        found["kB colour"] = (sum(sent) - before) / 1e3
    found["frame"] = page.evaluate(PAN)
    page.locator("#map [data-zoom=fit]").click()
    page.locator("#map [data-tool=lasso]").click()
    before = sum(sent)
    _draw(page)
    found["lasso"] = page.evaluate(PICTURES, ["up", "#pane"])
    found["kB lasso"] = (sum(sent) - before) / 1e3
    page.keyboard.press("Escape")
    page.wait_for_selector("#pane .card")
    page.locator("#pane .card").first.click()
    found["cluster"] = page.evaluate(PICTURES, ["click", "#pane"])
    if question is not None:
        page.get_by_role("tab", name="Ask").click()
        field = page.get_by_label("Where do you suspect errors?")
        field.fill(question)
        field.press("Enter")
        found["ask"] = page.evaluate(PICTURES, ["key", "#answer"])
    context.close()
    return found


def _draw(page: Any) -> None:
    box = page.locator("#map .map-over").bounding_box()
    corners = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8), (0.3, 0.3)]
    path = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*path[0])
    page.mouse.down()
    for x, y in path[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--code", nargs="+", type=Path, default=[REPOSITORY])
    ask.add_argument("--points", nargs="+", type=int, default=POINTS)
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--out", type=Path)
    said = ask.parse_args()
    found: dict[str, dict[str, dict[str, float]]] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *DRAWING])
        for n in said.points:
            for code in map(Path.resolve, said.code):
                with served(code, n) as address:
                    visits = [
                        look(browser, address, None if n else QUESTIONS[i % len(QUESTIONS)])
                        for i in range(said.repeats)
                    ]
                medians = {what: median(v[what] for v in visits) for what in visits[0]}
                found.setdefault(str(n), {})[code.name] = medians
                shown = "  ".join(f"{what} {value:,.0f}" for what, value in medians.items())
                print(f"{n:>7,}  {code.name:<12} {shown}  (load {os.getloadavg()[0]:.1f})", flush=True)
        browser.close()
    if said.out:
        said.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
