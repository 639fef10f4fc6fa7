"""Folders of examples as Neuralizer's authors released them: target_in.png, ctx_in0.png, ctx_out0.png, ctx_in1.png, ...

Source: github.com/SteffenCzolbe/neuralizer, commit 9342528, whose reader stops at the first number that is missing too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.modality import Unreadable
from core.data.scans.volume import read_scan
from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain
from core.records import F32

MOST = 32
"""Pairs that are read."""


@dataclass(frozen=True, slots=True, eq=False)
class ScanPairs:
    """Examples of what is wanted, all of one size and from 0 to 1."""

    before: F32
    """(L, h, w)."""
    after: F32
    """(L, h, w), an image or a mask."""

    def __len__(self) -> int:
        return len(self.before)

    def keep(self, rows: Sequence[int]) -> ScanPairs:
        return ScanPairs(self.before[list(rows)], self.after[list(rows)])


def read_pairs(folder: Path) -> tuple[F32 | None, ScanPairs, tuple[str, ...]]:
    """The target (h, w), if there is one, the pairs, and notes on files that were passed over.

    Raises:
        InvalidInput: there is no pair, one half of a pair is missing, a file is no image, or sizes differ.
    """
    numbers = [k for k in range(MOST) if (folder / f"ctx_in{k}.png").is_file()]
    n = next((k for k in range(MOST) if k not in numbers), MOST)
    if n == 0:
        raise InvalidInput(
            f"{folder.name} holds no pair: there is no ctx_in0.png. Name the examples ctx_in0.png and ctx_out0.png, "
            "ctx_in1.png and ctx_out1.png, and so on."
        )
    before = [_picture(folder / f"ctx_in{k}.png") for k in range(n)]
    after = [_picture(folder / f"ctx_out{k}.png") for k in range(n)]
    target = _picture(folder / "target_in.png") if (folder / "target_in.png").is_file() else None
    for name, one in [*_named("ctx_in", before), *_named("ctx_out", after), *_named("target_in", [target])]:
        if one is not None and one.shape != before[0].shape:
            raise InvalidInput(
                f"{folder.name}: {name} is {one.shape[1]} x {one.shape[0]} pixels and ctx_in0 is "
                f"{before[0].shape[1]} x {before[0].shape[0]}. Give all pictures of a folder one size."
            )
    over = [k for k in numbers if k > n]
    notes = (
        (f"Reading stopped at ctx_in{n}.png, which is missing: {len(over)} later ones were not read.",) if over else ()
    )
    return target, ScanPairs(np.stack(before), np.stack(after)), notes


def _named(kind: str, pictures: Sequence[F32 | None]) -> list[tuple[str, F32 | None]]:
    return [(f"{kind}{k}" if len(pictures) > 1 else kind, one) for k, one in enumerate(pictures)]


def _picture(path: Path) -> F32:
    """(h, w) from 0 to 1, as 8 bits say it."""
    if not path.is_file():
        raise InvalidInput(f"{path.parent.name} has no {path.name}, the other half of a pair. Add it.")
    try:
        with open_plain(path, Limits().max_file_bytes) as file:
            scan = read_scan(file.read())
    except Unreadable as error:
        raise InvalidInput(f"{path.name} in {path.parent.name} {error}") from error
    return scan.plane(0) / np.float32(255)
