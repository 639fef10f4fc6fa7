"""A title says what the members have and the rest has not, how sure it is, and nothing that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.language.naming import name_cluster
from core.language.title_model import model_of
from core.language.titles import Subject
from core.records import (
    EVERYTHING,
    Bool,
    ClusterName,
    Column,
    Competence,
    Embeddings,
    FailureCluster,
    Insight,
    Outcomes,
    SampleSet,
    Words,
)
from tests.support.diagnoses import make_diagnosis

N = 400
MEMBERS = np.arange(N) < 60
PHRASES = ("on grass", "with a ball", "jumping", "on a beach", "in the dark", "noisy", "glitchy")
D = 24


def words(shown: dict[str, Bool], *, measured: bool = True, **changes: Any) -> Words:
    """Samples of a space in which those that show a phrase lie along it."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(D, D)))[0][: len(PHRASES)].astype(np.float32)
    vectors = rng.normal(0, 0.3, (N, D)).astype(np.float32)
    for phrase, rows in shown.items():
        vectors[rows] += directions[PHRASES.index(phrase)]
    area = np.where(np.array(PHRASES) == "glitchy", np.nan, 0.95)
    counts = np.where(np.isnan(area), 0, 50)
    known = Competence(area, area - 0.05, area + 0.04, counts, counts, 0.75) if measured else None
    joint = Embeddings(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "made", "made")
    return replace(Words(joint, "made", PHRASES, ("place",) * len(PHRASES), directions, competence=known), **changes)


def name(
    said: Words | None = None,
    *,
    columns: tuple[Column, ...] = (),
    members: Bool = MEMBERS,
    scope: str = EVERYTHING,
    outcomes: Outcomes | None = None,
    modality: str = "image",
    classes: tuple[str, ...] = ("dog", "cat"),
    insights: tuple[Insight, ...] = (),
) -> ClusterName:
    """The title of the members among `N` samples, all of which are in the scope."""
    made = make_diagnosis(N)
    samples: SampleSet = replace(made.samples, metadata=columns, class_names=classes, labels=np.zeros(N, np.int64))
    samples = replace(samples, modality=modality)
    cluster: FailureCluster = replace(made.clusters[0], scope=scope, membership=members * 0.9)
    losses = outcomes or Outcomes(np.zeros(N), "loss", "loss", "given")
    return name_cluster(cluster, insights, samples, losses, np.arange(N), said)


def number(name: str, inside: float, outside: float, spread: float = 0.05) -> Column:
    noise = np.random.default_rng(len(name)).normal(0, spread, N)
    return Column(name, "number", np.where(MEMBERS, inside, outside) + noise, measured=True)


def category(name: str, inside: str, outside: str, share: float = 0.95) -> Column:
    """A column of the user's own in which so many of the members have one value, and of the others one in twenty."""
    has = np.random.default_rng(1).random(N) < np.where(MEMBERS, share, 0.05)
    return Column(name, "category", np.where(has, inside, outside).astype(object))


def test_a_phrase_that_the_members_show_is_the_title() -> None:
    called = name(words({"on grass": MEMBERS}), scope="dog")
    assert (called.text, called.kind, called.grade) == ("Dogs on grass", "phrase", "likely")
    assert called.words[0] == "on grass"
    assert called.chance is not None
    assert called.chance >= model_of(None, "image").likely


@pytest.mark.parametrize("share", [0.2, 0.1])
def test_a_phrase_that_few_of_the_members_show_is_no_likely_title(share: float) -> None:
    some = MEMBERS & (np.random.default_rng(2).random(N) < share)
    assert name(words({"on grass": some}), scope="dog").grade != "likely"


def test_a_phrase_of_an_encoder_that_was_not_measured_is_never_likely() -> None:
    called = name(words({"on grass": MEMBERS}, measured=False), scope="dog")
    assert called.grade == "perhaps"
    assert called.text.startswith("Perhaps: dogs on grass")


def test_a_shipped_phrase_that_was_not_measured_or_that_no_sample_is_like_titles_nothing() -> None:
    assert "glitchy" not in name(words({"glitchy": MEMBERS})).text
    support = np.where(np.array(PHRASES) == "on grass", 2.0, 4.0)
    assert "on grass" not in name(words({"on grass": MEMBERS}, line=3.0, support=support)).text


def test_random_members_have_no_likely_title() -> None:
    rng, likely = np.random.default_rng(3), 0
    for _ in range(40):
        members = np.zeros(N, bool)
        members[rng.choice(N, 40, replace=False)] = True
        columns = (number("brightness", 0.5, 0.5), category("weather", "fog", "sun", 0.05))
        likely += name(words({"on grass": MEMBERS}), columns=columns, members=members).grade == "likely"
    assert likely <= 2  # at most 3 in 100 are to be expected


@pytest.mark.parametrize(("modality", "said"), [("image", True), ("image", False), ("text", False)])
def test_the_luckiest_of_many_columns_is_no_title(modality: str, said: bool) -> None:
    rng, likely = np.random.default_rng(6), 0
    for _ in range(30):
        members = rng.permutation(N) < rng.integers(5, 40)
        columns = [
            *(Column(f"hue {i}", "category", rng.choice(list("abcdefgh"), N).astype(object)) for i in range(15)),
            *(Column(f"age {i}", "number", rng.normal(size=N)) for i in range(15)),
        ]
        called = name(
            words({"jumping": MEMBERS}) if said else None, columns=(*columns,), members=members, modality=modality
        )
        likely += called.grade == "likely"
    assert likely <= 1


