"""A diagnosis of texts from the table to the stored run and what is asked of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.checks.fresh import predict_fresh
from core.checks.new_samples import read_new_samples
from core.checks.questions import ask
from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.embeddings.embed import read_images
from core.errors import InvalidInput
from core.records import Diagnosis
from core.reports.html.diagnosis import render_report
from core.reports.terminal import text_summary
from core.store import load, save
from tests.support.diagnoses import draw_picture
from tests.support.pictures import MeanColour
from tests.support.texts import failing_table, made_texts


def write_picture(folder: Path, number: int) -> str:
    folder.mkdir(exist_ok=True)
    (folder / f"{number}.png").write_bytes(draw_picture(number))
    return f"{number}.png"


QUICK = Settings(n_permutations=300, map=False, sensitivity=False)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    return diagnose(failing_table(), settings=QUICK, cache=str(tmp_path_factory.mktemp("cache")))


def test_the_texts_that_fail_are_found_and_named(found: Diagnosis) -> None:
    weather = np.array(["rain" in found.samples.items.read(i).decode() for i in range(240)])  # type: ignore[union-attr]
    first = found.clusters[0]
    assert ((first.membership >= 0.5) == weather).mean() > 0.95
    assert found.words is not None
    assert found.words.encoder == "minilm"
    said = text_summary(found)
    assert "  1. Texts about the weather and storms\n     Mean loss " in said
    assert "picture" not in said
    assert "image" not in said


def test_a_stored_run_shows_the_texts_without_the_table(found: Diagnosis, tmp_path: Path) -> None:
    save(found, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert again.samples.modality == "text"
    assert again.samples.items is not None
    assert again.samples.items.read(7) == found.samples.items.read(7)  # type: ignore[union-attr]
    report = render_report(again)
    assert "said the 2th report</blockquote>" in report  # to be read as a text
    body = report.split("</style>")[-1].lower().replace("describing a picture", "")
    assert "picture" not in body
    assert "image" not in body.replace("data:image", "")


def test_a_question_is_answered_by_texts(found: Diagnosis, tmp_path: Path) -> None:
    (answer,) = ask(found, ["about the weather and storms"], cache=tmp_path)
    assert answer.confirmed
    assert answer.observed.value > 2 * answer.rest


def test_fresh_texts_are_predicted_and_new_ones_assigned(found: Diagnosis, tmp_path: Path) -> None:
    fresh = failing_table(160, seed=1)
    fresh["text"] = fresh["text"].str.replace("report", "witness")
    fresh.to_csv(tmp_path / "fresh.csv", index=False)
    predicted = predict_fresh(found, tmp_path / "fresh.csv", cache=tmp_path).prediction
    assert predicted is not None
    assert predicted.n_fresh == 160
    assert all(row.observed is not None and row.observed.value > 2 * (row.rest or 0) for row in predicted.rows[:1])
    brought = read_new_samples(found, tmp_path / "fresh.csv", cache=tmp_path)
    assert found.model is not None
    assigned = found.model.assign(brought.embeddings, labels=None)
    weather = fresh["text"].str.contains("rain").to_numpy()
    assert assigned.predicted[weather].mean() > assigned.predicted[~weather].mean() + 0.5


def test_an_encoder_of_pictures_is_refused_for_texts() -> None:
    with pytest.raises(InvalidInput, match=r"the samples are 'text'. Choose an encoder for 'text'"):
        read_images(made_texts(["a b"]), MeanColour(), modality="text")


def test_a_run_of_texts_takes_no_pictures(found: Diagnosis, tmp_path: Path) -> None:
    table = failing_table(60).drop(columns="text")
    table["file"] = [write_picture(tmp_path / "images", i) for i in range(60)]
    with pytest.raises(InvalidInput, match=r"used texts .*with --texts"):
        predict_fresh(found, table, images=tmp_path / "images", cache=tmp_path)
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(InvalidInput, match=r"run used texts.*with --texts"):
        read_new_samples(found, tmp_path / "table.csv", images=tmp_path / "images", cache=tmp_path)
