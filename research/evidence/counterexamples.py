"""Constructions in which a claim is false (or true, to see the power that is left), and how often Errata makes it.

    python -m research.evidence.counterexamples --list
    python -m research.evidence.counterexamples --case "classes: exponential" --runs 200 --out counterexamples.jsonl

A case is a function of the number of the run that makes its data, runs what it tests and returns at least `claimed`,
whether anything was claimed that the case is about. Add one with `@case(name)`. Runs 0-99 tune, 1000 and on are
reported; a run that has its line already is not made again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from core.discovery.classes import class_findings
from core.discovery.design import make_design
from core.discovery.settings import Settings
from core.records import F64, I64, Bool, ClassFinding, Column, Outcomes, SampleSet
from research.arrays import diagnose_arrays
from research.evidence.group_cases import (
    errors_go_by_group,
    groups_across_classes,
    groups_alike_in_a_place,
    groups_nearly_of_a_class,
    outlying_vectors,
    pairs_that_nobody_names,
    small_classes,
)
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show
from research.evidence.pair_cases import PAIR_CASES

Case = Callable[[int], dict[str, Any]]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    """Enter a function under a name; the part before the colon says whom it is about."""

    def enter(function: Case) -> Case:
        if name in CASES:
            raise ValueError(f"There are two cases {name!r}.")
        CASES[name] = function
        return function

    return enter


# Whole classes: the mean loss of every class is the same, and its shape is not.

CLASS_ALPHA = 0.05
"""Of the classes alone; a run spends a fifth of its alpha there."""
Draw = Callable[[np.random.Generator, int], F64]
SHAPES: dict[str, Draw] = {
    "exponential": lambda rng, n: rng.exponential(1.0, n),
    "lognormal": lambda rng, n: rng.lognormal(-0.5, 1.0, n),
    "wide lognormal": lambda rng, n: rng.lognormal(-1.125, 1.5, n),
    "pareto": lambda rng, n: (1 + rng.pareto(2.5, n)) * 0.6,
    "uniform": lambda rng, n: rng.uniform(0.0, 2.0, n),
    "narrow": lambda rng, n: rng.uniform(0.9, 1.1, n),
    "two points, high": lambda rng, n: np.where(rng.random(n) < 0.9, 1 / 0.9, 0.0),
    "two points, low": lambda rng, n: np.where(rng.random(n) < 0.1, 10.0, 0.0),
    "left": lambda rng, n: 2.0 - np.minimum(rng.exponential(1.0, n), 2.0) - 1 + (1 - np.exp(-2.0)),
}
"""Draws of mean 1."""


def classes_of(drawn: Sequence[F64]) -> tuple[ClassFinding, ...]:
    """What is found of the classes with these losses."""
    labels: I64 = np.repeat(np.arange(len(drawn)), [len(values) for values in drawn])
    return classes_in(np.concatenate(drawn), labels)


def classes_in(
    loss: F64, labels: I64, groups: I64 | None = None, errors: Bool | None = None
) -> tuple[ClassFinding, ...]:
    """What is found of the classes of these rows."""
    names = tuple(f"class {c}" for c in range(int(labels.max()) + 1))
    samples = SampleSet(tuple(map(str, range(len(labels)))), labels=labels, class_names=names, groups=groups)
    outcomes = Outcomes(loss, "loss", "loss", "given", errors=errors)
    return class_findings(samples, outcomes, make_design(samples), alpha=CLASS_ALPHA)


def _equal_means(odd: str, others: str, rows: int, rest: int, k: int) -> Case:
    """One class of another shape among k - 1 of one shape; every mean is 1, so that every claim is false."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 31])
        drawn = [SHAPES[odd](rng, rows), *(SHAPES[others](rng, rest) for _ in range(k - 1))]
        found = classes_of(drawn)
        return {
            "claimed": any(f.confirmed for f in found),
            "odd": any(f.confirmed for f in found if f.name == "class 0"),
        }

    return run


def _shifted(shape: str, rows: int, rest: int, k: int, shift: float) -> Case:
    """One class whose mean is higher by `shift`: what is claimed is true."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 32])
        drawn = [SHAPES[shape](rng, rows) + shift, *(SHAPES[shape](rng, rest) for _ in range(k - 1))]
        found = classes_of(drawn)
        true = [f for f in found if f.confirmed and f.name == "class 0"]
        welch = stats.ttest_ind(drawn[0], np.concatenate(drawn[1:]), equal_var=False, alternative="greater").pvalue
        held = bool(true) and true[0].mean_loss.low <= 1 + shift <= true[0].mean_loss.high
        return {
            "claimed": bool(true),
            "by Welch's t": bool(k * welch <= CLASS_ALPHA),
            "interval holds": held,
            "false": sum(f.confirmed for f in found) - len(true),
        }

    return run


def _in_groups(n_groups: int, crossing: bool, binary: bool) -> Case:
    """Three alike classes whose rows come in groups of 1 to 9, each with a level of its own; every claim is false."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 34])
        groups = np.repeat(np.arange(n_groups), rng.integers(1, 10, n_groups))
        labels = rng.integers(0, 3, len(groups)) if crossing else groups % 3
        level = rng.gamma(1.0, 1.0, n_groups)[groups]
        loss = level * rng.exponential(1.0, len(groups))
        errors = rng.random(len(groups)) < 0.3 * np.minimum(level, 3) if binary else None
        found = classes_in(loss if errors is None else errors.astype(np.float64), labels, groups, errors)
        return {"claimed": any(f.confirmed for f in found), "tested": sum(f.p is not None for f in found)}

    return run