@pytest.mark.parametrize("modality", ["image", "text", ""])
def test_a_column_titles_samples_without_words_as_well(modality: str) -> None:
    called = name(columns=(category("weather", "fog", "sun"),), modality=modality)
    assert (called.kind, called.grade) == ("condition", "likely")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("unit", "zero"), [(1e-9, 0), (1, -100), (1, 1e6), (1e307, 0)])
def test_the_unit_of_a_column_changes_nothing_of_its_title(unit: float, zero: float) -> None:
    plain = np.where(MEMBERS, 2.0, 0.0) + np.random.default_rng(7).normal(size=N)
    first, other = (name(columns=(Column("age", "number", x),)) for x in (plain, plain * unit + zero))
    assert (first.text, first.grade) == ("Images with a high age", "likely")
    assert (other.text, other.grade, other.chance) == (first.text, first.grade, first.chance)


def test_a_column_is_the_title_by_its_values() -> None:
    fog = name(columns=(category("weather", "fog", "sun"),))
    assert (fog.text, fog.kind, fog.grade) == ("Images with weather: fog", "condition", "likely")
    assert name(columns=(category("object_size", "small", "large"),)).text == "Small objects"
    assert name(columns=(category("object_size", "small", "large"),), scope="dog").text == "Small dogs"


@pytest.mark.parametrize("measured", [True, False])
def test_two_columns_together_are_a_title_where_people_made_them_and_none_where_they_were_measured(
    measured: bool,
) -> None:
    half = MEMBERS | (np.arange(N) % 3 == 0), MEMBERS | (np.arange(N) % 3 == 1)
    columns = tuple(
        replace(category(column, "red", "no"), values=np.where(rows, "red", "no").astype(object), measured=measured)
        for column, rows in zip(("weather", "light"), half)
    )
    made = make_diagnosis(N)
    both: Insight = replace(
        made.insights[0],
        text="weather = red and light = red",
        columns=("weather", "light"),
        tests=(("weather", "=", "red"), ("light", "=", "red")),
        cluster=made.clusters[0].id,
        kind="condition",
        mask=half[0] & half[1],
    )
    called = name(columns=columns, insights=(both,))
    assert (called.text == "Images where weather is red and light is red") == (not measured)
    assert "weather" not in called.text or not measured


def test_a_measured_property_is_the_title_and_speaks_for_the_phrases_that_say_it() -> None:
    both = words({"in the dark": MEMBERS})
    assert name(both, columns=(number("brightness", 0.1, 0.5),)).text == "Dark images"
    assert name(both, columns=(number("brightness", 0.1, 0.5),), scope="dog").text == "Dark images of dogs"
    assert "dark" not in name(both, columns=(number("brightness", 0.5, 0.5),)).text.lower()


def test_dark_pictures_of_little_contrast_are_dark() -> None:
    level = number("brightness", 0.1, 0.5)
    values = np.sqrt(np.maximum(level.values * (1 - level.values), 0.01)) * 0.5
    contrast = Column("contrast", "number", values + np.random.default_rng(4).normal(0, 0.02, N), measured=True)
    assert name(columns=(level, contrast)).text == "Dark images"


@pytest.mark.parametrize(("inside", "is_noisy"), [(0.06, True), (0.006, False)])
def test_noise_that_nobody_sees_is_no_title(inside: float, is_noisy: bool) -> None:
    assert ("noisy" in name(columns=(number("noise", inside, 0.001, 0.0005),)).text.lower()) == is_noisy


def test_what_only_stands_for_something_else_is_no_title() -> None:
    assert "file" not in name(columns=(number("file size", 5.0, 50.0),)).text


def confused(share: float) -> Outcomes:
    """Errors of the members, of which that share go to "cat", and others of which few do."""
    rng = np.random.default_rng(5)
    errors = np.where(MEMBERS, True, rng.random(N) < 0.2)
    to_cat = rng.random(N) < np.where(MEMBERS, share, 0.1)
    predictions = np.where(errors, np.where(to_cat, 1, 2), 0)
    return Outcomes(errors.astype(float), "0/1", "0/1", "given", errors=errors, predictions=predictions)


def test_members_that_are_mistaken_for_one_class_are_called_so() -> None:
    three = ("dog", "cat", "fox")
    called = name(outcomes=confused(0.9), scope="dog", classes=three)
    assert (called.text, called.kind, called.grade) == ("Dogs mistaken for cats", "confusion", "likely")
    assert called.chance == pytest.approx(0.9, abs=0.1)
    text = name(outcomes=confused(0.9), scope="Business", modality="text", classes=("Business", "Sci/Tech", "World"))
    assert text.text == "Business, mistaken for Sci/Tech"
    weak = name(outcomes=confused(0.35), scope="dog", classes=three)
    assert (weak.text.split(":")[0], weak.grade) == ("Mixed dogs", "mixed")


@pytest.mark.parametrize("modality", ["image", "text", "clip", "scan"])
def test_where_nothing_is_known_the_title_says_so_and_is_never_empty(modality: str) -> None:
    called = name(modality=modality)
    assert called.grade == "mixed"
    assert (
        called.text
        == f"{Subject(EVERYTHING, modality).samples.capitalize()} with the highest loss, no common cause found"
    )


def test_members_of_two_kinds_are_told_apart_with_their_shares() -> None:
    first = MEMBERS & (np.arange(N) < 40)
    called = name(words({"on grass": first, "jumping": MEMBERS & ~first}), scope="dog")
    if called.parts:  # the shipped model says so of few mixtures
        assert [part.share for part in called.parts] == pytest.approx([2 / 3, 1 / 3], abs=0.1)
        assert set(called.parts[0].rows.tolist()) & set(np.flatnonzero(first).tolist())
    assert called.grade in ("likely", "perhaps")
    assert "on grass" in called.text
