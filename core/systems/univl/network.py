"""The network: a text encoder, a clip encoder, a cross encoder over both, and a decoder that writes captions.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3) and its released code, whose names of parameters these are
(github.com/microsoft/UniVL, commit 8db88f3). Encoder layers are transformers' own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize, scaled_dot_product_attention
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertLayer, BertModel, BertPooler, BertPredictionHeadTransform

from core.errors import InvalidInput
from core.systems.univl.decoder import CaptionDecoder, WordHead, hide

PARTS = ("cross", "decoder", "heads")
"""What a network may lack: after the first stage it has none, fine-tuned for retrieval "cross", for captions "cross"
and "decoder", after the second stage all. "heads" tell hidden words and frames."""
SPREAD = 0.02
"""Of weights at the start, as in BERT."""
PAIRS_AT_ONCE = 512
"""Pairs that go through the cross encoder together."""


@dataclass(frozen=True, slots=True)
class UnivlSizes:
    """How large the network is; as published by default."""

    vocabulary: int = 30_522
    features: int = 1_024
    """Numbers a frame."""
    width: int = 768
    heads: int = 12
    hidden: int = 3_072
    text_layers: int = 12
    video_layers: int = 6
    cross_layers: int = 2
    decoder_layers: int = 3
    text_positions: int = 512
    video_positions: int = 512
    cross_positions: int = 1_024
    dropout: float = 0.1

    def bert(self) -> BertConfig:
        """The layers as transformers is told of them."""
        told: dict[str, Any] = {
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "num_hidden_layers": self.text_layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.hidden,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "max_position_embeddings": self.text_positions,
            "attn_implementation": "sdpa",
        }
        return BertConfig(**told)


class _Stack(nn.Module):
    def __init__(self, config: Any, n: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(n)])


class _Embeddings(nn.Module):
    """What both clip and cross encoder begin with: something, where it stands, a norm."""

    def __init__(self, config: Any, positions: int) -> None:
        super().__init__()
        self.position_embeddings = nn.Embedding(positions, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def placed(self, states: torch.Tensor) -> torch.Tensor:
        at = torch.arange(states.shape[1], device=states.device)
        return self.dropout(self.LayerNorm(states + self.position_embeddings(at)))


class _FrameEmbeddings(_Embeddings):
    def __init__(self, config: Any, sizes: UnivlSizes) -> None:
        super().__init__(config, sizes.video_positions)
        self.word_embeddings = nn.Linear(sizes.features, sizes.width)


class _PairEmbeddings(_Embeddings):
    def __init__(self, config: Any, sizes: UnivlSizes) -> None:
        super().__init__(config, sizes.cross_positions)
        self.token_type_embeddings = nn.Embedding(2, sizes.width)


class _FrameEncoder(nn.Module):
    def __init__(self, config: Any, sizes: UnivlSizes) -> None:
        super().__init__()
        self.embeddings = _FrameEmbeddings(config, sizes)
        self.encoder = _Stack(config, sizes.video_layers)
        self.pooler = BertPooler(config)


class _CrossEncoder(nn.Module):
    def __init__(self, config: Any, sizes: UnivlSizes) -> None:
        super().__init__()
        self.embeddings = _PairEmbeddings(config, sizes)
        self.encoder = _Stack(config, sizes.cross_layers)
        self.pooler = BertPooler(config)


class _FramePredictions(nn.Module):
    def __init__(self, config: Any, frames: torch.Tensor) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.weight = frames
        self.bias = nn.Parameter(torch.zeros(frames.shape[1]))


class _FrameHead(nn.Module):
    def __init__(self, config: Any, frames: torch.Tensor) -> None:
        super().__init__()
        self.predictions = _FramePredictions(config, frames)


class _NormalizeVideo(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.visual_norm2d = nn.LayerNorm(features, 1e-12)


class Univl(nn.Module):
    """UniVL. n texts of T tokens, m clips of F frames, d wide.

    The cross encoder numbers its places through text and frames, so texts must be padded to the same T wherever scores
    or captions are compared.

    Args:
        parts: which of `PARTS` it has.

    Raises:
        InvalidInput: a part is unknown, or there are others without "cross".
    """

    def __init__(self, sizes: UnivlSizes, parts: Collection[str] = PARTS) -> None:
        super().__init__()
        if not set(parts) <= set(PARTS) or (parts and "cross" not in parts):
            raise InvalidInput(f"A UniVL may have the parts {', '.join(PARTS)}, all with 'cross': got {sorted(parts)}.")
        self.sizes = sizes
        self.parts = tuple(part for part in PARTS if part in parts)
        config = sizes.bert()
        self.bert = BertModel(config)
        self.visual = _FrameEncoder(config, sizes)
        words: torch.Tensor = self.bert.embeddings.word_embeddings.weight
        self.cross = _CrossEncoder(config, sizes) if "cross" in parts else None
        self.similarity_dense = nn.Linear(sizes.width, 1) if "cross" in parts else None
        self.decoder = self.cls = self.cls_visual = None
        if "decoder" in parts:
            positions: torch.Tensor = self.bert.embeddings.position_embeddings.weight
            self.decoder = CaptionDecoder(config, sizes.decoder_layers, words, positions)
        if "heads" in parts:
            self.cls = WordHead(config, words)
            self.cls_visual = _FrameHead(config, self.visual.embeddings.word_embeddings.weight)
        self.normalize_video = _NormalizeVideo(sizes.features)

    def begin(self, generator: torch.Generator) -> None:
        """Weights drawn as in BERT: normal with a spread of 0.02, no biases, norms that change nothing."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                with torch.no_grad():
                    module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * SPREAD)
            bias = getattr(module, "bias", None)
            if isinstance(module, nn.Linear) and bias is not None:
                nn.init.zeros_(bias)

    def read_text(self, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(n, T, d) of (n, T) tokens; seen: (n, T) 1 on tokens, 0 on padding."""
        states = self.bert.embeddings(input_ids=ids)
        added = hide(seen)
        for layer in self.bert.encoder.layer:
            states = layer(states, added)
        return states

    def normed(self, features: torch.Tensor) -> torch.Tensor:
        """(m, F, w) of (m, F, w): each frame through the network's own norm."""
        return self.normalize_video.visual_norm2d(features)

    def watch(self, normed: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """(m, F, d) of (m, F, w) frames of `normed`; there: (m, F) 1 on frames, 0 on padding."""
        embeddings = self.visual.embeddings
        states = embeddings.placed(embeddings.word_embeddings(normed))
        added = hide(there)
        for layer in self.visual.encoder.layer:
            states = layer(states, added)
        return states

    def join(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of n pairs: (n, T + F, d) states, (n, d) what the first one says of the pair, and (n, T + F) which count."""
        states, counted = self._side_by_side(text, seen, video, there)
        added = hide(counted)
        cross = _needed(self.cross, "cross encoder")
        for layer in cross.encoder.layer:
            states = layer(states, added)
        return states, cross.pooler(states), counted

    def _side_by_side(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, T + F, d) states before the cross encoder's layers, and (n, T + F) which count."""
        embeddings = _needed(self.cross, "cross encoder").embeddings
        kinds = torch.cat([torch.zeros_like(seen), torch.ones_like(there)], 1).long()
        states = torch.cat([text, video], 1) + embeddings.token_type_embeddings(kinds)
        return embeddings.placed(states), torch.cat([seen, there], 1)

    def word_logits(self, states: torch.Tensor) -> torch.Tensor:
        """(..., V) of states of tokens."""
        return _needed(self.cls, "head for words")(states)

    def told_frames(self, states: torch.Tensor) -> torch.Tensor:
        """(..., w) what the states of frames say that the frames are, to be compared with `normed`."""
        head = _needed(self.cls_visual, "head for frames").predictions
        return head.transform(states) @ head.weight + head.bias

    def caption_logits(
        self, ids: torch.Tensor, seen: torch.Tensor, memory: torch.Tensor, remembered: torch.Tensor
    ) -> torch.Tensor:
        """(n, u, V): see `CaptionDecoder`."""
        return _needed(self.decoder, "decoder")(ids, seen, memory, remembered)

    def aligned_scores(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> torch.Tensor:
        """(n, m) scores of every text with every clip, each pair through the cross encoder. Of its last layer only the
        first state is computed, since nothing else is read."""
        m = len(video)
        rows = list[torch.Tensor]()
        dense = _needed(self.similarity_dense, "cross encoder")
        cross = _needed(self.cross, "cross encoder")
        step = max(1, PAIRS_AT_ONCE // m)
        for at in range(0, len(text), step):
            part = slice(at, at + step)
            k = len(text[part])
            given = [x[part].repeat_interleave(m, 0) for x in (text, seen)]
            shown = [x.repeat(k, *[1] * (x.ndim - 1)) for x in (video, there)]
            states, counted = self._side_by_side(*given, *shown)
            added = hide(counted)
            for layer in cross.encoder.layer[:-1]:
                states = layer(states, added)
            rows.append(dense(cross.pooler(_first_state(cross.encoder.layer[-1], states, added))).view(k, m))
        return torch.cat(rows)


def pooled_text(states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """(n, d) mean over tokens but the first, which is no word."""
    counted = seen.float().clone()
    counted[:, 0] = 0.0
    return (states * counted.unsqueeze(2)).sum(1) / counted.sum(1, keepdim=True).clamp_min(1.0)


def pooled_frames(states: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """(m, d) mean over frames; 0 of a clip without any."""
    counted = there.float()
    return (states * counted.unsqueeze(2)).sum(1) / counted.sum(1, keepdim=True).clamp_min(1.0)


def joint_scores(text: torch.Tensor, video: torch.Tensor, *, cosine: bool = False) -> torch.Tensor:
    """(n, m) products of pooled texts and clips; cosines where the network was fine-tuned with a margin."""
    return normalize(text, dim=1) @ normalize(video, dim=1).T if cosine else text @ video.T


def _first_state(layer: Any, states: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    """(n, 1, d) what a layer makes of the first of (n, T, d) states."""
    own = layer.attention.self
    first = states[:, :1]
    q, k, v = (
        x.unflatten(2, (own.num_attention_heads, -1)).transpose(1, 2)
        for x in (own.query(first), own.key(states), own.value(states))
    )
    rate = own.dropout.p if own.training else 0.0
    found = scaled_dot_product_attention(q, k, v, added, dropout_p=rate).transpose(1, 2).flatten(2)
    found = layer.attention.output(found, first)
    return layer.output(layer.intermediate(found), found)


def _needed(part: Any, name: str) -> Any:
    if part is None:
        raise InvalidInput(f"This UniVL has no {name}. Bring weights of the second stage.")
    return part
