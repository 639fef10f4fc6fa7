"""CPU seconds and peak memory of each step, in processes of their own.

    # cold, then warm
    python -m research.evidence.speed --images IMAGES.zip --table TABLE.csv
    # given embeddings, 10 classes, 512 dimensions
    python -m research.evidence.speed --rows 10000
    python -m research.evidence.speed --rows 1000000 --no-map
    # 1,000 classes of 50 rows, 512 dimensions, a planted superclass
    python -m research.evidence.speed --long-tail 1000

The bound beside the test step is the matrix product that reruns one smoother on all permutations, measured in the same
process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.records import Embeddings, Outcomes, SampleSet


class Steps:
    """A `Progress` that books CPU seconds (of all threads) under the step that was running."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()
        self._step = "read"

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.process_time()
        self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._last
        self._last = now
        self._step = "test" if step.startswith("Testing group") else step

    def close(self) -> dict[str, float]:
        self(self._step, 1, 1)
        return {k: round(v, 1) for k, v in self.seconds.items()}


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """One diagnosis in this process."""
    from core.diagnose import diagnose
    from core.discovery.method import diagnose_records
    from core.discovery.settings import Settings

    if given.long_tail:
        from research.evidence.long_tail import make

        made = make(given.long_tail, seed=0, planted=True, d=512)
        settings = Settings(map=given.map, n_permutations=given.permutations)
        # what is made up for the benchmark is not booked
        steps = Steps()
        started = time.perf_counter()
        found = diagnose_records(
            made.samples, made.outcomes, made.embeddings, names=made.texts, settings=settings, progress=steps
        )
    elif given.rows:
        settings = Settings(map=not given.no_map)
        records = made_up(given.rows, given.classes)
        steps = Steps()
        started = time.perf_counter()
        found = diagnose_records(*records, settings=settings, progress=steps)
    else:
        steps = Steps()
        started = time.perf_counter()
        found = diagnose(given.table, images=given.images, cache=given.cache, progress=steps)
    return {
        "rows": len(found.samples),
        "clusters": len(found.clusters),
        "cpu_seconds": steps.close(),
        "wall_seconds": round(time.perf_counter() - started, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": os.getloadavg()[0],
        "bound_cpu_seconds": bound(len(found.samples), int(found.settings["n_permutations"])),
    }


def made_up(n: int, n_classes: int) -> tuple[SampleSet, Outcomes, Embeddings]:
    """Samples of 512 dimensions in classes, of which a sixth of class 3 has three times the mean loss."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n, 512), dtype=np.float32) / np.sqrt(1 + np.arange(512, dtype=np.float32))
    labels = rng.integers(0, n_classes, n)
    hard = (labels == 3) & (vectors[:, 0] > 1)
    losses = rng.gamma(1.0, np.where(hard, 1.5, 0.5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = tuple(f"class {number}" for number in range(n_classes))
    samples = SampleSet(tuple(map(str, range(n))), labels=labels, class_names=names)
    outcomes = Outcomes(losses, "loss", "loss", "made up", errors=losses > 1.5)
    return samples, outcomes, Embeddings(vectors, "made up", "made up")


def bound(n: int, permutations: int) -> float:
    """CPU seconds of one (n, 256) by (256, n) by (n, permutations) product: the least that rerunning one head takes."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, 256), dtype=np.float32)
    columns = rng.standard_normal((n, 256), dtype=np.float32)
    started = time.process_time()
    product = rows @ (rows.T @ columns)
    return round((time.process_time() - started) * permutations / product.shape[1], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--classes", type=int, default=10, help="of --rows")
    parser.add_argument("--no-map", action="store_true", help="of --rows")
    parser.add_argument("--long-tail", type=int, default=0, metavar="CLASSES")
    parser.add_argument("--permutations", type=int, default=5000, help="of the long tail")
    parser.add_argument("--map", action="store_true", help="draw the long tail's map too")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    if given.rows or given.long_tail or given.cache:
        print(json.dumps(measure(given)))
        return
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            command = [
                sys.executable,
                "-m",
                "research.evidence.speed",
                "--table",
                str(given.table),
                "--images",
                str(given.images),
                "--cache",
                cache,
            ]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(state, out.strip().splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
