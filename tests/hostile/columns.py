"""Whole diagnoses of tables whose cells mean harm: what is shown and written of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add
from tests.hostile.making import EVIL, lines_of

Made = dict[str, Any]
CELLS = {
    "HTML": EVIL,
    "ANSI codes": "\x1b[31mred",
    "a lone surrogate": "\ud800",
    "zero bytes": "a\0b",
    "right to left": "\u202eevil",
    "a template": "{{ 7 * 7 }}",
    "a formula": "=1+1",
    "64 KB": "x" * 65_536,
    "the end of a script": "</script><script>alert(1)</script>",
}


def _made(folder: Path, text: str) -> Made:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((60, 8)).astype(np.float32)
    vectors[:20] += 2
    rows = [
        {
            "id": f"{text}{i}",
            "loss": float(i < 20) + random.random() / 9,
            text: f"{text}{i % 2}",
            "label": f"{text}{i % 3}",
        }
        for i in range(60)
    ]
    np.save(folder / "v.npy", vectors)
    return {**lines_of(folder, rows), "embeddings": str(folder / "v.npy"), "folder": str(folder)}


for what, text in CELLS.items():
    add(
        f"diagnosis: ids, names, labels and conditions of {what}", "columns", "diagnosis",
        lambda folder, text=text: _made(folder, text), "^(accepted|left out|refused)", max_cpu_s=30, slow=True,
    )  # fmt: skip
