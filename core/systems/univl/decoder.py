"""The decoder: it writes a caption word by word, looking at what the cross encoder made of text and clip.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3.2) and its released code, whose names of parameters these
are (github.com/microsoft/UniVL, commit 8db88f3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.bert.modeling_bert import BertIntermediate, BertOutput, BertPredictionHeadTransform

UNSEEN = -10_000.0
"""Added to the score of what may not be looked at, as in BERT; finite, so a clip without frames gives numbers."""


def hide(seen: torch.Tensor) -> torch.Tensor:
    """(n, 1, 1, T) what is added to attention scores, of (n, T) what may be looked at."""
    return (1.0 - seen.float())[:, None, None, :] * UNSEEN


def _shared(weight: torch.Tensor) -> nn.Parameter:
    assert isinstance(weight, nn.Parameter)
    return weight


class _Heads(nn.Module):
    """Queries of one sequence, keys and values of another."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.rate = config.attention_probs_dropout_prob
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, asking: torch.Tensor, asked: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            x.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for x in (self.query(asking), self.key(asked), self.value(asked))
        )
        rate = self.rate if self.training else 0.0
        return scaled_dot_product_attention(q, k, v, added, dropout_p=rate).transpose(1, 2).flatten(2)


class _Joined(nn.Module):
    """What attention found, joined to what asked."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, found: torch.Tensor, asking: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(self.dropout(self.dense(found)) + asking)


class DecoderAttention(nn.Module):
    """Attention of one sequence to another, or to itself."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.att = _Heads(config)
        self.output = _Joined(config)

    def forward(self, asking: torch.Tensor, asked: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        return self.output(self.att(asking, asked, added), asking)


class _DecoderLayer(nn.Module):
    def __init__(self, config: Any) -> None:
        super().__init__()
        self.slf_attn = DecoderAttention(config)
        self.enc_attn = DecoderAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(self, states: torch.Tensor, memory: torch.Tensor, own: torch.Tensor, added: torch.Tensor) -> Any:
        states = self.slf_attn(states, states, own)
        states = self.enc_attn(states, memory, added)
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
        at = torch.arange(ids.shape[1], device=ids.device)
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings(at)))


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
    """(..., V) logits of states, against the words' own embeddings."""

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
    """The decoder. Words and positions are those of the text encoder."""

    def __init__(self, config: Any, n_layers: int, words: torch.Tensor, positions: torch.Tensor) -> None:
        super().__init__()
        self.embeddings = _DecoderEmbeddings(config, words, positions)
        self.decoder = _Layers(config, n_layers)
        self.classifier = _Classifier(config, words)

    def forward(
        self, ids: torch.Tensor, seen: torch.Tensor, memory: torch.Tensor, remembered: torch.Tensor
    ) -> torch.Tensor:
        """(n, u, V) logits of the word after each of (n, u) given ones.

        Args:
            seen: (n, u) 1 on words, 0 on padding.
            memory: (n, T, d) states of the cross encoder.
            remembered: (n, T) which of them count.
        """
        u = ids.shape[1]
        later = torch.ones(u, u, device=ids.device).triu(1)
        own = ((1.0 - seen.float())[:, None, None, :] + later).gt(0).float() * UNSEEN
        added = hide(remembered)
        states = self.embeddings(ids)
        for layer in self.decoder.layer:
            states = layer(states, memory, own, added)
        return self.classifier.cls(states)
