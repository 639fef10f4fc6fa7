"""The decoder: writes a caption word by word, attending to the cross encoder's states of text and clip.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3.2) and its released code, which names the parameters
(github.com/microsoft/UniVL, commit 8db88f3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.bert.modeling_bert import BertIntermediate, BertOutput, BertPredictionHeadTransform

MASKED_SCORE = -10_000.0
"""Added to the attention scores of masked positions, as in BERT; finite, so a clip without frames gives numbers."""


def attention_mask(seen: torch.Tensor) -> torch.Tensor:
    """(n, 1, 1, T) terms to add to attention scores; seen: (n, T) 1 on visible positions, 0 on masked ones."""
    return (1.0 - seen.float())[:, None, None, :] * MASKED_SCORE


def _shared(weight: torch.Tensor) -> nn.Parameter:
    assert isinstance(weight, nn.Parameter)
    return weight


class _Heads(nn.Module):
    """Attention heads: queries from one sequence, keys and values from another."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.rate = config.attention_probs_dropout_prob
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, states: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        q = self.query(states).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k = self.key(memory).unflatten(2, (self.heads, -1)).transpose(1, 2)
        v = self.value(memory).unflatten(2, (self.heads, -1)).transpose(1, 2)
        rate = self.rate if self.training else 0.0
        return scaled_dot_product_attention(q, k, v, mask, dropout_p=rate).transpose(1, 2).flatten(2)


class _Residual(nn.Module):
    """The attention's output, added to its input and normalized."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, attended: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(self.dropout(self.dense(attended)) + states)


class DecoderAttention(nn.Module):
    """Attention of a sequence to another or to itself."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.att = _Heads(config)
        self.output = _Residual(config)

    def forward(self, states: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.output(self.att(states, memory, mask), states)


class _DecoderLayer(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.slf_attn = DecoderAttention(config)
        self.enc_attn = DecoderAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(
        self, states: torch.Tensor, memory: torch.Tensor, word_mask: torch.Tensor, memory_mask: torch.Tensor
    ) -> Any:
        states = self.slf_attn(states, states, word_mask)
        states = self.enc_attn(states, memory, memory_mask)
        return self.output(self.intermediate(states), states)


class _DecoderEmbeddings(nn.Module):
    def __init__(self, config: Any, words: torch.Tensor, positions: torch.Tensor) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(len(words), words.shape[1])
        self.position_embeddings = nn.Embedding(len(positions), positions.shape[1])
        # one parameter under several names, not a copy
        self.word_embeddings.weight = _shared(words)
        self.position_embeddings.weight = _shared(positions)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings(positions)))


class _Layers(nn.Module):
    def __init__(self, config: Any, n: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList([_DecoderLayer(config) for _ in range(n)])


class _WordPredictions(nn.Module):
    def __init__(self, config: Any, words: torch.Tensor) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.decoder = nn.Linear(words.shape[1], words.shape[0], bias=False)
        self.decoder.weight = _shared(words)
        self.bias = nn.Parameter(torch.zeros(len(words)))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.transform(states)) + self.bias


class WordHead(nn.Module):
    """(..., V) logits of states, by the products with the words' embeddings."""

    def __init__(self, config: Any, words: torch.Tensor) -> None:
        super().__init__()
        self.predictions = _WordPredictions(config, words)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.predictions(states)


class _Classifier(nn.Module):
    def __init__(self, config: Any, words: torch.Tensor) -> None:
        super().__init__()
        self.cls = WordHead(config, words)


class CaptionDecoder(nn.Module):
    """The decoder; it shares words and positions with the text encoder."""

    def __init__(self, config: Any, n_layers: int, words: torch.Tensor, positions: torch.Tensor) -> None:
        super().__init__()
        self.embeddings = _DecoderEmbeddings(config, words, positions)
        self.decoder = _Layers(config, n_layers)
        self.classifier = _Classifier(config, words)

    def forward(
        self, ids: torch.Tensor, seen: torch.Tensor, memory: torch.Tensor, remembered: torch.Tensor
    ) -> torch.Tensor:
        """(n, u, V) logits of the word after each of (n, u) words.

        Args:
            seen: (n, u) 1 on words, 0 on padding.
            memory: (n, T, d) states of the cross encoder.
            remembered: (n, T) 1 on states that count, 0 on padding.
        """
        u = ids.shape[1]
        later = torch.ones(u, u, device=ids.device).triu(1)
        word_mask = ((1.0 - seen.float())[:, None, None, :] + later).gt(0).float() * MASKED_SCORE
        memory_mask = attention_mask(remembered)
        states = self.embeddings(ids)
        for layer in self.decoder.layer:
            states = layer(states, memory, word_mask, memory_mask)
        return self.classifier.cls(states)
