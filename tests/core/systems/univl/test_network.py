"""Four parts that work as the paper says: padding changes nothing, the decoder sees no later word, pairs are alone."""

from __future__ import annotations

import pytest
import torch
from transformers.models.bert.modeling_bert import BertLayer

from core.errors import InvalidInput
from core.systems.univl.decoder import MASKED_SCORE
from core.systems.univl.network import Univl, joint_scores, pooled_frames, pooled_text
from tests.support.univl import FRAMES, LENGTH, TEXTS, WIDTH, small_clips, small_sizes, small_univl, small_words


def assert_close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def given() -> tuple[torch.Tensor, ...]:
    return (*small_words().encode(TEXTS, LENGTH), *small_clips())


def states(network: Univl) -> tuple[torch.Tensor, ...]:
    ids, seen, features, there = given()
    with torch.no_grad():
        return network.read_text(ids, seen), seen, network.watch(network.normed(features), there), there


def test_padding_changes_no_vector_and_no_score() -> None:
    network = small_univl()
    text, seen, video, there = states(network)
    features = small_clips()[0]
    spoilt = torch.where(there.bool().unsqueeze(2), features, 7.0)
    again = network.watch(network.normed(spoilt), there)
    assert_close(pooled_frames(again, there), pooled_frames(video, there))
    assert_close(network.aligned_scores(text, seen, again, there), network.aligned_scores(text, seen, video, there))
    three = network.watch(network.normed(features[1:2, :3]), there[1:2, :3])
    assert_close(pooled_frames(three, there[1:2, :3]), pooled_frames(video, there)[1:2])


def test_texts_are_pooled_without_their_first_mark_and_clips_over_their_frames() -> None:
    text, seen, video, there = states(small_univl())
    for row in range(len(TEXTS)):
        words = torch.stack([text[row, k] for k in range(1, LENGTH) if seen[row, k]]).mean(0)
        frames = torch.stack([video[row, k] for k in range(FRAMES) if there[row, k]]).mean(0)
        assert_close(pooled_text(text, seen)[row], words)
        assert_close(pooled_frames(video, there)[row], frames)
    pooled = pooled_text(text, seen), pooled_frames(video, there)
    assert joint_scores(*pooled)[1, 2].item() == pytest.approx(float(pooled[0][1] @ pooled[1][2]), rel=1e-4)
    assert joint_scores(*pooled, cosine=True).abs().max() <= 1.0 + 1e-6


def test_a_clip_without_frames_gives_numbers() -> None:
    network = small_univl()
    none = network.watch(network.normed(torch.zeros(1, FRAMES, WIDTH)), torch.zeros(1, FRAMES))
    assert bool(torch.isfinite(none).all())
    assert not bool(pooled_frames(none, torch.zeros(1, FRAMES)).any())


def test_each_pair_is_scored_as_if_it_were_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_univl()
    text, seen, video, there = states(network)
    monkeypatch.setattr("core.systems.univl.network.BATCH_PAIRS", 5)
    all_at_once = network.aligned_scores(text, seen, video, there).detach()
    assert network.similarity_dense is not None
    for i in range(4):
        for j in range(4):
            first = network.join(text[i : i + 1], seen[i : i + 1], video[j : j + 1], there[j : j + 1])[1]
            assert float(network.similarity_dense(first).detach()) == pytest.approx(float(all_at_once[i, j]), abs=2e-5)


def test_the_order_of_frames_changes_what_is_seen() -> None:
    network = small_univl()
    features, there = small_clips()
    ahead, back = (network.watch(network.normed(shown), there)[0] for shown in (features, features.flip(1)))
    assert float((ahead.mean(0) - back.mean(0)).detach().abs().max()) > 0.01


@torch.no_grad()
def test_the_decoder_sees_no_later_word_and_all_of_the_clip() -> None:
    network = small_univl()
    text, seen, video, there = states(network)
    memory, _, counted = network.join(text, seen, video, there)
    ids = small_words().encode(TEXTS, LENGTH)[0][:, :6]
    logits = network.caption_logits(ids, torch.ones_like(ids), memory, counted)
    other = ids.clone()
    other[:, 4:] = 7
    changed = network.caption_logits(other, torch.ones_like(ids), memory, counted)
    assert_close(changed[:, :4], logits[:, :4])
    assert float((changed[:, 4:] - logits[:, 4:]).abs().max()) > 0.01
    elsewhere = network.caption_logits(ids, torch.ones_like(ids), memory.flip(0), counted.flip(0))
    assert float((elsewhere[:, 0] - logits[:, 0]).abs().max()) > 0.001


@torch.no_grad()
def test_a_layer_of_the_decoder_is_transformers_own_with_cross_attention() -> None:
    network = small_univl()
    config = small_sizes().bert()
    config.is_decoder = config.add_cross_attention = True
    config._attn_implementation = "eager"
    theirs = BertLayer(config).eval()
    assert network.decoder is not None
    own: torch.nn.Module = network.decoder.decoder.layer[0]
    names = {
        "slf_attn.att": "attention.self",
        "enc_attn.att": "crossattention.self",
        "slf_attn.output": "attention.output",
        "enc_attn.output": "crossattention.output",
    }
    renamed = dict[str, torch.Tensor]()
    for name, tensor in own.state_dict().items():
        begins = next((key for key in names if name.startswith(key)), "")
        renamed[names.get(begins, "") + name.removeprefix(begins)] = tensor
    theirs.load_state_dict(renamed)
    g = torch.Generator().manual_seed(3)
    words, memory = torch.randn(2, 5, 16, generator=g), torch.randn(2, 7, 16, generator=g)
    later = torch.ones(5, 5).triu(1)[None, None].expand(2, 1, 5, 5) * MASKED_SCORE
    hidden = torch.zeros(2, 1, 1, 7)
    hidden[1, ..., 4:] = MASKED_SCORE
    wanted = theirs(words, later, memory, hidden)
    assert_close(own(words, memory, later, hidden), wanted)


def test_the_smaller_networks_have_fewer_parts_and_say_so() -> None:
    network = small_univl(parts=())
    text, seen, video, there = states(network)
    with pytest.raises(InvalidInput, match="lacks its cross encoder"):
        network.aligned_scores(text, seen, video, there)
    with pytest.raises(InvalidInput, match="'cross' included"):
        Univl(small_sizes(), ("decoder",))
