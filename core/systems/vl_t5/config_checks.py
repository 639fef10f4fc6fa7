"""What the config.json of a T5 may say beside its sizes: checked before a model of it is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.encoders.transformer_folder import CONFIG
from core.errors import InvalidInput

ACTIVATIONS = ("relu", "gelu", "gelu_new", "silu", "swish", "tanh", "linear")
MOST_BUCKETS, MOST_DISTANCE = 4096, 1_000_000
_BUCKETS, _DISTANCE = "relative_attention_num_buckets", "relative_attention_max_distance"


def check_config(folder: Path, said: Mapping[str, Any], vocabulary: int) -> None:
    """See that every setting is one that a T5 can have; what is absent or null is T5's own.

    Args:
        vocabulary: words of the model.

    Raises:
        InvalidInput: one is not.
    """
    _check_whole(folder, said, "num_decoder_layers", 1, 10_000)
    _check_whole(folder, said, _BUCKETS, 4, MOST_BUCKETS)
    _check_whole(folder, said, _DISTANCE, 1, MOST_DISTANCE)
    for name in ("decoder_start_token_id", "eos_token_id", "pad_token_id"):
        _check_whole(folder, said, name, 0, vocabulary - 1)
    buckets, distance = (said.get(name) or own for name, own in ((_BUCKETS, 32), (_DISTANCE, 128)))
    if distance <= buckets // 2:  # half of the buckets are for single steps
        raise _refused(folder, _DISTANCE, f"above {buckets // 2}, half of {_BUCKETS}", distance)
    rate, epsilon = said.get("dropout_rate"), said.get("layer_norm_epsilon")
    if rate is not None and not (_is_number(rate) and 0 <= rate < 1):
        raise _refused(folder, "dropout_rate", "a number from 0 to below 1", rate)
    if epsilon is not None and not (_is_number(epsilon) and 0 < epsilon <= 1):
        raise _refused(folder, "layer_norm_epsilon", "a number above 0, at most 1", epsilon)
    for name in ("tie_word_embeddings", "scale_decoder_outputs"):
        if said.get(name) is not None and not isinstance(said[name], bool):
            raise _refused(folder, name, "true or false", said[name])
    kind = said.get("feed_forward_proj")
    if kind is not None and not (isinstance(kind, str) and kind.removeprefix("gated-") in ACTIVATIONS):
        raise _refused(folder, "feed_forward_proj", f"one of {', '.join(ACTIVATIONS)}, or gated- and one", kind)


def _check_whole(folder: Path, said: Mapping[str, Any], name: str, low: int, high: int) -> None:
    value = said.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and low <= value <= high):
        return
    raise _refused(folder, name, f"a whole number from {low} to {high:,}", value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused(folder: Path, name: str, rule: str, value: Any) -> InvalidInput:
    return InvalidInput(f"{folder}: {name} in {CONFIG} must be {rule}: got {str(value)[:40]!r}. Copy the model again.")
