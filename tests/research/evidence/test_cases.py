"""The real cases' classifier never scores a row that it saw, and without the data the driver says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from research.evidence import case_tables, cases


def test_a_row_is_scored_by_fits_that_saw_neither_it_nor_an_unusable_row():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    features, usable = rng.normal(size=(60, 5)) + labels[:, None], np.arange(60) % 2 == 0
    before = case_tables.held_out_probabilities(features, labels, usable)
    changed = features.copy()
    changed[7] += 100  # not usable: its own row alone may change
    after = case_tables.held_out_probabilities(changed, labels, usable)
    others = np.arange(60) != 7
    np.testing.assert_array_equal(before[others], after[others])
    assert np.abs(before[7] - after[7]).max() > 1e-3
    np.testing.assert_allclose(before.sum(axis=1), 1)


def test_edges_and_colours_tell_direction_and_colour():
    stripes = np.tile((np.arange(64) % 8 < 4).astype(float)[None, :, None], (64, 1, 3))
    across, along = case_tables.edges_and_colours(stripes), case_tables.edges_and_colours(stripes.transpose(1, 0, 2))
    assert across.shape == (64 * 9 + 4 * 64,)
    assert across[:576].reshape(64, 9).mean(axis=0).argmax() == 0
    assert along[:576].reshape(64, 9).mean(axis=0).argmax() == 4
    red = case_tables.edges_and_colours(np.broadcast_to([1.0, 0, 0], (64, 64, 3)))
    np.testing.assert_array_equal(np.flatnonzero(red[576:]) % 64, [48] * 4)


def test_conflict_pictures_carry_their_shape_source_and_real_conflicts_only(tmp_path):
    kinds, textures = ["cue-conflict", "cue-conflict", "edges"], ["bear", "car", "car"]
    files = [
        "images/cue-conflict_car_car10-bear2.jpg",
        "images/cue-conflict_car_car3-car1.jpg",
        "images/edges_car_car1.jpg",
    ]
    table = pd.DataFrame(
        {
            "file": files,
            "kind": kinds,
            "shape_class": "car",
            "texture_class": textures,
            "cue_conflict": 1,
            "width": 1,
            "height": 1,
        }
    )
    (tmp_path / "cue_conflict").mkdir()
    table.to_csv(tmp_path / "cue_conflict" / "index.csv", index=False)
    assert case_tables.conflict_four(tmp_path).table["shape_source"].tolist() == ["car10"]
    assert case_tables.conflict_four_with_equal(tmp_path).table["shape_source"].tolist() == ["car10", "car3"]


def test_without_the_data_the_driver_says_what_to_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cases", "--data", str(tmp_path / "absent")])
    cases.main()
    assert "Skipped" in (said := capsys.readouterr().out)
    assert "--data" in said


@pytest.mark.slow
def test_a_section_prints_what_the_diagnosis_holds():
    from core.discovery.settings import Settings
    from research.arrays import diagnose_arrays

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 16)).astype(np.float32)
    errors = vectors[:, 0] > 0.8
    found = diagnose_arrays(
        vectors, errors.astype(float), errors=errors, settings=Settings(map=False, n_permutations=199, n_members=2)
    )
    case = case_tables.Case("Made up", "Where?", pd.DataFrame(), None, case_tables.Roles())
    text = cases.section(case, found, cases.StepClock())
    assert f"n = 200; loss: loss, mean {errors.mean():.2f}" in text
    assert len(found.clusters) > 0
    assert text.count("- **Cluster ") == len(found.clusters)
