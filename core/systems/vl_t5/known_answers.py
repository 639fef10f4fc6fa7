"""A model's loss on questions whose answers are known: a table that is diagnosed like that of any other model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.data.images.matching import FileIndex
from core.data.tables.cells import texts_of
from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.numbers import count, listed
from core.records import F64, I64, Progress, Reporter, no_progress
from core.systems.common.tokens import PictureTokens
from core.systems.vl_t5.ask import check_width, with_prefix
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import grid_boxes

IMAGE = "image"
QUESTION = "question"
ANSWER = "answer"
NEEDED = (IMAGE, QUESTION, ANSWER)
ID = "id"
GROUP = "group"
WRITTEN = ("prediction", "correct", "loss")
"""Columns that are added: what the model wrote, whether that is the answer, and the loss of the answer."""
MIN_PROBABILITY = 1e-12
"""Smaller probabilities count as this, so that a loss is at most 27.6 nats."""
BATCH_QUESTIONS = 64


@dataclass(frozen=True, slots=True, eq=False)
class KnownQuestions:
    """Questions with their answers and the image each is about."""

    frame: pd.DataFrame
    """(n) rows with `NEEDED` and whatever else the table has."""
    pictures: I64
    """(n,) index into `of` of each question's image."""
    of: I64
    """Indexes in the store of the images that are asked about, each once."""
    notes: tuple[str, ...] = ()


def read_known_questions(table: Path, index: FileIndex) -> KnownQuestions:
    """The questions of a table, without the rows that lack a question, an answer or one matching image.

    A note counts the rows left out. Where the table has no `ID` or `GROUP`, they become the row's number and its image,
    so that a diagnosis keeps the questions about an image together.

    Args:
        index: the files of the images (`core.data.images.matching.index_files`).

    Raises:
        InvalidInput: a column is missing, one has the name of a column that is added, or no row is left.
    """
    frame = read_table(table, as_text=NEEDED).frame
    names = [str(name) for name in frame.columns]
    if absent := [name for name in NEEDED if name not in names]:
        raise InvalidInput(
            f"{table.name} needs the columns {listed(NEEDED)}: {listed(absent)} is missing among "
            f"{listed(names, 8)}. Rename or add columns."
        )
    if taken := [name for name in WRITTEN if name in names]:
        raise InvalidInput(f"{table.name} has a column {taken[0]!r}, which this command adds. Rename or remove it.")
    texts = {name: texts_of(frame[name]) for name in NEEDED}
    indexes = [index.find(text) if text else [] for text in texts[IMAGE]]
    usable = np.zeros(len(frame), bool)
    for row, (matches, question, answer) in enumerate(zip(indexes, texts[QUESTION], texts[ANSWER], strict=True)):
        usable[row] = len(matches) == 1 and bool((question or "").strip()) and bool((answer or "").strip())
    if not usable.any():
        raise InvalidInput(
            f"No row of {table.name} has a question, an answer and a matching image. Check the names in its "
            f"column {IMAGE!r} against --images."
        )
    if ID not in names:
        frame.insert(0, ID, np.arange(len(frame)))
    if GROUP not in names:
        frame.insert(2, GROUP, frame[IMAGE])
    asked = frame[usable].reset_index(drop=True)
    for name in (QUESTION, ANSWER):
        asked[name] = [" ".join(str(text).split()) for text in texts[name][usable]]
    image_of_row = np.array([indexes[row][0] for row in np.flatnonzero(usable).tolist()], np.int64)
    of, pictures = np.unique(image_of_row, return_inverse=True)
    notes = ()
    if not usable.all():
        notes = (f"Skipped {count(int((~usable).sum()), 'row')} without question, answer or image.",)
    return KnownQuestions(asked, pictures.astype(np.int64), of, notes)


def losses_of(
    describer: Describer,
    known: KnownQuestions,
    pictures: PictureTokens,
    grid: tuple[int, int],
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """The table with the columns `WRITTEN`: the model's answer, whether it is right (0 or 1), and the loss.

    The loss is minus the natural logarithm of the probability of exactly the known answer, in nats. Questions about an
    unreadable image are left out.

    Args:
        images: the cells of `known.of`, in that order.

    Raises:
        InvalidInput: the model takes features of another width, or a probability is not finite.
    """
    check_width(describer, pictures)
    cell_row = np.full(len(known.of), -1, np.int64)
    cell_row[pictures.kept_rows] = np.arange(len(pictures))
    rows = cell_row[known.pictures]
    frame = known.frame[rows >= 0].reset_index(drop=True)
    rows = rows[rows >= 0]
    boxes = grid_boxes(*grid)[None]
    questions = [with_prefix(text) for text in frame[QUESTION]]
    answers = [str(text) for text in frame[ANSWER]]
    written = list[str]()
    chances = list[float]()
    report = Reporter(progress, "answer", len(rows))
    for at in range(0, len(rows), BATCH_QUESTIONS):
        part = slice(at, at + BATCH_QUESTIONS)
        cells = PictureParts(torch.from_numpy(pictures.rows(rows[part]).tokens), boxes)
        written += [answer.text for answer in describer.answer(questions[part], cells)]
        chances += describer.chances(questions[part], answers[part], cells)
        report(len(chances))
    right = [int(text.casefold() == answer.casefold()) for text, answer in zip(written, answers, strict=True)]
    return frame.assign(**dict(zip(WRITTEN, (written, right, loss_of(np.array(chances))), strict=True)))


def loss_of(chances: F64) -> F64:
    """-ln of (n,) probabilities, none below `MIN_PROBABILITY`, in nats.

    Raises:
        InvalidInput: one is not finite.

    Example:
        >>> loss_of(np.array([1.0, 0.0])).round(1).tolist()
        [0.0, 27.6]
    """
    if not np.isfinite(chances).all():
        raise InvalidInput("The model's probabilities are not finite. Copy the model again, or retrain it.")
    return np.clip(-np.log(np.maximum(chances, MIN_PROBABILITY)), 0.0, -math.log(MIN_PROBABILITY))
