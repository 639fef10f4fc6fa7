"""Late layers: go on training what follows the tokens on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from core.encoders import Encoder
from core.encoders.tokens import TokenTower
from core.systems.composition.adapters.base import Cosine, ImageRows, State, TextRows


class LateModule(Cosine):
    """Copies of both last blocks; untrained it ranks as the encoder does."""

    def __init__(self, tower: TokenTower) -> None:
        super().__init__(tower.logit_scale)
        self.image, self.text = tower.late_image(), tower.late_text()

    def images(self, rows: ImageRows) -> State:
        """(b, d) unit rows."""
        return (self.image(rows.tokens, rows.prefix),)

    def texts(self, rows: TextRows) -> State:
        """(m, d) unit rows."""
        return (self.text(rows.tokens, rows.ids, rows.seen),)


@dataclass(frozen=True, slots=True)
class Late:
    """The last block of each tower, trained on from where it is."""

    title: ClassVar[str] = "Late layers"
    what: ClassVar[str] = (
        "The last block of each tower goes on being trained; pictures and texts still meet in one cosine."
    )
    source: ClassVar[str] = (
        "the usual partial fine-tuning; Cola's own 'FT late' starts new layers instead: see Unimodal"
    )
    learning_rate: ClassVar[float] = 5e-4
    negatives: ClassVar[int] = 16
    dual: ClassVar[bool] = True

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module."""
        return LateModule(tower)
