"""Your own pairs, a fold of Composition: a few images and captions with foils, scored together, and the evidence
for each word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.records import ItemStore
from core.systems.common.picture_files import Files
from core.systems.composition.own_pairs import MAX_CAPTIONS, MAX_PICTURES, Caption, PairScores, score_pairs
from webapp.markup.components import script, upload
from webapp.state.caches import own_cache
from webapp.state.events import as_int, event_data
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.quotas import STATE_S
from webapp.state.session import shows_errors
from webapp.systems.composition.models import ModelAccess, checked_encoder, encoder_choices
from webapp.systems.composition.pairs_view import (
    CAPTION,
    CaptionRow,
    examples_view,
    form_view,
    no_words_view,
    scores_view,
    words_view,
)
from webapp.systems.composition.render import PRESSES
from webapp.systems.composition.state import FIRST, shipped

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
N_FOILS = 6
"""Most foils to write for a caption."""
EXAMPLES = ("colour", "relation", "size", "count")
"""Kinds of the shipped pairs on offer, one pair each."""
MAX_TEXT_LENGTH = 300
"""Characters of a caption."""


@dataclass(frozen=True, slots=True, eq=False)
class PairsState:
    """A visitor's own images and captions."""

    store: ItemStore | None = None
    rows: tuple[CaptionRow, ...] = (CaptionRow("", picture=0),)
    scores: PairScores | None = None
    note: str = ""


def on_expand(shown: str) -> Any:
    """Open the fold: returns the examples, at the first time."""
    if shown:
        return gr.skip()
    return examples_view(*example_pairs())


def example_pairs() -> tuple[ItemStore, list[tuple[tuple[int, ...], tuple[str, ...]]]]:
    """The store of the shipped scenes, and (rows of images, captions) of its first pair of each kind."""
    loaded = shipped(FIRST)
    pairs: list[tuple[tuple[int, ...], tuple[str, ...]]] = []
    for kind in EXAMPLES:
        item = next((item for item in loaded.benchmark.items if item.tags.get("kind") == kind), None)
        if item is not None:
            pairs.append((item.pictures, item.captions))
    return loaded.store, pairs


def on_files(state: PairsState, files: Sequence[str] | None) -> tuple[Any, ...]:
    """Add or remove images: returns (state, form, result, words)."""
    paths = tuple(Path(file) for file in files or ())
    if len(paths) > MAX_PICTURES:
        raise InvalidInput(
            f"Use at most {MAX_PICTURES} images: got {len(paths)}. Remove some, or make a benchmark of them."
        )
    n = max(len(paths), 1)
    rows = list[CaptionRow]()
    for row in state.rows:
        if (row.picture or 0) >= n:
            row = replace(row, picture=None)
        rows.append(row)
    store = None
    if paths:
        store = Files(paths, uploaded=True)
    changed = PairsState(store, tuple(rows))
    return changed, form_view(changed.store, changed.rows), scores_view(None, None), ""


def on_example(encoder: str, access: ModelAccess, event: gr.EventData) -> tuple[Any, ...]:
    """Score a shipped pair: returns (state, form, result, words)."""
    store, pairs = example_pairs()
    at = as_int(event_data(event).get("at"))
    if not 0 <= at < len(pairs):
        raise InvalidInput("That example does not exist. Choose one of the images.")
    places, captions = pairs[at]
    rows = tuple(CaptionRow(text, picture=i) for i, text in enumerate(captions))
    return scored(PairsState(store.keep(np.array(places)), rows), encoder, access)


def on_edit(state: PairsState, event: gr.EventData) -> tuple[Any, Any]:
    """Write foils, or add or remove a caption: returns (state, form)."""
    data = event_data(event)
    rows = read_rows(data, state)
    do = data.get("do")
    note = ""
    if do == "foils":
        rows, note = with_foils(rows)
    elif do == "add":
        if len(rows) >= MAX_CAPTIONS:
            raise InvalidInput(f"Use at most {MAX_CAPTIONS} captions. Remove one first.")
        rows = (*rows, CaptionRow("", "your own"))
    elif do == "remove":
        at = as_int(data.get("at"))
        rows = tuple(row for i, row in enumerate(rows) if i != at) or (CaptionRow("", picture=0),)
    changed = replace(state, rows=rows, note=note)
    return changed, form_view(changed.store, changed.rows, note)


