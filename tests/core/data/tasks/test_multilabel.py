"""Several labels an image become one row for each image and class, each compared with rows of the same truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.tables.roles import Roles
from core.data.tasks.multilabel import read_multilabel
from core.data.tasks.options import FALSE_LABELS, MISSED_LABELS
from core.diagnose import diagnose_data_set
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.reports.html.gallery import Gallery
from core.reports.wording.labels import wrong_labels
from tests.support.tables import png, reasons, said
from webapp.markup.html import tile_of

N, CLASSES = 60, ("cat", "dog", "bus")


@pytest.fixture
def known():
    rng = np.random.default_rng(0)
    truth = (rng.random((N, 3)) < 0.4).astype(int)
    return truth, np.round(np.clip(0.7 * truth + 0.15 + rng.normal(0, 0.15, (N, 3)), 0.01, 0.99), 4)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(N):
        (folder / f"{i}.png").write_bytes(png(i * 4))
    return folder


def table(truth, scores, **more):
    columns = {"file": [f"{i}.png" for i in range(N)]}
    columns |= {f"true_{c}": truth[:, i] for i, c in enumerate(CLASSES)} | {
        f"prob_{c}": scores[:, i] for i, c in enumerate(CLASSES)
    }
    return pd.DataFrame(columns | more)


def test_each_row_has_the_loss_of_its_class_and_its_picture_as_group(known, pictures):
    truth, scores = known
    audit = read_multilabel(table(truth, scores), ["true_*"], images=pictures, roles=Roles(probabilities=("prob_*",)))
    assert len(audit.samples) == 3 * N
    assert audit.samples.ids[:4] == ("0.png#cat", "0.png#dog", "0.png#bus", "1.png#cat")
    assert audit.samples.class_names == (*CLASSES, *(f"{c}, absent" for c in CLASSES))
    expected = -np.log(np.where(truth == 1, scores, 1 - scores)).ravel()
    np.testing.assert_allclose(audit.outcomes.loss, expected)
    np.testing.assert_array_equal(audit.outcomes.errors, ((scores >= 0.5) != truth).ravel())
    np.testing.assert_array_equal(audit.samples.labels, np.tile(np.arange(3), N) + 3 * (1 - truth.ravel()))
    np.testing.assert_array_equal(audit.samples.groups, np.arange(N).repeat(3))
    assert audit.samples.items.read(4) == png(4)


@pytest.mark.parametrize("form", ["arrays", "text arrays", "names", "text names", "logits"])
def test_every_way_to_write_it_gives_the_same_rows(known, pictures, form):
    truth, scores = known
    wanted = read_multilabel(table(truth, scores), ["true_*"], images=pictures, roles=Roles(probabilities=("prob_*",)))
    frame, roles, names = (
        pd.DataFrame({"file": [f"{i}.png" for i in range(N)]}),
        Roles(probabilities=("p",), class_names=CLASSES),
        list(CLASSES),
    )
    frame["p"] = [row.tolist() for row in scores]
    frame["y"] = [row.tolist() for row in truth]
    if form == "text arrays":
        frame["y"], frame["p"] = frame["y"].map(str), frame["p"].map(str)
    if form == "names":
        frame["y"] = [[names[i] for i in np.flatnonzero(row)] for row in truth]
    if form == "text names":
        frame["y"] = ["|".join(names[i] for i in np.flatnonzero(row)) for row in truth]
    if form == "logits":
        frame["p"] = [np.log(row / (1 - row)).tolist() for row in scores]
        roles = Roles(logits=("p",), class_names=CLASSES)
    audit = read_multilabel(frame, ["y"], images=pictures, roles=roles)
    assert audit.samples.class_names == wanted.samples.class_names
    np.testing.assert_array_equal(audit.samples.labels, wanted.samples.labels)
    np.testing.assert_allclose(audit.outcomes.loss, wanted.outcomes.loss, rtol=1e-6)


def test_predicted_names_give_a_zero_one_error(known, pictures):
    truth, scores = known

    def spell(values):
        return [",".join(CLASSES[i] for i in np.flatnonzero(row)) for row in values]

    frame = pd.DataFrame({"file": [f"{i}.png" for i in range(N)], "y": spell(truth), "guess": spell(scores > 0.5)})
    audit = read_multilabel(frame, ["y"], images=pictures, roles=Roles(prediction="guess"))
    assert audit.outcomes.name == "0/1 error"
    named = {name: loss for name, loss in zip(audit.samples.ids, audit.outcomes.loss)}
    for i in range(N):
        for j, c in enumerate(CLASSES):
            assert named[f"{i}.png#{c}"] == ((scores[i, j] > 0.5) != truth[i, j])


def test_a_group_of_the_table_holds_pictures_together(known, pictures):
    frame = table(*known, patient=[f"p{i // 3}" for i in range(N)])
    audit = read_multilabel(frame, ["true_*"], images=pictures, roles=Roles(probabilities=("prob_*",)))
    assert audit.samples.group_name == "patient"
    np.testing.assert_array_equal(audit.samples.groups, np.arange(N).repeat(3) // 3)


def test_other_columns_follow_their_picture_and_bad_rows_are_left_out(known, pictures):
    truth, scores = known
    scores[3, 1], weather = 1.7, ["wet", "dry"] * (N // 2)
    frame = table(truth, scores, weather=weather)
    frame.loc[5, "true_dog"] = 2
    (pictures / "7.png").unlink()
    audit = read_multilabel(frame, ["true_*"], images=pictures, roles=Roles(probabilities=("prob_*",)))
    found = reasons(audit)
    assert "between 0 and 1" in found[3]
    assert "neither 0 nor 1" in found[5]
    assert "was not found" in found[7]
    assert len(audit.samples) == 3 * (N - 3)
    by_name = {column.name: column for column in audit.samples.metadata}
    assert [weather[int(name.split(".")[0])] for name in audit.samples.ids] == by_name["weather"].values.tolist()
    assert {column.name for column in audit.samples.model_outputs} == {MISSED_LABELS, FALSE_LABELS}


def test_given_embeddings_follow_their_picture(known):
    vectors = np.random.default_rng(1).normal(size=(N, 5)).astype(np.float32)
    frame = table(*known).drop(columns="file")
    audit = read_multilabel(frame, ["true_*"], embeddings=vectors, roles=Roles(probabilities=("prob_*",)))
    np.testing.assert_allclose(audit.embeddings.vectors[4] * np.linalg.norm(vectors[1]), vectors[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "roles", "message"),
    [
        (["true_*"], Roles(), "need --probabilities"),
        (["nope_*"], Roles(probabilities=("prob_*",)), "no column 'nope_\\*'"),
        (["true_cat", "true_dog"], Roles(probabilities=("prob_*",)), "labels have no column for bus"),
        (["true_*"], Roles(probabilities=("prob_cat", "prob_dog")), "predictions have no column for bus"),
        (["true_*"], Roles(probabilities=("prob_*",), loss_kind="brier"), "must be one of cross-entropy, 0/1 error"),
        (["prob_*"], Roles(probabilities=("prob_*",)), "labels must be 0 or 1"),
    ],
)
def test_columns_that_do_not_fit_are_one_message(known, pictures, labels, roles, message):
    with pytest.raises(InvalidInput, match=message):
        read_multilabel(table(*known), labels, images=pictures, roles=roles)


@pytest.mark.slow
def test_a_class_that_fails_in_some_pictures_is_found_there(tmp_path):
    """Dogs on blue ground get a low probability; everything else is right nine times in ten."""
    rng = np.random.default_rng(2)
    n, folder = 150, tmp_path / "pictures"
    folder.mkdir()
    truth, blue = (rng.random((n, 2)) < 0.5).astype(int), rng.random(n) < 0.3
    right = rng.random((n, 2)) < 0.9
    right[blue & (truth[:, 1] == 1), 1] = rng.random(int((blue & (truth[:, 1] == 1)).sum())) < 0.3
    scores = np.where(right == (truth == 1), 0.85, 0.15)
    for i in range(n):
        colour = (20, 30, 160 + int(rng.integers(60))) if blue[i] else (*(int(v) for v in rng.integers(90, 200, 2)), 40)
        picture = np.clip(np.full((48, 48, 3), colour) + rng.normal(0, 12, (48, 48, 3)), 0, 255)
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{i}.png")
    frame = pd.DataFrame({"file": [f"{i}.png" for i in range(n)], "y_cat": truth[:, 0], "y_dog": truth[:, 1]})
    frame[["p_cat", "p_dog"]] = scores
    audit = read_multilabel(frame, ["y_cat", "y_dog"], images=folder, roles=Roles(probabilities=("p_cat", "p_dog")))
    found = diagnose_data_set(
        audit, settings=Settings(n_permutations=300, n_members=3, map=False, sensitivity=False, words=False)
    )
    assert found.clusters
    assert found.clusters[0].scope == "dog"
    members = np.flatnonzero(found.clusters[0].membership >= 0.5)
    assert blue[found.samples.groups[members]].mean() > 0.7
    assert said(audit, "Split 150 images into 300 rows")


def test_each_row_names_the_wrong_labels_of_its_image(pictures):
    truth = np.zeros((N, 3), int)
    truth[:, 0] = 1
    scores = np.full((N, 3), 0.1)
    scores[:, 0] = 0.9
    scores[0] = (0.2, 0.8, 0.7)
    scores[1:20, 1] = 0.6
    data = read_multilabel(table(truth, scores), ["true_*"], images=pictures, roles=Roles(probabilities=("prob_*",)))
    columns = {column.name: column.values.tolist() for column in data.samples.model_outputs}
    assert columns[MISSED_LABELS][:6] == ["cat"] * 3 + [None] * 3
    assert columns[FALSE_LABELS][:6] == ["dog, bus"] * 3 + ["dog"] * 3
    diagnosis = diagnose_data_set(data, settings=Settings(n_permutations=100, words=False, map=False))
    assert wrong_labels(diagnosis, 1) == ["Missed: cat", "Falsely predicted: dog, bus"]
    assert wrong_labels(diagnosis, 3 * N - 1) == []
    assert tile_of(diagnosis, 1).lines == ("Missed: cat", "Falsely predicted: dog, bus")
    (entry,) = Gallery(diagnosis).entries(np.array([1]))
    assert entry.lines == ("Missed: cat", "Falsely predicted: dog, bus")
