"""What several tests of the command line start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store import save
from core.systems.probes import PROBES
from research.scenes.__main__ import main as draw
from tests.support.diagnoses import draw_picture
from tests.support.probes import Guess
from tests.support.tiny_clip import TWO, write_model
from tests.support.words import AxisEncoder, with_words


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stored run with words, the encoder that speaks them, and the probe "zero-shot" replaced by a guess."""
    save(with_words(), tmp_path / "run.errata")
    for module in (
        "core.language.phrases",
        "core.encoders",
    ):  # the first is imported before the second is changed, so that it does not keep the fake
        monkeypatch.setattr(f"{module}.load_encoder", lambda name, **options: AxisEncoder())
    monkeypatch.setitem(PROBES, "zero-shot", f"{Guess.__module__}:{Guess.__name__}")
    return tmp_path / "run.errata"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a tiny open_clip model with random weights."""
    return f"local-dir:{write_model(tmp_path_factory.mktemp('clip') / 'model', TWO)}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 14 rendered pairs in Cola's form."""
    folder = tmp_path_factory.mktemp("drawn") / "set"
    draw(["--n", "14", "--split", "train", "--seed", "3", "--out", str(folder)])
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a.png and b.png."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, name in enumerate("ab"):
        (folder / f"{name}.png").write_bytes(draw_picture(i))
    return folder
