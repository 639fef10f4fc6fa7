"""`caption_part` in torch, for training it and for gradients through it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import normalize

from core.encoders.embedded.caption_part import SENTENCE_GAIN, CaptionHead, CaptionPart
from core.records import F32


class TorchHead(nn.Module):
    """`CaptionHead`, trainable."""

    def __init__(self, inputs: int, width: int, hidden: int, dropout: float = 0.0, input_dropout: float = 0.0) -> None:
        super().__init__()
        self.drop = nn.Dropout(input_dropout)
        self.direct = nn.Linear(inputs, width, bias=False)
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, width)
        self.inner = nn.Sequential(nn.GELU(), nn.Dropout(dropout))
        self.norm = nn.LayerNorm(width)

    @classmethod
    def of(cls, head: CaptionHead) -> TorchHead:
        """A copy with the same numbers, ready to run."""
        width, inputs = head.direct.shape
        module = cls(inputs, width, len(head.hidden)).eval()
        for tensor, array in zip(module._tensors(), head.arrays()):
            tensor.data = torch.from_numpy(array.copy())
        return module

    def _tensors(self) -> tuple[torch.Tensor, ...]:
        maps = (self.direct.weight, self.hidden.weight, self.hidden.bias, self.output.weight, self.output.bias)
        return *maps, self.norm.weight, self.norm.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, d) unit rows."""
        x = self.drop(x)
        return normalize(self.norm(self.direct(x) + self.output(self.inner(self.hidden(x)))), dim=1)

    def frozen(self) -> CaptionHead:
        return CaptionHead(*(tensor.detach().numpy().copy() for tensor in self._tensors()))


def _constant(array: F32) -> torch.Tensor:
    return torch.from_numpy(array.copy())


class TorchTexts(nn.Module):
    """`CaptionPart.texts`."""

    def __init__(self, part: CaptionPart) -> None:
        super().__init__()
        self.head = TorchHead.of(part.text).requires_grad_(False)
        self.register_buffer("mean", _constant(part.sentence_mean))

    def forward(self, unit: torch.Tensor) -> torch.Tensor:
        """(n, p) unit rows from (n, 384) unit sentence vectors."""
        return self.head((unit - self.get_buffer("mean")) * float(SENTENCE_GAIN))
