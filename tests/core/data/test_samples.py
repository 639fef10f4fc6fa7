import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.samples import describe_table, read_data_set
from core.data.tables.roles import Roles
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.errors import InvalidInput
from core.limits import FEW_ROWS, MIN_SAMPLES, Limits
from tests.support.tables import N, folder, frame, png, reasons, said

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not on this machine")


# --- images


def zip_of(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, png())
    return path


@pytest.mark.parametrize("written", ["a/{}.png", "{}.png", "{}", "/data/set/a/{}.png", "a\\{}.png", "./a/{}.png"])
def test_rows_find_their_picture_by_path_by_name_or_by_stem(tmp_path, written):
    images = zip_of(tmp_path / "x.zip", [f"top/a/{i}.png" for i in range(N)] + ["top/b/extra.png"])
    audit = read_data_set(frame(file=[written.format(i) for i in range(N)]), images=images)
    assert audit.samples.items is not None
    assert [audit.samples.items.name(i) for i in (0, 7)] == ["a/0.png", "a/7.png"]
    assert audit.samples.ids[7] == "a/7.png"
    assert said(audit, "Ignored 1 image that the table does not name")


def test_a_name_that_fits_two_pictures_is_an_error(tmp_path):
    images = folder(tmp_path / "images", [f"{c}/{i}.png" for c in "ab" for i in range(N)])
    with pytest.raises(InvalidInput, match=r"row 0: '0.png' may be 'a/0.png' or 'b/0.png'"):
        read_data_set(frame(), images=images)


def test_bad_pictures_are_left_out_each_with_its_reason(tmp_path):
    images = folder(tmp_path / "images", [f"{i}.png" for i in range(1, N)])
    (images / "1.png").write_bytes(b"")
    (images / "2.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (images / "3.png").write_bytes(b"no picture at all")
    (images / "4.png").unlink()
    (images / "4.png").symlink_to(images / "5.png")
    (images / "6.png").unlink()
    (images / "6.png").symlink_to(tmp_path)
    (images / "7.png").write_bytes(png()[:16] + (50_000).to_bytes(4, "big") * 2 + b"\0" * 40)
    audit = read_data_set(frame(), images=images)
    found = reasons(audit)
    for row, text in [
        (0, "the image was not found"),
        (1, "0 bytes"),
        (2, "SVG"),
        (3, "not a JPEG, PNG, WebP, GIF, BMP, TIFF, or AVIF image"),
        (6, "link"),
        (7, "too many pixels"),
    ]:
        assert text in found[row]
    assert set(found) == {0, 1, 2, 3, 6, 7}
    assert audit.samples.items is not None
    assert len(audit.samples) == len(audit.samples.items) == N - 6
    assert audit.samples.items.name(0) == audit.samples.ids[0] == "4.png"
    assert said(audit, "left out")


def test_no_picture_that_fits_is_one_error_and_not_forty_rows(tmp_path):
    with pytest.raises(InvalidInput, match="No path in 'file' matches the images"):
        read_data_set(frame(), images=folder(tmp_path / "images", ["x.png", "y.png"]))


def test_a_parquet_files_own_pictures_follow_their_rows(tmp_path):
    cells = [{"bytes": png(i), "path": f"{i}.png"} for i in range(N)]
    losses = [float("nan")] + [float(i) for i in range(1, N)]
    pq.write_table(pa.table({"image": cells, "loss": losses}), tmp_path / "t.parquet", row_group_size=7)
    audit = read_data_set(tmp_path / "t.parquet")
    assert audit.samples.items is not None
    assert audit.samples.ids[0] == "1.png"
    assert audit.samples.items.read(0) == png(1)
    assert reasons(audit) == {0: "the loss 'loss' is missing"}


def test_a_column_of_bytes_that_are_no_pictures_is_named_with_the_way_out(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"loss": np.arange(24.0), "payload": [b"\0\xff" + rng.bytes(30) for _ in range(24)]})
    for cells in (frame["payload"], frame["payload"].where(frame.index > 3)):
        frame.assign(payload=cells).to_parquet(tmp_path / "t.parquet")
        with pytest.raises(InvalidInput, match=r"Column 'payload' holds bytes but not one image. Remove it"):
            read_data_set(tmp_path / "t.parquet", embeddings=rng.normal(size=(24, 4)))
    few = frame.assign(payload=[*frame["payload"][:2], *map(png, range(22))])
    few.to_parquet(tmp_path / "t.parquet")
    assert len(read_data_set(tmp_path / "t.parquet", embeddings=rng.normal(size=(24, 4))).samples) == 22
    few.rename(columns={"payload": "image"}).assign(image=frame["payload"]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match="not a JPEG, PNG, WebP, GIF, BMP, TIFF, or AVIF image"):
        read_data_set(tmp_path / "t.parquet", roles=Roles(image="image"))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "losses.csv"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_or_archive_may_carry_its_own_table(tmp_path, name, packed):
    images = folder(tmp_path / "images")
    table = frame().rename(columns={"file": "file_name"})
    text = table.to_json(orient="records", lines=True) if name.endswith("jsonl") else table.to_csv(index=False)
    (images / name).write_text(text)
    source = images
    if packed:
        source = tmp_path / "x.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for file in images.iterdir():
                archive.write(file, f"images/{file.name}")
    assert len(read_data_set(None, images=source).samples) == N


