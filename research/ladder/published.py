"""The papers' figures for the steps of the ladder, each with where it was read: shown beside one's own, never mixed
with them."""

from __future__ import annotations

from pathlib import Path

from core.systems.common.published import PublishedFigure, encoder_key, published_figures

FIGURES = Path(__file__).with_name("published.json")
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


def find(
    method: str,
    encoder: str,
    dataset: str,
    *,
    shots: int | None = None,
    setting: str = "all classes",
    metric: str = "accuracy",
) -> PublishedFigure | None:
    """The figure of a method with that encoder on that data set; None where none is known.

    Args:
        encoder: with ":" or "/" before the tag: "ViT-B-16/openai".
        dataset: any spelling; also the names that split files have, such as "OxfordPets".
    """
    wanted = dataset_key(dataset)
    own = _figures(method, encoder, shots, setting, metric)
    return next((figure for figure in own if dataset_key(figure.data) == wanted), None)


def means(
    method: str, encoder: str, *, shots: int | None = None, setting: str = "all classes", metric: str = "accuracy"
) -> tuple[PublishedFigure, ...]:
    """The method's means over several data sets with that encoder: an orientation where the data set itself has no
    figure."""
    own = _figures(method, encoder, shots, setting, metric)
    return tuple(figure for figure in own if figure.data.startswith("mean of"))


def _figures(method: str, encoder: str, shots: int | None, setting: str, metric: str) -> list[PublishedFigure]:
    wanted = (method, encoder_key(encoder), shots, setting, metric)
    return [
        f
        for f in published_figures(FIGURES)
        if (f.model, encoder_key(f.encoder), f.shots, f.setting, f.metric) == wanted
    ]


def dataset_key(name: str) -> str:
    """A data set's name for comparison: letters and digits alone, without "split_zhou_" and under its usual name."""
    plain = "".join(c for c in name.lower().removeprefix("split_zhou_").removesuffix(".json") if c.isalnum())
    return ALIASES.get(plain, plain)
