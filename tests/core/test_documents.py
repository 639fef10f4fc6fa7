"""JSON and YAML made to hurt: each is one message, told before anything large is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import documents
from core.documents import json_lines, parse_json, parse_yaml, read_json, read_text
from core.errors import InvalidInput
from core.limits import Limits

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)) + "names: *a39\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": ', "x: invalid JSON at column 7"),
        ('{"a": 1,\n"b"}', "x: invalid JSON at line 2, column 4"),
        ("[" * 65 + "]" * 65, "x: nested too deep: .* at most 64"),
        ("[" * 100_000, "x: nested too deep"),
        ('{"a":' * 900 + "1" + "}" * 900, "x: nested too deep"),
        ("9" * 301, "x: .*a number has more than 300 digits"),
        (f'{{"a": -{"1" * 4400}}}', "x: .*a number has more than 300 digits"),
        ('["ab\\ud800"]', "x: character 5 is not valid UTF-8"),
        ('[1,\n{"\\uDFff": 1}]', "x, line 2: character 3 is not valid UTF-8"),
        ('["\\ud83d\\ud83d\\ude00"]', "x: character 3 is not valid UTF-8"),
    ],
)
def test_json_that_cannot_be_used_is_one_message(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_json(text, "x")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 64 + "]" * 64,
        '["\\ud83d\\ude00", "\\\\ud800", "\\u00fc"]',
        f'{{"digits of a text": "{"7" * 5000}", "n": {"9" * 300}}}',
        "[1e400, -0.0, NaN, Infinity]",
        '{"a": 1, "a": 2}',
    ],
)
def test_honest_json_is_what_python_reads(text: str) -> None:
    assert repr(parse_json(text, "x")) == repr(documents.json.loads(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [("[NaN]", "holds NaN"), ("[-Infinity]", "holds -Infinity"), ('{"b": 0, "a": 1, "a": 2}', "key 'a' appears twice")],
)
def test_strict_json_hides_nothing(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_json(text, "x", strict=True)


def test_a_repeated_key_among_many_is_found_at_once() -> None:
    many = ",".join(f'"k{i}": 1' for i in range(100_000))
    with pytest.raises(InvalidInput, match="key 'k99999' appears twice"):
        parse_json(f'{{{many}, "k99999": 2}}', "x", strict=True)


def test_json_that_would_grow_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("parsed")

    text = "[" + "[]," * 9_000_000 + "[]]"
    monkeypatch.setattr(documents.json, "loads", never)
    with pytest.raises(InvalidInput, match=r"x would take at least .* [MG]iB of memory once read; a file of 25\.7 MiB"):
        parse_json(text, "x")


def test_lines_are_named_and_growth_is_counted_over_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(json_lines('{"a": 1}\n\n[2]\n', "x")) == [("x, line 1", {"a": 1}), ("x, line 3", [2])]
    with pytest.raises(InvalidInput, match="x, line 2: invalid JSON"):
        list(json_lines('{"a": 1}\n{"a": \n', "x"))
    monkeypatch.setattr(documents, "Limits", lambda: Limits(max_small_bytes=1_000, max_growth=1))
    with pytest.raises(InvalidInput, match="x would take at least"):
        list(json_lines('{"a": 1}\n' * 10, "x"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"x, line 2: the alias \*a0 is not supported"),
        ("a: {b: 1}\nc: {<<: {b: 2}}\n" + "- " * 70, "not valid YAML|nested too deep"),
        ("names: " + "[" * 5000 + "]" * 5000, "nested too deep|maximum nesting depth"),
        ("names: [" + "9" * 5000 + "]", "x, line 1: a number has more than 300 digits"),
        ("names: [2020-13-45]", "x holds a value that cannot be read .month must be in"),
        ('names: ["\\ud800"]', "invalid Unicode character|is not valid UTF-8"),
        ("names: [a", "x is not valid YAML"),
        ("names: !!python/object/apply:os.system [ls]", "x is not valid YAML"),
        ("? [a]\n: 1\n? {b: 1}\n: 2\n", "x is not valid YAML|x holds a value"),
        ("x" * (2**20 + 1), "the limit for YAML is 1,048,576"),
    ],
)
def test_yaml_that_cannot_be_used_is_one_message(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_yaml(text, "x")


def test_honest_yaml_is_read() -> None:
    assert parse_yaml("path: ../d\nnc: 2\nnames:\n  0: cat\n  1: 'dog: big'\n", "x") == {
        "path": "../d", "nc": 2, "names": {0: "cat", 1: "dog: big"}
    }  # fmt: skip


def test_files_that_are_missing_too_large_or_no_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with pytest.raises(InvalidInput, match=r"File '.*x\.json' not found"):
        read_json(file)
    file.write_bytes(b'"caf\xe9"')
    with pytest.raises(InvalidInput, match=r"x\.json is not UTF-8 text \(byte 4\)"):
        read_json(file)
    file.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(file) == [1]
    with pytest.raises(InvalidInput, match=r"x\.json has 6 bytes; at most 5 bytes are read"):
        read_text(file, most=5)
    with pytest.raises(InvalidInput, match=r"cannot be read: embedded null byte|not found"):
        read_text(tmp_path / "a\0b")
