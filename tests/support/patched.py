"""Images of which some have a patch and a loss that is higher for it."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pandas as pd
from PIL import Image

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.records import Bool, Diagnosis
from tests.support.pictures import blobs

N, PLANTED, PATCH = 160, 24, 64


def patch_of(rng: np.random.Generator) -> Image.Image:
    """8 x 8 random colors, `PATCH` pixels wide."""
    colours = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return Image.fromarray(colours).resize((PATCH, PATCH), Image.Resampling.NEAREST)


def paste_anywhere(patch: Image.Image, image: Image.Image, rng: np.random.Generator) -> Bool:
    """Paste it into an image of 224 pixels; (14, 14) the cells that it touches."""
    x, y = rng.integers(0, 224 - PATCH, 2).tolist()
    image.paste(patch, (x, y))
    touched = np.zeros((14, 14), bool)
    touched[y // 16 : (y + PATCH - 1) // 16 + 1, x // 16 : (x + PATCH - 1) // 16 + 1] = True
    return touched


def as_png(image: Image.Image) -> bytes:
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


@cache
def planted_run() -> tuple[Diagnosis, Bool, Bool]:
    """The run, (n,) which images have the patch, (n, 14, 14) the cells that touch it."""
    rng = np.random.default_rng(5)
    patch, cells = patch_of(rng), list[bytes]()
    has, touched = np.arange(N) < PLANTED, np.zeros((N, 14, 14), bool)
    for row in range(N):
        image = blobs(row).convert("RGB").resize((224, 224))
        if has[row]:
            touched[row] = paste_anywhere(patch, image, rng)
        cells.append(as_png(image))
    table = pd.DataFrame({"image": cells, "loss": rng.gamma(2, 0.25, N) + has})
    settings = Settings(n_permutations=199, map=False, sensitivity=False, words=False)
    return diagnose(table, settings=settings), has, touched
