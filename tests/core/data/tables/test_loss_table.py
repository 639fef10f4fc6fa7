"""What is recorded while a model is evaluated says to the reader what a table written by hand says."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.samples import DataSet, read_data_set
from core.data.tables.loss_table import LossTable
from core.data.tables.read import read_table
from core.errors import InvalidInput

N, NAMES = 40, ("cat", "dog", "owl")
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, N)
LOGITS = RNG.normal(0, 3, (N, 3))
IDS = [f"{i:03}.png" for i in range(N)]
POWERS = np.exp(LOGITS)
PROBABILITIES = POWERS / POWERS.sum(1, keepdims=True)


def recorded(table: LossTable, **batches: Any) -> LossTable:
    """The table, filled in batches of 16."""
    for start in range(0, N, 16):
        table.record(**{name: values[start : start + 16] for name, values in batches.items()})
    return table


def read(table: Any) -> DataSet:
    return read_data_set(table, embeddings=np.random.default_rng(1).normal(size=(N, 4)))


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("given", [{"logits": LOGITS}, {"probabilities": PROBABILITIES}], ids=lambda g: next(iter(g)))
def test_a_recorded_table_reads_as_one_of_probabilities(given: dict[str, Any], scores: bool) -> None:
    """The same loss, clip, unit, errors and predictions; what is known of the scores too, where they are kept."""
    by_hand = pd.DataFrame({"id": IDS, "label": [NAMES[k] for k in LABELS]})
    by_hand[[f"prob_{name}" for name in NAMES]] = PROBABILITIES
    wanted = read(by_hand)
    found = read(recorded(LossTable(class_names=NAMES, scores=scores), ids=IDS, labels=LABELS, **given))
    assert found.samples.ids == wanted.samples.ids
    assert found.samples.class_names == wanted.samples.class_names == NAMES
    np.testing.assert_array_equal(found.samples.labels, wanted.samples.labels)
    assert found.outcomes.unit == wanted.outcomes.unit == "nats"
    assert found.outcomes.clip == pytest.approx(wanted.outcomes.clip)
    for name in ("loss", "errors", "predictions", *(["scores"] if scores else [])):
        np.testing.assert_allclose(getattr(found.outcomes, name), getattr(wanted.outcomes, name), atol=1e-12)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_saved_table_reads_as_the_table_itself(tmp_path: Path, ending: str) -> None:
    texts = [f'a "quoted" text,\nwith lines {i}' if i % 2 else f"lone\rreturn in text {i}" for i in range(N)]
    table = LossTable(IDS, class_names=NAMES)
    recorded(table, labels=LABELS, logits=LOGITS, text=texts, age=RNG.normal(50, 9, N))
    before, after = read(table), read(table.save(tmp_path / f"val.{ending}"))
    assert after.samples.ids == before.samples.ids
    np.testing.assert_array_equal(after.outcomes.loss, before.outcomes.loss)
    np.testing.assert_array_equal(after.outcomes.predictions, before.outcomes.predictions)
    assert before.samples.items is not None
    assert after.samples.items is not None
    assert [after.samples.items.read(i) for i in range(N)] == [before.samples.items.read(i) for i in range(N)]
    (age,) = [column for column in after.samples.metadata if column.name == "age"]
    np.testing.assert_array_equal(age.values, next(c for c in before.samples.metadata if c.name == "age").values)


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_tensors_of_any_precision_are_taken(kind: str) -> None:
    torch = pytest.importorskip("torch")
    logits = torch.tensor(LOGITS, requires_grad=True).to(getattr(torch, kind))
    table = recorded(LossTable(), ids=torch.arange(N), labels=list(torch.tensor(LABELS)), logits=logits)
    wanted = torch.nn.functional.cross_entropy(logits.double(), torch.tensor(LABELS), reduction="none")
    np.testing.assert_allclose(table.to_pandas()["cross_entropy"], wanted.detach().numpy(), rtol=1e-12)
    assert table.to_pandas()["id"].tolist() == [str(i) for i in range(N)]


def test_recording_imports_no_torch(repository: Path) -> None:
    code = (
        "import errata, sys; errata.LossTable().record(labels=[0], logits=[[0.0, 1.0]]); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("scores", [LOGITS[:, 0], LOGITS[:, :1]], ids=["(n,)", "(n, 1)"])
def test_one_score_a_sample_is_that_of_the_second_of_two_classes(scores: np.ndarray) -> None:
    labels = (LABELS > 0).astype(float)  # as a binary loss of torch wants them
    table = recorded(LossTable(), labels=labels, logits=scores).to_pandas()
    flat = scores.reshape(-1)
    np.testing.assert_allclose(table["cross_entropy"], np.logaddexp(0, np.where(labels == 1, -flat, flat)))
    assert table["prediction"].tolist() == (flat > 0).astype(int).tolist()
    assert table["label"].tolist() == labels.astype(int).tolist()


def test_numbers_with_numeric_predictions_are_a_regression() -> None:
    target = RNG.normal(size=N)
    found = read(recorded(LossTable(), ids=IDS, labels=target, predictions=target + 2))
    assert found.outcomes.name == "squared error"
    np.testing.assert_allclose(found.outcomes.loss, 4)


def test_a_loss_that_is_no_number_is_left_out_and_counted() -> None:
    losses = np.linspace(0, 1, N)
    losses[[3, 5]] = np.nan, np.inf
    found = read(recorded(LossTable(IDS), losses=losses))
    assert dict(found.excluded) == {IDS[3]: "the loss 'loss' is missing", IDS[5]: "the loss 'loss' is infinite"}


def test_scores_that_are_no_numbers_are_left_out_and_counted() -> None:
    logits = LOGITS.copy()
    logits[7] = np.nan
    table = recorded(LossTable(IDS, class_names=NAMES), labels=LABELS, logits=logits)
    assert table.to_pandas()["prediction"].isna().tolist() == [row == 7 for row in range(N)]
    assert [name for name, _ in read(table).excluded] == [IDS[7]]


def test_one_value_stands_for_a_batch_and_vectors_are_embeddings() -> None:
    table = LossTable(IDS)
    table.record(losses=np.linspace(0, 1, N), site="A", embedding=np.random.default_rng(1).normal(size=(N, 4)))
    assert set(table.to_pandas()["site"]) == {"A"}
    embeddings = read_data_set(table).embeddings
    assert embeddings is not None
    assert embeddings.vectors.shape == (N, 4)


@pytest.mark.parametrize(
    ("table", "given", "fault"),
    [
        ({}, {"labels": [0, 1]}, "batch has no loss. Record losses, or labels with"),
        ({}, {"logits": [[0.0, 1.0]]}, "batch has no loss"),
        ({}, {"targets": [1.5]}, "targets are numbers and go with predictions alone"),
        ({}, {"targets": [1], "labels": [1], "predictions": [1]}, "Record classes as labels, without targets"),
        ({}, {"ids": ["a"], "losses": [0.1, 0.2]}, "got 1 ids, 2 losses"),
        ({}, {"losses": [0.1, 0.2], "site": ["A"]}, "got 2 losses, 1 site"),
        ({}, {"ids": ["a", "a"], "losses": [0.1, 0.2]}, "id 'a' was recorded twice"),
        ({}, {"ids": "ab", "losses": [0.1, 0.2]}, "ids must be a list, one per sample: got 'ab'"),
        ({}, {"losses": 0.3}, r'losses must be one value per sample.*reduction="none"'),
        ({}, {"losses": ["much"]}, "losses must be numbers"),
        ({}, {"labels": [0, 2], "logits": [[0.0, 1.0]] * 2}, "labels must be one of the 2 classes 0 to 1: got 2"),
        ({}, {"labels": [-100], "logits": [[0.0, 1.0]]}, "got -100. Leave these samples out"),
        ({}, {"labels": [0.5], "logits": [[0.0, 1.0]]}, "got 0.5"),
        (
            {},
            {"labels": [[0, 1]], "logits": [[0.0, 1.0]]},
            r"labels .* shape \(1, 2\). For several labels per sample, record",
        ),
        ({}, {"labels": ["cat"], "logits": [[0.0, 1.0]]}, r"order of the scores is unknown. Use LossTable\(cl"),
        ({}, {"labels": [0], "logits": np.zeros((1, 2, 4, 4))}, r"logits must .* got shape \(1, 2, 4, 4\)"),
        ({}, {"labels": [0], "logits": [[0.0], [1.0, 2.0]]}, "Cannot read logits as an array"),
        ({}, {"labels": [0], "probabilities": [[3.0, -1.0]]}, "scores before the softmax, record logits="),
        ({}, {"labels": [0], "probabilities": [[0.5, 0.5]], "logits": [[0.0, 1.0]]}, "Record one of the two"),
        ({}, {"label": [0], "logits": [[0.0, 1.0]]}, "record takes labels=, .* got label="),
        ({"class_names": NAMES}, {"labels": [0], "logits": [[0.0, 1.0]]}, "3 class names for 2 scores"),
        ({"class_names": NAMES}, {"labels": ["emu"], "logits": [[0.0, 1.0, 2.0]]}, "'owl': got 'emu'"),
        ({"ids": ["a"]}, {"losses": [0.1, 0.2]}, "1 ids at the start, but samples 1 to 2 are recorded"),
        ({}, {"losses": [0.1], "image": np.zeros((1, 2, 2, 7))}, r"The images 'image' must be \(h, w\) or"),
        (
            {},
            {"losses": [0.1], "image": np.full((1, 3, 8, 8), -0.5)},
            "-0.5 to -0.5. Record them before the network's transform",
        ),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused_whole(table: dict[str, Any], given: dict[str, Any], fault: str) -> None:
    made = LossTable(**table)
    with pytest.raises(InvalidInput, match=fault):
        made.record(**given)
    assert len(made) == 0
    with pytest.raises(InvalidInput, match="The table is empty"):
        made.to_pandas()


@pytest.mark.parametrize("kind", ["PIL", "encoded", "uint8", "fractions", "torch", "grey"])
def test_pictures_are_kept_as_they_are_and_read_from_the_table(tmp_path: Path, kind: str) -> None:
    pixels = RNG.integers(0, 256, (N, 9, 8, 3)).astype(np.uint8)
    if kind == "grey":
        pixels = pixels[..., 0]
    made: dict[str, Any] = {
        "PIL": [Image.fromarray(each) for each in pixels],
        "encoded": [png_of(each) for each in pixels],
        "uint8": pixels,
        "fractions": pixels / 255,
        "torch": np.moveaxis(pixels, -1, 1) if pixels.ndim == 4 else None,
        "grey": pixels,
    }
    table = recorded(LossTable(IDS), losses=np.linspace(0, 1, N), image=made[kind])
    for source in (table, table.save(tmp_path / "val.parquet")):
        found = read_data_set(source)
        assert found.samples.ids == tuple(IDS)
        assert found.samples.items is not None
        for row in (0, N - 1):
            picture = np.asarray(Image.open(io.BytesIO(found.samples.items.read(row))))
            np.testing.assert_array_equal(picture, pixels[row])
    with pytest.raises(InvalidInput, match=r"A CSV cannot hold the images in 'image'. Save the table as .parquet"):
        table.save(tmp_path / "val.csv")


def png_of(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def test_a_second_pass_and_other_columns_are_refused() -> None:
    table = LossTable()
    table.record(["a"], losses=[0.1])
    with pytest.raises(InvalidInput, match=r"'a' was recorded twice.*new LossTable for each pass"):
        table.record(["b", "a"], losses=[0.1, 0.2])
    with pytest.raises(InvalidInput, match=r"the first has 'id', 'loss'"):
        table.record(["b"], losses=[0.1], site=["A"])
    assert len(table) == 1


def test_a_table_is_saved_as_csv_or_parquet_alone(tmp_path: Path) -> None:
    table = LossTable()
    table.record(losses=[0.1])
    with pytest.raises(InvalidInput, match=r"saved as .csv or .parquet: got 'val.pkl'"):
        table.save(tmp_path / "val.pkl")
    with pytest.raises(InvalidInput, match=r"Invalid file name '.*a.x00b.csv'. Choose another name."):
        table.save(tmp_path / "a\0b.csv")
    assert list(tmp_path.iterdir()) == []


def test_what_is_masked_is_not_known() -> None:
    table = LossTable(["a", "b"])
    camera = np.ma.array(["left", "right"], mask=[True, False])
    table.record(
        losses=np.ma.array([0.5, 9e9], mask=[False, True]), age=np.ma.array([3, 99], mask=[False, True]), camera=camera
    )
    frame = table.to_pandas()
    assert frame["loss"].isna().tolist() == frame["age"].isna().tolist() == [False, True]
    assert frame["camera"].isna().tolist() == [True, False]


@pytest.mark.parametrize("kind", [list, np.array, lambda names: np.array(names, object)])
def test_texts_of_bytes_are_texts(kind: Any) -> None:
    table = LossTable(class_names=["cat", "dög"])
    table.record(kind([b"a", b"b"]), kind([b"cat", "dög".encode()]), logits=[[2, 0], [0, 2]])
    assert table.to_pandas()[["id", "label"]].to_numpy().tolist() == [["a", "cat"], ["b", "dög"]]


def test_whole_numbers_as_ids_are_not_rounded() -> None:
    table = LossTable()
    table.record([2**63, 1, 10**17 + 1, np.uint64(2**63 + 1)], losses=[1, 2, 3, 4])
    assert table.to_pandas()["id"].tolist() == ["9223372036854775808", "1", "100000000000000001", "9223372036854775809"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_losses_are_read_back_bit_for_bit(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(0)
    losses = np.r_[
        np.exp(50 * rng.normal(size=500)), rng.random(500), 5e-324, np.finfo(float).max, -0.0, 2**53 + 1, 1 / 3
    ]
    table = LossTable()
    table.record(losses=losses)
    found = read_table(table.save(tmp_path / f"val{ending}")).frame["loss"].to_numpy(np.float64)
    np.testing.assert_array_equal(found.view(np.int64), losses.view(np.int64))


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"tags": {"a": 1, "b": 2}}, "tags must be a list, an array, or a tensor .* got dict"),
        ({"tags": (each for each in "ab")}, "tags must be a list, an array, or a tensor .* got generator"),
        ({"ids": ["a", None]}, "ids must be texts, paths, or numbers: got 'None'"),
        ({"ids": ["a", "b\udce4"]}, "ids: character 2 is not valid UTF-8"),
        ({"ids": [b"a", b"\xe4"]}, r"ids of bytes must be UTF-8: got b'\\xe4'"),
        ({"losses": [1j, 2]}, "losses must be real numbers: got complex128"),
        ({"image": np.full((2, 4, 4), np.nan)}, "nan to nan. Record them before the network's transform"),
        ({"image": np.zeros((2, 0, 4, 3))}, r"\(0, 4, 3\) and float64. Record them before"),
        (
            {"labels": [0, 1], "logits": [[0, 1], [1, 0]], "cross_entropy": [1, 2], "losses": None},
            "table writes 'cross_entropy' itself",
        ),
    ],
)
def test_what_would_be_written_wrongly_is_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        LossTable().record(**{"losses": [1.0, 2.0], **given})


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Class names must differ: 'cat' occurs twice"):
        LossTable(class_names=["cat", "cat"])


def test_pictures_and_values_that_a_file_cannot_hold_are_refused(tmp_path: Path) -> None:
    table = LossTable()
    table.record(losses=[1.0, 2.0], image=[None, png_of(np.zeros((2, 2), np.uint8))])
    with pytest.raises(InvalidInput, match=r"A CSV cannot hold the images in 'image'"):
        table.save(tmp_path / "val.csv")
    table = LossTable()
    for value in (1, "x"):
        table.record(losses=[1.0], camera=value)
    with pytest.raises(InvalidInput, match=r"Cannot write val.parquet: .*camera.* Record one type of value"):
        table.save(tmp_path / "val.parquet")
    assert list(tmp_path.iterdir()) == []
    table = LossTable()
    table.record([], losses=[])
    with pytest.raises(InvalidInput, match=r"The table is empty\. Call record"):
        table.save(tmp_path / "val.csv")


def test_one_picture_for_all_is_a_picture(tmp_path: Path) -> None:
    table = LossTable()
    table.record(losses=[1.0, 2.0], image=Image.new("RGB", (4, 4)))
    assert list(read_table(table.save(tmp_path / "val.parquet")).images) == ["image"]


@pytest.mark.parametrize("name", ["NA", "null", "nan", ""])
def test_a_class_whose_name_means_missing_in_a_csv_is_kept_by_parquet_alone(name: str, tmp_path: Path) -> None:
    table = LossTable(class_names=("cat", name))
    scores = np.random.default_rng(0).normal(size=(60, 2))
    table.record([f"{i}.png" for i in range(60)], np.arange(60) % 2, logits=scores)
    with pytest.raises(InvalidInput, match="means a missing value"):
        table.save(tmp_path / "val.csv")
    assert not (tmp_path / "val.csv").exists()
    found = read_data_set(table.save(tmp_path / "val.parquet"), embeddings=scores)
    assert len(found.samples) == 60
    assert set(found.samples.class_names) == {"cat", name}


def test_probabilities_as_logits_and_labels_from_one_are_refused_with_what_to_do():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    with pytest.raises(InvalidInput, match=r"all 2 rows sum to 1.*probabilities="):
        LossTable().record(labels=[0, 1], logits=scores)
    one = LossTable()
    one.record(labels=[0], logits=scores[:1])
    with pytest.raises(InvalidInput, match="all 2 rows sum to 1"):
        one.record(labels=[1], logits=scores[1:])
    LossTable().record(labels=[0, 1], logits=np.log(scores))
    with pytest.raises(InvalidInput, match="count from 1, subtract 1"):
        LossTable().record(labels=[1, 3], probabilities=scores)
    with pytest.raises(InvalidInput, match=r"Divide them by 100\."):
        LossTable().record(labels=[0, 1], probabilities=100 * scores)
