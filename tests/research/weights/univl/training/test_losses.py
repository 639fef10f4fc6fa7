"""Each loss against a loop written from the paper's equations."""

from __future__ import annotations

import math

import pytest
import torch

from core.systems.common.words import IGNORED
from research.weights.univl.training.batches import NOTHING, Hiding
from research.weights.univl.training.losses import (
    alignment_loss,
    captioning_loss,
    first_stage,
    frame_loss,
    margin_loss,
    mil_nce,
    retrieval_loss,
    second_stage,
    token_loss,
)
from tests.support.univl import small_batch, small_univl


def drawn(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n, generator=torch.Generator().manual_seed(seed)) * 2


def slow_mil_nce(s: list[list[float]], pairs: int) -> float:
    """-log sum_P e^s / (sum_P e^s + sum_N e^s), of the middle row of each video."""
    n, found = len(s), list[float]()
    for i in range(pairs // 2, n, pairs):
        video = i // pairs
        fits = sum(math.exp(s[j][i]) for j in range(n) if j // pairs == video)
        texts = sum(math.exp(s[j][i]) for j in range(n) if j // pairs != video)
        clips = sum(math.exp(s[i][j]) for j in range(n) if j // pairs != video)
        found.append(-math.log(fits / (fits + texts + clips)))
    return sum(found) / len(found)


@pytest.mark.parametrize(("n", "pairs"), [(1, 1), (2, 1), (5, 1), (6, 2), (9, 3)])
def test_mil_nce_is_the_papers_ratio(n: int, pairs: int) -> None:
    scores = drawn(n)
    assert float(mil_nce(scores, pairs)) == pytest.approx(slow_mil_nce(scores.tolist(), pairs), rel=1e-5, abs=1e-6)


def test_mil_nce_of_two_pairs_by_hand() -> None:
    scores = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # of either clip: its text e, the other text 1, the other clip of its text 1
    assert float(mil_nce(scores)) == pytest.approx(-math.log(math.e / (math.e + 2)), rel=1e-6)


def test_alignment_is_the_chance_of_a_texts_own_clip() -> None:
    s = drawn(5).tolist()
    wanted = [-math.log(math.exp(s[i][i]) / sum(math.exp(s[i][j]) for j in range(5))) for i in range(5)]
    assert float(alignment_loss(drawn(5))) == pytest.approx(sum(wanted) / 5, rel=1e-5)


def test_the_margin_counts_texts_and_clips() -> None:
    s, total = drawn(4).tolist(), 0.0
    for i in range(4):
        for j in range(4):
            total += max(0.0, 0.1 + s[i][j] - s[i][i]) + max(0.0, 0.1 + s[i][j] - s[j][j])
    assert float(margin_loss(drawn(4))) == pytest.approx(total / 16, rel=1e-5)


def test_words_are_told_by_cross_entropy_over_the_vocabulary() -> None:
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(1))
    wanted = torch.tensor([[2, IGNORED, 6], [IGNORED, 0, IGNORED]])
    losses: list[float] = []
    for i in range(2):
        for j in range(3):
            if wanted[i, j] != IGNORED:
                row = logits[i, j].tolist()
                losses.append(-math.log(math.exp(row[wanted[i, j]]) / sum(math.exp(x) for x in row)))
    assert float(token_loss(logits, wanted)) == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert float(token_loss(logits, torch.full((2, 3), IGNORED))) == 0.0


def test_a_hidden_frame_is_sought_among_all_frames_of_the_batch() -> None:
    g = torch.Generator().manual_seed(2)
    told, normed = torch.randn(2, 3, 4, generator=g), torch.randn(2, 3, 4, generator=g)
    there = torch.tensor([[1, 1, 1], [1, 1, 0]])
    hidden = torch.tensor([[True, False, True], [False, True, False]])
    losses: list[float] = []
    for i, j in ((0, 0), (0, 2), (1, 1)):
        scores = [
            sum(told[i, j, k].item() * normed[a, b, k].item() for k in range(4))
            for a in range(2)
            for b in range(3)
            if there[a, b]
        ]
        own = sum(told[i, j, k].item() * normed[i, j, k].item() for k in range(4))
        losses.append(-math.log(math.exp(own) / sum(math.exp(x) for x in scores)))
    assert float(frame_loss(told, normed, there, hidden)) == pytest.approx(sum(losses) / 3, rel=1e-4)


def test_told_nothing_a_hidden_frame_is_at_chance() -> None:
    normed, there = torch.randn(3, 4, 6), torch.ones(3, 4)
    loss = frame_loss(torch.zeros(3, 4, 6), normed, there, torch.ones(3, 4, dtype=torch.bool))
    assert float(loss) == pytest.approx(math.log(12), rel=1e-5)
    assert float(frame_loss(normed, normed, there, torch.zeros(3, 4, dtype=torch.bool))) == 0.0


def test_the_first_stage_is_the_joint_loss_alone_and_the_second_the_sum_of_five() -> None:
    network, batch = small_univl(), small_batch(Hiding(0.5, 0.5, 0.0, 0.3))
    one, two = first_stage(network, batch), second_stage(network, batch)
    assert one.figures().keys() == {"joint"}
    assert two.figures().keys() == {"joint", "words", "frames", "alignment", "caption"}
    assert torch.equal(one.total, one.joint)
    assert two.figures()["joint"] == pytest.approx(one.figures()["joint"], rel=1e-5)
    assert float(two.total.detach()) == pytest.approx(sum(two.figures().values()), rel=1e-5)


def test_the_joint_loss_does_not_see_what_is_hidden_and_the_others_do() -> None:
    network = small_univl()
    none, much = (second_stage(network, small_batch(how)) for how in (NOTHING, Hiding(0.6, 0.6, 0.0, 0.0)))
    assert none.figures()["joint"] == pytest.approx(much.figures()["joint"], rel=1e-6)
    assert none.figures()["words"] == none.figures()["frames"] == 0.0
    assert none.figures()["alignment"] != much.figures()["alignment"]
    assert none.figures()["caption"] != much.figures()["caption"]


def test_the_second_stage_teaches_every_weight_but_poolers_that_nothing_reads() -> None:
    network = small_univl()
    second_stage(network, small_batch(Hiding(0.5, 0.5, 0.0, 0.3))).total.backward()
    still = {name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)}
    unread = {name for name, _ in network.named_parameters() if name.startswith(("bert.pooler", "visual.pooler"))}
    # what is added to all scores of a row alike changes no softmax
    alike = {name for name in still if name.endswith("key.bias")} | {"similarity_dense.bias"}
    assert unread <= still <= unread | alike


@pytest.mark.parametrize("aligned", [False, True])
def test_fine_tuning_lowers_its_loss(aligned: bool) -> None:
    network, batch = small_univl(), small_batch(NOTHING)
    for loss_of in (lambda: retrieval_loss(network, batch, aligned=aligned), lambda: captioning_loss(network, batch)):
        optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
        before = float(loss_of().detach())
        for _ in range(25):
            optimiser.zero_grad()
            loss_of().backward()
            optimiser.step()
        assert float(loss_of().detach()) < 0.7 * before
