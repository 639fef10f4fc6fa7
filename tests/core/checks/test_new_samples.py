"""New samples are read into the diagnosis' space; what cannot be used is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks.new_samples import _bare, read_new_samples
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import no_progress
from tests.support.diagnoses import draw_picture, make_diagnosis


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "new.npy"
    np.save(path, np.random.default_rng(0).normal(size=(4, 8)))
    return path


def test_vectors_without_ids_are_numbered_and_scaled_to_length_one(vectors: Path) -> None:
    found = read_new_samples(make_diagnosis(), embeddings=vectors)
    assert found.ids == ("0", "1", "2", "3")
    assert found.labels is None
    assert found.embeddings.space == "given"
    np.testing.assert_allclose(np.linalg.norm(found.embeddings.vectors, axis=1), 1, rtol=1e-6)


def test_labels_follow_the_diagnosis_class_names_and_strangers_are_said(tmp_path: Path, vectors: Path) -> None:
    pd.DataFrame({"id": list("abcd"), "label": ["tram", "bus", "boat", "car"]}).to_csv(
        tmp_path / "new.csv", index=False
    )
    found = read_new_samples(make_diagnosis(), tmp_path / "new.csv", embeddings=vectors, roles=Roles(label="label"))
    assert found.ids == tuple("abcd")
    assert found.labels is not None
    assert found.labels.tolist() == [2, 0, -1, 1]
    assert any("'boat'" in note for note in found.notes)


def test_a_vector_of_zeros_is_left_out_with_its_reason(tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", embeddings=np.array([[1.0, 0], [0, 0], [0, 2]]), ids=np.array(["a", "b", "c"]))
    found = read_new_samples(make_diagnosis(), embeddings=tmp_path / "new.npz")
    assert found.ids == ("a", "c")
    assert found.excluded == (("b", "the embedding is all zeros"),)


def test_nothing_brought_or_nothing_usable_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No new samples"):
        read_new_samples(make_diagnosis())
    np.save(tmp_path / "zeros.npy", np.zeros((3, 8)))
    with pytest.raises(InvalidInput, match="None of the 3 new samples"):
        read_new_samples(make_diagnosis(), embeddings=tmp_path / "zeros.npy")
    np.save(tmp_path / "none.npy", np.zeros((0, 8)))
    with pytest.raises(InvalidInput, match="None of the 0 new samples"):
        read_new_samples(make_diagnosis(), embeddings=tmp_path / "none.npy")


def test_pictures_cannot_join_a_diagnosis_of_given_vectors(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(draw_picture(1))
    with pytest.raises(InvalidInput, match="used given embeddings"):
        read_new_samples(make_diagnosis(), images=tmp_path)


@pytest.mark.slow
def test_pictures_are_embedded_as_the_diagnosed_ones_and_a_broken_one_is_left_out(tmp_path: Path) -> None:
    for name, payload in {"a.png": draw_picture(1), "b.png": b"broken", "c.png": draw_picture(2)}.items():
        (tmp_path / name).write_bytes(payload)
    diagnosis = make_diagnosis()
    embedded = replace(diagnosis, embeddings=replace(diagnosis.embeddings, encoder="embedded 0123456789ab"))
    found = read_new_samples(embedded, images=tmp_path)
    assert found.ids == ("a.png", "c.png")
    assert [name for name, _ in found.excluded] == ["b.png"]
    assert found.embeddings.vectors.shape[0] == 2


def test_files_without_a_table_are_those_of_the_run_s_modality(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "b.jpg", "c.txt"):
        (tmp_path / "clips" / name).write_bytes(b"nothing")
    assert _bare(tmp_path / "clips", None, "clip", no_progress).ids == ["a.mp4"]
    assert _bare(tmp_path / "clips", None, "image", no_progress).ids == ["b.jpg"]
    (tmp_path / "clips" / "a.mp4").unlink()
    assert _bare(tmp_path / "clips", None, "clip", no_progress).ids == ["b.jpg"]  # it may be an animated one
    (tmp_path / "clips" / "b.jpg").unlink()
    with pytest.raises(InvalidInput, match="clips contains no clips"):
        _bare(tmp_path / "clips", None, "clip", no_progress)
