"""One question put to every picture of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.checks.reasons import failing
from core.discovery.design import design_of
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.numbers import listed
from core.options import check_text
from core.records import F32, I64, Bool, Diagnosis, ItemStore, Progress, Reporter, no_progress
from core.systems.common.tokens import PictureTokens, read_image_tokens
from core.systems.vl_t5.caution import SURE, Caution
from core.systems.vl_t5.describer import Describer, SpokenAnswer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.over_represented import over_represented
from core.systems.vl_t5.tasks import PREFIXES, QUESTION
from core.systems.vl_t5.vision import grid_boxes

NOT_SURE = "not sure"
UNLIKE = "unlike"
BELOW = "below the bar"
"""Why it is not sure of a picture."""
LEAST = 5
"""Pictures that must have an answer, and another one, for it to be compared."""
_BATCH = 64


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often one answer was given."""

    answer: str
    """`NOT_SURE` stands for all below the bar."""
    n: int
    among_failures: float
    """Share of the failures that got it."""
    elsewhere: float
    """The same of the rest."""
    p: float | None
    """Adjusted over the answers: more often among failures than chance allows inside classes; None where it was not
    compared."""


@dataclass(frozen=True, slots=True, eq=False)
class AskedPictures:
    """A question and what was answered, a picture each."""

    question: str
    rows: I64
    """(m,) row of the run of each picture that could be read."""
    said: tuple[SpokenAnswer, ...]
    bar: float | None
    """Below it an answer counts as "not sure"; None: every answer counts."""
    unlike: Bool | None
    """(m,) pictures unlike those that the model learned from, of which it is "not sure"; None: it is not known."""
    counts: tuple[AnswerCount, ...]
    """The most frequent first."""
    notes: tuple[str, ...]

    @property
    def answers(self) -> list[str]:
        """Of each picture: the answer, or "not sure"."""
        return counted(self.said, self.bar, self.unlike)

    @property
    def reasons(self) -> list[str]:
        """Of each picture: why the model is not sure, "" where it is."""
        return reasons(self.said, self.bar, self.unlike)


def counted(said: Sequence[SpokenAnswer], bar: float | None, unlike: Bool | None = None) -> list[str]:
    """The answers, or "not sure" below the bar, where a probability is no number, and of pictures of another kind."""
    return [NOT_SURE if why else one.text for one, why in zip(said, reasons(said, bar, unlike), strict=True)]


def reasons(said: Sequence[SpokenAnswer], bar: float | None, unlike: Bool | None) -> list[str]:
    """Why each answer does not count: `UNLIKE` or `BELOW`, "" where it does. Of a bar of 1 none does: a probability is
    rounded to 1, too."""
    known = [math.isfinite(one.probability) and (bar is None or (bar <= one.probability and bar < 1)) for one in said]
    other = [False] * len(said) if unlike is None else unlike.tolist()
    return [UNLIKE if far else "" if ok else BELOW for far, ok in zip(other, known, strict=True)]


def with_prefix(question: str) -> str:
    """The question as the model takes it: a prefix of its own stays, any other text is a question.

    Raises:
        InvalidInput: it is empty or too long.

    Example:
        >>> with_prefix("what colour is the cube?")
        'vqa: what colour is the cube?'
    """
    text = " ".join(question.split())
    if not text:
        raise InvalidInput('A question needs words, such as --ask "what colour is the cube?".')
    check_text(text, "The question")
    return text if text.startswith(PREFIXES) else f"{QUESTION} {text}"


def read_cells(
    diagnosis: Diagnosis, images: ItemStore, encoder: str, cache: Path | None, progress: Progress = no_progress
) -> tuple[PictureTokens, tuple[int, int]]:
    """The cells of the run's pictures, and how many rows and columns there are.

    Raises:
        InvalidInput: there are not as many pictures as samples, or the encoder gives no cells.
    """
    if len(images) != len(diagnosis.samples):
        raise InvalidInput(
            f"There are {len(images):,} pictures for {len(diagnosis.samples):,} samples. Bring one each."
        )
    from core.encoders import load_encoder

    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    return read_image_tokens(images, loaded, tower, cache=cache, progress=progress), tower.grid


