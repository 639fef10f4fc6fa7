"""What the scenes are compared with is what their README says."""

from __future__ import annotations

import csv
from pathlib import Path

from core.checks.freeze import freeze
from core.store import load
from research.examples.make_second import MENDED, N_NEW, SCENES


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_second_model_answers_the_same_images_and_is_as_good_as_it_is_said_to_be() -> None:
    first, second = rows_of(SCENES / "table.csv"), rows_of(SCENES / "second.csv")
    assert [(row["file"], row["label"]) for row in second] == [(row["file"], row["label"]) for row in first]
    wrong = sum(row["prediction"] != row["label"] for row in second)
    said = (SCENES.parent / "README.md").read_text("utf-8")
    assert f"It is wrong on {wrong}, the first on 138" in said
    assert {link.factor for link in MENDED} == {"size"}


def test_the_run_holds_a_check_of_its_own_findings_on_new_scenes_with_images() -> None:
    run = load(SCENES / "run.errata")
    assert run.prediction is not None
    assert run.prediction.digest == freeze(run).digest
    assert run.prediction.n_fresh == N_NEW
    groups = [row for row in run.prediction.rows if row.kind == "cluster"]
    assert [row.text for row in groups] == [cluster.name for cluster in run.clusters]
    for row in groups:
        assert row.n_wrong is not None
        assert all(sample.picture.startswith("data:image/webp") for sample in row.samples)
