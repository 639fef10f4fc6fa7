"""Two stages teach what they should, on features that hold things and what happens to them, in under a minute."""

from __future__ import annotations

import pytest
import torch

from core.errors import InvalidInput
from core.systems.univl.network import Univl, UnivlSizes
from core.systems.univl.words import words_of_texts
from research.weights.univl.training.drawn import DrawnEvents, backwards
from research.weights.univl.training.loop import ClipLesson, UnivlTraining, fine_tune, mean_losses, teach_univl
from tests.support.univl_events import FRAMES, WIDTH, event_features

TOKENS = 14
QUICK = UnivlTraining(first=3, second=2, first_batch=4, second_batch=4)


def lesson(n: int, seed: int = 0) -> ClipLesson:
    drawn = event_features(n, seed)
    return ClipLesson(drawn, words_of_texts(drawn.every_text()), TOKENS)


def begun(taught: ClipLesson, width: int = 16, seed: int = 0) -> Univl:
    sizes = UnivlSizes(len(taught.words), WIDTH, width, 2, 2 * width, 1, 1, 1, 1, TOKENS, 8, TOKENS + 8, 0.0)
    network = Univl(sizes)
    network.begin(torch.Generator().manual_seed(seed))
    return network


def test_the_clip_of_the_other_order_has_the_same_frames_and_the_other_text() -> None:
    drawn = event_features(3)
    text, clip = drawn.clip(1, (False, True), False)
    twin, swapped = drawn.clip(1, (False, True), True)
    one, two = text.split(", then ")
    assert twin == f"{two}, then {one}"
    assert (one, two) == (drawn.texts[1][0], backwards(drawn.texts[1][1]))
    assert torch.equal(clip.roll(FRAMES, 0), swapped)
    assert torch.equal(clip[FRAMES:], drawn.features[1, 1].flip(0))


def test_a_batch_holds_both_orders_and_one_event_backwards() -> None:
    drawn = event_features(4)
    texts, clips = drawn.relatives([2, 0], torch.Generator().manual_seed(0))
    assert len(texts) == len(clips) == 8
    assert len(set(texts)) == 8
    for at in (0, 4):
        events = [text.split(", then ") for text in texts[at : at + 4]]
        assert events[0] == events[1][::-1]
        assert events[2] == events[3][::-1]
        assert sum(a != b for a, b in zip(events[0], events[2], strict=True)) == 1


def test_events_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidInput, match="is no event of drawn clips"):
        DrawnEvents((("a cube sleeps", "a ball grows"),) * 2, torch.zeros(2, 2, 3, 4))
    with pytest.raises(InvalidInput, match="at least 2"):
        DrawnEvents((("a cube grows", "a ball grows"),), torch.zeros(1, 2, 3, 4))


def test_the_same_seed_teaches_the_same_and_each_stage_its_losses() -> None:
    taught = lesson(6)
    one, two = begun(taught), begun(taught)
    steps, again = teach_univl(one, taught, QUICK), teach_univl(two, taught, QUICK)
    assert steps == again
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert [set(step) for step in steps[:3]] == [{"joint"}] * 3
    assert set(mean_losses(steps[3:])) == {"joint", "words", "frames", "alignment", "caption"}


def test_the_first_stage_leaves_cross_encoder_and_decoder_as_they_were() -> None:
    taught = lesson(6)
    network, other = begun(taught), begun(taught)
    teach_univl(network, taught, UnivlTraining(first=3, second=0, first_batch=4))
    changed = {
        name.split(".")[0]
        for (name, now), was in zip(network.named_parameters(), other.parameters(), strict=True)
        if not torch.equal(now, was)
    }
    assert changed == {"bert", "visual", "normalize_video"}


def test_a_training_that_diverges_and_a_task_that_is_none_say_so() -> None:
    taught = lesson(6)
    with pytest.raises(InvalidInput, match="fine-tuned for joint, aligned, caption: got 'words'"):
        fine_tune(begun(taught), taught, QUICK, "words")
    taught.drawn.features[:] = float("inf")
    with pytest.raises(InvalidInput, match="became NaN at learning rate"):
        teach_univl(begun(taught), taught, QUICK)
