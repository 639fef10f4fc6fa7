from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from core.encoders import encoder_name, load_encoder
from core.errors import Cancelled, InvalidInput, MissingDependency
from core.records import Estimate
from core.systems import probes
from core.systems.probes import make_probe
from core.systems.probes.base import Images, Needs, Scored
from core.systems.probes.run import run_probe
from research.ladder.data_sets import LadderData
from research.ladder.departures import STANDS_IN
from research.ladder.reproduce import over_seeds, run_ladder
from research.ladder.steps import LadderChoices, LadderStep, ladder
from tests.support.heads import made_task


@dataclass(frozen=True)
class Counted:
    """Right for a share of rows that depends on the seed; counts how often it was run."""

    title: ClassVar[str] = "Counted"
    what: ClassVar[str] = "A test."
    source: ClassVar[str] = "Made"
    runs: ClassVar[list] = []
    inits: ClassVar[list] = []
    shots: int = 1
    init: str = "words"

    def needs(self):
        return Needs()

    def estimate(self, n, k, folds):
        return 1.0

    def run(self, part):
        self.runs.append(part.seed)
        self.inits.append(self.init)
        truth = part.test.rows % 4
        said = np.where(part.test.rows < 20 * (part.seed + 1), truth, (truth + 1) % 4)
        return Scored(20 * np.eye(4)[said], controls={"zero-shot": ((truth + 1) % 4)[None]})


@pytest.fixture
def counted(monkeypatch):
    Counted.runs.clear()
    Counted.inits.clear()
    monkeypatch.setitem(probes.PROBES, "counted", f"{__name__}:Counted")
    monkeypatch.setitem(probes.PROBES, "gone", "core.systems.probes.none_such:Gone")
    return LadderStep("counted", "counted", {"shots": 2}, 2)


def made_set():
    return LadderData("made", made_task(80))


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("ViT-B-32:openai", "ViT-B-32/openai"),
        ("open_clip:ViT-B-32:openai", "ViT-B-32/openai"),
        ("ViT-B-32/openai", "ViT-B-32/openai"),
        ("open_clip:ViT-B-32/openai", "open_clip:ViT-B-32/openai"),
        ("embedded", "embedded"),
        ("hf-hub:ORG/NAME", "hf-hub:ORG/NAME"),
        ("local-dir:/folder", "local-dir:/folder"),
        ("open_clip:local-dir:folder", "open_clip:local-dir:folder"),
        ("ViT-B-32@C:/w.pt", "ViT-B-32@C:/w.pt"),
    ],
)
def test_an_encoder_may_be_written_as_the_papers_tables_do(said, ours):
    assert encoder_name(said) == ours


def test_every_door_takes_that_form():
    with pytest.raises(MissingDependency, match="weights of ViT-B-32 openai"):
        load_encoder("ViT-B-32:openai")


def test_the_mean_over_seeds_adds_rows_and_draws_in_squares():
    found = over_seeds([Estimate(0.5, 0.4, 0.7), Estimate(0.6, 0.5, 0.8), Estimate(0.7, 0.6, 0.9)])
    drawn = stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert found.value == pytest.approx(0.6)
    assert found.low == pytest.approx(0.6 - np.hypot(0.1, drawn))
    assert found.high == pytest.approx(0.6 + np.hypot(0.2, drawn))
    one = over_seeds([Estimate(0.5, 0.4, 0.7)])
    assert (one.value, one.low, one.high) == pytest.approx((0.5, 0.4, 0.7))


