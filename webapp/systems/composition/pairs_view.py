"""The views of your own pairs: the list of captions to edit, the scores of every image with every caption, and maps
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
"""(key, title) of the ways to find what speaks for a word."""


@dataclass(frozen=True, slots=True)
class CaptionRow:
    """One caption of the list."""

    text: str
    kind: str = CAPTION
    """"caption", or what a foil was made by."""
    picture: int | None = None
    """Place of the image that it is true of; None for a foil."""


def examples_view(store: ItemStore, pairs: Sequence[tuple[tuple[int, ...], tuple[str, ...]]]) -> str:
    """Pairs to start from, each a button with its two images."""
    faces = [(shown(store, places), captions[0]) for places, captions in pairs]
    return render("pair_examples.html.j2", pairs=faces)


def form_view(store: ItemStore | None, rows: Sequence[CaptionRow], note: str = "") -> str:
    """The captions as a form: each with its kind, what it is true of, and a button that takes it out."""
    n = 0
    if store is not None:
        n = len(store)
    return render(
        "pair_form.html.j2",
        faces=[] if store is None else shown(store, range(n)),
        rows=[_row(row, n) for row in rows],
        note=note,
    )


def _row(row: CaptionRow, n: int) -> dict[str, Any]:
    return {
        "text": row.text,
        "kind": row.kind,
        "called": row.kind if row.picture is None or row.kind != "your own" else CAPTION,
        "own": row.picture is not None,
        "pictures": [(i, f"of image {i + 1}", row.picture == i) for i in range(max(n, 1))],
    }


def scores_view(store: ItemStore | None, scores: PairScores | None, kinds: Sequence[str] = ()) -> str:
    """Captions in rows, images in columns: cosine and share, what each image picks, how alike caption and foil
    are; without scores, what will stand there."""
    if store is None or scores is None:
        return render("pair_scores.html.j2", scores=None)
    row_of = {store.name(i): i for i in range(len(store))}
    places = [row_of[name] for name in scores.pictures]
    return render(
        "pair_scores.html.j2",
        scores=scores,
        headline=_headline(scores),
        faces=shown(store, places, [f"Image {at + 1}" for at in places], [str(at + 1) for at in places]),
        rows=[_score_row(scores, t, kind) for t, kind in zip(range(len(scores.captions)), kinds)],
        picks=[_pick(scores, i) for i in range(len(scores.pictures))],
        close=CLOSE,
    )


def _headline(scores: PairScores) -> str:
    """How many images pick their own caption."""
    known = np.isfinite(scores.margins)
    if not known.any():
        return f"{scores.encoder}: mark which image each caption is true of, and add a foil, to see right and wrong"
    right = int((scores.margins[known] > 0).sum())
    n = int(known.sum())
    if n == 1:
        return f"{scores.encoder} {'picks the true caption' if right else 'picks a false caption'}"
    return f"{scores.encoder}: {right} of {n} images pick their own caption"


def _score_row(scores: PairScores, t: int, kind: str) -> dict[str, Any]:
    caption = scores.captions[t]
    every = range(len(scores.captions))
    source = caption.foil_of if caption.foil_of is not None else next((i for i in every if i != t), t)
    others = (
        [caption.foil_of]
        if caption.foil_of is not None
        else [i for i, other in enumerate(scores.captions) if i != t and other.pictures]
    )
    return {
        "at": t,
        "text": caption.text,
        "words": changed_words(caption.text, scores.captions[source].text),
        "kind": kind,
        "own": bool(caption.pictures),
        "alike": max((float(scores.text_similarity[i, t]) for i in others), default=None),
        "cells": [
            {
                "true": i in caption.pictures,
                "cosine": number(float(scores.cosines[i, t]), 3),
                "share": percent(float(scores.shares[i, t])),
                "shade": shade(float(scores.cosines[i, t]), scores.cosines),
            }
            for i in range(len(scores.pictures))
        ],
    }


def _pick(scores: PairScores, picture: int) -> PickOutcome:
    """Which caption an image picks, and whether that is right."""
    caption_at = int(scores.picks[picture])
    margin = float(scores.margins[picture])
    if caption_at < 0:
        return outcome(None, "a tie")
    text = f"picks caption {caption_at + 1}"
    if np.isfinite(margin):
        return outcome(margin > 0, text)
    return PickOutcome("", "", text)


def no_words_view() -> str:
    """What stands in the place of the maps."""
    return render("pair_words.html.j2", words=None)


def words_view(picture: Any, words: PatchWords, encoder: Any, at: int, caption: int, *, both: bool) -> str:
    """One map for each word over the image, orange where it speaks for the word and blue where against it.

    Args:
        image: decoded.
        at: its place among the images that were scored; `caption` that of the caption.
        both: offer both ways to find what speaks for a word.
    """
    from core.systems.composition.draw_maps import as_seen, render_map
    from core.systems.composition.word_maps import strongest

    seen = as_seen(picture, encoder)
    top = strongest(words) or None
    maps = [
        _map(
            render_map(seen, values, top),
            word.text,
            signed(score, 3),
            f"{word.text}: the whole image {signed(score, 3)}",
        )
        for word, values, score in zip(words.words, words.maps, words.scores.tolist())
    ]
    if words.whole is not None and float(np.abs(words.whole).max()) > 0:
        maps.append(_map(render_map(seen, words.whole), "the whole caption", "its own scale", "The whole caption"))
    ways = [(key, title, words.method == key) for key, title in WAYS] if both else []
    return render("pair_words.html.j2", words=words, picture=at, caption=caption, maps=maps, ways=ways)


def _map(payload: bytes, name: str, text: str, alt: str) -> dict[str, str]:
    return {"address": data_address(payload), "name": name, "said": text, "alt": alt}
