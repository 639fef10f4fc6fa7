"""What figures from Python weigh, and how long they take: `python -m research.evidence.python_figures`.

For 1,000 and 100,000 samples with random vectors, ids of 16 letters, and answers that fail in two groups, each function
of `errata.figures` is called three times, and its JSON written once more by plotly. Prints the table of
docs/evidence/python.md: bytes of JSON, and the least CPU seconds to make it, in one thread.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import errata
from core.checks.checkpoints.follow import follow
from core.checks.compare import probe_of
from core.statistics.intervals import accuracy_of
from core.systems.probes.records import ProbeResult, Support, with_results

NS = (1_000, 100_000)
CLASSES = ("bird", "cat", "dog", "horse")
SETTINGS = errata.Settings(n_permutations=199, map=False, sensitivity=False)


def answers(truth: Any, fails: Any, rng: np.random.Generator) -> pd.DataFrame:
    """A table of answers, wrong with these probabilities."""
    n = len(truth)
    said = np.where(rng.random(n) < fails, (truth + rng.integers(1, len(CLASSES), n)) % len(CLASSES), truth)
    scores = rng.dirichlet(np.ones(len(CLASSES)), n)
    scores[np.arange(n), said] += 2
    scores /= scores.sum(axis=1, keepdims=True)
    names = np.array(CLASSES, object)
    table = {"id": [f"{row:016x}" for row in range(n)], "label": names[truth], "prediction": names[said]}
    return pd.DataFrame(table | {f"prob_{name}": scores[:, k] for k, name in enumerate(CLASSES)})


def drawn(n: int) -> dict[str, Callable[[], Any]]:
    """Each figure of a run of n samples."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 16)).astype(np.float32)
    truth = rng.integers(len(CLASSES), size=n)
    fails = np.where((vectors[:, 0] > 1) | (vectors[:, 1] < -1), 0.6, 0.05)
    run = errata.diagnose(answers(truth, fails, rng), embeddings=vectors, settings=SETTINGS)
    second = answers(truth, fails / 2, rng)
    compared = run.compare(second)
    result = probe_of(compared.run, "second model")
    errors = result.outcomes.errors
    assert result.labels is not None
    assert errors is not None
    accuracy = accuracy_of(errors, None)
    none = np.empty(0, np.int64)
    few: list[ProbeResult] = []
    for k in (1, 4, 16):
        few.append(
            ProbeResult(
                name=f"{k} shots",
                probe="tip-adapter",
                settings={"shots": k},
                encoder="given",
                class_names=result.class_names,
                rows=result.rows,
                labels=result.labels,
                outcomes=result.outcomes,
                accuracy=accuracy,
                calibration_error=accuracy,
                split="all",
                support=Support((), none, none, none, "made"),
            )
        )
    probed = with_results(run, few)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{epoch}.csv" for epoch in range(5)]
        for epoch, path in enumerate(paths):
            answers(truth, fails * (1 - epoch / 8), rng).to_csv(path, index=False)
        followed = follow(run, paths)
    figures = errata.figures
    return {
        "map": lambda: figures.map(run),
        "map, by loss": lambda: figures.map(run, by="loss"),
        "intervals": lambda: figures.intervals(run),
        "confusion": lambda: figures.confusion(run),
        "loss_histogram": lambda: figures.loss_histogram(run),
        "reliability": lambda: figures.reliability(run),
        "compare": lambda: figures.compare(compared.run, compared),
        "checkpoints": lambda: figures.checkpoints(run, followed),
        "shots": lambda: figures.shots(probed),
    }


def measured(draw: Callable[[], Any]) -> tuple[float, int]:
    """The least CPU seconds of three, and bytes of JSON."""
    seconds = []
    for _ in range(3):
        started = time.process_time()
        figure = draw()
        seconds.append(time.process_time() - started)
    return min(seconds), len(figure.to_json())


def main() -> None:
    print("| figure | samples | JSON, bytes | CPU s |\n|---|---|---|---|")
    for n in NS:
        for name, draw in drawn(n).items():
            seconds, size = measured(draw)
            print(f"| `{name}` | {n:,} | {size:,} | {seconds:.3f} |", flush=True)


if __name__ == "__main__":
    main()
