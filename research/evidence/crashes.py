"""Kill the writer of a run at every step, stop it, and fill its disk at every write: what is found after the restart?

python -m research.evidence.crashes [--only SCENARIO ...] [--how kill term full broken] [--every N] [--each]

A step is a call of the C library that changes a file below the folder in which the run lies: open to write, write,
fsync, rename, unlink, mkdir, rmdir (crashes.c, by LD_PRELOAD: Linux with a C compiler). The writer is a process of its
own; another one then opens the run and compares every file with the earlier run and the new one, byte by byte.

Parts are files that a writer left beside the run. They are counted when the run was opened after the restart; and once
more when they are as old as a part must be to be swept, and another run was written there.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

from core import store
from core.cli.signals import stopped_by_signals
from core.errors import DiagnosisError
from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis

SOURCE = Path(__file__).with_suffix(".c")
HOW = {"kill": 2, "term": 3, "full": 4, "broken": 5}
"""Modes of crashes.c."""
FAULT = {"full": errno.ENOSPC, "broken": errno.EROFS}
MINE = "mine.txt"
"""The user's own."""
RUN = f"run{store.SUFFIX}"
OLD_S = 2 * 3600.0
"""Seconds since a part was written to that are enough for anybody to sweep it."""
Files = dict[str, str]


def files_in(folder: Path) -> Files:
    """Digest of each file in the folder but the user's own and parts."""
    shown = [path for path in folder.iterdir() if path.name != MINE and path not in parts_in(folder)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shown}


def parts_in(folder: Path) -> list[Path]:
    """What is hidden there."""
    return sorted(folder.glob(".*"))


def marked(seed: int, note: str) -> Diagnosis:
    return replace(make_diagnosis(seed=seed), notes=(note,))


def add_result(folder: Path) -> None:
    """What `probe` does with a finished run."""
    store.update(store.load(folder / RUN), folder / RUN, lambda now: replace(now, notes=("new",)))


def open_run(folder: Path) -> str:
    """ "old" or "new", or that there is no run."""
    if not (folder / RUN).exists():
        return "none"
    try:
        return store.load(folder / RUN).notes[0]
    except DiagnosisError as error:
        return f"damaged: {error}"


def open_store(folder: Path) -> str:
    found = store.RunStore(folder)
    return "/".join(found.get(name).notes[0] for name in found.names()) or "none"


@dataclass(frozen=True)
class Scenario:
    """A way to write, over what lies there before."""

    before: Callable[[Path], object] | None
    act: Callable[[Path], object]
    look: Callable[[Path], str] = open_run


SCENARIOS = {
    "a run over an earlier one": Scenario(
        lambda f: store.save(marked(0, "old"), f / RUN), lambda f: store.save(marked(1, "new"), f / RUN)
    ),
    "a result added to a run": Scenario(lambda f: store.save(marked(0, "old"), f / RUN), add_result),
    "a first run": Scenario(None, lambda f: store.save(marked(1, "new"), f / RUN)),
    "a visitor's run": Scenario(None, lambda f: store.RunStore(f).put(marked(1, "new"), secret=False), open_store),
}


