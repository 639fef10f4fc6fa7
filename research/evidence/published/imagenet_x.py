"""Which of ImageNet-X's factors a model fails on, found by Errata in a part of the rows, beside the published ratios.

    python -m research.evidence.published.imagenet_x FOLDER --without prototypical_paths.csv --out imagenet_x.jsonl

FOLDER holds `imagenet_x_val.parquet`: the factors that people marked in ImageNet's validation images, their sentence
on what is odd about each, and the published predictions of four models. There are no images: the embedding is the
embedded encoder's sentence vector of that sentence. Errata gets the one factor marked most ("top factor") as a column
and errors as the loss, for `ROWS` rows drawn by the seed. On the rest, which it does not see, findings are read again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.discovery.settings import Settings
from core.encoders.embedded.minilm import embed_sentences
from core.records import Bool, Column, Insight
from research.arrays import diagnose_arrays
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show

MODELS = ("ResNet50", "ViT", "DINO", "SimCLR")
FACTORS = (
    "pose background pattern color smaller shape partial_view subcategory texture larger darker object_blocking "
    "person_blocking style brighter multiple_objects"
).split()
ROWS = 10_000
PERMUTATIONS = 999
LEAST = ROWS // 100
"""Conditions that fewer rows meet are not tested (`core.discovery.proposals`)."""
COLUMN = "top factor"
PUBLISHED: dict[str, tuple[float, ...]] = {
    "ResNet50": (0.69, 1.14, 0.77, 1.19, 1.50, 1.74, 1.13, 2.11, 2.39, 1.32, 1.72, 1.92, 2.17, 1.93, 1.17, 1.97),
    "ViT": (0.74, 1.09, 0.86, 1.15, 1.64, 1.54, 0.92, 2.02, 2.04, 1.29, 1.83, 1.99, 1.94, 1.60, 0.78, float("nan")),
    "DINO": (0.73, 1.07, 0.93, 1.18, 1.54, 1.64, 1.13, 1.95, 2.15, 1.25, 1.47, 1.93, 2.03, 1.70, 0.92, 1.42),
    "SimCLR": (0.77, 1.09, 0.91, 1.12, 1.54, 1.47, 1.01, 1.62, 2.06, 1.01, 1.12, 1.76, 2.03, 1.18, 0.88, 1.19),
}
"""Error with the factor over error on all rows, in the order of `FACTORS`: the README of facebookresearch/imagenetx at
6403d41, rounded to two places, which leaves out each class's prototypes; one cell is not printed there."""


def read_rows(folder: Path, without: Path | None) -> pd.DataFrame:
    """The rows without the files that a CSV lists under "file_name": ImageNet-X's prototypes, which its package
    `imagenet_x` has as `annotations/prototypical_paths.csv` and its figures leave out."""
    rows = pd.read_parquet(folder / "imagenet_x_val.parquet")
    left_out = [] if without is None else pd.read_csv(without)["file_name"]
    return rows[~rows["file_name"].isin(left_out)].reset_index(drop=True)


def farthest_ratio(rows: pd.DataFrame) -> float:
    """The largest difference between a published ratio and the same computed from these rows."""
    gaps = [0.0]
    for model in MODELS:
        wrong = (rows[f"{model}_pred"] != rows["class"]).to_numpy(bool)
        for factor, published in zip(FACTORS, PUBLISHED[model]):
            inside = (rows["top_factor"] == factor).to_numpy(bool)
            found = _ratio(wrong, inside, np.ones(len(rows), bool))
            gaps += [] if found is None or np.isnan(published) else [abs(found - published)]
    return max(gaps)


def measure(rows: pd.DataFrame, model: str, seed: int) -> list[dict[str, Any]]:
    """One line a factor: what Errata says of it in its part, and what the part that it did not see says. Rows without a
    sentence or a factor are not given to it."""
    rows = rows[rows["justification"].notna() & rows["top_factor"].isin(FACTORS)]
    wrong = (rows[f"{model}_pred"] != rows["class"]).to_numpy(bool)
    factors = rows["top_factor"].to_numpy(object)
    seen = np.zeros(len(rows), bool)
    seen[np.random.default_rng([seed, 61]).permutation(len(rows))[:ROWS]] = True
    vectors = embed_sentences(rows["justification"][seen].tolist())
    found = diagnose_arrays(
        vectors,
        wrong[seen].astype(np.float64),
        errors=wrong[seen],
        columns=(Column(COLUMN, "category", factors[seen]),),
        settings=Settings(map=False, n_permutations=PERMUTATIONS, seed=seed),
        group_copies=False,
    )
    by_text = {insight.text: insight for insight in found.insights if insight.kind == "condition"}
    lines = [factor_line(f, factors == f, wrong, seen, by_text.get(f"{COLUMN} = {f}")) for f in FACTORS]
    return [line | {"clusters": len(found.clusters), "known": found_texts(found.insights)} for line in lines]


