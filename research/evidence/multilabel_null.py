"""Several labels an image with nothing to find: how often is anything claimed?

    python -m research.evidence.multilabel_null --runs 2000 2240

150 images, three classes of unequal share that the embedding shows, losses that are skewed, differ by class and truth
and are alike within a
picture: everything that could make rows look like independent witnesses of a failure. Nothing tells which images are
    hard.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from core.data.tables.roles import Roles
from core.data.tasks.multilabel import read_multilabel
from core.diagnose import diagnose_data_set
from core.discovery.settings import Settings
from core.statistics.intervals import wilson

N = 150
SHARES = np.array([0.5, 0.2, 0.08])


def claims(seed: int, permutations: int) -> bool:
    """Whether a cluster or a condition was confirmed."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((N, 3)) < SHARES).astype(int)
    vectors = rng.normal(size=(N, 16)).astype(np.float32)
    vectors[:, :3] += 3 * truth
    hard = rng.normal(0, 1, N)
    logit = np.where(truth == 1, SHARES * 4 - 1.5, 3) + rng.normal(0, 1, (N, 3)) - 0.8 * hard[:, None]
    scores = 1 / (1 + np.exp(-np.where(truth == 1, logit, -logit)))
    table = pd.DataFrame({f"y_{c}": truth[:, c] for c in range(3)} | {f"p_{c}": scores[:, c] for c in range(3)})
    table["id"], table["weather"] = [f"i{i}" for i in range(N)], rng.choice(["a", "b", "c"], N)
    audit = read_multilabel(table, ["y_*"], embeddings=vectors, roles=Roles(probabilities=("p_*",)))
    found = diagnose_data_set(audit, settings=Settings(seed=seed, n_permutations=permutations, map=False, words=False))
    return bool(found.clusters) or any(insight.confirmed for insight in found.insights)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, nargs=2, metavar=("FROM", "TO"), default=(2000, 2240), help="seeds")
    parser.add_argument("--permutations", type=int, default=300)
    options = parser.parse_args()
    found = [claims(seed, options.permutations) for seed in range(*options.runs)]
    share = wilson(sum(found), len(found))
    print(
        f"anything claimed in {sum(found)} of {len(found)} runs: {share.value:.3f} ({share.low:.3f} to "
        f"{share.high:.3f}), promised at most 0.05"
    )


if __name__ == "__main__":
    main()
