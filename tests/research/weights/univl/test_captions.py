"""The beam finds what trying every sentence finds."""

from __future__ import annotations

import itertools

import pytest
import torch

from core.errors import InvalidInput
from core.systems.univl.network import Univl
from core.systems.univl.words import ClipWords
from research.weights.univl.captions import DecoderMemory, write_captions
from tests.support.univl import LENGTH, TEXTS, small_clips, small_univl, small_words


def remembered(network: Univl, words: ClipWords) -> DecoderMemory:
    ids, seen = words.encode(TEXTS, LENGTH)
    features, there = small_clips()
    states = network.read_text(ids, seen), network.watch(network.normed(features), there)
    memory, _, counted = network.join(states[0], seen, states[1], there)
    return DecoderMemory(memory.detach(), counted)


def chance(network: Univl, words: ClipWords, memory: DecoderMemory, row: int, sentence: tuple[int, ...]) -> float:
    """Log of the probability of a sentence, word by word, padding not being one."""
    given, total = [words.start], 0.0
    for word in sentence:
        ids = torch.tensor([given])
        kept = memory.states[row : row + 1], memory.counted[row : row + 1]
        logits = network.caption_logits(ids, torch.ones_like(ids), *kept)[0, -1].detach().clone()
        logits[0] = -torch.inf
        total += float(logits.log_softmax(0)[word])
        given.append(word)
    return total


def test_a_wide_beam_finds_the_likeliest_of_all_sentences() -> None:
    network, words = small_univl(), small_words()
    memory, most = remembered(network, words), 2
    free = [i for i in range(1, len(words)) if i != words.end]
    found = write_captions(network, words, memory, beam=60, most=most)
    for row in range(2):
        all_of_them = [(words.end,), *((a, words.end) for a in free), *itertools.product(free, repeat=2)]
        best = max(all_of_them, key=lambda s: chance(network, words, memory, row, s))
        assert found[row].tokens == tuple(t for t in best if t != words.end)
        assert found[row].score == pytest.approx(chance(network, words, memory, row, best), abs=1e-4)


def test_a_beam_of_one_takes_the_likeliest_word_at_each_step() -> None:
    network, words = small_univl(), small_words()
    memory = remembered(network, words)
    for row, written in enumerate(write_captions(network, words, memory, beam=1, most=6)):
        given = [words.start]
        for _ in range(6):
            ids = torch.tensor([given])
            kept = memory.states[row : row + 1], memory.counted[row : row + 1]
            logits = network.caption_logits(ids, torch.ones_like(ids), *kept)[0, -1]
            given.append(1 + int(logits[1:].argmax()))
            if given[-1] == words.end:
                break
        assert written.tokens == tuple(token for token in given[1:] if token != words.end)


def test_a_wider_beam_finds_no_less_likely_sentence_here() -> None:
    network, words = small_univl(), small_words()
    memory = remembered(network, words)
    narrow, wide = ([c.score for c in write_captions(network, words, memory, beam=k, most=5)] for k in (1, 40))
    assert all(b >= a - 1e-5 for a, b in zip(narrow, wide, strict=True))
    with pytest.raises(InvalidInput, match="A beam keeps 1 to 100"):
        write_captions(network, words, memory, beam=0)
