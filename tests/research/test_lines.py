"""A file of lines survives a kill: what was whole is read, what was cut off is said, and the next line stands alone."""

from __future__ import annotations

from research.lines import append_line, keys_done, read_lines


def test_a_line_cut_off_by_a_kill_is_said_and_harms_no_other(tmp_path, capsys):
    path = tmp_path / "deep" / "runs.jsonl"
    append_line(path, {"a": 1, "b": "x"})
    with path.open("a") as handle:
        handle.write('{"a": 2')
    assert read_lines(path) == [{"a": 1, "b": "x"}]
    assert "line 2" in capsys.readouterr().err
    append_line(path, {"a": 3, "b": "y"})
    assert keys_done(read_lines(path), ("a", "b")) == {(1, "x"), (3, "y")}


def test_no_file_has_no_lines(tmp_path):
    assert read_lines(tmp_path / "none.jsonl") == []
