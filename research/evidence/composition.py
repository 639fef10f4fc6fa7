"""Adapters on rendered pairs: frozen and trained, on pairs of attribute and shape that training showed and on pairs
that it never did.

    python -m research.evidence.composition --out DIR [--adapters linear local ...] [--seeds 1000 1003] [--training
    1000] [--test 300]

Every seed holds out other pairs, draws other scenes and starts from other weights. Step sizes and epochs were chosen on
seeds below 100. A run that was broken off goes on where it was; the table at the end is over all that DIR holds.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.encoders import load_encoder
from core.files import default_cache
from core.records import Bool, Estimate, Progress
from core.statistics.intervals import wilson
from core.statistics.paired import paired_difference
from core.systems.composition.adapters import ADAPTERS, adapter_class
from core.systems.composition.scenes.benchmarks import pictured
from core.systems.composition.scenes.held_out import held_out_pairs
from core.systems.composition.scenes.items import KINDS, RenderedPlan, draw_items
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.run import run_composition
from core.systems.composition.training.adapted_scorer import AdaptedScorer
from core.systems.composition.training.loop import Training
from core.systems.composition.training.train import adapt
from research.evidence.lines import append_line, keys_done, read_lines
from research.ladder.reproduce import over_seeds

FROZEN = "frozen"
SPLITS = ("seen", "unseen")
EPOCHS = {"linear": 30}
"""At most; the others take 16. Each stops by its validation part."""

PATIENCE = {"linear": 30}
"""It costs little and rises slowly, so all its epochs are run."""
SETTINGS: dict[str, dict[str, Any]] = {"mm-adapter": {"hidden": 768}}
"""Narrower than the default, so that three seeds fit an hour on one core."""


@dataclass(frozen=True)
class Sets:
    """One seed's rendered items, and where its tokens are kept."""

    seed: int
    n_training: int
    n_test: int
    kinds: tuple[str, ...] = tuple(KINDS)

    def plan(self) -> RenderedPlan:
        return RenderedPlan(kinds=self.kinds, held_out=held_out_pairs(self.seed))

    def training(self) -> Any:
        return pictured(draw_items(self.plan(), self.n_training, self.seed, "train"), f"rendered-train-{self.seed}")

    def test(self, split: str) -> Any:
        return pictured(draw_items(self.plan(), self.n_test, self.seed, split), f"rendered-{split}-{self.seed}")


def quiet(step: str, done: int, total: int) -> None:
    """No progress."""


def measure(sets: Sets, name: str, encoder: Any, out: Path, cache: Path, progress: Progress = quiet) -> None:
    """Train (unless frozen), score both splits, add a line for each."""
    scorer: Any = EncoderScorer(encoder)
    trained: dict[str, Any] = {}
    if name != FROZEN:
        how = Training(epochs=EPOCHS.get(name, 16), patience=PATIENCE.get(name, 5), seed=sets.seed)
        found = adapt(
            sets.training(),
            name,
            SETTINGS.get(name, {}),
            how,
            encoder,
            state=out / "states" / f"{name}-{sets.seed}",
            cache=cache,
            progress=progress,
        )
        found.save(out / "adapters" / f"{name}-{sets.seed}")
        scorer = AdaptedScorer(found)
        record = found.record
        trained = {
            "parameters": record.n_parameters,
            "seconds": record.seconds,
            "epochs": len(record.curve) - 1,
            "best": record.best,
        }
        trained["curve"] = [round(e.validation_accuracy, 3) for e in record.curve]
    for split in SPLITS:
        began = time.process_time()
        result = run_composition(sets.test(split), scorer, cache=cache, blind=False)
        row = {"adapter": name, "seed": sets.seed, "split": split, "n": len(result.ids), "ids": list(result.ids)}
        row |= {key: "".join("01"[int(c)] for c in right) for key, right in result.correct.items()}
        row |= {"kinds": list(result.tags["kind"]), "scoring": time.process_time() - began, **trained}
        append_line(out / "lines.jsonl", row | {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024})


def bits(text: str) -> Bool:
    return np.array([c == "1" for c in text])


HEAD = "| adapter | seeds | seen, % | unseen, % | unseen minus frozen, points | parameters | CPU s | MiB |"


def table(rows: Sequence[dict[str, Any]], key: str = "image", kind: str = "") -> list[str]:
    """Markdown lines: accuracy on both splits and the paired difference to the frozen encoder, over seeds; of one kind
    of item, or of all."""
    right = {
        (r["adapter"], r["split"], r["seed"]): bits(r[key])[[not kind or k == kind for k in r["kinds"]]] for r in rows
    }
    lines = [HEAD, "|---" * 8 + "|"]
    for name in (FROZEN, *ADAPTERS):
        own = [r for r in rows if r["adapter"] == name]
        seeds = sorted({r["seed"] for r in own})
        if not seeds:
            continue
        cells = [said(within(over_seeds([share(right[name, split, seed]) for seed in seeds]))) for split in SPLITS]
        pairs = [
            (right[name, "unseen", s], right[FROZEN, "unseen", s])
            for s in seeds
            if (FROZEN, "unseen", s) in right and name != FROZEN
        ]
        gain = said(over_seeds([paired_difference(~frozen, ~adapted) for adapted, frozen in pairs])) if pairs else "-"
        cost = [
            f"{max(r.get('parameters', 0) for r in own):,}",
            f"{np.mean([r.get('seconds', 0) for r in own]):.0f}",
            f"{max(r['mib'] for r in own):,}",
        ]
        lines.append(f"| {' | '.join([name, str(len(seeds)), *cells, gain, *cost])} |")
    return lines


def share(right: Bool) -> Estimate:
    return wilson(int(right.sum()), len(right))


def within(estimate: Estimate) -> Estimate:
    """The interval of a share, which a few seeds' spread may carry past 0 or 1."""
    return Estimate(estimate.value, max(0.0, estimate.low), min(1.0, estimate.high))


def said(estimate: Estimate) -> str:
    """ "75.0 [71.1, 78.8]", in per cent."""
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--adapters", nargs="*", default=[FROZEN, *ADAPTERS])
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1003))
    parser.add_argument("--training", type=int, default=1000)
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument(
        "--kinds", nargs="+", default=list(KINDS), help="colour alone is what Cola's own pairs are: attributes swapped"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    encoder = load_encoder(given.encoder)
    lines = given.out / "lines.jsonl"
    for name in given.adapters:
        if name != FROZEN:
            adapter_class(name)  # a wrong name is said at once
        for seed in range(*given.seeds):
            if (name, seed, SPLITS[-1]) not in keys_done(read_lines(lines), ("adapter", "seed", "split")):
                measure(
                    Sets(seed, given.training, given.test, tuple(given.kinds)),
                    name,
                    encoder,
                    given.out,
                    default_cache(),
                )
                print(name, seed, flush=True)
    rows = read_lines(lines)
    for kind in ("", *sorted({k for row in rows for k in row["kinds"]})):
        print(f"\n{kind or 'all kinds'}")
        print("\n".join(table(rows, kind=kind)))


if __name__ == "__main__":
    main()
