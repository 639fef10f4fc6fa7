from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from core.errors import InvalidInput
from core.options import check_seed, read_name, read_settings, setting, settings_of
from core.systems.probes import PROBES, make_probe, probe_class


@dataclass(frozen=True)
class Made:
    title = "Made"

    shots: int = setting(4, "how many", low=1, high=16)
    weight: float | None = field(default=None, metadata={"low": 0.0, "advanced": True})
    free: float = 0.5
    kind: str = setting("one", "", choices=("one", "two"))
    text: str = setting("", "", kind="text")
    fast: bool = False
    least: float = field(default=1.0, metadata={"high": 2.0})


def test_fields_become_settings_in_order_with_what_their_metadata_says():
    found = {s.name: s for s in settings_of(Made)}
    assert list(found) == ["shots", "weight", "free", "kind", "text", "fast", "least"]
    assert (found["shots"].kind, found["shots"].default, found["shots"].low, found["shots"].high) == ("int", 4, 1, 16)
    assert found["shots"].help == "how many"
    assert (found["weight"].kind, found["weight"].optional, found["weight"].advanced) == ("float", True, True)
    assert found["kind"].choices == ("one", "two")
    assert found["text"].widget == "text"
    assert (found["fast"].kind, found["fast"].optional) == ("bool", False)


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("shots", "3", 3),
        ("shots", 3.0, 3),
        ("weight", "", None),
        ("weight", None, None),
        ("weight", "0.25", 0.25),
        ("kind", "two", "two"),
        ("text", "", ""),
        ("fast", "yes", True),
        ("fast", "False", False),
        ("fast", True, True),
    ],
)
def test_text_and_values_are_read_as_the_fields_kind(name, given, read):
    assert read_settings(Made, {name: given}) == {name: read}
    assert type(read_settings(Made, {name: given})[name]) is type(read)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("shots", "3.5", "shots must be a whole number: got '3.5'"),
        ("shots", "many", "a whole number"),
        ("shots", True, "a whole number"),
        ("shots", "inf", "a whole number"),
        ("shots", 0, "shots must be 1 to 16: got 0. The default is 4"),
        ("shots", "17", "1 to 16"),
        ("shots", "", "shots needs a value. The default is 4"),
        ("weight", "-1", "at least 0"),
        ("weight", "nan", "must be a number: got 'nan'. Leave it empty for an automatic choice"),
        ("free", "inf", "must be a number"),
        ("free", [1], "must be a number"),
        ("kind", "three", "kind must be one of one, two: got 'three'"),
        ("text", 3, "text must be text"),
        ("fast", "maybe", "fast must be yes or no: got 'maybe'"),
        ("fast", None, "needs a value"),
        ("least", 3, "at most 2"),
        ("colour", 1, "Made has no setting 'colour'. It has: shots"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_rule(name, given, said):
    with pytest.raises(InvalidInput, match=said):
        read_settings(Made, {name: given})


def test_an_unknown_probe_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match=r"Unknown probe 'sus'. Use one of zero-shot, label-desc, sus-x"):
        probe_class("sus")


@pytest.mark.parametrize("name", ["zero-shot", "lp++", "linear-probe"])
def test_a_probe_is_made_of_its_defaults_and_says_what_it_is(name):
    probe = make_probe(name)
    assert probe.title
    assert probe.what.endswith(".")
    assert probe.source
    assert probe.estimate(1000, 10, 2) > 0
    for one in settings_of(probe_class(name)):
        assert getattr(probe, one.name) == one.default
        assert one.help
    assert name in PROBES


def test_half_a_surrogate_pair_is_no_text():
    with pytest.raises(InvalidInput, match="text: character 2 is not valid UTF-8"):
        read_settings(Made, {"text": "a\ud800"})


@pytest.mark.parametrize(
    ("given", "read"), [("", ""), ("  ", ""), (" a\n b/../c ", "a b/../c"), ("<b>é 猫 👩‍🚀</b>", "<b>é 猫 👩‍🚀</b>")]
)
def test_the_name_of_a_result_is_one_line(given, read):
    assert read_name(given) == read


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("model", "under diagnosis"),
        ("Model ", "under diagnosis"),
        ("x" * 201, "201"),
        ("a\0b", "control"),
        ("\udcff", "not valid UTF-8"),
    ],
)
def test_a_name_that_no_file_or_line_could_show_is_refused(given, said):
    with pytest.raises(InvalidInput, match=said):
        read_name(given)


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InvalidInput, match="seed must be at least 0"):
        check_seed(seed)
    assert check_seed(2**32 - 1) == 2**32 - 1
