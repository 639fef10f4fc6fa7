"""Progress: one line a step on a terminal, nothing in a pipe."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from core.cli.output import print_json, write_table
from core.cli.terminal import TerminalProgress, progress_line, say
from core.numbers import clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_nothing() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    progress("embed", 1, 10)
    progress.close()
    assert stream.getvalue() == ""


def test_each_step_has_a_line_of_its_own_and_its_last_count_stays() -> None:
    stream = Terminal()
    progress = TerminalProgress(stream)
    for step, total in (("embed", 200), ("test", 3)):
        for done in range(1, total + 1):
            progress(step, done, total)
    progress.close()
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[0].split("\r\x1b[K")[-1].startswith("embed: 200 of 200")
    assert lines[1].split("\r\x1b[K")[-1].startswith("test: 3 of 3")
    assert stream.getvalue().count("embed") < 200


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 1600, 0.0, "embed: 0 of 1,600"),
        (320, 1600, 8.0, "embed: 320 of 1,600, 0:32 left"),
        (1600, 1600, 40.0, "embed: 1,600 of 1,600, 0:40"),
        (3, 10, 6.0, "embed: 3 of 10, 0:14 left"),
        (1, 1, 9.0, "embed"),
    ],
)
def test_a_line_has_count_and_time_left(done: int, total: int, seconds: float, line: str) -> None:
    assert progress_line("embed", done, total, seconds) == line


def test_the_clock() -> None:
    assert [clock(s) for s in (0, 31.4, 60, 3599, 3661)] == ["0:00", "0:31", "1:00", "59:59", "1:01:01"]


def test_what_a_command_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("column \x1b[2J\u202e", "two\nlines")
    assert capsys.readouterr().out == "column \\x1b[2J\\u202e two\nlines\n"


def test_progress_writes_no_code_but_its_own() -> None:
    stream = Terminal()
    TerminalProgress(stream)("embed \x1b[31m", 1, 1)
    assert stream.getvalue() == "\r\x1b[Kembed \\x1b[31m"


def test_json_and_tables_on_a_terminal_steer_it_neither(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_json({"a\u202e": "\x9b1m"})
    assert json.loads(found := capsys.readouterr().out) == {"a\u202e": "\x9b1m"}
    assert found.isascii()
    table = pd.DataFrame({"a": ["\x1b[2J"]})
    write_table(table, None)
    assert capsys.readouterr().out == "a\n\x1b[2J\n"  # a pipe gets the cells as they are
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    write_table(table, None)
    assert terminal.getvalue() == "a\n\\x1b[2J\n"
