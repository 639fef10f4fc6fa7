"""A UniVL on disk: its weights, its words, and a card with its training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from core.documents import read_json
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, write_json, write_text
from core.forms import Count, Form, read_form
from core.limits import Limits
from core.received import digest
from core.systems.common.checkpoints import write_tensors
from core.systems.univl.checkpoint import build_univl, unshared_weights
from core.systems.univl.network import Univl
from core.systems.univl.words import ClipWords, read_words

FOLDER = ASSETS / "clips"
"""Errata's own network, which knows only drawn clips (docs/clips.md)."""
WEIGHTS = "univl.safetensors"
WORDS = "vocab.txt"
CARD = "univl.json"
DEFAULT_TOKENS = 48
"""Tokens per text where the card gives no number; as published."""


class _Card(Form):
    tokens: int | None = Field(None, ge=3)
    heads: Count | None = None
    dropout: float | None = Field(None, ge=0, lt=1)


@dataclass(frozen=True, slots=True, eq=False)
class ReadUnivl:
    """A network with its words."""

    network: Univl
    words: ClipWords
    tokens: int
    """The length to which every text is cut and padded."""
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])


def write_univl(model: ReadUnivl, folder: Path) -> None:
    """Write weights in half precision, words, and the card with sizes and the weights' digest."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, {name: t.half() for name, t in unshared_weights(model.network).items()})
    write_text(folder / WORDS, "\n".join(model.words.pieces) + "\n")
    sizes = model.network.sizes
    settings = {"tokens": model.tokens, "heads": sizes.heads, "dropout": sizes.dropout}
    write_json(folder / CARD, {**model.card, **settings, "sha256": digest(folder / WEIGHTS)})


def read_univl(source: Path = FOLDER) -> ReadUnivl:
    """Read a folder that `write_univl` wrote, or a released checkpoint file with its BERT's vocab.txt beside it.

    Raises:
        InvalidInput: the file is missing or not a UniVL, or its words do not match its weights.
    """
    file = source
    if source.is_dir():
        file = source / WEIGHTS
    if not file.is_file():
        raise InvalidInput(
            f"{source} contains no UniVL. Use a released checkpoint, or a folder with {WEIGHTS}, {WORDS} and {CARD}."
        )
    card: Any = {}
    if file.name == WEIGHTS and (file.parent / CARD).is_file():
        card = read_json(file.parent / CARD, most=Limits().max_document_bytes)
    settings = read_form(_Card, card, f"{CARD} in {source}", f"Use {WEIGHTS} and {CARD} of the same UniVL.")
    network = build_univl(read_tensors(file), file.name, heads=settings.heads, dropout=settings.dropout)
    words = read_words(file.parent / WORDS)
    most = network.sizes.text_positions
    if len(words) != network.sizes.vocabulary:
        raise InvalidInput(
            f"{WORDS} has {len(words):,} words, {file.name} {network.sizes.vocabulary:,}. Use the vocab.txt of these "
            "weights."
        )
    if settings.tokens is not None and settings.tokens > most:
        raise InvalidInput(
            f"{CARD}: tokens must be at most the weights' {most:,}: got {settings.tokens:,}. Fix the card."
        )
    return ReadUnivl(network, words, settings.tokens or min(DEFAULT_TOKENS, most), card)