def test_class_folders_alone_have_no_loss_and_the_message_says_so(tmp_path):
    with pytest.raises(InvalidInput, match=r"'images' contains no table.*probe zero-shot --images images --out run"):
        read_data_set(None, images=folder(tmp_path / "images", ["cat/1.png", "dog/1.png"]))
    with pytest.raises(InvalidInput, match="'one' contains no table") as refused:
        read_data_set(None, images=folder(tmp_path / "one", ["cat/1.png", "cat/2.png"]))
    assert "zero-shot" not in str(refused.value)
    with pytest.raises(InvalidInput, match="No table and no images"):
        read_data_set(None)


def test_paths_that_repeat_in_a_picture_column_cost_no_row():
    audit = read_data_set(
        pd.DataFrame({"image": [{"bytes": png(), "path": "image.png"}] * N, "loss": np.arange(N) / N})
    )
    assert audit.samples.ids == tuple(map(str, range(N)))
    assert said(audit, "row numbers are the ids")


# --- rows that cannot stay


def test_bad_losses_and_labels_are_left_out_each_with_its_reason():
    loss = np.arange(N) / N
    table = frame(loss=[np.nan, np.inf, *loss[2:]], label=["a", "b", None, *["a", "b"] * 18, "a"])
    table["loss"] = table["loss"].astype(object)
    table.loc[3, "loss"] = "high"
    found = reasons(read_data_set(table))
    assert found[0] == "the loss 'loss' is missing"
    assert found[1] == "the loss 'loss' is infinite"
    assert "label" in found[2]
    assert found[3] == "the loss 'loss' is not a number: 'high'"
    assert len(found) == 4


def test_bad_probabilities_and_labels_out_of_range_are_left_out():
    scores = np.tile([0.25, 0.75], (N, 1))
    scores[0], scores[1], scores[2] = [0.5, 0.6], [-0.5, 1.5], [np.nan, 1]
    audit = read_data_set(
        pd.DataFrame({"label": [0, 0, 0, 7] + [0] * 35 + [1], "prob_0": scores[:, 0], "prob_1": scores[:, 1]})
    )
    found = reasons(audit)
    assert set(found) == {0, 1, 2, 3}
    assert "sum to 1.1" in found[0]
    assert "negative" in found[1]
    assert "not finite" in found[2]
    assert "out of range: '7'" in found[3]


