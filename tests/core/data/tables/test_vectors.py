"""Embeddings that the user brings: every kind of file, in the table's order, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from core.data.samples import read_data_set
from core.errors import InvalidInput
from tests.support.tables import N, frame, reasons

VECTORS = np.random.default_rng(0).normal(size=(N, 5))


@pytest.mark.parametrize(
    "kind", ["array", "objects", "objects in columns", "npy", "npz", "npz with ids", "safetensors", "column", "parquet"]
)
def test_every_kind_of_embedding_arrives_as_unit_rows_in_table_order(tmp_path, kind):
    table, given, order = frame(), None, np.arange(N)[::-1]
    path = tmp_path / f"e.{kind.split()[0]}"
    if kind == "array":
        given = VECTORS
    elif kind == "objects":
        given = pd.Series(list(VECTORS)).to_numpy()
    elif kind == "objects in columns":
        given = VECTORS.astype(object)
    elif kind == "column":
        table = table.assign(embedding=list(VECTORS))
    elif kind == "npy":
        np.save(path, VECTORS)
    elif kind == "npz":
        np.savez(path, embeddings=VECTORS, other=np.zeros((3, 3)))
    elif kind == "npz with ids":
        np.savez(path, embeddings=VECTORS[order], ids=np.array([f"{i}.png" for i in order]))
    elif kind == "safetensors":
        save_file({"features": VECTORS}, path)
    else:
        pd.DataFrame({"id": [f"{i}.png" for i in order], "embedding": list(VECTORS[order])}).to_parquet(path)
    audit = read_data_set(table, embeddings=given if given is not None else path if path.exists() else None)
    assert audit.embeddings is not None
    expected = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(audit.embeddings.vectors, expected, atol=1e-6)
    assert (audit.embeddings.vectors.dtype, audit.embeddings.encoder, audit.embeddings.space) == (
        np.float32,
        "given",
        "given",
    )


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_embeddings_of_any_magnitude_keep_their_direction(scale):
    vectors = VECTORS.astype(float)
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(
        read_data_set(frame(), embeddings=vectors * scale).embeddings.vectors, expected, atol=1e-6
    )


def test_embeddings_with_nan_or_of_zero_length_leave_their_rows_out():
    vectors = VECTORS.copy()
    vectors[0, 1], vectors[1] = np.nan, 0
    assert reasons(read_data_set(frame(), embeddings=vectors)) == {
        0: "the embedding holds nan or inf",
        1: "the embedding is all zeros",
    }


@pytest.mark.parametrize(
    ("name", "save", "message"),
    [
        ("e.npy", lambda p: np.save(p, np.array([{"a": 1}], dtype=object)), "Python objects, which are pickles"),
        ("e.pkl", lambda p: p.write_bytes(b"x"), "A pickle can run any program"),
        ("e.npy", lambda p: np.save(p, VECTORS[:-1]), "39 embeddings for 40 rows"),
        ("e.npy", lambda p: np.save(p, VECTORS[:, 0]), "one row of at least 2 numbers per sample"),
        ("e.npz", lambda p: np.savez(p, a=VECTORS, b=VECTORS), r"it holds a \(40, 5\), b \(40, 5\)"),
        ("e.npz", lambda p: p.write_bytes(b"broken"), "cannot be read|damaged|pickles"),
        ("e.safetensors", lambda p: p.write_bytes(b"broken"), "is damaged"),
        ("e.npz", lambda p: np.savez(p, embeddings=VECTORS, ids=np.arange(N) + 1000), "share no value"),
    ],
)
def test_bad_embeddings_get_one_message(tmp_path, name, save, message):
    save(tmp_path / name)
    with pytest.raises(InvalidInput, match=message):
        read_data_set(frame(), embeddings=tmp_path / name)