def on_score(state: PairsState, encoder: str, access: ModelAccess, event: gr.EventData) -> tuple[Any, ...]:
    """Score the form, with foils written for a single caption: returns (state, form, result, words)."""
    rows = read_rows(event_data(event), state)
    note = ""
    if state.store is None:
        raise InvalidInput("Choose an image first, or one of the examples.")
    if len([row for row in rows if row.text]) < 2:
        rows, note = with_foils(rows)
    return scored(replace(state, rows=rows, note=note), encoder, access)


def scored(state: PairsState, encoder: str, access: ModelAccess) -> tuple[Any, ...]:
    """(state, form, result, words) with every image scored against every caption."""
    from core.encoders import load_encoder

    assert state.store is not None
    rows = tuple(row for row in state.rows if row.text)
    captions = list[Caption]()
    for i, row in enumerate(rows):
        pictures = ()
        if row.picture is not None:
            pictures = (row.picture,)
        captions.append(Caption(row.text, pictures, _source(rows, i)))
    scores = score_pairs(state.store, captions, load_encoder(checked_encoder(encoder, access)), cache=own_cache())
    changed = replace(state, rows=rows, scores=scores)
    return (
        changed,
        form_view(changed.store, rows, changed.note),
        scores_view(state.store, scores, [row.kind for row in rows]),
        no_words_view(),
    )


def on_cell(state: PairsState, encoder: str, access: ModelAccess, event: gr.EventData) -> Any:
    """Explain a score: returns a map of that image for each word of that caption."""
    from core.data.images.decoding import decode
    from core.data.modality import Unreadable
    from core.encoders import load_encoder
    from core.encoders.tokens import tower_of
    from core.systems.composition.word_maps import offers_patches, read_occlusion, read_patches

    data = event_data(event)
    scores = state.scores
    store = state.store
    if data.get("do") != "cell" or scores is None or store is None:
        return gr.skip()
    picture = as_int(data.get("picture"))
    caption = as_int(data.get("caption"))
    if not (0 <= picture < len(scores.pictures) and 0 <= caption < len(scores.captions)):
        raise InvalidInput("That score no longer exists. Score the images again.")
    model = load_encoder(checked_encoder(encoder, access))
    text = scores.captions[caption].text
    at = next(i for i in range(len(store)) if store.name(i) == scores.pictures[picture])
    try:
        image = decode(store.read(at)).image
    except Unreadable as error:
        raise InvalidInput(f"{store.name(at)[:60]} {error}") from error
    tower: Any = None
    if hasattr(model, "token_tower"):
        tower = tower_of(model)
    has_patches = tower is not None and offers_patches(tower)
    if tower is not None and has_patches and data.get("method") == "patches":
        maps = read_patches(image, text, model, tower)
    else:
        maps = read_occlusion(image, text, model)
    return words_view(image, maps, model, picture, caption, both=has_patches)


def read_rows(data: Mapping[str, Any], state: PairsState) -> tuple[CaptionRow, ...]:
    """The captions of the form. They come from the browser and may hold anything."""
    rows = data.get("rows")
    n = 1
    if state.store is not None:
        n = len(state.store)
    if not isinstance(rows, list) or len(rows) > MAX_CAPTIONS:
        raise InvalidInput(f"Use at most {MAX_CAPTIONS} captions. Remove some.")
    captions: list[CaptionRow] = []
    for row in rows:
        if isinstance(row, dict):
            of = str(row.get("of", ""))
            picture = None
            if of.isdecimal() and int(of) < n:
                picture = int(of)
            text = " ".join(str(row.get("text", "")).split())[:MAX_TEXT_LENGTH]
            captions.append(CaptionRow(text, str(row.get("kind", CAPTION))[:30], picture))
    return tuple(captions)


