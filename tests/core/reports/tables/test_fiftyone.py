"""A run as a data set of FiftyOne: written, read by FiftyOne where it is installed, and read by Errata again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.cli.main import main
from core.data.samples import Roles, read_data_set
from core.errors import InvalidInput
from core.records import Column, Diagnosis
from core.reports.tables.fiftyone import _original, write_fiftyone
from core.store import save
from tests.support.diagnoses import make_diagnosis


def written(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "samples.json").read_text("utf-8"))["samples"]


def test_clusters_are_tags_and_what_is_predicted_is_a_field(diagnosis: Diagnosis, tmp_path: Path) -> None:
    assert write_fiftyone(diagnosis, tmp_path / "set") == (60, [])
    rows = written(tmp_path / "set")
    assert [row["errata_id"] for row in rows] == list(diagnosis.samples.ids)
    for cluster in diagnosis.clusters:
        (tag,) = {tag for row in rows for tag in row["tags"] if tag.startswith(f"errata {cluster.id}: ")}
        assert [tag in row["tags"] for row in rows] == (cluster.membership >= 0.5).tolist()
    np.testing.assert_array_equal([row["errata_predicted_loss"] for row in rows], diagnosis.estimate.predicted)
    suspected = [row for row, fields in enumerate(rows) if "errata: label suspected" in fields["tags"]]
    assert suspected == sorted(diagnosis.label_errors.tolist())
    assert "errata_brightness" in rows[0]  # measured here, so no column of the user's
    assert "errata_brightness" not in rows[5]  # nan
    assert rows[0]["weather"] == "fog"
    assert [(tmp_path / "set" / row["filepath"]).read_bytes() for row in rows[:3]] == [
        diagnosis.samples.items.read(row)
        for row in range(3)  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize("name", ["cross-entropy", "0/1 error", "squared error"])
def test_what_was_written_is_read_as_the_same_samples(diagnosis: Diagnosis, tmp_path: Path, name: str) -> None:
    outcomes = diagnosis.outcomes
    wrong = outcomes.predictions != diagnosis.samples.labels
    loss = wrong.astype(np.float64) if name == "0/1 error" else outcomes.loss
    diagnosis = replace(diagnosis, outcomes=replace(outcomes, name=name, loss=loss))
    write_fiftyone(diagnosis, tmp_path / "set")
    again = read_data_set(None, images=tmp_path / "set", roles=Roles(as_is=True))  # made-up losses
    assert again.samples.ids == diagnosis.samples.ids
    assert again.samples.class_names == diagnosis.samples.class_names
    np.testing.assert_array_equal(again.samples.labels, diagnosis.samples.labels)
    np.testing.assert_array_equal(again.outcomes.loss, loss)
    np.testing.assert_array_equal(again.outcomes.predictions, outcomes.predictions)
    np.testing.assert_array_equal(again.samples.groups, diagnosis.samples.groups)
    np.testing.assert_array_equal(again.samples.splits, diagnosis.samples.splits)
    (weather,) = again.samples.metadata
    assert weather.values.tolist() == diagnosis.samples.metadata[0].values.tolist()
    assert (again.outcomes.clip is None) == (name != "cross-entropy")
    assert again.outcomes.unit == {"cross-entropy": "nats", "0/1 error": "error"}.get(name, "loss")


@pytest.mark.parametrize(("name", "field"), [("a.b", "a_b"), ("$x", "x"), ("tags", "column tags"), ("_x", "x")])
def test_names_that_fiftyone_refuses_are_changed(diagnosis: Diagnosis, tmp_path: Path, name: str, field: str) -> None:
    column = Column(name, "number", np.arange(60.0))
    diagnosis = replace(diagnosis, samples=replace(diagnosis.samples, metadata=(column,)))
    write_fiftyone(diagnosis, tmp_path / "set")
    assert [row[field] for row in written(tmp_path / "set")] == column.values.tolist()


def test_two_names_that_become_one_both_stay(diagnosis: Diagnosis, tmp_path: Path) -> None:
    columns = tuple(Column(name, "number", np.full(60, at)) for at, name in enumerate(("a.b", "a_b", "a$b")))
    diagnosis = replace(diagnosis, samples=replace(diagnosis.samples, metadata=columns))
    write_fiftyone(diagnosis, tmp_path / "set")
    row = written(tmp_path / "set")[0]
    assert [row["a_b"], row["a_b 2"], row["a_b 3"]] == [0, 1, 2]


@pytest.mark.parametrize("name", ["../secret.png", "street/../../secret.png", "{outside}/secret.png"])
def test_no_picture_outside_the_folder_is_pointed_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "images" / "street").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"")
    items: Any = SimpleNamespace(name=lambda row: name.format(outside=tmp_path))
    assert _original(items, 0, tmp_path / "images") is None


def test_originals_are_pointed_to_and_those_that_are_missing_are_named(diagnosis: Diagnosis, tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    (originals / "street").mkdir(parents=True)
    for name in diagnosis.samples.ids[1:]:
        (originals / name).write_bytes(b"")
    assert write_fiftyone(diagnosis, tmp_path / "set", originals) == (59, [diagnosis.samples.ids[0]])
    wanted = [str(originals / name) for name in diagnosis.samples.ids[1:]]
    assert [row["filepath"] for row in written(tmp_path / "set")] == wanted
    with pytest.raises(InvalidInput, match=r"None of the 60 images, such as 'street/0000.png', was found in "):
        write_fiftyone(diagnosis, tmp_path / "other", tmp_path)
    with pytest.raises(InvalidInput, match=r"0001.png is not a folder, .* Unpack it, or leave it out"):
        write_fiftyone(diagnosis, tmp_path / "other", originals / "street/0001.png")
    assert not (tmp_path / "other").exists()


def test_a_run_without_pictures_and_a_full_folder_are_refused(diagnosis: Diagnosis, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="this run has no images"):
        write_fiftyone(make_diagnosis(with_images=False), tmp_path / "set")
    texts = replace(diagnosis, samples=replace(diagnosis.samples, modality="text"))
    with pytest.raises(InvalidInput, match="this run has texts"):
        write_fiftyone(texts, tmp_path / "set")
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(InvalidInput, match="holds files already"):
        write_fiftyone(diagnosis, tmp_path)


def test_the_command_says_how_to_load_it(
    diagnosis: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(diagnosis, tmp_path / "run.errata")
    out = tmp_path / "set"
    assert main(["export", str(tmp_path / "run.errata"), "--what", "fiftyone", "--out", str(out)]) == 0
    assert "60 samples written. Load them: fo.Dataset.from_dir(" in capsys.readouterr().out
    assert all((out / row["filepath"]).read_bytes()[8:12] == b"WEBP" for row in written(out))
    assert main(["export", str(tmp_path / "run.errata"), "--what", "fiftyone"]) == 2
    assert main(["export", str(tmp_path / "run.errata"), "--images", "x"]) == 2
    said = capsys.readouterr().err
    assert "--what fiftyone needs a file or folder to write to. Add --out." in said
    assert "--images works only with --what fiftyone" in said


def test_fiftyone_itself_reads_it(diagnosis: Diagnosis, tmp_path: Path) -> None:
    """By the part of its importer that needs no database."""
    importers = pytest.importorskip("fiftyone.utils.data.importers")
    write_fiftyone(diagnosis, tmp_path / "set")
    importer = importers.FiftyOneDatasetImporter(str(tmp_path / "set"))
    assert importer._is_legacy_format_data()
    with importer._to_legacy_importer() as found:
        samples = list(found)
    assert [sample["errata_id"] for sample in samples] == list(diagnosis.samples.ids)
    assert [sample.tags for sample in samples] == [row["tags"] for row in written(tmp_path / "set")]
    assert all(Path(sample.filepath).is_file() for sample in samples)
    assert {sample["ground_truth"].label for sample in samples} == set(diagnosis.samples.class_names)
