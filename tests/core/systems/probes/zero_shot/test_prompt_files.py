from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.common import named_texts
from core.systems.common.named_texts import by_class, read_lists
from core.systems.probes.zero_shot import prompt_files
from core.systems.probes.zero_shot.prompt_files import read_synonyms, read_templates

NAMES = ("Great_White Shark", "C++: {a}", '🐱 "chat", dit', "猫")


def test_the_published_templates_are_seven_and_eighty_each_with_one_place_for_the_name():
    seven, eighty = read_templates("7"), read_templates("80")
    assert (len(seven), len(eighty)) == (7, 80)
    assert all(t.count("{}") == 1 for t in seven + eighty)
    assert "itap of a {}." in seven
    assert eighty[0] == "a bad photo of a {}."


def test_templates_are_read_without_importing_open_clip_or_torch():
    code = "import sys; from core.systems.probes.zero_shot.prompt_files import read_templates; read_templates('80');"
    code += "print([m for m in ('open_clip', 'torch') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(prompt_files.__file__).parents[4],
    )
    assert out.stdout.strip() == "[]"


def test_own_templates_are_lines_and_blank_or_repeated_ones_are_left_out():
    assert read_templates("own", "a {} at night.\n\n  a {} at night.\n{} {x}") == ("a {} at night.", "{} {x}")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("", "is empty"),
        ("no place", "has {} 0 times"),
        ("fine {}\n{} and {}", "line 2.*has {} 2 times"),
        ("{name}", "0 times"),
    ],
)
def test_an_own_template_without_exactly_one_place_is_refused(own: str, said: str):
    with pytest.raises(InvalidInput, match=said):
        read_templates("own", own)


def test_descriptions_are_read_from_a_file_or_as_text(tmp_path: Path):
    file = tmp_path / "d.json"
    file.write_text("\ufeff" + json.dumps({"cat": ["\nA cat  is soft.", "A cat is soft."], "dog": []}), "utf-8")
    assert read_lists(str(file), "descriptions") == {"cat": ("A cat is soft.", "A cat is soft."), "dog": ()}
    assert read_lists('  {"猫": ["ひげ"]}', "descriptions") == {"猫": ("ひげ",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "invalid JSON at column 2"),
        ("[1]", "must be an object of lists.*it is a list"),
        ('{"cat": "soft"}', "'cat' must be a list of texts: it is text"),
        ('{"cat": {"a": []}}', "'cat' must be a list of texts: it is an object"),
        ('{"cat": ["soft", 3]}', "'cat', entry 2 must be text: it is a number"),
        ('{"cat": [null]}', "'cat', entry 1 must be text: it is null"),
        ('{"cat": ["  "]}', "'cat', entry 1 is empty"),
        ('{"cat": [], "dog": []}', "no text. Write at least one"),
        ("{}", "no text. Write at least one"),
        ('{"cat": ["a"], "cat": ["b"]}', "the key 'cat' appears twice"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": ' + "1" * 5000 + "}", "a number has more than 300 digits"),
        ("nowhere.json", "File 'nowhere.json' not found"),
        ("a\0b.json", "descriptions: "),
        ("x" * 5000, "descriptions: "),
    ],
)
def test_a_faulty_description_file_gets_one_message_that_names_the_fault(text: str, said: str):
    with pytest.raises(InvalidInput, match=said):
        read_lists(text, "descriptions")


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read_lists(str(tmp_path / "b.json"), "descriptions")
    monkeypatch.setattr(named_texts, "MAX_TEXT_BYTES", 20)
    (tmp_path / "c.json").write_text('{"cat": ["whiskers and fur"]}')
    for source in (str(tmp_path / "c.json"), '{"cat": ["whiskers and fur"]}'):
        with pytest.raises(InvalidInput, match=r"at most 20 bytes are"):
            read_lists(source, "descriptions")


def test_names_are_matched_whatever_their_case_underscores_and_composition():
    lists = {"great white  shark": ("a",), "CAFE\u0301": ("b",), "stranger": ("c",)}
    assert by_class(lists, ("Great_White Shark", "café", "other"), "descriptions") == (
        (("a",), ("b",), ()),
        ("stranger",),
    )


def test_a_file_of_other_classes_or_with_one_class_twice_is_refused():
    with pytest.raises(InvalidInput, match=r"none of its names \(1\) is a class\. It has 'dog'; the classes are 'cat'"):
        by_class({"dog": ("a",)}, ("cat",), "descriptions")
    with pytest.raises(InvalidInput, match="'a_b' and 'A b' are the same name"):
        by_class({"a_b": ("x",), "A b": ("y",)}, ("a b",), "descriptions")


def test_synonyms_are_read_from_lines_for_names_of_any_script_and_with_colons():
    lines = 'great white shark: man-eater , white pointer\nC++: {a}: {b} "c"\n猫：ネコ、子猫\n\n🐱 "chat", dit: minou'
    found, notes = read_synonyms(lines, NAMES)
    assert found == (
        ("Great White Shark", "man-eater", "white pointer"),
        ("C++: {a}", '{b} "c"'),
        ('🐱 "chat", dit', "minou"),
        ("猫", "ネコ", "子猫"),
    )
    assert notes == ()


def test_synonyms_are_read_from_a_json_file_and_strangers_are_counted(tmp_path: Path):
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"cat": ["Cat", "tom, the"], "cow": ["ox"]}))
    assert read_synonyms(str(file), ("cat", "dog")) == (
        (("cat", "tom, the"), ("dog",)),
        ("1 name in the synonyms is not a class and was not used: 'cow'.",),
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [("cow: ox", "line 1: got .* Start with a class"), ("cat: pet\ndog: Pet", "'Pet' names both 'cat' and 'dog'")],
)
def test_synonyms_of_no_class_or_of_two_are_refused(lines: str, said: str):
    with pytest.raises(InvalidInput, match=said):
        read_synonyms(lines, ("cat", "dog"))


def test_half_a_surrogate_pair_in_a_description_is_named():
    with pytest.raises(InvalidInput, match="descriptions: character 19 is not valid UTF-8"):
        read_lists('{"cat": ["fine", "\\ud800"]}', "descriptions")
