"""Options that several commands share. Nothing heavy is imported, so --help is fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from core import extensions
from core.cli.command import Decorator, Option, heading, option, several
from core.data.tables.roles import LOSS_KINDS

DETECTION_ROWS = ("objects", "predictions")
DETECTION_LOSSES = ("miss", "localisation", "class")
SAMPLE_KINDS = ("image", "clip", "scan")
_COMPUTED = f"{', '.join(LOSS_KINDS)}; for detections: {', '.join(DETECTION_LOSSES)}"
LOSS_HELP = f"kind of loss, computed or in the column: {_COMPUTED}"
RUN = "run written by `diagnose --out`"
MANY_PROBABILITIES = 'one array column, or one column per class ("prob_*")'


def share(text: str) -> float:
    """Parse a number between 0 and 1, both excluded."""
    value = float(text)
    if not 0 < value < 1:
        raise ValueError(f"must be between 0 and 1: got {text}")
    return value


TABLE_FILE = "CSV, TSV, JSON Lines or Parquet, one row per sample"
SHARE: dict[str, Any] = {"type": share}
POSITIVE: dict[str, Any] = {"type": click.IntRange(min=1)}
ID = option("--id COL", "column of ids (default: the image path, else the row number)")
IMAGE = option("--image COL", "column of images or image paths")
LABEL = option("--label COL", "column of the true class")
GROUP = option(
    "--group COL", "column of related rows, such as patient; or how rows are related without one: names, order or none"
)
SEEDS = click.IntRange(0, 2**32 - 1)  # the range that scikit-learn takes
SEED = option("--seed N", "random seed; the same seed gives the same result (default: 0)", type=SEEDS)
AS_IS = option("--as-is", "accept an odd-looking table: likely mistakes become notes")
CLASS_NAMES = option("--class-names NAME", "class order of the probability array")
ANSWERS = several(
    option("--id COL", "column of ids or image paths"),
    LABEL,
    option("--prediction COL", "column of the predicted class"),
    option("--probabilities COL", MANY_PROBABILITIES),
    CLASS_NAMES,
    AS_IS,
)
"""The columns of a table with a model's answers to a run's samples."""
JSON = option("--json", "print JSON", to="as_json")
ENCODER = option("--encoder NAME", "encoder, see `python -m core encoders` (default: embedded, or that of the run)")
ANY_ENCODER = "encoder such as ViT-B-32:openai, see `python -m core encoders` (default: embedded)"


def samples(table: str = "--table FILE", *more: Decorator) -> Decorator:
    """Add the options that name the samples: table, images, vectors, and their columns.

    Args:
        table: the table's option; "" if the command takes the table as an argument.
        more: options to add after --embeddings.
    """
    first = [heading("New samples" if table.startswith("--fresh") else "Samples")]
    if table:
        first.append(option(table, TABLE_FILE, to="table"))
    return several(
        *first,
        option("--images PATH", "folder, zip or tar of images, clips or scans (default: the table's image column)"),
        option("--modality KIND", "kind of the files (default: from their names)", type=click.Choice(SAMPLE_KINDS)),
        option("--embeddings FILE", "npy, npz, safetensors or Parquet file to use instead of an encoder"),
        *more,
        ID,
        IMAGE,
        option("--texts COL", "column of the text that the model read; several columns are joined"),
        option("--embedding COL", "column of embedding arrays"),
        LABEL,
    )


LOSS = several(
    heading("Loss: a column, or computed from model outputs (default: recognized by column name)"),
    option("--loss COL", "column of per-sample losses"),
    option("--higher-is-better", "negate the loss column: it is a score"),
    option("--probabilities COL", f"class probabilities: {MANY_PROBABILITIES}"),
    option("--logits COL", "the same, as logits"),
    option("--prediction COL", "column of the predicted class, or number with --target"),
    option("--target COL", "column of the true number (regression)"),
    option("--masks COL", "columns of the true and predicted masks"),
    option("--loss-kind KIND", LOSS_HELP, type=click.Choice((*LOSS_KINDS, *DETECTION_LOSSES))),
    heading("Other columns"),
    GROUP,
    option("--split COL", "column of the split: train, test, ..."),
    option("--conditions COL", "columns of model outputs to test as explanations"),
    CLASS_NAMES,
    AS_IS,
)
TASKS = several(
    heading("More tasks: several rows per image, kept together (docs/tasks.md)"),
    option("--detections PATH", "a detector's predictions: COCO results (JSON) or a folder of YOLO files"),
    option("--truth PATH", "true boxes: COCO instances (JSON) or a folder with a YOLO data set"),
    option(
        "--rows", "unit of analysis: true objects or predictions (default: objects)", type=click.Choice(DETECTION_ROWS)
    ),
    option("--iou T", "minimum overlap (IoU) of a match (default: 0.5)"),
    option("--score T", "minimum score of a prediction (default: 0.25)"),
    option("--labels COL", 'several classes per image: a list column, or 0/1 columns ("true_*")'),
    option("--per-class", "one row per class in an image, with --masks"),
)


# ---- settings


def system_options(command: str, into: str) -> Callable[[Sequence[str], frozenset[str]], list[Option]]:
    """Return the options that systems add to this command, as `command(settings=...)` takes them.

    Args:
        into: the parameter, a dict, that they fill with text.
    """

    def list_options(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
        added: list[Option] = []
        for extra in extensions.options(command):
            flag, _, metavar = extra.flag.partition(" ")
            if flag not in taken:
                decls = [flag, f"{into}_{extra.key}"]
                added.append(Option(decls, key=f"{into}.{extra.key}", metavar=metavar, help=extra.help, type=str))
        return added

    return list_options
