"""The programs that people write from Python run, and take the lines that the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from research.evidence import python_programs
from research.evidence.python_programs import PROGRAMS, Program, answer, lines, table

FEW = 160
"""Samples: enough for a hundred that a run is predicted on, and sixty that it is made of."""
GIVES = {
    "a frame and vectors": "Findings",
    "a torch data set": "Findings",
    "a table and a zip": "DataFrame",
    "texts, and a question": "Reply",
    "a question, and its samples": "DataFrame",
    "six images of a group": "list",
    "a report": "PosixPath",
    "a second model": "Result",
    "a frame of several labels an image": "Diagnosis",
    "a pickle round trip": "Findings",
    "two models as two runs": "Result",
    "a gate with a margin": "bool",
    "a probe, then a comparison with it": "Result",
    "new rows from memory": "Result",
    "a lasso as rows": "Series",
    "words that a chat model proposes": "tuple",
}
"""The type of what each gives; of the others a run."""
LONG = (
    "losses and a list of images",
    "a torch data set",
    "a table and a zip",
    "a data set of Hugging Face",
    "floats in NCHW order",
    "a gate with a margin",
)


def marked(program: Program) -> Any:
    slow = [pytest.mark.slow] if program.name in LONG else []
    return pytest.param(program, id=program.name, marks=slow)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("programs")
    return {**python_programs.given(folder, FEW), "folder": folder}


@pytest.mark.parametrize("program", [marked(program) for program in PROGRAMS])
def test_a_program_gives_what_it_asks_for(
    program: Program, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if program.package:
        pytest.importorskip(program.package)
    monkeypatch.chdir(values["folder"])
    given = answer(program, values)
    assert type(given).__name__ == GIVES.get(program.name, "Run")
    if program.name == "six images of a group":
        assert len(given) == 6


def test_a_statement_is_a_line_and_an_import_none() -> None:
    assert lines("import a\nfrom b import c\nx = (\n1 +\n2)\nfor i in x:\n    print(i)") == 3


def test_no_program_takes_more_lines_than_before_and_the_page_says_how_many(repository: Path) -> None:
    assert all(lines(program.source) <= lines(program.before) for program in PROGRAMS if program.before)
    assert table() in (repository / "docs/evidence/python.md").read_text("utf-8")
