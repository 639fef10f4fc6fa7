"""Questions that say a condition of the run, in its own words or in what the page calls it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from core.checks.questions import QuestionReader, ask
from core.discovery.conditions import meets
from core.discovery.method import diagnose_records
from core.language.counted import counted
from core.language.measured_words import named_condition
from core.records import EVERYTHING, Column, Diagnosis
from core.reports.tables.answers import answer_document
from core.reports.wording.answers import answer_sentence
from core.reports.wording.findings import sentence
from core.systems.label_descriptions.tagging import tag_samples
from core.systems.label_descriptions.tags import read_tags
from tests.support.planted_words import QUICK, WordTower, planted_run, samples_of


@cache
def run_with_columns() -> tuple[Diagnosis, WordTower]:
    """The planted failure, with a column that names its rows, and one that says nothing."""
    audit = planted_run("rare")[1]
    samples, outcomes, embeddings, words = samples_of(audit)
    brightness = np.random.default_rng(0).random(len(samples))
    columns = (
        Column("ground", "category", np.where(audit.slices[0], "deep snow", "road").astype(object)),
        Column("brightness", "number", brightness, measured=True),
    )
    samples = replace(samples, metadata=columns)
    return diagnose_records(samples, outcomes, embeddings, words=words, settings=QUICK), WordTower(audit)


def test_a_condition_said_word_for_word_has_the_p_that_the_run_found_for_it_listed_or_not() -> None:
    found, tower = run_with_columns()
    confirmed = next(i for i in found.insights if i.text == "ground = deep snow")
    unlisted = replace(found, insights=())  # as where a stronger one says the same
    for text in ("ground = deep snow", "the ground is deep snow", f"a {confirmed.scope} with ground = deep snow"):
        for run in (found, unlisted):
            answer = ask(run, [text], encoder=tower)[0]
            assert set(answer.rows) == set(np.flatnonzero(confirmed.mask))
            assert answer.confirmed
            if answer.scope == confirmed.scope:
                assert answer.p == confirmed.p
            assert "rom the table" in answer_sentence(run, answer)


def test_a_condition_that_was_tested_and_not_confirmed_says_so_with_its_p() -> None:
    found, tower = run_with_columns()
    limit = np.quantile(found.samples.metadata[1].values, 0.25)
    dark, high = ask(found, ["dark", "high brightness"], encoder=tower)
    assert set(dark.rows) == set(np.flatnonzero(found.samples.metadata[1].values <= limit))
    assert found.samples.metadata[1].values[high.rows].min() > 0.7
    assert dark.p is not None
    assert not dark.confirmed
    assert dark.observed.low < dark.rest < dark.observed.high
    said = answer_sentence(found, dark)
    assert said.startswith(f"250 samples have {dark.counted} (")
    assert "Not confirmed, could be chance (adjusted p = " in said
    assert "for everything the run tested" in said


def test_a_condition_that_the_run_did_not_test_is_tested_as_a_question() -> None:
    found, tower = run_with_columns()
    few = np.zeros(len(found.samples))
    few[:4] = 1
    samples = replace(
        found.samples, modality="text", metadata=(Column("question marks", "number", few, measured=True),)
    )
    answer = ask(replace(found, samples=samples), ["with questions"], encoder=tower)[0]
    assert (answer.counted, answer.support) == ("at least one question mark", 4)
    assert answer.p == answer.p_alone
    assert "your only question so far" in answer_sentence(replace(found, samples=samples), answer)
    before = ask(replace(found, family_null=None), ["dark"], encoder=tower)[0]
    assert before.support == 250
    assert before.p_alone is not None


def test_the_name_of_a_number_alone_is_answered_with_what_may_be_asked_of_it() -> None:
    found, tower = run_with_columns()
    bare, high = ask(found, ["Brightness", "high brightness"], encoder=tower)
    assert 'Ask for "high brightness" or "low brightness"' in bare.refused
    assert not high.refused
    assert not ask(found, ["ground"], encoder=tower)[0].refused  # a word that samples may show


@cache
def run_with_signs() -> tuple[Diagnosis, WordTower]:
    """Columns whose values differ in signs, in a plural or in case alone, or hold the name of a class."""
    audit = planted_run("rare")[1]
    samples, outcomes, embeddings, words = samples_of(audit)
    rng, n, names = np.random.default_rng(0), len(samples), np.array(samples.class_names, object)
    predicted = names[samples.labels]
    predicted[audit.slices[0]] = "cat"  # the planted dogs
    predicted[rng.choice(np.flatnonzero(samples.labels == 0), 60, replace=False)] = "dog"
    columns = (
        Column("mood", "number", rng.choice([-1.0, 1.0], n)),
        Column("lang", "category", rng.choice(["C", "C++", "C#"], n).astype(object)),
        Column("face", "category", rng.choice(["\U0001f642", "\U0001f641"], n).astype(object)),
        Column("wears", "category", rng.choice(["glass", "glasses"], n).astype(object)),
        Column("mark", "category", rng.choice(["A", "a"], n).astype(object)),
        Column("temperature", "number", rng.normal(0, 10, n)),
        Column("predicted", "category", predicted),
        Column("contrast", "category", np.where(rng.random(n) < 0.4, "yes", "no").astype(object)),
        Column("contrast", "number", rng.random(n), measured=True),
        Column("brightness", "number", rng.random(n), measured=True),
    )
    run = diagnose_records(replace(samples, metadata=columns), outcomes, embeddings, words=words, settings=QUICK)
    return run, WordTower(audit)


def texts_tested(run: Diagnosis) -> list[str]:
    assert run.words is not None
    return [condition.text for condition in QuestionReader(run, run.words).conditions]


def test_a_condition_is_meant_only_where_each_of_its_signs_is_said() -> None:
    run, tower = run_with_signs()
    by_name = {column.name: column.values for column in run.samples.metadata[:5]}
    for column, values in by_name.items():
        for value in set(values.tolist()):
            said = f"{value:g}" if isinstance(value, float) else value
            answers = ask(run, [f"{column} = {said}", f"a dog with {column} = {said}"], encoder=tower)
            assert [a.counted for a in answers] == [f"{column} = {said}"] * 2
            assert all((values[a.rows] == value).all() for a in answers)
    limit = next(t for t in texts_tested(run) if t.startswith("temperature at most -"))
    others = [limit.replace("-", ""), "Mark = A", "lang = c++.", "lang C", "face", "mood = +1"]
    assert [a.counted for a in ask(run, [limit, *others], encoder=tower)] == [limit] + [""] * len(others)


def test_a_tag_is_the_condition_whose_signs_it_says() -> None:
    run, tower = run_with_signs()
    report = tag_samples(run, read_tags("mood = 1, lang = C++", "image"), encoder=tower, n_permutations=100)
    for t, tag in enumerate(report.tags):
        column, value = (0, 1.0) if tag.name == "mood = 1" else (1, "C++")
        np.testing.assert_array_equal(report.carried[:, t] > 0, run.samples.metadata[column].values == value)


def test_a_class_in_the_value_of_a_condition_is_not_the_scope() -> None:
    run, tower = run_with_signs()
    confirmed = next(i for i in run.insights if i.text == "predicted = cat")
    assert (confirmed.scope, confirmed.confirmed) == ("dog", True)
    for answer in ask(run, ["predicted = cat", "a dog with predicted = cat"], encoder=tower):
        assert (answer.scope, answer.p) == ("dog", confirmed.p)
        assert set(answer.rows) == set(np.flatnonzero(confirmed.mask))
    cats = ask(run, ["a cat with predicted = cat"], encoder=tower)[0]
    assert cats.scope == "cat"
    assert answer_sentence(run, cats).startswith("Within cat: ")


def test_a_column_named_like_a_measured_one_is_asked_for_its_own_values() -> None:
    run, tower = run_with_signs()
    own, measured = run.samples.metadata[7:9]
    yes, low = ask(run, ["contrast = yes", "low contrast"], encoder=tower)
    assert set(yes.rows) == set(np.flatnonzero(own.values == "yes"))
    assert yes.p is not None
    assert set(low.rows) == set(np.flatnonzero(measured.values <= np.quantile(measured.values, 0.25)))
    for columns in ((own, measured), (measured, own)):
        np.testing.assert_array_equal(meets([("contrast", "=", "yes")], columns, len(own.values)), own.values == "yes")


def test_two_columns_of_one_name_are_told_apart_where_the_run_confirmed_one() -> None:
    run, _ = run_with_signs()
    n, tests = len(run.samples), (("cuts", "=", 1.0),)
    masks = [np.arange(n) < 100, np.arange(n) >= 50]
    tested = [("cuts = 1", tests, mask) for mask in masks]
    columns = tuple(Column("cuts", "number", mask * 1.0, mask is masks[1]) for mask in masks)
    run = replace(run, samples=replace(run.samples, metadata=columns), insights=run.insights[:1])
    assert counted("cuts = 1", run, tested=tested) is None
    for mask in masks:
        own = replace(run.insights[0], kind="condition", text="cuts = 1", tests=tests, mask=mask, confirmed=True)
        found = counted("cuts = 1", replace(run, insights=(own,)), tested=tested)
        assert found is not None
        assert found.mask is mask


def test_a_word_and_a_limit_that_contradict_each_other_are_no_condition() -> None:
    run, tower = run_with_signs()
    said = [text for text in texts_tested(run) if text.startswith("brightness at")]
    for text in said:
        word, other = ("dark", "bright") if "at most" in text else ("bright", "dark")
        asked = [f"{word} ({text})", f"{word} {text}", f"{other} ({text})", f"{other} {text}"]
        assert [a.counted for a in ask(run, asked, encoder=tower)] == [text, text, "", ""]


def test_a_confirmed_condition_is_not_quoted_where_another_value_is_said() -> None:
    run, tower = run_with_columns()
    other, same = ask(run, ["ground = deep snow+", "running, ground = deep snow"], encoder=tower)
    assert (other.counted, same.counted) == ("", "")
    assert "Counted from the table" not in answer_sentence(run, other)
    assert "Counted from the table. Dogs with ground = deep snow: " in answer_sentence(run, same)


def test_a_condition_that_is_said_not_to_hold_is_not_told() -> None:
    run, tower = run_with_columns()
    texts = [f"{said} ground = deep snow" for said in ("not", "a dog without", "running, but not with")]
    for answer in ask(run, texts, encoder=tower):
        assert answer.condition is None, answer.text
        assert "from the table" not in answer_sentence(run, answer)


@cache
def run_with_darkness() -> tuple[Diagnosis, WordTower]:
    """The planted failure, whose rows are dark, as are so many others that they make a tenth of all."""
    audit = planted_run("rare")[1]
    samples, outcomes, embeddings, words = samples_of(audit)
    rng, n = np.random.default_rng(0), len(samples)
    elsewhere = np.flatnonzero(samples.labels != samples.labels[audit.slices[0]][0])
    brightness = rng.uniform(0.4, 1, n)
    brightness[rng.choice(elsewhere, n // 10 - int(audit.slices[0].sum()), replace=False)] -= 0.4
    brightness[audit.slices[0]] -= 0.4
    samples = replace(samples, metadata=(Column("brightness", "number", brightness, measured=True),))
    run = diagnose_records(samples, outcomes, embeddings, words=words, settings=QUICK)
    return run, WordTower(audit)


def test_words_that_name_a_property_of_the_class_bring_its_confirmed_condition() -> None:
    run, tower = run_with_darkness()
    run = replace(run, clusters=())  # one that is called dark would be meant first
    known = [
        i for i in run.insights if i.kind == "condition" and i.confirmed and i.text.startswith("brightness at most")
    ]
    (scope,) = {i.scope for i in known} - {EVERYTHING}
    for text in (f"a dark {scope}", f"a {scope} in the dark", f"poorly lit {scope}s", f"a {scope} with low brightness"):
        (answer,) = ask(run, [text], encoder=tower)
        assert answer.condition in known, text
        assert answer.condition is not None
        assert answer.condition.scope == scope
        said = answer_sentence(run, answer)
        assert said.startswith(f"Within {scope}: ")
        assert f'"{answer.named}" is in the table and ' in said
        assert said.endswith(sentence(run, answer.condition, proxies=False)) or "Of those " in said
        assert answer_document(run, answer)["condition"] == {
            "text": answer.condition.text,
            "scope": scope,
            "size": answer.condition.size,
            "p": answer.condition.p,
            "measure": answer.condition.measure,
            "named": answer.named,
        }


def test_other_words_bring_no_condition() -> None:
    run, tower = run_with_darkness()
    (scope,) = {i.scope for i in run.insights if i.kind == "condition" and i.confirmed} - {EVERYTHING}
    other = next(name for name in run.samples.class_names if name != scope)
    texts = [f"a {said} {scope}" for said in ("bright", "hardly dark", "noisy")]
    texts += [f"a {scope} {said}" for said in ("that is not dark", "with high brightness", "beside a dark car")]
    texts += [f"a dark {scope} in snow", f"a dark {other}", f"a dark {scope} and a {other}", "in dim light"]
    for answer in ask(run, texts, encoder=tower):
        assert answer.condition is None, answer.text
        assert "is in the table and" not in answer_sentence(run, answer)
    (bare,) = [one for one in ask(run, [scope, f"a dark {scope}"], encoder=tower) if one.refused]
    assert (bare.condition, answer_document(run, bare)["condition"]) == (None, None)
    turned = replace(run, samples=replace(run.samples, metadata=(replace(run.samples.metadata[0], measured=False),)))
    assert named_condition(f"a dark {scope}", turned, scope, scope) is None
    assert named_condition(f"a {scope} with low brightness", turned, scope, scope) is not None


def test_words_are_heard_through_a_condition_that_says_the_same() -> None:
    run, _ = run_with_darkness()
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    instead = replace(own, text="tint = blue", tests=(("tint", "=", "blue"),), proxies=("brightness at most 0.213",))
    found = named_condition(f"a dark {own.scope}", replace(run, insights=(instead,)), own.scope, own.scope)
    assert found == (instead, "brightness at most 0.213")
    assert named_condition(f"a bright {own.scope}", replace(run, insights=(instead,)), own.scope, own.scope) is None


def test_a_value_of_a_column_is_known_by_itself() -> None:
    run, _ = run_with_columns()
    own = next(i for i in run.insights if i.text == "ground = deep snow")
    light = replace(own, text="ground = snow", tests=(("ground", "=", "snow"),))
    snowy = replace(run, insights=(light,))
    assert named_condition(f"a {own.scope} in snow", snowy, own.scope, own.scope) == (light, "ground = snow")
    assert named_condition(f"a {own.scope} on a road", snowy, own.scope, own.scope) is None


def test_a_value_of_any_column_or_of_two_brings_no_condition() -> None:
    run, _ = run_with_columns()
    own = next(i for i in run.insights if i.text == "ground = deep snow")
    columns = tuple(Column(name, "category", run.samples.metadata[0].values) for name in ("wind", "quality"))
    run = replace(run, samples=replace(run.samples, metadata=columns))

    def named(text: str, *tests: tuple[str, str, str]) -> str | None:
        insights = tuple(replace(own, text=" ".join(test), tests=(test,)) for test in tests)
        found = named_condition(text, replace(run, insights=insights), own.scope, own.scope)
        return None if found is None else found[1]

    assert named(f"a high {own.scope}", ("wind", "=", "high")) == "wind = high"
    assert named(f"a high {own.scope}", ("wind", "=", "high"), ("quality", "=", "high")) is None
    assert named(f"a false {own.scope}", ("wind", "=", "False")) is None
    assert named(f"not a {own.scope}", ("wind", "=", "not")) is None
