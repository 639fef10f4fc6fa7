"""What the page's server holds under load, and what it leaves behind.

    python -m research.evidence.load [--only visitors waiting memory leftovers] [--code FOLDER]

The server is a child process with its temporary files and caches in a folder of its own. `--code` serves another
checkout, so that two can be compared by the same client. Printed as a table: figure, value.

visitors   50 at once: each looks at an example, selects and asks; 8 of them bring a table with images of their own.
           Counted: answers that did not come (lost), that were another visitor's (mixed), that were an error (failed),
           and the resident memory of the server: before, the most meanwhile, after.
waiting    seconds of `select` and `ask` while two diagnoses are under way.
memory     resident memory after 1,000 requests, each of a session of its own.
leftovers  files below the temporary folder after SIGTERM, after SIGKILL, and after the start that follows it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

EXAMPLE = "example-scenes"
N_VISITORS = 50
N_DIAGNOSES = 8
N_SESSIONS = 1000
N_ROWS = 300
PARTS = ("visitors", "waiting", "memory", "leftovers")
REPOSITORY = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """The server answered with an error."""


@dataclass
class Server:
    """A served page: its process, its address, and the folder that holds all it writes."""

    process: subprocess.Popen[bytes]
    address: str
    folder: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=900))

    def call(self, name: str, *data: Any) -> Any:
        """What the endpoint answers."""
        said = self.client.post(f"{self.address}/gradio_api/call/{name}", json={"data": list(data)})
        if said.status_code != 200:
            raise Failed(f"{said.status_code} {said.text[:200]}")
        event = said.json()["event_id"]
        with self.client.stream("GET", f"{self.address}/gradio_api/call/{name}/{event}") as lines:
            kind = ""
            for line in lines.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "complete":
                    return json.loads(line.removeprefix("data: "))[0]
                elif line.startswith("data: ") and kind == "error":
                    raise Failed(line[:300])
        raise TimeoutError("the answer did not come")

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """The file as the endpoints take it."""
        said = self.client.post(f"{self.address}/gradio_api/upload", files={"files": (name, content)})
        if said.status_code != 200:
            raise Failed(f"{said.status_code} {said.text[:200]}")
        return {"path": said.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def diagnose(self, n: int, seed: int) -> str:
        """The id of a run of n made-up images."""
        table, images = made_up(n, seed)
        files = (self.upload(f"t{seed}.csv", table), self.upload(f"p{seed}.zip", images))
        return self.call("diagnose", *files, None, {})

    def memory(self, kind: str = "VmRSS") -> float:
        """Resident MB now; the most so far with "VmHWM"."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024

    def leftovers(self) -> tuple[int, float]:
        """Number and MB of the files below the temporary folder."""
        files = [path for path in (self.folder / "tmp").rglob("*") if path.is_file()]
        return len(files), sum(path.stat().st_size for path in files) / 2**20


@contextmanager
def served(code: Path, folder: Path, keep: str = "none", start: Sequence[str] = ("-m", "core")) -> Generator[Server]:
    """A server of that checkout that keeps runs there; killed at the end if it still runs. `start`: what Python is told
    before the command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    own = {"TMPDIR": str(folder / "tmp"), "ERRATA_CACHE": str(folder / "cache"), "ERRATA_KEEP": keep}
    environment = {**os.environ, **own}
    command = [sys.executable, *start, "serve", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=code, env=environment, stdout=log, stderr=log)
    server = Server(process, f"http://127.0.0.1:{port}", folder)
    try:
        for _ in range(600):
            try:
                server.client.get(f"{server.address}/config")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield server
    finally:
        process.kill()
        process.wait()


def made_up(n: int, seed: int) -> tuple[bytes, bytes]:
    """(CSV, zip) of n small images with random losses; no two seeds share an image."""
    rng = np.random.default_rng(seed)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(n):
            picture = io.BytesIO()
            small = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(small).resize((96, 96)).save(picture, "PNG")
            archive.writestr(f"{i}.png", picture.getvalue())
    losses = "\n".join(f"{i}.png,{loss:.4f}" for i, loss in enumerate(rng.random(n)))
    return f"image,loss\n{losses}\n".encode(), packed.getvalue()


def outline(i: int) -> list[list[float]]:
    """An outline of the i-th visitor's own."""
    x = -1.0 + 0.02 * i
    return [[x, -2.0], [x + 1.0, -2.0], [x + 1.0, 2.0], [x, 2.0]]


