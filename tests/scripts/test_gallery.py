"""docs/gallery.md and its pictures: what the script makes of the stored runs, small, and leading where they say."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
from PIL import Image

from core.records import Diagnosis
from scripts.gallery import EXAMPLES, PAGE, PICTURES, members_and_others, page, pictures, runs
from tests.conftest import REPOSITORY

MAX_BYTES = 60_000


@pytest.fixture(scope="module")
def stored() -> dict[str, Diagnosis]:
    return runs()


def test_the_committed_page_is_what_the_script_makes(stored: dict[str, Diagnosis]) -> None:
    assert PAGE.read_text("utf-8") == page(stored), "Run `python -m scripts.gallery`."
    assert {path.parent.name for path in (REPOSITORY / "assets/examples").glob("*/run.errata")} == set(EXAMPLES)


def test_the_committed_pictures_are_what_the_script_makes_and_small(stored: dict[str, Diagnosis]) -> None:
    made, shown = pictures(stored), set(re.findall(r"\(pictures/(gallery_[^)]*)\)", PAGE.read_text("utf-8")))
    assert set(made) == shown == {path.name for path in PICTURES.glob("gallery_*")}
    for name, picture in made.items():
        assert (PICTURES / name).stat().st_size < MAX_BYTES, name
        with Image.open(PICTURES / name) as file:
            kept = np.asarray(file.convert("RGB"), float)
        assert kept.shape == np.asarray(picture).shape
        assert np.abs(kept - np.asarray(picture)).mean() < 4, name  # of 255: what is lost by packing


def test_each_member_stands_above_a_sample_of_its_class_that_does_better(stored: dict[str, Diagnosis]) -> None:
    for run in stored.values():
        for cluster in run.clusters:
            members, others = members_and_others(run, cluster)
            assert (cluster.membership[members] >= 0.5).all()
            assert (cluster.membership[others] < 0.5).all()
            assert len({*members, *others}) == len(members) + len(others) > 0
            if run.samples.labels is not None:
                assert run.samples.labels[members].tolist() == run.samples.labels[others].tolist()
            assert run.outcomes.loss[others].mean() < run.outcomes.loss[members].mean()


def test_links_and_commands_lead_to_what_is_there(stored: dict[str, Diagnosis]) -> None:
    text = PAGE.read_text("utf-8")
    links = re.findall(r"<http://127.0.0.1:7860/\?(.*?)>", text)
    for link in links:
        found = dict(pair.split("=") for pair in link.split("&"))
        run = stored[found["run"].removeprefix("example-")]
        assert 1 <= int(found.get("cluster", 1)) <= max(len(run.clusters), 1)
    assert len(links) == sum(max(1, min(2, len(run.clusters))) for run in stored.values())
    commands = [shlex.split(line) for line in re.findall(r"^python -m core .*$", text, re.M)]
    files = [word for words in commands for word in words if word.startswith("assets/")]
    assert all((REPOSITORY / file).is_file() for file in files)
    assert len(commands) == len(EXAMPLES)