def test_the_interval_covers_the_mean_over_all_rows_and_draws():
    """Rows differ in difficulty, draws in luck: the truth is 0.6."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(300):
        own, luck = rng.normal(0.6, 0.03), rng.normal(0, 0.04, 3)
        covered += (
            (f := over_seeds([Estimate(own + x, own + x - 0.0588, own + x + 0.0588) for x in luck])).low
            <= 0.6
            <= f.high
        )
    assert covered >= 282


def test_rows_hold_the_mean_the_seeds_and_the_gain(counted):
    rows = {row.metric: row for row in run_ladder([counted], made_set(), (0, 1, 2))}
    row = rows["accuracy"]
    assert row.each == (0.25, 0.5, 0.75)
    assert row.value.value == pytest.approx(0.5)
    assert row.gains["zero-shot"].value == pytest.approx(0.5)
    assert (row.step, row.shots) == ("counted", 2)
    assert "calibration error" in rows


def test_a_step_without_draws_is_run_once(counted):
    (row, *_) = run_ladder([replace(counted, seeded=False)], made_set(), (0, 1, 2))
    assert Counted.runs == [0]
    assert row.each == (0.25,)
    assert "over rows" in row.note


def test_a_step_that_cannot_run_says_why_and_the_others_go_on(counted):
    task = made_task(80)
    few = LadderData("made", replace(task, samples=task.samples))
    steps = [
        LadderStep("gone", "gone"),
        LadderStep("descriptions", "zero-shot", {"descriptions": ""}),
        LadderStep("lp++", "lp++", {"shots": 90}, 90),
        counted,
    ]
    rows = run_ladder(steps, few, (0,))
    reasons = {row.step: row.note for row in rows if row.value is None}
    assert "none_such" in reasons["gone"]
    assert "no file of descriptions" in reasons["descriptions"]
    assert "fewer than 90 shots" in reasons["lp++"]
    assert rows[-1].step == "counted"
    assert rows[-1].value is not None


def test_finished_steps_are_kept_and_not_run_again(counted, tmp_path):
    state = tmp_path / "out" / "steps.json"
    first = run_ladder([counted], made_set(), (0, 1), state=state)
    assert Counted.runs == [0, 1]
    again = run_ladder([counted], made_set(), (0, 1, 2), state=state)
    assert Counted.runs == [0, 1, 2]
    assert again[0].each[:2] == first[0].each
    run_ladder([replace(counted, settings={"shots": 3})], made_set(), (0,), state=state)
    assert Counted.runs == [0, 1, 2, 0]


def test_what_was_done_before_a_stop_is_kept(counted, tmp_path):
    state = tmp_path / "steps.json"

    def stop(step, done, total):
        if done == 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run_ladder([counted, replace(counted, name="second")], made_set(), (0,), state=state, progress=stop)
    assert len(json.loads(state.read_text())["units"]) == 1


def test_kept_steps_of_other_data_are_refused(counted, tmp_path):
    state = tmp_path / "steps.json"
    run_ladder([counted], made_set(), (0,), state=state)
    with pytest.raises(InvalidInput, match="another data set"):
        run_ladder([counted], LadderData("made", made_task(80, seed=4)), (0,), state=state)
    state.write_text("{")
    with pytest.raises(InvalidInput, match="no record of finished steps"):
        run_ladder([counted], made_set(), (0,), state=state)


def test_the_papers_figures_stand_beside(counted):
    step = LadderStep("coop", "counted", {}, 16)
    (row, *_) = run_ladder([step], made_set(), (0,), encoder="ViT-B-16/openai")
    assert row.published == (
        "mean of 11 sets (CoOp): 79.89 (from another's table: table in the README of the CasPL repository)",
    )
    (row, *_) = run_ladder([step], replace(made_set(), name="imagenet"), (0,), encoder="RN50/openai")
    assert row.published == ("63.33 (published with the code: README of kdiAAA/TDA and azshue/TPT)",)
    assert "whole validation set of ImageNet" in row.protocol
    (row, *_) = run_ladder([step], made_set(), (0,), encoder="embedded")
    assert row.published == ()


def test_the_figures_of_another_data_set_stand_beside_what_imagenet_taught(counted, monkeypatch):
    monkeypatch.setattr("research.ladder.reproduce.cross_data_set", lambda name, probe, source, target: run(target))

    def run(target):
        return run_probe("counted", make_probe("counted"), target)

    step = LadderStep("cocoop", "counted", {}, 16, "trained on imagenet", "OxfordPets")
    other = LadderData("OxfordPets", made_task(40, seed=9), ("cat", "dog", "bird", "fish"))
    (row, *_) = run_ladder([step], replace(made_set(), name="imagenet"), (0,), encoder="RN50/openai", targets=[other])
    assert row.setting == "trained on imagenet, scored on OxfordPets"
    assert row.published == ("88.39 (published with the code: README of kdiAAA/TDA)",)
    assert (row.value.value, row.each) == (1.0, (1.0,))  # the target's seed is 9, so all of its rows are right
    assert not any("not the published test split" in said for said in row.here)


def test_a_setting_that_is_empty_reaches_the_probe(counted):
    """The empty start of a context is the random one: it once was taken for no setting."""
    run_ladder([replace(counted, settings={"init": ""})], made_set(), (0,))
    assert Counted.inits == [""]


def test_sus_x_says_what_stands_in_for_a_pool_and_another_pool_is_another_run(tmp_path):
    state = tmp_path / "steps.json"
    steps = [s for s in ladder("sus-x") if s.name == "sus-x"]
    (row, *_) = run_ladder(steps, made_set(), (0, 1), state=state)
    assert STANDS_IN in row.here
    assert len(row.each) == 2
    task = made_task(40, seed=5)
    pool = Images(task.joint.vectors, task.samples.ids)
    pooled = replace(
        made_set(), task=replace(made_set().task, pool=pool), pool_notes=("2 pictures could not be read.",)
    )
    steps = [s for s in ladder("sus-x", LadderChoices(pooled=True)) if s.name == "sus-x"]
    (row, *_) = run_ladder(steps, pooled, (0, 1), state=state)
    assert STANDS_IN not in row.here
    assert "support set from your pool of 40 unlabelled images, 20 a class at most, in LAION-5B's place" in row.here
    assert "2 pictures could not be read." in row.note
    assert len(row.each) == 1
    fewer = replace(pooled, task=replace(pooled.task, pool=pool.keep(np.arange(20))))
    (row, *_) = run_ladder(steps, fewer, (0,), state=state)
    assert "support set from your pool of 20" in row.here[0]
    assert len(json.loads(state.read_text())["units"]) == 4  # two seeds of halves, one of each pool


@pytest.mark.parametrize(
    "said",
    [
        {
            "cat": ["A cat has whiskers.", "A cat sits."],
            "dog": ["A dog barks."],
            "great white shark": ["A shark swims."],
        },
        {"cat": ["whiskers", "a long tail"], "dog": ["floppy ears"], "bird": [], "great white shark": ["fins"]},
    ],
    ids=["CuPL", "DCLIP"],
)
def test_published_files_of_descriptions_are_taken_as_they_are(said, tmp_path):
    file = tmp_path / "said.json"
    file.write_text(json.dumps(said))
    steps = [s for s in ladder("sus-x", LadderChoices(descriptions=str(file))) if s.name.startswith("sus-x")]
    rows = [row for row in run_ladder(steps, made_set(), (0,)) if row.metric == "accuracy"]
    assert [row.step for row in rows] == ["sus-x", "sus-x, tuned"]
    for row in rows:
        assert row.value is not None
        assert "great white shark" in row.note
        assert not any("no descriptions" in said for said in row.here)


def test_base_to_new_is_a_step_with_its_own_figures():
    rows = {
        row.metric: row
        for row in run_ladder([s for s in ladder("coop") if s.title == "zero-shot, base-to-new"], made_set(), (0,))
    }
    assert set(rows) == {"base", "new", "h", "seen", "unseen", "general_h", "into_base"}
    assert rows["h"].value.value <= max(rows["base"].value.value, rows["new"].value.value)


def test_no_seed_is_refused(counted):
    with pytest.raises(InvalidInput, match="At least one seed"):
        run_ladder([counted], made_set(), ())


def test_a_record_of_steps_that_is_no_sound_json_is_bad_input(counted, tmp_path):
    (tmp_path / "s.json").write_text("[" * 100_000)
    with pytest.raises(InvalidInput, match="no record of finished steps"):
        run_ladder(
            [LadderStep("zero-shot", "zero-shot")],
            LadderData("made", made_task(8), None, "", ()),
            (0,),
            state=tmp_path / "s.json",
        )
