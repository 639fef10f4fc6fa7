"""Samples as the page shows them: their images and what is known of them in plain lines."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.images.thumbnails import STORED_SIZE
from core.data.inline import preview_address, text_of
from core.discovery.called import cluster_name
from core.errors import InvalidInput
from core.language.measured_words import says_the_same
from core.numbers import number, with_unit
from core.records import Column, Diagnosis
from core.reports.wording.reasons import reason_sentence
from core.statistics.measures import insights_of

HUES = ("#d55e00", "#0a9a76", "#c764a0", "#2f8fd0", "#c98a00", "#7a6ff0", "#b5443c", "#5d8a1d")
"""Cluster colors, told apart with the common colour-vision deficiencies; the number on each says the same. In step
with map_paint.js."""


MAX_COLUMNS = 4
MAX_CELL = 80
OUTLINED_SIZE = 288
"""Pixels of a scan with outlines: their lines are thin then."""
ALT = 300
"""Characters of a text that stand for its card where cards cannot be seen."""


def hue(cluster: int) -> str:
    return HUES[cluster % len(HUES)]


def picture(diagnosis: Diagnosis, row: int, *, plays: bool = False) -> str:
    """The row's thumbnail as a data address, so that no image ever has an address that another visitor could ask for;
    "" if none.

    Args:
        plays: a clip plays; else its storyboard stands still, as in galleries.
    """
    items = diagnosis.samples.items
    modality = diagnosis.samples.modality
    if items is None:
        return ""
    try:
        as_kept = plays or modality != "clip"
        marks = items.marks(row)
        size = OUTLINED_SIZE if marks else STORED_SIZE
        return preview_address(items.read(row), modality, size, as_kept=as_kept, marks=marks)
    except (InvalidInput, OSError, ValueError):
        return ""  # the run says in its notes which could not be read


def sample_facts(diagnosis: Diagnosis, row: int) -> list[str]:
    """Plain (unescaped) lines on one row: its loss, what was predicted for it, label and prediction, what is known of
    why it may fail, and its other columns."""
    outcomes = diagnosis.outcomes
    lines = [
        f"loss {number(float(outcomes.loss[row]))}{with_unit(diagnosis)}",
        f"expected from the embedding {number(float(diagnosis.estimate.predicted[row]))} ± "
        f"{number(float(diagnosis.estimate.spread[row]))}",
    ]
    if said := classes_said(diagnosis, row):
        lines.append(" → ".join(said))
    if why := reason_sentence(diagnosis, row):
        lines.append(why)
    return lines + [f"{column.name}: {_cell(column, row)}" for column in _columns_first(diagnosis, row)]


def _columns_first(diagnosis: Diagnosis, row: int) -> list[Column]:
    """At most `MAX_COLUMNS` of the row: what tells its cluster, the column of the cluster's title before others, then
    the table's own from the left."""
    told = list[str]()
    for cluster in (c for c in diagnosis.clusters if c.membership[row] >= 0.5):
        said = cluster_name(diagnosis, cluster).title_words
        own = [i for i in insights_of(diagnosis, cluster.id) if i.confirmed]
        told += [name for i in sorted(own, key=lambda i: not says_the_same(said, i)) for name in i.columns]
    columns = {column.name: column for column in diagnosis.samples.metadata}
    rest = [name for name, column in columns.items() if not column.measured]
    return [columns[name] for name in dict.fromkeys([*told, *rest]) if name in columns][:MAX_COLUMNS]


def classes_said(diagnosis: Diagnosis, row: int) -> tuple[str, ...]:
    """("cat", "dog") for a wrong prediction, ("cat",) for a right one or where no prediction is known, () without
    labels."""
    names = diagnosis.samples.class_names
    labels = diagnosis.samples.labels
    predictions = diagnosis.outcomes.predictions
    if labels is None or not names:
        return ()
    true = names[int(labels[row])]
    if predictions is None or predictions[row] == labels[row]:
        return (true,)
    return true, names[int(predictions[row])]


@dataclass(frozen=True, slots=True)
class Tile:
    """A small image which pane.js enlarges, as `parts.html.j2` draws it; plain texts."""

    row: int
    name: str
    picture: str
    """A data address, or "" without one."""
    title: str
    alt: str
    loss: str
    foot: str
    """Beside the loss: the label."""
    lines: tuple[str, ...]
    """Below it: what was predicted instead."""
    wrong: bool = False
    """Marked by a frame and by a word."""


def tile_of(diagnosis: Diagnosis, row: int, *, mark_wrong: bool = False, foot: tuple[str, ...] | None = None) -> Tile:
    """The tile of a sample; a wrong one may be marked, and `foot` replaces label and prediction."""
    errors = diagnosis.outcomes.errors
    wrong = mark_wrong and errors is not None and bool(errors[row])
    name = diagnosis.samples.ids[row]
    classes = classes_said(diagnosis, row)
    said = " → ".join(classes)
    text = shortened(text_of(diagnosis.samples, row), ALT)
    loss = number(float(diagnosis.outcomes.loss[row]))
    first, *lines = foot or (*classes[:1], *(f"→ {predicted}" for predicted in classes[1:])) or ("",)
    return Tile(
        row,
        name,
        picture(diagnosis, row),
        title=f"{name}: {said}" if said else name,
        alt=f"{text or said or name}, {said + ', ' if text and said else ''}loss {loss}{', wrong' if wrong else ''}",
        loss=loss,
        foot=first,
        lines=tuple(lines),
        wrong=wrong,
    )


def _cell(column: Column, row: int) -> str:
    value = column.values[row]
    if column.kind == "number":
        return number(float(value))
    return "missing" if value is None else shortened(str(value), MAX_CELL)


def shortened(text: str, most: int) -> str:
    """The text, or so much of it that it has `most` letters with the dots that say that it goes on."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
