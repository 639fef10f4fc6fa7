"""From a detector's files to rows: what is read, what each row says, and what is refused or left out, each with its
reason."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from core.data.tasks.detection.samples import read_detection_samples
from core.diagnose import diagnose_data_set
from core.discovery.settings import Settings
from core.errors import InvalidInput
from tests.support.commands import results_of
from tests.support.detections import CLASSES, HEIGHT, SMALL, WIDTH, audited, column, make, why
from tests.support.tables import said

# --- rows


def test_every_true_object_is_a_row_and_its_image_is_its_group(made):
    audit = audited(made)
    assert len(audit.samples) == len(made.annotations)
    assert audit.samples.class_names[:2] == CLASSES
    assert audit.samples.group_name == "image"
    by_id = {f"{record['image_id'] - 100:04d}.png#{record['id']}": record for record in made.annotations}
    groups = {}
    for i, name in enumerate(audit.samples.ids):
        groups.setdefault(by_id[name]["image_id"], set()).add(int(audit.samples.groups[i]))
        assert audit.samples.labels[i] == by_id[name]["category_id"] // 10 - 1
    assert all(len(numbers) == 1 for numbers in groups.values())
    assert len(set.union(*groups.values())) == len(groups)


def test_what_the_model_wrote_is_never_a_condition(made):
    for rows in ("objects", "predictions"):
        audit = audited(made, rows=rows)
        assert {"outcome", "score", "IoU"} <= {c.name for c in audit.samples.model_outputs}
        assert not {"outcome", "score", "IoU", "predicted class", "class of its object"} & {
            c.name for c in audit.samples.metadata
        }
    assert "IoU with the nearest object" not in {
        c.name for c in audit.samples.metadata
    }  # of predictions it would be the outcome


def test_the_truths_own_columns_become_conditions(made):
    made.annotations[0]["occluded"] = True
    for record in made.annotations:
        record.setdefault("occluded", False)
        record["attributes"] = {"truncated": "no"}
    audit = audited(made.write())
    assert {"weather", "occluded", "truncated"} <= {c.name for c in audit.samples.metadata}
    weather = {image["file_name"]: image["weather"] for image in made.images}
    assert [weather[name.split("#")[0]] for name in audit.samples.ids] == column(audit, "weather").tolist()


def test_the_three_losses_of_one_set_of_objects_agree(made):
    made.results[0]["category_id"] = 30 - made.results[0]["category_id"]
    made.write()
    miss, place, kind = (audited(made, loss_kind=name) for name in ("miss", "localisation", "class"))
    outcome = column(miss, "outcome")
    np.testing.assert_array_equal(miss.outcomes.loss == 1, outcome != "found")
    np.testing.assert_array_equal(place.outcomes.errors, ~np.isin(outcome, ["found", "wrong class"]))
    np.testing.assert_allclose(place.outcomes.loss, 1 - column(miss, "IoU"))
    assert (outcome == "wrong class").sum() == 1
    assert kind.outcomes.loss.sum() == 1
    assert len(kind.samples) == np.isin(outcome, ["found", "wrong class"]).sum()
    assert said(kind, "true objects: the object was not located")
    assert miss.samples.class_names[miss.outcomes.predictions[np.flatnonzero(outcome == "missed")[0]]] == "background"


def test_predictions_are_an_audit_of_their_own(made):
    audit = audited(made, rows="predictions")
    assert len(audit.samples) == len(made.results)
    assert audit.outcomes.name == "false positive"
    np.testing.assert_array_equal(audit.outcomes.errors, column(audit, "outcome") != "right")
    assert sum(r["bbox"][2:] == [9, 31] for r in made.results) > 3
    invented = np.array(["prediction" in name for name in audit.samples.ids])
    assert invented.all()


def test_a_higher_score_threshold_leaves_predictions_out_and_says_how_many(made):
    audit, below = audited(made, score=0.75), sum(r["score"] < 0.75 for r in made.results)
    assert said(audit, f"{below:,} of {len(made.results):,} predictions with a score below 0.75")
    assert audit.outcomes.loss.sum() > audited(made).outcomes.loss.sum()


def test_the_place_of_a_box_is_measured_in_shares_of_its_image(made):
    made.annotations[0]["bbox"] = [0, 0, WIDTH / 2, HEIGHT / 2]
    audit = audited(made.write())
    row = audit.samples.ids.index("0000.png#1")
    assert column(audit, "area share")[row] == pytest.approx(0.25)
    assert column(audit, "width / height")[row] == pytest.approx(WIDTH / HEIGHT)
    assert column(audit, "distance to the center")[row] == pytest.approx(0.5)
    assert column(audit, "gap to the border")[row] == 0


def test_crowd_regions_are_ignored_and_counted(made):
    made.annotations[0]["iscrowd"] = 1
    audit = audited(made.write())
    assert "0000.png#1" not in audit.samples.ids
    assert said(audit, "Skipped 1 crowd region:")
    assert "crowd" in why(audit, "0000.png#1")


# --- crops


def test_a_rows_picture_is_a_square_around_its_box(made):
    Image.new("RGB", (WIDTH, HEIGHT), "black").save(made.pictures / "0000.png")
    made.annotations[0]["bbox"] = [60, 40, 40, 20]
    audit = audited(made.write())
    crop = Image.open(io.BytesIO(audit.samples.items.read(audit.samples.ids.index("0000.png#1"))))
    assert crop.size == (56, 56)  # 40 pixels and a fifth of that on either side
    kept = audit.samples.keep(np.array([3, 1]))
    assert kept.items.name(0) == audit.samples.ids[3]


def test_boxes_follow_a_picture_that_is_stored_smaller(made):
    name = "0000.png"
    with Image.open(made.pictures / name) as picture:
        picture.resize((WIDTH // 2, HEIGHT // 2)).save(made.pictures / name)
    made.annotations[0]["bbox"] = [0, 0, 100, 100]
    audit = audited(made.write())
    crop = Image.open(io.BytesIO(audit.samples.items.read(audit.samples.ids.index("0000.png#1"))))
    assert crop.size == (70, 60)  # half of 140 x 140, of which 120 fit into the height


def test_a_picture_of_another_shape_is_left_out_with_the_reason(made):
    Image.new("RGB", (200, 50)).save(made.pictures / "0000.png")
    audit = audited(made)
    with pytest.raises(InvalidInput, match=r"200 x 50, but the boxes were drawn in 160 x 120"):
        audit.samples.items.read(audit.samples.ids.index("0000.png#1"))


# --- bad input


def test_pictures_that_are_not_there_take_their_objects_along(made):
    (made.pictures / "0003.png").unlink()
    audit = audited(made)
    lost = [r["id"] for r in made.annotations if r["image_id"] == 103]
    assert lost
    assert all("the image was not found" in why(audit, f"0003.png#{identity}") for identity in lost)
    assert len(audit.samples) == len(made.annotations) - len(lost)
    assert said(audit, "1 of 30 images of the truth have no usable image file")


def test_no_picture_at_all_is_one_message(made, tmp_path):
    (tmp_path / "other").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "other" / "x.png")
    with pytest.raises(InvalidInput, match="No path in 'file_name' matches the images"):
        read_detection_samples(made.truth, made.predictions, images=tmp_path / "other")


def test_bad_predictions_are_left_out_each_with_its_reason(made):
    first = dict(made.results[0])
    made.results += [first | {"score": "high"}, first | {"bbox": [1, 2, -3, 4]}, first | {"image_id": 5}]
    audit = audited(made.write())
    found = [reason for _, reason in audit.excluded]
    assert len(found) == 3
    assert "score is missing" in found[0]
    assert "no width" in found[1]
    assert "image is not in the truth" in found[2]


def test_a_threshold_above_every_score_is_one_message(made):
    with pytest.raises(InvalidInput, match="Lower the score threshold"):
        audited(made, score=1.0)


@pytest.mark.parametrize("options", [{"rows": "images"}, {"loss_kind": "brier"}, {"iou": 0.0}, {"score": 2.0}])
def test_options_out_of_range_are_refused(made, options):
    with pytest.raises(InvalidInput):
        audited(made, **options)


# --- from files to findings


@pytest.mark.slow
def test_a_planted_weakness_is_confirmed_and_named_and_without_it_nothing_is(tmp_path):
    settings = Settings(n_permutations=300, n_members=3, map=False, sensitivity=False, words=False)
    weak = make(tmp_path / "weak", 90, seed=3, planted=0.9)
    found = diagnose_data_set(audited(weak), settings=settings)
    small = {
        f"{r['image_id'] - 100:04d}.png#{r['id']}"
        for r in weak.annotations
        if r["bbox"][2] <= SMALL and r["category_id"] == 20
    }
    assert found.clusters
    members = {found.samples.ids[i] for i in np.flatnonzero(found.clusters[0].membership >= 0.5)}
    assert found.clusters[0].scope == "ball"
    assert len(members & weak.weak) >= 0.7 * len(weak.weak)
    assert len(members & small) >= 0.7 * len(members)
    assert any(insight.confirmed and "area share" in insight.columns for insight in found.insights)
    assert len(np.unique(found.estimate.folds[found.samples.groups == found.samples.groups[0]])) == 1
    sound = diagnose_data_set(audited(make(tmp_path / "sound", 40, seed=4)), settings=settings)
    assert not sound.clusters


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_the_command_line_writes_the_report(made, tmp_path, capsys):
    from core.cli.main import main

    paths = ["--detections", str(made.predictions), "--truth", str(made.truth), "--images", str(made.pictures)]
    how = f"--rows predictions --no-words --permutations 100 --out {tmp_path}/out.errata"
    assert main(["diagnose", *paths, *how.split()]) == 0
    document = json.loads((results_of(tmp_path / "out.errata") / "diagnosis.json").read_text("utf-8"))
    assert document["loss"]["name"] == "false positive"
    assert document["n"] == len(made.results)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--detections", "x.json"], "needs the true boxes"),
        (["--truth", "x.json", "--table", "x.csv"], "--truth needs predictions"),
        (["--detections", "x.json", "--labels", "y"], "two tasks"),
        (
            ["--detections", "x.json", "--truth", "t.json", "--images", ".", "--table", "x.csv"],
            "Remove --table and --embeddings",
        ),
    ],
)
def test_options_that_do_not_go_together_are_one_message(arguments, message, tmp_path, capsys):
    from core.cli.main import main

    assert main(["diagnose", *arguments, "--out", str(tmp_path / "out.errata")]) == 2
    assert message in capsys.readouterr().err
