"""Data sets read with a tiny CLIP that is made here: the way a real checkpoint goes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.systems.probes.prompt_learning import training
from research.ladder.data_sets import read_data_set
from research.ladder.reproduce import reproduce
from research.ladder.steps import LadderChoices

pytestmark = pytest.mark.usefixtures("few_phrases")
CLASSES = ("cat", "ant", "dog")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("open_clip")
    from tests.support.tiny_clip import write_native

    return f"local-dir:{write_native(tmp_path_factory.mktemp('models') / 'tiny')}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen noisy images of each class, in class folders."""
    root, rng = tmp_path_factory.mktemp("data") / "made", np.random.default_rng(0)
    for c, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for i in range(15):
            pixels = rng.integers(0, 120, (48, 48, 3))
            pixels[..., c] += 130
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of the vectors of these images, which are read as many times."""
    return tmp_path_factory.mktemp("vectors")


def split_file(folder: Path) -> Path:
    rows = {"train": range(5), "val": range(5, 7), "test": range(7, 15)}
    said = {
        part: [[f"{name}/{i}.png", c, name] for c, name in enumerate(CLASSES) for i in own]
        for part, own in rows.items()
    }
    path = folder / "split_zhou_Made.json"
    path.write_text(json.dumps(said))
    return path


def test_class_folders_are_a_data_set_without_a_split(folders: Path, clip: str, kept: Path):
    found = read_data_set(folders, clip, cache=kept)
    assert found.name == "made"
    assert found.task.samples.class_names == ("ant", "cat", "dog")
    assert len(found.task.joint) == len(found.task.samples) == 45
    assert found.task.split is None
    assert found.order is None


def test_a_table_that_says_train_and_test_splits_by_it(folders: Path, clip: str, kept: Path):
    lines = [
        "file,label,split",
        *(f"{name}/{i}.png,{name},{'train' if i < 7 else 'test'}" for name in CLASSES for i in range(15)),
    ]
    table = folders / "index.csv"
    table.write_text("\n".join(lines))
    try:
        found = read_data_set(table, clip, cache=kept)
    finally:
        table.unlink()
    assert found.task.split is not None
    assert (len(found.task.split.folds[0].train), len(found.task.split.folds[0].test)) == (21, 24)


def test_a_parquet_table_with_its_own_pictures_needs_none_beside_it(
    folders: Path, clip: str, kept: Path, tmp_path: Path
):
    rows = [
        {"image": {"bytes": (folders / n / f"{i}.png").read_bytes(), "path": f"{n}-{i}.png"}, "label": n}
        for n in CLASSES
        for i in range(15)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "own.parquet")
    found = read_data_set(tmp_path / "own.parquet", clip, cache=kept)
    assert (found.name, len(found.task.samples)) == ("own", 45)


def test_a_split_file_beside_its_pictures_gives_the_parts_and_the_order(folders: Path, clip: str, kept: Path):
    path = split_file(folders)
    try:
        found = read_data_set(folders, clip, cache=kept)
        assert found.name == "Made"
        assert found.order == CLASSES
        (fold,) = found.task.split.folds
        assert fold.validation is not None
        assert [len(rows) for rows in (fold.train, fold.validation, fold.test)] == [15, 6, 24]
        ids = [found.task.samples.ids[i] for i in fold.test]
        assert all(int(Path(name).stem) >= 7 for name in ids)
    finally:
        path.unlink()


def test_what_is_not_there_is_refused(folders: Path, tmp_path: Path):
    with pytest.raises(InvalidInput, match="nothing at"):
        read_data_set(tmp_path / "none")
    path = tmp_path / "split_zhou_Made.json"
    path.write_text(json.dumps({"train": [["cat/0.png", 0, "cat"]]}))
    with pytest.raises(InvalidInput, match="lies neither beside it"):
        read_data_set(path)
    (tmp_path / "split_other.json").write_text("{}")
    with pytest.raises(InvalidInput, match="2 split files"):
        read_data_set(tmp_path)


def test_descriptions_come_with_a_data_set_that_has_some(folders: Path, clip: str, kept: Path):
    assert read_data_set(folders, clip, cache=kept).descriptions == ""
    from research.ladder.data_sets import _descriptions

    assert _descriptions("CIFAR-10").endswith("cifar10.json")


@pytest.mark.slow
def test_a_ladder_runs_on_a_clip_checkpoint_and_goes_on_where_it_stopped(
    folders: Path, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training, "epochs_of", lambda *given: 2)  # how well prompts learn is tested elsewhere
    state = tmp_path / "steps.json"
    rows = reproduce("all", folders, clip, (0,), choices=LadderChoices((2,)), state=state)
    run = {(r.step, r.shots, r.setting) for r in rows if r.value is not None}
    assert {("zero-shot", None, "all classes"), ("sus-x", None, "all classes"), ("lp++", 2, "all classes")} <= run
    assert {("coop", 2, "base-to-new"), ("cocoop", 2, "base-to-new"), ("tip-adapter-f", 2, "all classes")} <= run
    assert {r.step for r in rows if r.value is None} == {"descriptions"}
    again = reproduce("all", folders, clip, (0,), choices=LadderChoices((2,)), state=state)
    assert [r.each for r in again] == [r.each for r in rows]
    assert sum(r.seconds for r in again) == pytest.approx(sum(r.seconds for r in rows))


def test_a_split_file_without_pictures_is_refused(tmp_path: Path):
    (tmp_path / "split_x.json").write_text('{"train": [], "val": [], "test": []}')
    with pytest.raises(InvalidInput, match="names no picture"):
        read_data_set(tmp_path / "split_x.json", "embedded")
