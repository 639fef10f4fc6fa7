"""A picture as an open_clip tower has it just before its last linear map, for probes that learn that map anew."""

from __future__ import annotations

import copy
from typing import Any

import torch
from PIL import Image

from core.records import F32


class BeforeProjection:
    """An encoder of pictures whose vectors, unit rows of width w, stand before the map `projection` (w, d).

    The lengths that are lost play no part: whatever a row's length, its direction behind the map is the same.

    Args:
        encoder: the `OpenClipEncoder`.
        visual: its tower of pictures.
    """

    modality = "image"

    def __init__(self, encoder: Any, visual: Any) -> None:
        self._encoder, self._visual = encoder, copy.copy(visual)
        vars(self._visual)["_parameters"] = {**visual._parameters, "proj": None}  # the tower itself keeps its map
        self.projection: F32 = visual.proj.detach().float().cpu().numpy()
        self.name, self.batch_size = f"{encoder.name}, before its last map", encoder.batch_size
        self.description = f"{encoder.description} Without the tower's last linear map."
        self.fingerprint = f"{encoder.fingerprint}/before"
        self.finding_space = self.joint_space = f"{encoder.joint_space}/before"
        self.logit_scale = encoder.logit_scale

    def preprocess(self, image: Image.Image) -> F32:
        """As the encoder's own."""
        return self._encoder.preprocess(image)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        """(n, w) unit rows, the same array twice."""
        vectors = self._encoder.in_batches(torch.from_numpy(batch), self._visual)
        return vectors, vectors

    def encode_texts(self, texts: Any) -> F32:
        """No text has such vectors.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("texts have no vectors before the pictures' map")

    def count_truncated(self, texts: Any) -> int:
        """None is read."""
        return 0


def opens_before(visual: Any) -> bool:
    """Whether the tower ends in a plain linear map: open_clip's own vision transformers do."""
    return type(visual).__name__ == "VisionTransformer" and isinstance(
        getattr(visual, "proj", None), torch.nn.Parameter
    )
