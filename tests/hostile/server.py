"""A server of the page for hostile requests, watched from outside: its memory, its time, its log, what it leaves."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.hostile import HostileCase
from tests.hostile.bounds import Verdict, high_water, judge

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
_OURS = re.compile(r'File "[^"]*/(?:core|webapp/(?!server/))([^"]*", line \d+, in \w+)')
"""A frame of our own code; what webapp/server passes on to Gradio stands in every traceback."""
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt)\b.*$", re.MULTILINE)


class Harm(Exception):
    """A request did what no request may."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class Server:
    """A running server, and how to speak to it."""

    port: int
    process: int
    folder: Path
    fns: dict[str, int] = field(default_factory=dict[str, int])
    """Numbers of the public endpoints."""
    private: tuple[tuple[int, int], ...] = ()
    """(number, how many inputs) of each private event."""
    first_mb: float = 0.0
    """Memory before the first case."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, patience: float = 20.0
    ) -> Answer:
        """One request; a body that is no bytes is sent as JSON."""
        given = {"Origin": self.origin, **(headers or {})}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode("utf-8", "surrogatepass")
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request(method, path, data, given)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(2**22), {k.lower(): v for k, v in answer.getheaders()})
        except (http.client.HTTPException, ConnectionError) as error:
            return Answer(0, f"{type(error).__name__}: {error}".encode(), {})
        finally:
            connection.close()

    def raw(self, data: bytes, *, patience: float = 5.0, pause: float = 0.0) -> bytes:
        """These very bytes, and what comes back until the server closes or says no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as line:
            with contextlib.suppress(OSError):
                for at in range(0, len(data), 2**16):
                    line.sendall(data[at : at + 2**16])
                    time.sleep(pause)
            got = b""
            with contextlib.suppress(OSError):
                while len(got) < 2**20 and (part := line.recv(2**16)):
                    got += part
            return got

    def call(self, name: str, data: Any, *, patience: float = 40.0) -> Answer:
        """A call of a public endpoint, to its end: the answer's body is the last event's."""
        first = self.ask("POST", f"/gradio_api/call/{name}", {"data": data})
        if first.status != 200:
            return first
        return self.ask("GET", f"/gradio_api/call/{name}/{json.loads(first.body)['event_id']}", patience=patience)

    def join(
        self, fn: int, data: Any, session: Any = "hostile", event: Any = None, *, patience: float = 30.0
    ) -> Answer:
        """A private event through the queue, to its end."""
        asked = {"data": data, "fn_index": fn, "session_hash": session, "event_data": event, "trigger_id": None}
        first = self.ask("POST", "/gradio_api/queue/join", asked)
        if first.status != 200 or not isinstance(session, str):
            return first
        return self.ask("GET", f"/gradio_api/queue/data?session_hash={quote(session)}", patience=patience)

    def try_case(self, case: HostileCase) -> Verdict:
        """Make the request, then see what it cost and whether the page still answers."""
        Path(f"/proc/{self.process}/clear_refs").write_text("5")
        cpu, log, before = self._cpu(), self._log(), high_water(str(self.process))
        self.first_mb = self.first_mb or before
        try:
            outcome, _, message = str(case.make(self.folder)(self)).partition(": ")
        except Harm as error:
            outcome, message = "FAULT", str(error)
        except Exception as error:
            outcome, message = "FAULT", f"{type(error).__name__}: {str(error)[:160]}"
        if outcome != "FAULT" and (trouble := self._trouble(log)):
            outcome, message = "FAULT", trouble
        own = self.first_mb + high_water(str(self.process)) - before  # what earlier cases left is not this one's
        return judge(case, outcome, message, own, self._cpu() - cpu, [str(self.folder)])

    def _trouble(self, log: int) -> str:
        """What the log or the page's first view says of a request that went wrong."""
        if self.ask("GET", "/", patience=15.0).status != 200:
            return "the page no longer answers"
        written = (self.folder / "log").read_bytes()[log:].decode("utf-8", "replace")
        for one in written.split("Traceback (most recent call last)")[1:]:
            if ours := _OURS.findall(one):
                raised = _RAISED.search(one)
                return f"a traceback in the log: {raised[0][:120] if raised else '?'} ({ours[-1]})"
        return ""

    def _log(self) -> int:
        return (self.folder / "log").stat().st_size

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running() -> Generator[Server]:
    """A server on a free port of this machine; ended and swept afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-server-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    own = {"TMPDIR": str(folder), "ERRATA_CACHE": str(folder / "cache"), "ERRATA_KEEP": str(folder / "kept")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "serve", "--port", str(port)],
            cwd=REPOSITORY, env=os.environ | own | {"HF_HUB_OFFLINE": "1"}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    server = Server(port, process.pid, folder)
    try:
        _wait(server)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            if server.ask("GET", "/").status == 200:
                break
        if time.monotonic() > until:
            raise RuntimeError((server.folder / "log").read_text()[-2000:])
        time.sleep(0.3)
    said = json.loads(server.ask("GET", "/config").body)
    for one in said["dependencies"]:
        if one["api_visibility"] == "public":
            server.fns[str(one["api_name"])] = int(one["id"])
    private = (one for one in said["dependencies"] if one["api_visibility"] == "private")
    server.private = tuple((int(one["id"]), len(one["inputs"])) for one in private)
