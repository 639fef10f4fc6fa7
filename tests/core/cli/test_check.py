"""The command `check`, from outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errata
from core.cli.main import main
from core.errors import InvalidInput
from tests.support.desk import NAMES, right

RIGHT = right()
TABLE = {"label": NAMES[RIGHT.labels], "prediction": NAMES[RIGHT.predictions], "loss": RIGHT.loss, "site": "a"}
EXAMPLES = Path(__file__).parents[3] / "assets/examples"


@pytest.mark.parametrize("name", ["clips", "clothing", "definitions", "nothing_to_find", "scans", "scenes"])
def test_no_example_that_ships_is_doubted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = EXAMPLES / name
    images = ["--images", str(folder / "images.zip")] if (folder / "images.zip").is_file() else []
    assert main(["check", str(folder / "table.csv"), *images]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("Note: ") and "Recognized columns" not in line] == []
    assert sum(line.startswith("  ") for line in said) == 5


def test_a_table_is_told_as_it_was_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(TABLE).to_csv(tmp_path / "val.csv")
    assert main(["check", str(tmp_path / "val.csv")]) == 0
    said = capsys.readouterr().out
    wrong = RIGHT.predictions != RIGHT.labels
    assert "400 rows. The loss is loss from column 'loss'" in said
    assert f"{wrong.sum()} of 400 are wrong." in said
    worst = int(RIGHT.loss.argmax())
    true, guess = TABLE["label"][worst], TABLE["prediction"][worst]
    assert f"  {worst}: {true}, predicted {guess}, loss {RIGHT.loss.max():.2f}: wrong\n" in said


def test_a_regression_shows_what_was_meant_and_what_was_said() -> None:
    target = np.linspace(10, 90, 40)
    said = errata.check({"target": target, "prediction": target + np.arange(40) % 7})
    assert "  6: target 22.3, prediction 28.3, loss 36.0" in said


def test_a_mistake_is_refused_with_the_usual_code_and_the_way_on_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({**TABLE, "loss": -RIGHT.loss}).to_csv(tmp_path / "val.csv")
    assert main(["check", str(tmp_path / "val.csv")]) == InvalidInput.exit_code == 2
    assert "add --higher-is-better" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "val.csv"), "--higher-is-better"]) == 0
    assert main(["check", str(tmp_path / "val.csv"), "--as-is"]) == 0
    assert "Note: Taken as it is, though it looks like a mistake: 'loss' is smaller where" in capsys.readouterr().out
    assert main(["check"]) == 2


def test_python_has_the_same_lines(tmp_path: Path) -> None:
    said = errata.check(TABLE)
    assert said[0].startswith("400 rows. The loss is loss")
    with pytest.raises(InvalidInput, match="from 0 or from 1"):
        errata.check({"label": RIGHT.labels + 1, "prediction": RIGHT.predictions})


def test_nothing_heavy_is_loaded_for_it(tmp_path: Path) -> None:
    pd.DataFrame(TABLE).to_csv(tmp_path / "val.csv")
    program = (
        "import sys; from core.cli.main import main; code = main(['check', sys.argv[1]]); "
        "print([name for name in ('torch', 'sklearn', 'umap', 'gradio') if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "val.csv")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
