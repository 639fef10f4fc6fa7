"""A planted bias field is found in an upload of scans, named by the property, and explained by its correction."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.diagnose import diagnose
from core.records import Diagnosis
from research.examples.planted_scans import plant_scans, write_planted
from tests.core.conftest import QUICK_SCANS


def test_scans_with_a_bias_field_are_found_and_named_by_it(scans_found: Diagnosis) -> None:
    found = scans_found
    spoilt = plant_scans(120, share=0.2).spoilt
    assert found.samples.modality == "scan"
    assert found.words is None
    members = np.any([cluster.membership >= 0.5 for cluster in found.clusters], 0)
    assert spoilt[members].mean() > 0.8
    assert members[spoilt].mean() > 0.6
    first = found.clusters[0].called
    assert first is not None
    assert (first.text, first.grade) == ("Scans with an uneven bias field", "likely")


def test_scans_without_a_fault_give_no_finding(tmp_path: Path) -> None:
    write_planted(plant_scans(80, fault="", side=48, seed=3), tmp_path)
    table = (tmp_path / "scans.csv").read_text("utf-8").splitlines()
    rng = np.random.default_rng(0)
    rows = [f"{line.split(',')[0]},{rng.random():.6f}" for line in table[1:]]
    (tmp_path / "null.csv").write_text("\n".join(["file,loss", *rows]), "utf-8")
    assert diagnose(tmp_path / "null.csv", images=tmp_path, settings=QUICK_SCANS).clusters == ()
