"""A fault is taken out of scans as examples show it, and the file round trip says what that explains."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli.main import main
from core.data.images.archives import open_images
from core.data.scans.volume import Scan, read_scan
from core.errors import InvalidInput
from core.records import Diagnosis
from core.systems.neuralizer.corrections.altered import UNCHANGED, Rescored, read_altered
from core.systems.neuralizer.corrections.correct import Corrector
from core.systems.neuralizer.corrections.explain import explain_by_corrections, not_the_runs, sentence
from core.systems.neuralizer.corrections.export import plan_corrections
from core.systems.neuralizer.corrections.names import CONTROL, CORRECTIONS
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.weights import read_network
from research.examples.planted_scans import bright, dice_losses, plant_scans, set_threshold
from research.weights.neuralizer.drawn_scans import SIDE


@pytest.fixture
def found(scans_found: Diagnosis) -> Diagnosis:
    return scans_found


def scan_of(plane: np.ndarray) -> Scan:
    return Scan(plane[::-1].T[:, None], 1.0, 0.0, (4.0, 4.0, 4.0), "npz", 0)


@pytest.fixture(scope="module")
def network() -> Neuralizer:
    return read_network()[0]


@pytest.mark.slow
def test_the_bias_correction_brings_a_threshold_model_back(network: Neuralizer) -> None:
    """Over seeds 0 to 7, 12 scans each, the loss after it is 0.57 [0.53, 0.60] of the loss before, and 0.167
    [0.145, 0.190] below the control's (t, 95%); a single seed reaches from 0.50 to 0.63 and from 0.12 to 0.21. So
    two seeds are taken together."""
    means = np.array([corrected_losses(network, seed) for seed in range(2)]).mean(0)
    before, right, control = means.tolist()
    print(f"loss {before:.3f}, corrected {right:.3f}, control {control:.3f}")
    assert right < 0.68 * before
    assert right < control - 0.1


def corrected_losses(network: Neuralizer, seed: int, n: int = 12) -> tuple[float, float, float]:
    """Mean loss of `n` scans with a bias field, after the correction, and after its control."""
    planted = plant_scans(60, share=0.25, seed=seed)
    threshold = set_threshold(planted)
    loss = dice_losses(bright(planted.slices, threshold), planted.masks)
    corrector = Corrector(network, SIDE, [scan_of(planted.slices[k]) for k in np.argsort(loss)[:8]])
    spoilt = np.flatnonzero(planted.spoilt)[:n]

    def after(wrong: bool) -> float:
        whole = np.stack([corrector.correct(scan_of(planted.slices[k]), "bias", wrong=wrong)[0] for k in spoilt])
        return float(dice_losses(bright(whole, threshold), planted.masks[spoilt]).mean())

    return float(loss[spoilt].mean()), after(False), after(True)


@pytest.mark.parametrize("task", CORRECTIONS)
def test_a_scan_keeps_its_size_and_the_scale_of_its_values(task: str, network: Neuralizer) -> None:
    rng = np.random.default_rng(0)
    scan = Scan(1_000 * rng.random((30, 2, 41)).astype(np.float32), 2.0, 100.0, (1.0, 3.0, 1.5), "NIfTI", 0)
    examples = [scan_of(plane) for plane in plant_scans(20, side=SIDE, fault="").slices[:2]]
    out = Corrector(network, SIDE, examples).correct(scan, task)
    assert out.shape == (2, 41, 30)
    assert np.isfinite(out).all()
    assert out.max() < 20_000


def test_a_black_scan_stays_black(network: Neuralizer) -> None:
    black = scan_of(np.zeros((20, 20), np.float32))
    for task in CORRECTIONS:
        assert (Corrector(network, SIDE, [black]).correct(black, task) == 0).all()


def test_no_example_no_correction(network: Neuralizer) -> None:
    with pytest.raises(InvalidInput, match="needs a low-loss scan"):
        Corrector(network, SIDE, [])


def test_another_plan_of_the_run_makes_files_of_other_names(found: Diagnosis) -> None:
    first, again, fewer = (plan_corrections(found, found.clusters[0].id, n) for n in (10, 10, 6))
    assert first.mark(found.fingerprint) == again.mark(found.fingerprint)
    assert len({plan.mark(run) for plan in (first, fewer) for run in (found.fingerprint, "another")}) == 4


def test_examples_are_of_least_loss_and_no_scan_plays_two_parts(found: Diagnosis) -> None:
    plan = plan_corrections(found, found.clusters[0].id, 10)
    assert len(plan.members) == len(plan.others) == 10
    assert not set(plan.examples) & (set(plan.members) | set(plan.others))
    assert found.outcomes.loss[plan.examples].max() <= found.outcomes.loss[plan.others].min()
    with pytest.raises(InvalidInput, match="no confirmed group with the id 99"):
        plan_corrections(found, 99)
    with pytest.raises(InvalidInput, match=r"it has [0-9]+, and at most 4 were requested"):
        plan_corrections(found, found.clusters[0].id, 4)
    of_pictures = replace(found, samples=replace(found.samples, modality="image"))
    with pytest.raises(InvalidInput, match="this run has images"):
        plan_corrections(of_pictures, 0)


@pytest.mark.slow
def test_the_round_trip_through_files_explains_a_planted_bias_field(
    found: Diagnosis, scans_upload: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.store import save

    run, out = tmp_path / "run.errata", tmp_path / "corrected"
    save(found, run)
    cluster = str(found.clusters[0].id)
    asked = ["--images", str(scans_upload), "--out", str(out), "--cluster", cluster, "--fault", "bias", "--most", "12"]
    assert main(["correct", str(run), *asked]) == 0
    items, about = read_altered(out)
    assert {item.alteration for item in items} == {UNCHANGED, "bias", "bias" + CONTROL}
    assert len(items) == 3 * (len(about["members"]) + 12)

    planted = plant_scans(120, share=0.2)
    threshold = set_threshold(planted)
    rows = ["file,loss"]
    for item in items:  # the user's model
        plane = read_scan((out / item.file).read_bytes()).plane(0)
        truth = planted.masks[int(item.id.removeprefix("scan")[:4])]
        rows.append(f"{item.file},{float(dice_losses(bright(plane[None], threshold), truth[None])[0])}")
    (tmp_path / "scores.csv").write_text("\n".join(rows), "utf-8")
    capsys.readouterr()
    assert main(["correct", str(run), "--altered", str(out), "--scores", str(tmp_path / "scores.csv")]) == 0
    said = capsys.readouterr().out
    print(said)
    assert said.startswith("A bias field (bias): the loss drops by ")  # and no note before it: the losses are the run's
    assert "Explains." in said
    assert open_images(out).names


def rescored(found: Diagnosis, effect: float) -> tuple[Rescored, dict[str, Any]]:
    ids = found.samples.ids[:40]
    rng, members = np.random.default_rng(0), np.arange(40) < 20
    before = 0.5 * members + rng.normal(0, 0.1, 40)
    losses = {UNCHANGED: before, "bias": before - effect * members, "bias" + CONTROL: before + rng.normal(0, 0.05, 40)}
    return Rescored(ids, losses), {"run": found.fingerprint, "members": list(ids[:20])}


def test_a_share_of_an_excess_that_may_be_nothing_is_said_to_be_none(found: Diagnosis) -> None:
    some, about = rescored(found, 0.3)
    alike = {name: loss - 0.5 * (np.arange(40) < 20) for name, loss in some.losses.items()}
    first = explain_by_corrections(found, about, replace(some, losses=alike))[0]
    said = json.loads(json.dumps(first.to_dict(), allow_nan=False))
    assert said["share"] is None
    assert said["drop"]["low"] > 0
    assert "share of its excess undefined" in sentence(first)


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (0.3, r"drops by 0\.30 \([^−]*\), .* to 0\.\d+ \([^−]*\) below"),
        (-0.3, r"rises by 0\.30 \([^−]*\), [^−]* above"),
    ],
)
def test_a_word_says_whether_the_loss_drops_or_rises_and_no_sign_does(
    found: Diagnosis, effect: float, said: str
) -> None:
    scores, about = rescored(found, effect)
    assert re.match(
        rf"A bias field \(bias\): the loss {said} the control",
        sentence(explain_by_corrections(found, about, scores)[0]),
    )


def test_losses_of_another_model_are_told_from_the_runs(found: Diagnosis) -> None:
    own = found.outcomes.loss[:40]
    for now, said in ((own, ""), (own + 0.1 * own.mean(), ""), (own + 0.5, "differ from the run's by 0.50 on average")):
        note = not_the_runs(found, Rescored(found.samples.ids[:40], {UNCHANGED: now}))
        assert said in note
        assert bool(note) == bool(said)


def test_a_correction_without_effect_explains_nothing(found: Diagnosis) -> None:
    none, about = rescored(found, 0.0)
    assert not explain_by_corrections(found, about, none)[0].explains
    some, about = rescored(found, 0.3)
    first = explain_by_corrections(found, about, some)[0]
    assert first.explains
    assert sentence(first).endswith("Explains.")
    assert first.to_dict()["share"]["value"] == pytest.approx(0.6, abs=0.15)
    with pytest.raises(InvalidInput, match="another run"):
        explain_by_corrections(found, {**about, "run": "x"}, some)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"members": 5}, "must be a list of names"),
        ({"members": [["a"]]}, "must be a list of names"),
        ({"members": ["nobody"]}, "names the sample 'nobody', which is not in the files"),
    ],
)
def test_members_edited_by_hand_are_refused(found: Diagnosis, change: dict[str, Any], said: str) -> None:
    scores, about = rescored(found, 0.3)
    with pytest.raises(InvalidInput, match=said):
        explain_by_corrections(found, {**about, **change}, scores)


def test_a_sample_of_no_run_and_a_correction_without_control_are_refused(found: Diagnosis) -> None:
    scores, about = rescored(found, 0.3)
    with pytest.raises(InvalidInput, match=r"'odd ☃ name', which is not in the run"):
        explain_by_corrections(found, about, replace(scores, ids=("odd ☃ name", *scores.ids[1:])))
    without = {name: values for name, values in scores.losses.items() if not name.endswith(CONTROL)}
    with pytest.raises(InvalidInput, match="no correction with its control"):
        explain_by_corrections(found, about, replace(scores, losses=without))
