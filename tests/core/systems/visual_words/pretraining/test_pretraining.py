"""Pretraining end to end on drawn scenes, its figures by hand, and the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from core.cli.main import main
from core.data.images.decoding import decode
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.records import F32, F64, I64, no_progress
from core.systems.common.tokens import PictureTokens
from core.systems.composition.scenes.shipped import draw_training
from core.systems.visual_words.pretraining.captions_table import CaptionTable, read_captions
from core.systems.visual_words.pretraining.dictionary_file import read_dictionary
from core.systems.visual_words.pretraining.figures import (
    best_threshold,
    matching_pairs,
    pool_of,
    retrieval,
    score_pairs,
)
from core.systems.visual_words.pretraining.loop import _draw, pretrain, rate_at
from core.systems.visual_words.pretraining.pairs import CaptionedPictures, captioned
from core.systems.visual_words.pretraining.run import CARD, WEIGHTS, PretrainingResult, _contents, hold_out, measure
from core.systems.visual_words.pretraining.settings import Pretraining
from research.evidence.soho import score_matrix
from tests.support.pictures import Pictures, encoded

TINY = Pretraining(words=8, layers=1, width=16, heads=2, steps=12, batch=8)
KINDS = 4


def made(n: int = 60, seed: int = 0) -> CaptionedPictures:
    """Pictures with four cells of one of `KINDS` things before some background, and two captions that name it."""
    rng = np.random.default_rng(seed)
    sorts = rng.integers(0, KINDS, n)
    centres = 3 * np.random.default_rng(1).normal(size=(KINDS + 6, 20))
    which = KINDS + rng.integers(0, 6, (n, 9))
    which[:, :4] = sorts[:, None]
    tokens = centres[rng.permuted(which, axis=1)] + rng.normal(size=(n, 9, 20))
    pictures = PictureTokens(tokens.astype(np.float16), np.zeros((n, 4), np.float32), np.arange(n), {})
    names = ("dog", "boat", "tree", "car")
    return captioned(pictures, [(f"a {names[s]} here", f"one {names[s]}") for s in sorts])


def test_words_and_cells_are_learned_within_seconds() -> None:
    how = Pretraining(words=16, layers=1, width=16, heads=2, steps=80, batch=16, rate=0.003)
    found = pretrain(made(), (3, 3), how)
    assert len(found.curve) == 20
    assert found.curve[-1].words < found.curve[0].words - 0.3
    assert found.curve[-1].cells < found.curve[0].cells
    assert 5 < found.perplexity <= 16


def test_one_seed_gives_one_network_and_the_caller_keeps_its_random_numbers() -> None:
    torch.manual_seed(9)
    before = torch.rand(1)
    torch.manual_seed(9)
    first = pretrain(made(), (3, 3), TINY)
    assert torch.equal(torch.rand(1), before)
    second = pretrain(made(), (3, 3), TINY)
    for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values()):
        assert torch.equal(a, b)
    assert first.curve == second.curve


def test_words_may_begin_as_an_encoders_and_the_dictionary_as_another() -> None:
    first = pretrain(made(), (3, 3), TINY)
    asked = list[str]()

    def vectors(words: Sequence[str]) -> F32:
        asked.extend(words)
        return np.random.default_rng(0).normal(size=(len(words), 5)).astype(np.float32)

    how = Pretraining(words=8, layers=1, width=16, heads=2, steps=1, batch=8, rate=1e-6)
    found = pretrain(made(), (3, 3), how, dictionary=first.model.dictionary, encode_words=vectors)
    assert set(asked) == set(found.vocabulary.words[5:])
    assert first.model.dictionary is not None
    assert found.model.dictionary is not None
    near = torch.cdist(found.model.dictionary.embed, first.model.dictionary.embed).min(1).values
    assert float(near.median()) < 0.5


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [rate_at(share / 100) for share in range(100)]
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates.index(max(rates)) == 10
    assert rates[0] < 0.05
    assert rates[-1] < 0.01
    assert rates[:11] == sorted(rates[:11])


def slow_retrieval(scores: F64, of: I64, k: int) -> tuple[float, float]:
    n, found, other = len(scores), list[bool](), list[bool]()
    for t in range(len(of)):
        found.append(sum(scores[i, t] >= scores[of[t], t] for i in range(n) if i != of[t]) < k)
    for i in range(n):
        best = max(scores[i, t] for t in range(len(of)) if of[t] == i)
        other.append(sum(scores[i, t] >= best for t in range(len(of)) if of[t] != i) < k)
    return float(np.mean(found)), float(np.mean(other))


def test_retrieval_is_that_of_a_loop_and_ties_are_lost() -> None:
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(12), 2)
    scores = rng.integers(0, 5, (12, 24)).astype(np.float64)
    of_pictures, of_captions = retrieval(scores, of, (1, 5))
    for k in (1, 5):
        assert (of_pictures[k], of_captions[k]) == slow_retrieval(scores, of, k)
    assert retrieval(np.zeros((5, 5)), np.arange(5), (1, 5)) == ({1: 0.0, 5: 1.0},) * 2


def test_pools_pairs_and_thresholds() -> None:
    data = made(30)
    pool = pool_of(data, np.random.default_rng(0), 20)
    assert len(pool) == len(pool.captions) == len(set(pool.captions)) == KINDS  # four captions come first
    pairs, match = matching_pairs(data, np.random.default_rng(0))
    assert (data.of[pairs[match, 1]] == pairs[match, 0]).all()
    assert (data.of[pairs[~match, 1]] != pairs[~match, 0]).all()
    assert match.sum() == 30
    assert best_threshold(np.array([0.1, 0.9, 0.3, 0.7]), np.array([False, True, False, True])) == 0.5
    assert best_threshold(np.array([1.0, 2.0]), np.array([True, True])) < 1


def test_scores_that_are_no_numbers_are_refused_and_not_counted_as_found() -> None:
    scores = np.eye(5)
    scores[3, 3] = np.nan
    with pytest.raises(InvalidInput, match=r"1 of 25 scores .* diverged\. Lower the learning rate"):
        retrieval(scores, np.arange(5))
    with pytest.raises(InvalidInput, match=r"needs 2 images .* got 1"):
        retrieval(np.ones((1, 1)), np.arange(1))


def test_a_training_that_diverges_ends_with_one_message() -> None:
    wild = pretrain(made(), (3, 3), TINY).model.dictionary
    assert wild is not None
    wild.embed.fill_(3e38)
    with pytest.raises(InvalidInput, match=r"became NaN at learning rate 0\.002\. Lower the learning rate"):
        pretrain(made(), (3, 3), TINY, dictionary=wild)
    found = pretrain(made(), (3, 3), TINY)
    torch.nn.init.constant_(found.model.matches.weight, torch.nan)
    with pytest.raises(InvalidInput, match="training diverged"):
        score_pairs(found, made(12), np.array([[0, 0]]))


def test_cells_that_are_no_numbers_are_refused() -> None:
    data = made()
    tokens = data.pictures.tokens
    assert isinstance(tokens, np.ndarray)
    tokens[3, 2, 1] = np.nan
    with pytest.raises(InvalidInput, match="Cells of 1 of 60 images are not finite"):
        pretrain(data, (3, 3), TINY)


def captions_of(captions: Sequence[str]) -> CaptionedPictures:
    n = len(captions)
    pictures = PictureTokens(np.zeros((n, 9, 4), np.float16), np.zeros((n, 2), np.float32), np.arange(n), {})
    return captioned(pictures, [(caption,) for caption in captions])


def test_a_caption_of_the_same_words_is_no_mismatch() -> None:
    data = captions_of(["A dog.", "a dog", *["a cat"] * 6, "a boat", "a boat"])
    read = [caption.lower().strip(".") for caption in data.captions]
    for seed in range(20):
        pairs, match = matching_pairs(data, np.random.default_rng(seed))
        assert match.sum() == (~match).sum() == 10
        assert all(read[picture] != read[caption] for picture, caption in pairs[~match].tolist())
    pairs, match = matching_pairs(captions_of(["a dog"] * 10), np.random.default_rng(0))
    assert pairs.shape == (0, 2)
    assert match.shape == (0,)


def test_a_caption_of_the_same_words_is_learned_as_a_match() -> None:
    data = captions_of(["A dog.", "a dog"] * 4)
    assert bool(_draw(data, 8, np.random.default_rng(0)).matches.all())
    apart = captions_of([f"thing {i}" for i in range(8)])
    assert int((~_draw(apart, 8, np.random.default_rng(0)).matches).sum()) == 4


def test_the_gain_is_that_of_the_same_pairs() -> None:
    data = captions_of([f"thing {i}" for i in range(40)])
    pairs, match = matching_pairs(data, np.random.default_rng(0))
    good = measure(lambda _, p: (p[:, 0] == p[:, 1]).astype(float), data, data, pairs, match)
    poor = measure(lambda _, p: np.random.default_rng(1).normal(size=len(p)), data, data, pairs, match)
    unused: Any = None
    result = PretrainingResult(unused, 1, 1, 1, 1, 1, good, poor, "made", ())
    gain = result.gain
    assert gain is not None
    assert good.right is not None
    assert poor.right is not None
    assert gain.value == pytest.approx(good.right.mean() - poor.right.mean())
    assert gain.low > 0.2


def test_one_caption_for_all_cannot_be_measured() -> None:
    data = captions_of(["a dog"] * 10)
    pool, rng = pool_of(data, np.random.default_rng(0)), np.random.default_rng(0)
    found = measure(lambda part, pairs: np.zeros(len(pairs)), pool, data, *matching_pairs(data, rng))
    assert (found.pictures, found.captions, found.matching) == ({}, {}, None)


def test_copies_of_a_picture_lie_on_one_side() -> None:
    data = made(60)
    contents = [bytes([i // 2]) for i in range(60)]
    learned, held, notes = hold_out(data, contents, np.random.default_rng(0))
    assert (len(learned), len(held)) == (48, 12)
    assert not {i // 2 for i in learned.rows.tolist()} & {i // 2 for i in held.rows.tolist()}
    assert notes == ("30 near-duplicate images stay on the same side of the hold-out.",)
    assert hold_out(data, [bytes([i]) for i in range(60)], np.random.default_rng(0))[2] == ()
    with pytest.raises(InvalidInput, match="60 images are only 1 distinct ones"):
        hold_out(data, [b""] * 60, np.random.default_rng(0))


def test_every_pair_is_scored_alone() -> None:
    found, data = pretrain(made(), (3, 3), TINY), made(12, seed=2)
    matrix = score_matrix(found, data)
    assert matrix.shape == (12, 24)
    alone = score_pairs(found, data, np.array([[3, 7], [0, 0]]))
    np.testing.assert_allclose(alone, [matrix[3, 7], matrix[0, 0]], atol=1e-4)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn scenes with a caption each, as a user brings them."""
    folder = tmp_path_factory.mktemp("own")
    drawn = draw_training(22, seed=3)
    (folder / "images").mkdir()
    for i in range(44):
        (folder / "images" / drawn.store.name(i)).write_bytes(drawn.store.read(i))
    captions = [caption for item in drawn.benchmark.items for caption in item.captions]
    pd.DataFrame(
        {"image": [drawn.store.name(i) for i in range(44)], "caption": captions, "caption_2": [*captions[:43], ""]}
    ).to_csv(folder / "captions.csv", index=False)
    return folder


