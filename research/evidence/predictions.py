"""Do the findings predict the next failures? Half of each data set is hidden, the rest diagnosed, the findings frozen,
the hidden half predicted.

    # one split of every data set: sentences and the prediction table
    python -m research.evidence.predictions
    # ten splits, counted: findings beside what one picks by eye
    python -m research.evidence.predictions --splits 10 --permutations 499 --out predictions.jsonl
    python -m research.evidence.predictions --show predictions.jsonl

The shipped examples are in the repository and the worlds are made up; real data may not travel with it and are looked
for in ../shared/data. Seeds 0-99 tune, 1000 and on report.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from core.checks.freeze import Frozen, freeze, members_of
from core.diagnose import diagnose_embedded
from core.discovery.settings import Settings
from core.numbers import number, percent
from core.records import Diagnosis, Estimate, Prediction, PredictionRow
from core.reports.wording.findings import cluster_title, sentence
from core.reports.wording.predictions import CONFIRMED_KINDS
from core.statistics.measures import insights_of, measured
from core.statistics.runs import ratio_over
from core.store import save
from research.evidence.cases import DATA
from research.evidence.lines import append_line, clopper_pearson, keys_done, read_lines, show
from research.evidence.prediction_sets import SETS, data_set

SHARE = 0.5
"""Hidden from the diagnosis."""
Line = dict[str, Any]


def run(name: str, data: Path, seed: int, permutations: int, *, map: bool = True) -> Diagnosis:
    """The data set with half of it held back and predicted."""
    settings = Settings(seed=seed, n_permutations=permutations, map=map)
    return diagnose_embedded(data_set(name, data, seed), hold_back=SHARE, settings=settings)


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
        own = insights_of(found, cluster.id, "phrase")
        lines += [
            f"- **{cluster_title(found, cluster)}** ({cluster.size}). "
            f"{sentence(found, own[0]) if own else 'No phrase describes it.'}"
        ]
    lines += [f"- {sentence(found, i)}" for i in insights_of(found, None) if i.confirmed]
    return "\n".join([*lines, "", table(prediction)]) + "\n"


def table(prediction: Prediction) -> str:
    """Predicted beside observed."""
    lines = [
        "| what | fresh samples | measure | predicted | expected in so many | observed | the rest | adjusted p "
        "| as predicted |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in prediction.rows:
        where = "" if row.scope == "all samples" else f"{row.scope}: "
        said = {None: "too few", True: "yes", False: "no"}[row.as_predicted]
        p = "–" if row.p is None else f"{row.p:.2g}"
        write = percent if row.measure == "error rate" else number
        figures = " | ".join(_shown(e, write) for e in (row.predicted, row.expected, row.observed))
        rest = "–" if row.rest is None else write(row.rest)
        lines.append(f"| {row.kind}, {where}{row.text} | {row.n} | {row.measure} | {figures} | {rest} | {p} | {said} |")
    return "\n".join(lines)


def _shown(estimate: Estimate | None, write: Callable[[float], str]) -> str:
    if estimate is None:
        return "–"
    return f"{write(estimate.value)} [{write(estimate.low)}, {write(estimate.high)}]"


def counted(found: Diagnosis) -> list[Line]:
    """Each row of the prediction with what the diagnosed members plainly show, and the deviation of the measure."""
    assert found.prediction is not None
    frozen = freeze(found)
    lines = list[Line]()
    for i, row in enumerate(found.prediction.rows):
        assert row.measure is not None
        spread = float(measured(found.outcomes, row.measure).std())
        lines.append({**asdict(row), **_diagnosed(found, frozen, i, row), "spread": spread})
    return lines


def _diagnosed(found: Diagnosis, frozen: Frozen, number: int, row: PredictionRow) -> Line:
    """Of a finding, how many members it had and their plain mean; the frozen findings come first, in their order."""
    if number >= len(frozen.findings):
        return {"members": None, "plain": row.predicted.value}
    finding = frozen.findings[number]
    assert (finding.kind, finding.text) == (row.kind, row.text)
    values = measured(found.outcomes, finding.measure)[members_of(found, finding)]
    return {"members": len(values), "plain": float(values.mean())}


GROUPS = {"findings": CONFIRMED_KINDS, "by-eye lasso": ("by-eye lasso",)}


def summary(lines: list[Line]) -> str:
    """Coverage, replication and shrinkage by data set and measure, then by kind and measure."""
    names = [*dict.fromkeys(line["case"] for line in lines), "all"]
    parts = [
        _table(
            "data set", [(f"{name}, {what}", name, kinds) for name in names for what, kinds in GROUPS.items()], lines
        ),
        _table("kind", [(kind, "all", (kind,)) for kind in CONFIRMED_KINDS], lines),
    ]
    return "\n\n".join(parts)


def _table(head: str, wanted: Sequence[tuple[str, str, tuple[str, ...]]], lines: list[Line]) -> str:
    out = [
        f"| {head} | measure | splits with a finding | frozen | judged | interval holds | by split | worse again "
        "| clearly (adjusted p ≤ 0.05) | shown minus fresh | plain minus fresh |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for label, name, kinds in wanted:
        for measure in ("error rate", "mean loss"):
            splits = [
                [row for row in line["rows"] if row["kind"] in kinds and row["measure"] == measure]
                for line in lines
                if name in (line["case"], "all")
            ]
            if any(splits):
                out.append(f"| {label} | {measure} | {_cells([s for s in splits if s], kinds[0] in CONFIRMED_KINDS)} |")
    return "\n".join(out)


def _cells(splits: list[list[Line]], is_finding: bool) -> str:
    """The figures of a line, without its name and its measure. Losses are in their standard deviations."""
    judged = [own for rows in splits if (own := [row for row in rows if row["as_predicted"] is not None])]
    flat = [row for rows in judged for row in rows]
    frozen = sum(map(len, splits))
    cells = [str(len(splits)), str(frozen), str(len(flat))]
    if not flat:
        return " | ".join([*cells, *["–"] * 6])
    by_split = _over_splits(judged, lambda row: float(row["as_predicted"]))
    worse = [row["rest"] is not None and row["observed"]["value"] > row["rest"] for row in flat]
    clear = [w and row["p"] is not None and row["p"] <= 0.05 for w, row in zip(worse, flat)]
    cells += [_share([bool(row["as_predicted"]) for row in flat]), f"[{by_split.low:.2f}, {by_split.high:.2f}]"]
    cells += [_share(worse), _share(clear) if is_finding else "–"]
    return " | ".join([*cells, _gap(judged, "predicted"), _gap(judged, "plain")])


def _share(held: list[bool]) -> str:
    return show(clopper_pearson(sum(held), len(held)))


def _gap(judged: list[list[Line]], name: str) -> str:
    """Mean of what was shown minus what came, by bootstrap over splits; in points or standard deviations."""
    in_points = judged[0][0]["measure"] == "error rate"

    def gap(row: Line) -> float:
        shown = row[name]["value"] if name == "predicted" else row[name]
        return (shown - row["observed"]["value"]) * (100 if in_points else 1 / row["spread"])

    return show(_over_splits(judged, gap), 1 if in_points else 2)


def _over_splits(judged: list[list[Line]], of: Callable[[Line], float]) -> Estimate:
    return ratio_over([sum(map(of, rows)) for rows in judged], [float(len(rows)) for rows in judged])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=SETS, default=SETS)
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
                found = run(name, given.data, seed, given.permutations, map=not given.splits)
                if not given.splits:
                    print(section(name, found), flush=True)
                    if given.out:
                        save(found, given.out / f"{name}.errata")
                elif given.out:
                    append_line(given.out, {"case": name, "seed": seed, "rows": counted(found)})
    if given.splits and given.out:
        print(summary(read_lines(given.out)))


if __name__ == "__main__":
    main()
