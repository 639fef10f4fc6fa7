"""Cleanlab's groups claim what its report names."""

from __future__ import annotations

import numpy as np

from core.systems.peers.engines.rows import EngineRows
from research.scoreboard.engines.reported_groups import ReportedGroups


def test_what_cleanlab_would_report_is_claimed_and_new_rows_go_to_the_nearest():
    rng = np.random.default_rng(0)
    blob = np.repeat(np.arange(3), 60)
    vectors = np.eye(6)[blob] + 0.1 * rng.normal(size=(180, 6))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    truth = np.where(blob == 1, 0.03, 0.9)
    probabilities = np.c_[truth, 1 - truth]
    rows = EngineRows(vectors, np.zeros(180, int), np.zeros(180), None, probabilities)
    engine = ReportedGroups(eps=0.2).fit(vectors, rows.losses, rows.labels, probabilities)
    claims = engine.claims(rows)
    assert len(claims) == 1
    assert set(blob[claims[0].members]) == {1}
    assert set(blob[np.argsort(-engine.score(vectors, rows.labels)[:, 0])[:50]]) == {1}


def test_without_a_group_nothing_is_claimed():
    rows = EngineRows(np.eye(30, dtype=np.float32), np.zeros(30, int), np.zeros(30), None, np.full((30, 2), 0.5))
    engine = ReportedGroups(eps=0.5).fit(rows.embeddings, rows.losses, rows.labels, rows.probabilities)
    assert engine.claims(rows) == []
