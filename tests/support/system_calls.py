"""What a process asks of the system, seen from outside with strace: whom it reaches, what it writes, what it starts.

Native libraries do as they like behind Python's back, so audit hooks and patched sockets see nothing of them.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

WRITING = "creat mkdir mkdirat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat truncate".split()
REMOVING = "unlink unlinkat rmdir".split()
OPENING = ("open", "openat", "openat2")
CALLS = ",".join(("%network", "execve", *OPENING, *WRITING, *REMOVING))
_HARMLESS = re.compile(
    r"^/dev/shm/sem\.|^/proc/self/|/site-packages/gradio/(hash_seed\.txt|components/api_component\.pyi)$"
)
_LINE = re.compile(r"(?:\d+ +)?(?P<call>\w+)\((?P<given>.*)\) += (?P<result>-?\d+)(?P<said>.*)")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_INTERNET = re.compile(r'htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')
_UNIX = re.compile(r'AF_UNIX, sun_path=(@?)"([^"]*)"')
_FOLDER = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>, $")


@dataclass
class Watched:
    """What was seen of one command and all that it started."""

    name: str
    exit_code: int = 0
    output: str = ""
    reached: Counter[str] = field(default_factory=Counter)
    """Addresses that something was sent to or that were connected to: "10.0.0.1:53", or a local socket's path."""
    asked: Counter[str] = field(default_factory=Counter)
    """Names that were looked up."""
    written: Counter[str] = field(default_factory=Counter)
    """Paths of files and folders that were made, written, renamed or removed, also those that are gone again."""
    started: Counter[str] = field(default_factory=Counter)
    """Programs."""

    def faults(self, folders: Iterable[Path]) -> list[str]:
        """All that left the machine, and each write that is neither below one of the folders nor `harmless`."""
        below = [folder.resolve() for folder in folders]
        strays = [p for p in self.written if not harmless(p) and not any(Path(p).is_relative_to(f) for f in below)]
        away = [address for address in self.reached if not stays_here(address)]
        return [
            *(f"reached {a}" for a in away),
            *(f"asked for {a}" for a in self.asked),
            *(f"wrote {p}" for p in strays),
        ]


def harmless(path: str) -> bool:
    """Whether a write there keeps nothing: Python's and numba's compiled code beside the code itself, what Gradio makes
    in its own package when it is first imported, the system's devices, and the semaphores of worker processes, which
    joblib makes when it is imported and removes at once."""
    return "/__pycache__" in path or path in ("/dev/null", "/dev/tty") or bool(_HARMLESS.search(path))


def stays_here(address: str) -> bool:
    """Whether an address is this machine's own loopback. A local socket is not: a service behind it may go on."""
    host, _, _ = address.rpartition(":")
    return bool(host) and not address.startswith("/") and ipaddress.ip_address(host.strip("[]")).is_loopback


@cache
def why_not() -> str:
    """Why nothing can be watched here, or an empty string."""
    if shutil.which("strace") is None:
        return "needs strace: apt-get install strace"
    done = subprocess.run(["strace", "-f", "-e", "trace=execve", "true"], capture_output=True, text=True)
    return "" if done.returncode == 0 else "strace may not trace here: a container needs --cap-add SYS_PTRACE"


@dataclass(frozen=True)
class Run:
    """What to run and where.

    Args:
        folder: for the logs of the system calls, one a thread, and for what is printed; made anew.
    """

    name: str
    command: Sequence[str]
    folder: Path
    env: Mapping[str, str]
    cwd: Path

    def start(self) -> subprocess.Popen[bytes]:
        """The tracer of the command, which has begun."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        logs = str(self.folder / "calls")
        options = ["-ff", "--seccomp-bpf", "-qq", "-y", "-s", "300", "-e", f"trace={CALLS}", "-o", logs]
        with (self.folder / "output").open("w") as output:
            return subprocess.Popen(
                ["strace", *options, *self.command], env=dict(self.env), cwd=self.cwd, stdout=output, stderr=output
            )

    def found(self, exit_code: int) -> Watched:
        """What the logs say once the command has ended."""
        seen = Watched(self.name, exit_code, self.printed())
        for log in sorted(self.folder.glob("calls.*")):
            read(log.read_text(errors="replace").splitlines(), self.cwd, seen)
        return seen

    def printed(self) -> str:
        """What the command has printed so far."""
        return (self.folder / "output").read_text(errors="replace")


def watch(run: Run, timeout: float = 900) -> Watched:
    """Run the command under strace to its end."""
    tracer = run.start()
    try:
        code = tracer.wait(timeout)
    finally:
        stop(tracer)
    return run.found(code)


def stop(tracer: subprocess.Popen[bytes]) -> int:
    """Ask the traced command to end, as `docker stop` does, and give its exit code."""
    if tracer.poll() is None:
        for child in Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
    try:
        return tracer.wait(60)
    except subprocess.TimeoutExpired:
        tracer.kill()  # the command goes on, then, without its tracer
        raise


def read(lines: Iterable[str], cwd: Path, seen: Watched) -> None:
    """Add the system calls of one log, as `strace -ff -y` writes it, to what was seen."""
    for line in lines:
        if match := _LINE.match(line):
            call, given, result, said = match["call"], match["given"], int(match["result"]), match["said"]
            if call == "execve" and result == 0:
                seen.started.update(_TEXT.findall(given)[:1])
            elif call in OPENING or call in WRITING or call in REMOVING:
                if result >= 0 and (call not in OPENING or re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", given)):
                    seen.written.update(_paths(given, said, cwd))
            elif call in ("connect", "sendto", "sendmsg", "sendmmsg"):
                seen.reached.update(_addresses(given, result))
                seen.asked.update(filter(None, map(_question, _TEXT.findall(given))))


def _paths(given: str, said: str, cwd: Path) -> Iterator[str]:
    """The full paths of a call: that of the file opened, as the system knows it, or those that were given."""
    if opened := re.match(r"<([^>]*)>", said):
        yield opened[1]
        return
    for text in _TEXT.finditer(given):
        folder = _FOLDER.search(given, 0, text.start())
        yield os.path.normpath(os.path.join(folder[1] if folder else cwd, text[1]))


def _addresses(given: str, result: int) -> Iterator[str]:
    """Where a call sends to. A local socket that is not there was not reached."""
    for port, host in _INTERNET.findall(given):
        yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if result >= 0:
        yield from (f"{'@' if abstract else ''}{path}" for abstract, path in _UNIX.findall(given))


def _question(text: str) -> str:
    """The name that a message asks a name server for, or an empty string if it is no such message."""
    data = re.sub(r"\\([0-7]{1,3})", lambda octal: chr(int(octal[1], 8) & 255), text)
    data = re.sub(
        r"\\(.)", lambda one: {"t": "\t", "n": "\n", "r": "\r", "v": "\v", "f": "\f"}.get(one[1], one[1]), data
    )
    if len(data) < 17 or data[2:6] != "\1\0\0\1":
        return ""
    at, labels = 12, []
    while at < len(data) and (size := ord(data[at])):
        labels.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return ".".join(labels)
