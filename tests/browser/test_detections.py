"""A visitor brings a detector's files to the page and sees its boxes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.data.images.outlines import COLOURS
from tests.support.detections import make

pytestmark = pytest.mark.browser


def test_detections_are_recognized_run_and_drawn_with_their_boxes(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    made = make(tmp_path, planted=0.9).write()
    images = shutil.make_archive(str(tmp_path / "scenes"), "zip", made.pictures)
    page = open_page()
    page.get_by_role("button", name="New run").click()
    page.set_input_files("#brought input[type=file]", made.predictions)
    page.get_by_text("results.json holds predicted boxes").wait_for()
    page.set_input_files("#brought input[type=file]", made.truth)
    page.get_by_text("true boxes in truth.json, predicted boxes in results.json").wait_for()
    assert page.get_by_label("Task").input_value() == "Detections, each true object"
    page.set_input_files("#brought input[type=file]", images)
    page.wait_for_function("document.querySelector('#images')?.innerText.includes('scenes')")
    page.get_by_role("button", name="Run the diagnosis").click()
    page.wait_for_function("/run=/.test(location.search) && !/tab=/.test(location.search)", timeout=240_000)
    page.get_by_text("Outlines: truth orange, prediction blue and dashed.").first.wait_for()
    drawn = page.locator("img[src*='/whole?']").first
    drawn.wait_for()
    sent = page.request.get(drawn.evaluate("image => image.src")).body()
    picture = Image.open(io.BytesIO(sent)).convert("RGB")
    assert (abs(np.asarray(picture).astype(int) - COLOURS[0]).sum(2) < 140).any()
