"""One measurement, a run of many, and their sum, on engines whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Estimate
from core.systems.peers.engines.rows import EngineRows, engine_scores, fit_engine
from research.scoreboard import methods, run as runs
from research.scoreboard.cells import BoardCell, looks_table, losses
from research.scoreboard.claims import ClaimedRows
from research.scoreboard.errata import ErrataEngine
from research.scoreboard.measure import measure
from research.scoreboard.methods import METHODS, Method, find_method
from research.scoreboard.planted_embeddings import PlantedKind, plant_embeddings, planted_rows
from research.scoreboard.run import BoardPlan, run
from research.scoreboard.summarise import summarise
from research.scoreboard.worlds import FailureWorld
from tests.support.scoreboard import board_line


def small_world(kind: PlantedKind = "correlation", seed: int = 0, n: int = 400) -> FailureWorld:
    audit, fresh = plant_embeddings(kind, seed=seed, n=n, dimensions=8)
    again = planted_rows(fresh), fresh.slices
    return FailureWorld(planted_rows(audit), *again, many=lambda: again)


@dataclass
class Oracle:
    """Knows the slices; claims the first, with an interval that holds nothing."""

    needs = ()

    def fit(self, embeddings, losses, labels, probabilities=None, errors=None):
        return self

    def score(self, embeddings, labels, probabilities=None, losses=None):
        return np.stack(small_world().slices, axis=1).astype(float)

    def claims(self, rows):
        mask = small_world().slices[0]
        return [ClaimedRows(mask, ~mask, rows.losses, Estimate(9.0, 8.0, 10.0))]


@dataclass
class Refuses(Oracle):
    def fit(self, *_, **__):
        raise InvalidInput("too few rows")


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setattr(Method, "make", lambda self, seed: {"oracle": Oracle, "refuses": Refuses}[self.engine]())


@pytest.mark.usefixtures("stand_ins")
def test_an_oracle_has_a_precision_of_one_and_its_claims_are_held_against_the_truth():
    line = measure(Method("oracle", "oracle", {}), small_world(), 1)
    assert "looks" not in line  # it has no second list
    assert line["best_p10"] == line["best_ap"] == [1.0, 1.0]
    assert line["first_p10"] == 1.0
    places = np.array(line["places_p10"])  # (planted, listed): each slice is its own best
    assert places.shape == (2, 2)
    assert places.diagonal().tolist() == [1.0, 1.0]
    assert places[0, 1] < 1
    assert (line["claims"], line["false_claims"], line["intervals"], line["intervals_held"]) == (1, 0, 1, 0)
    assert line["slice_sizes"] == [int(mask.sum()) for mask in small_world().slices]
    assert line["peak_mb"] is None
    assert measure(Method("oracle", "oracle", {}), small_world(), 0)["peak_mb"] > 0


@pytest.mark.usefixtures("stand_ins")
def test_a_method_that_refuses_has_the_precision_of_chance_and_its_message():
    line = measure(Method("refuses", "refuses", {}), small_world(), 1)
    assert line["failed"] == "too few rows"
    assert line["best_p10"] == pytest.approx([mask.mean() for mask in small_world().slices])
    assert "claims" not in line


def test_errata_is_measured_as_any_engine_and_claims_its_confirmed_clusters():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(300, 4)).astype(np.float32), np.arange(300) % 2
    slice = (labels == 1) & (vectors[:, 0] > 0.8)
    wrong = slice | (rng.random(300) < 0.05)
    rows = EngineRows(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels, wrong.astype(np.float64), wrong)
    engine = fit_engine(ErrataEngine(n_permutations=199), rows)
    claims = engine.claims(rows)
    assert len(claims) == len(engine.result_.clusters) > 0
    assert not any(claim.is_false((slice,)) for claim in claims)
    assert set(labels[claims[0].members | claims[0].rest]) == {1}  # the rest of the scope: one class
    scores = engine_scores(engine, rows)
    assert scores.shape[0] == 300
    assert 1 <= scores.shape[1] <= 5
    assert slice[np.argsort(-scores[:, 0])[:10]].mean() >= 0.8


@dataclass
class StandInTier:
    kinds = ("correlation", "null", "spoilt")

    def missing(self, data):
        return "" if data is None else "no pictures there"

    def make(self, kind, seed, data):
        assert kind != "never"
        world = small_world("null" if kind == "null" else "correlation", seed)
        return FailureWorld(world.audit, world.fresh, world.slices, "it learnt it all" if kind == "spoilt" else "")


@pytest.fixture
def stand_in_tier(monkeypatch):
    monkeypatch.setattr(runs, "TIERS", {"embeddings": None})
    monkeypatch.setattr(runs, "_tier", lambda name: StandInTier())


@pytest.mark.usefixtures("stand_in_tier")
def test_a_run_goes_on_where_it_was_and_leaves_out_what_does_not_count(tmp_path, monkeypatch):
    plan = BoardPlan(methods=("spotlight", "cleanlab groups"), seeds=range(2))
    rows = run(plan, tmp_path)
    keys = {(row["kind"], row["seed"], row["method"]) for row in rows}
    assert {method for kind, _, method in keys if kind == "null"} == {"cleanlab groups"}  # spotlight claims nothing
    assert len(keys) == len(rows) == 2 * (2 + 1 + 2)
    assert {row["left_out"] for row in rows if row["kind"] == "spoilt"} == {"it learnt it all"}
    monkeypatch.setattr(StandInTier, "make", lambda *_: pytest.fail("measured again"))
    assert run(plan, tmp_path) == rows
    cells = {(c.kind, c.method): c for c in summarise(rows)}
    assert cells["spoilt", "spotlight"].left_out == 2
    assert cells["spoilt", "spotlight"].values == {}
    assert cells["null", "cleanlab groups"].claiming is not None
    assert cells["correlation", "spotlight"].claims is None


@pytest.mark.usefixtures("stand_in_tier")
def test_a_tier_without_its_data_says_so(tmp_path):
    rows = run(BoardPlan(methods=("spotlight",), seeds=range(1), data=tmp_path), tmp_path)
    assert rows == [{"tier": "embeddings", "missing": "no pictures there"}]


def test_methods_are_paired_by_seed_and_the_slices_of_a_seed_are_averaged():
    rows = []
    for seed, ours, theirs in ((0, [1.0, 0.8], [0.5, 0.5]), (1, [0.6, 0.6], [0.7, 0.7])):
        rows += [board_line("spotlight", seed, theirs), board_line("errata", seed, ours)]
    rows.append(board_line("spotlight", 2, [0.0]))  # Errata has no such world: it counts for the mean, not for the pair
    first, second = summarise(rows)
    assert (first.method, second.method) == ("errata", "spotlight")
    assert first.values["best_p10"].value == pytest.approx(0.75)
    assert first.behind == {}
    assert second.behind["best_p10"].value == pytest.approx((0.4 - 0.1) / 2)
    assert second.behind["best_p10"].low == pytest.approx(-0.1)
    assert second.values["best_p10"].value == pytest.approx(0.4)
    assert BoardCell.from_dict(second.to_dict()).to_dict() == second.to_dict()


def test_the_longer_list_is_cut_to_the_length_of_the_shorter_one():
    rows = [board_line("errata", 0, [0.9]) | {"places_p10": [[0.2, 0.5, 0.9]]}]
    rows += [board_line("spotlight", 0, [0.6]) | {"places_p10": [[0.1, 0.6]]}]
    rows += [board_line("domino", 0, [0.9]) | {"places_p10": [[0.0, 0.1, 0.2, 0.9]]}]
    cells = {cell.method: cell for cell in summarise(rows)}
    assert cells["spotlight"].behind["even_p10"].value == pytest.approx(0.5 - 0.6)  # best of two
    assert cells["domino"].behind["even_p10"].value == pytest.approx(0.9 - 0.2)  # best of three
    assert cells["spotlight"].behind["best_p10"].value == pytest.approx(0.9 - 0.6)
    assert [cell.method for cell in losses(list(cells.values()), "even_p10")] == ["spotlight"]
    del rows[1]["places_p10"]  # written before slices stood in their places
    assert "even_p10" not in next(c for c in summarise(rows) if c.method == "spotlight").behind


def test_what_is_worth_a_look_is_held_against_how_likely_it_was_said_to_be_nothing():
    looks = [[[0.01, 0.15, False], [0.1, 0.5, True]], [[0.9, 0.9, True], [None, None, True]], []]
    rows = [board_line("errata", seed, [1.0], looks=found) for seed, found in enumerate(looks)]
    cell = summarise([*rows, board_line("spotlight", 0, [1.0])])[0]
    assert cell.looks == (
        (1, 0.15, 0),
        (1, 0.5, 1),
        (0, 0, 0),
        (1, 0.9, 1),
    )  # sets, said, nothing; an order only is left out
    assert BoardCell.from_dict(cell.to_dict()).looks == cell.looks
    first, second, third = looks_table([cell, cell])
    assert (first.n, first.said, first.nothing.value) == (2, 0.15, 0.0)
    assert (third.bounds, third.nothing.value) == ((0.8, 1.0), 1.0)
    assert second.nothing.low < 0.5
    older = {key: value for key, value in cell.to_dict().items() if key != "looks"}
    assert BoardCell.from_dict(older).looks == ()
    assert looks_table([BoardCell.from_dict(older)]) == []


def test_a_set_holds_a_failure_where_it_is_at_least_twice_as_frequent_as_around():
    members = np.arange(100) < 20
    look = ClaimedRows(members, ~members, np.zeros(100))
    failing = (np.arange(100) < 10) | (np.arange(100) >= 80)  # 10 of 20 inside, 20 of 80 around
    assert not look.holds_less_than(2.0, (failing,))
    failing[99 - 20] = True  # 21 of 80
    assert look.holds_less_than(2.0, (failing,))
    assert look.holds_less_than(2.0, ())


def test_a_lead_is_clear_with_five_worlds_and_an_interval_beyond_zero():
    for n, ours, verdict in ((4, 0.2, ""), (5, 0.2, "behind"), (5, 0.9, "ahead"), (5, 0.5, "")):
        rows = [board_line(m, s, [v]) for s in range(n) for m, v in {"errata": ours, "spotlight": 0.5}.items()]
        cells = summarise(rows)
        assert cells[1].verdict() == verdict
        assert [cell.method for cell in losses(cells)] == (["spotlight"] if ours < 0.5 else [])


def test_claims_are_counted_over_worlds():
    counted = {"other_claims": 0, "intervals": 2, "intervals_held": 1}
    rows = [
        board_line("errata", 0, [1.0], claims=3, false_claims=1, **counted),
        board_line("errata", 1, [1.0], claims=0, false_claims=0, **(counted | {"intervals": 0, "intervals_held": 0})),
    ]
    cell = summarise(rows)[0]
    assert (cell.claims, cell.n_intervals) == (3, 2)
    assert cell.false_claims.value == pytest.approx(1 / 3)
    assert cell.claiming.value == 0.5
    assert cell.intervals.value == 0.5


def test_methods_have_one_setting_each_and_say_what_they_read():
    assert find_method("errata").reads == "embedding, label"
    assert find_method("raw loss").reads == "embedding, label, loss"
    assert find_method("domino (weights 1)").make(7).label_weight == 1.0
    assert find_method("domino").make(7).seed == 7
    assert set(methods.VARIANTS) < set(METHODS)
    with pytest.raises(InvalidInput, match="Use one of errata"):
        find_method("domingo")


@pytest.mark.parametrize(
    ("given", "words"),
    [({"kinds": ("odd",)}, "no kind 'odd'"), ({"seeds": range(0)}, "no seed"), ({"methods": ("x",)}, "no method")],
)
def test_a_plan_that_measures_nothing_is_refused(given, words):
    with pytest.raises(InvalidInput, match=words):
        BoardPlan(**given)
