"""A UniVL's weights under the released code's names; their shapes give its sizes."""

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
"""Second names of shared weights in a checkpoint, and their first names."""
_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "cross": ("cross.", "similarity_dense."),
    "decoder": ("decoder.",),
    "heads": ("cls.", "cls_visual."),
}
HEAD_WIDTH = 64
"""Width of a head in the published sizes; weights do not show the number of heads."""


def unshared_weights(network: Univl) -> dict[str, torch.Tensor]:
    """Every weight once, by its name in a released checkpoint."""
    return {name: tensor for name, tensor in network.state_dict().items() if name not in COPIES}


def released_name(name: str) -> str:
    """The key in the last released code: parallel training prepends `module.`, an old BERT has gamma and beta."""
    name = name.removeprefix("module.")
    name = re.sub(r"(?<=LayerNorm\.)gamma$", "weight", name)
    return re.sub(r"(?<=LayerNorm\.)beta$", "bias", name)


def build_univl(
    tensors: Mapping[str, torch.Tensor], source: str, *, heads: int | None = None, dropout: float | None = None
) -> Univl:
    """Build the network of these weights, in evaluation mode.

    Args:
        heads: None takes the published head width of 64.
        dropout: None takes the published rate.

    Raises:
        InvalidInput: a weight is missing, has another shape, is not finite, or belongs to no part.
    """
    tensors = {released_name(name): tensor for name, tensor in tensors.items()}
    parts = [part for part in PARTS if any(name.startswith(_PREFIXES[part]) for name in tensors)]
    sizes = _sizes(tensors, source, heads, dropout)
    kind = "a UniVL of the first stage"
    if parts:
        kind = f"a UniVL with {', '.join(parts)}"
    return load_network(lambda: Univl(sizes, parts), tensors, source, kind, copies=COPIES, named=unshared_weights)


def _sizes(tensors: Mapping[str, torch.Tensor], source: str, heads: int | None, dropout: float | None) -> UnivlSizes:
    def shape(name: str) -> tuple[int, ...]:
        if name not in tensors or tensors[name].ndim != 2 or not tensors[name].numel():
            raise InvalidInput(f"{source} is not a UniVL: {name} is missing. Use a checkpoint of the released code.")
        return tuple(tensors[name].shape)

    def layers(prefix: str) -> int:
        matches = [re.match(rf"{re.escape(prefix)}\.layer\.(\d+)\.", name) for name in tensors]
        return len({match[1] for match in matches if match}) or 1

    width, features = shape(FRAMES)
    if heads is None and width % HEAD_WIDTH:
        raise InvalidInput(
            f"{source}: the weights of a network {width} wide do not show its number of heads. Use the folder with "
            "its card."
        )
    if heads is not None and width % heads:
        raise InvalidInput(f"{source}: the width (= {width}) must be divisible by the heads (= {heads}). Fix the card.")
    published = UnivlSizes()
    cross_positions = published.cross_positions
    if PAIRS in tensors:
        cross_positions = shape(PAIRS)[0]
    return UnivlSizes(
        vocabulary=shape(WORDS)[0],
        features=features,
        width=width,
        heads=heads or width // HEAD_WIDTH,
        hidden=shape("visual.encoder.layer.0.intermediate.dense.weight")[0],
        text_layers=layers("bert.encoder"),
        video_layers=layers("visual.encoder"),
        cross_layers=layers("cross.encoder"),
        decoder_layers=layers("decoder.decoder"),
        text_positions=shape(POSITIONS)[0],
        video_positions=shape("visual.embeddings.position_embeddings.weight")[0],
        cross_positions=cross_positions,
        dropout=published.dropout if dropout is None else dropout,
    )
