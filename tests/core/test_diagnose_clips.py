"""A diagnosis of clips from the table to the stored run."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.samples import read_data_set
from core.diagnose import diagnose
from core.encoders import encoder_for, load_encoder
from core.encoders.clips import SEEN_FRAMES, ClipEncoder
from core.encoders.text_batches import text_batches
from core.errors import InvalidInput
from core.reports.html.diagnosis import render_report
from core.reports.terminal import text_summary
from core.reports.wording.findings import cluster_title
from core.store import load, save
from research.examples.make_runs import EXAMPLES
from tests.support.clips import QUICK_CLIPS, DiagnosedClips, crossing, failing_clips
from tests.support.pictures import MeanColour
from webapp.markup.images import picture


class Frames:
    def __init__(self, *frames: Image.Image) -> None:
        self.frames = frames


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> ClipEncoder:
    monkeypatch.setattr("core.encoders.clips.load_encoder", lambda name: MeanColour())
    return ClipEncoder("mean color")


def test_words_see_the_mean_of_the_frames_and_failures_the_order_too(encoder: ClipEncoder) -> None:
    frames = crossing(np.random.default_rng(0))
    batch = np.stack([encoder.preprocess(Frames(*shown)) for shown in (frames, frames[::-1], [frames[0]] * 3)])
    finding, joint = encoder.encode_items(batch)
    by_frame, joint_by_frame = encoder.encode_frames(batch)
    assert batch.shape[:2] == (3, SEEN_FRAMES)
    assert by_frame.shape[:2] == (3, SEEN_FRAMES)
    assert np.linalg.norm(finding, axis=1) == pytest.approx(1)
    assert np.linalg.norm(joint, axis=1) == pytest.approx(1)
    mean = joint_by_frame[0].mean(0)
    assert joint[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert joint[0] == pytest.approx(joint[1], abs=1e-6)
    half = finding.shape[1] // 2
    assert finding[0, :half] == pytest.approx(finding[1, :half], abs=1e-6)
    assert finding[0, half:] == pytest.approx(-finding[1, half:], abs=1e-6)
    assert np.abs(finding[0, half:]).max() > 0.01
    assert np.abs(finding[2, half:]).max() < 1e-6


def test_texts_go_together_as_many_as_the_encoder_of_pictures_takes(
    encoder: ClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a red thing", "a blue", "a"]
    assert [rows.tolist() for rows in text_batches(encoder, texts)] == [[2, 1, 0]]  # not by the number of clips
    monkeypatch.setattr(MeanColour, "text_batches", lambda self, texts: [np.array([0])], raising=False)
    assert [rows.tolist() for rows in text_batches(encoder, texts)] == [[0]]


def test_the_name_of_an_encoder_of_pictures_means_its_frames_where_samples_are_clips() -> None:
    assert encoder_for("clip", "embedded") == "clips"
    assert encoder_for("clip", "ViT-B-32/laion2b_s34b_b79k") == "clips:ViT-B-32/laion2b_s34b_b79k"
    assert encoder_for("clip", "clips:ViT-B-32/openai") == "clips:ViT-B-32/openai"
    with pytest.raises(InvalidInput, match="Frames of clips are images, but 'minilm' embeds texts"):
        load_encoder("clips:minilm")


def test_a_table_of_clips_is_known_by_the_ends_of_their_names(tmp_path: Path) -> None:
    table, _ = failing_clips(tmp_path / "clips", 24, "none")
    found = read_data_set(table, images=tmp_path / "clips")
    assert found.samples.modality == "clip"
    assert len(found.samples) == 24


def test_animated_pictures_are_clips_where_that_is_said(tmp_path: Path) -> None:
    from core.data.tables.roles import Roles

    names = [f"{i}.gif" for i in range(24)]
    for i, name in enumerate(names):
        frames = crossing(np.random.default_rng(i))
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100)
    table = pd.DataFrame({"file": names, "loss": np.arange(24.0)})
    assert read_data_set(table, images=tmp_path).samples.modality == "image"
    assert read_data_set(table, images=tmp_path, roles=Roles(modality="clip")).samples.modality == "clip"


def test_clips_and_pictures_in_one_table_are_refused_and_beside_it_are_not(tmp_path: Path) -> None:
    table, _ = failing_clips(tmp_path, 24, "none")
    crossing(np.random.default_rng(0))[0].save(tmp_path / "still.png")
    assert read_data_set(table, images=tmp_path).samples.modality == "clip"
    mixed = pd.concat([table, pd.DataFrame({"file": ["still.png"], "loss": [0.1]})])
    with pytest.raises(InvalidInput, match=r"these name clips \(000.mp4\) and images \(still.png\)"):
        read_data_set(mixed, images=tmp_path)


def test_a_clip_that_is_not_there_is_left_out_by_name(tmp_path: Path) -> None:
    table, _ = failing_clips(tmp_path, 24, "none")
    (tmp_path / "003.mp4").unlink()
    assert read_data_set(table, images=tmp_path).excluded == (("003.mp4", "the clip was not found: 003.mp4"),)


@pytest.mark.slow
def test_clips_that_fade_are_found_named_kept_and_shown(tmp_path: Path) -> None:
    table, planted = failing_clips(tmp_path / "clips", 96, "faded")
    (tmp_path / "clips" / "007.mp4").write_bytes(b"\0\0\0\x18ftypmp42 broken")
    found = diagnose(table, images=tmp_path / "clips", settings=QUICK_CLIPS)
    assert found.excluded[0][0] == "007.mp4"
    assert "MP4" in found.excluded[0][1]
    planted = np.delete(planted, 7)
    first = found.clusters[0]
    assert ((first.membership >= 0.5) == planted).mean() > 0.9
    said = text_summary(found)
    assert "1. Darkening videos" in said
    assert "near-duplicates" not in said

    save(found, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert again.samples.items is not None
    assert getattr(Image.open(io.BytesIO(again.samples.items.read(0))), "n_frames", 1) > 1
    assert "data:image/webp" in render_report(again)


@pytest.mark.slow
def test_clips_that_run_backwards_are_found_and_a_loss_of_nothing_is_not(turned_clips: DiagnosedClips) -> None:
    assert ((turned_clips.found.clusters[0].membership >= 0.5) == turned_clips.planted).mean() > 0.8
    nothing = turned_clips.table.assign(loss=np.random.default_rng(3).permutation(turned_clips.table["loss"]))
    again = diagnose(nothing, images=turned_clips.folder, settings=QUICK_CLIPS, cache=turned_clips.cache)
    assert not again.clusters


def test_a_clip_stands_still_in_galleries_and_plays_where_it_is_enlarged() -> None:
    run = load(EXAMPLES / "clips" / "run.errata")
    shown = [picture(run, 0, plays=plays).partition("base64,")[2] for plays in (False, True)]
    frames = [getattr(Image.open(io.BytesIO(base64.b64decode(data))), "n_frames", 1) for data in shown]
    assert frames[0] == 1
    assert frames[1] > 5
    assert cluster_title(run, run.clusters[0]) == "Rises, mixed: most often mistaken for shrinks"
