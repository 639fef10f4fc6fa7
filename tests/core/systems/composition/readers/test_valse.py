"""VALSE: what annotators confirmed, and statements for questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from core.systems.composition.readers.builder import counted
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_valse_keeps_what_two_annotators_confirmed(tmp_path: Path) -> None:
    records = {"a": written.valse(3), "b": written.valse(2), "c": written.valse(1), "d": written.valse(None)}
    benchmark = read_benchmark("", write(tmp_path / "plurals.json", records))
    assert [item.id for item in benchmark.items] == ["plurals/a", "plurals/b"]
    assert [reason for _, reason in benchmark.excluded] == [
        f"fewer than 2 annotators confirmed its caption: {n}" for n in (1, 0)
    ]
    assert "2 items because fewer than 2 annotators confirmed its caption" in counted(benchmark.excluded)
    assert (benchmark.average, benchmark.items[0].tags) == ("piece", {"piece": "plurals", "phenomenon": "existence"})


def test_valse_says_the_statement_where_the_caption_is_a_question(tmp_path: Path) -> None:
    records = {
        "a": written.valse(caption="Is there a dog?", declarative_statement="There is a dog."),
        "b": written.valse(declarative_statement=None),
    }
    records["c"] = written.valse(declarative_statement="a dog")
    benchmark = read_benchmark("valse", write(tmp_path / "existence.json", records))
    assert [item.captions for item in benchmark.items] == [
        ("There is a dog.", "no dog"),
        ("a dog", "no dog"),
        ("a dog", "no dog"),
    ]
    assert "1 captions differ from the statement beside them in the file. Errata used the statement." in benchmark.notes


def test_votes_must_be_a_number(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"'mturk.caption', the number of votes, must be a number: it is text"):
        read_benchmark("valse", write(tmp_path / "plurals.json", {"a": {**written.valse(), "mturk": {"caption": "3"}}}))