def visitors(server: Server) -> Iterator[tuple[str, str]]:
    """50 visitors at once, 8 of whom diagnose."""
    wanted = [server.call("select", EXAMPLE, outline(i))["ids"] for i in range(N_VISITORS)]
    counts = {"lost": 0, "mixed": 0, "failed": 0}
    lock = threading.Lock()

    def visit(i: int) -> None:
        try:
            mixed = server.call("select", EXAMPLE, outline(i))["ids"] != wanted[i]
            asked = server.call("ask", EXAMPLE, [f"a red cube, number {i}"])
            mixed |= asked["answers"][0]["text"] != f"a red cube, number {i}"
            if i < N_DIAGNOSES:
                n = 64 + 4 * i
                mixed |= server.call("clusters", server.diagnose(n, seed=i))["n"] != n
            with lock:
                counts["mixed"] += mixed
        except Failed as error:
            print(f"visitor {i}: {error}", file=sys.stderr)
            with lock:
                counts["failed"] += 1
        except (httpx.HTTPError, TimeoutError) as error:
            print(f"visitor {i}: {error!r}", file=sys.stderr)
            with lock:
                counts["lost"] += 1

    before = server.memory()
    start = time.monotonic()
    with ThreadPoolExecutor(N_VISITORS) as pool:
        list(pool.map(visit, range(N_VISITORS)))
    yield (
        "resident before, most, after",
        ", ".join(f"{size:.0f} MB" for size in (before, server.memory("VmHWM"), server.memory())),
    )
    yield f"{N_VISITORS} visitors, {N_DIAGNOSES} diagnoses", f"{time.monotonic() - start:.0f} s"
    yield "lost, mixed, failed", ", ".join(str(counts[key]) for key in ("lost", "mixed", "failed"))


def waiting(server: Server) -> Iterator[tuple[str, str]]:
    """Seconds of light questions while two diagnoses are under way, and while nothing is."""
    server.call("ask", EXAMPLE, ["a warm up"])

    def measure(name: str, work: Callable[[int], Any], busy: Callable[[], bool]) -> tuple[str, str]:
        took = list[float]()
        i = 0
        while (busy() or i < 3) and i < 40:
            start = time.monotonic()
            i = i + 1
            work(i)
            took.append(time.monotonic() - start)
        middle, late = np.quantile(took, [0.5, 0.95])
        return name, f"{middle:.2f} s, {late:.2f} s ({len(took)} calls)"

    def select(i: int) -> Any:
        return server.call("select", EXAMPLE, outline(i))

    def ask(i: int) -> Any:
        return server.call("ask", EXAMPLE, [f"a blue ball, number {i} {time.monotonic()}"])

    for name, work in (("select", select), ("ask", ask)):
        start = time.monotonic()
        yield measure(f"{name} alone: median, 95%", work, lambda start=start: time.monotonic() - start < 5)
    for name, work in (("select", select), ("ask", ask)):
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(server.diagnose, N_ROWS, 100 + k + (50 if name == "ask" else 0)) for k in range(2)]
            time.sleep(3)
            yield measure(f"{name} during two diagnoses", work, lambda runs=runs: not all(r.done() for r in runs))
            for run in runs:
                run.result()


def memory(server: Server) -> Iterator[tuple[str, str]]:
    """Resident memory before and after many sessions."""
    for i in range(20):
        post(server, f"warm{i}")
    before = server.memory()
    start = time.monotonic()
    for i in range(N_SESSIONS):
        post(server, f"session{i}")
    after = server.memory()
    yield f"{N_SESSIONS} sessions", f"{before:.0f} to {after:.0f} MB, {time.monotonic() - start:.0f} s"
    yield "for each session", f"{(after - before) * 1024 / N_SESSIONS:.0f} kB"


def post(server: Server, session: str) -> None:
    """A small request of a session of its own: the card of a sample, which waits for nobody."""
    for component in server.client.get(f"{server.address}/config").json()["components"] if not _MAP else []:
        if component["props"].get("elem_id") == "map":
            _MAP.append(component["id"])
    body = {"data": [EXAMPLE, 0], "component_id": _MAP[0], "session_hash": session, "fn_name": "describe"}
    server.client.post(f"{server.address}/gradio_api/component_server", json=body)


_MAP: list[int] = []


def leftovers(code: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """What lies below the temporary folder after each way to end."""
    for name, end in (("SIGTERM", signal.SIGTERM), ("SIGKILL", signal.SIGKILL)):
        with served(code, folder) as server:
            server.diagnose(64, seed=1)
            with ThreadPoolExecutor(1) as pool:
                under_way = pool.submit(server.diagnose, N_ROWS, 2)
                time.sleep(5)
                start = time.monotonic()
                server.process.send_signal(end)
                status = server.process.wait(60)
                took = time.monotonic() - start
                under_way.exception()
            n, size = server.leftovers()
            yield f"after {name} (exit {status}, {took:.1f} s)", f"{n} files, {size:.1f} MB"
    with served(code, folder) as server:
        n, size = server.leftovers()
        yield "after the next start", f"{n} files, {size:.1f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--code", type=Path, default=REPOSITORY)
    said = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="errata-load-"))
    try:
        print(f"load of the machine: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
        for name, part in (("visitors", visitors), ("waiting", waiting), ("memory", memory)):
            if name in said.only:
                with served(said.code, folder / name) as server:
                    for row in part(server):
                        print(f"{row[0]:45} {row[1]}", flush=True)
        if "leftovers" in said.only:
            for row in leftovers(said.code, folder / "leftovers"):
                print(f"{row[0]:45} {row[1]}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
