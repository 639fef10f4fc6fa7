"""A name is what is most plausible by all the evidence; where nothing is, there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.language.naming import borne_out, name_cluster
from core.records import Column, Competence, Embeddings, Estimate, FailureCluster, Insight, Words
from tests.support.diagnoses import make_diagnosis

N = 200
MEMBERS = np.arange(N) < 40
PHRASES = ("in the dark", "with a baby", "noisy", "with a red tint", "on grass", "crouching")
ROWS = np.arange(N)


def words(low: dict[str, float] | None = None) -> Words:
    """An encoder that knows all its phrases but "crouching", or as well as is said; 0 is unmeasured."""
    lows = np.array([(low or {}).get(p, 0.4 if p == "crouching" else 0.9) for p in PHRASES])
    counts = np.where(lows > 0, 50, 0)
    known = Competence(np.minimum(lows + 0.04, 1), lows, np.minimum(lows + 0.08, 1), counts, counts, 0.75)
    joint = Embeddings(np.eye(N, 8, dtype=np.float32) + 0.1, "made", "made")
    directions = np.eye(len(PHRASES), 8, dtype=np.float32)
    return Words(joint, "made", PHRASES, ("made",) * len(PHRASES), directions, competence=known)


def column(name: str, inside: float, outside: float = 0.5, *, measured: bool = True) -> Column:
    """A number that lies about `inside` in the members and about `outside` in the others."""
    spread = np.random.default_rng(len(name)).normal(0, 0.05, N)
    return Column(name, "number", np.where(MEMBERS, inside, outside) + spread, measured=measured)


def insight(text: str, area: float, **changes: Any) -> Insight:
    """A phrase of the vocabulary that retrieves the members so well on unseen rows, or a confirmed condition."""
    empty = Estimate(0.3, 0.1, 0.5)
    made = Insight(text, (), "all samples", 0, MEMBERS, 40, empty, None, None, 0.01, True, area)
    if text in PHRASES:
        held = Estimate(area, area - 0.06, min(area + 0.06, 1))
        made = replace(made, kind="phrase", number=PHRASES.index(text), held_out=held)
    else:
        made = replace(made, columns=(text.split(" at ")[0].split(" = ")[0],))
    return replace(made, **changes)


def cluster() -> FailureCluster:
    return replace(make_diagnosis(N).clusters[0], scope="all samples", membership=MEMBERS * 0.9)


def name(*insights: Insight, columns: tuple[Column, ...] = (), said: Words | None = None) -> tuple[str, str]:
    called = name_cluster(cluster(), insights, columns, ROWS, said or words())
    return called.text, called.kind


def test_a_phrase_that_the_encoder_knows_and_that_retrieves_the_members_is_the_name() -> None:
    assert name(insight("on grass", 0.9)) == ("on grass", "phrase")


@pytest.mark.parametrize(
    "found",
    [
        (insight("on grass", 0.9, confirmed=False),),  # pictures with it fail no more than others, as far as is shown
        (insight("crouching", 0.97),),  # below the bar, however well it retrieves
        (insight("on grass", 0.78),),  # retrieves too little
        (insight("on grass", 0.88), insight("crouching", 0.97)),  # something that the words do not say retrieves better
        (insight("file size at most 12.3", 0.97),),  # only stands for something else
        (insight("edge density at most 0.02", 0.8),),  # a measured property that is not plain, and fits little
        (insight("weather = fog", 0.9, confirmed=False),),  # not confirmed
    ],
)
def test_without_anything_plausible_there_is_no_name(found: tuple[Insight, ...]) -> None:
    measured = (column("file size", 0.5), column("edge density", 0.5))
    assert name(*found, columns=measured) == ("", "none")


def test_of_phrases_that_retrieve_the_members_as_well_the_one_best_known_is_the_name() -> None:
    known = words({"with a baby": 0.78, "on grass": 0.93})
    assert name(insight("with a baby", 0.92), insight("on grass", 0.9), said=known) == ("on grass", "phrase")
    assert name(insight("with a baby", 0.92), insight("on grass", 0.86), said=known) == ("with a baby", "phrase")


def test_a_phrase_that_no_sample_is_like_is_neither_a_name_nor_a_guess() -> None:
    support = np.where(np.array(PHRASES) == "with a baby", 2.1, 4.0)
    said = replace(words(), line=3.0, support=support)
    found = (insight("with a baby", 0.92), insight("crouching", 0.91))
    called = name_cluster(cluster(), found, (), ROWS, said)
    assert (called.text, called.might_be) == ("", ("crouching",))
    assert name(*found) == ("with a baby", "phrase")
    assert name(*found, said=replace(said, line=2.0)) == ("with a baby", "phrase")


def test_an_unmeasured_phrase_is_never_a_name_and_may_be_said_to_be_possible() -> None:
    found = (insight("on grass", 0.95),)
    assert name(*found, said=words({"on grass": 0.0})) == ("", "none")
    nothing = replace(words(), competence=None)
    called = name_cluster(cluster(), found, (), ROWS, nothing)
    assert (called.text, called.might_be) == ("", ("on grass",))


def test_a_measured_property_that_fits_goes_before_a_phrase() -> None:
    dark = column("brightness", 0.1)
    found = (insight("in the dark", 0.95), insight("brightness at most 0.31", 0.9))
    assert name(*found, columns=(dark,)) == ("dark (brightness at most 0.31)", "property")
    assert name(insight("in the dark", 0.95), columns=(dark,)) == ("dark", "property")
    weak = column("brightness", 0.45)
    assert name(*found[:1], columns=(weak,)) == ("in the dark", "phrase")


def test_of_two_properties_that_fit_as_well_the_plainer_is_meant() -> None:
    assert name(columns=(column("contrast", 0.05), column("brightness", 0.06)))[0] == "dark"
    assert name(columns=(column("contrast", 0.05), column("brightness", 0.4)))[0] == "low contrast"


def test_a_condition_on_the_users_own_column_goes_first_where_it_fits_about_as_well() -> None:
    fog = insight("weather = fog", 0.94)
    assert name(fog, insight("on grass", 0.97), columns=(column("brightness", 0.1),)) == ("weather = fog", "condition")
    assert name(insight("weather = fog", 0.78), insight("on grass", 0.97)) == ("on grass", "phrase")


def test_grey_pictures_are_called_black_and_white() -> None:
    grey = Column("grey", "category", np.where(MEMBERS, "grey", "colour").astype(object), measured=True)
    assert name(insight("crouching", 0.99), columns=(grey,)) == ("black and white", "property")


def test_a_phrase_that_a_measurement_contradicts_is_no_name() -> None:
    bright = column("brightness", 0.7)
    assert name(insight("in the dark", 0.9), columns=(bright,)) != ("in the dark", "phrase")
    colours = np.where(np.arange(N) % 3 == 0, "red", "blue").astype(object)
    tinted = Column("dominant colour", "category", colours, measured=True)
    assert not borne_out("with a red tint", (tinted,), ROWS, MEMBERS)
    assert borne_out("with a red tint", (replace(tinted, values=np.full(N, "red", object)),), ROWS, MEMBERS)
    assert borne_out("on grass", (bright, tinted), ROWS, MEMBERS)


@pytest.mark.parametrize("written", ["in black and white", "In Black-and-White", "in  black and white!"])
def test_black_dogs_are_not_called_black_and_white_however_the_phrase_is_written(written: str) -> None:
    pale = column("colourfulness", 0.2)
    coloured = Column("grey", "category", np.full(N, "colour", object), measured=True)
    assert not borne_out(written, (pale, coloured), ROWS, MEMBERS)
    assert borne_out(written, (pale, replace(coloured, values=np.full(N, "grey", object))), ROWS, MEMBERS)
    assert not borne_out("Out of focus", (column("blur", 0.2),), ROWS, MEMBERS)
    assert not borne_out("With a RED tint", (tints("green"),), ROWS, MEMBERS)


def tints(inside: str, outside: str = "none", share: float = 1.0) -> Column:
    """A measured tint of `share` of the members, and what the others have."""
    values = np.where(MEMBERS & (np.arange(N) < share * 40), inside, outside).astype(object)
    return Column("tint", "category", values, measured=True)


def level(name: str, inside: float, outside: float) -> Column:
    return replace(column(name, 0), values=np.where(MEMBERS, inside, outside) * np.linspace(0.9, 1.1, N))


def test_grass_that_looks_noisy_to_the_encoder_is_not_called_noisy() -> None:
    lawn = level("noise", 0.004, 0.001)  # more than elsewhere, and none that anybody sees
    sharp = level("blur", 0.2, 0.4)
    assert name(insight("noisy", 0.95), columns=(lawn, sharp)) == ("", "none")
    assert name(insight("noisy", 0.95), insight("on grass", 0.93), columns=(lawn,)) == ("on grass", "phrase")
    assert name(insight("noisy", 0.95), columns=(level("noise", 0.02, 0.02),)) == ("", "none")  # as much elsewhere


def test_noisy_pictures_are_called_noisy_by_the_measurement() -> None:
    noise = level("noise", 0.04, 0.001)
    assert name(columns=(noise,)) == ("noisy", "property")
    found = (insight("on grass", 0.9), insight("noise at least 0.02", 0.97))
    assert name(*found, columns=(noise,)) == ("noisy (noise at least 0.02)", "property")
    weak = replace(noise, values=np.where(np.arange(N) < 28, noise.values, 0.001))  # of 28 of the 40 members
    assert name(insight("noisy", 0.9), columns=(weak,)) == ("noisy", "phrase")


def test_little_noise_is_no_name() -> None:
    assert name(columns=(level("noise", 0.001, 0.03),)) == ("", "none")


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("noise at most 0", ("noise", "<=", 0.0)),
        ("tint strength at most 0.02", ("tint strength", "<=", 0.02)),
        ("tint = none", ("tint", "=", "none")),
    ],
)
def test_what_is_not_there_is_no_name(text: str, test: tuple[str, str, str | float]) -> None:
    measured = (level("noise", 0.0, 0.003), level("tint strength", 0.01, 0.1), tints("none", outside="red"))
    absent = insight(text, 0.97, tests=(test,))
    assert name(absent, columns=measured) == ("", "none")
    edges = insight("edge density at least 0.3", 0.9, tests=(("edge density", ">=", 0.3),))
    assert name(absent, edges, columns=(*measured, column("edge density", 0.4)))[0] == edges.text


@pytest.mark.parametrize("colour", ["red", "orange", "yellow", "green", "blue", "purple"])
def test_tinted_pictures_are_named_by_the_measured_tint(colour: str) -> None:
    article = "an" if colour == "orange" else "a"
    vivid, dark = column("colourfulness", 0.9), column("brightness", 0.3)
    found = (insight("underexposed share at most 0.01", 0.9), insight(f"tint = {colour}", 0.97))
    assert name(*found, columns=(vivid, dark, tints(colour))) == (f"with {article} {colour} tint", "property")


def test_colours_that_come_from_a_tint_are_not_vivid() -> None:
    colourful = column("colourfulness", 0.9)
    for tint, borne in ((tints("none"), True), (tints("red", share=0.2), True), (tints("red", share=0.5), False)):
        assert borne_out("in vivid colours", (colourful, tint), ROWS, MEMBERS) == borne


def test_a_lawn_is_not_named_by_a_tint() -> None:
    green = Column("dominant colour", "category", np.where(MEMBERS, "green", "grey").astype(object), measured=True)
    assert name(columns=(green, tints("none"))) == ("", "none")
    assert not borne_out("with a green tint", (green, tints("none")), ROWS, MEMBERS)
    assert name(insight("with a red tint", 0.95), columns=(tints("green"),)) == ("with a green tint", "property")
    assert name(insight("with a red tint", 0.95), columns=(tints("red", share=0.4),)) == ("", "none")


def test_a_tint_that_the_others_have_too_is_no_name() -> None:
    assert name(columns=(tints("orange", outside="orange"),)) == ("", "none")


def test_a_run_from_before_noise_and_tint_were_measured_is_named_as_then() -> None:
    red = Column("dominant colour", "category", np.full(N, "red", object), measured=True)
    assert name(insight("with a red tint", 0.9), columns=(red,)) == ("with a red tint", "phrase")
    assert name(insight("noisy", 0.9), columns=(red,)) == ("noisy", "phrase")


def test_a_candidate_that_was_not_confirmed_gets_no_name() -> None:
    found = name_cluster(replace(cluster(), confirmed=False), [insight("on grass", 0.95)], (), ROWS, words())
    assert found.text == ""


def test_insights_of_another_cluster_are_not_looked_at() -> None:
    assert name(insight("on grass", 0.95, cluster=1)) == ("", "none")
