"""The network: a text encoder, a clip encoder, a cross encoder over both, and a decoder that writes captions.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3) and its released code, which names the parameters
(github.com/microsoft/UniVL, commit 8db88f3). The encoder layers come from transformers.
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
from core.systems.univl.decoder import CaptionDecoder, WordHead, attention_mask

PARTS = ("cross", "decoder", "heads")
"""Optional parts: none after the first stage, all after the second; "cross" when fine-tuned for retrieval, "cross" and
"decoder" for captions. The "heads" predict hidden words and frames."""
INITIAL_DEVIATION = 0.02
"""Standard deviation of the initial weights, as in BERT."""
BATCH_PAIRS = 512
"""Pairs that go through the cross encoder together."""


@dataclass(frozen=True, slots=True)
class UnivlSizes:
    """Sizes of the network; the defaults are the published ones."""

    vocabulary: int = 30_522
    features: int = 1_024
    """Numbers per frame."""
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
        """The text encoder's configuration for transformers."""
        options: dict[str, Any] = {
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
        return BertConfig(**options)


class _Stack(nn.Module):
    def __init__(self, config: Any, n: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(config) for _ in range(n)])


class _Embeddings(nn.Module):
    """The input of the clip encoder and of the cross encoder: states plus positions, normalized."""

    def __init__(self, config: Any, positions: int) -> None:
        super().__init__()
        self.position_embeddings = nn.Embedding(positions, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def add_positions(self, states: torch.Tensor) -> torch.Tensor:
        positions = torch.arange(states.shape[1], device=states.device)
        return self.dropout(self.LayerNorm(states + self.position_embeddings(positions)))


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

    The cross encoder counts positions through text and frames, so texts must be padded to the same T wherever scores
    or captions are compared.

    Args:
        parts: those of `PARTS` to build.

    Raises:
        InvalidInput: a part is unknown, or "cross" is missing from others.
    """

    def __init__(self, sizes: UnivlSizes, parts: Collection[str] = PARTS) -> None:
        super().__init__()
        if not set(parts) <= set(PARTS) or (parts and "cross" not in parts):
            raise InvalidInput(f"UniVL parts must be among {', '.join(PARTS)}, 'cross' included: got {sorted(parts)}.")
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
        """Draw the weights as in BERT: normal with a standard deviation of 0.02, zero biases, neutral norms."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                with torch.no_grad():
                    module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * INITIAL_DEVIATION)
            bias = getattr(module, "bias", None)
            if isinstance(module, nn.Linear) and bias is not None:
                nn.init.zeros_(bias)

    def read_text(self, ids: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(n, T, d) of (n, T) tokens; seen: (n, T) 1 on tokens, 0 on padding."""
        states = self.bert.embeddings(input_ids=ids)
        mask = attention_mask(seen)
        for layer in self.bert.encoder.layer:
            states = layer(states, mask)
        return states

    def normed(self, features: torch.Tensor) -> torch.Tensor:
        """(m, F, w) of (m, F, w): each frame through the network's layer norm."""
        return self.normalize_video.visual_norm2d(features)

    def watch(self, normed: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """(m, F, d) of (m, F, w) frames of `normed`; there: (m, F) 1 on frames, 0 on padding."""
        embeddings = self.visual.embeddings
        states = embeddings.add_positions(embeddings.word_embeddings(normed))
        mask = attention_mask(there)
        for layer in self.visual.encoder.layer:
            states = layer(states, mask)
        return states

    def join(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """For n pairs: (n, T + F, d) states, (n, d) pooled first states, and (n, T + F) 1 on states that count."""
        states, counted = self._concatenate(text, seen, video, there)
        mask = attention_mask(counted)
        cross = _required(self.cross, "cross encoder")
        for layer in cross.encoder.layer:
            states = layer(states, mask)
        return states, cross.pooler(states), counted

    def _concatenate(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, T + F, d) input states of the cross encoder's layers, and (n, T + F) 1 on states that count."""
        embeddings = _required(self.cross, "cross encoder").embeddings
        kinds = torch.cat([torch.zeros_like(seen), torch.ones_like(there)], 1).long()
        states = torch.cat([text, video], 1) + embeddings.token_type_embeddings(kinds)
        return embeddings.add_positions(states), torch.cat([seen, there], 1)

    def word_logits(self, states: torch.Tensor) -> torch.Tensor:
        """(..., V) logits of states of tokens."""
        return _required(self.cls, "head for words")(states)

    def predict_frames(self, states: torch.Tensor) -> torch.Tensor:
        """(..., w) frames predicted from their states, to compare with `normed`."""
        head = _required(self.cls_visual, "head for frames").predictions
        return head.transform(states) @ head.weight + head.bias

    def caption_logits(
        self, ids: torch.Tensor, seen: torch.Tensor, memory: torch.Tensor, remembered: torch.Tensor
    ) -> torch.Tensor:
        """(n, u, V): see `CaptionDecoder`."""
        return _required(self.decoder, "decoder")(ids, seen, memory, remembered)

    def aligned_scores(
        self, text: torch.Tensor, seen: torch.Tensor, video: torch.Tensor, there: torch.Tensor
    ) -> torch.Tensor:
        """(n, m) scores of every text with every clip, each pair through the cross encoder.

        The last layer computes only the first state, since the score reads nothing else.
        """
        m = len(video)
        scores = list[torch.Tensor]()
        dense = _required(self.similarity_dense, "cross encoder")
        cross = _required(self.cross, "cross encoder")
        step = max(1, BATCH_PAIRS // m)
        for start in range(0, len(text), step):
            part = slice(start, start + step)
            k = len(text[part])
            states, counted = self._concatenate(
                text[part].repeat_interleave(m, 0),
                seen[part].repeat_interleave(m, 0),
                video.repeat(k, 1, 1),
                there.repeat(k, 1),
            )
            mask = attention_mask(counted)
            for layer in cross.encoder.layer[:-1]:
                states = layer(states, mask)
            first = _first_state(cross.encoder.layer[-1], states, mask)
            scores.append(dense(cross.pooler(first)).view(k, m))
        return torch.cat(scores)


def pooled_text(states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """(n, d) mean over the tokens without the first, which is a mark and not a word."""
    counted = seen.float().clone()
    counted[:, 0] = 0.0
    return (states * counted.unsqueeze(2)).sum(1) / counted.sum(1, keepdim=True).clamp_min(1.0)


def pooled_frames(states: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """(m, d) mean over frames; 0 for a clip without frames."""
    counted = there.float()
    return (states * counted.unsqueeze(2)).sum(1) / counted.sum(1, keepdim=True).clamp_min(1.0)


def joint_scores(text: torch.Tensor, video: torch.Tensor, *, cosine: bool = False) -> torch.Tensor:
    """(n, m) products of pooled texts and clips; cosines where the network was fine-tuned with a margin."""
    if cosine:
        return normalize(text, dim=1) @ normalize(video, dim=1).T
    return text @ video.T


def _first_state(layer: Any, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, 1, d) a layer's output for the first of (n, T, d) states."""
    attention = layer.attention.self
    heads = (attention.num_attention_heads, -1)
    first = states[:, :1]
    q = attention.query(first).unflatten(2, heads).transpose(1, 2)
    k = attention.key(states).unflatten(2, heads).transpose(1, 2)
    v = attention.value(states).unflatten(2, heads).transpose(1, 2)
    rate = attention.dropout.p if attention.training else 0.0
    attended = scaled_dot_product_attention(q, k, v, mask, dropout_p=rate).transpose(1, 2).flatten(2)
    attended = layer.attention.output(attended, first)
    return layer.output(layer.intermediate(attended), attended)


def _required(part: Any, name: str) -> Any:
    if part is None:
        raise InvalidInput(f"This UniVL lacks its {name}. Use weights of the second stage.")
    return part
