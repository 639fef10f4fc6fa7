"""Options that several commands have. Nothing heavy is imported, so that --help answers at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from core import extensions
from core.cli.command import Decorator, Option, heading, option, several
from core.data.tables.roles import LOSS_KINDS

DETECTION_ROWS = ("objects", "predictions")
DETECTION_LOSSES = ("miss", "localisation", "class")
KINDS = ("image", "clip", "scan")
_COMPUTED = f"{', '.join(LOSS_KINDS)}; of detections: {', '.join(DETECTION_LOSSES)}"
LOSS_HELP = f"what to compute, or what the column holds: {_COMPUTED}"
RUN = "run that `diagnose --out` wrote"
MANY_PROBABILITIES = 'one array column, or one each ("prob_*")'


def share(text: str) -> float:
    """A number between 0 and 1, both excluded."""
    value = float(text)
    if not 0 < value < 1:
        raise ValueError(f"must lie between 0 and 1: got {text}")
    return value


SHARE: dict[str, Any] = {"type": share}
POSITIVE: dict[str, Any] = {"type": click.IntRange(min=1)}
ID = option("--id COL", "id column; else the image's path, else the row number")
IMAGE = option("--image COL", "column of images or of their paths")
LABEL = option("--label COL", "true class")
GROUP = option("--group COL", "patient, video, source: its rows are never split")
SEEDS = click.IntRange(0, 2**32 - 1)  # scikit-learn's
SEED = option("--seed", "the same seed gives the same result (default 0)", type=SEEDS)
AS_IS = option("--as-is", "the table is right, however odd it looks: what would stop the reading becomes a note")
CLASS_NAMES = option("--class-names NAME", "the order of the classes in an array of probabilities")
ANSWERS = several(
    option("--id COL", "ids, or the images' paths"),
    LABEL,
    option("--prediction COL", "predicted class"),
    option("--probabilities COL", MANY_PROBABILITIES),
    CLASS_NAMES,
    AS_IS,
)
"""The columns of a table of answers to a run's samples."""
JSON = option("--json", "print JSON", to="as_json")
ENCODER = option("--encoder NAME", "see `python -m core encoders` (default: embedded, or the diagnosis' own)")
SUCH_ENCODER = "such as embedded or ViT-B-32:openai, see `python -m core encoders` (default: embedded)"


def samples(table: str = "--table FILE", *more: Decorator) -> Decorator:
    """Where the samples come from: a table under that option, or if it is "" a table told elsewhere, images, vectors,
    and the columns that hold them."""
    return several(
        heading("The fresh samples" if table.startswith("--fresh") else "The samples"),
        *([option(table, "CSV, TSV, JSON Lines or Parquet, one row a sample", to="table")] if table else []),
        option("--images PATH", "folder, zip or tar of images, clips or scans; or the table's own image column"),
        option("--modality KIND", "what the files are, where their names do not say it", type=click.Choice(KINDS)),
        option("--embeddings FILE", "npy, npz, safetensors or Parquet, in place of an encoder"),
        *more,
        ID,
        IMAGE,
        option("--texts COL", "column of the text that the model read; several are read one after another"),
        option("--embedding COL", "array column of the table"),
        LABEL,
    )


LOSS = several(
    heading("The loss: a column, or computed from what the model wrote (recognized by name if none is given)"),
    option("--loss COL", "per-sample loss"),
    option("--higher-is-better", "the loss column is a score: negate it"),
    option("--probabilities COL", f"class probabilities: {MANY_PROBABILITIES}"),
    option("--logits COL", "the same for logits"),
    option("--prediction COL", "predicted class, or predicted number with --target"),
    option("--target COL", "true number of a regression"),
    option("--masks COL", "true and predicted mask"),
    option("--loss-kind KIND", LOSS_HELP, type=click.Choice((*LOSS_KINDS, *DETECTION_LOSSES))),
    heading("Other columns"),
    GROUP,
    option("--split COL", "train, test, ..."),
    option("--conditions COL", "model outputs that may explain a failure all the same"),
    CLASS_NAMES,
    AS_IS,
)
TASKS = several(
    heading("More tasks: several rows of one image, which are kept together (docs/tasks.md)"),
    option("--detections PATH", "a detector's predictions: COCO results (JSON), or a folder of YOLO files"),
    option("--truth PATH", "what they are compared with: COCO instances (JSON), or a YOLO data set's folder"),
    option(
        "--rows",
        "was each object found, or was each prediction right (default objects)",
        type=click.Choice(DETECTION_ROWS),
    ),
    option("--iou T", "overlap from which a prediction is at an object's place (default 0.5)"),
    option("--score T", "predictions below this score are not used (default 0.25)"),
    option("--labels COL", 'several classes an image: a list column, or 0/1 columns ("true_*")'),
    option("--per-class", "with --masks: one row for each class in an image"),
)


# ---- settings


def system_options(command: str, into: str) -> Callable[[Sequence[str], frozenset[str]], list[Option]]:
    """What `command(settings=...)` takes: the options that systems add to this command.

    Args:
        into: the parameter, a dict, that they fill with text.
    """

    def found(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
        added: list[Option] = []
        for one in extensions.options(command):
            flag, _, metavar = one.flag.partition(" ")
            if flag not in taken:
                decls = [flag, f"{into}_{one.key}"]
                added.append(Option(decls, key=f"{into}.{one.key}", metavar=metavar, help=one.help, type=str))
        return added

    return found
