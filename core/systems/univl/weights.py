"""A UniVL on disk: its weights, its words, and a card that says what it was taught on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import Field

from core.documents import read_json
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.files import ASSETS, replacing, write_json, write_text
from core.forms import Count, Form, read_form
from core.limits import Limits
from core.systems.univl.checkpoint import own_weights, univl_of
from core.systems.univl.network import Univl
from core.systems.univl.words import ClipWords, read_words

FOLDER = ASSETS / "clips"
"""The network that comes along: it knows drawn clips, and no others (docs/clips.md)."""
WEIGHTS = "univl.safetensors"
WORDS = "vocab.txt"
CARD = "univl.json"
TOKENS = 48
"""A text's tokens, where no card says so: as published."""


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
    """To which every text is cut and padded."""
    card: Mapping[str, Any] = field(default_factory=dict[str, Any])


def write_univl(found: ReadUnivl, folder: Path) -> None:
    """Write weights in half precision, words, and the card, which gets sizes and the digest of the weights."""
    safetensors: Any = import_module("safetensors.torch")
    tensors = {name: t.detach().cpu().half().contiguous() for name, t in own_weights(found.network).items()}
    content = safetensors.save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as part:
        part.write_bytes(content)
    write_text(folder / WORDS, "\n".join(found.words.pieces) + "\n")
    sizes = found.network.sizes
    said = {"tokens": found.tokens, "heads": sizes.heads, "dropout": sizes.dropout}
    write_json(folder / CARD, {**found.card, **said, "sha256": hashlib.sha256(content).hexdigest()})


def read_univl(source: Path = FOLDER) -> ReadUnivl:
    """The network of a folder that `write_univl` wrote, or of a checkpoint file as the authors released it, with the
    vocab.txt of its BERT beside it.

    Raises:
        InvalidInput: it is not there, holds no UniVL, or its words are not as many as its weights say.
    """
    file = source / WEIGHTS if source.is_dir() else source
    if not file.is_file():
        raise InvalidInput(
            f"There is no UniVL in {source}: it needs {WEIGHTS}. Name a released checkpoint, or a folder with "
            f"{WEIGHTS}, {WORDS} and {CARD}."
        )
    card: Any = {}
    if file.name == WEIGHTS and (file.parent / CARD).is_file():
        card = read_json(file.parent / CARD, most=Limits().max_document_bytes)
    said = read_form(_Card, card, f"{CARD} in {source}", f"Take {WEIGHTS} and {CARD} from one place.")
    network = univl_of(read_tensors(file), file.name, heads=said.heads, dropout=said.dropout)
    words = read_words(file.parent / WORDS)
    most = network.sizes.text_positions
    if len(words) != network.sizes.vocabulary:
        raise InvalidInput(
            f"{WORDS} has {len(words):,} words, and the weights beside it are of {network.sizes.vocabulary:,}. "
            "Bring the two together."
        )
    if said.tokens is not None and said.tokens > most:
        raise InvalidInput(f"tokens in {CARD} must be at most {most:,}, as the weights are: got {said.tokens:,}.")
    return ReadUnivl(network, words, said.tokens or min(TOKENS, most), card)