def test_labels_that_start_at_one_are_not_read_one_off():
    table = pd.DataFrame({"label": [1, 2] * (N // 2), "probs": [[0.7, 0.3]] * N})
    with pytest.raises(InvalidInput, match=r"run from 1 to 2.*Subtract 1, or list the classes \(--class-names 1 2\)"):
        read_data_set(table)
    audit = read_data_set(table, roles=Roles(class_names=("1", "2")))
    np.testing.assert_allclose(audit.outcomes.loss[0], -np.log(0.7))


def test_an_array_with_more_columns_than_label_words_needs_class_names():
    table = pd.DataFrame({"label": ["b", "a"] * (N // 2), "probs": [[0.7, 0.2, 0.1]] * N})
    with pytest.raises(InvalidInput, match="2 different labels for 3 probabilities"):
        read_data_set(table)
    audit = read_data_set(table, roles=Roles(class_names=("b", "c", "a")))
    np.testing.assert_allclose(audit.outcomes.loss[:2], -np.log([0.7, 0.1]))


@pytest.mark.parametrize("name", ["all samples", " All Samples "])
def test_no_class_is_called_like_all_rows(name):
    labels = np.where(np.arange(N) % 2, name, "tram")
    with pytest.raises(InvalidInput, match=r"' ?[aA]ll [sS]amples ?' is reserved.*Rename the class"):
        read_data_set(pd.DataFrame({"id": np.arange(N), "label": labels, "loss": np.arange(N) / N}))
    given = np.where(np.arange(N) % 2, "all samples of it", "tram")
    read = read_data_set(pd.DataFrame({"id": np.arange(N), "label": given, "loss": np.arange(N) / N}))
    assert "all samples of it" in read.samples.class_names


def test_the_first_of_repeated_ids_is_kept():
    table = frame(id=[f"s{i}" for i in range(N)]).drop(columns="file")
    table.loc[1] = table.loc[0]
    table.loc[2, "id"] = "s0"
    audit = read_data_set(table)
    assert audit.excluded == (
        ("s0", "the id occurs before: row 0 is an exact duplicate"),
        ("s0", "the id occurs before: row 0 differs in other columns"),
    )
    assert said(audit, "2 rows that repeat an id (s0)")
    with pytest.raises(InvalidInput, match="Ids must be unique: 'id' has 2"):
        read_data_set(frame(id=["a", "b"] * (N // 2)))


def test_too_few_rows_are_refused():
    with pytest.raises(InvalidInput, match=r"At least 40 rows are needed: the table has 39\. Add rows\."):
        read_data_set(frame().head(39), least=MIN_SAMPLES)
    with pytest.raises(InvalidInput, match=r"At least 20 rows are needed: the table has 1\."):
        read_data_set(frame().head(1))
    unread = frame().head(39).assign(loss=["0.5", "n/a", *["0.1"] * 37])
    said = r"has 38 of 39 left\. 1 row left out: the loss 'loss' is not a number \(row 2: 'n/a'\)\."
    with pytest.raises(InvalidInput, match=said):
        read_data_set(unread, least=MIN_SAMPLES)
    assert MIN_CANDIDATE_ROWS == 10  # as the message says
    assert len(read_data_set(frame().head(MIN_SAMPLES), least=MIN_SAMPLES).samples) == MIN_SAMPLES
    assert len(read_data_set(frame().head(FEW_ROWS)).samples) == FEW_ROWS


# --- the other columns


def test_model_outputs_are_no_conditions_unless_picked():
    table = frame(
        weather=["fog", "sun"] * (N // 2), pred_one=["a", "b"] * (N // 2), pred_two="a", confidence=np.arange(N) / 50
    )
    audit = read_data_set(table, roles=Roles(conditions=("confidence",)))
    assert [c.name for c in audit.samples.metadata] == ["weather", "confidence"]
    assert [c.name for c in audit.samples.model_outputs] == ["loss", "pred_one", "pred_two"]
    assert said(audit, "look like model outputs")


def test_groups_are_numbered_and_a_row_without_one_stands_alone():
    audit = read_data_set(frame(patient=[None, None, *[f"p{i // 2}" for i in range(2, N)]]))
    groups = audit.samples.groups
    assert groups is not None
    assert groups[0] != groups[1]
    assert len(set(groups.tolist())) == 2 + 19
    assert audit.samples.group_name == "patient"
    assert said(audit, "'patient' is missing in 2 rows")


def test_training_rows_are_kept_and_warned_about():
    audit = read_data_set(frame(split=["train", "test"] * (N // 2)))
    assert audit.samples.splits is not None
    assert list(audit.samples.splits[:2]) == ["train", "test"]
    assert said(audit, "20 of 40 rows are training data")


def test_columns_are_described_before_anything_runs():
    described = describe_table(frame(label=["a", "b"] * (N // 2), weather="fog"))
    assert described.classes == {"a": N // 2, "b": N // 2}
    assert [(name, role) for name, role, _ in described.columns] == [
        ("file", "image"),
        ("loss", "loss"),
        ("label", "label"),
        ("weather", ""),
    ]
    assert described.columns[0][2] == ("0.png", "1.png", "2.png")


# --- size and real data


@pytest.mark.slow
def test_a_hundred_thousand_rows_read_in_seconds(tmp_path):
    import time

    n = 100_000
    table = pd.DataFrame(
        {
            "id": range(n),
            "label": np.arange(n) % 10,
            "loss": np.arange(n) / n,
            "weather": np.array(["fog", "sun"])[np.arange(n) % 2],
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    began = time.process_time()
    assert len(read_data_set(tmp_path / "t.csv").samples) == n
    assert time.process_time() - began < 15


@needs_data
def test_cifar_10s_stored_loss_is_the_cross_entropy_of_its_stored_probabilities():
    stored = read_data_set(DATA / "cifar10" / "cifar10.parquet")
    computed = read_data_set(DATA / "cifar10" / "cifar10.parquet", roles=Roles(loss_kind="cross-entropy"))
    np.testing.assert_allclose(stored.outcomes.loss, computed.outcomes.loss, atol=1e-4)
    assert stored.samples.items is not None
    assert stored.samples.items.read(2999)[:3] == b"\xff\xd8\xff"


@needs_data
def test_resnet_50_fails_on_cue_conflict_as_often_as_published():
    audit = read_data_set(
        DATA / "cue_conflict" / "index.csv",
        images=DATA / "cue_conflict",
        roles=Roles(label="shape_class", prediction="pred_resnet50"),
    )
    kind = next(c for c in audit.samples.metadata if c.name == "kind").values
    assert audit.outcomes.loss[kind == "silhouette"].mean() == pytest.approx(1 - 0.544, abs=1e-3)
    assert len(audit.excluded) == 0


def test_limits_are_respected(tmp_path):
    frame().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InvalidInput, match="the limit is 10"):
        read_data_set(tmp_path / "t.csv", limits=Limits(max_table_bytes=10))


@pytest.mark.parametrize("written", [str.upper, "{} ".format, str.title])
def test_predictions_that_differ_from_the_labels_in_case_or_spaces_alone_are_refused_or_mended(written):
    labels = ["pos", "neg"] * 20
    table = pd.DataFrame({"id": range(40), "label": labels, "prediction": [written(label) for label in labels]})
    if written("pos").strip() == "pos":
        audit = read_data_set(table)
        assert audit.outcomes.loss.sum() == 0
        assert "spaces around" in " ".join(audit.notes)
        return
    with pytest.raises(InvalidInput, match="differ only in case, spaces or coding"):
        read_data_set(table)
    table.loc[0, "prediction"] = "pos"
    with pytest.raises(InvalidInput, match=r"differ only in case, spaces or coding.*--as-is"):
        read_data_set(table)
    errors = read_data_set(table, roles=Roles(as_is=True)).outcomes.errors  # two spellings of the user's own
    assert errors is not None
    assert errors.sum() == 39
