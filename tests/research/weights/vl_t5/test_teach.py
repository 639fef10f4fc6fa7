"""Teaching: the loss by hand, batches, the scale that is folded in, and a rule that only an image tells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.records import F32
from core.systems.common.picture_cells import Whitening, fit_whitening
from core.systems.common.words import IGNORED
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import VisionSizes, grid_boxes
from research.weights.vl_t5.fixed_answers import FixedAnswers
from research.weights.vl_t5.new_model import NewSizes, make_describer
from research.weights.vl_t5.spoken import Spoken
from research.weights.vl_t5.teach import (
    Teaching,
    Views,
    batched,
    fold,
    step_share,
    step_sizes,
    teach,
    train,
    unfold,
    word_loss,
)
from tests.support.describers import FEATURES, some_parts, tiny_describer

BOXES = grid_boxes(2, 2)
HOW = Teaching(batch=16, lr=0.02)


def pictures(n: int) -> tuple[F32, list[Spoken]]:
    """Cells whose first feature is high or low, on a scale of its own, and what color that is."""
    rng = np.random.default_rng(0)
    high = rng.random(n) < 0.5
    cells = rng.normal(0, 1, (n, 4, 5)).astype(np.float32)
    cells[:, :, 0] += np.where(high, 2, -2)[:, None]
    tasks = [Spoken(i, "vqa: what colour is it ?", "dark red" if h else "blue") for i, h in enumerate(high)]
    return cells * np.array([100, 1, 1, 1, 1], np.float32) + 7, tasks


def described(tasks: list[Spoken]) -> Describer:
    return make_describer([t for one in tasks for t in (one.given, one.wanted)], VisionSizes(5), NewSizes(32, 1, 2, 48))


def test_the_loss_is_the_mean_over_tasks_of_the_mean_over_their_words() -> None:
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[1, 4, 2], [3, IGNORED, IGNORED]])
    own = [
        [-float(logits[i, j].log_softmax(0)[w]) for j, w in enumerate(row) if w != IGNORED]
        for i, row in enumerate(targets.tolist())
    ]
    assert float(word_loss(logits, targets)) == pytest.approx(np.mean([np.mean(row) for row in own]), rel=1e-5)


def test_each_task_is_in_one_batch_with_answers_of_about_its_length() -> None:
    tasks = [Spoken(i, "caption:", "a " * (1 + (7 * i) % 20)) for i in range(16 * 8 + 3)]
    batches = batched(tasks, 8, 0)
    assert sorted(one.picture for own in batches for one in own) == list(range(128))
    spread = [max(len(t.wanted.split()) for t in own) - min(len(t.wanted.split()) for t in own) for own in batches]
    assert np.mean(spread) < 3
    assert batched(tasks, 8, 0) == batches != batched(tasks, 8, 1)


def test_the_step_goes_up_and_then_down_to_nothing() -> None:
    shares = [step_share(at, 100) for at in range(100)]
    assert shares[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])
    assert shares[-1] == pytest.approx(1 / 95)


def test_a_folded_model_sees_plain_features_as_it_saw_whitened_ones() -> None:
    describer, rng = tiny_describer(), np.random.default_rng(0)
    plain = (rng.normal(0, 1, (2, 9, 11)) * np.linspace(0.5, 9, 11) + 3).astype(np.float32)
    whitening = fit_whitening(plain.reshape(-1, 11), FEATURES)
    ids, seen = describer.read(["caption:"] * 2)
    boxes = some_parts(2).boxes
    before = describer.model.encode(ids, seen, PictureParts(torch.from_numpy(whitening(plain)), boxes))[0].detach()
    fold(describer.model.visual, whitening)
    after = describer.model.encode(ids, seen, PictureParts(torch.from_numpy(plain), boxes))[0]
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)
    assert describer.model.visual.sizes.feat_dim == 11
    unfold(describer.model.visual, whitening)
    again = describer.model.encode(ids, seen, PictureParts(torch.from_numpy(whitening(plain)), boxes))[0]
    torch.testing.assert_close(again, before, atol=1e-3, rtol=1e-3)


def test_each_array_goes_by_its_own_size() -> None:
    module = torch.nn.Linear(4, 4)
    torch.nn.init.constant_(module.weight, 0.5)
    torch.nn.init.zeros_(module.bias)
    assert [group["lr"] for group in step_sizes(module, 0.01)] == pytest.approx([0.005, 0.001])


@pytest.mark.slow
def test_it_learns_what_only_the_picture_tells_and_so_does_a_fixed_list_of_answers() -> None:
    cells, tasks = pictures(16 * 30)
    whitening, held = fit_whitening(cells.reshape(-1, 5), 5), list(range(400, 480))
    parts = PictureParts(torch.from_numpy(cells[held]), BOXES[None])
    describer = described(tasks)
    views = Views(lambda rows: whitening(cells[list(rows)]), BOXES, whitening)
    lesson = teach(describer, tasks[:400] * 5, views, HOW)
    assert lesson.losses[-1] < 0.2 < lesson.losses[0]
    said = describer.answer([tasks[i].given for i in held], parts)
    assert np.mean([one.text == tasks[i].wanted for one, i in zip(said, held)]) > 0.95
    chances = describer.chances([tasks[i].given for i in held], [tasks[i].wanted for i in held], parts)
    assert np.mean(chances) > 0.6
    fixed = FixedAnswers(described(tasks), ("dark red", "blue"))
    train(fixed, fixed.model.visual, fixed.loss, tasks[:400] * 5, views, HOW)
    found = fixed.answer([tasks[i].given for i in held], parts)
    assert np.mean([one == tasks[i].wanted for one, i in zip(found, held)]) > 0.95


def test_the_same_seed_teaches_the_same_and_a_loss_that_is_no_number_is_refused() -> None:
    cells, tasks = pictures(64)
    made, plain = [], Whitening(np.zeros(5, np.float32), np.eye(5, dtype=np.float32))
    for _ in range(2):
        describer = described(tasks)
        teach(describer, tasks, Views(lambda rows: cells[list(rows)], BOXES, plain), HOW)
        made.append(describer.model.t5.shared.weight.detach())
    assert torch.equal(*made)
    cells[:] = np.nan
    unknown = Views(lambda rows: cells[list(rows)], BOXES, plain)
    with pytest.raises(InvalidInput, match="NaN"):
        teach(described(tasks), tasks, unknown, HOW)
