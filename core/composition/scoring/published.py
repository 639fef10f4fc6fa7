"""The papers' figures for composition, each with where it was read: shown beside one's own, never mixed with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal

from core.files import ASSETS
from core.records import Benchmark

FILE = ASSETS / "published_composition.json"

COLA_ITEMS = 210
"""Of Cola's own multi-object file."""

Mark = Literal["paper", "repo", "2nd", "mem"]
"""Read in the paper; read in a repository that published it; read in somebody else's table; from memory and not read
again."""

_SAID = {
    "paper": "read in the paper",
    "repo": "published with the code",
    "2nd": "from another's table",
    "mem": "from memory, check",
}


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """One figure of a paper."""

    model: str
    """Such as "CLIP ViT-B/32 + MM-Adapter", or "people"."""
    encoder: str
    """Such as "ViT-B-32:openai"; "" where it is none that can be loaded by name."""
    benchmark: str
    """`Benchmark.name`."""
    part: str
    """A kind or file of the benchmark, such as "swap_obj" or "GQA"; "" for its headline over all of them."""
    metric: str
    """`Metric.key`."""
    value: float
    """Per cent, as printed."""
    mark: Mark
    source: str

    @property
    def with_source(self) -> str:
        """The figure with its mark, such as "21.42 (read in the paper)"."""
        return f"{self.value:.2f} ({_SAID[self.mark]})"

    @property
    def sentence(self) -> str:
        """Model, what was measured, figure, mark and source, such as "CLIP ViT-B/32, image: 21.42 (read in the paper),
        Ray et al. 2023"."""
        measured = f"{self.metric}, {self.part}" if self.part else self.metric
        return f"{self.model}, {measured}: {self.with_source}, {self.source}"


@cache
def published() -> tuple[PublishedScore, ...]:
    """All figures."""
    return tuple(PublishedScore(**row) for row in json.loads(FILE.read_text("utf-8"))["figures"])


def find(benchmark: str, metric: str, *, encoder: str = "", model: str = "", part: str = "") -> PublishedScore | None:
    """The figure of a model, by its loadable name or by the paper's; None where none is known."""
    for figure in published():
        named = (
            encoder
            and _key(figure.encoder) == _key(encoder)
            and "+" not in figure.model
            and "tuned" not in figure.model
        ) or (model and figure.model == model)
        if named and (figure.benchmark, figure.metric, figure.part) == (benchmark, metric, part):
            return figure
    return None


def figures_for(benchmark: Benchmark) -> tuple[PublishedScore, ...]:
    """The figures that a result on this benchmark can be held against.

    A mean over kinds can only be held against one over the same kinds: where some are missing, it is the figures of
    those that are there.
    """
    own = [f for f in published() if f.benchmark == benchmark.name]
    if benchmark.name == "cola" and len(benchmark.items) + len(benchmark.excluded) != COLA_ITEMS:
        return ()  # other pairs in Cola's form
    if benchmark.average:
        mine, theirs = (
            {item.tags.get(benchmark.average, "") for item in benchmark.items},
            {f.part for f in own if f.part},
        )
        return tuple(f for f in own if (f.part in mine if theirs and mine != theirs else not f.part))
    return tuple(f for f in own if not f.part or f"({f.part})" in benchmark.title)


def _key(encoder: str) -> str:
    return encoder.removeprefix("open_clip:").replace("/", ":").replace("-quickgelu", "").lower()
