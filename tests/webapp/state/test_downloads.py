"""The files that a visitor may take away."""

from __future__ import annotations

import csv
import errno
import io
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InvalidInput
from core.store import load, put, save
from core.yours import OwnMark, with_mark, yours_of
from tests.support.diagnoses import make_diagnosis
from webapp.state.downloads import ready_file, table_csv


def test_the_spreadsheet_starts_no_formula() -> None:
    diagnosis = make_diagnosis(hostile=True)
    rows = list(csv.reader(io.StringIO(table_csv(diagnosis).decode("utf-8"))))
    assert len(rows) == 61
    assert rows[2][0] == "'=HYPERLINK(1).png"
    assert float(rows[3][1]) == diagnosis.outcomes.loss[2]


def test_the_weights_for_training_lie_beside_the_other_files(tmp_path: Path) -> None:
    diagnosis = make_diagnosis()
    save(diagnosis, tmp_path / "run.errata")
    path = ready_file(diagnosis, tmp_path / "run.errata", "weights.csv")
    assert [one.name for one in path.parent.iterdir()] == ["weights.csv"]  # nothing is made that nobody asked for
    weights = pd.read_csv(path)
    assert weights["id"].tolist() == list(diagnosis.samples.ids)
    assert weights["weight"].mean() == pytest.approx(1)
    members = diagnosis.clusters[0].membership >= 0.5
    assert weights["weight"][members].mean() > weights["weight"][~members].mean()


def test_a_file_that_could_not_be_written_whole_is_offered_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnosis = make_diagnosis()
    save(diagnosis, tmp_path / "run.errata")
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> None:
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_bytes", full)
        with pytest.raises((OSError, InvalidInput)):
            ready_file(diagnosis, tmp_path / "run.errata", "samples.csv")
    assert ready_file(diagnosis, tmp_path / "run.errata", "samples.csv").read_bytes() == table_csv(diagnosis)


def test_the_run_itself_can_be_taken_away_with_its_pictures_and_what_was_said_of_it(tmp_path: Path) -> None:
    diagnosis = make_diagnosis()
    put(diagnosis, tmp_path / "run.errata", thumbnails=False)  # as the examples, whose images lie beside them
    said = with_mark(diagnosis, OwnMark("cluster", 0, note="seen in May"))
    taken = load(ready_file(said, tmp_path / "run.errata", "run.errata", (1, 1)))
    assert yours_of(taken).mark_of("cluster", 0).note == "seen in May"
    assert taken.samples.items is not None
    assert len(taken.samples.items.read(3)) > 100
