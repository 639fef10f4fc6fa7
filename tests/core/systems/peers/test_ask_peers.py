"""Other engines on a run's samples: who agrees, whose p is fair, and that nothing is found where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.systems.peers.ask_peers import WITHOUT_PROBABILITIES, agreement, ask_peers, engine_p, rows_of, top_rows
from core.systems.peers.engines.rows import EngineRows
from core.systems.peers.tables import peers_document, peers_table
from core.systems.peers.wording import NOT_TESTED, peer_lines
from research.arrays import diagnose_arrays
from research.evidence.planted_losses import shuffle_within

N = 400
QUICK = Settings(map=False, sensitivity=False, n_permutations=199)


def made_rows(seed=0):
    rng = np.random.default_rng(seed)
    vectors, labels = rng.normal(size=(N, 5)).astype(np.float32), np.arange(N) % 2
    slice = (labels == 1) & (rng.random(N) < 0.3)  # a dense group, which each of the engines can see
    vectors[slice, 0] += 6
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = slice | (rng.random(N) < 0.06)
    truth = np.where(wrong, 0.2, 0.9)
    probabilities = np.where(np.arange(2) == labels[:, None], truth[:, None], 1 - truth[:, None])
    return EngineRows(vectors, labels, -np.log(truth), wrong, probabilities), slice


@pytest.fixture(scope="module")
def diagnosis():
    rows, _ = made_rows()
    return diagnose_arrays(rows.embeddings, rows.losses, labels=rows.labels, errors=rows.errors, settings=QUICK)


@pytest.fixture(scope="module")
def report(diagnosis):
    return ask_peers(diagnosis, ["spotlight", "sliceguard", "domino"])


def test_a_slice_that_is_a_cluster_is_said_to_agree_with_it(diagnosis, report):
    first = report.opinions[0].slices[0]
    assert first.cluster == 0
    assert first.jaccard > 0.4
    assert first.mostly == "1"
    assert first.error_rate == diagnosis.outcomes.errors[first.rows].mean()
    pairs = {(a.first, a.second) for a in report.agreements}
    assert ("Group 1", "spotlight, slice 1") in pairs
    assert any(one.startswith("spotlight") and other.startswith("sliceguard") for one, other in pairs)
    values = [a.jaccard for a in report.agreements]
    assert values == sorted(values, reverse=True)


def test_an_engine_that_cannot_be_asked_says_why_and_stops_no_other(report):
    spotlight, _, domino = report.opinions
    assert domino.refused == WITHOUT_PROBABILITIES  # the run was made of losses alone
    assert spotlight.p == pytest.approx(0.004)
    assert spotlight.refused == ""


def test_an_engine_that_reads_the_outcomes_that_it_is_tested_on_has_no_p(diagnosis):
    rows, _ = made_rows()
    told = replace(diagnosis, outcomes=replace(diagnosis.outcomes, scores=rows.probabilities))
    opinion = ask_peers(told, ["domino"]).opinions[0]
    assert opinion.p is None
    assert opinion.untested == "It reads the outcomes of the rows that it scores."
    assert opinion.slices


def test_lines_table_and_document_say_that_peers_carry_no_p(diagnosis, report):
    text = "\n".join(peer_lines(diagnosis, report))
    assert NOT_TESTED in text
    assert "domino: no slices. It needs class probabilities" in text
    assert "5 slices, proposed on half of the samples, tested on the other half: p = 0.004." in text
    assert "matches group 1 (" in text
    table = peers_table(diagnosis, report)
    assert len(table) == sum(len(o.slices) for o in report.opinions)
    document = peers_document(diagnosis, report)
    assert document["engines"][0]["slices"][0]["samples"] == [
        diagnosis.samples.ids[row] for row in report.opinions[0].slices[0].rows
    ]


def test_the_p_of_an_engine_is_small_by_chance_no_more_often_than_it_says():
    """Losses shuffled within classes of different difficulty: of 20 p hardly any is below 0.1."""
    rows, _ = made_rows()
    found = []
    for seed in range(20):
        order = shuffle_within(rows.labels, None, np.random.default_rng(seed))
        moved = EngineRows(rows.embeddings, rows.labels, rows.losses[order] + rows.labels, rows.errors[order])
        found.append(engine_p("sliceguard", moved, None, seed))
    assert np.mean(np.array(found) <= 0.1) <= 0.15
    assert engine_p("sliceguard", rows, None, 0) <= 0.01


def test_members_are_whole_slices_where_rows_are_in_or_not():
    binary = np.isin(np.arange(40), [3, 5, 8]).astype(float)
    assert top_rows(binary, 10).tolist() == [3, 5, 8]
    assert top_rows(binary, 2).tolist() == [3, 5, 8]
    assert top_rows(np.arange(40.0), 3).tolist() == [37, 38, 39]
    assert len(top_rows(np.zeros(40), 3)) == 40


def test_agreement_is_held_against_chance():
    half = np.arange(50)
    assert agreement(half, np.arange(25, 75), 100) == 0.0  # a third shared, which chance gives two halves
    assert agreement(np.arange(10), np.arange(5, 15), 1000) == pytest.approx(5 / 15)
    assert agreement(np.arange(10), np.arange(9, 19), 1000) == 0.0  # 1 of 19


@pytest.mark.parametrize(
    ("engines", "message"),
    [([], "at least one engine"), (["domingo"], "Unknown engine 'domingo'"), (["domino", "domino"], "only once")],
)
def test_engines_that_are_not_there_are_named(engines, message, diagnosis):
    with pytest.raises(InvalidInput, match=message):
        ask_peers(diagnosis, engines)


def test_without_classes_all_samples_are_of_one(diagnosis):
    rows = diagnose_arrays(
        diagnosis.embeddings.vectors[:60],
        np.arange(60.0),
        settings=Settings(map=False, sensitivity=False, n_permutations=199),
    )
    assert set(rows_of(rows).labels) == {0}
    assert rows_of(rows).probabilities is None


def test_equal_vectors_are_not_sliced_and_it_is_said():
    losses = np.random.default_rng(0).random(60)
    alike = diagnose_arrays(
        np.ones((60, 3), np.float32), losses, labels=np.arange(60) % 2, errors=losses > 0.7, settings=QUICK
    )
    opinion = ask_peers(alike, ["spotlight"]).opinions[0]
    assert not opinion.slices
    assert "All 60 samples have the same vector, so they cannot be sliced" in opinion.refused
    assert any("spotlight: no slices. All 60" in line for line in peer_lines(alike, ask_peers(alike, ["spotlight"])))
