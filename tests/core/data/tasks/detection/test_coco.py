"""COCO files that are read: what is not one, and ids and scores out of place."""

from __future__ import annotations

import pytest

from core.data.tasks.detection.samples import read_detection_samples
from core.errors import InvalidInput
from tests.support.detections import audited, refused


def test_ids_of_another_data_set_are_one_message(made):
    refused(made, r"category_id of .* none of the 2 categories", results=[r | {"category_id": 7} for r in made.results])
    refused(made, r"image_id of .* none of the 30 images", results=[r | {"image_id": "x"} for r in made.results])


def test_empty_predictions_are_one_message(made):
    refused(made, "holds no prediction", results=[])


def test_scores_beyond_one_are_one_message(made):
    refused(made, "scores must lie between 0 and 1", results=[r | {"score": 90} for r in made.results])


def test_swapped_files_are_named(made):
    with pytest.raises(InvalidInput, match="are --truth and --detections swapped"):
        read_detection_samples(made.predictions, made.truth, images=made.pictures)


@pytest.mark.parametrize("text", ["{", "\x00", '"x"', "[1, 2]", "{}", "null"])
def test_unreadable_files_are_one_message(made, text):
    made.predictions.write_text(text)
    with pytest.raises(InvalidInput, match=r"results\.json"):
        audited(made)
    made.write()
    made.truth.write_text(text)
    with pytest.raises(InvalidInput, match=r"truth\.json"):
        audited(made)
