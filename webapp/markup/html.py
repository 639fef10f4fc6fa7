"""Samples as the page shows them: images, and facts in plain lines."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.inline import text_of
from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.numbers import number, value_text, with_unit
from core.records import Column, Diagnosis
from core.reports.figures.template import HUES
from core.reports.wording.labels import wrong_labels
from core.reports.wording.reasons import reason_sentence
from core.statistics.measures import insights_of
from webapp.markup.images import picture

MAX_COLUMNS = 4
MAX_ENLARGED_COLUMNS = 12
"""Columns named beside a sample, and beside an enlarged one."""
MAX_CELL = 80
ALT = 300
"""Characters of a text in the alternative text of its card."""


def hue(cluster: int) -> str:
    return HUES[cluster % len(HUES)]


def shown(diagnosis: Diagnosis, row: int) -> tuple[str, str]:
    """Return (picture, text) of the row for a gallery: of a text its start, of any other sample its picture."""
    text = shortened(text_of(diagnosis.samples, row), ALT)
    if text:
        return "", text
    return picture(diagnosis, row), ""


def sample_facts(diagnosis: Diagnosis, row: int, n_columns: int = MAX_COLUMNS) -> list[str]:
    """Return plain (unescaped) lines on one row: loss, expected loss, label and prediction, possible causes, and the
    first `n_columns` other columns."""
    outcomes = diagnosis.outcomes
    lines = [
        f"loss {number(float(outcomes.loss[row]))}{with_unit(diagnosis)}",
        f"expected from the embedding {number(float(diagnosis.estimate.predicted[row]))} ± "
        f"{number(float(diagnosis.estimate.spread[row]))}",
    ]
    classes = classes_said(diagnosis, row)
    if classes:
        lines.append(", model: ".join(classes))
    lines += wrong_labels(diagnosis, row)
    why = reason_sentence(diagnosis, row)
    if why:
        lines.append(why)
    return lines + [f"{column.name}: {_cell(column, row)}" for column in _columns_first(diagnosis, row)[:n_columns]]


def _columns_first(diagnosis: Diagnosis, row: int) -> list[Column]:
    """Return the columns of the row: those that describe its clusters, the title's first, then the table's from the
    left."""
    names = list[str]()
    for cluster in (c for c in diagnosis.clusters if c.membership[row] >= 0.5):
        words = cluster_name(diagnosis, cluster).title_words
        confirmed = [i for i in insights_of(diagnosis, cluster.id) if i.confirmed]
        for insight in sorted(confirmed, key=lambda i: not says_the_same(words, i)):
            names.extend(insight.columns)
    columns = {column.name: column for column in diagnosis.samples.metadata}
    rest = [name for name, column in columns.items() if not column.measured]
    return [columns[name] for name in dict.fromkeys([*names, *rest]) if name in columns]


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
    """Its address, or ""."""
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
    answer = ", model: ".join(classes)
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
    first, *lines = foot or (*classes[:1], *(f"model: {predicted}" for predicted in classes[1:])) or ("",)
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
        return value_text(float(value), column.form)
    if value is None:
        return "missing"
    return shortened(str(value), MAX_CELL)


def shortened(text: str, most: int) -> str:
    """Return the text, cut to `most` letters including an ellipsis."""
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…"