def test_a_picture_that_was_encoded_again_lies_on_the_side_of_the_first(own: Path) -> None:
    first = [path.read_bytes() for path in sorted((own / "images").iterdir())[:20]]
    files = [*first, *(encoded(decode(data).image, "JPEG", quality=60) for data in first)]
    joint = np.tile(unit(np.random.default_rng(0).normal(size=(20, 16))).astype(np.float32), (2, 1))
    pictures = PictureTokens(np.zeros((40, 9, 4), np.float16), joint, np.arange(40), {})
    data = captioned(pictures, [(f"thing {i}",) for i in range(40)])
    table = CaptionTable("made", Pictures(files), tuple((c,) for c in data.captions), ())
    contents = _contents(table, data, no_progress)
    assert len(set(contents)) == 20
    learned, held, notes = hold_out(data, contents, np.random.default_rng(0))
    assert len(held) == 8
    assert not {i % 20 for i in learned.rows.tolist()} & {i % 20 for i in held.rows.tolist()}
    assert notes[0].startswith("20 near-duplicate images stay")


def test_the_command_learns_measures_and_writes(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["pretrain", str(own / "captions.csv"), "--images", str(own / "images")]
    small = ["--steps", "3", "--batch", "8", "--words", "8", "--width", "16", "--heads", "2", "--layers", "1"]
    assert main([*given, *small, "--out", str(tmp_path / "soho"), "--licence", "own"]) == 0
    said = capsys.readouterr().out
    assert "35 images with 35 captions, with 8 visual words" in said
    assert "held out 9 images (20%)" in said
    assert "embedded alone, the image of a caption among " in said
    card = json.loads((tmp_path / "soho" / CARD).read_text())
    assert card["licence"] == "own"
    assert card["settings"]["steps"] == 3
    assert "[MASK]" in card["words"]
    assert read_dictionary(tmp_path / "soho" / WEIGHTS).embed.shape == (8, 16)
    again = [*given, *small, "--begin", str(tmp_path / "soho" / WEIGHTS), "--json", "--caption", "caption_2"]
    assert main(again) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["learned"]["pictures"] + document["held_out"]["pictures"] == 43
    assert any("Skipped 1 empty cells of captions" in note for note in document["notes"])
    assert main([*given, "--begin", str(tmp_path / "soho" / WEIGHTS)]) == 2
    assert "Use --words 8 --width 16" in capsys.readouterr().err


def test_captions_listed_in_a_cell_are_read_one_by_one(own: Path, tmp_path: Path) -> None:
    said = ['["a red ball", "a ball, red"]', "a blue cube", ""]
    names = [f"rendered_{i:06}.png" for i in (0, 0, 1)]
    pd.DataFrame({"image": names, "caption": said}).to_csv(tmp_path / "t.csv", index=False)
    found = read_captions(tmp_path / "t.csv", own / "images", image="image", captions=("caption",))
    assert found.captions == (("a red ball", "a ball, red", "a blue cube"), ())
    assert "Skipped 1 empty cells of captions." in found.notes


def test_tables_that_hold_nothing_are_refused(own: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column 'text'"):
        read_captions(own / "captions.csv", own / "images", image="image", captions=("text",))
    pd.DataFrame({"image": ["rendered_000000.png"] * 2, "caption": ["", " "]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InvalidInput, match="has no caption in 'caption'"):
        read_captions(tmp_path / "t.csv", own / "images", image="image", captions=("caption",))
    two = PictureTokens(np.zeros((2, 9, 4), np.float16), np.zeros((2, 2), np.float32), np.arange(2), {})
    with pytest.raises(InvalidInput, match="and 8 are needed"):
        captioned(two, [("a",)] * 2)
