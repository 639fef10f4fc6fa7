"""The T5 that sees: its encoder against a slow loop, what it writes, and what it is trained by."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

from core.errors import InvalidInput
from core.systems.common.words import IGNORED
from core.systems.vl_t5.describer import select_parts
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import VisionSizes
from research.weights.vl_t5.new_model import NewSizes, make_describer
from tests.support.describers import some_parts, tiny_describer

GIVEN = ["vqa: what colour is the cube ?", "caption:", "image text match: a red cube"]


def test_without_pictures_it_is_the_t5_alone() -> None:
    describer = tiny_describer()
    ids, seen = describer.read(GIVEN)
    found, _ = describer.model.encode(ids, seen, None)
    plain = describer.model.t5.encoder(input_ids=ids, attention_mask=seen).last_hidden_state
    torch.testing.assert_close(found[seen.bool()], plain[seen.bool()])


def test_the_encoder_is_attention_over_words_and_parts_by_hand() -> None:
    describer = tiny_describer(layers=1)
    model, t5 = describer.model, describer.model.t5
    torch.nn.init.normal_(t5.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight)
    ids, seen = describer.read(GIVEN[:2])
    parts = some_parts(2)
    found, there = model.encode(ids, seen, parts)
    visual = model.visual(parts.features, parts.boxes, t5.shared.weight)
    block, length = t5.encoder.block[0], ids.shape[1]
    own, feed = block.layer[0], block.layer[1]
    for row in range(2):
        states = torch.cat([t5.shared(ids[row]), visual[row]])
        keep = there[row].bool()
        normed = own.layer_norm(states)
        q, k, v = (getattr(own.SelfAttention, name)(normed).view(len(states), 4, 4) for name in "qkv")
        out = torch.zeros(len(states), 4, 4)
        bias = own.SelfAttention.compute_bias(length, length)[0]
        for head in range(4):
            for i in range(len(states)):
                scores = torch.full((len(states),), -torch.inf)
                for j in keep.nonzero().flatten().tolist():
                    both_words = i < length and j < length
                    scores[j] = q[i, head] @ k[j, head] + (bias[head, i, j] if both_words else 0.0)
                out[i, head] = scores.softmax(0) @ v[:, head]
        states = states + own.SelfAttention.o(out.reshape(len(states), 16))
        states = states + feed.DenseReluDense(feed.layer_norm(states))
        slow = t5.encoder.final_layer_norm(states)
        torch.testing.assert_close(found[row][keep], slow[keep], atol=1e-5, rtol=1e-5)


def test_what_is_padded_changes_nothing() -> None:
    describer, parts = tiny_describer(), some_parts(3)
    together = describer.answer(GIVEN, parts)
    alone = [describer.answer([text], select_parts(parts, slice(i, i + 1)))[0] for i, text in enumerate(GIVEN)]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.probability for one in together] == pytest.approx([one.probability for one in alone], rel=1e-3)


def test_writing_is_greedy_search_and_its_probability_that_of_the_answer() -> None:
    describer, parts = tiny_describer(seed=3), some_parts(3)
    model = describer.model
    ids, seen = describer.read(GIVEN)
    written = model.write(ids, seen, parts, 6)
    states, there = model.encode(ids, seen, parts)
    output = import_module("transformers.modeling_outputs").BaseModelOutput(last_hidden_state=states)
    theirs = model.t5.generate(
        encoder_outputs=output, attention_mask=there, max_new_tokens=6, num_beams=1, do_sample=False
    )
    assert [tuple(w for w in row if w > 1) for row in theirs.tolist()] == [
        tuple(w for w in row if w > 1) for row in written.tokens
    ]
    wanted = describer.targets(["red", "a red cube", "yes"])
    chances = model.chances(ids, seen, parts, wanted)
    for row in range(3):
        own = wanted[row][wanted[row] != IGNORED]
        chance = 1.0
        for at, word in enumerate(own.tolist()):
            given = torch.tensor([[0, *own[:at].tolist()]])
            logits = model.decode(states[row : row + 1], there[row : row + 1], given).detach()
            chance *= float(logits[0, -1].softmax(-1)[word])
        assert float(chances[row]) == pytest.approx(chance, rel=1e-4)


def test_another_picture_and_another_order_of_pictures_give_other_states() -> None:
    describer, parts = tiny_describer(), some_parts(1)
    ids, seen = describer.read(GIVEN[:1])
    first, _ = describer.model.encode(ids, seen, parts)
    other, _ = describer.model.encode(ids, seen, some_parts(1, seed=1))
    second = PictureParts(parts.features, parts.boxes, torch.ones((1, 9), dtype=torch.long))
    moved, _ = describer.model.encode(ids, seen, second)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, moved)


def test_the_same_seed_makes_the_same_model_and_a_width_must_fit_its_heads() -> None:
    first, second, other = tiny_describer(), tiny_describer(), tiny_describer(seed=1)
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not torch.equal(ours["t5.shared.weight"], other.model.state_dict()["t5.shared.weight"])
    with pytest.raises(InvalidInput, match="divisible by heads"):
        make_describer(["a"], VisionSizes(3), NewSizes(width=18))
