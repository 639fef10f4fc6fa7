"""Our Domino mixture beside the authors' own code: how far any responsibility differs.

    PYTHONPATH=DOMINO:. VENV/bin/python -m research.evidence.domino_release --seeds 1000 1003

DOMINO is a checkout of HazyResearch/domino (5284ad8), VENV a virtual environment of its own: Python 3.11, torch for the
CPU, and "numpy<2" "pandas<2.2" "scikit-learn<1.5" "pydantic<2" "fastapi<0.100" "pyarrow<16" "datasets<2.20"
"huggingface_hub<0.26" "typer<0.10" "sse-starlette<1.7" "wrapt<1.15" meerkat-ml==0.4.11 "matplotlib<3.9" seaborn
ipywidgets. Their PCA draws at random and without a seed, so both get the same principal components; then both begin
with the same k-means.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from core.systems.peers.engines.domino import DominoMixture
from research.scoreboard.planted_embeddings import plant_embeddings

COMPONENTS = 25
DIMENSIONS = 128


def compare(slicer: Any, seed: int, weight: float) -> tuple[float, float, bool]:
    """(largest difference on audited rows, on fresh ones, whether the five slices are the same in the same order).

    Args:
        slicer: their class `DominoSlicer`.
    """
    audit, fresh = plant_embeddings("rare", seed=seed)
    rows = [part.embeddings.vectors.astype(np.float64) for part in (audit, fresh)]
    mean = rows[0].mean(0)
    axes = np.linalg.svd(rows[0] - mean, full_matrices=False)[2][:DIMENSIONS]
    points = [(part - mean) @ axes.T for part in rows]
    weights = {"y_log_likelihood_weight": weight, "y_hat_log_likelihood_weight": weight}
    theirs = slicer(
        n_slices=COMPONENTS, n_mixture_components=COMPONENTS, n_pca_components=None, random_state=0, **weights
    )
    theirs.fit(data=None, embeddings=points[0], targets=audit.labels, pred_probs=audit.probabilities)
    ours = DominoMixture(n_slices=COMPONENTS, label_weight=weight, prediction_weight=weight)
    ours.fit(points[0].astype(np.float64), audit.losses, audit.labels, audit.probabilities)  # type: ignore[arg-type]
    differences: list[float] = []
    order: list[int] = []
    for part, at in zip((audit, fresh), points):
        a = ours.score(at, part.labels, part.probabilities)  # type: ignore[arg-type]
        b = theirs.predict_proba(data=None, embeddings=at, targets=part.labels, pred_probs=part.probabilities)
        order = order or [int(np.abs(a[:, [i]] - b).sum(0).argmin()) for i in range(COMPONENTS)]
        differences.append(float(np.abs(a - b[:, order]).max()))
    return *differences, order[:5] == list(range(5))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1003), metavar=("FIRST", "END"))
    given = parser.parse_args()
    if find_spec("tkinter") is None:  # their code imports a name of it and uses none
        stand_in: Any = ModuleType("tkinter")
        stand_in.Variable = object
        sys.modules["tkinter"] = stand_in
    from domino import DominoSlicer  # pyright: ignore[reportMissingImports]

    for seed in range(*given.seeds):
        for weight in (1.0, 10.0):
            audited, fresh, same = compare(DominoSlicer, seed, weight)
            print(
                f"seed {seed}, weight {weight:g}: audited {audited:.1e}, fresh {fresh:.1e}, five slices alike: {same}"
            )


if __name__ == "__main__":
    main()
