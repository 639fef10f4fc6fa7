"""Figures from papers with their sources, shown beside this machine's figures and never mixed with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.documents import read_json

Mark = Literal["paper", "repo", "2nd", "mem"]
"""Origin of a figure: the paper, the repository of its code, another paper's table, or memory without a check."""

_ORIGINS: dict[Mark, str] = {
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
    """Such as "ViT-B-16:openai"; "" if it cannot be loaded by name."""
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
    """Labeled images per class; None for methods that learn from none."""
    protocol: str = ""
    """Conditions of the measurement; "" if the source does not state them."""
    tuned: bool = False
    """Whether the method chose a setting on further labeled images."""

    @property
    def with_source(self) -> str:
        """The figure with its mark, such as "75.83 (published with the code)"."""
        return f"{self.value:.2f} ({_ORIGINS[self.mark]})"

    @property
    def with_full_source(self) -> str:
        """The figure with its mark and source, such as "75.83 (published with the code: README of ...)"."""
        return f"{self.value:.2f} ({_ORIGINS[self.mark]}: {self.source})"

    @property
    def sentence(self) -> str:
        """Model, metric, figure, mark and source, such as "CLIP ViT-B/32, image: 21.42 (read in the paper), Ray et al.
        2023"."""
        metric = ", ".join(filter(None, (self.metric, self.part)))
        return f"{self.model}, {metric}: {self.with_source}, {self.source}"


@cache
def published_figures(path: Path) -> tuple[PublishedFigure, ...]:
    """All figures of a JSON file. A figure without a protocol takes that of its model and setting."""
    document = read_json(path)
    protocols = {(row.pop("model"), row.pop("setting")): row for row in document.get("protocols", ())}
    figures = list[PublishedFigure]()
    for row in document["figures"]:
        defaults = protocols.get((row["model"], row.get("setting", "")), {})
        figures.append(PublishedFigure(**defaults | row))
    return tuple(figures)


def encoder_key(encoder: str) -> str:
    """An encoder's name for comparison, with ":" before the tag: "open_clip:ViT-B-16/openai" is "vit-b-16:openai"."""
    return encoder.removeprefix("open_clip:").replace("/", ":").replace("-quickgelu", "").lower()
