"""Lines of a scoreboard, as a run writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def board_line(method: str, seed: int, best: Sequence[float], **more: Any) -> dict[str, Any]:
    """One run with this precision for each planted slice, of the one slice that it lists."""
    measures = {f"best_{m}": list(best) for m in ("p10", "p25", "ap")}
    measures |= {f"first_{m}": best[0] for m in ("p10", "p25", "ap")}
    measures |= {f"places_{m}": [[value] for value in best] for m in ("p10", "ap")}
    where = {"tier": "embeddings", "kind": "rare", "seed": seed, "method": method, "reads": "embedding"}
    return where | {"cpu_seconds": 1.0, "peak_mb": None} | measures | more
