"""The same journeys on the page of Errata, in Embedding Atlas 0.26 and in Spotlight 1.8.2: the same rows, positions and
headless Chromium with software drawing, one after the other in turns.

    python -m research.evidence.beside --atlas VENV --spotlight VENV [--points 1600 100000] [--repeats 5] [--out FILE]

Each VENV is an environment of its own (`pip install embedding-atlas==0.26`, `pip install renumics-spotlight==1.8.2`);
neither is a requirement of ours. Rows are made up, with images at fewer than 10,000 of them, which we show at any
number. Printed: medians of the repeats in milliseconds; "no" where the tool has no such journey, or not in this
browser.

start          from the command to the first answer; ours makes its rows meanwhile, and the others read a file
first view     from the address to the points drawn (Embedding Atlas: to its charts and table)
frame          while the map is dragged, until it is painted
selection      from the lifted mouse to the images of what lies inside; to the rows where there are no images
color         from the choice of another column to the map drawn in it
group          from a click on a group that the tool has found to its images
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from research.evidence.map import REPOSITORY, _wait, look, served
from tests.support.chromium import ARGUMENTS, CHROMIUM, DRAWING
from tests.support.diagnoses import draw_picture
from tests.support.showcase import make_showcase

JOURNEYS = ("start", "first view", "frame", "selection", "colour", "group")
MOST_WITH_PICTURES = 10_000
PORT = 5071
LAYOUT = {
    "orientation": "vertical",
    "children": [
        {"kind": "split", "orientation": "horizontal", "children": [
            {"kind": "tab", "children": [{"kind": "widget", "type": "table"}]},
            {"kind": "tab", "children": [{"kind": "widget", "type": "scatterplot", "config": {
                "xAxisColumn": "x", "yAxisColumn": "y", "colorBy": "loss"}}]},
        ]},
        {"kind": "tab", "children": [{"kind": "widget", "type": "inspector"}]},
    ],
}  # fmt: skip
"""Of Spotlight: its table and a scatter plot of our positions above the images of what is selected."""
PAINTED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  for (const c of document.querySelectorAll('canvas')) {
    const gl = c.getContext('webgl2') || c.getContext('webgl');
    if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }
  done();
})))"""
SELECTED = """(pictures) => {
  const count = document.querySelector('[data-test-tag=datagrid-selected-count]');
  const shown = [...document.querySelectorAll('img[alt=picture]')].filter((i) => i.checkVisibility());
  return count && +count.innerText > 0 && (!pictures || (shown.length > 3 && shown.every((i) => i.naturalWidth)));
}"""


RECOLOURED = "() => document.elementFromPoint(1080, 256).innerText.includes('predicted')"
"""In Spotlight's settings of the plot, which its drawing follows."""


def write_rows(n: int, folder: Path) -> Path:
    """A Parquet file of the rows that `map.served` shows."""
    made = make_showcase(n, with_images=False)
    cluster, _ = made.cluster_of()
    xy = made.map.xy.astype(float)
    table = pd.DataFrame({"id": made.samples.ids, "loss": made.outcomes.loss, "predicted": made.estimate.predicted})
    table = table.assign(cluster=[f"cluster {k}" for k in cluster], x=xy[:, 0], y=xy[:, 1])
    if n < MOST_WITH_PICTURES:
        for i in range(50):
            (folder / f"{i}.png").write_bytes(draw_picture(i))
        table["image"] = [str(folder / f"{i % 50}.png") for i in range(n)]
        table["vector"] = list(made.embeddings.vectors.astype(np.float32))
    table.to_parquet(folder / f"{n}.parquet")
    return folder / f"{n}.parquet"