def in_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own; None where that was killed."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        code = 1
        try:
            os.close(reading)
            os.write(writing, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else None


def write_with_fault(scenario: Scenario, folder: Path, how: int, at: int, fault: int) -> dict[str, Any]:
    """Write in this process, with the fault at that step; how it ended, and how many steps there were."""
    library = ctypes.CDLL(None)
    library.crash_arm.argtypes = [ctypes.c_long] * 3 + [ctypes.c_char_p]
    library.crash_done.restype = ctypes.c_long
    ended = "finished"
    library.crash_arm(how, at, fault, str(folder).encode())
    try:
        with stopped_by_signals():
            scenario.act(folder)
    except DiagnosisError as error:
        ended = re.sub("[0-9a-f]{16}|: Failed .*|: Error .*", "…", f"said: {error}".replace(str(folder), "DIR"))
    except BaseException as error:
        ended = f"{type(error).__name__}: {error}"
    steps = library.crash_done()
    library.crash_arm(0, 0, 0, b"")
    return {"ended": ended, "steps": steps}


def found_after(scenario: Scenario, folder: Path, old: Files, new: Files) -> dict[str, Any]:
    """What another process finds: old, new, MIXED or LOST; and how many parts, before and after they are old."""
    said = scenario.look(folder)
    now = files_in(folder)
    whole = "new" if now == new else "old" if now == old else ""
    expected = {"new": "new", "old": "old" if old else "none"}.get(whole, "")
    if said == expected:
        verdict = whole if old or whole == "new" else "none, as before"
    else:
        verdict = "LOST" if said == "none" or said.startswith("damaged") else "MIXED"
    mine = (folder / MINE).read_text() == "mine"
    left = parts_in(folder)
    then = time.time() - OLD_S
    for part in left:
        os.utime(part, (then, then))
    store.save(marked(2, "next"), folder / f"next{store.SUFFIX}")
    return {"verdict": verdict, "left": len(left), "later": len(parts_in(folder)), "mine": mine, "said": said}


def prepare(scenario: Scenario, folder: Path, act: bool) -> Files:
    folder.mkdir(parents=True)
    (folder / MINE).write_text("mine")
    if scenario.before is not None:
        in_child(lambda: str(scenario.before(folder)))  # type: ignore[misc]
    if act:
        in_child(lambda: str(scenario.act(folder)))
    return files_in(folder)


def run(name: str, how: str, every: int, root: Path) -> list[dict[str, Any]]:
    """A row for each step."""
    scenario = SCENARIOS[name]
    base = root / "old"
    work = root / "work"
    old = prepare(scenario, base, act=False)
    new = prepare(scenario, root / "new", act=True)
    shutil.copytree(base, work)
    counted = in_child(lambda: write_with_fault(scenario, work, 1, 0, 0))
    steps: int = counted["steps"]
    names = step_names(scenario, base, work)
    rows: list[dict[str, Any]] = []
    for at in range(1, steps + 1, every):
        shutil.rmtree(work)
        shutil.copytree(base, work)
        ended = in_child(lambda at=at: write_with_fault(scenario, work, HOW[how], at, FAULT.get(how, 0)))
        found = in_child(lambda: found_after(scenario, work, old, new))
        row = {
            "at": at,
            "step": names[at - 1] if at <= len(names) else "",
            "ended": (ended or {}).get("ended", "killed"),
        }
        rows.append(row | (found or {"verdict": "CRASHED", "left": -1, "later": -1, "mine": False}))
    shutil.rmtree(root)
    return rows


def step_names(scenario: Scenario, base: Path, work: Path) -> list[str]:
    """What is done at each step, as one run of it went."""
    shutil.rmtree(work)
    shutil.copytree(base, work)
    log = work.parent / "log"

    def act() -> None:
        os.environ["ERRATA_CRASH_LOG"] = "1"
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY), 2)
        write_with_fault(scenario, work, 1, 0, 0)

    in_child(act)
    return [line.split(" ", 1)[1] for line in log.read_text().splitlines() if line.partition(" ")[0].isdigit()]


def show(name: str, how: str, rows: list[dict[str, Any]], *, each: bool) -> None:
    print(f"\n{name}: {how} at {len(rows)} of its steps")
    print(f"{'steps':>9}  {'first of them':58} {'found':16} {'left':>4} {'later':>5}  ended")
    for _, group in groupby(rows, lambda r: r["at"] if each else (r["verdict"], r["left"], r["mine"], r["ended"][:70])):
        some = list(group)
        first = some[0]
        last = some[-1]
        steps = str(first["at"]) if first is last else f"{first['at']}-{last['at']}"
        later = max(r["later"] for r in some)
        mine = "" if first["mine"] else "  THE USER'S FILE IS GONE"
        print(
            f"{steps:>9}  {first['step'][-58:]:58} {first['verdict']:16} {first['left']:4} {later:5}  "
            f"{first['ended'][:90]}{mine}"
        )
    counts = Counter(r["verdict"] for r in rows)
    print(
        f"          {', '.join(f'{n} {what}' for what, n in counts.items())}; "
        f"{sum(r['left'] > 0 for r in rows)} with a part left after the restart, "
        f"{sum(r['later'] > 0 for r in rows)} once it is old"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(SCENARIOS))
    parser.add_argument("--how", nargs="+", choices=HOW, default=list(HOW))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        if "crashes.so" not in os.environ.get("LD_PRELOAD", ""):
            library = Path(root, "crashes.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
            again = [sys.executable, "-m", "research.evidence.crashes", *sys.argv[1:]]
            sys.exit(subprocess.run(again, env=os.environ | {"LD_PRELOAD": str(library)}).returncode)
        os.environ["ERRATA_CACHE"] = str(Path(root, "cache"))  # for locks
        import_module("core.data.images.thumbnails")  # once, here, not in every child

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for name in given.only:
            for how in given.how:
                show(name, how, run(name, how, given.every, Path(root, "runs")), each=given.each)


if __name__ == "__main__":
    main()
