"""The papers' figures, each with where it was read: shown beside one's own, never mixed with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.documents import read_json

Mark = Literal["paper", "repo", "2nd", "mem"]
"""Read in the paper; read in a repository that published it; read in somebody else's table; from memory and not read
again."""

_WHERE: dict[Mark, str] = {
    "paper": "read in the paper",
    "repo": "published with the code",
    "2nd": "from another's table",
    "mem": "from memory, check",
}


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """One figure of a paper."""

    model: str
    """A method such as "cocoop" or "tip-adapter-f"; a model such as "CLIP ViT-B/32 + MM-Adapter"; or "people"."""
    encoder: str
    """Such as "ViT-B-16:openai"; "" where it is none that can be loaded by name."""
    data: str
    """Name of a data set, or `Benchmark.name`."""
    metric: str
    """Such as "accuracy", "base", "new" or "h"; or `Metric.key`."""
    value: float
    """Per cent, as printed."""
    mark: Mark
    source: str
    part: str = ""
    """A kind or file of a benchmark, such as "swap_obj" or "GQA"; "" for its headline over all of them."""
    setting: str = ""
    """Of a method: "all classes", "base-to-new", or "trained on imagenet"."""
    shots: int | None = None
    """A class; None where nothing was learned from labeled images."""
    protocol: str = ""
    """How it came about, as far as is known; "" where nothing is said of that."""
    tuned: bool = False
    """Whether a setting was chosen on labeled images beside the shots."""

    @property
    def with_source(self) -> str:
        """The figure with its mark, such as "75.83 (published with the code)"."""
        return f"{self.value:.2f} ({_WHERE[self.mark]})"

    @property
    def with_place(self) -> str:
        """The figure with its mark and source, such as "75.83 (published with the code: README of ...)"."""
        return f"{self.value:.2f} ({_WHERE[self.mark]}: {self.source})"

    @property
    def sentence(self) -> str:
        """Model, what was measured, figure, mark and source, such as "CLIP ViT-B/32, image: 21.42 (read in the paper),
        Ray et al. 2023"."""
        measured = f"{self.metric}, {self.part}" if self.part else self.metric
        return f"{self.model}, {measured}: {self.with_source}, {self.source}"


@cache
def published_figures(path: Path) -> tuple[PublishedFigure, ...]:
    """All figures of a JSON file, each with its own protocol or that of its model and setting."""
    found = read_json(path)
    protocols = {(one.pop("model"), one.pop("setting")): one for one in found.get("protocols", ())}
    return tuple(
        PublishedFigure(**protocols.get((row["model"], row.get("setting", "")), {}) | row) for row in found["figures"]
    )


def encoder_key(encoder: str) -> str:
    """An encoder's name for comparison, with ":" before the tag: "open_clip:ViT-B-16/openai" is "vit-b-16:openai"."""
    return encoder.removeprefix("open_clip:").replace("/", ":").replace("-quickgelu", "").lower()
