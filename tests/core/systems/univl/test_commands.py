"""`retrieve`: texts look for their clips, from videos and from feature files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli.main import main
from core.errors import InvalidInput
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from core.systems.univl.clip_texts import clip_rows, read_clip_texts
from core.systems.univl.feature_tables import read_feature_table
from core.systems.univl.use import score_texts
from core.systems.univl.weights import ReadUnivl, read_univl, write_univl
from research.weights.univl.drawn_clips import draw_clip
from tests.support.documented import described_keys
from tests.support.univl import LENGTH, TEXTS, small_clips, small_univl, small_words


@pytest.fixture
def laid_out(tmp_path: Path) -> Path:
    """Four clips as features, a table of their texts, and a UniVL."""
    write_univl(ReadUnivl(small_univl(), small_words(), LENGTH), tmp_path / "univl")
    (tmp_path / "features").mkdir()
    features, there = small_clips()
    for k, (rows, n) in enumerate(zip(features.numpy(), there.sum(1).tolist(), strict=True)):
        np.save(tmp_path / "features" / f"v{k}.npy", rows[:n])
    names = [f"v{k}" for k in range(4)]
    (tmp_path / "clips.csv").write_text("video_id,feature_file\n" + "".join(f"{n},{n}\n" for n in names), "utf-8")
    said = "".join(f'{n},"{text}"\n' for n, text in zip(names, TEXTS, strict=True))
    (tmp_path / "texts.csv").write_text(f"video_id,caption\n{said}", "utf-8")
    return tmp_path


def run(at: Path, *more: str) -> int:
    given = ["--texts", str(at / "texts.csv"), "--univl", str(at / "univl"), "--features", str(at / "features")]
    return main(["retrieve", str(at / "clips.csv"), *given, *more])


@pytest.mark.parametrize("how", ["joint", "aligned"])
def test_places_are_those_of_the_networks_scores(
    how: str, laid_out: Path, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    assert run(laid_out, "--how", how, "--json", "--out", str(laid_out / "out.csv")) == 0
    document = json.loads(capsys.readouterr().out)
    assert {*document, *document["places"][0]} <= described_keys(repository, "`python -m core retrieve CLIPS")
    clips = read_feature_table(laid_out / "clips.csv", laid_out / "features").clips
    scores = score_texts(read_univl(laid_out / "univl"), TEXTS, clips, aligned=how == "aligned")
    wanted = [1 + sum(scores[k, j] >= scores[k, k] for j in range(4) if j != k) for k in range(4)]
    assert [row["place"] for row in document["places"]] == wanted
    assert document["texts_find_clips"]["1"]["value"] == pytest.approx(float(np.mean(np.array(wanted) == 1)))
    assert (laid_out / "out.csv").read_text("utf-8").startswith("clip,text,place,first\nv0,")


def test_the_lines_say_shares_with_intervals_and_chance(laid_out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(laid_out) == 0
    said = capsys.readouterr().out
    assert "4 texts and 4 clips." in said
    assert "25% by chance" in said
    assert "Median rank of a text's clip: " in said


def test_lines_of_text_are_answered_by_the_clips_most_like_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for k, verbs in enumerate((["grows"], ["falls"])):
        frames = draw_clip(np.random.default_rng(k), verbs).frames(4, 48)
        (folder / f"{k}.mp4").write_bytes(video_bytes(frames, 4))
    (folder / "notes.txt").write_text("no clip", "utf-8")
    (tmp_path / "ask.txt").write_text("a bright thing\n\na dark place\n", "utf-8")
    assert main(["retrieve", str(folder), "--texts", str(tmp_path / "ask.txt"), "--most", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["text"] for row in document["best"]] == ["a bright thing", "a dark place"]
    assert {row["clip"] for row in document["best"]} <= {"0.mp4", "1.mp4"}
    assert (document["clips"], document["notes"]) == (2, [])
    assert {*document, *document["best"][0]} <= described_keys(repository, "`python -m core retrieve CLIPS")
    assert all(0 <= row["second"] <= 1 for row in document["best"])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("", "empty"),
        ("video_id,label\nv0,a\n", "no column begins with 'caption', 'text'"),
        ("video_id,caption\nother,a cube\n", "texts.csv: none of the 1 names in 'video_id' matches a clip"),
    ],
)
def test_texts_of_no_clip_are_refused(
    texts: str, said: str, laid_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (laid_out / "texts.csv").write_text(texts, "utf-8")
    assert run(laid_out) == 2
    assert said in capsys.readouterr().err


def test_still_pictures_are_refused_with_the_way_to_search_them(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a red bird\n", "utf-8")
    stills = tmp_path / "stills"
    stills.mkdir()
    Image.new("RGB", (32, 32), "red").save(stills / "a.png")
    assert main(["retrieve", str(stills), "--texts", str(texts)]) == 2
    told = capsys.readouterr().err
    assert "a.png is a single image; a clip has at least 2 frames." in told
    assert "For still images, use `python -m core ask RUN TEXT` to search a run" in told


def test_features_of_another_network_are_refused(laid_out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(4):
        np.save(laid_out / "features" / f"v{k}.npy", np.zeros((3, 5), np.float32))
    assert run(laid_out) == 2
    assert "The features have 5 numbers per frame, this UniVL takes 12." in capsys.readouterr().err
    for k in range(4):
        np.save(laid_out / "features" / f"v{k}.npy", np.zeros((9, 12), np.float32))
    assert run(laid_out) == 2
    assert "A clip has 9 frames, this UniVL takes at most 8." in capsys.readouterr().err
    assert main(["retrieve", "x", "--texts", "y", "--features", "z"]) == 2


def test_texts_listed_in_a_cell_are_taken_one_by_one(tmp_path: Path) -> None:
    said = '[{"video_id": "a", "caption": ["a cube", "a ball"]}, {"video_id": "b", "caption": ["a star"]}]'
    (tmp_path / "texts.json").write_text(said, "utf-8")
    steps = list[str]()
    found = read_clip_texts(tmp_path / "texts.json", ["a", "b"], progress=lambda step, *_: steps.append(step))
    assert found == (["a cube", "a ball", "a star"], [0, 0, 1])
    (tmp_path / "texts.csv").write_text("caption\n\"['a cube', 'a ball']\"\n", "utf-8")
    assert (
        read_clip_texts(tmp_path / "texts.csv", ["a"], progress=lambda step, *_: steps.append(step))[0] == found[0][:2]
    )
    assert set(steps) == {"read table"}


def test_texts_without_a_column_of_clips_are_only_asked(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("caption\na cube\n\na ball\n", "utf-8")
    assert read_clip_texts(tmp_path / "texts.csv", ["a"]) == (["a cube", "a ball"], None)
    (tmp_path / "none.txt").write_text("\n\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"none\.txt has 0 texts\. Use 1 to 50,000"):
        read_clip_texts(tmp_path / "none.txt", ["a"])
    with pytest.raises(InvalidInput, match=r"'nowhere\.txt' was not found"):
        read_clip_texts(tmp_path / "nowhere.txt", ["a"])


def test_videos_are_told_by_their_names_and_else_every_file_is_tried() -> None:
    assert clip_rows(["a.mp4", "b.csv", "c.MKV"]).tolist() == [0, 2]
    assert clip_rows(["a.gif", "b.webp"]).tolist() == [0, 1]
