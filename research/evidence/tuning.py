"""Which setting each engine of the scoreboard gets: at most four are tried of each, on tuning seeds.

    python -m research.evidence.tuning --seeds 1 3 --out FOLDER

One setting for all kinds of failure: that of the highest mean precision at 10, best of five, over `WORLDS`.
FOLDER/tuning.jsonl grows by one line a run. Errata is not tuned here.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from research.evidence.lines import append_line, keys_done, mean_over, read_lines, show
from research.scoreboard.measure import measure
from research.scoreboard.methods import Method
from research.scoreboard.worlds import TIERS

TRIED: dict[str, list[dict[str, Any]]] = {
    "svm directions": [{}, *({"penalties": (c,)} for c in (0.001, 0.01, 0.1))],
    "domino": [{}, {"n_components": 40}, {"n_dimensions": 32}, {"initialisation": "confusion", "n_components": 100}],
    "domino (weights 1)": [
        {"label_weight": 1.0, "prediction_weight": 1.0, **more}
        for more in ({}, {"n_components": 40}, {"n_dimensions": 32}, {"n_components": 10})
    ],
    "class ridge": [{}, {"clip": 2.0}, {"penalties": (3.0,)}, {"penalties": (10.0,)}],
    "class ridge (0/1 error)": [
        {"target": "error", **more}
        for more in ({}, {"penalties": (1.0,)}, {"penalties": (3.0,)}, {"penalties": (10.0,)})
    ],
    "error logistic": [{"penalty": c} for c in (1e-4, 1e-3, 1e-2, 1e-1)],
    "error tree": [{"n_dimensions": d} for d in (10, 20, 50, 128)],
    "spotlight": [{"scaled": False, "rate": 0.001}, *({"rate": r} for r in (0.01, 0.03, 0.1))],
    "planespot": [{}, {"weight": 0.5}],  # of four settings two, as each takes seconds
    "sliceline": [{}, {"alpha": 0.6}, {"quantile": 0.7}, {"quantile": 0.9}],
    "cleanlab groups": [{"eps": 0.5}, {"reach": 0.1}, {"reach": 0.3}, {"reach": 0.5}],
    "sliceguard": [{}, {"min_rows": 10}, {"min_rows": 40}, {"criterion": "drop*support"}],
}
WORLDS = (
    ("embeddings", "rare"),
    ("embeddings", "conjunction"),
    ("embeddings", "noisy label"),
    ("ten-classes", "rare"),
    ("ten-classes", "several"),
)
KEY = ("tier", "kind", "seed", "method", "setting")


def run(path: Path, seeds: range) -> None:
    """Every run that has no line yet."""
    done = keys_done(read_lines(path), KEY)
    for seed in seeds:
        for tier, kind in WORLDS:
            world = TIERS.load(tier)().make(kind, seed, None)
            for name, settings in TRIED.items():
                for number, setting in enumerate(settings):
                    key = (tier, kind, seed, name, number)
                    if key not in done:
                        engine = name.partition(" (")[0]
                        append_line(path, dict(zip(KEY, key)) | measure(Method(name, engine, setting), world, seed))


def table(rows: list[dict[str, Any]]) -> str:
    """One line an engine and setting, the best of an engine marked."""
    values: dict[tuple[str, int], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        values[row["method"], row["setting"]][row["seed"]].append(float(np.mean(row["best_p10"])))
    means = {key: mean_over([float(np.mean(v)) for v in by_seed.values()]) for key, by_seed in values.items()}
    lines = ["| engine | setting | P@10, best of five | |", "|---|---|---|---|"]
    for (name, number), found in sorted(means.items()):
        best = max(m.value for (other, _), m in means.items() if other == name)
        setting = ", ".join(f"{k} {v}" for k, v in TRIED[name][number].items()) or "defaults"
        lines.append(f"| {name} | {setting} | {show(found)} | {'best' if found.value == best else ''} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1, 3), metavar=("FIRST", "END"))
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with threadpool_limits(1):
        run(given.out / "tuning.jsonl", range(*given.seeds))
    print(table(read_lines(given.out / "tuning.jsonl")))


if __name__ == "__main__":
    main()
