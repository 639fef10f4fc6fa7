"""The ladder of probes on a labeled data set, on seeds on which no setting was chosen.

    python -m research.evidence.probes --dataset FOLDER_OR_TABLE --out DIR --halves [--methods sus-x few-shot coop
    cocoop] [--seeds 1000 1003] [--pool IMAGES] [--init WORDS] [--paired lp++ linear-probe]

Each step's mean over seeds with its interval (over rows and draws, see `research.ladder.reproduce.over_seeds`), its
gains over its controls, and CPU seconds. With --paired two few-shot probes are set beside each other on the same rows
and draws, in place of the ladder. A run that was broken off goes on where it was. `python -m research.ladder` is
the same with seeds of the user's.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.files import default_cache
from core.records import F64, I64, Estimate
from core.statistics.intervals import bootstrap
from core.systems.probes import make_probe
from core.systems.probes.base import Task
from core.systems.probes.few_shot.pools import read_pool
from core.systems.probes.records import ProbeResult
from core.systems.probes.run import run_probe
from research.ladder.data_sets import read_data_set
from research.ladder.reproduce import LadderRow, over_seeds, run_ladder
from research.ladder.steps import LadderChoices, ladder


def said(estimate: Estimate | None) -> str:
    """ "75.0 [71.1, 78.8]", in per cent."""
    return (
        "-" if estimate is None else f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"
    )


def line(row: LadderRow) -> str:
    """A row of a Markdown table."""
    gains = "; ".join(f"{name} {said(gain)}" for name, gain in row.gains.items())
    name = row.step if row.shots is None else f"{row.step}, {row.shots}"
    return f"| {name} | {row.setting}, {row.metric} | {said(row.value)} | {gains} | {row.seconds:.0f} | {row.note} |"


def right(name: str, shots: int, task: Task) -> tuple[F64, ProbeResult]:
    """(n,) 1 where the probe is right of a row, in the order of the samples; and its result."""
    result = run_probe(name, make_probe(name, {"shots": shots}), task)
    assert result.outcomes.errors is not None
    hits = np.zeros(len(task.samples))
    hits[result.rows] = ~result.outcomes.errors
    return hits, result


def paired_line(names: tuple[str, str], shots: int, task: Task, seeds: range) -> str:
    """A row of a Markdown table: both accuracies, the second minus the first, and both calibration errors."""
    results: list[tuple[ProbeResult, ProbeResult]] = []
    gaps: list[Estimate] = []
    for seed in seeds:
        (a, first), (b, second) = (right(name, shots, replace(task, seed=seed)) for name in names)
        gap = b - a

        def mean(at: I64, gap: F64 = gap) -> float:
            return float(gap[at].mean())

        gaps.append(bootstrap(mean, len(gap), task.samples.groups, np.random.default_rng(seed)))
        results.append((first, second))
    accuracies = [said(over_seeds([pair[i].accuracy for pair in results])) for i in (0, 1)]
    errors = [said(over_seeds([pair[i].calibration_error for pair in results])) for i in (0, 1)]
    return f"| {shots} | {' | '.join((*accuracies, said(over_seeds(gaps)), *errors))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["sus-x", "few-shot", "coop", "cocoop"])
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1003))
    parser.add_argument("--shots", type=int, nargs="+", default=(1, 4, 16))
    parser.add_argument(
        "--init", default="a photo of a", help='what learned contexts start from; "" for random vectors'
    )
    parser.add_argument("--pool", type=Path, help="images for SuS-X; without it the other half stands in")
    parser.add_argument("--paired", nargs=2, metavar="PROBE", help="two few-shot probes, in place of the ladder")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument(
        "--halves",
        action="store_true",
        help="let halves teach each other even if the table has a split column: all rows are scored",
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    told: set[str] = set()
    found = read_data_set(given.dataset, given.encoder, cache=default_cache())
    if given.halves:
        found = replace(found, task=replace(found.task, split=None))
    if given.pool is not None:
        names = found.task.samples.class_names
        vectors = found.task.joint.vectors
        pool = read_pool(given.pool, found.task.encoder, names, samples=vectors, cache=default_cache())
        found = replace(found, task=replace(found.task, pool=pool.images), pool_notes=pool.notes)
    print(
        f"{found.name}: {len(found.task.samples):,} images, {len(found.task.samples.class_names)} classes", flush=True
    )
    if given.paired:
        for shots in given.shots:
            print(paired_line(tuple(given.paired), shots, found.task, range(*given.seeds)), flush=True)
        return
    for method in given.methods:
        steps = ladder(method, LadderChoices(given.shots, found.descriptions, given.init, given.pool is not None))
        for row in run_ladder(steps, found, range(*given.seeds), encoder=given.encoder, state=given.out / "steps.json"):
            if (text := line(row)) not in told:
                told.add(text)
                print(text, flush=True)


if __name__ == "__main__":
    main()