for _count in (45, 300):
    for _crossing in (False, True):
        for _binary in (False, True):
            _what = (
                f"{'errors' if _binary else 'losses'} in {_count} groups {'across' if _crossing else 'within'} classes"
            )
            CASES[f"classes: {_what}"] = _in_groups(_count, _crossing, _binary)
for _odd, _others in (
    *(("exponential", "uniform"), ("uniform", "exponential"), ("lognormal", "uniform"), ("uniform", "lognormal")),
    *(("narrow", "wide lognormal"), ("wide lognormal", "narrow"), ("pareto", "narrow"), ("narrow", "pareto")),
    *(("two points, high", "uniform"), ("two points, low", "uniform"), ("left", "uniform"), ("pareto", "pareto")),
    *(("narrow", "two points, low"), ("exponential", "exponential"), ("left", "left"), ("uniform", "uniform")),
):
    for _rows, _rest, _k in ((12, 100, 5), (30, 100, 5), (300, 300, 5), (12, 12, 2), (40, 40, 2), (1000, 1000, 2)):
        CASES[f"classes: {_odd} ({_rows}) among {_k - 1} {_others} ({_rest})"] = _equal_means(
            _odd, _others, _rows, _rest, _k
        )
for _shape, _rows, _rest, _k, _shift in (
    *(("exponential", 20, 100, 5, 1.0), ("exponential", 50, 100, 5, 0.6), ("exponential", 300, 300, 5, 0.25)),
    *(("uniform", 20, 100, 5, 0.5), ("uniform", 50, 100, 5, 0.35), ("narrow", 20, 100, 5, 0.05)),
    *(("exponential", 50, 100, 5, 0.3), ("uniform", 50, 100, 5, 0.2), ("exponential", 12, 100, 5, 0.8)),
    *(("lognormal", 50, 100, 5, 0.8), ("pareto", 50, 100, 5, 0.6), ("left", 50, 100, 5, 0.4)),
):
    CASES[f"classes: {_shape} ({_rows}) higher by {_shift:g}, among {_k - 1} ({_rest})"] = _shifted(
        _shape, _rows, _rest, _k, _shift
    )


# Copies of rows, with their losses, in data without a pattern (every claim is false) or with a failing region.

COPIED = 0.3


def _with_copies(noise: float, n: int, d: int, failing: bool, share: float = COPIED) -> Case:
    """`n` rows of `d` dimensions, and a `share` as many copies of some of them, `noise` times their length away."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 33])
        vectors = rng.normal(size=(n, d))
        losses = rng.exponential(1.0, n)
        if failing:
            losses[vectors[:, 0] > np.quantile(vectors[:, 0], 0.9)] += 1.5
        of = rng.integers(0, n, int(share * n))
        steps = rng.normal(size=(len(of), d)) / np.sqrt(d) * np.linalg.norm(vectors[of], axis=1, keepdims=True)
        again = losses[of] * (1 + noise / 10 * rng.normal(size=len(of)))
        every = np.r_[vectors, vectors[of] + noise * steps].astype(np.float32), np.r_[losses, again]
        found = diagnose_arrays(*every, settings=Settings(seed=number, map=False, n_permutations=199, n_members=2))
        groups = found.samples.groups
        return {
            "claimed": bool(found.clusters or any(f.confirmed for f in (*found.classes, *found.insights))),
            "groups": None if groups is None else len(np.unique(groups)),
        }

    return run


CASES["copies: 300 rows of 16, none copied"] = _with_copies(0.0, 300, 16, False, 0.0)
CASES["copies: 600 rows of 64, none copied, a failing region"] = _with_copies(0.0, 600, 64, True, 0.0)
for _noise in (0.0, 0.05, 0.3):
    for _n, _d in ((300, 16), (600, 64)):
        CASES[f"copies: {_n} rows of {_d}, noise {_noise:g}"] = _with_copies(_noise, _n, _d, False)
    CASES[f"copies: 600 rows of 64, noise {_noise:g}, a failing region"] = _with_copies(_noise, 600, 64, True)


# Conditions and regions: the mean loss is the same everywhere, and its shape is not.

REGION_SHAPES: dict[str, Draw] = SHAPES | {
    "negative exponential": lambda rng, n: 2.0 - rng.exponential(1.0, n),
    "wide normal": lambda rng, n: rng.normal(1.0, 1.0, n),
    "narrow normal": lambda rng, n: rng.normal(1.0, 0.1, n),
}


def _other_shape(inside: str, outside: str, share: float, where: str) -> Case:
    """Of 500 rows a share has losses of another shape: those of one value of a column, or of one end of a direction."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 34])
        vectors = rng.standard_normal((500, 16)).astype(np.float32)
        odd = rng.random(500) < share if where == "condition" else vectors[:, 0] > np.quantile(vectors[:, 0], 1 - share)
        losses = np.where(odd, REGION_SHAPES[inside](rng, 500), REGION_SHAPES[outside](rng, 500))
        column = Column("light", "category", np.where(odd, "dark", "bright").astype(object))
        settings = Settings(seed=number, map=False, n_permutations=199, n_members=2)
        columns = (column,) if where == "condition" else ()
        found = diagnose_arrays(vectors, losses, columns=columns, settings=settings)
        claims = len(found.clusters) + sum(i.confirmed for i in found.insights)
        return {"claimed": claims > 0 or bool(found.estimate.predictability.confirmed)}

    return run


