"""Do the findings predict the next failures? A third of each data set is hidden, the rest diagnosed, the hidden third
predicted.

    # one split of every case: sentences and the prediction table
    python -m tests.benchmarks.predictions
    # several splits, counted: findings beside
    python -m tests.benchmarks.predictions --splits 5 --out predictions.jsonl
    what one picks by eye python -m tests.benchmarks.predictions --show predictions.jsonl

The shipped scenes are in the repository; the real data may not travel with it and is looked for in ../shared/data.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.embeddings.cache import default_cache
from core.numbers import percent
from core.records import Diagnosis, Prediction, PredictionRow
from core.reports.wording.findings import cluster_title, sentence
from core.reports.wording.predictions import CONFIRMED_KINDS
from core.store import save
from tests.benchmarks.case_tables import CASES
from tests.benchmarks.cases import DATA
from tests.benchmarks.lines import append_line, clopper_pearson, keys_done, read_lines, show

SCENES = Path(__file__).resolve().parents[2] / "assets" / "examples" / "scenes"
NAMES = ("scenes", "clothing", "clothing-bright", "conflict-resnet50", "cifar10")


def run(name: str, data: Path, seed: int, permutations: int) -> Diagnosis:
    """The case with a third held back."""
    settings = Settings(seed=seed, n_permutations=permutations, map=True)
    if name == "scenes":
        return diagnose(
            SCENES / "table.csv",
            images=SCENES / "images.zip",
            hold_back=1 / 3,
            settings=settings,
            cache=default_cache(),
        )
    case = CASES[name](data)
    return diagnose(
        case.table, images=case.images, roles=case.roles, hold_back=1 / 3, settings=settings, cache=default_cache()
    )


def section(name: str, found: Diagnosis) -> str:
    """The case as markdown."""
    prediction = found.prediction
    assert prediction is not None
    lines = [
        f"## {name}",
        "",
        f"Diagnosed {len(found.samples):,}, held back {prediction.n_fresh:,}. Frozen: `{prediction.digest[:16]}`.",
        "",
    ]
    for cluster in found.clusters:
        own = [i for i in found.insights if i.cluster == cluster.id and i.kind == "phrase"]
        lines += [
            f"- **{cluster_title(found, cluster)}** ({cluster.size}). "
            f"{sentence(found, own[0]) if own else 'No phrase describes it.'}"
        ]
    lines += [f"- {sentence(found, i)}" for i in found.insights if i.cluster is None and i.confirmed]
    return "\n".join([*lines, "", table(prediction)]) + "\n"


def table(prediction: Prediction) -> str:
    """Predicted beside observed."""
    lines = [
        "| what | fresh samples | predicted | expected in so many | observed | the rest | adjusted p | as predicted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in prediction.rows:
        where = "" if row.scope == "all samples" else f"{row.scope}: "
        said = {None: "too few", True: "yes", False: "no"}[row.as_predicted]
        p = "–" if row.p is None else f"{row.p:.2g}"
        name = f"{row.kind}, {where}{row.text}"
        lines.append(
            f"| {name} | {row.n} | {_shown(row.predicted)} | {_shown(row.expected)} | {_shown(row.observed)} | "
            f"{_one(row.rest)} | {p} | {said} |"
        )
    return "\n".join(lines)


def _one(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _shown(estimate: Any) -> str:
    return "–" if estimate is None else f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def counted(row: PredictionRow) -> dict[str, Any]:
    observed = None if row.observed is None else row.observed.value
    return {
        "kind": row.kind,
        "text": row.text,
        "scope": row.scope,
        "n": row.n,
        "predicted": row.predicted.value,
        "observed": observed,
        "rest": row.rest,
        "p": row.p,
        "as_predicted": row.as_predicted,
    }


def summary(lines: list[dict[str, Any]]) -> str:
    """By case: of what was judged, how much came as predicted, failed more than the rest, and how far off the
    prediction was."""
    out = [
        "| case | what | judged | as predicted | fails more than the rest | clearly (adjusted p) "
        "| predicted | observed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in [*dict.fromkeys(line["case"] for line in lines), "all"]:
        rows = [
            row
            for line in lines
            if name in (line["case"], "all")
            for row in line["rows"]
            if row["as_predicted"] is not None
        ]
        for what, kinds in (
            ("findings", CONFIRMED_KINDS),
            ("by-eye lasso", ("by-eye lasso",)),
            ("top-loss neighbours", ("top-loss neighbours",)),
        ):
            own = [row for row in rows if row["kind"] in kinds]
            if own:
                held = show(clopper_pearson(sum(bool(r["as_predicted"]) for r in own), len(own)))
                worse = show(
                    clopper_pearson(sum(r["rest"] is not None and r["observed"] > r["rest"] for r in own), len(own))
                )
                clear = sum(r["p"] is not None and r["p"] <= 0.05 for r in own) if kinds == CONFIRMED_KINDS else "–"
                means = [percent(float(np.mean([r[k] for r in own]))) for k in ("predicted", "observed")]
                out.append(f"| {name} | {what} | {len(own)} | {held} | {worse} | {clear} | {means[0]} | {means[1]} |")
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--splits", type=int, default=0)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first split; 0-99 tune")
    parser.add_argument("--permutations", type=int, default=5000)
    parser.add_argument("--out", type=Path, help="JSON lines of the splits; of one split, a folder for its runs")
    parser.add_argument("--show", type=Path)
    given = parser.parse_args()
    if given.show:
        print(summary(read_lines(given.show)))
        return
    with threadpool_limits(1):
        for seed in range(given.first, given.first + max(1, given.splits)):
            for name in given.case:
                if given.splits and given.out and (name, seed) in keys_done(read_lines(given.out), ("case", "seed")):
                    continue
                found = run(name, given.data, seed, given.permutations)
                assert found.prediction is not None
                if not given.splits:
                    print(section(name, found), flush=True)
                    if given.out:
                        save(found, given.out / name)
                elif given.out:
                    append_line(
                        given.out, {"case": name, "seed": seed, "rows": [counted(row) for row in found.prediction.rows]}
                    )
    if given.splits and given.out:
        print(summary(read_lines(given.out)))


if __name__ == "__main__":
    main()
