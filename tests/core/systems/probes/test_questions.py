from __future__ import annotations

import pytest

from core.cli.main import main
from core.systems.probes import PROBES
from core.systems.probes.questions import BINDING, QUESTIONS
from tests.conftest import REPOSITORY


def test_every_probe_has_one_question_in_the_order_of_the_table() -> None:
    assert list(QUESTIONS) == list(PROBES)
    for question in QUESTIONS.values():
        assert question.asked.endswith("?")
        assert question.reading.endswith(".")
    assert len({question.asked for question in QUESTIONS.values()}) == len(QUESTIONS)


def test_help_and_docs_say_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    guide = (REPOSITORY / "docs" / "probes.md").read_text("utf-8")
    main(["probe", "--help"])
    help_of_all = capsys.readouterr().out
    for name, question in QUESTIONS.items():
        assert f"| {question.asked} | `{name}` | {question.reading} |" in guide
        assert f"\n  {name} " in help_of_all
        assert question.asked in help_of_all
    assert BINDING.partition("? ")[2] in guide
    main(["probe", "zero-shot", "--help"])
    assert QUESTIONS["zero-shot"].reading in " ".join(capsys.readouterr().out.split())
