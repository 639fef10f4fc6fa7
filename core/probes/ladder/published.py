"""The papers' figures for the steps of the ladder, each with where it was read: shown beside one's own, never mixed
with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal

from core.files import ASSETS

FILE = ASSETS / "published_probes.json"

Mark = Literal["repo", "2nd", "mem"]
"""Read in a repository that published it; read in somebody else's table; from memory and not read again."""

_SAID = {"repo": "published with the code", "2nd": "from another's table", "mem": "from memory, check"}

ALIASES = {
    "oxfordpets": "pets",
    "oxfordflowers": "flowers102",
    "flowers": "flowers102",
    "stanfordcars": "cars",
    "fgvcaircraft": "aircraft",
    "describabletextures": "dtd",
    "food": "food101",
    "sun": "sun397",
    "ucf": "ucf101",
    "caltech": "caltech101",
}
"""Data sets by the names of their split files, which people also give to folders."""


@dataclass(frozen=True, slots=True)
class PublishedAccuracy:
    """One figure of a paper."""

    method: str
    """Such as "cocoop" or "tip-adapter-f"."""
    encoder: str
    """Such as "ViT-B-16:openai"."""
    dataset: str
    setting: str
    """ "all classes", "base-to-new", or "trained on imagenet"."""
    shots: int | None
    """A class; None where nothing was learned from labelled images."""
    metric: str
    """ "accuracy", "base", "new" or "h"."""
    value: float
    """Per cent."""
    mark: Mark
    source: str

    @property
    def with_source(self) -> str:
        """The figure with its mark, such as "75.83 (published with the code)"."""
        return f"{self.value:.2f} ({_SAID[self.mark]})"


@cache
def published() -> tuple[PublishedAccuracy, ...]:
    """All figures."""
    return tuple(PublishedAccuracy(**row) for row in json.loads(FILE.read_text("utf-8"))["figures"])


def find(
    method: str,
    encoder: str,
    dataset: str,
    *,
    shots: int | None = None,
    setting: str = "all classes",
    metric: str = "accuracy",
) -> PublishedAccuracy | None:
    """The figure of a method with that encoder on that data set; None where none is known.

    Args:
        encoder: with ":" or "/" before the tag: "ViT-B-16/openai".
        dataset: any spelling; also the names that split files have, such as "OxfordPets".
    """
    wanted = (method, _key(encoder), dataset_key(dataset), shots, setting, metric)
    for figure in published():
        if (
            figure.method,
            _key(figure.encoder),
            dataset_key(figure.dataset),
            figure.shots,
            figure.setting,
            figure.metric,
        ) == wanted:
            return figure
    return None


def means(
    method: str, encoder: str, *, shots: int | None = None, setting: str = "all classes", metric: str = "accuracy"
) -> tuple[PublishedAccuracy, ...]:
    """The method's means over several data sets with that encoder: an orientation where the data set itself has no
    figure."""
    wanted = (method, _key(encoder), shots, setting, metric)
    return tuple(
        f
        for f in published()
        if f.dataset.startswith("mean of") and (f.method, _key(f.encoder), f.shots, f.setting, f.metric) == wanted
    )


def dataset_key(name: str) -> str:
    """A data set's name for comparison: letters and digits alone, without "split_zhou_" and under its usual name."""
    plain = "".join(c for c in name.lower().removeprefix("split_zhou_").removesuffix(".json") if c.isalnum())
    return ALIASES.get(plain, plain)


def _key(encoder: str) -> str:
    return encoder.removeprefix("open_clip:").replace("/", ":").replace("-quickgelu", "").lower()
