"""What it costs a visitor's machine to open the page, in a fresh headless Chromium without a graphics card.

    python -m research.evidence.opening [--code FOLDER ...] [--repeats 5] [--width 1280] [--query "?tab=ask"]

Each FOLDER is a checkout, such as one of before; all are served at once and visited in turns, with the example that the
page opens. Printed for each as medians of the visits, lowest and highest in brackets:

browser        CPU seconds of all of Chromium's processes, from the address until three seconds after the first cluster
page           of these, the page's own process
main thread    of these, what the page's main thread worked: scripts, style, layout, and the rest
server         CPU seconds of the server meanwhile
idle           CPU seconds of all of Chromium's processes in the ten seconds that follow, without a touch
clickable      seconds from the address until the map is drawn and the first cluster can be clicked
elements       of the document then
kB             sent by the server
"""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from research.evidence.map import READY, REPOSITORY, served
from tests.support.chromium import ARGUMENTS, CHROMIUM, WEBGL

SETTLED_MS = 3000
IDLE_MS = 10_000
CLICKABLE = """
window.at = {};
document.addEventListener('DOMContentLoaded', () => {
  const look = () => {
    const card = document.querySelector('#pane .card');
    if (document.querySelector("%s") && card && card.checkVisibility()) at.clickable = performance.now();
    else requestAnimationFrame(look);
  };
  look();
});
"""
MAIN_THREAD = {"scripts": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration"}


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far, with those of its children that ended; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def below(pid: int) -> dict[int, str]:
    """The command line of each process that this one started, and that those started."""
    started: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        started.setdefault(parent, []).append(int(stat.parent.name))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in started.get(waiting.pop(), []):
            waiting.append(child)
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
    return found


def visit(play: Any, address: str, port: str, width: int) -> dict[str, float]:
    """One visit by a browser of its own: every figure once."""
    browser = play.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *WEBGL])
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.add_init_script(CLICKABLE % READY)
    sent = [0.0]
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Performance.enable")
    tools.on("Network.loadingFinished", lambda told: sent.append(told["encodedDataLength"]))
    before = _spent(port)
    page.goto(address)
    page.wait_for_function("at.clickable", timeout=120_000)
    page.wait_for_timeout(SETTLED_MS)
    after = _spent(port)
    told = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
    found = {what: after[what] - before[what] for what in after}
    found |= {"main thread": told["TaskDuration"], **{what: told[name] for what, name in MAIN_THREAD.items()}}
    page.wait_for_timeout(IDLE_MS)
    found["idle"] = _spent(port)["browser"] - after["browser"]
    found["clickable"] = page.evaluate("at.clickable") / 1e3
    found["elements"] = page.evaluate("document.getElementsByTagName('*').length")
    found["kB"] = sum(sent) / 1e3
    browser.close()
    return found


def _spent(port: str) -> dict[str, float]:
    """CPU seconds so far of the browser, of its pages and of the server at that port."""
    own = below(os.getpid())
    browser = {pid: said for pid, said in own.items() if "chrom" in said.partition(" ")[0]}
    return {
        "browser": sum(map(cpu_s, browser)),
        "page": sum(cpu_s(pid) for pid, said in browser.items() if " --type=renderer" in said),
        "server": sum(cpu_s(pid) for pid, said in own.items() if f" {port} " in said),
    }


def show(visits: list[dict[str, float]]) -> str:
    """Medians of the visits, with the lowest and the highest."""

    def one(what: str) -> str:
        values = sorted(v[what] for v in visits)
        digits = 0 if what in ("elements", "kB") else 2
        return f"{what} {median(values):,.{digits}f} [{values[0]:,.{digits}f}, {values[-1]:,.{digits}f}]"

    return "  ".join(map(one, visits[0]))


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--code", nargs="+", type=Path, default=[REPOSITORY])
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--width", type=int, default=1280)
    ask.add_argument("--query", default="")
    said = ask.parse_args()
    with sync_playwright() as play, ExitStack() as stack:
        places = {code: stack.enter_context(served(code.resolve(), 0)) for code in said.code}
        visits: dict[Path, list[dict[str, float]]] = {code: [] for code in places}
        for turn in range(said.repeats + 1):
            for code, address in places.items():
                seen = visit(play, address + "/" + said.query, address.rpartition(":")[2], said.width)
                if turn:  # the first visit of a server's life is not like the others
                    visits[code].append(seen)
    for code, seen in visits.items():
        print(f"{code}  {show(seen)}  (n {len(seen)}, load {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
