import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.numpy import save_file

from core.errors import InvalidInput
from core.roles import Limits
from core.samples import Roles, describe_columns, read_audit

N = 40
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not on this machine")


def png(value=0, size=(4, 4)):
    buffer = io.BytesIO()
    Image.fromarray(np.full(size, value, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def frame(**columns):
    base = {"file": [f"{i}.png" for i in range(N)], "loss": np.arange(N) / N}
    return pd.DataFrame(base | columns)


def folder(path, names=None, content=None):
    path.mkdir(exist_ok=True)
    for name in names if names is not None else [f"{i}.png" for i in range(N)]:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content or png())
    return path


def reasons(audit):
    return {int(row): reason for row, reason in zip(audit.excluded["row"], audit.excluded["reason"])}


def said(audit, text):
    return any(text in note for note in audit.notes)


# --- where the loss comes from


def test_a_loss_column_is_kept_as_it_is():
    audit = read_audit(frame())
    np.testing.assert_array_equal(audit.outcomes.loss, np.arange(N) / N)
    assert (audit.outcomes.name, audit.outcomes.unit, audit.outcomes.clip, audit.outcomes.source) == ("loss", "loss", None, "column 'loss'")
    assert audit.samples.ids[:2] == ("0.png", "1.png")


def test_a_score_is_negated_and_said():
    audit = read_audit(frame(dice=np.arange(N) / N), roles=Roles(loss="dice", higher_is_better=True))
    np.testing.assert_array_equal(audit.outcomes.loss, -np.arange(N) / N)
    assert "negated: higher was better" in audit.outcomes.source
    assert said(read_audit(frame(dice=np.arange(N) / N), roles=Roles(loss="dice")), "sounds like a score")


SCORES = np.array([[0.7, 0.3], [0.2, 0.8]] * (N // 2))


@pytest.mark.parametrize("layout", ["columns", "reversed columns", "array", "json", "numbers", "one column"])
def test_every_layout_of_probabilities_gives_the_same_cross_entropy(layout):
    label = ["cat", "cat", "dog", "cat"] * (N // 4)
    table = frame(label=label).drop(columns="loss")
    roles = Roles()
    if layout == "columns":
        table = table.assign(prob_cat=SCORES[:, 0], prob_dog=SCORES[:, 1])
    elif layout == "reversed columns":
        table = table.assign(prob_dog=SCORES[:, 1], prob_cat=SCORES[:, 0])
    elif layout == "array":
        table = table.assign(probs=list(SCORES))
    elif layout == "json":
        table = table.assign(probs=[json.dumps(list(row)) for row in SCORES])
    elif layout == "numbers":
        table = table.assign(label=[int(name == "dog") for name in label], prob_0=SCORES[:, 0], prob_1=SCORES[:, 1])
    else:
        table, roles = table.assign(p=SCORES[:, 1]), Roles(probabilities=("p",))
    audit = read_audit(table, roles=roles)
    np.testing.assert_allclose(audit.outcomes.loss[:4], -np.log([0.7, 0.2, 0.3, 0.2]))
    assert (audit.outcomes.name, audit.outcomes.unit, audit.outcomes.clip) == ("cross-entropy", "nats", 4.0)
    assert audit.outcomes.errors is not None
    np.testing.assert_array_equal(audit.outcomes.errors[:4], [False, True, True, True])
    assert audit.outcomes.scores is not None
    assert audit.outcomes.predictions is not None
    assert audit.samples.labels is not None
    assert audit.outcomes.scores.shape == (N, 2)


def test_an_array_that_does_not_sum_to_one_is_taken_as_logits_and_said():
    logits = np.array([[2.0, -1.0], [0.0, 3.0]] * (N // 2))
    audit = read_audit(frame(label=[0, 1] * (N // 2), probs=list(logits)).drop(columns="loss"))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [np.log(1 + np.exp(-3)), np.log(1 + np.exp(-3))])
    assert said(audit, "was taken as logits")


def test_named_probabilities_that_look_like_logits_stop_the_run():
    table = frame(label=[0, 1] * (N // 2), out=[[2.0, -1.0]] * N).drop(columns="loss")
    with pytest.raises(InvalidInput, match=r"must be at least 0 and sum to 1.*name them as logits"):
        read_audit(table, roles=Roles(probabilities=("out",)))
    assert read_audit(table, roles=Roles(logits=("out",))).outcomes.name == "cross-entropy"


@pytest.mark.parametrize(
    ("kind", "expected"), [("brier", [0.18, 1.28]), ("margin", [-0.4, 0.6]), ("0/1 error", [0, 1]), ("cross-entropy", -np.log([0.7, 0.2]))]
)
def test_the_kind_of_loss_can_be_chosen(kind, expected):
    audit = read_audit(frame(label=["cat"] * N, prob_cat=SCORES[:, 0], prob_dog=SCORES[:, 1]), roles=Roles(loss_kind=kind))
    np.testing.assert_allclose(audit.outcomes.loss[:2], expected)
    assert audit.outcomes.name == kind


def test_label_and_prediction_give_the_zero_one_error_even_for_a_class_that_was_never_true():
    audit = read_audit(frame(label=["a", "b"] * (N // 2), prediction=["a", "z"] * (N // 2)).drop(columns="loss"))
    np.testing.assert_array_equal(audit.outcomes.loss[:2], [0, 1])
    assert audit.samples.class_names == ("a", "b", "z")


def test_a_loss_column_beside_label_and_prediction_keeps_errors_too():
    audit = read_audit(frame(label=[0, 1] * (N // 2), pred=[0, 0] * (N // 2), class_name=["cat", "dog"] * (N // 2)))
    assert audit.outcomes.name == "loss"
    assert audit.outcomes.errors is not None
    assert audit.outcomes.errors.mean() == 0.5
    assert audit.samples.class_names == ("cat", "dog")


@pytest.mark.parametrize(("column", "flip"), [("error", False), ("wrong", False), ("correct", True)])
def test_a_column_of_errors_is_a_zero_one_loss(column, flip):
    flags = np.array([0, 1] * (N // 2))
    audit = read_audit(pd.DataFrame({column: flags}))
    np.testing.assert_array_equal(audit.outcomes.loss, 1 - flags if flip else flags)
    assert (audit.outcomes.name, audit.outcomes.unit) == ("0/1 error", "error")
    assert audit.outcomes.errors is not None
    np.testing.assert_array_equal(audit.outcomes.errors, audit.outcomes.loss == 1)
    assert audit.samples.ids[0] == "0"


@pytest.mark.parametrize(("kind", "expected"), [(None, 0.25), ("absolute error", 0.5)])
def test_a_numeric_target_and_prediction_are_a_regression(kind, expected):
    table = pd.DataFrame({"target": np.arange(N) + 0.0, "prediction": np.arange(N) + np.array([0, 0.5] * (N // 2))})
    audit = read_audit(table, roles=Roles(loss_kind=kind))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [0, expected])
    assert audit.samples.labels is None


def test_probabilities_without_labels_are_a_proxy():
    audit = read_audit(pd.DataFrame({"prob_0": [0.5, 1.0] * (N // 2), "prob_1": [0.5, 0.0] * (N // 2)}))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [np.log(2), 0], atol=1e-9)
    assert audit.outcomes.is_proxy
    assert said(audit, "stands in for a loss")


def test_without_any_loss_the_message_says_what_would_do():
    with pytest.raises(InvalidInput, match=r"No loss was found among the columns 'file'.*Name a loss column"):
        read_audit(frame().drop(columns="loss"))
    with pytest.raises(InvalidInput, match="cannot be computed: probabilities is not in the table"):
        read_audit(frame(), roles=Roles(loss_kind="entropy"))


def test_several_labels_in_a_row_are_refused_in_words():
    audit = read_audit(pd.DataFrame({"label": [[0, 1]] * N, "prob_0": 0.5, "prob_1": np.repeat(0.5, N)}))
    assert said(audit, "'label' holds several labels in each row")
    assert audit.outcomes.is_proxy


# --- masks


def mask(*values):
    return [[values[0], values[1]], [values[2], values[3]]]


@pytest.mark.parametrize(("kind", "expected"), [("1 - Dice", [1 / 3, 0.0, 1.0]), ("1 - IoU", [0.5, 0.0, 1.0])])
def test_binary_mask_pairs_agree_with_counting_and_two_empty_masks_lose_nothing(kind, expected):
    true = [mask(255, 0, 0, 0), mask(0, 0, 0, 0), mask(255, 0, 0, 0)] + [mask(255, 0, 0, 0)] * 27
    predicted = [mask(1, 1, 0, 0), mask(0, 0, 0, 0), mask(0, 1, 0, 0)] + [mask(1, 0, 0, 0)] * 27
    audit = read_audit(pd.DataFrame({"mask": true, "pred_mask": predicted}), roles=Roles(loss_kind=kind))
    np.testing.assert_allclose(audit.outcomes.loss[:3], expected)
    assert said(audit, "both masks are empty")


def test_masks_of_several_classes_give_the_mean_over_classes_in_either():
    # class 1: overlap 1 of 1 and 2 pixels -> dice 2/3; class 2: 1 and 0 -> 0
    table = pd.DataFrame({"mask": [mask(1, 2, 0, 0)] * N, "pred_mask": [mask(1, 1, 0, 0)] * N})
    np.testing.assert_allclose(read_audit(table).outcomes.loss, (1 / 3 + 1) / 2)


def test_mask_files_are_read_from_the_images_and_bad_pairs_are_left_out(tmp_path):
    images = folder(tmp_path / "images", [f"m/{i}.png" for i in range(N)], png(1))
    (images / "m/1.png").write_bytes(png(1, (2, 2)))
    (images / "m/2.png").write_bytes(b"broken")
    table = pd.DataFrame({"id": range(N), "true_mask": ["m/0.png"] * N, "pred_mask": [f"m/{i}.png" for i in range(N)]})
    audit = read_audit(table, images=images, roles=Roles(image="pred_mask"))
    assert set(reasons(audit)) == {1, 2}
    assert "differ in size" in reasons(audit)[1]
    np.testing.assert_array_equal(audit.outcomes.loss, 0)


# --- pictures


def zip_of(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, png())
    return path


@pytest.mark.parametrize("written", ["a/{}.png", "{}.png", "{}", "/data/set/a/{}.png", "a\\{}.png", "./a/{}.png"])
def test_rows_find_their_picture_by_path_by_name_or_by_stem(tmp_path, written):
    images = zip_of(tmp_path / "x.zip", [f"top/a/{i}.png" for i in range(N)] + ["top/b/extra.png"])
    audit = read_audit(frame(file=[written.format(i) for i in range(N)]), images=images)
    assert audit.samples.images is not None
    assert [audit.samples.images.name(i) for i in (0, 7)] == ["a/0.png", "a/7.png"]
    assert audit.samples.ids[7] == "a/7.png"
    assert said(audit, "1 pictures belong to no row")


def test_a_name_that_fits_two_pictures_is_an_error(tmp_path):
    images = folder(tmp_path / "images", [f"{c}/{i}.png" for c in "ab" for i in range(N)])
    with pytest.raises(InvalidInput, match=r"'0.png' \(row 0\) may be 'a/0.png' or 'b/0.png'"):
        read_audit(frame(), images=images)


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
    audit = read_audit(frame(), images=images)
    found = reasons(audit)
    for row, text in [(0, "not among the images"), (1, "0 bytes"), (2, "SVG"), (3, "no picture"), (6, "link"), (7, "too many pixels")]:
        assert text in found[row]
    assert set(found) == {0, 1, 2, 3, 6, 7}
    assert audit.samples.images is not None
    assert len(audit.samples) == len(audit.samples.images) == N - 6
    assert audit.samples.images.name(0) == audit.samples.ids[0] == "4.png"
    assert said(audit, "left out")


def test_no_picture_that_fits_is_one_error_and_not_forty_rows(tmp_path):
    with pytest.raises(InvalidInput, match="None of the 40 files that 'file' names"):
        read_audit(frame(), images=folder(tmp_path / "images", ["x.png", "y.png"]))


def test_a_parquet_files_own_pictures_follow_their_rows(tmp_path):
    cells = [{"bytes": png(i), "path": f"{i}.png"} for i in range(N)]
    losses = [float("nan")] + [float(i) for i in range(1, N)]
    pq.write_table(pa.table({"image": cells, "loss": losses}), tmp_path / "t.parquet", row_group_size=7)
    audit = read_audit(tmp_path / "t.parquet")
    assert audit.samples.images is not None
    assert audit.samples.ids[0] == "1.png"
    assert audit.samples.images.read(0) == png(1)
    assert reasons(audit) == {0: "the loss 'loss' is missing"}


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
    assert len(read_audit(None, images=source).samples) == N


def test_class_folders_alone_have_no_loss_and_the_message_says_so(tmp_path):
    with pytest.raises(InvalidInput, match="Pictures alone have no losses"):
        read_audit(None, images=folder(tmp_path / "images", ["cat/1.png", "dog/1.png"]))
    with pytest.raises(InvalidInput, match="Neither a table nor images"):
        read_audit(None)


def test_paths_that_repeat_in_a_picture_column_cost_no_row():
    audit = read_audit(pd.DataFrame({"image": [{"bytes": png(), "path": "image.png"}] * N, "loss": np.arange(N) / N}))
    assert audit.samples.ids == tuple(map(str, range(N)))
    assert said(audit, "row numbers are the ids")


# --- rows that cannot stay


def test_bad_losses_and_labels_are_left_out_each_with_its_reason():
    loss = np.arange(N) / N
    table = frame(loss=[np.nan, np.inf, *loss[2:]], label=["a", "b", None, *["a", "b"] * 18, "a"])
    table["loss"] = table["loss"].astype(object)
    table.loc[3, "loss"] = "high"
    found = reasons(read_audit(table))
    assert found[0] == "the loss 'loss' is missing"
    assert found[1] == "the loss 'loss' is infinite"
    assert "label" in found[2]
    assert found[3] == "the loss 'loss' is not a number"
    assert len(found) == 4


def test_bad_probabilities_and_labels_out_of_range_are_left_out():
    scores = np.tile([0.25, 0.75], (N, 1))
    scores[0], scores[1], scores[2] = [0.5, 0.6], [-0.5, 1.5], [np.nan, 1]
    audit = read_audit(pd.DataFrame({"label": [0, 0, 0, 7] + [0] * 35 + [1], "prob_0": scores[:, 0], "prob_1": scores[:, 1]}))
    found = reasons(audit)
    assert set(found) == {0, 1, 2, 3}
    assert "sum to 1.1" in found[0]
    assert "negative" in found[1]
    assert "not finite" in found[2]
    assert "out of range: '7'" in found[3]


def test_labels_that_start_at_one_are_not_read_one_off():
    table = pd.DataFrame({"label": [1, 2] * (N // 2), "probs": list(SCORES)})
    with pytest.raises(InvalidInput, match=r"run from 1 to 2.*Subtract 1"):
        read_audit(table)
    audit = read_audit(table, roles=Roles(class_names=("1", "2")))
    np.testing.assert_allclose(audit.outcomes.loss[0], -np.log(0.7))


def test_an_array_with_more_columns_than_label_words_needs_class_names():
    table = pd.DataFrame({"label": ["b", "a"] * (N // 2), "probs": [[0.7, 0.2, 0.1]] * N})
    with pytest.raises(InvalidInput, match="2 different labels but 3 probabilities"):
        read_audit(table)
    audit = read_audit(table, roles=Roles(class_names=("b", "c", "a")))
    np.testing.assert_allclose(audit.outcomes.loss[:2], -np.log([0.7, 0.1]))


def test_the_first_of_repeated_ids_is_kept():
    table = frame(id=[f"s{i}" for i in range(N)]).drop(columns="file")
    table.loc[1] = table.loc[0]
    table.loc[2, "id"] = "s0"
    audit = read_audit(table)
    assert reasons(audit) == {1: "the id occurs before: row 0 is an exact duplicate", 2: "the id occurs before: row 0 differs in other columns"}
    assert said(audit, "2 rows repeat an id (s0)")
    with pytest.raises(InvalidInput, match="Ids must differ from row to row: 'id' has only 2"):
        read_audit(frame(id=["a", "b"] * (N // 2)))


def test_too_few_rows_are_refused():
    with pytest.raises(InvalidInput, match="Only 19 rows are left of 19; at least 20"):
        read_audit(frame().head(19))
    with pytest.raises(InvalidInput, match="holds no finite number"):
        read_audit(frame(loss=np.nan))


# --- embeddings


VECTORS = np.random.default_rng(0).normal(size=(N, 5))


@pytest.mark.parametrize("kind", ["array", "npy", "npz", "npz with ids", "safetensors", "column", "parquet"])
def test_every_kind_of_embedding_arrives_as_unit_rows_in_table_order(tmp_path, kind):
    table, given, order = frame(), None, np.arange(N)[::-1]
    path = tmp_path / f"e.{kind.split()[0]}"
    if kind == "array":
        given = VECTORS
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
    audit = read_audit(table, embeddings=given if given is not None else path if path.exists() else None)
    assert audit.embeddings is not None
    expected = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(audit.embeddings.vectors, expected, atol=1e-6)
    assert (audit.embeddings.vectors.dtype, audit.embeddings.encoder, audit.embeddings.space) == (np.float32, "given", "given")


def test_embeddings_with_nan_or_of_zero_length_leave_their_rows_out():
    vectors = VECTORS.copy()
    vectors[0, 1], vectors[1] = np.nan, 0
    assert reasons(read_audit(frame(), embeddings=vectors)) == {0: "the embedding holds nan or inf", 1: "the embedding is all zeros"}


@pytest.mark.parametrize(
    ("name", "save", "message"),
    [
        ("e.npy", lambda p: np.save(p, np.array([{"a": 1}], dtype=object)), "Python objects, which are pickles"),
        ("e.pkl", lambda p: p.write_bytes(b"x"), "A pickle can run any program"),
        ("e.npy", lambda p: np.save(p, VECTORS[:-1]), "one embedding for each of the 40 rows.*got 39"),
        ("e.npy", lambda p: np.save(p, VECTORS[:, 0]), "must be numbers, one row"),
        ("e.npz", lambda p: np.savez(p, a=VECTORS, b=VECTORS), r"it holds a \(40, 5\), b \(40, 5\)"),
        ("e.npz", lambda p: p.write_bytes(b"broken"), "cannot be read|damaged|pickles"),
        ("e.safetensors", lambda p: p.write_bytes(b"broken"), "is damaged"),
        ("e.npz", lambda p: np.savez(p, embeddings=VECTORS, ids=np.arange(N) + 1000), "None of the embeddings' ids"),
    ],
)
def test_bad_embeddings_get_one_message(tmp_path, name, save, message):
    save(tmp_path / name)
    with pytest.raises(InvalidInput, match=message):
        read_audit(frame(), embeddings=tmp_path / name)


# --- the other columns


def test_model_outputs_are_no_conditions_unless_picked():
    table = frame(weather=["fog", "sun"] * (N // 2), pred_one=["a", "b"] * (N // 2), pred_two="a", confidence=np.arange(N) / 50)
    audit = read_audit(table, roles=Roles(conditions=("confidence",)))
    assert [c.name for c in audit.samples.metadata] == ["weather", "confidence"]
    assert [c.name for c in audit.samples.model_outputs] == ["loss", "pred_one", "pred_two"]
    assert said(audit, "look like model outputs")


def test_groups_are_numbered_and_a_row_without_one_stands_alone():
    audit = read_audit(frame(patient=[None, None, *[f"p{i // 2}" for i in range(2, N)]]))
    groups = audit.samples.groups
    assert groups is not None
    assert groups[0] != groups[1]
    assert len(set(groups.tolist())) == 2 + 19
    assert audit.samples.group_name == "patient"
    assert said(audit, "'patient' is missing in 2 rows")


def test_training_rows_are_kept_and_warned_about():
    audit = read_audit(frame(split=["train", "test"] * (N // 2)))
    assert audit.samples.splits is not None
    assert list(audit.samples.splits[:2]) == ["train", "test"]
    assert said(audit, "20 of 40 rows are training data")


def test_columns_are_described_before_anything_runs():
    described = describe_columns(frame(label=["a", "b"] * (N // 2), weather="fog"))
    assert [(name, role) for name, role, _ in described] == [("file", "image"), ("loss", "loss"), ("label", "label"), ("weather", "")]
    assert described[0][2] == ("0.png", "1.png", "2.png")


# --- size and real data


@pytest.mark.slow
def test_a_hundred_thousand_rows_read_in_seconds(tmp_path):
    import time

    n = 100_000
    table = pd.DataFrame(
        {"id": range(n), "label": np.arange(n) % 10, "loss": np.arange(n) / n, "weather": np.array(["fog", "sun"])[np.arange(n) % 2]}
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    start = time.perf_counter()
    assert len(read_audit(tmp_path / "t.csv").samples) == n
    assert time.perf_counter() - start < 15


@needs_data
def test_cifar_10s_stored_loss_is_the_cross_entropy_of_its_stored_probabilities():
    stored = read_audit(DATA / "cifar10" / "cifar10.parquet")
    computed = read_audit(DATA / "cifar10" / "cifar10.parquet", roles=Roles(loss_kind="cross-entropy"))
    np.testing.assert_allclose(stored.outcomes.loss, computed.outcomes.loss, atol=1e-4)
    assert stored.samples.images is not None
    assert stored.samples.images.read(2999)[:3] == b"\xff\xd8\xff"


@needs_data
def test_resnet_50_fails_on_cue_conflict_as_often_as_published():
    audit = read_audit(
        DATA / "cue_conflict" / "index.csv", images=DATA / "cue_conflict", roles=Roles(label="shape_class", prediction="pred_resnet50")
    )
    kind = next(c for c in audit.samples.metadata if c.name == "kind").values
    assert audit.outcomes.loss[kind == "silhouette"].mean() == pytest.approx(1 - 0.544, abs=1e-3)
    assert len(audit.excluded) == 0


def test_limits_are_respected(tmp_path):
    frame().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InvalidInput, match="at most 10 are read"):
        read_audit(tmp_path / "t.csv", limits=Limits(max_table_bytes=10))
