"""A pool of images on the page: where it is asked for, how its folders are read, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.store import load
from core.systems.probes import PROBES, make_probe
from core.systems.probes.base import Images
from core.systems.probes.few_shot.pools import ImagePool
from tests.webapp.callbacks import press
from webapp.state.session import Session
from webapp.systems.probes.form import controls
from webapp.systems.probes.images import explanation_view
from webapp.systems.probes.state import run_one
from webapp.systems.probes.tab import on_choose

pytestmark = pytest.mark.usefixtures("plain")


def test_a_pool_is_asked_for_only_where_one_is_used(example: str) -> None:
    asked = {name: on_choose(Session(example), press(probe=name))[1]["visible"] for name in PROBES}
    assert asked == {name: bool(make_probe(name).needs().pool) for name in PROBES}
    assert asked["sus-x"]
    assert not asked["zero-shot"]


@pytest.mark.slow
def test_a_pool_in_class_folders_teaches_and_every_image_is_scored(repository: Path, tmp_path: Path) -> None:
    diagnosis, other = (
        load(repository / "assets" / "examples" / name / "run.errata") for name in ("nothing_to_find", "scenes")
    )
    assert other.samples.items is not None
    assert other.samples.labels is not None
    with zipfile.ZipFile(tmp_path / "pool.zip", "w") as pack:
        for row in range(0, 960, 20):
            pack.writestr(
                f"{other.samples.class_names[int(other.samples.labels[row])]}/{row}.webp", other.samples.items.read(row)
            )
    results, name = run_one(diagnosis, "sus-x", {"per_class": "4"}, pool=str(tmp_path / "pool.zip"))
    assert name == "sus-x, per class 4"
    found = results[0]
    assert found.settings["pool"] == "pool.zip"
    assert len(found.rows) == len(diagnosis.samples)  # none of them taught
    assert found.support is not None
    assert (found.support.rows == -1).all()
    assert any("folders as classes" in note for note in found.notes)
    # What a pool held is named where its image is not kept.
    assert "no-picture" in explanation_view(diagnosis, found, 0)


def test_what_is_said_of_a_pool_is_asked_where_one_is_used_and_never_opens_a_path(
    streets: Diagnosis, tmp_path: Path
) -> None:
    assert 'data-setting="pool_folders"' in controls("sus-x", streets)
    assert 'data-setting="pool_names"' not in controls("zero-shot", streets)
    (tmp_path / "names.json").write_text("{}")
    pool = tmp_path / "pool.zip"  # refused before it is looked at
    for settings, brought, said in (
        ({"pool_names": str(tmp_path / "names.json")}, True, "must be JSON text"),
        ({"pool_names": '{"a": "no class"}'}, True, "is a class"),
        ({"pool_folders": "../etc"}, True, "must be one of auto, classes, none"),
        ({"pool_folders": "classes"}, False, "need a pool"),
        ({"shots": "2"}, True, "Remove it, or set shots to 0"),
    ):
        with pytest.raises(InvalidInput, match=said):
            run_one(streets, "sus-x", settings, pool=str(pool) if brought else None)


def test_folders_of_a_pool_are_taken_as_was_said(streets: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def read_pool(path: str, *_: Any, **how: Any) -> ImagePool:
        asked.append({"path": path, **how})
        words = streets.words
        assert words is not None
        return ImagePool(Images(words.joint.vectors[:8], tuple("abcdefgh")), ("Read.",))

    monkeypatch.setattr("core.systems.probes.few_shot.pools.read_pool", read_pool)
    names = streets.samples.class_names
    other = json.dumps({"elsewhere": names[0]})
    said = {"per_class": "2", "pool_names": other, "pool_folders": "classes"}
    (named,), _ = run_one(streets, "sus-x", said, pool="/somewhere/pool.zip")
    assert (named.settings["pool"], named.settings["pool_names"]) == ("pool.zip", other)
    assert "Read." in named.notes
    run_one(streets, "sus-x", {"per_class": "2"}, pool="/somewhere/pool.zip")
    assert [(one["folders"], one["aliases"]) for one in asked] == [("classes", {"elsewhere": names[0]}), ("auto", None)]
