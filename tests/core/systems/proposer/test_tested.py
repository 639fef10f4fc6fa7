"""Proposed words: tested on samples that the proposer did not see, counted together, and kept where they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis, Estimate
from core.reports.sections import run_sections
from core.reports.terminal import section_lines
from core.run import Run
from core.store import load, save
from core.systems.proposer.records import Proposed, proposals_of
from core.systems.proposer.sheet import make_sheet
from core.systems.proposer.tested import MAX_PROPOSALS, try_proposals, with_tested
from core.systems.proposer.wording import proposal_sentence, sections
from tests.support.planted_words import WordTower, planted_run
from tests.support.proposers import ChosenTower, blank_run

NAMED = "what they share"


def _n_confirmed(n_runs: int, *, groups: int, rows: Any = None) -> int:
    """Of runs without any pattern, how many confirm the difference of the shown wrong samples from the right ones."""
    n = 0
    for seed in range(n_runs):
        run = blank_run(200, seed, groups=groups)
        sheet = make_sheet(run)
        vectors = run.embeddings.vectors
        tower = ChosenTower({NAMED: vectors[sheet.wrong].mean(0) - vectors[sheet.right].mean(0)})
        if rows is not None:
            sheet = replace(sheet, unseen=rows)
        n += try_proposals(run, [NAMED], sheet, source="an assistant", encoder=tower).proposals[0].holds
    return n


@pytest.mark.parametrize(("groups", "n_runs", "most"), [(0, 60, 10), (3, 60, 10)])
def test_a_proposer_who_names_what_the_shown_samples_share_by_chance_is_confirmed_no_more_often_than_the_level(
    groups: int, n_runs: int, most: int
) -> None:
    assert _n_confirmed(n_runs, groups=groups) <= most  # at level .05 more happen once in a thousand times


def test_the_same_words_tested_on_the_samples_that_they_were_chosen_from_are_confirmed_too_often() -> None:
    assert _n_confirmed(20, groups=0, rows=np.arange(200)) >= 6  # at level .05 that happens once in 3,000 times


def _tried(texts: list[str]) -> tuple[Diagnosis, Diagnosis, WordTower]:
    run, audit, _ = planted_run("rare")
    tower = WordTower(audit)
    tested = try_proposals(run, texts, make_sheet(run), source="an assistant", encoder=tower)
    return run, with_tested(run, tested), tower


def test_of_several_proposals_the_true_one_holds_and_each_p_counts_all() -> None:
    run, after, tower = _tried(["a dog in snow", "a dog in the city", "a dog in rain", "A DOG IN SNOW"])
    snow, city, rain = proposals_of(after)  # the repeated text counts once
    assert (snow.holds, city.holds, rain.holds) == (True, False, False)
    assert snow.scope == "dog"
    for proposal in (snow, city, rain):
        assert proposal.asked == 3
        assert proposal.p_alone is not None
        assert proposal.p == pytest.approx(min(1, 3 * proposal.p_alone))
        assert proposal.n_tested == len(run.samples) - proposal.n_shown
    more = try_proposals(after, ["a dog in fog"], make_sheet(run), source="an assistant", encoder=tower)
    assert more.proposals[0].asked == 4


def test_what_holds_is_a_phrase_and_a_finding_with_its_source_and_is_stored(tmp_path: Path) -> None:
    run, after, _ = _tried(["a dog in snow", "a dog in the city"])
    save(after, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert again.words is not None
    assert again.words.phrases == (*run.words.phrases, "a dog in snow")
    assert [p.text for p in proposals_of(again)] == ["a dog in snow", "a dog in the city"]
    (insight,) = (i for i in again.insights if i.source)
    assert insight.source == "an assistant"
    assert again.words.phrases[insight.number] == "a dog in snow"
    said = "\n".join(line for section in run_sections(again) for line in section_lines(section))
    assert 'like "a dog in snow"' in said
    finding = next(f for f in Run.of(again).findings if "a dog in snow" in f.title)
    assert finding.row.sure[-1] == "Proposed by an assistant, and tested on samples that the proposer was not shown."


def test_what_does_not_hold_is_no_finding() -> None:
    run, after, _ = _tried(["a dog in rain"])
    assert len(proposals_of(after)) == 1
    assert after.insights == run.insights
    assert after.words is run.words


def test_titles_may_use_what_holds() -> None:
    run, after, _ = _tried(["a dog in snow"])
    assert run.clusters
    assert any("a dog in snow" in (*c.called.words, *c.called.might_be, c.called.text) for c in after.clusters)


def test_words_proposed_after_the_results_were_read_are_counted_and_not_tested() -> None:
    run, audit, _ = planted_run("rare")
    tested = try_proposals(
        run, ["a dog in snow"], make_sheet(run), source="a person", after_looking=True, encoder=WordTower(audit)
    )
    (snow,) = tested.proposals
    assert (snow.verdict, snow.p, snow.n_tested) == ("not tested", None, len(run.samples))
    assert proposal_sentence(snow).endswith("not tested: proposed after the results were read; check it on new data.")
    after = with_tested(run, tested)
    assert after.insights == run.insights
    assert "None of 1 text proposed by a person was tested." in section_lines(sections(after)[0])[1]


def test_refused_texts_stand_beside_the_others_with_the_reason() -> None:
    run, audit, _ = planted_run("rare")
    tested = try_proposals(
        run, ["dog", "!", "a dog in snow"], make_sheet(run), source="an assistant", encoder=WordTower(audit)
    )
    name, empty, snow = tested.proposals
    assert "See class dog" in name.figures
    assert "needs words" in empty.figures
    assert [p.verdict for p in tested.proposals] == ["not tested", "not tested", "confirmed"]
    assert snow.asked == 1


@pytest.mark.parametrize("texts", [[], [f"word {i}" for i in range(MAX_PROPOSALS + 1)]])
def test_a_call_has_one_to_twenty_texts(texts: list[str]) -> None:
    run, audit, _ = planted_run("rare")
    with pytest.raises(InvalidInput, match="Propose 1 to 20 texts in one call"):
        try_proposals(run, texts, make_sheet(run), source="an assistant", encoder=WordTower(audit))


def test_a_run_with_something_else_in_their_place_has_no_proposals() -> None:
    run = blank_run(60, 0)
    assert proposals_of(replace(run, extras={"proposer": [1, Estimate(0, 0, 0)]})) == ()
    assert sections(replace(run, extras={"proposer": Proposed()})) == []
