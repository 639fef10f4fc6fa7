"""Your own pairs as markup: the list of captions to edit, the scores of every picture with every caption, and maps of
words."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.composition.own_pairs import PairScores
from core.numbers import number, percent, signed
from core.records import ItemStore
from webapp.compose.markup import changed, image, outcome, shade
from webapp.markup.html import esc

if TYPE_CHECKING:
    from core.composition.word_maps import PatchWords

    pass

CLOSE = 0.95


def examples_view(store: ItemStore, pairs: Sequence[tuple[tuple[int, ...], tuple[str, ...]]]) -> str:
    """Pairs to start from, each a button with its two pictures."""
    body = ""
    for i, (places, captions) in enumerate(pairs):
        faces = "".join(image(store, at, "") for at in places)
        body += (
            f'<button type="button" class="pair-example" data-pick data-at="{i}"><span class="faces">{faces}</span>'
            f"<span>{esc(captions[0])}</span></button>"
        )
    return f'<p class="muted small-note">Or press a pair that comes along:</p><div class="pair-examples">{body}</div>'


def form_view(store: ItemStore | None, rows: Sequence[CaptionRow], note: str = "") -> str:
    """The captions as a form: each with its kind, what it is true of, and a button that takes it out."""
    n = 0 if store is None else len(store)
    faces = (
        "".join(f"<figure>{image(store, i, '')}<figcaption>{i + 1}</figcaption></figure>" for i in range(n))
        if store is not None
        else ""
    )
    listed = "".join(_row(row, i, n) for i, row in enumerate(rows))
    said = f'<p class="muted small-note" role="status">{esc(note)}</p>' if note else ""
    return (
        f"<form data-rows novalidate>{f'<div class=pair-faces>{faces}</div>' if faces else ''}<div "
        f'class="pair-rows">{listed}</div>{said}'
        '<div class="pair-buttons"><button type="submit" class="probe-run">Score</button>'
        '<button type="button" class="probe-cancel" data-edit="foils">Make foils</button>'
        '<button type="button" class="probe-cancel" data-edit="add">Add a caption</button></div>'
        '<p class="muted small-note">Enter scores. Without a foil in the list, some are made from the caption: '
        "look at each, for a rule cannot know "
        "whether it happens to be true of the picture as well.</p></form>"
    )


def _row(row: CaptionRow, at: int, n: int) -> str:
    options = '<option value="">of none (a foil)</option>' + "".join(
        f'<option value="{i}"{" selected" if row.picture == i else ""}>of picture {i + 1}</option>'
        for i in range(max(n, 1))
    )
    kind = row.kind if row.picture is None or row.kind != "your own" else "caption"
    hint = ' placeholder="a red cube and a blue ball"' if at == 0 else ""
    return (
        f'<div class="pair-row" data-row="{esc(row.kind)}"><span '
        f'class="mark{"" if row.picture is None else " own"}">{at + 1} {esc(kind)}</span>'
        f'<input type="text" class="compose-field" aria-label="Caption {at + 1}" value="{esc(row.text)}" '
        f'maxlength="300"{hint} autocomplete="off">'
        f'<select class="compose-field" aria-label="Caption {at + 1} is true">{options}</select>'
        f'<button type="button" class="plain" data-edit="remove" data-at="{at}" aria-label="Take caption {at + 1} '
        'out">✕</button></div>'
    )


def scores_view(store: ItemStore, found: PairScores, kinds: Sequence[str]) -> str:
    """Captions in rows, pictures in columns: cosine and share, what each picture picks, how alike caption and foil
    are."""
    low, high = float(found.cosines.min()), float(found.cosines.max())
    place = {store.name(i): i for i in range(len(store))}
    faces = "".join(
        f'<th scope="col">{image(store, place[name], f"Picture {place[name] + 1}")}<small>{place[name] + 1}</small></th>'
        for name in found.pictures
    )
    body = "".join(_score_row(found, t, kinds[t], low, high) for t in range(len(found.captions)))
    foot = "".join(f"<td>{_picks(found, i)}</td>" for i in range(len(found.pictures)))
    lost = "".join(f"<li>{esc(why)}</li>" for why in found.unreadable)
    notes = "".join(f"<li>{esc(note)}</li>" for note in found.notes)
    last = '<th scope="col">Cosine with its caption, or with the other</th>'
    return (
        '<article class="answer pair-scores"><header><h2 tabindex="-1" '
        f'class="pane-title">{esc(_headline(found))}</h2></header>'
        '<p class="muted small-note">Cosine, and below it the share of a softmax over the captions. '
        "Press a score to see which parts of the picture "
        "speak for which word.</p>"
        f'<div class="scroll tall"><table class="compose-grid wide"><thead><tr><td></td>{faces}{last}</tr></thead>'
        f'<tbody>{body}<tr class="picks"><td></td>{foot}<td></td></tr></tbody></table></div>'
        f'<ul class="compose-list">{lost}</ul><ul class="compose-list muted">{notes}</ul></article>'
    )


def _headline(found: PairScores) -> str:
    """How many pictures pick their own caption (plain text)."""
    known = np.isfinite(found.margins)
    if not known.any():
        return f"{found.encoder}: say of which picture each caption is true, and add a foil, to see right and wrong"
    right, n = int((found.margins[known] > 0).sum()), int(known.sum())
    if n == 1:
        return f"{found.encoder} {'picks the true caption' if right else 'picks a false caption'}"
    return f"{found.encoder}: {right} of {n} pictures pick their own caption"


def _score_row(found: PairScores, t: int, kind: str, low: float, high: float) -> str:
    caption = found.captions[t]
    source = (
        caption.foil_of if caption.foil_of is not None else next((i for i in range(len(found.captions)) if i != t), t)
    )
    text = changed(caption.text, found.captions[source].text) if source != t else esc(caption.text)
    cells = ""
    for i in range(len(found.pictures)):
        true = i in caption.pictures
        ring = ' <span class="ring" aria-label="true">○</span>' if true else ""
        said = f"Picture {i + 1}, {caption.text}: cosine {number(float(found.cosines[i, t]), 3)}"
        cells += (
            f'<td class="score{" true" if true else ""}" '
            f'style="{shade(float(found.cosines[i, t]), low, high)}"><button type="button" data-do="cell" '
            f'data-picture="{i}" data-caption="{t}" '
            f'aria-label="{esc(said)}"><b>{number(float(found.cosines[i, t]), 3)}{ring}</b>'
            f"<small>{percent(float(found.shares[i, t]))}</small></button></td>"
        )
    others = (
        [i for i, other in enumerate(found.captions) if i != t and other.pictures]
        if caption.foil_of is None
        else [caption.foil_of]
    )
    alike = _alike(max(float(found.text_similarity[i, t]) for i in others)) if others else ""
    mark = f'<span class="mark{" own" if caption.pictures else ""}">{t + 1} {esc(kind)}</span>'
    return f'<tr><th scope="row">{mark} {text}</th>{cells}<td>{alike}</td></tr>'


def _alike(cosine: float) -> str:
    mark = ' <span class="mark warn">hardly told apart</span>' if cosine >= CLOSE else ""
    return f"{number(cosine, 3)}{mark}"


def _picks(found: PairScores, picture: int) -> str:
    """Which caption a picture picks, and whether that is right."""
    place = int(found.picks[picture])
    if place < 0:
        return outcome(None, "a tie")
    text = f"picks caption {place + 1}"
    if not np.isfinite(found.margins[picture]):
        return f'<span class="outcome">{text}</span>'
    return outcome(bool(found.margins[picture] > 0), text)


def words_view(picture: Any, found: PatchWords, encoder: Any, at: int, caption: int, *, both: bool) -> str:
    """One map for each word over the picture, orange where it speaks for the word and blue where against it."""
    from core.composition.draw_maps import as_seen, render_map
    from core.composition.word_maps import strongest

    seen, top = as_seen(picture, encoder), strongest(found) or None
    figures = ""
    for word, values, score in zip(found.words, found.maps, found.scores.tolist()):
        figures += _figure(
            render_map(seen, values, top),
            word.text,
            f"{word.text}: the whole picture {signed(score, 3)}",
            signed(score, 3),
        )
    whole = ""
    if found.whole is not None and float(np.abs(found.whole).max()) > 0:
        whole = _figure(render_map(seen, found.whole), "the whole caption", "The whole caption", "its own scale")
    ways = (("occlusion", "Grey out one cell at a time"), ("patches", "Each patch by itself"))
    buttons = "".join(
        f'<button type="button" class="chip-button" data-do="cell" data-picture="{at}" data-caption="{caption}" '
        f'data-method="{key}" '
        f'aria-pressed="{str(found.method == key).lower()}">{title}</button>'
        for key, title in ways
    )
    return (
        f'<section class="answer pair-words"><h3 tabindex="-1" class="pane-title">Picture {at + 1}: '
        "what speaks for which word of "
        f"“{esc(found.caption)}”</h3>"
        f'{f"<div class=chips>{buttons}</div>" if both else ""}<div class="word-maps">{figures}{whole}</div>'
        '<p class="pair-key"><i class="for"></i>speaks for the word <i class="against"></i>speaks against it '
        '<span class="muted">one scale for all words; the number is the whole picture’s</span></p>'
        f'<p class="muted small-note">{esc(found.note)}</p></section>'
    )


def _figure(payload: bytes, name: str, alt: str, said: str) -> str:
    from core.data.images.thumbnails import shrink

    source = "data:image/webp;base64," + base64.b64encode(shrink(payload, 224)).decode("ascii")
    return (
        f'<figure><img src="{source}" alt="{esc(alt)}"><figcaption><b>{esc(name)}</b> '
        f"<small>{esc(said)}</small></figcaption></figure>"
    )


EMPTY = (
    '<div class="empty small"><p>The scores will stand here: every picture with every caption, '
    "and which caption each picture picks. Bring a picture "
    "and write what it shows, or press one of the pairs that come along.</p></div>"
)
CELL = '<div class="empty small"><p>Press a score to see which parts of the picture speak for which word.</p></div>'


CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class CaptionRow:
    """One caption of the list."""

    text: str
    kind: str = CAPTION
    """"caption", or what a foil was made by."""
    picture: int | None = None
    """Place of the picture that it is true of; None for a foil."""
