"""A UniVL's weights by the names of the released code, with its sizes read from their shapes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import torch

from core.errors import InvalidInput, quoted
from core.systems.univl.network import PARTS, Univl, UnivlSizes

WORDS, POSITIONS, FRAMES = (
    "bert.embeddings.word_embeddings.weight",
    "bert.embeddings.position_embeddings.weight",
    "visual.embeddings.word_embeddings.weight",
)
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


def univl_of(tensors: Mapping[str, torch.Tensor], source: str, said: Mapping[str, Any] | None = None) -> Univl:
    """The network that these weights are of, ready to be used.

    Args:
        said: `heads` and `dropout`, where they are not those of the published sizes.

    Raises:
        InvalidInput: a weight is missing, of another shape, not finite, or of no part of it.
    """
    given = {released_name(name): tensor for name, tensor in tensors.items()}
    parts = [part for part in PARTS if any(name.startswith(_BEGINS[part]) for name in given)]
    sizes = _sizes(given, source, said or {})
    with torch.device("meta"):
        wanted = {name: tuple(t.shape) for name, t in Univl(sizes, parts).state_dict().items()}
    _check(given, wanted, parts, source)
    network = Univl(sizes, parts)
    filled = {name: given.get(name, given.get(COPIES.get(name, name))) for name in wanted}
    network.load_state_dict({name: tensor.float() for name, tensor in filled.items() if tensor is not None})
    return network.eval()


def _check(
    given: Mapping[str, torch.Tensor], wanted: Mapping[str, tuple[int, ...]], parts: Collection[str], source: str
) -> None:
    missing = sorted(wanted.keys() - given.keys() - COPIES.keys())
    unknown = sorted(given.keys() - wanted.keys())
    if missing or unknown:
        what = [
            f"{len(names)} {kind} ({quoted(*names, most=3, length=80)})"
            for kind, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
        has = f"with {', '.join(parts)}" if parts else "of the first stage"
        raise InvalidInput(f"{source}: of a UniVL {has}, weights are {' and '.join(what)}. Bring the whole checkpoint.")
    for name, tensor in given.items():
        if tuple(tensor.shape) != wanted[name]:
            raise InvalidInput(f"{source}: {name} must be of shape {wanted[name]}: got {tuple(tensor.shape)}.")
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise InvalidInput(f"{source}: the numbers of {name} are not all finite. Copy the checkpoint again.")
        if name in COPIES and not torch.equal(tensor, given[COPIES[name]]):
            raise InvalidInput(f"{source}: {name} is not {COPIES[name]}, which it shares. Bring it as it was saved.")


def _sizes(given: Mapping[str, torch.Tensor], source: str, said: Mapping[str, Any]) -> UnivlSizes:
    def shape(name: str, least: int = 2) -> tuple[int, ...]:
        if name not in given or given[name].ndim != least:
            raise InvalidInput(f"{source} holds no UniVL: it has no {name}. Bring a checkpoint of the released code.")
        return tuple(given[name].shape)

    def layers(begins: str) -> int:
        found = [re.match(rf"{re.escape(begins)}\.layer\.(\d+)\.", name) for name in given]
        return 1 + max((int(m[1]) for m in found if m), default=0)

    width, features = shape(FRAMES)
    if "heads" not in said and width % HEAD:
        raise InvalidInput(
            f"{source}: how many heads a network {width} wide has cannot be seen in its weights. Bring the folder with "
            "its card."
        )
    published = UnivlSizes()
    has_cross = "cross.embeddings.position_embeddings.weight" in given
    return UnivlSizes(
        vocabulary=shape(WORDS)[0],
        features=features,
        width=width,
        heads=said.get("heads", width // HEAD),
        hidden=shape("visual.encoder.layer.0.intermediate.dense.weight")[0],
        text_layers=layers("bert.encoder"),
        video_layers=layers("visual.encoder"),
        cross_layers=layers("cross.encoder"),
        decoder_layers=layers("decoder.decoder"),
        text_positions=shape(POSITIONS)[0],
        video_positions=shape("visual.embeddings.position_embeddings.weight")[0],
        cross_positions=shape("cross.embeddings.position_embeddings.weight")[0]
        if has_cross
        else published.cross_positions,
        dropout=said.get("dropout", published.dropout),
    )
