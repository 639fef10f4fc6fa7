"""Tokens of a frozen encoder before its last block, on both sides, on which small modules are trained.

n images of P tokens (patches, row by row, without class token), di wide; m texts of T tokens, dt wide. The tokens are
the output of the penultimate block, as in Cola (Ray et al. 2023, arXiv 2305.03689, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.encoders import Encoder
from core.errors import InvalidInput
from core.records import F32, I64, Bool


@dataclass(frozen=True, slots=True, eq=False)
class ImageTokens:
    """States of images before a tower's last block."""

    tokens: F32
    """(n, P, di)."""
    pooled: F32
    """(n, d) unit rows of the joint space, as `Encoder.encode_items` gives them."""


@dataclass(frozen=True, slots=True, eq=False)
class TextTokens:
    """States of texts before a tower's last block."""

    tokens: F32
    """(m, T, dt); rows past a text's end are 0."""
    ids: I64
    """(m, T) token ids, padded."""
    words: Bool
    """(m, T) True on tokens of the text itself: not on marks (start, end, [CLS], [SEP]) and not on padding."""
    seen: Bool
    """(m, T) True on everything but padding."""
    pooled: F32
    """(m, d) unit rows of the joint space, as `Encoder.encode_texts` gives them."""
    pieces: tuple[tuple[str, ...], ...]
    """For each text its tokens spelled, T or fewer, marks included; pieces inside a word begin with "##" (WordPiece) or
    stand as they are."""


class TokenTower(Protocol):
    """A frozen encoder opened before its last block. Made by `encoder.token_tower()`."""

    @property
    def fingerprint(self) -> str:
        """The encoder's fingerprint and the depth of the tokens, for which a module is trained."""
        ...

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches; P = rows x columns. Patch (r, c) covers that cell of the image as `preprocess`
        crops it."""
        ...

    @property
    def image_width(self) -> int: ...
    @property
    def text_width(self) -> int: ...
    @property
    def joint_width(self) -> int: ...
    @property
    def logit_scale(self) -> float: ...

    def image_tokens(self, batch: F32) -> ImageTokens:
        """Of (n, 3, height, width) images as `Encoder.preprocess` makes them."""
        ...

    def cells(self, tokens: F32) -> F32:
        """(n, r, c, w) of (n, P, di) image tokens: the finest grid of the image that they hold."""
        ...

    def text_tokens(self, texts: Sequence[str]) -> TextTokens:
        """Texts past the tower's limit are cut; T is the longest text's length."""
        ...


def tower_of(encoder: Encoder) -> TokenTower:
    """Open the encoder before its last block; the tower is cached by fingerprint.

    Raises:
        InvalidInput: the encoder cannot be opened there.
    """
    key = encoder.fingerprint
    if key not in _towers:
        opened: Any = getattr(encoder, "token_tower", None)
        if opened is None:
            raise InvalidInput(
                f"{encoder.name} gives no tokens of an image's parts. Use 'embedded' or an open_clip model."
            )
        _towers[key] = opened()
    return _towers[key]


_towers: dict[str, TokenTower] = {}
