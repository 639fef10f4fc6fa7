"""What a data set in shards costs: images a second with one and two workers of Ray, a worker that is killed, a run
that is stopped and gone on with, and the passes over shards of vectors.

    python -m research.evidence.shards embed --pictures 1600 --workers 1 2
    python -m research.evidence.shards stopped --pictures 800
    python -m research.evidence.shards assign --rows 400000

`embed` needs Ray. Images are drawn, JPEG of 500 by 375; each figure is one line of JSON with the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from core.data.tables.roles import Roles
from core.encoders.embedded.lite0_runtime import THREADS
from core.systems.shards.confirm import confirm
from core.systems.shards.draw import draw
from core.systems.shards.embed import EmbedShards
from core.systems.shards.engines import LOCAL, ShardEngine, over_shards
from core.systems.shards.files import ShardSet, find_shards
from core.systems.shards.sample import SearchedSample, search_shards
from tests.support.pictures import encoded
from tests.support.shards import QUICK, planted_rows, write_shards

SHARDS = 16
SAMPLE = 100


def photograph(seed: int) -> bytes:
    """A drawn image with about the bytes of a photograph of its size: shapes of all sizes under grain."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).resize((500, 375), Image.Resampling.BICUBIC)
        for side in (4, 12, 48)
    ]
    mixed = np.mean([np.asarray(layer, np.float64) for layer in layers], axis=0) + rng.normal(0, 6, (375, 500, 1))
    return encoded(Image.fromarray(mixed.clip(0, 255).astype(np.uint8)), "JPEG", quality=90)


def picture_shards(folder: Path, n: int) -> ShardSet:
    rows = {"id": [f"p{i}" for i in range(n)], "loss": np.random.default_rng(0).exponential(1, n)}
    pictures = [photograph(seed) for seed in range(n)]
    show("pictures", n=n, kilobytes_each=round(np.mean([len(picture) for picture in pictures]) / 1000, 1))
    return find_shards(write_shards(folder, pd.DataFrame(rows | {"image": pictures}), SHARDS), Roles())


def show(what: str, **figures: Any) -> None:
    print(json.dumps({"what": what, **figures, "load": round(os.getloadavg()[0], 1)}), flush=True)


def timed(shards: ShardSet, work: Path, engine: ShardEngine, then: Callable[[int], None] = lambda _: None) -> Any:
    """(rows embedded now, wall seconds) of one pass."""
    job = EmbedShards(shards, work, "embedded", draw(shards, SAMPLE))
    start = time.perf_counter()
    done = over_shards(job, shards.names, "embed", engine=engine, progress=lambda _, n, total: then(n))
    return sum(done.values()), time.perf_counter() - start


def vectors(work: Path) -> np.ndarray[Any, Any]:
    """(n, d) of all files."""
    return np.stack([v for path in sorted((work / "vectors").iterdir()) for v in pd.read_parquet(path)["vector"]])


def embed(folder: Path, n: int, workers: Sequence[int]) -> None:
    """Images a second: what a pass takes beyond one that finds everything done, which starts Ray and reads ids."""
    shards = picture_shards(folder / "shards", n)
    made = list[Any]()
    for k in workers:
        work = folder / f"work{k}"
        engine = ShardEngine("ray", k)
        rows, seconds = timed(shards, work, engine)
        again, idle = timed(shards, work, engine)
        show("embed", workers=k, rows=rows, pictures_a_second=round(rows / (seconds - idle), 1), wall=round(seconds, 1))
        show("found done", workers=k, rows=again, wall=round(idle, 1))
        made.append(vectors(work))
    kill = Killer()
    rows, seconds = timed(shards, folder / "killed", ShardEngine("ray", max(workers)), kill)
    same = all(np.array_equal(vectors(folder / "killed"), other) for other in made)
    show("worker killed", rows=rows, wall=round(seconds, 1), killed=kill.killed, equal_vectors=same)
    size = sum(path.stat().st_size for path in (folder / "killed" / "vectors").iterdir())
    show("vectors", bytes_each=round(size / n), dimensions=made[0].shape[1])


class Killer:
    """Kills a worker of Ray once three shards are done."""

    def __init__(self) -> None:
        self.killed: list[int] = []

    def __call__(self, done: int) -> None:
        if done < 3 or self.killed:
            return
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and b"_RayWorker.do" in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
                self.killed.append(int(entry.name))
                return


def stopped(folder: Path, n: int) -> None:
    """A run whose process is killed in the middle, and the next."""
    shards = picture_shards(folder / "shards", n)
    code = (
        "import sys; from pathlib import Path; from core.data.tables.roles import Roles; "
        "from core.systems.shards.files import find_shards; from research.evidence.shards import timed, LOCAL; "
        "timed(find_shards(Path(sys.argv[1]), Roles()), Path(sys.argv[2]), LOCAL)"
    )
    work = folder / "work"
    running = subprocess.Popen([sys.executable, "-c", code, str(shards.folder), str(work)])
    while len(list((work / "vectors").glob("*.parquet"))) < SHARDS // 2:
        time.sleep(0.05)
    running.kill()
    running.wait()
    whole = sum(pq.read_metadata(path).num_rows for path in (work / "vectors").glob("*.parquet"))
    rows, seconds = timed(shards, work, LOCAL)
    os.environ[THREADS] = "1"
    start = time.process_time()
    timed(shards, folder / "other", LOCAL)
    show("embed here", cpu_seconds_a_thousand=round((time.process_time() - start) / n * 1000, 1), peak_mib=peak_mib())
    same = np.array_equal(vectors(work), vectors(folder / "other"))
    show("stopped", whole_before=whole, embedded_after=rows, of=n, wall=round(seconds, 1), equal_vectors=same)


def peak_mib() -> int:
    """Of this process since it began; what `getrusage` says includes the one that started it."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def assign(folder: Path, n: int, d: int = 512) -> None:
    """CPU seconds of the passes over shards of ready vectors, in one process, and its peak memory."""
    shards = find_shards(write_shards(folder / "shards", planted_rows(n, d), SHARDS), Roles())
    start = time.process_time()
    draw(shards, n // 20)
    show("draw", rows=n, cpu_seconds_a_million=round((time.process_time() - start) / n * 1e6, 1))
    searched = search_shards(shards, folder / "work", most=n // 20, settings=QUICK)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sizes, seconds, least, most = pool.apply(confirmed, (searched,))
    million = round(seconds / n * 1e6, 1)
    show("assign", rows=n, dimensions=d, clusters=sizes, cpu_seconds_a_million=million, mib=[least, most])


def confirmed(searched: SearchedSample) -> tuple[list[int], float, int, int]:
    """In a process of its own: rows by cluster, CPU seconds, and peak memory before and after."""
    least = peak_mib()
    start = time.process_time()
    return [row.n for row in confirm(searched).rows], time.process_time() - start, least, peak_mib()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=("embed", "stopped", "assign"))
    parser.add_argument("--pictures", type=int, default=1600)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rows", type=int, default=400_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if given.part == "embed":
            embed(folder, given.pictures, given.workers)
        elif given.part == "stopped":
            stopped(folder, given.pictures)
        else:
            assign(folder, given.rows)


if __name__ == "__main__":
    main()
