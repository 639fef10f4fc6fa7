"""One hostile input in a process of its own: what came of it, what it cost, and whether that is a fault.

The process is a fork of this one, which has imported the heavy packages already, so an input costs what it does and not
what the imports do.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import pickle
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from tests.hostile import MAX_RSS_MB, HostileCase

MAX_MESSAGE = 2_100
"""Characters of a message; the longest of ours, on the formats of benchmarks, has 1,700."""
_WALL = 6.0  # seconds of the clock for each second of CPU that a case may take
_KILL_RSS_MB = 3000.0
_ADDRESS_SPACE = 6 * 2**30  # beyond what the parent has mapped
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKUP = re.compile(r"<[A-Za-z/!]")
_FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "socket.connect",
    "socket.getaddrinfo",
    "pickle.find_class",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case."""

    case: HostileCase
    outcome: str
    """refused, left out, accepted, or FAULT."""
    message: str
    rss_mb: float = 0.0
    cpu_s: float = 0.0
    fault: str = ""
    """Why it is a fault; "" where it is none."""

    @property
    def is_fault(self) -> bool:
        return bool(self.fault)


def warm_up() -> None:
    """Import what the doors need, so that each fork starts with it; loops that are compiled too, since numba reads what
    it kept of them by pickle."""
    from core.statistics import compiled

    for name in (
        "numpy", "pandas", "pyarrow.parquet", "PIL.Image", "scipy.stats", "sklearn.linear_model", "gradio",
        "safetensors.numpy", "onnxruntime", "core.data.samples", "core.diagnose", "core.store", "core.cli.main",
        "core.reports.html.diagnosis", "core.checks.fresh", "webapp.app", *compiled.MODULES,
    ):  # fmt: skip
        __import__(name)
    from PIL import Image

    Image.init()


def try_case(case: HostileCase) -> Verdict:
    """Make the input in one fork and give it to its door in another."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    (folder / "in").mkdir()
    (folder / "tmp").mkdir()
    try:
        made, _, _ = forked(lambda: case.make(folder / "in"), folder, 60.0, bounded=False)
        if made[0] != "made":
            return Verdict(case, "FAULT", "", fault=f"the input could not be made: {made[1]}")
        said, rss, cpu = forked(lambda: open_door(case, made[1]), folder, case.max_cpu_s)
        outcome, message = said[1] if said[0] == "made" else ("FAULT", str(said[1]))
        return judge(case, outcome, message, rss, cpu, [str(folder)], left_in(folder / "tmp"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_in(folder: Path) -> list[str]:
    """The names of what an input left behind in its temporary folder."""
    known = ("cache", "runs", f"torchinductor_{getpass.getuser()}")  # the last by torch, while it is imported
    return sorted(p.name for p in folder.iterdir() if p.name not in known and not _is_bare_home(p))


def _is_bare_home(path: Path) -> bool:
    """Whether it is the folder that a server goes with (`webapp.state.home`), and nothing but its lock lies in it: a
    fork that ends at once does not take it away."""
    return path.name.startswith("errata-home-") and all(p.is_dir() or p.name == ".lock" for p in path.rglob("*"))


def judge(
    case: HostileCase,
    outcome: str,
    message: str,
    rss: float,
    cpu: float,
    secrets: list[str],
    left: list[str] | None = None,
) -> Verdict:
    """The verdict on what was measured: at most one fault is named, the worst first."""
    faults = [
        message if outcome == "FAULT" else "",
        f"{rss:,.0f} MB of memory" if rss > MAX_RSS_MB else "",
        f"{cpu:.1f} CPU s" if cpu > case.max_cpu_s else "",
        *message_faults(case, outcome, message, secrets),
        f"left behind: {', '.join(left[:3])}" if left else "",
    ]
    if not re.search(case.expects, f"{outcome}: {message}", re.DOTALL | re.IGNORECASE):
        faults.append(f"expected {case.expects!r}")
    return Verdict(case, outcome, message, rss, cpu, next((fault for fault in faults if fault), ""))


def message_faults(case: HostileCase, outcome: str, message: str, secrets: list[str]) -> list[str]:
    """What a message may not hold: control characters, HTML as the page shows it, paths of the server; nor be long."""
    found = _HARMFUL.search(message)
    markup = outcome == "refused" and case.door not in ("command", "visit") and _MARKUP.search(_toast(message))
    # the command line, and whoever opens a run by its path, gave the path themselves
    leaks = case.door not in ("command", "run", "encoder") and any(secret in message for secret in secrets)
    return [
        f"the message holds {found[0]!a}" if found else "",
        "the toast holds HTML" if markup else "",
        "the message tells a path of the server" if leaks else "",
        f"the message has {len(message):,} characters" if outcome != "FAULT" and len(message) > MAX_MESSAGE else "",
    ]


def _toast(message: str) -> str:
    """The message as the page's toast gets it."""
    import gradio as gr

    page, said = _refusing_page()
    said[:] = [message]
    try:
        asyncio.run(page.process_api(0, []))
    except gr.Error as error:
        return str(error.message)
    return ""


