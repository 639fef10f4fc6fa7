"""Runs of scans and of clips that several files of tests ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.discovery.settings import Settings
from core.records import Diagnosis

if TYPE_CHECKING:
    from tests.support.clips import DiagnosedClips

QUICK_SCANS = Settings(n_permutations=300, map=False, sensitivity=False)


@pytest.fixture(scope="session")
def scans_upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scans.csv and 120 drawn scans, of which a fifth have a bias field and lose their masks for it."""
    from research.examples.planted_scans import plant_scans, write_planted  # brings torch: not for every test of core

    folder = tmp_path_factory.mktemp("scans")
    write_planted(plant_scans(120, share=0.2), folder)
    return folder


@pytest.fixture(scope="session")
def scans_found(scans_upload: Path, together: Path) -> Diagnosis:
    """Its diagnosis."""
    from core.data.tables.roles import Roles
    from core.diagnose import diagnose

    roles, cache = Roles(masks=("true_mask", "predicted_mask")), together / "scans"
    return diagnose(scans_upload / "scans.csv", images=scans_upload, roles=roles, settings=QUICK_SCANS, cache=cache)


@pytest.fixture(scope="session")
def turned_clips(tmp_path_factory: pytest.TempPathFactory) -> DiagnosedClips:
    """160 clips of a square that goes to the right, and in a quarter of them, which fail, to the left."""
    from tests.support.clips import diagnosed_clips  # brings the videos: not for every test of core

    return diagnosed_clips(tmp_path_factory.mktemp("backwards"), 160, "backwards", seed=1)
