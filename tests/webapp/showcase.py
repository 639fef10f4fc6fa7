"""A made-up diagnosis that fills the page as a real one would, and stored runs of it for a test's server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.records import Diagnosis, FailureMap
from core.store import save
from tests.fixtures import make_diagnosis


def make_showcase(n: int = 600, *, n_clusters: int = 3, seed: int = 0, **kwargs: bool) -> Diagnosis:
    """`make_diagnosis` with a map of islands, the members of each cluster together on one of them."""
    diagnosis = make_diagnosis(n, seed=seed, n_clusters=n_clusters, **kwargs)
    rng = np.random.default_rng(seed)
    cluster, _ = diagnosis.cluster_of()
    island = np.where(cluster >= 0, cluster, max(n_clusters, 1) + np.arange(n) % 5)
    at = 5 * np.stack([np.cos(island * 2.4) * np.sqrt(island + 0.4), np.sin(island * 2.4) * np.sqrt(island + 0.4)], 1)
    xy = (at + rng.normal(0, 1.1, (n, 2))).astype(np.float32)
    return replace(diagnosis, map=FailureMap(xy, "umap"))


def write_examples(folder: Path) -> Path:
    """Two stored examples below `folder`: one with three clusters, one with nothing to find."""
    save(make_showcase(), folder / "streets" / "run")
    nothing = make_showcase(400, n_clusters=0, seed=3)
    save(replace(nothing, samples=replace(nothing.samples, name="nothing to find")), folder / "nothing" / "run")
    return folder
