"""The views of a visitor's pairs: the list of captions to edit, the scores of every image with every caption, and maps
of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.numbers import number, percent, signed
from core.records import ItemStore
from core.systems.composition.own_pairs import CLOSE, PairScores
from core.systems.composition.reports.item_cards import PickOutcome, changed_words, outcome, shade
from webapp.systems.composition.markup import data_address, shown
from webapp.systems.composition.render import render

if TYPE_CHECKING:
    from core.systems.composition.word_maps import PatchWords

CAPTION = "caption"
WAYS = (("occlusion", "Cover one cell at a time"), ("patches", "Each patch by itself"))
"""(key, title) of the methods that find the evidence for a word."""


@dataclass(frozen=True, slots=True)
class CaptionRow:
    """A caption of the list."""

    text: str
    kind: str = CAPTION
    """"caption", or the rule that wrote a foil."""
    picture: int | None = None
    """Index of the image that the caption describes; None for a foil."""


def examples_view(store: ItemStore, pairs: Sequence[tuple[tuple[int, ...], tuple[str, ...]]]) -> str:
    """Shipped pairs, each a button with its two images."""
    faces = [(shown(store, rows), captions[0]) for rows, captions in pairs]
    return render("pair_examples.html.j2", pairs=faces)


def form_view(store: ItemStore | None, rows: Sequence[CaptionRow], note: str = "") -> str:
    """The captions as a form: each with its kind, its image, and a button to remove it."""
    n = 0
    faces = []
    if store is not None:
        n = len(store)
        faces = shown(store, range(n))
    return render("pair_form.html.j2", faces=faces, rows=[_row(row, n) for row in rows], note=note)


def _row(row: CaptionRow, n: int) -> dict[str, Any]:
    called = row.kind
    if row.picture is not None and row.kind == "your own":
        called = CAPTION
    return {
        "text": row.text,
        "kind": row.kind,
        "called": called,
        "own": row.picture is not None,
        "pictures": [(i, f"of image {i + 1}", row.picture == i) for i in range(max(n, 1))],
    }


def scores_view(store: ItemStore | None, scores: PairScores | None, kinds: Sequence[str] = ()) -> str:
    """Captions in rows, images in columns: cosine and share, each image's pick, and the similarity of caption and foil;
    an empty state without scores."""
    if store is None or scores is None:
        return render("pair_scores.html.j2", scores=None)
    row_of = {store.name(i): i for i in range(len(store))}
    rows = [row_of[name] for name in scores.pictures]
    return render(
        "pair_scores.html.j2",
        scores=scores,
        headline=_headline(scores),
        faces=shown(store, rows, [f"Image {row + 1}" for row in rows], [str(row + 1) for row in rows]),
        rows=[_score_row(scores, t, kind) for t, kind in zip(range(len(scores.captions)), kinds)],
        picks=[_pick(scores, i) for i in range(len(scores.pictures))],
        close=CLOSE,
    )


def _headline(scores: PairScores) -> str:
    """The number of images that pick their own caption."""
    known = np.isfinite(scores.margins)
    if not known.any():
        return f"{scores.encoder}: mark which image each caption is true of, and add a foil, to see right and wrong"
    right = int((scores.margins[known] > 0).sum())
    n = int(known.sum())
    if n == 1 and right:
        return f"{scores.encoder} picks the true caption"
    if n == 1:
        return f"{scores.encoder} picks a false caption"
    return f"{scores.encoder}: {right} of {n} images pick their own caption"


def _score_row(scores: PairScores, t: int, kind: str) -> dict[str, Any]:
    caption = scores.captions[t]
    if caption.foil_of is not None:
        source = caption.foil_of
        others = [caption.foil_of]
    else:
        source = next((i for i in range(len(scores.captions)) if i != t), t)
        others = [i for i, candidate in enumerate(scores.captions) if i != t and candidate.pictures]
    cells = list[dict[str, Any]]()
    for i in range(len(scores.pictures)):
        cosine = float(scores.cosines[i, t])
        cell = {
            "true": i in caption.pictures,
            "cosine": number(cosine, 3),
            "share": percent(float(scores.shares[i, t])),
            "shade": shade(cosine, scores.cosines),
        }
        cells.append(cell)
    return {
        "at": t,
        "text": caption.text,
        "words": changed_words(caption.text, scores.captions[source].text),
        "kind": kind,
        "own": bool(caption.pictures),
        "alike": max((float(scores.text_similarity[i, t]) for i in others), default=None),
        "cells": cells,
    }


def _pick(scores: PairScores, picture: int) -> PickOutcome:
    """The caption that an image picks, and whether it is right."""
    caption_at = int(scores.picks[picture])
    margin = float(scores.margins[picture])
    if caption_at < 0:
        return outcome(None, "a tie")
    text = f"picks caption {caption_at + 1}"
    if np.isfinite(margin):
        return outcome(margin > 0, text)
    return PickOutcome("", "", text)


def no_words_view() -> str:
    """The empty state of the maps."""
    return render("pair_words.html.j2", words=None)


def words_view(picture: Any, words: PatchWords, encoder: Any, at: int, caption: int, *, both: bool) -> str:
    """A map for each word over the image, orange where it supports the word and blue where it contradicts it.

    Args:
        picture: decoded image.
        at: its index among the scored images.
        caption: index of the caption.
        both: offer both methods.
    """
    from core.systems.composition.draw_maps import as_seen, render_map
    from core.systems.composition.word_maps import strongest

    seen = as_seen(picture, encoder)
    top = strongest(words) or None
    maps = list[dict[str, str]]()
    for word, values, score in zip(words.words, words.maps, words.scores.tolist()):
        text = signed(score, 3)
        maps.append(_map(render_map(seen, values, top), word.text, text, f"{word.text}: the whole image {text}"))
    if words.whole is not None and float(np.abs(words.whole).max()) > 0:
        maps.append(_map(render_map(seen, words.whole), "the whole caption", "its own scale", "The whole caption"))
    ways = list[tuple[str, str, bool]]()
    if both:
        ways = [(key, title, words.method == key) for key, title in WAYS]
    return render("pair_words.html.j2", words=words, picture=at, caption=caption, maps=maps, ways=ways)


def _map(payload: bytes, name: str, text: str, alt: str) -> dict[str, str]:
    return {"address": data_address(payload), "name": name, "said": text, "alt": alt}
