"""Where a browser finds the images of a run."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from core.files import ASSETS
from core.records import Diagnosis
from core.store import save
from tests.support.diagnoses import make_diagnosis
from webapp.explore.cards import cluster_list
from webapp.markup.images import encode_image, inlined, picture, version_of
from webapp.state.runs import RUNS


def inline_bytes(address: str) -> bytes:
    return base64.b64decode(address.partition(";base64,")[2])


def test_a_run_that_the_server_holds_is_shown_by_address_and_any_other_inside_the_page(diagnosis: Diagnosis) -> None:
    run = RUNS.add(diagnosis)
    held = RUNS.get(run)
    assert picture(held, 3) == f"run-image/{RUNS.link(run)}/3/image?v={version_of(held)}"
    assert run not in cluster_list(held)
    assert "data:image" not in cluster_list(held)
    assert picture(diagnosis, 3).startswith("data:image/webp;base64,")
    inside = picture(inlined(held), 3)
    assert inside.startswith("data:image/webp;base64,")
    assert encode_image(held, 3, "image") == (inline_bytes(inside), "image/webp")


def test_a_view_with_other_outcomes_shows_the_same_images(diagnosis: Diagnosis) -> None:
    held = RUNS.get(RUNS.add(diagnosis))
    other = replace(held, outcomes=replace(held.outcomes, name="another loss"))
    assert picture(other, 3) == picture(held, 3)


def test_a_shared_run_of_any_name_has_addresses_that_need_no_escape(diagnosis: Diagnosis, tmp_path: Path) -> None:
    save(diagnosis, tmp_path / 'two "words"?#' / "run.errata")
    address = picture(RUNS.get(RUNS.offer(tmp_path / 'two "words"?#' / "run.errata")), 0)
    assert address.startswith("run-image/example-two%20%22words%22%3F%23/0/image?v=")


@pytest.mark.parametrize(("example", "kind"), [("scenes", "image"), ("scans", "whole"), ("clips", "frames")])
def test_the_address_says_how_the_image_is_shown(example: str, kind: str) -> None:
    held = RUNS.get(RUNS.offer(ASSETS / "examples" / example / "run.errata"))
    assert f"/0/{kind}?" in picture(held, 0)
    assert ("/0/clip?" in picture(held, 0, plays=True)) == (kind == "frames")
    for plays, asked in ((False, kind), (True, "clip")):
        assert encode_image(held, 0, asked)[0] == inline_bytes(picture(inlined(held), 0, plays=plays))


def test_neither_a_text_nor_a_run_without_images_has_one() -> None:
    assert picture(make_diagnosis(with_images=False), 0) == ""
    assert picture(RUNS.get(RUNS.offer(ASSETS / "examples" / "definitions" / "run.errata")), 0) == ""
