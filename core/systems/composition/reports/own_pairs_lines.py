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


def pair_lines(scores: PairScores) -> list[str]:
    lines: list[str] = []
    for i, name in enumerate(scores.pictures):
        rows: list[Sequence[str]] = [("", "cosine", "share", "true", "picked")]
        for j in sorted(range(len(scores.captions)), key=lambda j: -scores.cosines[i, j]):
            true = "no"
            if i in scores.captions[j].pictures:
                true = "yes"
            figures = number(float(scores.cosines[i, j]), 4), percent(float(scores.shares[i, j]))
            rows.append((scores.captions[j].text, *figures, true, "<-" if scores.picks[i] == j else ""))
        lines += [f"{name}, {scores.encoder}", *aligned(rows), f"  {_pick(scores, i)}"]
    if scores.unlike:
        rows = [("", "cosine of the two texts")]
        rows += [
            (f"{scores.captions[a].text} | {scores.captions[b].text}", number(cosine, 4))
            for a, b, cosine in scores.unlike
        ]
        lines += ["Captions and foils in the text tower alone", *aligned(rows)]
    elif len(scores.captions) == 2:
        lines.append(
            f"The text tower alone gives the two captions a cosine of {number(float(scores.text_similarity[0, 1]), 4)}."
        )
    return lines + [f"Not read: {reason}" for reason in scores.unreadable] + [f"Note: {note}" for note in scores.notes]


def _pick(scores: PairScores, picture: int) -> str:
    """Whether the image's highest caption is a true one."""
    if scores.ties[picture]:
        return "Wrong: the highest score is a tie, which counts as no answer."
    right = picture in scores.captions[int(scores.picks[picture])].pictures
    if right:
        return "Right: a true caption scores highest."
    return "Wrong: a caption that is false of it scores highest."


def pair_document(scores: PairScores) -> dict[str, Any]:
    captions = [{"text": c.text, "pictures": list(c.pictures), "foil_of": c.foil_of} for c in scores.captions]
    unlike = [{"caption": a, "foil": b, "cosine": cosine} for a, b, cosine in scores.unlike]
    arrays = ("cosines", "shares", "text_similarity", "picks", "margins", "ties")
    return to_json(
        {
            "encoder": scores.encoder,
            "pictures": list(scores.pictures),
            "captions": captions,
            "logit_scale": scores.logit_scale,
            **{name: getattr(scores, name).tolist() for name in arrays},
            "unlike": unlike,
            "unreadable": list(scores.unreadable),
            "notes": list(scores.notes),
        }
    )


def grid_lines(grid: BindingGrid) -> list[str]:
    """The grid of verdicts' figures, the counts of verdicts, and the cells with a claim."""
    last = "pair"
    if grid.mode == "two":
        last = "binding"
    rows: list[Sequence[str]] = [("", "n", "attribute", "object", last, "verdict")]
    rows.append(("all images", *_cell_row(grid.overall, grid.mode)))
    rows += [(f"{cell.attribute} {cell.object}", *_cell_row(cell, grid.mode)) for cell in grid.cells]
    verdicts = "; ".join(f"{count(n, 'cell')}: {name}" for name, n in grid.verdicts.items())
    claims = [cell for cell in (grid.overall, *grid.cells) if cell.verdict not in (NOTHING, GREY)]
    lines = aligned(rows)
    lines.append(f"{count(len(grid.cells), 'cell')}, {count(grid.n_tests, 'test')}. {verdicts}.")
    lines += [
        (
            f"The model {cell.verdict}: "
            f"{'all images together' if cell is grid.overall else f'{cell.attribute} {cell.object}'}."
        )
        for cell in claims
    ]
    return [*lines, *_left_out(grid), *(f"Note: {note}" for note in grid.notes)]


def _left_out(grid: BindingGrid) -> list[str]:
    """One line for each reason, the most frequent first: how many images it took, and one of them."""
    named = dict[str, list[str]]()
    for name, reason in grid.left_out:
        named.setdefault(reason, []).append(name)
    return [
        f"Left out: {count(len(own), 'image')}, {'such as ' if len(own) > 1 else ''}{own[0]}: {reason}."
        for reason, own in sorted(named.items(), key=lambda entry: -len(entry[1]))
    ]


def _cell_row(cell: GridCell, mode: str) -> tuple[str, ...]:
    def said(share: Share) -> str:
        if share.n:
            return f"{percent(share.value.value)} ({interval(share.value, share=True)}; chance {percent(share.chance)})"
        return "–"

    return f"{cell.n:,}", said(cell.sees_attribute), said(cell.sees_object), said(cell.binds), cell.verdict


def grid_table(grid: BindingGrid) -> pd.DataFrame:
    """One row for all images and one for each cell, with every figure."""
    questions = ("sees_attribute", "sees_object", "binds", "pair")
    rows: list[dict[str, Any]] = []
    for cell in (grid.overall, *grid.cells):
        row: dict[str, Any] = {"attribute": cell.attribute, "object": cell.object, "n": cell.n}
        for name in questions:
            share: Share = getattr(cell, name)
            row |= {name: share.value.value, f"{name}_low": share.value.low, f"{name}_high": share.value.high}
            row |= {f"{name}_n": share.n, f"{name}_chance": share.chance, f"{name}_ties": share.ties}
        rows.append(row | {name: getattr(cell, name) for name in ("p_attribute", "p_object", "p_binding", "verdict")})
    return pd.DataFrame(rows)