def found_texts(insights: tuple[Insight, ...]) -> list[str]:
    """The confirmed conditions."""
    return [insight.text for insight in insights if insight.confirmed and insight.kind == "condition"]


def factor_line(factor: str, has: Bool, wrong: Bool, seen: Bool, insight: Insight | None) -> dict[str, Any]:
    inside = has & seen
    fresh = has & ~seen
    line: dict[str, Any] = {
        "factor": factor,
        "n": int(inside.sum()),
        "ratio_seen": _ratio(wrong, inside, seen),
        "n_unseen": int(fresh.sum()),
        "ratio_unseen": _ratio(wrong, fresh, ~seen),
        "errors_unseen": int(wrong[fresh].sum()),
        "difference_unseen": float(wrong[fresh].mean() - wrong[~seen & ~has].mean()) if fresh.any() else None,
        "claimed": insight is not None and insight.confirmed,
    }
    if insight is not None and insight.confirmed and insight.error_difference is not None:
        estimate = insight.error_difference
        line["difference"] = [estimate.value, estimate.low, estimate.high]
    return line


def _ratio(wrong: Bool, inside: Bool, of: Bool) -> float | None:
    return float(wrong[inside].mean() / wrong[of].mean()) if inside.any() else None


def table(rows: list[dict[str, Any]], model: str) -> str:
    """One line a factor of one model."""
    mine = {row["factor"]: row for row in rows if row["model"] == model}
    names = ("factor", "published", "rows seen", "ratio there", "claimed", "error higher by", "rows unseen", "there by")
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for factor, published in sorted(zip(FACTORS, PUBLISHED[model]), key=lambda pair: -np.nan_to_num(pair[1], nan=-1)):
        row = mine[factor]
        cells = [
            factor,
            "not printed" if np.isnan(published) else f"{published:.2f}",
            str(row["n"]),
            _two(row["ratio_seen"]),
            "yes" if row["claimed"] else "no" if row["n"] >= LEAST else "not tested",
            "" if "difference" not in row else "{:+.2f} [{:+.2f}, {:+.2f}]".format(*row["difference"]),
            str(row["n_unseen"]),
            _two(row["difference_unseen"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def summary(rows: list[dict[str, Any]], high: float = 1.25) -> str:
    """Over models: of the tested factors with a published ratio of `high` or more, and of those below 1, how many are
    claimed, and how many intervals hold the difference in the rows that were not seen."""
    names = ("model", f"claimed of those of {high} or more", "claimed of those below 1", "intervals held")
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    every = list[list[tuple[int, int]]]()
    for model in MODELS:
        counts = _counts([row for row in rows if row["model"] == model], model, high)
        every.append(counts)
        lines.append(f"| {model} | " + " | ".join(f"{k} of {n}" for k, n in counts) + " |")
    sums = np.array(every).sum(axis=0).tolist()
    shown = [f"{k} of {n}: {show(clopper_pearson(k, n))}" if n else "none" for k, n in sums]
    return "\n".join([*lines, "| all | " + " | ".join(shown) + " |"])


def _counts(rows: list[dict[str, Any]], model: str, high: float) -> list[tuple[int, int]]:
    published = dict(zip(FACTORS, PUBLISHED[model]))
    tested = [row for row in rows if row["n"] >= LEAST]
    worse = [row["claimed"] for row in tested if published[row["factor"]] >= high]
    better = [row["claimed"] for row in tested if published[row["factor"]] < 1]
    said = [(row["difference"], row["difference_unseen"]) for row in rows if "difference" in row]
    held = [low <= true <= upper for (_, low, upper), true in said]
    return [(sum(worse), len(worse)), (sum(better), len(better)), (sum(held), len(held))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of imagenet_x_val.parquet")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1001), metavar=("FIRST", "END"))
    parser.add_argument("--without", type=Path, help="CSV of the files that the published figures leave out")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rows = read_rows(given.folder, given.without)
    done = keys_done(read_lines(given.out), ("model", "seed"))
    with threadpool_limits(1):
        for seed in range(*given.seeds):
            for model in given.models:
                if (model, seed) not in done:
                    for line in measure(rows, model, seed):
                        append_line(given.out, {"model": model, "seed": seed} | line)
    lines = read_lines(given.out)
    print(f"{len(rows):,} rows; published and recomputed ratios differ by {farthest_ratio(rows):.3f} at most\n")
    print(summary(lines))
    for model in given.models:
        print(f"\n{model}\n\n{table(lines, model)}")


if __name__ == "__main__":
    main()
