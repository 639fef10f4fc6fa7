"""Mutants of a few lines, and the tests that are tried on them first."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.evidence.mutants import EQUAL, distances, drawn, mutants, show
from research.lines import read_lines

TEXT = '''def f(a: int = 2, *, b=0.5):
    """Not 1."""
    if not a < b:
        raise ValueError(f"{a + 1}")
    g(a, b)
    return max(a[b:] for _ in range(a)) and True
'''


def test_each_is_one_change_of_the_code_and_never_of_words() -> None:
    found = mutants("f.py", TEXT)
    assert {(row["before"], row["after"]) for row, _ in found} == {
        ("2", "3"), ("2", "1"), ("0.5", "1.0"), ("0.5", "0.25"), ("not a < b", "a < b"), ("a < b", "a <= b"),
        ("g(a, b)", "pass"), ("g(a, b)", "g(b, a)"), ("max(a[b:] for _ in range(a))", "min((a[b:] for _ in range(a)))"),
        ("b:", "b + 1:"), ("range(a)", "range(a - 1)"), ("True", "False"),
        ("max(a[b:] for _ in range(a)) and True", "max((a[b:] for _ in range(a))) or True"),
    }  # fmt: skip
    assert all(compile(made, "f.py", "exec") and made != TEXT for _, made in found)
    assert len({(row["line"], row["column"]) for row, _ in drawn(found, 5, 0)}) == 5


def test_the_mirror_is_nearest_then_whoever_imports_the_module(tmp_path: Path) -> None:
    core, tests = "core", "tests/core"  # apart from the names, since a whole path must name a module of the project
    files = {
        f"{core}/means.py": "",
        f"{core}/classes.py": "import core.means",
        f"{tests}/test_means.py": "import core.means",
        f"{tests}/test_classes.py": "import core.classes",
        f"{tests}/test_tops.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert distances(tmp_path, f"{core}/means.py") == {f"{tests}/test_means.py": 0, f"{tests}/test_classes.py": 2}


def test_a_sample_of_several_files_is_drawn_from_all_of_them_and_a_file_of_equal_ones_has_no_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    both = mutants("f.py", TEXT) + mutants("g.py", TEXT)
    assert len(drawn(both, 99, 0)) == 2 * len(drawn(mutants("f.py", TEXT), 99, 0))
    equal = read_lines(EQUAL)[0]
    show([equal | {"line": 1, "killed": False}, equal | {"file": "g.py", "line": 1, "killed": True}])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"| {equal['file']} | 1 | 0 | 1 | – |"
    assert lines[2].startswith("| all | 2 | 1 | 1 | 1.00 [")
