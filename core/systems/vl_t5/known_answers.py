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
from core.systems.vl_t5.ask import with_prefix
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
LEAST_CHANCE = 1e-12
"""Below it a loss grows no more: it is 27.6 at most."""
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class KnownQuestions:
    """Questions with their answers and the picture each is about."""

    frame: pd.DataFrame
    """(n) rows with `NEEDED` and whatever else the table has."""
    pictures: I64
    """(n,) which of `of` a question is about."""
    of: I64
    """Places in the store of the pictures that are asked about, each once."""
    notes: tuple[str, ...] = ()


def read_known_questions(table: Path, index: FileIndex) -> KnownQuestions:
    """The questions of a table; rows without question, answer or a picture of their own are left out, and counted.

    Args:
        index: the files of the pictures (`core.data.images.matching.index_files`).

    Raises:
        InvalidInput: a column is missing, one has the name of a column that is added, or no row is left.
    """
    frame = read_table(table, as_text=NEEDED).frame
    names = [str(name) for name in frame.columns]
    if absent := [name for name in NEEDED if name not in names]:
        raise InvalidInput(
            f"{table.name} must have the columns {listed(NEEDED)}: {listed(absent)} is missing among "
            f"{listed(names, 8)}. Rename them."
        )
    if taken := [name for name in WRITTEN if name in names]:
        raise InvalidInput(f"{table.name} has a column {taken[0]!r}, which is written here. Rename or remove it.")
    said = {name: texts_of(frame[name]) for name in NEEDED}
    places = [index.find(text) if text else [] for text in said[IMAGE]]
    good = np.array([len(own) == 1 for own in places]) & np.array(
        [bool((q or "").strip()) and bool((a or "").strip()) for q, a in zip(said[QUESTION], said[ANSWER])]
    )
    if not good.any():
        raise InvalidInput(
            f"No row of {table.name} has a question, an answer and a picture that is there. Check the names in its "
            f"column {IMAGE!r} against --images."
        )
    if ID not in names:
        frame.insert(0, ID, np.arange(len(frame)))
    if GROUP not in names:
        frame.insert(2, GROUP, frame[IMAGE])
    kept = frame[good].reset_index(drop=True)
    for name in (QUESTION, ANSWER):
        kept[name] = [" ".join(str(text).split()) for text in said[name][good]]
    of, pictures = np.unique(np.array([own[0] for own, ok in zip(places, good) if ok], np.int64), return_inverse=True)
    notes = () if good.all() else (f"{count(int((~good).sum()), 'row')} without question, answer or picture left out.",)
    return KnownQuestions(kept, pictures.astype(np.int64), of, notes)


def losses_of(
    describer: Describer,
    known: KnownQuestions,
    pictures: PictureTokens,
    grid: tuple[int, int],
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """The table with what the model wrote to each question, whether that is the answer (0 or 1), and the loss: minus
    the logarithm of the probability of just that answer, in nats. Questions about a picture that cannot be read are
    left out. Where the table has no `ID` and no `GROUP`, they are the number of its row and the picture, whose
    questions a diagnosis then keeps together.

    Args:
        pictures: the cells of `known.of`, in that order.

    Raises:
        InvalidInput: the model takes features of another width, or gives a probability that is no number.
    """
    wanted = describer.model.visual.sizes.feat_dim
    got = pictures.tokens.shape[-1]
    if wanted != got:
        raise InvalidInput(
            f"The model takes features of {wanted:,} numbers and the encoder gives cells of {got:,}. Choose the "
            "encoder that the model was trained with."
        )
    place = np.full(len(known.of), -1, np.int64)
    place[pictures.kept] = np.arange(len(pictures))
    frame = known.frame[place[known.pictures] >= 0].reset_index(drop=True)
    rows = place[known.pictures]
    rows = rows[rows >= 0]
    boxes = grid_boxes(*grid)[None]
    given = [with_prefix(text) for text in frame[QUESTION]]
    answers = [str(text) for text in frame[ANSWER]]
    written = list[str]()
    chances = list[float]()
    report = Reporter(progress, "answer", len(rows))
    for at in range(0, len(rows), _BATCH):
        part = slice(at, at + _BATCH)
        cells = PictureParts(torch.from_numpy(pictures.rows(rows[part]).tokens), boxes)
        written += [one.text for one in describer.answer(given[part], cells)]
        chances += describer.chances(given[part], answers[part], cells)
        report(len(chances))
    right = [int(text.casefold() == answer.casefold()) for text, answer in zip(written, answers, strict=True)]
    return frame.assign(**dict(zip(WRITTEN, (written, right, loss_of(np.array(chances))), strict=True)))


def loss_of(chances: F64) -> F64:
    """-ln of (n,) probabilities, none below `LEAST_CHANCE`.

    Raises:
        InvalidInput: one is no number.

    Example:
        >>> loss_of(np.array([1.0, 0.0])).round(1).tolist()
        [0.0, 27.6]
    """
    if not np.isfinite(chances).all():
        raise InvalidInput("The model gives probabilities that are no numbers. Copy it again, or train it anew.")
    return np.clip(-np.log(np.maximum(chances, LEAST_CHANCE)), 0.0, -math.log(LEAST_CHANCE))
