"""The words for what would have been found: the smallest pattern, or plainly none; of errors, losses, a named class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.records import Diagnosis, Sensitivity
from core.reports.wording.sensitivity import classes_sentence, how_planted, pattern_sentence, sensitivity_sentence
from tests.support.diagnoses import make_diagnosis
from tests.support.sensitivity import made_sensitivity


def said(found: Sensitivity | None) -> str:
    return sensitivity_sentence(with_grid(found)).replace("\u00a0", " ")


def with_grid(found: Sensitivity | None) -> Diagnosis:
    return replace(make_diagnosis(n_clusters=0), sensitivity=found)


def test_the_smallest_pattern_of_half_failures_is_named_with_its_count() -> None:
    text = said(made_sensitivity())
    assert text.startswith(
        "A pattern of 20 % of a class (20 samples) that always fails would be found 8 to 9 times in 10 "
        "(33 of 40 planted were found, 95 % interval 67 to 93 %). "
        "A pattern of 5 % of all samples (20 samples) of which half fail would be found 8 to 9 times in 10 "
        "(34 of 40 planted were found, 95 % interval 70 to 94 %)."
    )
    assert text.endswith("keeps together; smaller, weaker or more scattered ones may be missed.")


def test_a_smaller_one_that_only_a_stronger_failure_shows_is_named_too() -> None:
    found = made_sensitivity(found={("class", 10): (0, 4, 36), ("class", 20): (2, 35, 40)})
    text = said(found)
    assert "A pattern of 20 % of a class (20 samples) of which half fail would be found 8 to 9 times in 10" in text
    assert "95 % interval 73 to 96 %). A smaller one, of 10 % (10 samples), would be found 9 times in 10 if all" in text
    assert "times in 10 if all of it fails." in text


def test_a_smaller_one_of_higher_loss_is_a_sentence_of_its_own() -> None:
    planted = {("class", 10): (0, 4, 36), ("class", 20): (2, 35, 40)}
    smaller = " A smaller one, of 10 % (10 samples), would be found 9 times in 10 if its loss is "
    assert f"{smaller}5 times as high." in said(made_sensitivity("times the mean loss", found=planted))
    assert f"{smaller}higher by 2 standard deviations." in said(
        made_sensitivity("deviations of the loss", found=planted)
    )


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "would be missed"),
        (1, "would mostly be missed"),
        (5, "would mostly be missed"),
        (16, "found only 4 times in 10"),
        (31, "found only 7 to 8 times in 10"),
    ],
)
def test_where_none_is_found_the_strongest_and_largest_says_so(n: int, words: str) -> None:
    text = said(made_sensitivity(classes=(), found={("all samples", 20): (0, 0, 0), ("all samples", 80): (0, 0, n)}))
    assert "Even a pattern of 20 % of all samples (80 samples) that always fails" in text
    assert f"{words} ({n} of 40 planted {'was' if n == 1 else 'were'} found, " in text


def test_losses_are_spoken_of_as_multiples_or_as_deviations() -> None:
    assert "with twice the loss would be found 8 to 9 times in 10" in said(made_sensitivity("times the mean loss"))
    assert "with 5 times the loss would be found" in said(made_sensitivity("times the mean loss"))
    assert "with a loss higher by 1 standard deviation would be" in said(made_sensitivity("deviations of the loss"))
    assert "fail" not in said(made_sensitivity("times the mean loss"))


def test_a_class_that_was_searched_alone_is_named() -> None:
    assert "A pattern of 20 % of tram (20 samples) that always fails" in said(made_sensitivity(classes=("tram",)))


def test_whole_classes_have_a_sentence_of_their_own() -> None:
    text = classes_sentence(with_grid(made_sensitivity())).replace("\u00a0", " ")
    assert text == (
        "A whole class of 100 samples of which 35 % fail would be found 8 to 9 times in 10 "
        "(33 of 40 planted were found, 95 % interval 67 to 93 %)."
    )
    assert classes_sentence(with_grid(made_sensitivity(classes=()))) == ""
    assert classes_sentence(with_grid(None)) == ""


def test_each_cell_is_a_sentence() -> None:
    found = made_sensitivity()
    text = pattern_sentence(found, found.patterns[3]).replace("\u00a0", " ")
    assert text == (
        "A pattern of 20 % of a class (20 samples) of which 35 % fail: found less than 1 time in 10 "
        "(2 of 40 planted were found, 95 % interval 0.6 to 17 %)."
    )


def test_how_it_was_made_says_what_found_means() -> None:
    text = how_planted(with_grid(made_sensitivity())).replace("\u00a0", " ")
    for words in ("40 patterns of each size", "10 % fail", "about 100 samples", "half of its 10 surest samples"):
        assert words in text
    assert "the mean loss is 0.10 nats" in how_planted(with_grid(made_sensitivity("times the mean loss")))
    assert how_planted(with_grid(None)) == ""
    assert "Nothing was planted" not in text
    copies = how_planted(with_grid(replace(made_sensitivity(), unplanted=150)))
    assert "Nothing was planted in 150 samples of groups that hold more than a tenth" in copies