for _inside, _outside, _share in (
    *(("exponential", "uniform", 0.5), ("uniform", "exponential", 0.5), ("uniform", "exponential", 0.03)),
    *(("negative exponential", "uniform", 0.5), ("negative exponential", "uniform", 0.06)),
    *(("wide normal", "narrow normal", 0.03), ("wide normal", "narrow normal", 0.3)),
):
    for _where in ("condition", "region"):
        CASES[f"{_where}s: {_inside} in {_share:.0%}, {_outside} elsewhere"] = _other_shape(
            _inside, _outside, _share, _where
        )


# Groups that hold rows of several classes, and classes of a few rows: see `group_cases.py`.

CASES["groups: across two classes, wrong in 2% and in 50%"] = groups_across_classes((0.02, 0.5), (0, 0))
CASES["groups: across two classes, 2% and 50%, hard groups"] = groups_across_classes((0.02, 0.5), (1, 1))
CASES["groups: across two classes, 20% each, hard groups"] = groups_across_classes((0.2, 0.2), (1, 1))
CASES["groups: across two classes, 20% each, groups hard in one"] = groups_across_classes((0.2, 0.2), (1.5, 0))
CASES["groups: across five classes, 2 to 50%, 1 to 12 rows, hard groups"] = groups_across_classes(
    (0.02, 0.05, 0.1, 0.3, 0.5), (1, 1, 1, 1, 1), 12
)
CASES["groups: across two classes, errors by group, losses by nothing"] = errors_go_by_group
CASES["groups: 40, alike in one place, independent elsewhere"] = groups_alike_in_a_place(40)
CASES["groups: 160, alike in one place, independent elsewhere"] = groups_alike_in_a_place(160)
CASES["regions: outlying vectors of wide losses"] = outlying_vectors
CASES["copies: pairs that nobody names"] = pairs_that_nobody_names
CASES["groups: eight classes of six, and one that sees all"] = groups_nearly_of_a_class(1)
CASES["small classes: 45 of 4 rows, of other levels"] = small_classes((4, 4), False)
CASES["small classes: 45 of 5 to 8 rows, of other spreads"] = small_classes((5, 8), True)
CASES.update(PAIR_CASES)


def summary_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line for each case: the share of runs that claim, with its exact binomial 95% interval."""
    befores = [name for name in ("claimed before", "false", "false before") if any(name in row for row in rows)]
    lines = [
        f"| {' | '.join(('case', 'runs', 'claimed', *befores, 'CPU s a run'))} |",
        "|---" * (4 + len(befores)) + "|",
    ]
    for name in dict.fromkeys(row["case"] for row in rows):
        mine = [row for row in rows if row["case"] == name]
        share = show(clopper_pearson(sum(bool(row["claimed"]) for row in mine), len(mine)), 3)
        others = [show(clopper_pearson(sum(bool(row.get(b)) for row in mine), len(mine)), 3) for b in befores]
        seconds = f"{np.median([row['cpu_seconds'] for row in mine]):.2g}"
        lines.append(f"| {' | '.join((name, str(len(mine)), share, *others, seconds))} |")
    return "\n".join(lines)


def run_case(name: str, runs: Sequence[int], path: Path) -> None:
    """Every run of the case that has no line yet."""
    done = keys_done(read_lines(path), ("case", "run"))
    for run in runs:
        if (name, run) not in done:
            started = time.process_time()
            found = CASES[name](run)
            append_line(path, {"case": name, "run": run, **found, "cpu_seconds": time.process_time() - started})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="a case, or the start of several")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=1000, help="number of the first run; 0-99 are for tuning")
    parser.add_argument("--out", type=Path, default=Path("counterexamples.jsonl"))
    given = parser.parse_args()
    chosen = [name for name in CASES if any(name.startswith(start) for start in given.case or [""])]
    if given.list:
        print("\n".join(chosen))
        return
    if not chosen:
        parser.error(f"no case starts with {given.case}; see --list")
    with threadpool_limits(1):
        for name in chosen:
            run_case(name, range(given.first, given.first + given.runs), given.out)
    print(summary_table([row for row in read_lines(given.out) if row["case"] in chosen]))


if __name__ == "__main__":
    main()
