"""YOLO's files and COCO's masks give the same rows as COCO's boxes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.data.tasks.detection.read import read_detections
from core.data.tasks.detection.samples import read_detection_samples
from core.errors import InvalidInput
from tests.support.detections import HEIGHT, WIDTH, make
from tests.support.tables import said


@pytest.fixture
def made(tmp_path):
    return make(tmp_path)


def column(audit, name):
    return next(c.values for c in audit.samples.metadata if c.name == name)


def as_yolo(made, folder, names="data.yaml"):
    """The same scenes as a YOLO data set with predictions beside it."""
    shutil.copytree(made.pictures, folder / "images")
    for what, records in (("labels", made.annotations), ("predicted/labels", made.results)):
        (folder / what).mkdir(parents=True)
        for r in records:
            x, y, w, h = r["bbox"]
            line = (
                f"{r['category_id'] // 10 - 1} {(x + w / 2) / WIDTH:.6f} {(y + h / 2) / HEIGHT:.6f} "
                f"{w / WIDTH:.6f} {h / HEIGHT:.6f}"
            )
            with open(folder / what / f"{r['image_id'] - 100:04d}.txt", "a") as file:
                file.write(line + (f" {r['score']}\n" if "score" in r else "\n"))
    if names == "data.yaml":
        (folder / names).write_text("names:\n  0: box\n  1: ball\n")
    elif names:
        (folder / names).write_text("box\nball\n")
    return folder


@pytest.mark.parametrize("names", ["data.yaml", "classes.txt"])
def test_yolo_folders_give_the_same_rows_as_coco(made, tmp_path, names):
    folder = as_yolo(made, tmp_path / "yolo", names)
    coco = read_detection_samples(made.truth, made.predictions, images=made.pictures)
    yolo = read_detection_samples(folder, folder / "predicted", images=folder / "images")
    assert yolo.samples.class_names == coco.samples.class_names
    # both are sorted by image, and within one in the order of the file
    np.testing.assert_array_equal(yolo.samples.labels, coco.samples.labels)
    np.testing.assert_array_equal(yolo.outcomes.errors, coco.outcomes.errors)
    np.testing.assert_allclose(column(yolo, "area share"), column(coco, "area share"), atol=1e-4)


def test_yolo_labels_may_lie_in_archives(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    archives = [
        Path(shutil.make_archive(str(tmp_path / name), "zip", folder / name))
        for name in ("labels", "predicted", "images")
    ]
    shutil.copy(folder / "data.yaml", folder / "labels")
    named = Path(shutil.make_archive(str(tmp_path / "named"), "zip", folder / "labels"))
    plain = read_detection_samples(folder, folder / "predicted", images=folder / "images")
    packed = read_detection_samples(named, archives[1], images=archives[2])
    assert packed.samples.class_names == plain.samples.class_names
    np.testing.assert_array_equal(packed.outcomes.loss, plain.outcomes.loss)


def test_splits_of_one_file_name_are_told_apart(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    whole = tmp_path / "whole"
    for split in ("train", "val"):
        shutil.copytree(folder / "labels", whole / split / "labels")
        shutil.copytree(folder / "images", whole / split / "images")
        shutil.copytree(folder / "predicted" / "labels", tmp_path / "predicted" / split / "labels")
    audit = read_detection_samples(whole, tmp_path / "predicted", images=whole)
    assert len(audit.samples) == 2 * len(made.annotations)
    with pytest.raises(InvalidInput, match=r"two label files for '0000\.png'"):
        read_detection_samples(whole, tmp_path / "predicted", images=whole / "train" / "images")


def test_one_side_in_another_form_is_one_message(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    with pytest.raises(InvalidInput, match="are of two forms"):
        read_detection_samples(made.truth, folder / "predicted", images=made.pictures)


def test_yolo_outlines_are_read_as_their_boxes(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    (folder / "labels" / "0000.txt").write_text("1 0.1 0.2 0.3 0.2 0.2 0.5\n")
    read = read_detections(folder, folder / "predicted", images=folder / "images")
    np.testing.assert_allclose(read.truth.xywh[0], [0.1 * WIDTH, 0.2 * HEIGHT, 0.2 * WIDTH, 0.3 * HEIGHT], rtol=1e-5)


def test_yolo_without_names_counts_its_classes(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo", "")
    audit = read_detection_samples(folder, folder / "predicted", images=folder / "images")
    assert audit.samples.class_names[:2] == ("class 0", "class 1")
    assert said(audit, "Named the classes by their numbers")


def test_yolo_predictions_without_confidence_are_one_message(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    with pytest.raises(InvalidInput, match="save_conf=True"):
        read_detection_samples(folder, folder / "labels", images=folder / "images")


def test_yolo_boxes_in_pixels_are_one_message(made, tmp_path):
    folder = as_yolo(made, tmp_path / "yolo")
    for path in (folder / "labels").glob("*.txt"):
        path.write_text("0 80 60 20 20\n")
    with pytest.raises(InvalidInput, match="seem to be in pixels"):
        read_detection_samples(folder, folder / "predicted", images=folder / "images")


def test_a_run_length_mask_stands_for_its_box(made):
    from pycocotools import mask

    pixels = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    pixels[10:30, 20:70] = 1
    code = mask.encode(pixels)
    made.annotations[0] |= {"segmentation": {"size": code["size"], "counts": code["counts"].decode()}}
    del made.annotations[0]["bbox"]
    read = read_detections(made.write().truth, made.predictions, images=made.pictures)
    assert read.truth.xywh[read.truth.ids.index("0000.png#1")].tolist() == [20, 10, 50, 20]