@contextmanager
def peer(*command: str) -> Generator[str]:
    """The address of a started tool."""
    quiet = subprocess.DEVNULL
    told = {**os.environ, "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=told, start_new_session=True)
    try:
        _wait(address := f"http://127.0.0.1:{PORT}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    start = time.monotonic()
    work()
    return 1000 * (time.monotonic() - start)


def visit_spotlight(browser: Any, address: str, pictures: bool) -> dict[str, float]:
    """Its journeys once; it lists no groups that it has found."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(180_000)

    def arrive() -> None:
        page.goto(address)
        page.wait_for_selector("canvas")
        page.get_by_text("loss", exact=True).nth(1).wait_for()  # the legend of the plot; the first is the table's
        page.evaluate(PAINTED)

    found = {"first view": timed(arrive)}
    page.wait_for_timeout(1500)
    box = page.locator("canvas").last.bounding_box()

    def move(x: float, y: float, steps: int = 1) -> None:
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=steps)

    def lift() -> None:
        page.mouse.up()
        page.wait_for_function(SELECTED, arg=pictures)
        page.evaluate(PAINTED)

    move(0.3, 0.3)
    page.mouse.down()
    move(0.7, 0.7, steps=8)
    found["selection"] = timed(lift)
    move(0.5, 0.5)
    page.mouse.down(button="middle")
    found["frame"] = median(timed(lambda k=k: (move(0.5 + k / 200, 0.5), page.evaluate(PAINTED))) for k in range(15))
    page.mouse.up(button="middle")
    found["colour"] = _colour(page)
    page.close()
    return found


def _colour(page: Any) -> float:
    settings = page.get_by_text("Color By")
    for _ in range(5):  # a click too soon after the drag is not taken, and a second one would close them again
        page.wait_for_timeout(1500)
        page.mouse.click(1269, 94)
        with suppress(PlaywrightTimeout):
            settings.wait_for(timeout=15_000)
            break
    page.mouse.click(1080, 256)
    page.wait_for_timeout(3000)  # its list comes late at many points; the table's head says "predicted" too
    choice = page.get_by_text("predicted", exact=True).last

    def choose() -> None:
        choice.click()
        page.wait_for_function(RECOLOURED)
        page.evaluate(PAINTED)

    return timed(choose)


def visit_atlas(browser: Any, address: str) -> dict[str, float]:
    """Its first view: it draws points with WebGPU and 16-bit floats alone, which no software of Chromium's has."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(180_000)

    def arrive() -> None:
        page.goto(address)
        page.get_by_text("points").first.wait_for()
        page.get_by_text("Count").nth(1).wait_for()
        page.get_by_text("street/0000.png").first.wait_for()
        page.evaluate(PAINTED)

    found = {"first view": timed(arrive)}
    page.close()
    return found


def visit(tool: str, said: argparse.Namespace, rows: Path, n: int, browser: Any) -> dict[str, float]:
    """Start the tool, go through its journeys, and stop it."""
    pictures = n < MOST_WITH_PICTURES
    begun = time.monotonic()
    if tool == "Errata":
        with served(REPOSITORY, n) as at:
            found = {"start": 1000 * (time.monotonic() - begun), **look(browser, at, None)}
        return found | {"selection": found["lasso"], "group": found["cluster"]}
    if tool == "Atlas":
        command = [str(said.atlas / "bin/embedding-atlas"), str(rows), "--x", "x", "--y", "y", "--disable-projection"]
        command += ["--host", "127.0.0.1", "--port", str(PORT), "--no-auto-port"]
    else:
        command = [str(said.spotlight / "bin/spotlight"), str(rows), "--no-browser", "--port", str(PORT)]
        command += ["--layout", str(rows.with_name("layout.json"))]
        command += ["--dtype", "image=Image", "--dtype", "vector=Embedding"] if pictures else []
    with peer(*command) as at:
        started = {"start": 1000 * (time.monotonic() - begun)}
        return started | (visit_atlas(browser, at) if tool == "Atlas" else visit_spotlight(browser, at, pictures))


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--atlas", type=Path, required=True)
    ask.add_argument("--spotlight", type=Path, required=True)
    ask.add_argument("--points", nargs="+", type=int, default=(1600, 100_000))
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--out", type=Path)
    said = ask.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *DRAWING])
        (Path(folder) / "layout.json").write_text(json.dumps(LAYOUT))
        for n in said.points:
            rows = write_rows(n, Path(folder))
            for turn in range(said.repeats):
                for tool in ("Errata", "Atlas", "Spotlight"):
                    found.setdefault(f"{n} {tool}", []).append(visit(tool, said, rows, n, browser))
                    print(
                        f"{n} {tool} {turn + 1}, load {os.getloadavg()[0]:.1f}: {found[f'{n} {tool}'][-1]}", flush=True
                    )
        browser.close()
    for name, visits in found.items():
        known = {what: median(one[what] for one in visits) for what in JOURNEYS if what in visits[0]}
        print(name, "  ".join(f"{what} {known[what]:,.0f}" if what in known else f"{what} no" for what in JOURNEYS))
    if said.out:
        said.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