@cache
def _refusing_page() -> tuple[Any, list[str]]:
    """(a page with one private event that refuses everything, its message)."""
    import gradio as gr

    from webapp.server.page import SafeBlocks
    from webapp.state.session import shows_errors

    said = [""]

    def refuse() -> None:
        raise InvalidInput(said[0])

    with SafeBlocks() as page:
        gr.Button().click(shows_errors(refuse), api_visibility="private")
    return page, said


def open_door(case: HostileCase, arguments: dict[str, Any]) -> tuple[str, str]:
    """(outcome, message) of the case's door."""
    from core.data.modality import Unreadable
    from core.errors import DiagnosisError
    from tests.hostile import doors

    called = _watch()
    called.clear()
    try:
        said = getattr(doors, case.door)(**arguments)
    except (DiagnosisError, Unreadable) as error:
        return ("FAULT", f"it led to {called[0]}") if called else ("refused", str(error))
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return "FAULT", f"{type(error).__name__}: {str(error)[:160]!a} in {Path(where.filename).name}:{where.lineno}"
    outcome, _, message = said.partition(": ")
    return ("FAULT", f"it led to {called[0]}") if called else (outcome, message)


@cache
def _watch() -> list[str]:
    """What was called that no input may lead to: a program, another machine, a pickle. The call itself fails."""
    called: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            called.append(f"{event} {str(arguments)[:100]}")
            raise RuntimeError(f"the input led to {event}")

    sys.addaudithook(hook)
    return called


def forked(
    work: Callable[[], Any], folder: Path, cpu_s: float, *, bounded: bool = True
) -> tuple[tuple[str, Any], float, float]:
    """(("made", result) or ("failed", why), peak RSS in MB, CPU seconds) of the work in a fork."""
    told = folder / "told.pickle"
    child = os.fork()
    if child == 0:
        _work_and_exit(work, folder, told, cpu_s)
    peak, why = _follow(child, cpu_s * _WALL, bounded)
    _, status, usage = os.wait4(child, 0)
    cpu = usage.ru_utime + usage.ru_stime
    if why or not told.is_file():
        sign = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
        return ("failed", why or f"the process ended with {sign}"), peak, cpu
    result, peak_told, cpu_told = pickle.loads(told.read_bytes())
    told.unlink()
    return result, max(peak, peak_told) if bounded else 0.0, cpu_told


def _work_and_exit(work: Callable[[], Any], folder: Path, told: Path, cpu_s: float) -> None:
    """The child's whole life; its output goes nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        write_below(folder / "tmp")
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + _ADDRESS_SPACE, mapped + _ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, int(cpu_s) + 5))
        Path("/proc/self/clear_refs").write_text("5")
        try:
            result: tuple[str, Any] = ("made", work())
        except BaseException as error:
            result = ("failed", f"{type(error).__name__}: {str(error)[:300]}")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        whole = pickle.dumps((result, high_water("self"), usage.ru_utime + usage.ru_stime))
        told.with_suffix(".part").write_bytes(whole)
        told.with_suffix(".part").replace(told)
    finally:
        os._exit(0)


def write_below(folder: Path) -> None:
    """What this process writes from now on for a while, or keeps in its cache, lies there."""
    os.environ |= {"TMPDIR": str(folder), "ERRATA_CACHE": str(folder / "cache")}
    tempfile.tempdir = str(folder)


def _follow(child: int, wall: float, bounded: bool) -> tuple[float, str]:
    """(peak RSS in MB, why the child was ended or "") once it is over."""
    started, peak, pause, why = time.monotonic(), 0.0, 0.002, ""
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, high_water(str(child)))
        if time.monotonic() - started > wall:
            why = f"not over after {wall:.0f} s"
        elif bounded and peak > _KILL_RSS_MB:
            why = f"{peak:,.0f} MB of memory and more"
        if why:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return peak, why


def high_water(process: str) -> float:
    """The largest memory that a process held so far, in MB; 0 where it has gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+)", text)
    return int(found[1]) / 1024 if found else 0.0
