"""Your own pairs, a part of the tab Compose: a few pictures and captions with foils, scored together, and what speaks
for which word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.composition.own_pairs import MAX_CAPTIONS, MAX_PICTURES, Caption, PairScores, score_pairs
from core.data.images.files import Uploads
from core.errors import InvalidInput
from core.records import I64, ItemStore
from webapp.compose.models import ModelAccess, checked_encoder, encoder_choices
from webapp.compose.pairs_view import (
    CAPTION,
    CELL,
    EMPTY,
    CaptionRow,
    examples_view,
    form_view,
    scores_view,
    words_view,
)
from webapp.compose.state import FIRST, shipped
from webapp.failure_map import SCRIPTS
from webapp.state.session import as_int, event_data, shows_errors

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


MADE = 6


"""Foils that are made of a caption at first."""


EXAMPLES = ("colour", "relation", "size", "count")


"""Kinds of the shipped pairs that are offered, one each."""


MAX_TEXT_LENGTH = 300


"""Characters of a caption that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class PairsState:
    """A visitor's own pictures and captions."""

    store: ItemStore | None = None
    rows: tuple[CaptionRow, ...] = (CaptionRow("", picture=0),)
    scores: PairScores | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Some pictures of a store, under their own numbers: what `keep` gives for any store."""

    base: ItemStore
    places: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.places)

    def name(self, index: int) -> str:
        return self.base.name(self.places[index])

    def read(self, index: int) -> bytes:
        return self.base.read(self.places[index])

    def keep(self, rows: I64) -> Picked:
        return Picked(self.base, tuple(self.places[int(row)] for row in rows))


def on_part(shown: str, event: gr.EventData) -> Any:
    """The part is opened for the first time: returns the examples."""
    if shown or event_data(event).get("part") != "pairs":
        return gr.skip()
    return examples_view(*example_pairs())


def example_pairs() -> tuple[ItemStore, list[tuple[tuple[int, ...], tuple[str, ...]]]]:
    """The store of the shipped scenes, and (places of pictures, captions) of a few pairs of it."""
    found = shipped(FIRST)
    items = [next((item for item in found.benchmark.items if item.tags.get("kind") == kind), None) for kind in EXAMPLES]
    return found.store, [(item.pictures, item.captions) for item in items if item is not None]


def on_files(pairing: PairsState, files: Sequence[str] | None) -> tuple[Any, ...]:
    """Pictures were brought or taken away: returns (pairing, form, result, words)."""
    paths = tuple(Path(file) for file in files or ())
    if len(paths) > MAX_PICTURES:
        raise InvalidInput(
            f"At most {MAX_PICTURES} pictures can be looked at together: got {len(paths)}. "
            "Take some away, or make a benchmark of them."
        )
    kept = tuple(
        replace(row, picture=None if row.picture is not None and row.picture >= max(len(paths), 1) else row.picture)
        for row in pairing.rows
    )
    made = PairsState(Uploads(paths) if paths else None, kept)
    return made, form_view(made.store, made.rows), EMPTY, ""


def on_example(encoder: str, house: ModelAccess, event: gr.EventData) -> tuple[Any, ...]:
    """A shipped pair was pressed: returns (pairing, form, result, words), scored at once."""
    store, pairs = example_pairs()
    at = as_int(event_data(event).get("at"))
    if not 0 <= at < len(pairs):
        raise InvalidInput("There is no such example. Press one of the pictures.")
    places, captions = pairs[at]
    rows = tuple(CaptionRow(text, picture=i) for i, text in enumerate(captions))
    return scored(PairsState(Picked(store, places), rows), encoder, house)


def on_edit(pairing: PairsState, event: gr.EventData) -> tuple[Any, Any]:
    """Foils are made, or a caption is added or taken out: returns (pairing, form)."""
    said = event_data(event)
    rows, do = read_rows(said, pairing), said.get("do")
    note = ""
    if do == "foils":
        rows, note = with_foils(rows)
    elif do == "add":
        _room(len(rows))
        rows = (*rows, CaptionRow("", "your own"))
    elif do == "remove":
        at = as_int(said.get("at"))
        rows = tuple(row for i, row in enumerate(rows) if i != at) or (CaptionRow("", picture=0),)
    made = replace(pairing, rows=rows, note=note)
    return made, form_view(made.store, made.rows, note)


def on_score(pairing: PairsState, encoder: str, house: ModelAccess, event: gr.EventData) -> tuple[Any, ...]:
    """Score what stands in the form, after foils were made where there are none: returns (pairing, form, result,
    words)."""
    rows, note = read_rows(event_data(event), pairing), ""
    if pairing.store is None:
        raise InvalidInput("Bring a picture first, or press one of the examples.")
    if len([row for row in rows if row.text]) < 2:
        rows, note = with_foils(rows)
    return scored(replace(pairing, rows=rows, note=note), encoder, house)


def scored(pairing: PairsState, encoder: str, house: ModelAccess) -> tuple[Any, ...]:
    """(pairing, form, result, words) with every picture scored against every caption."""
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder

    assert pairing.store is not None
    rows = tuple(row for row in pairing.rows if row.text)
    captions = [
        Caption(row.text, () if row.picture is None else (row.picture,), _source(rows, i)) for i, row in enumerate(rows)
    ]
    found = score_pairs(pairing.store, captions, load_encoder(checked_encoder(encoder, house)), cache=default_cache())
    made = replace(pairing, rows=rows, scores=found)
    return (
        made,
        form_view(made.store, rows, made.note),
        scores_view(pairing.store, found, [row.kind for row in rows]),
        CELL,
    )


def on_cell(pairing: PairsState, encoder: str, house: ModelAccess, event: gr.EventData) -> Any:
    """A score was pressed: returns which parts of that picture speak for which word of that caption."""
    from core.composition.word_maps import offers_patches, read_occlusion, read_patches
    from core.data.images.decoding import Unreadable, decode
    from core.encoders import load_encoder
    from core.training.adapted import tower_of  # torch

    said, scores, store = event_data(event), pairing.scores, pairing.store
    if said.get("do") != "cell" or scores is None or store is None:
        return gr.skip()
    picture, caption = as_int(said.get("picture")), as_int(said.get("caption"))
    if not (0 <= picture < len(scores.pictures) and 0 <= caption < len(scores.captions)):
        raise InvalidInput("There is no such score any more. Score the pictures again.")
    model, text = load_encoder(checked_encoder(encoder, house)), scores.captions[caption].text
    at = next(i for i in range(len(store)) if store.name(i) == scores.pictures[picture])
    try:
        image = decode(store.read(at)).image
    except Unreadable as error:
        raise InvalidInput(f"{store.name(at)[:60]} {error}") from error
    tower = tower_of(model) if hasattr(model, "token_tower") else None
    patches = said.get("method") == "patches" and tower is not None and offers_patches(tower)
    found = (
        read_patches(image, text, model, tower) if patches and tower is not None else read_occlusion(image, text, model)
    )
    return words_view(image, found, model, picture, caption, both=tower is not None and offers_patches(tower))


def read_rows(said: Mapping[str, Any], pairing: PairsState) -> tuple[CaptionRow, ...]:
    """The captions as they stand in the form: they come from the browser, so nothing about them is trusted."""
    rows, n = said.get("rows"), len(pairing.store) if pairing.store is not None else 1
    if not isinstance(rows, list) or len(rows) > MAX_CAPTIONS:
        raise InvalidInput(f"There may be at most {MAX_CAPTIONS} captions. Take some out.")
    found: list[CaptionRow] = []
    for row in rows:
        if isinstance(row, dict):
            of = str(row.get("of", ""))
            picture = int(of) if of.isdecimal() and int(of) < n else None
            found.append(
                CaptionRow(
                    " ".join(str(row.get("text", "")).split())[:MAX_TEXT_LENGTH],
                    str(row.get("kind", CAPTION))[:30],
                    picture,
                )
            )
    return tuple(found)


def with_foils(rows: tuple[CaptionRow, ...]) -> tuple[tuple[CaptionRow, ...], str]:
    """The list with foils of its true captions, and what to say where none can be made.

    Raises:
        InvalidInput: no caption is true of a picture.
    """
    from core.composition.foils.make import make_foils

    true = [row for row in rows if row.text and row.picture is not None]
    if not true:
        raise InvalidInput("Write a caption that is true of a picture first, such as “a red cube and a blue ball”.")
    kept, notes = list(row for row in rows if row.text), list[str]()
    for caption in true:
        made = make_foils(caption.text)
        taken = {row.text.casefold() for row in kept}
        new = [CaptionRow(foil.text, foil.kind) for foil in made.foils if foil.text.casefold() not in taken]
        kept += new[: min(MADE, MAX_CAPTIONS - len(kept))]
        notes += [made.note] if made.note else []
    return tuple(kept), " ".join(dict.fromkeys(notes))


def _source(rows: Sequence[CaptionRow], at: int) -> int | None:
    """Place of the true caption that a foil is most like, word by word; None for a true caption, or where there is
    none."""
    true = [i for i, row in enumerate(rows) if row.picture is not None]
    if rows[at].picture is not None or not true:
        return None
    mine = rows[at].text.split()
    return max(true, key=lambda i: difflib.SequenceMatcher(None, rows[i].text.split(), mine, autojunk=False).ratio())


def _room(n: int) -> None:
    if n >= MAX_CAPTIONS:
        raise InvalidInput(f"There may be at most {MAX_CAPTIONS} captions. Take one out first.")


def build(switch: gr.HTML, house: ModelAccess) -> None:
    """Lay out the part and wire its callbacks."""
    pairing = gr.State(PairsState(), time_to_live=24 * 3600)
    scripts = {name: (SCRIPTS / name).read_text("utf-8") for name in ("pane.js", "compose.js")}
    both = "\n".join(f"{{\n{script}\n}}" for script in scripts.values())
    plain: dict[str, Any] = dict(apply_default_css=False)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=42, min_width=300, elem_classes="compose-form"):
            gr.HTML("<h2>1. Pictures</h2>", **plain)
            files = gr.File(
                label="One or two pictures (up to 12)",
                file_count="multiple",
                file_types=list(PICTURES),
                type="filepath",
                height=110,
                elem_id="pairs-files",
            )
            examples = gr.HTML("", js_on_load=scripts["compose.js"], elem_id="pairs-examples", **plain)
            gr.HTML("<h2>2. Captions</h2>", **plain)
            form = gr.HTML(
                form_view(None, PairsState().rows), js_on_load=scripts["compose.js"], elem_id="pairs-form", **plain
            )
            encoder = gr.Dropdown(
                encoder_choices(house),
                value="embedded",
                label="Encoder",
                elem_id="pairs-encoder",
                allow_custom_value=house.is_local,
            )
        with gr.Column(scale=58, min_width=320):
            result = gr.HTML(EMPTY, js_on_load=both, elem_id="pairs-result", **plain)
            words = gr.HTML("", js_on_load=both, elem_id="pairs-words", **plain)

    def example(encoder: str, event: gr.EventData) -> tuple[Any, ...]:
        return on_example(encoder, house, event)

    def score(pairing: PairsState, encoder: str, event: gr.EventData) -> tuple[Any, ...]:
        return on_score(pairing, encoder, house, event)

    def cell(pairing: PairsState, encoder: str, event: gr.EventData) -> Any:
        return on_cell(pairing, encoder, house, event)

    private: dict[str, Any] = dict(show_progress="minimal", api_visibility="private")
    quiet: dict[str, Any] = dict(show_progress="hidden", api_visibility="private")
    heavy: dict[str, Any] = dict(concurrency_id="compute", concurrency_limit=1, show_progress_on=[result])
    opened = [pairing, form, result, words]
    switch.part(shows_errors(on_part), [examples], [examples], **quiet)
    files.change(shows_errors(on_files), [pairing, files], opened, queue=False, **quiet)
    examples.pick(shows_errors(example), [encoder], opened, **heavy, **private)
    form.edit(shows_errors(on_edit), [pairing], [pairing, form], queue=False, **quiet)
    form.score(shows_errors(score), [pairing, encoder], opened, **heavy, **private)
    for pressed in (result, words):
        seen = pressed.act(
            shows_errors(cell), [pairing, encoder], [words], concurrency_id="compute", concurrency_limit=1, **private
        )
        seen.success(None, None, None, js=TO_WORDS, **quiet)


TO_WORDS = "() => { document.querySelector('#pairs-words h3')?.scrollIntoView({ block: 'nearest' }); return []; }"
