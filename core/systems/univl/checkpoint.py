"""A UniVL's weights by the names of the released code, with its sizes read from their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from core.encoders.weights import load_network
from core.errors import InvalidInput
from core.systems.univl.network import PARTS, Univl, UnivlSizes

WORDS = "bert.embeddings.word_embeddings.weight"
POSITIONS = "bert.embeddings.position_embeddings.weight"
FRAMES = "visual.embeddings.word_embeddings.weight"
PAIRS = "cross.embeddings.position_embeddings.weight"
COPIES: Mapping[str, str] = {
    "decoder.embeddings.word_embeddings.weight": WORDS,
    "decoder.embeddings.position_embeddings.weight": POSITIONS,
    "decoder.classifier.cls.predictions.decoder.weight": WORDS,
    "cls.predictions.decoder.weight": WORDS,
    "cls_visual.predictions.weight": FRAMES,
}
"""Names under which a checkpoint holds weights again, and of what."""
_BEGINS: Mapping[str, tuple[str, ...]] = {
    "cross": ("cross.", "similarity_dense."),
    "decoder": ("decoder.",),
    "heads": ("cls.", "cls_visual."),
}
HEAD = 64
"""Width of a head in the published sizes; how many there are cannot be seen in weights."""


def own_weights(network: Univl) -> dict[str, torch.Tensor]:
    """Every weight once, by its name in a released checkpoint."""
    return {name: tensor for name, tensor in network.state_dict().items() if name not in COPIES}


def released_name(name: str) -> str:
    """The key as the last released code has it: parallel training says `module.`, an old BERT gamma and beta."""
    name = name.removeprefix("module.")
    return re.sub(r"(?<=LayerNorm\.)(gamma|beta)$", lambda m: "weight" if m[0] == "gamma" else "bias", name)


def univl_of(
    tensors: Mapping[str, torch.Tensor], source: str, *, heads: int | None = None, dropout: float | None = None
) -> Univl:
    """The network that these weights are of, ready to be used.

    Args:
        heads: None: as many as the published network would have at its width.
        dropout: None: as published.

    Raises:
        InvalidInput: a weight is missing, of another shape, not finite, or of no part of it.
    """
    given = {released_name(name): tensor for name, tensor in tensors.items()}
    parts = [part for part in PARTS if any(name.startswith(_BEGINS[part]) for name in given)]
    sizes = _sizes(given, source, heads, dropout)
    kind = f"a UniVL with {', '.join(parts)}" if parts else "a UniVL of the first stage"
    return load_network(lambda: Univl(sizes, parts), given, source, kind, copies=COPIES, named=own_weights)


def _sizes(given: Mapping[str, torch.Tensor], source: str, heads: int | None, dropout: float | None) -> UnivlSizes:
    def shape(name: str) -> tuple[int, ...]:
        if name not in given or given[name].ndim != 2 or not given[name].numel():
            raise InvalidInput(f"{source} holds no UniVL: it has no {name}. Bring a checkpoint of the released code.")
        return tuple(given[name].shape)

    def layers(begins: str) -> int:
        found = [re.match(rf"{re.escape(begins)}\.layer\.(\d+)\.", name) for name in given]
        return len({m[1] for m in found if m}) or 1

    width, features = shape(FRAMES)
    if heads is None and width % HEAD:
        raise InvalidInput(
            f"{source}: how many heads a network {width} wide has cannot be seen in its weights. Bring the folder with "
            "its card."
        )
    if heads is not None and width % heads:
        raise InvalidInput(f"{source}: its width (= {width}) must be divisible by its heads (= {heads}). Correct them.")
    published = UnivlSizes()
    return UnivlSizes(
        vocabulary=shape(WORDS)[0],
        features=features,
        width=width,
        heads=heads or width // HEAD,
        hidden=shape("visual.encoder.layer.0.intermediate.dense.weight")[0],
        text_layers=layers("bert.encoder"),
        video_layers=layers("visual.encoder"),
        cross_layers=layers("cross.encoder"),
        decoder_layers=layers("decoder.decoder"),
        text_positions=shape(POSITIONS)[0],
        video_positions=shape("visual.embeddings.position_embeddings.weight")[0],
        cross_positions=shape(PAIRS)[0] if PAIRS in given else published.cross_positions,
        dropout=published.dropout if dropout is None else dropout,
    )