def say(
    describer: Describer, pictures: PictureTokens, grid: tuple[int, int], text: str, progress: Progress = no_progress
) -> tuple[SpokenAnswer, ...]:
    """The model's answer to the same text for each picture.

    Raises:
        InvalidInput: the model takes features of another width.
    """
    wanted = describer.model.visual.sizes.feat_dim
    got = pictures.tokens.shape[-1]
    if wanted != got:
        raise InvalidInput(
            f"The model takes features of {wanted:,} numbers and the encoder gives cells of {got:,}. Choose the "
            "encoder that the model was trained with."
        )
    boxes = grid_boxes(*grid)[None]
    found = list[SpokenAnswer]()
    report = Reporter(progress, "answer", len(pictures))
    for at in range(0, len(pictures), _BATCH):
        cells = pictures.rows(np.arange(at, min(at + _BATCH, len(pictures)))).tokens
        found += describer.answer([text] * len(cells), PictureParts(torch.from_numpy(cells), boxes))
        report(len(found))
    return tuple(found)


def ask_pictures(
    diagnosis: Diagnosis,
    question: str,
    describer: Describer,
    pictures: PictureTokens,
    grid: tuple[int, int],
    *,
    caution: Caution = SURE,
    seed: int = 0,
    progress: Progress = no_progress,
) -> AskedPictures:
    """Put the question to every picture and compare the answers of failures with those of the rest."""
    text = with_prefix(question)
    said = say(describer, pictures, grid, text, progress)
    is_question = text.startswith(QUESTION)  # bars were set on questions
    bar = caution.bar_for(text.removeprefix(QUESTION).strip()) if is_question else None
    if unknown := describer.unknown_words(text):
        bar = bar if bar is None else 1.0  # it was set on questions of known words
    unlike = None if caution.likeness is None else ~caution.likeness.alike(means_of(pictures))
    counts = _counts(diagnosis, pictures.kept, counted(said, bar, unlike), seed)
    return AskedPictures(text, pictures.kept, said, bar, unlike, counts, (*_of_words(unknown), *pictures.notes))


def _of_words(unknown: Sequence[str]) -> tuple[str, ...]:
    return (f"The model does not know {listed(unknown)}.",) if unknown else ()


def means_of(pictures: PictureTokens) -> F32:
    """(n, f) mean of each picture's cells."""
    parts = (np.arange(at, min(at + _BATCH, len(pictures))) for at in range(0, len(pictures), _BATCH))
    return np.concatenate([pictures.rows(rows).tokens.mean(1) for rows in parts])


def _counts(diagnosis: Diagnosis, rows: I64, answers: list[str], seed: int) -> tuple[AnswerCount, ...]:
    design = design_of(diagnosis)
    fails = failing(diagnosis)[rows]
    each = Counter(answers).most_common()
    compared = [name for name, n in each if LEAST <= n <= len(rows) - LEAST]
    p: dict[str, float] = {}
    if compared and design.testable and 0 < fails.sum() < len(rows):
        present = np.array([[answer == name for name in compared] for answer in answers])
        groups = None if design.groups is None else design.groups[rows]
        test = over_represented(present, fails, design.centring_stratum[rows], groups, seed=seed)
        p = {name: float(test.p[k]) for k, name in enumerate(compared) if not np.isnan(test.p[k])}
    own = np.array(answers, object)
    return tuple(
        AnswerCount(name, n, _share(own[fails] == name), _share(own[~fails] == name), p.get(name)) for name, n in each
    )


def _share(same: object) -> float:
    found = np.asarray(same, np.float64)
    return float(found.mean()) if len(found) else 0.0
