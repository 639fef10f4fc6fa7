"""Boxes, checked: given as corners, beyond their images, without a width."""

from __future__ import annotations

from tests.support.detections import audited, refused
from tests.support.tables import said


def test_boxes_given_as_corners_are_recognized(made):
    corners = [
        r | {"bbox": [r["bbox"][0], r["bbox"][1], r["bbox"][0] + r["bbox"][2], r["bbox"][1] + r["bbox"][3]]}
        for r in made.results
    ]
    refused(made, "1 of 82 predictions .* 78 of 82 if they are read as left, top, right, bottom", results=corners)
    truth = [
        r | {"bbox": [r["bbox"][0], r["bbox"][1], r["bbox"][0] + r["bbox"][2], r["bbox"][1] + r["bbox"][3]]}
        for r in made.annotations
    ]
    refused(made, "boxes of the truth look like left, top, right, bottom", annotations=truth)


def test_boxes_far_beyond_their_images_are_one_message(made):
    refused(
        made,
        "reach beyond their image",
        annotations=[r | {"bbox": [r["bbox"][0] - 400, 10, 300, 20]} for r in made.annotations],
    )


def test_bad_boxes_are_left_out_each_with_its_reason(made):
    first = dict(made.annotations[5])
    bad = {
        900: {"bbox": [5, 5, 0, 10]},
        901: {"bbox": [500, 5, 10, 10]},
        902: {"bbox": "x"},
        903: {"category_id": 99},
        904: {"image_id": 7},
        905: {"bbox": [float("nan"), 1, 2, 3]},
    }
    added = [first | {"id": identity} | change for identity, change in bad.items()]
    good = len(made.annotations)
    made.annotations += [*added, dict(first)]
    audit = audited(made.write())
    found = [reason for _, reason in audit.excluded]
    for row, text in enumerate(
        [
            "no width",
            "wholly outside",
            "four finite",
            "category is not",
            "image is not",
            "four finite",
            "id occurs before",
        ]
    ):
        assert text in found[row]
    assert len(audit.samples) == good
    assert said(audit, "true objects: the box has no width or no height")
