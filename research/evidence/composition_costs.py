"""What each adapter of `research.evidence.composition` cost on zero-shot, retrieval and cut-outs, alone and as a
re-ranker.

    python -m research.evidence.composition_costs --adapters DIR/adapters --out FILE

DIR is what `research.evidence.composition` wrote. One line an adapter and seed; the table is over seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from core.files import default_cache
from core.records import Estimate
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.training.adapted import load_adapted
from core.systems.composition.training.adapted_scorer import AdaptedScorer
from core.systems.composition.training.forgetting import check_regression
from research.evidence.composition import said
from research.evidence.lines import append_line, keys_done, read_lines
from research.ladder.reproduce import over_seeds


def measure(folder: Path, out: Path) -> None:
    """Check the adapter in the folder and add a line for each task, alone and as a re-ranker."""
    adapted = load_adapted(folder)
    name, _, seed = folder.name.rpartition("-")
    before = EncoderScorer(adapted.encoder)
    after = AdaptedScorer(adapted)
    found = check_regression(
        before, after, benchmarks=(open_shipped("cutouts"),), cache=default_cache(), seed=int(seed)
    )
    for way, rows in (("alone", found.rows), ("re-ranking", found.reranked)):
        for row in rows:
            three = {key: getattr(row, key).to_dict() for key in ("before", "after", "difference")}
            line = {
                "adapter": name,
                "seed": int(seed),
                "way": way,
                "task": f"{row.task}, {row.metric}",
                "n": row.n,
                "verdict": row.verdict,
            }
            append_line(out, line | three)


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown lines: before, after and their difference, over seeds."""
    lines = [
        "| adapter | used | task | seeds | before, % | after, % | difference, points |",
        "|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((r["adapter"], r["way"], r["task"]) for r in rows):
        own = [r for r in rows if (r["adapter"], r["way"], r["task"]) == key]
        cells = [said(over_seeds([Estimate(**r[part]) for r in own])) for part in ("before", "after", "difference")]
        lines.append(f"| {' | '.join([*key, str(len(own)), *cells])} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for folder in sorted(given.adapters.iterdir()):
        name, _, seed = folder.name.rpartition("-")
        if (name, int(seed)) not in keys_done(read_lines(given.out), ("adapter", "seed")):
            measure(folder, given.out)
            print(folder.name, flush=True)
    print("\n".join(table(read_lines(given.out))))


if __name__ == "__main__":
    main()
