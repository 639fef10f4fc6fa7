"""Gate, positions, masks and losses against slow loops written from the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.systems.common.words import MARKS
from core.systems.visual_words.pretraining.losses import mask_by_index, mask_cells, mask_words, step_losses
from core.systems.visual_words.pretraining.network import GatedHead, Soho, sine_positions
from core.systems.visual_words.pretraining.settings import Pretraining
from core.systems.visual_words.pretraining.vocabulary import LENGTH, MASK, PAD, UNKNOWN, caption_words, words_of
from research.evidence.soho import copied_share

SMALL = Pretraining(words=12, layers=1, width=16, heads=2)


def small(settings: Pretraining = SMALL, vocabulary: int = 20) -> Soho:
    torch.manual_seed(3)
    model = Soho(settings, vocabulary, (3, 3), torch.zeros(10), torch.randn(10, 16)).eval()
    if model.dictionary is not None:
        model.dictionary.begin(model.project_cells(torch.randn(60, 10)).detach(), torch.Generator().manual_seed(0))
    return model


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_gate_is_that_of_a_loop_over_cells() -> None:
    torch.manual_seed(0)
    head, word, cells = GatedHead(4), torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    found = head(word, cells)
    assert head.gate.bias is not None
    kernel, bias = head.gate.weight.detach()[:, :, 0], head.gate.bias.detach()
    for b in range(2):
        for p in range(5):
            s = [math.exp(float(kernel[k] @ cells[b, p] + bias[k])) for k in (0, 1)]
            wanted = s[0] / sum(s) * (head.linear.weight @ word[b, p] + head.linear.bias) + s[1] / sum(s) * cells[b, p]
            torch.testing.assert_close(found[b, p], wanted)


def test_positions_tell_rows_from_columns() -> None:
    found = sine_positions(3, 4, 8).reshape(3, 4, 8)
    for r in range(3):
        for c in range(4):
            wanted = [f(at / 10_000 ** (i / 2)) for at in (r, c) for i in (0, 1) for f in (math.sin, math.cos)]
            np.testing.assert_allclose(found[r, c].numpy(), wanted, atol=1e-6)
    assert len(found.reshape(-1, 8).unique(dim=0)) == 12


def test_learning_reaches_the_projection_through_the_dictionary() -> None:
    model = small()
    with torch.no_grad():  # the gate gives all to the words: what arrives came through them
        model.head.gate.weight.zero_()  # type: ignore[union-attr]
        model.head.gate.bias.copy_(torch.tensor([50.0, -50.0]))  # type: ignore[union-attr]
    ids = torch.tensor([[2, 6, 7, 3], [2, 8, 9, 3]])
    step_losses(model, ids, torch.randn(2, 9, 10), torch.tensor([True, True]), "index", seeded()).total.backward()
    assert float(model.project.weight.grad.abs().sum()) > 0  # type: ignore[union-attr]


def test_all_cells_of_one_present_word_are_hidden() -> None:
    index = torch.tensor([[0, 1, 1, 2, 0, 0], [5, 5, 5, 5, 5, 5]])
    drawn = torch.zeros(3)
    for seed in range(300):
        hidden = mask_by_index(index, seeded(seed))
        (word,) = index[0][hidden[0]].unique().tolist()
        assert hidden[0].tolist() == (index[0] == word).tolist()
        assert hidden[1].all()
        drawn[word] += 1
    assert (drawn > 60).all()  # each of three words as likely, however many cells it has


def test_as_many_cells_are_hidden_anywhere() -> None:
    by_index = torch.zeros(2, 49, dtype=torch.bool)
    by_index[0, :5] = by_index[1, :1] = True
    hidden = [mask_cells(by_index, seeded(seed)) for seed in range(200)]
    assert all(one.sum(1).tolist() == [5, 1] for one in hidden)
    share = torch.stack(hidden).float().mean(0)
    assert float(share[0].max()) < 0.3
    assert float(share[0].min()) > 0


def test_a_copy_of_the_neighbours_tells_single_cells_and_never_a_whole_word() -> None:
    """Words lie in patches, as in pictures: the most frequent word of the cells beside a hidden one is often right
    where single cells are hidden, and never where all cells of a word are."""
    rng = np.random.default_rng(0)
    blocks = torch.from_numpy(rng.integers(0, 12, (60, 3, 3))).repeat_interleave(3, 1).repeat_interleave(3, 2)
    index = blocks.reshape(60, 81)
    by_index = mask_by_index(index, seeded(1))
    assert copied_share(index, by_index, (9, 9))[0] == 0
    right, n = copied_share(index, mask_cells(by_index, seeded(2)), (9, 9))
    assert right > 0.5 * n > 50


def test_words_are_hidden_as_in_bert() -> None:
    ids = torch.full((400, 12), 9)
    ids[:, 0], ids[:, 10], ids[:, 11] = 2, 3, PAD
    shown, told = mask_words(ids, 50, seeded())
    assert not told[:, [0, 10, 11]].any()
    assert bool(told.any(1).all())  # at least one a caption
    assert float(told[:, 1:10].float().mean()) == pytest.approx(0.175, abs=0.02)  # 15%, and one where there is none
    hidden = shown[told]
    assert float((hidden == MASK).float().mean()) == pytest.approx(0.8, abs=0.04)
    assert float((hidden == 9).float().mean()) == pytest.approx(0.1, abs=0.04)
    assert int(hidden.min()) >= MASK
    assert torch.equal(shown[~told], ids[~told])


def test_the_losses_are_those_of_a_loop_over_tokens() -> None:
    model = small()
    ids = torch.tensor([[2, 6, 7, 8, 3], [2, 9, 10, 3, 0], [2, 11, 12, 13, 3]])
    cells, own = torch.randn(3, 9, 10), torch.tensor([True, False, True])
    with torch.no_grad():
        found = step_losses(model, ids, cells, own, "index", seeded(5))
    generator = seeded(5)
    with torch.no_grad():
        projected = (cells - model.mean) @ model.basis @ model.project.weight.T + model.project.bias
        words = model.dictionary.embed  # type: ignore[union-attr]
        index = torch.tensor([[int((words - cell).square().sum(1).argmin()) for cell in row] for row in projected])
        shown, told = mask_words(ids, 20, generator)
        hidden = mask_by_index(index, generator)
        values = model.head(words[index], projected)  # type: ignore[misc]
        values[hidden] = model.hidden_cell
        texts, pictures = model(shown, values)
        of_cells, of_words = list[float](), list[float]()
        for b in (0, 2):
            for p in range(9):
                if hidden[b, p]:
                    state = model.tells_cells(pictures[b, p])
                    cosines = [float(state @ d / state.norm() / d.norm()) for d in words]
                    logits = [16 * c for c in cosines]
                    of_cells.append(math.log(sum(map(math.exp, logits))) - logits[int(index[b, p])])
            for t in range(5):
                if told[b, t]:
                    logits = [
                        float(model.tells_words(texts[b, t]) @ v + model.word_bias[i])
                        for i, v in enumerate(model.tokens.weight)
                    ]
                    of_words.append(math.log(sum(map(math.exp, logits))) - logits[int(ids[b, t])])
        pooled = torch.tanh(model.pool(texts[:, 0]))
        share = model.matches(pooled).softmax(1)
        match = [-math.log(float(share[b, int(own[b])])) for b in range(3)]
    assert float(found.cells) == pytest.approx(np.mean(of_cells), rel=1e-4)
    assert float(found.words) == pytest.approx(np.mean(of_words), rel=1e-4)
    assert float(found.match) == pytest.approx(np.mean(match), rel=1e-4)
    assert float(found.total) == pytest.approx(sum(map(np.mean, (of_cells, of_words, match))), rel=1e-4)
    assert found.told_cells[1] == int(hidden[own].sum())


def test_hidden_cells_and_padding_say_nothing() -> None:
    model = small()
    ids = torch.tensor([[2, 6, 7, 3]])
    hidden = torch.zeros(1, 9, dtype=torch.bool)
    hidden[0, 4] = True
    with torch.no_grad():
        values = model.see(torch.randn(1, 9, 10)).values
        other = values.clone()
        other[0, 4] += 3
        for a, b in zip(model(ids, values, hidden), model(ids, other, hidden)):
            torch.testing.assert_close(a, b)
        longer = torch.nn.functional.pad(ids, (0, 3), value=PAD)
        torch.testing.assert_close(model(ids, values)[1], model(longer, values)[1])


def test_without_a_dictionary_cells_pass_as_they_are_and_none_is_told() -> None:
    model = small(Pretraining(words=12, layers=1, width=16, heads=2, dictionary=False))
    seen = model.see(cells := torch.randn(2, 9, 10))
    torch.testing.assert_close(seen.values, model.project_cells(cells))
    losses = step_losses(model, torch.tensor([[2, 6, 3]] * 2), cells, torch.tensor([True, False]), "index", seeded())
    assert losses.cells.item() == 0.0
    assert losses.match.item() > 0


def test_captions_become_numbers_and_rare_words_one_mark() -> None:
    vocabulary = caption_words(["A dog, a dog.", "The dog's ball", "a  ball ball"], min_count=2)
    assert vocabulary.words == (*MARKS, "a", "ball", "dog")
    ids, cut = vocabulary.encode(["Dog ball!", "a cat", "a " * 60])
    assert ids[0, :5].tolist() == [2, 7, 6, 3, PAD]
    assert ids[1, :4].tolist() == [2, 5, UNKNOWN, 3]
    assert (ids.shape[1], cut) == (LENGTH, 1)
    assert words_of("It's 2 o'clock") == ["it's", "2", "o'clock"]
    with pytest.raises(InvalidInput, match=r"No word occurs 9 times in the captions"):
        caption_words(["a dog"], min_count=9)


def test_widths_that_heads_do_not_divide_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"got 100 for 8 heads\. Use 96"):
        Pretraining(width=100, heads=8)
    with pytest.raises(InvalidInput, match="got 'words'"):
        Pretraining(masking="words")