def with_foils(rows: tuple[CaptionRow, ...]) -> tuple[tuple[CaptionRow, ...], str]:
    """The list with foils of its true captions, and notes on captions without any.

    Raises:
        InvalidInput: no caption describes an image.
    """
    from core.systems.composition.foils.make import make_foils

    true = [row for row in rows if row.text and row.picture is not None]
    if not true:
        raise InvalidInput("First write a caption of an image, for example “a red cube and a blue ball”.")
    listed = [row for row in rows if row.text]
    notes = list[str]()
    for caption in true:
        foils = make_foils(caption.text)
        taken = {row.text.casefold() for row in listed}
        new = [CaptionRow(foil.text, foil.kind) for foil in foils.foils if foil.text.casefold() not in taken]
        listed += new[: min(N_FOILS, MAX_CAPTIONS - len(listed))]
        notes.append(foils.note)
    return tuple(listed), " ".join(dict.fromkeys(filter(None, notes)))


def _source(rows: Sequence[CaptionRow], at: int) -> int | None:
    """Index of the true caption most similar to a foil, word by word; None for a true caption, or without any."""
    true = [i for i, row in enumerate(rows) if row.picture is not None]
    if rows[at].picture is not None or not true:
        return None
    foil = rows[at].text.split()
    return max(true, key=lambda i: difflib.SequenceMatcher(None, rows[i].text.split(), foil, autojunk=False).ratio())


def build(fold: gr.Accordion, access: ModelAccess) -> None:
    """Lay out the part and wire its callbacks."""
    state = gr.State(PairsState(), time_to_live=STATE_S)
    presses = script(PRESSES)
    with gr.Row(elem_classes="probe-row"):
        with gr.Column(scale=42, min_width=300, elem_classes="compose-form"):
            gr.HTML("<h2>1. Images</h2>", **PLAIN)
            files = upload("One or two images (up to 12)", PICTURES, "pairs-files", 110, file_count="multiple")
            examples = gr.HTML("", js_on_load=presses, elem_id="pairs-examples", **PLAIN)
            gr.HTML("<h2>2. Captions</h2>", **PLAIN)
            form = gr.HTML(form_view(None, PairsState().rows), js_on_load=presses, elem_id="pairs-form", **PLAIN)
            encoder = gr.Dropdown(
                encoder_choices(access),
                value="embedded",
                label="Encoder",
                elem_id="pairs-encoder",
                allow_custom_value=access.is_local,
            )
        with gr.Column(scale=58, min_width=320):
            scripts = script("pane", PRESSES)
            result = gr.HTML(scores_view(None, None), js_on_load=scripts, elem_id="pairs-result", **PLAIN)
            words = gr.HTML("", js_on_load=scripts, elem_id="pairs-words", **PLAIN)

    def example(encoder: str, event: gr.EventData) -> tuple[Any, ...]:
        return on_example(encoder, access, event)

    def score(state: PairsState, encoder: str, event: gr.EventData) -> tuple[Any, ...]:
        return on_score(state, encoder, access, event)

    def cell(state: PairsState, encoder: str, event: gr.EventData) -> Any:
        return on_cell(state, encoder, access, event)

    shown: dict[str, Any] = {**LIGHT, **PRIVATE, "show_progress": "minimal"}
    opened = [state, form, result, words]
    fold.expand(shows_errors(on_expand), [examples], [examples], **PRIVATE)
    files.change(shows_errors(on_files), [state, files], opened, **QUICK)
    examples.pick(shows_errors(example), [encoder], opened, show_progress_on=[result], **shown)
    form.edit(shows_errors(on_edit), [state], [state, form], **QUICK)
    form.score(shows_errors(score), [state, encoder], opened, show_progress_on=[result], **shown)
    for pressed in (result, words):
        seen = pressed.act(shows_errors(cell), [state, encoder], [words], **shown)
        seen.success(None, None, None, js=TO_WORDS, **PRIVATE)


TO_WORDS = "() => { document.querySelector('#pairs-words h3')?.scrollIntoView({ block: 'nearest' }); return []; }"
