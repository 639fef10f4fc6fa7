"""Are related rows noticed that no column names, what is then claimed, and are separate samples left alone?

    python -m research.evidence.dependence --first 1000 --runs 20 --out FILE [--kinds related|separate|NAME,...]
        [--today] [--alarm]

In the related kinds difficulty belongs to the group or the moment and has nothing to do with what is seen: every claim
is false. Each line of FILE is a run. `--today` also runs each related set as separate samples;
`--alarm` only looks whether rows are noticed, and claims nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.data.samples import DataSet
from core.diagnose import diagnose_data_set
from core.discovery.prepare import relate
from core.discovery.settings import Settings
from core.records import F64, I64, Bool, Column, Diagnosis, Embeddings, Outcomes, SampleSet
from core.statistics.intervals import wilson

D = 48
N_CLASSES = 4
SETTINGS = Settings(n_permutations=199, n_members=2, map=False, words=False, sensitivity=False)


@dataclass
class Rows:
    """Samples: what is seen, and which are wrong."""

    seen: F64
    wrong: Bool
    names: list[str]
    labels: I64 | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    rank: F64 | None = None
    """What the rows are sorted by; None shuffles them."""


def drift(n: int, width: int, memory: float, rng: np.random.Generator) -> F64:
    """(n, width) values that change slowly along the rows."""
    values = rng.normal(size=(n, width))
    for row in range(1, n):
        values[row] = memory * values[row - 1] + np.sqrt(1 - memory**2) * values[row]
    return values


def fails(difficulty: F64, rng: np.random.Generator, base: float = -2.2) -> Bool:
    return rng.random(len(difficulty)) < 1 / (1 + np.exp(-base - difficulty))


def grouped(sizes: I64, rng: np.random.Generator, spread: float = 0.7) -> tuple[Rows, I64]:
    group = np.repeat(np.arange(len(sizes)), sizes)
    labels = rng.integers(0, N_CLASSES, len(sizes))[group]
    seen = rng.normal(size=(N_CLASSES, D))[labels] + rng.normal(size=(len(sizes), D))[group]
    seen += spread * rng.normal(size=(len(group), D))
    return Rows(seen, fails(1.2 * rng.normal(size=len(sizes))[group], rng), coded(len(group), rng), labels), group


def coded(n: int, rng: np.random.Generator) -> list[str]:
    return ["".join(row) for row in rng.choice(list("bcdfghjklmnpqrst"), (n, 10))]


def film(rng: np.random.Generator, n: int, memory: float) -> Rows:
    seen = drift(n, 16, memory, rng) @ rng.normal(size=(16, D)) * 0.35 + 0.5 * rng.normal(size=(n, D))
    wrong = fails(1.3 * drift(n, 1, memory, rng)[:, 0], rng)
    return Rows(seen, wrong, [f"frame{row:06d}" for row in range(n)], rank=np.arange(n, dtype=float))


def timed(rows: Rows, times: F64, rng: np.random.Generator) -> Rows:
    return replace(rows, names=coded(len(times), rng), columns={"recorded": times}, rank=None)


def named(rng: np.random.Generator, sizes: I64, pattern: Callable[[int, int], str], spread: float = 0.7) -> Rows:
    rows, group = grouped(sizes, rng, spread)
    within = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return replace(rows, names=[pattern(a, b) for a, b in zip(group.tolist(), within.tolist())])


def bursts(rng: np.random.Generator) -> tuple[Rows, F64]:
    sizes = rng.integers(1, 7, 240)
    rows, group = grouped(sizes, rng, 0.5)
    return rows, np.sort(rng.random(240))[group] * 1e6 + np.arange(len(group))


def burst_names(rng: np.random.Generator) -> Rows:
    rows, times = bursts(rng)
    return replace(rows, names=[f"DSC{4000 + place}" for place in np.argsort(np.argsort(times)).tolist()])


def in_column(rng: np.random.Generator) -> Rows:
    rows, group = grouped(np.full(100, 8), rng)
    return replace(rows, columns={"donor": [f"D{a:04d}" for a in group.tolist()]})


def by_group_difficulty(rng: np.random.Generator) -> Rows:
    rows, group = grouped(np.full(70, 12), rng)
    rate = np.bincount(group, rows.wrong)
    return replace(rows, rank=rate[group] * 1000 + group)


def in_turn(rng: np.random.Generator) -> Rows:
    one = film(rng, 800, 0.9)
    two = film(rng, 800, 0.9)
    names = [f"{camera}{row:05d}" for camera in "lr" for row in range(800)]
    seen = np.concatenate([one.seen, two.seen + rng.normal(size=D)])
    return Rows(seen, np.r_[one.wrong, two.wrong], names, rank=np.tile(np.arange(800.0), 2))


RELATED: Mapping[str, Callable[[np.random.Generator], Rows]] = {
    "film": lambda rng: film(rng, 1600, 0.85),
    "long film": lambda rng: film(rng, 2400, 0.9),
    "short film": lambda rng: film(rng, 600, 0.97),
    "film by a time column": lambda rng: timed(film(rng, 1600, 0.85), np.linspace(0, 800, 1600), rng),
    "takes": lambda rng: named(rng, np.full(40, 20), lambda a, b: f"take_{a:02d}/{b:04d}", 0.5),
    "patients": lambda rng: named(rng, np.full(80, 10), lambda a, b: f"p{a:03d}_s{b}"),
    "patients of unlike sizes": lambda rng: named(rng, rng.integers(4, 16, 80), lambda a, b: f"p{a:03d}_s{b}"),
    "donors in a column": in_column,
    "bursts by a time column": lambda rng: timed(*bursts(rng), rng),
    "bursts by numbers in names": burst_names,
    "augmented copies": lambda rng: named(rng, np.full(200, 4), lambda a, b: f"{a:05d}_aug{b}", 0.9),
    "tiles": lambda rng: named(rng, np.full(60, 16), lambda a, b: f"slide{a:02d}_x{b % 4}_y{b // 4}"),
    "pairs": lambda rng: named(rng, np.full(400, 2), lambda a, b: f"{a:05d}_{'left right'.split()[b]}", 0.7),
    "cameras in turn": in_turn,
    "groups sorted by difficulty": by_group_difficulty,
    "patients without names": lambda rng: grouped(np.full(80, 10), rng)[0],
}


def kinds_of(rng: np.random.Generator, n: int = 800) -> tuple[Rows, I64]:
    """Separate samples of 20 kinds, two of which fail."""
    kind = rng.integers(0, 20, n)
    seen = 0.9 * rng.normal(size=(20, D))[kind] + rng.standard_t(5, size=(n, D))
    wrong = rng.random(n) < np.where(kind < 2, 0.5, 0.08)
    return Rows(seen, wrong, coded(n, rng), kind % N_CLASSES), kind


def plain(rng: np.random.Generator) -> Rows:
    return kinds_of(rng)[0]


def sorted_by(key: Callable[[Rows, I64, np.random.Generator], F64]) -> Callable[[np.random.Generator], Rows]:
    def make(rng: np.random.Generator) -> Rows:
        rows, kind = kinds_of(rng)
        rank = key(rows, kind, rng)
        place = np.argsort(np.argsort(rank, kind="stable"))
        return replace(rows, rank=rank, names=[f"{row:05d}" for row in place.tolist()])

    return make


def with_columns(rng: np.random.Generator) -> Rows:
    rows, kind = kinds_of(rng)
    age = 50 + 10 * rng.normal(size=len(kind))
    seen = rows.seen + 0.05 * (age - 50)[:, None] * rng.normal(size=D)
    camera = [f"model {letter}" for letter in rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), len(kind))]
    user = [f"u{number}" for number in rng.integers(0, 150, len(kind))]
    return replace(rows, seen=seen, columns={"age": age, "camera": camera, "user": user})


def in_folders(rng: np.random.Generator) -> Rows:
    rows, kind = kinds_of(rng)
    words = "beach dog cat snow car city boat tree bird fish lamp road hill lake farm shop park bus cow pig".split()
    names = [f"{words[number]}/{row:04d}" for row, number in enumerate(kind.tolist())]
    return replace(rows, names=names, rank=kind.astype(float))


SEPARATE: Mapping[str, Callable[[np.random.Generator], Rows]] = {
    "plain": plain,
    "sorted by error": sorted_by(lambda rows, kind, rng: rows.wrong + rng.random(len(kind))),
    "sorted by class": sorted_by(lambda rows, kind, rng: kind % N_CLASSES + rng.random(len(kind))),
    "sorted by kind": sorted_by(lambda rows, kind, rng: kind + rng.random(len(kind))),
    "sorted by what is seen": sorted_by(lambda rows, kind, rng: rows.seen[:, 0]),
    "numbered at random": lambda rng: replace(plain(rng), names=[str(v) for v in rng.permutation(10**6)[:800]]),
    "age, camera and user": with_columns,
    "folders of kinds": in_folders,
}


def data_of(rows: Rows, rng: np.random.Generator, answer: str = "") -> DataSet:
    n = len(rows.wrong)
    order = rng.permutation(n) if rows.rank is None else np.argsort(rows.rank, kind="stable")
    loss = np.where(rows.wrong, 1 + rng.exponential(1, n), rng.exponential(0.3, n))
    vectors = (rows.seen / np.linalg.norm(rows.seen, axis=1, keepdims=True)).astype(np.float32)
    columns = list[Column]()
    for name, values in rows.columns.items():
        array = np.asarray(values)
        kind = "number" if array.dtype.kind == "f" else "category"
        columns.append(Column(name, kind, array if kind == "number" else array.astype(object)))
    classes = () if rows.labels is None else tuple(f"class {c}" for c in range(N_CLASSES))
    samples = SampleSet(tuple(rows.names), labels=rows.labels, class_names=classes, metadata=tuple(columns))
    outcomes = Outcomes(loss, "loss", "loss", "made", errors=rows.wrong)
    given = Embeddings(vectors[order], "given", "given")
    named_group = {"group": (answer,)} if answer else {}
    return DataSet(samples.keep(order), outcomes.keep(order), given, (), (), named=named_group)


def claims(found: Diagnosis) -> bool:
    tested = (*found.clusters, *found.insights, *found.classes)
    return any(finding.confirmed for finding in tested) or found.estimate.predictability.confirmed


def runs(kinds: Sequence[str], first: int, count: int, today: bool, alarm: bool) -> Iterator[dict[str, Any]]:
    every = {**RELATED, **SEPARATE}
    for seed in range(first, first + count):
        settings = replace(SETTINGS, seed=seed)
        for name in kinds:
            number = list(every).index(name)
            rows = every[name](np.random.default_rng([seed, number]))
            data = data_of(rows, np.random.default_rng([seed, number, 1]))
            row: dict[str, Any] = {"kind": name, "seed": seed, "claims": False}
            if alarm:
                samples = relate(data, data).samples
            else:
                found = diagnose_data_set(data, settings=settings)
                samples = found.samples
                row["claims"] = claims(found)
            row |= {"fires": samples.dependence is not None, "asks": samples.unanswered}
            if samples.dependence is not None:
                row |= {"by": samples.dependence.name, "groups": samples.dependence.n_groups}
            if today:
                data = data_of(rows, np.random.default_rng([seed, number, 1]), "none")
                row["claims today"] = claims(diagnose_data_set(data, settings=settings))
            yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--kinds", default="related")
    parser.add_argument("--today", action="store_true")
    parser.add_argument("--alarm", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    named_kinds = {"related": list(RELATED), "separate": list(SEPARATE)}
    kinds = named_kinds[given.kinds] if given.kinds in named_kinds else given.kinds.split(",")
    done: list[dict[str, Any]] = []
    with given.out.open("a") as file:
        for row in runs(kinds, given.first, given.runs, given.today, given.alarm):
            done.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    for name in [*kinds, "all"]:
        some = [row for row in done if name in ("all", row["kind"])]
        told = [row for row in some if not row["asks"]]
        counts = [f"{sum(row[key] for row in some)} {key}" for key in ("fires", "asks", "claims")]
        if given.today:
            counts.append(f"{sum(row['claims today'] for row in some)} claim as separate samples")
        rate = wilson(sum(row["claims"] for row in told), len(told)) if told else None
        print(f"{name}: of {len(some)} {', '.join(counts)}; claims where p is given: {rate}")


if __name__ == "__main__":
    main()
