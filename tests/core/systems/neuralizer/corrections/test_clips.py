"""Clips changed in time, and the file round trip that says what a change explains."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cli.main import main
from core.data.clips.decoding import every_frame
from core.store import save
from core.systems.neuralizer.corrections.altered import Rescored
from core.systems.neuralizer.corrections.clips import backwards, longest_shot, steady_light
from core.systems.neuralizer.corrections.explain import explain_by_corrections
from core.systems.neuralizer.corrections.names import CHANGES
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import faded
from tests.support.clips import DiagnosedClips, crossing
from tests.support.diagnoses import make_diagnosis

RNG = np.random.default_rng(0)


def brightness(frames: list[Image.Image]) -> np.ndarray:
    return np.array([np.asarray(frame.convert("L")).mean() for frame in frames])


def test_backwards_turns_the_frames_and_its_control_shuffles_them() -> None:
    frames = crossing(RNG)
    turned, control = backwards(frames, np.random.default_rng(1))
    assert turned == frames[::-1]
    assert sorted(map(id, control)) == sorted(map(id, frames))
    assert control not in (frames, turned)


def test_steady_light_takes_a_fade_out_and_its_control_does_not() -> None:
    dark = faded(crossing(RNG), 0.3)
    steady, control = steady_light(dark, RNG)
    assert np.ptp(brightness(steady)) < 0.15 * np.ptp(brightness(dark))
    assert np.ptp(brightness(control)) > np.ptp(brightness(dark))


def test_the_longest_shot_holds_no_cut_and_its_control_as_many_frames_with_it() -> None:
    stripes = np.tile(np.repeat([20, 230], 6), 4)[:48].astype(np.uint8)
    own, other = crossing(RNG), [Image.fromarray(np.broadcast_to(stripes, (48, 48))).convert("RGB")] * 3
    shot, control = longest_shot([*other, *own], RNG)
    assert shot == own
    assert control == [*other, *own][: len(own)]
    assert longest_shot([*own, *other], RNG) == (own, [*own, *other][-len(own) :])
    assert longest_shot(own, RNG) == (own, own)


def losses(folder: Path, rng: np.random.Generator) -> pd.DataFrame:
    """Of a model that fails on squares that do not clearly move to the right, which few shuffled clips do."""
    rows = []
    for path in sorted(folder.glob("*.mp4")):
        frames = np.stack([np.asarray(frame, float) for frame in every_frame(path.read_bytes())[0]])
        bright = (frames - np.median(frames, 0)).max(3).clip(0)  # the square, where it stands only for a moment
        x = (bright.sum(1) * np.arange(bright.shape[2])).sum(1) / np.maximum(bright.sum((1, 2)), 1e-9)
        fails = np.polyfit(range(len(x)), x, 1)[0] < (48 - 14) / 7 / 2  # half the pixels a frame of `crossing`
        rows.append({"file": path.name, "loss": float(fails) + rng.normal(0, 0.1)})
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_that_clips_run_backwards_is_told_from_their_light_through_files(
    turned_clips: DiagnosedClips, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = turned_clips.folder
    save(turned_clips.found, tmp_path / "run.errata")
    main(f"correct {tmp_path}/run.errata --images {clips} --out {tmp_path}/out --most 20".split())
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 40 * 7
    losses(tmp_path / "out", np.random.default_rng(0)).to_csv(tmp_path / "scores.csv", index=False)
    capsys.readouterr()
    scores = ["--scores", str(tmp_path / "scores.csv")]
    main(["correct", str(tmp_path / "run.errata"), "--altered", str(tmp_path / "out"), *scores, "--json"])
    said = {one["correction"]: one for one in json.loads(capsys.readouterr().out)["corrections"]}
    assert said["backwards"]["explains"]
    assert said["backwards"]["share"]["value"] > 0.6  # 0.67 on one processor, above 0.7 on another: other members
    assert said["backwards"]["drop_outside"]["high"] < 0
    assert not said["steady-light"]["explains"]
    assert not said["longest-shot"]["explains"]


def test_a_video_of_odd_sides_loses_a_row() -> None:
    frames, rate = every_frame(video_bytes([Image.new("RGB", (33, 21), (i, 0, 0)) for i in range(4)], 12.5))
    assert frames[0].size == (32, 20)
    assert rate == pytest.approx(12.5, rel=0.01)


def test_what_cannot_be_taken_out_of_clips_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = make_diagnosis()
    save(replace(found, samples=replace(found.samples, modality="clip")), tmp_path / "run.errata")
    run, out = str(tmp_path / "run.errata"), str(tmp_path / "out")
    assert main(["correct", run, "--images", str(tmp_path), "--out", out, "--fault", "bias"]) == 2
    said = capsys.readouterr().err
    known = "the order of frames (backwards), changes of light (steady-light), cuts (longest-shot)"
    assert f"bias is not a fault of clips. Use --fault with one of {known}." in said


@pytest.mark.parametrize("n", [5, 12])
def test_of_losses_that_no_change_moves_hardly_any_is_explained(n: int) -> None:
    diagnosis, explained = make_diagnosis(), 0
    ids = diagnosis.samples.ids[: 2 * n]
    for seed in range(10):
        rng = np.random.default_rng([seed, n])
        own = np.repeat([2.0, 0.5], n)
        names = ["unchanged", *(name + kind for name in CHANGES for kind in ("", " (control)"))]
        scores = Rescored(ids, {name: own + rng.exponential(1, 2 * n) for name in names})
        found = explain_by_corrections(diagnosis, {"run": diagnosis.fingerprint, "members": list(ids[:n])}, scores)
        explained += any(one.explains for one in found)
    assert explained <= 1
