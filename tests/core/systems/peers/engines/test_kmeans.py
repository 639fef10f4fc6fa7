"""K-means: the blob that fails first, the tiny one last."""

from __future__ import annotations

import numpy as np

from core.systems.peers.engines.kmeans import KMeansSlices


def test_kmeans_puts_the_bad_blob_first_and_the_tiny_one_last():
    rng = np.random.default_rng(0)
    centres = np.eye(4)
    blob = np.repeat(np.arange(4), [40, 40, 40, 3])
    vectors = (centres[blob] + 0.01 * rng.normal(size=(123, 4))).astype(np.float32)
    losses = np.where(blob == 2, 1.0, 0.1) + np.where(blob == 3, 5.0, 0)
    labels = np.zeros(123, np.int64)
    scores = KMeansSlices(n_clusters=4).fit(vectors, losses, labels).score(vectors, labels)
    assert scores.shape == (123, 4)
    assert set(blob[np.argsort(-scores[:, 0])[:40]]) == {2}
    assert set(blob[np.argsort(-scores[:, 3])[:3]]) == {3}  # three rows of enormous loss are not trusted
