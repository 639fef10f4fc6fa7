"""COCO files that are read: what is not one, and ids and scores out of place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.data.tasks.detection.samples import read_detection_samples
from core.errors import InvalidInput
from tests.support.detections import audited, refused


def test_ids_of_another_data_set_are_one_message(made):
    refused(
        made, r"category_id of .* not among the 2 categories", results=[r | {"category_id": 7} for r in made.results]
    )
    refused(made, r"image_id of .* not among the 30 images", results=[r | {"image_id": "x"} for r in made.results])


def test_empty_predictions_are_one_message(made):
    refused(made, "the list of predictions is empty", results=[])


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


MASKS = [
    ("10", {"size": [0, 0], "counts": "111"}),
    ("10", {"size": [10, 0], "counts": [0]}),
    ("10", {"size": [2**31, 2**31], "counts": [2**62]}),
    ("10", {"size": [10, 10], "counts": [-1, 101]}),
    ("10", {"size": ["10", 10], "counts": "111"}),
    ("10", [[0, 0, 1e9, 0, 1e9, 1e9]]),
    ("10", [[0, 0, 5]]),
    ("Infinity", [[0, 0, 5, 0, 5, 5]]),
    ("1e400", [[0, 0, 5, 0, 5, 5]]),
    ("0", [[0, 0, 5, 0, 5, 5]]),
]
_CHILD = """
import json, sys
from pathlib import Path
from core.data.tasks.detection.coco import read_coco
folder = Path(sys.argv[1])
for height, segmentation in json.loads(sys.argv[2]):
    image = '{"id": 1, "file_name": "a.jpg", "width": 10, "height": ' + height + "}"
    rest = '"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]'
    names = '"categories": [{"id": 1, "name": "x"}]'
    (folder / "t.json").write_text('{"images": [' + image + "], " + rest + ", " + names + "}")
    result = {"image_id": 1, "category_id": 1, "score": 0.5, "segmentation": segmentation}
    (folder / "r.json").write_text(json.dumps([result]))
    print(read_coco(folder / "t.json", folder / "r.json").predictions.xywh.tolist(), flush=True)
"""


def test_masks_that_would_end_the_process_are_no_boxes(tmp_path: Path, repository: Path) -> None:
    """In a process of its own: pycocotools divides by a side of 0, and writes past its memory."""
    honest = [("10", [[1, 1, 5, 1, 5, 5]]), ("10", {"size": [10, 10], "counts": [11, 2, 87]})]
    arguments = [sys.executable, "-c", _CHILD, str(tmp_path), json.dumps([*MASKS, *honest])]
    done = subprocess.run(arguments, cwd=repository, capture_output=True, text=True)
    nowhere = "[[nan, nan, nan, nan]]"
    assert (done.returncode, done.stdout.splitlines()[: len(MASKS)]) == (0, [nowhere] * len(MASKS)), done.stderr
    assert nowhere not in done.stdout.splitlines()[len(MASKS) :]


def test_numbers_past_a_float_and_ever_new_keys_are_one_message_each(made):
    made.write()
    truth = json.loads(made.truth.read_text())
    made.truth.write_text(json.dumps(truth).replace('"width": ', '"width": 9' + "9" * 400, 1))
    with pytest.raises(InvalidInput, match=r"truth\.json: .* more than 300 digits"):
        audited(made)
    extra = [{**truth["annotations"][0], "id": 10_000 + i, f"k{i}": 1} for i in range(6_000)]
    made.truth.write_text(json.dumps({**truth, "annotations": extra}))
    with pytest.raises(InvalidInput, match=r"truth\.json would take at least 2.1 GiB"):
        audited(made)
