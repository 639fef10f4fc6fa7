"""Samples as the page shows them: images, and facts in plain lines."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.images.thumbnails import STORED_SIZE
from core.data.inline import preview_address, text_of
from core.discovery.called import cluster_name
from core.errors import InvalidInput
from core.language.measured_words import says_the_same
from core.numbers import number, with_unit
from core.records import Column, Diagnosis
from core.reports.wording.labels import wrong_labels
from core.reports.wording.reasons import reason_sentence
from core.statistics.measures import insights_of

HUES = ("#d55e00", "#0a9a76", "#c764a0", "#2f8fd0", "#c98a00", "#7a6ff0", "#b5443c", "#5d8a1d")
"""Cluster colors, distinguishable with the common colour-vision deficiencies; clusters also carry numbers. Must match
map_paint.js."""


MAX_COLUMNS = 4
MAX_CELL = 80
OUTLINED_SIZE = 288
"""Pixels of a scan with outlines, large enough for thin lines."""
ALT = 300
"""Characters of a text in the alternative text of its card."""


def hue(cluster: int) -> str:
    return HUES[cluster % len(HUES)]


def picture(diagnosis: Diagnosis, row: int, *, plays: bool = False) -> str:
    """Return the row's thumbnail as a data address, or "". Images have no URL that another visitor could request.

    Args:
        plays: whether a clip plays; otherwise its storyboard is still, as in galleries.
    """
    items = diagnosis.samples.items
    modality = diagnosis.samples.modality
    if items is None:
        return ""
    try:
        as_saved = plays or modality != "clip"
        marks = items.marks(row)
        size = STORED_SIZE
        if marks:
            size = OUTLINED_SIZE
        return preview_address(items.read(row), modality, size, as_saved=as_saved, marks=marks)
    except (InvalidInput, OSError, ValueError):
        return ""  # the run's notes list unreadable images


def shown(diagnosis: Diagnosis, row: int) -> tuple[str, str]:
    """Return (picture, text) of the row for a gallery: of a text its start, of any other sample its picture."""
    text = shortened(text_of(diagnosis.samples, row), ALT)
    if text:
        return "", text
    return picture(diagnosis, row), ""


def sample_facts(diagnosis: Diagnosis, row: int) -> list[str]:
    """Return plain (unescaped) lines on one row: loss, expected loss, label and prediction, possible causes, and other
    columns."""
    outcomes = diagnosis.outcomes
    lines = [
        f"loss {number(float(outcomes.loss[row]))}{with_unit(diagnosis)}",
        f"expected from the embedding {number(float(diagnosis.estimate.predicted[row]))} ± "
        f"{number(float(diagnosis.estimate.spread[row]))}",
    ]
    classes = classes_said(diagnosis, row)
    if classes:
        lines.append(" → ".join(classes))
    lines += wrong_labels(diagnosis, row)
    why = reason_sentence(diagnosis, row)
    if why:
        lines.append(why)
    return lines + [f"{column.name}: {_cell(column, row)}" for column in _columns_first(diagnosis, row)]


def _columns_first(diagnosis: Diagnosis, row: int) -> list[Column]:
    """Return at most `MAX_COLUMNS` columns of the row: those that describe its clusters, the title's first, then the
    table's from the left."""
    names = list[str]()
    for cluster in (c for c in diagnosis.clusters if c.membership[row] >= 0.5):
        words = cluster_name(diagnosis, cluster).title_words
        confirmed = [i for i in insights_of(diagnosis, cluster.id) if i.confirmed]
        for insight in sorted(confirmed, key=lambda i: not says_the_same(words, i)):
            names.extend(insight.columns)
    columns = {column.name: column for column in diagnosis.samples.metadata}
    rest = [name for name, column in columns.items() if not column.measured]
    return [columns[name] for name in dict.fromkeys([*names, *rest]) if name in columns][:MAX_COLUMNS]


def classes_said(diagnosis: Diagnosis, row: int) -> tuple[str, ...]:
    """Return ("cat", "dog") for a wrong prediction, ("cat",) for a right or unknown one, () without labels."""
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
    """A small image that pane.js enlarges, as `parts.html.j2` draws it, as plain texts."""

    row: int
    name: str
    picture: str
    """A data address, or ""."""
    title: str
    alt: str
    loss: str
    foot: str
    """Beside the loss: the label."""
    lines: tuple[str, ...]
    """Below it: the wrong prediction, or the image's wrong labels."""
    wrong: bool = False
    """Marked by a frame and a word."""
    text: str = ""
    """Of a sample that is a text: its start."""


def tile_of(diagnosis: Diagnosis, row: int, *, mark_wrong: bool = False, foot: tuple[str, ...] | None = None) -> Tile:
    """Return the tile of a sample; a wrong one can be marked, and `foot` replaces label and prediction."""
    errors = diagnosis.outcomes.errors
    wrong = mark_wrong and errors is not None and bool(errors[row])
    name = diagnosis.samples.ids[row]
    classes = classes_said(diagnosis, row)
    answer = " → ".join(classes)
    thumbnail, text = shown(diagnosis, row)
    loss = number(float(diagnosis.outcomes.loss[row]))
    title = name
    if answer:
        title = f"{name}: {answer}"
    parts = [text or answer or name]
    if text and answer:
        parts.append(answer)
    parts.append(f"loss {loss}")
    if wrong:
        parts.append("wrong")
    first, *lines = foot or (*classes[:1], *(f"→ {predicted}" for predicted in classes[1:])) or ("",)
    lines += wrong_labels(diagnosis, row)
    return Tile(
        row,
        name,
        thumbnail,
        title=title,
        alt=", ".join(parts),
        loss=loss,
        foot=first,
        lines=tuple(lines),
        wrong=wrong,
        text=text,
    )


def _cell(column: Column, row: int) -> str:
    value = column.values[row]
    if column.kind == "number":
        return number(float(value))
    if value is None:
        return "missing"
    return shortened(str(value), MAX_CELL)


def shortened(text: str, most: int) -> str:
    """Return the text, cut to `most` letters including an ellipsis."""
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…"
