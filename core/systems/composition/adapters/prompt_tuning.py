"""Prompt tuning as Cola means it: the embeddings of the words that occur in training captions are learned, all else is
frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from core.encoders import Encoder
from core.encoders.prompts import PromptTower
from core.encoders.tokens import TokenTower
from core.errors import InvalidInput
from core.systems.composition.adapters.base import Cosine, ImageRows, State, TextRows


class PromptModule(Cosine):
    """What is learned is added to each word's embedding, and starts at nothing."""

    def __init__(self, tower: PromptTower, scale: float) -> None:
        super().__init__(scale)
        self._tower = (tower,)  # in a tuple, so that its frozen parameters are none of ours
        self.register_buffer("used", torch.zeros(0, dtype=torch.int64))
        self.change = torch.nn.Parameter(torch.zeros(0, tower.words().shape[1]))

    def prepare(self, used: torch.Tensor) -> None:
        """Make room for the words with these ids; done once, before training."""
        on = self.change.device
        self.used = used.unique().to(on)
        self.change = torch.nn.Parameter(torch.zeros(len(self.used), self.change.shape[1], device=on))

    def images(self, rows: ImageRows) -> State:
        """(b, d) the frozen rows."""
        return (rows.pooled,)

    def texts(self, rows: TextRows) -> State:
        """(m, d) unit rows, through the whole text tower."""
        tower = self._tower[0]
        ids = torch.from_numpy(
            tower.padded([row[seen].tolist() for row, seen in zip(rows.ids.cpu(), rows.seen.cpu())])
        ).to(tower.device)
        used: torch.Tensor = self.used
        embeds = tower.embed(ids)
        if len(used):
            at = torch.searchsorted(used, ids).clamp(max=len(used) - 1)
            embeds = embeds + self.change[at] * (used[at] == ids).unsqueeze(-1)
        return (tower.encode(embeds, ids),)


@dataclass(frozen=True, slots=True)
class PromptTuning:
    """Cola's prompt tuning; it is not CoOp."""

    title: ClassVar[str] = "Prompt tuning"
    what: ClassVar[str] = (
        "Learns the embeddings of the words in the captions, the towers stay frozen. "
        "Slow: every step runs the whole text tower."
    )
    source: ClassVar[str] = "Ray et al. 2023 (Cola), arXiv 2305.03689, section 4"
    learning_rate: ClassVar[float] = 3e-3
    negatives: ClassVar[int] = 16
    dual: ClassVar[bool] = True

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module.

        Raises:
            InvalidInput: the encoder's text tower takes no word embeddings.
        """
        opened: Any = getattr(encoder, "prompt_tower", None)
        if opened is None:
            raise InvalidInput(
                f"The text tower of {encoder.name} takes no word embeddings, so none can be learned. "
                "Use another adapter."
            )
        return PromptModule(opened(), tower.logit_scale)
