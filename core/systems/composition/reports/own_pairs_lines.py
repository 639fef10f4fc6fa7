"""A user's own pairs and the grid of binding, in lines and tables for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.numbers import count, interval, number, percent
from core.records.codec import to_json
from core.systems.composition.grid.binding import BindingGrid
from core.systems.composition.grid.cells import GREY, NOTHING, GridCell, Share
from core.systems.composition.own_pairs import PairScores
from core.systems.composition.reports.wording import aligned


def pair_lines(found: PairScores) -> list[str]:
    lines: list[str] = []
    for i, name in enumerate(found.pictures):
        rows: list[Sequence[str]] = [("", "cosine", "share", "true", "picked")]
        for j in sorted(range(len(found.captions)), key=lambda j: -found.cosines[i, j]):
            true = "yes" if i in found.captions[j].pictures else "no"
            figures = number(float(found.cosines[i, j]), 4), percent(float(found.shares[i, j]))
            rows.append((found.captions[j].text, *figures, true, "<-" if found.picks[i] == j else ""))
        lines += [f"{name}, {found.encoder}", *aligned(rows), f"  {_pick(found, i)}"]
    if found.unlike:
        rows = [("", "cosine of the two texts")]
        rows += [
            (f"{found.captions[a].text} | {found.captions[b].text}", number(cosine, 4)) for a, b, cosine in found.unlike
        ]
        lines += ["Captions and foils in the text tower alone", *aligned(rows)]
    elif len(found.captions) == 2:
        lines.append(
            f"The text tower alone gives the two captions a cosine of {number(float(found.text_similarity[0, 1]), 4)}."
        )
    return lines + [f"Not read: {reason}" for reason in found.unreadable] + [f"Note: {note}" for note in found.notes]


def _pick(found: PairScores, picture: int) -> str:
    """Whether the image's highest caption is a true one."""
    if found.ties[picture]:
        return "Wrong: the highest score is a tie, which counts as no answer."
    right = picture in found.captions[int(found.picks[picture])].pictures
    return "Right: a true caption scores highest." if right else "Wrong: a caption that is false of it scores highest."


def pair_document(found: PairScores) -> dict[str, Any]:
    captions = [{"text": c.text, "pictures": list(c.pictures), "foil_of": c.foil_of} for c in found.captions]
    unlike = [{"caption": a, "foil": b, "cosine": cosine} for a, b, cosine in found.unlike]
    arrays = ("cosines", "shares", "text_similarity", "picks", "margins", "ties")
    return to_json(
        {
            "encoder": found.encoder,
            "pictures": list(found.pictures),
            "captions": captions,
            "logit_scale": found.logit_scale,
            **{name: getattr(found, name).tolist() for name in arrays},
            "unlike": unlike,
            "unreadable": list(found.unreadable),
            "notes": list(found.notes),
        }
    )


def grid_lines(found: BindingGrid) -> list[str]:
    """The grid of verdicts' figures, the counts of verdicts, and the cells with a claim."""
    last = "binding" if found.mode == "two" else "pair"
    rows: list[Sequence[str]] = [("", "n", "attribute", "object", last, "verdict")]
    rows.append(("all images", *_cell_row(found.overall, found.mode)))
    rows += [(f"{cell.attribute} {cell.object}", *_cell_row(cell, found.mode)) for cell in found.cells]
    verdicts = "; ".join(f"{count(n, 'cell')}: {name}" for name, n in found.verdicts.items())
    claims = [cell for cell in (found.overall, *found.cells) if cell.verdict not in (NOTHING, GREY)]
    lines = aligned(rows)
    lines.append(f"{count(len(found.cells), 'cell')}, {count(found.n_tests, 'test')}. {verdicts}.")
    lines += [
        (
            f"The model {cell.verdict}: "
            f"{'all images together' if cell is found.overall else f'{cell.attribute} {cell.object}'}."
        )
        for cell in claims
    ]
    return [*lines, *_left_out(found), *(f"Note: {note}" for note in found.notes)]


def _left_out(found: BindingGrid) -> list[str]:
    """One line for each reason, the most frequent first: how many images it took, and one of them."""
    named = dict[str, list[str]]()
    for name, reason in found.left_out:
        named.setdefault(reason, []).append(name)
    return [
        f"Left out: {count(len(own), 'image')}, {'such as ' if len(own) > 1 else ''}{own[0]}: {reason}."
        for reason, own in sorted(named.items(), key=lambda entry: -len(entry[1]))
    ]


def _cell_row(cell: GridCell, mode: str) -> tuple[str, ...]:
    def said(share: Share) -> str:
        return (
            f"{percent(share.value.value)} ({interval(share.value, share=True)}; chance {percent(share.chance)})"
            if share.n
            else "–"
        )

    return f"{cell.n:,}", said(cell.sees_attribute), said(cell.sees_object), said(cell.binds), cell.verdict


def grid_table(found: BindingGrid) -> pd.DataFrame:
    """One row for all images and one for each cell, with every figure."""
    questions = ("sees_attribute", "sees_object", "binds", "pair")
    rows: list[dict[str, Any]] = []
    for cell in (found.overall, *found.cells):
        row: dict[str, Any] = {"attribute": cell.attribute, "object": cell.object, "n": cell.n}
        for name in questions:
            share: Share = getattr(cell, name)
            row |= {name: share.value.value, f"{name}_low": share.value.low, f"{name}_high": share.value.high}
            row |= {f"{name}_n": share.n, f"{name}_chance": share.chance, f"{name}_ties": share.ties}
        rows.append(row | {name: getattr(cell, name) for name in ("p_attribute", "p_object", "p_binding", "verdict")})
    return pd.DataFrame(rows)
