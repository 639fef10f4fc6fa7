"""The visual embedding and the bias, against loops written from the paper."""

from __future__ import annotations

import math

import pytest
import torch

from core.systems.vl_t5.vision import VisionSizes, VisualEmbedding, grid_boxes, text_bias
from tests.support.describers import tiny_describer

WIDTH, WORDS, FEATURES = 8, 20, 5


def made(order: str = "paper") -> VisualEmbedding:
    torch.manual_seed(0)
    return VisualEmbedding(VisionSizes(FEATURES, 2, order), WIDTH)  # type: ignore[arg-type]


def normed(values: list[float], gain: torch.Tensor, epsilon: float = 1e-6) -> list[float]:
    scale = math.sqrt(sum(v * v for v in values) / len(values) + epsilon)
    return [v / scale * float(g) for v, g in zip(values, gain)]


@pytest.mark.parametrize("order", ["paper", "released"])
def test_each_part_is_the_sum_of_its_feature_its_box_its_picture_and_its_own_word(order: str) -> None:
    embedding, words = made(order), torch.randn(WORDS, WIDTH)
    for norm in (embedding.feat_embedding[1], embedding.absolute_vis_pos_embedding[1]):
        torch.nn.init.uniform_(norm.weight)  # type: ignore[arg-type]
    features, boxes = torch.randn(2, 3, FEATURES), torch.rand(2, 3, 4)
    pictures = torch.tensor([[0, 1, 1], [0, 0, 1]])
    found = embedding(features, boxes, words, pictures)
    state = {name: tensor.detach() for name, tensor in embedding.state_dict().items()}
    for i in range(2):
        for k in range(3):
            left, top, right, bottom = boxes[i, k].tolist()
            place = [left, right, top, bottom] if order == "paper" else [left, top, right, bottom]
            area = (right - left) * (bottom - top) if order == "paper" else (bottom - right) * (top - left)
            feature = (state["feat_embedding.0.weight"] @ features[i, k] + state["feat_embedding.0.bias"]).tolist()
            box = state["absolute_vis_pos_embedding.0.weight"] @ torch.tensor([*place, area])
            box = (box + state["absolute_vis_pos_embedding.0.bias"]).tolist()
            one = normed(feature, state["feat_embedding.1.weight"])
            two = normed(box, state["absolute_vis_pos_embedding.1.weight"])
            which = state["img_order_embedding.weight"][pictures[i, k]]
            slow = torch.tensor(one) + torch.tensor(two) + which + words[WORDS - k - 1]
            torch.testing.assert_close(found[i, k].detach(), slow, atol=1e-5, rtol=1e-5)


def test_cells_of_a_grid_tile_the_picture() -> None:
    boxes = grid_boxes(7, 7)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert float(areas.sum()) == pytest.approx(1)
    assert boxes[8].tolist() == pytest.approx([1 / 7, 1 / 7, 2 / 7, 2 / 7])


def test_words_have_the_bias_of_t5_and_pairs_that_touch_vision_have_none() -> None:
    attention = tiny_describer().model.t5.encoder.block[0].layer[0].SelfAttention
    torch.nn.init.normal_(attention.relative_attention_bias.weight)
    bias = text_bias(attention, 4, 3)
    for i in range(7):
        for j in range(7):
            if i >= 4 or j >= 4:
                assert bias[0, :, i, j].tolist() == [0.0] * 4
            else:
                bucket = attention._relative_position_bucket(torch.tensor([[j - i]]))
                assert torch.equal(bias[0, :, i, j], attention.relative_attention_bias.weight[bucket[0, 0]])


def test_where_a_part_is_reaches_its_token_from_the_start() -> None:
    visual = tiny_describer().model.visual
    placed = visual.absolute_vis_pos_embedding(visual.boxes_and_areas(grid_boxes(7, 7)[None]))[0].detach()
    assert float(placed.var(0).mean()) > 0.03 * float(placed.square().mean())  # a bias left a thousandth


def test_a_new_model_begins_by_looking_at_what_is_alike_and_carrying_it_over() -> None:
    t5 = tiny_describer().model.t5
    for attention in (t5.encoder.block[0].layer[0].SelfAttention, t5.decoder.block[0].layer[1].EncDecAttention):
        assert torch.allclose(attention.o.weight @ attention.v.weight, torch.eye(16), atol=1e-5)
        score = (attention.q.weight.T @ attention.k.weight).detach()
        assert torch.allclose(score, score.T, atol=1e-6)
        assert float(torch.linalg.eigvalsh(score).min()) > -1e-6
