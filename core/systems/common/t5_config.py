"""Required content of the config.json of a T5."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from core.encoders.model_folder import ModelConfig
from core.forms import Count

Activation = Literal[
    "relu", "gelu", "gelu_new", "silu", "swish", "tanh", "linear",
    "gated-relu", "gated-gelu", "gated-gelu_new", "gated-silu", "gated-swish", "gated-tanh", "gated-linear",
]  # fmt: skip
TOKENIZERS = ("tokenizer.json", "spiece.model")
"""Files of which one must lie beside config.json."""


class T5Config(ModelConfig):
    """Sizes and settings of a T5 by transformers' names; those with a default may be absent."""

    model_type: Literal["t5"] = "t5"
    d_model: Count
    d_kv: Count
    d_ff: Count
    num_heads: Count
    vocab_size: Count = 32_128
    relative_attention_num_buckets: int = Field(32, ge=4, le=4096)
    relative_attention_max_distance: int = Field(128, ge=1, le=1_000_000)
    dropout_rate: float = Field(0.1, ge=0, lt=1)
    layer_norm_epsilon: float = Field(1e-6, gt=0, le=1)
    feed_forward_proj: Activation = "relu"
    tie_word_embeddings: bool = True
    scale_decoder_outputs: bool | None = None
    pad_token_id: int = Field(0, ge=0)
    eos_token_id: int = Field(1, ge=0)
    decoder_start_token_id: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _agree(self) -> T5Config:
        half = self.relative_attention_num_buckets // 2
        distance = self.relative_attention_max_distance
        if distance <= half:  # half of the buckets are for single steps
            raise ValueError(
                f"relative_attention_max_distance must be above {half}, half of relative_attention_num_buckets: "
                f"got {distance:,}"
            )
        for name in ("pad_token_id", "eos_token_id", "decoder_start_token_id"):
            number = getattr(self, name)
            if number >= self.vocab_size:
                raise ValueError(f"{name} must be below vocab_size (= {self.vocab_size:,}): got {number:,}")
        return self

    def settings(self) -> dict[str, Any]:
        """The file's settings for transformers; special tokens absent from it take T5's defaults."""
        signs = {name: getattr(self, name) for name in ("pad_token_id", "eos_token_id", "decoder_start_token_id")}
        names = {*T5Config.model_fields, *signs} - {"model_type"}
        return signs | self.model_dump(include=names, exclude_unset=True)
