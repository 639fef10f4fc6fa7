"""Results in words: the figure, its interval, and where chance is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.records import Estimate
from core.systems.composition.records import CompositionResult, Metric
from core.systems.composition.reports.wording import (
    SOUND,
    against_chance,
    blind_sentence,
    blind_sentences,
    chance_sentence,
    difference,
    figure,
    figure_interval,
    headline_of,
    kinds_sentence,
    result_lines,
    title_sentence,
)
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, choices, pairs, pictured, queries


def result(right: int, n: int) -> CompositionResult:
    scores = tuple(np.eye(2) if i < right else np.array([[1.0, 1.5], [0.0, 0.2]]) for i in range(n))
    return run_composition(pictured(pairs(n)), Given(scores, name="model"), blind=False)


def test_figures_have_tenths_of_a_per_cent_and_ranks_are_no_per_cent() -> None:
    assert (figure("image", 0.1952), figure("mean rank", 1.5), figure("image", None)) == ("19.5%", "1.50", "–")
    assert figure_interval("image", Estimate(0.2, 0.147, 0.254)) == "14.7 to 25.4%"
    assert figure_interval("image", Estimate(0.2, float("nan"), float("nan"))) == "no interval"
    change = Estimate(0.071, -0.2, 0.1)
    assert difference("image", change) == "+7.1 points (−20.0 to +10.0)"
    assert difference("image", change, None) == "+7.1 points (−20 to +10)"
    assert difference("mean rank", Estimate(-0.5, -1.0, 0.0)) == "−0.50 (−1.00 to 0.00)"


def test_the_title_counts_items_and_the_next_sentence_says_where_chance_is() -> None:
    found = result(5, 60)
    assert title_sentence(found) == "Right on 5 of 60 items"
    assert chance_sentence(found) == "8.3% (95% interval 3.6 to 18.1%); chance is 25.0%. Below chance."
    assert "Above chance." in chance_sentence(result(50, 60))
    assert "With 8 items, chance could explain this" in chance_sentence(result(2, 8))


def test_means_over_kinds_ranks_and_precision_have_their_own_words() -> None:
    scores = tuple(np.array([[1.0, 0.0]]) for _ in range(30))
    averaged = run_composition(pictured(choices(30, average="kind")), Given(scores), blind=False)
    assert title_sentence(averaged) == "Right on 100.0% of items, with equal weight for each kind"
    rng = np.random.default_rng(0)
    bench = queries(6, 8, rng)
    ranked = run_composition(pictured(bench), Given(tuple(rng.normal(size=(8, 1)) for _ in range(6))), blind=False)
    assert title_sentence(ranked).startswith("Mean average precision of ")
    assert title_sentence(ranked).endswith(" over 6 queries")
    three = run_composition(
        pictured(choices(30, 3)), Given(tuple(rng.normal(size=(1, 3)) for _ in range(30))), blind=False
    )
    assert title_sentence(replace(three, headline="mean rank")).startswith("The true caption ranks ")


def test_above_chance_and_not_above_what_text_alone_reaches_is_said_beside_it() -> None:
    bench = choices(60)
    scores = tuple(np.array([[1.0, 0.0 if i < 45 else 2.0]]) for i in range(60))
    found = run_composition(pictured(bench), Given(scores, name="model"))
    assert "Above chance." in chance_sentence(found)
    said = "Text alone reaches 100.0% (shorter caption). This benchmark does not show that model "
    said += "looks at the image."
    assert blind_sentence(found) == said
    lines = result_lines(found, bench)
    assert lines[lines.index(f"  {chance_sentence(found)}") + 1] == f"  {said}"
    without = replace(found, blind=())
    assert blind_sentence(without) == ""
    assert "" not in [line.strip() for line in result_lines(without, bench)]


def test_what_text_alone_reaches_is_said_of_a_second_model_too() -> None:
    bench = choices(60)
    scores = tuple(np.array([[1.0, 0.0 if i < 45 else 2.0]]) for i in range(60))
    first = run_composition(pictured(bench), Given(scores, name="frozen"))
    second = replace(first, model="frozen + Local matching", blind=())
    told = "Text alone reaches 100.0% (shorter caption). This benchmark does not show that "
    assert f"  {told}frozen + Local matching looks at the image." in result_lines(second, bench, first=first)
    assert blind_sentences([first, second]).count("does not show that") == 2
    fewer = blind_sentence(replace(second, ids=second.ids[:50]), first)
    assert fewer.startswith("Text alone reaches 100.0% (shorter caption) on the 60 items of frozen. It was ")
    assert fewer.endswith("not measured on the 50 items of frozen + Local matching.")


def test_an_adapter_above_text_alone_may_still_have_learned_how_foils_sound() -> None:
    found = result(50, 60)
    low = replace(found.metrics[0], value=Estimate(0.1, 0.05, 0.2))
    first = replace(found, headline=low.key, blind=(("longer caption", (low,)),))
    above = "is above what text alone reaches (longer caption: 10.0%)."
    assert blind_sentence(first) == f"model {above}"
    for name in ("model + Local matching", "model, re-ranked by model + Local matching"):
        assert blind_sentence(replace(first, model=name, blind=()), first) == f"{name} {above} {SOUND}"


def test_a_low_rank_is_a_good_one() -> None:
    metric = Metric("mean rank", "Mean rank", Estimate(1.5, 1.2, 1.8), 50, 3.0)
    assert against_chance(metric) == "Above chance"
    assert against_chance(replace(metric, value=Estimate(3.5, 3.2, 3.8))) == "Below chance"


def test_nothing_scored_is_said() -> None:
    none = replace(result(1, 4), metrics=())
    assert headline_of(none) is None
    assert (title_sentence(none), chance_sentence(none)) == (
        "Errata could score no item",
        "Errata could score no item.",
    )
    without = replace(result(1, 4), metrics=(Metric("image", "Image score", Estimate(0.25, 0.1, 0.5), 4, None),))
    assert chance_sentence(without).endswith("to 50.0%).")


@pytest.mark.parametrize("n", [1, 2])
def test_one_item_is_one_item(n: int) -> None:
    assert title_sentence(result(1, n)) == f"Right on 1 of {n} item{'' if n == 1 else 's'}"


def by_kinds(shares: dict[str, float], n: int = 100, average: str = "kind") -> CompositionResult:
    """A result on choices of n items a kind, that share of each right."""
    kinds = [kind for kind in shares for _ in range(n)]
    made = choices(len(kinds), average=average)
    items = tuple(replace(item, tags={"kind": kind, "change": "any"}) for item, kind in zip(made.items, kinds))
    right = [i % n < round(shares[kind] * n) for i, kind in enumerate(kinds)]
    scores = tuple(np.array([[1.0, 0.0 if yes else 2.0]]) for yes in right)
    return run_composition(pictured(replace(made, items=items)), Given(scores, name="model"), blind=False)


def test_a_kind_of_foil_at_chance_is_said_though_the_headline_is_above_it() -> None:
    found = by_kinds({"replace_obj": 0.95, "swap_att": 0.52, "add_obj": 0.9, "swap_obj": 0.2})
    assert "Above chance" in chance_sentence(found)
    said = kinds_sentence(found)
    assert said.startswith("Below chance: swap objects. Swap objects: 20.0% (")
    assert "Not clearly different from chance: swap attributes. Swap attributes: 52.0% (" in said
    assert "of 100 items, by chance 50.0%." in said
    assert all(len(sentence) < 100 for sentence in said.split(". "))
    assert said.endswith("The other 2 kinds of item are above chance.")
    assert any(said in line for line in result_lines(found, pictured(choices(400)).benchmark))
    assert kinds_sentence(by_kinds({"a": 0.9, "b": 0.8})) == "Each of the 2 kinds of item is above chance."


def test_the_kinds_are_told_where_another_tag_is_averaged_over_and_nothing_where_there_are_none() -> None:
    assert "swap attributes" in kinds_sentence(by_kinds({"swap attributes": 0.5, "add object": 0.9}, average="change"))
    assert kinds_sentence(result(5, 60)) == ""
    many = by_kinds({f"kind {i}": 0.5 for i in range(7)})
    assert (
        "Not clearly different from chance: kind 0, kind 1, kind 2, kind 3 and 3 more kinds. Kind 0: "
        in kinds_sentence(many)
    )
    one = kinds_sentence(by_kinds({"a": 0.5, "b": 0.9}))
    assert one.endswith("The other kind of item is above chance.")
    few = by_kinds({"large": 0.9, "other": 0.9, "tiny": 0.5}, 30)
    tiny = replace(
        few, by_tag=tuple(replace(t, value="fewer than 5 items each") if t.value == "tiny" else t for t in few.by_tag)
    )
    assert kinds_sentence(tiny) == "Each of the 2 kinds of item is above chance."
