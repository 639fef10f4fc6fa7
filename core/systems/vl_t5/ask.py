"""One question put to every image of a run."""

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
from core.records import F32, F64, I64, Bool, Diagnosis, ItemStore, Progress, Reporter, no_progress
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
"""Why the model is not sure of an image."""
MIN_IMAGES = 5
"""An answer is compared where at least this many images got it, and as many did not. A convention."""
BATCH_IMAGES = 64


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often one answer was given."""

    answer: str
    """`NOT_SURE` stands for all below the bar."""
    n: int
    among_failures: float
    """Share of the failures that got it."""
    elsewhere: float
    """Share of the others that got it."""
    p: float | None
    """Adjusted over the answers: more often among failures than chance allows within classes; None: not compared."""


@dataclass(frozen=True, slots=True, eq=False)
class AskedPictures:
    """A question and its answer for each image."""

    question: str
    rows: I64
    """(m,) row of the run of each image that could be read."""
    spoken: tuple[SpokenAnswer, ...]
    bar: float | None
    """Below it an answer counts as "not sure"; None: every answer counts."""
    unlike: Bool | None
    """(m,) images unlike the training images, which count as "not sure"; None: unknown."""
    counts: tuple[AnswerCount, ...]
    """The most frequent first."""
    notes: tuple[str, ...]

    @property
    def answers(self) -> list[str]:
        """The answer for each image, or "not sure"."""
        return count_sure_answers(self.spoken, self.bar, self.unlike)

    @property
    def reasons(self) -> list[str]:
        """Why the model is not sure of each image, "" where it is."""
        return reasons(self.spoken, self.bar, self.unlike)


def count_sure_answers(spoken: Sequence[SpokenAnswer], bar: float | None, unlike: Bool | None = None) -> list[str]:
    """The answers; "not sure" below the bar, for unlike images, and where the probability is not finite."""
    why_not = reasons(spoken, bar, unlike)
    return [NOT_SURE if why else answer.text for answer, why in zip(spoken, why_not, strict=True)]


def reasons(spoken: Sequence[SpokenAnswer], bar: float | None, unlike: Bool | None) -> list[str]:
    """Why each answer does not count: `UNLIKE` or `BELOW`, "" where it does.

    At a bar of 1 every answer is below it, because a probability can be rounded to 1.
    """
    answer_reasons = list[str]()
    for row, answer in enumerate(spoken):
        above = math.isfinite(answer.probability) and (bar is None or (bar <= answer.probability and bar < 1))
        if unlike is not None and unlike[row]:
            answer_reasons.append(UNLIKE)
        elif above:
            answer_reasons.append("")
        else:
            answer_reasons.append(BELOW)
    return answer_reasons


def with_prefix(question: str) -> str:
    """The text for the model: a task prefix stays; any other text gets the prefix of a question.

    Raises:
        InvalidInput: it is empty or too long.

    Example:
        >>> with_prefix("what colour is the cube?")
        'vqa: what colour is the cube?'
    """
    text = " ".join(question.split())
    if not text:
        raise InvalidInput('The question is empty. Write one, for example --ask "what colour is the cube?".')
    check_text(text, "The question")
    return text if text.startswith(PREFIXES) else f"{QUESTION} {text}"


def read_cells(
    diagnosis: Diagnosis, images: ItemStore, encoder: str, cache: Path | None, progress: Progress = no_progress
) -> tuple[PictureTokens, tuple[int, int]]:
    """The cells of the run's images, and the (rows, columns) of their grid.

    Raises:
        InvalidInput: images and samples differ in number, or the encoder gives no cells.
    """
    if len(images) != len(diagnosis.samples):
        raise InvalidInput(f"{len(images):,} images for {len(diagnosis.samples):,} samples. Add one image per sample.")
    from core.encoders import load_encoder

    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    return read_image_tokens(images, loaded, tower, cache=cache, progress=progress), tower.grid


def answer_each(
    describer: Describer, pictures: PictureTokens, grid: tuple[int, int], text: str, progress: Progress = no_progress
) -> tuple[SpokenAnswer, ...]:
    """The model's answer to the same text for each image.

    Raises:
        InvalidInput: the model takes features of another width.
    """
    check_width(describer, pictures)
    boxes = grid_boxes(*grid)[None]
    answers = list[SpokenAnswer]()
    report = Reporter(progress, "answer", len(pictures))
    for at in range(0, len(pictures), BATCH_IMAGES):
        cells = pictures.rows(np.arange(at, min(at + BATCH_IMAGES, len(pictures)))).tokens
        answers += describer.answer([text] * len(cells), PictureParts(torch.from_numpy(cells), boxes))
        report(len(answers))
    return tuple(answers)


def check_width(describer: Describer, pictures: PictureTokens) -> None:
    """Check that the model takes cells as wide as the encoder's.

    Raises:
        InvalidInput: it takes another width.
    """
    model_width = describer.model.visual.sizes.feat_dim
    cell_width = pictures.tokens.shape[-1]
    if model_width != cell_width:
        raise InvalidInput(
            f"The model takes features of {model_width:,} numbers, but the encoder's cells have {cell_width:,}. "
            "Use the encoder that the model was trained with."
        )


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
    """Ask the question of every image, and compare the answers for failures with those for the others."""
    text = with_prefix(question)
    spoken = answer_each(describer, pictures, grid, text, progress)
    notes = list(pictures.notes)
    bar = None
    if text.startswith(QUESTION):  # bars were set on questions
        bar = caution.bar_for(text.removeprefix(QUESTION).strip())
    unknown = describer.unknown_words(text)
    if unknown:
        notes.insert(0, f"The model does not know {listed(unknown)}.")
        if bar is not None:
            bar = 1.0  # bars were set on questions of known words
    unlike = None
    if caution.likeness is not None:
        unlike = ~caution.likeness.alike(mean_cells(pictures))
    counts = _count_answers(diagnosis, pictures.kept_rows, count_sure_answers(spoken, bar, unlike), seed)
    return AskedPictures(text, pictures.kept_rows, spoken, bar, unlike, counts, tuple(notes))


def mean_cells(pictures: PictureTokens) -> F32:
    """(n, f) mean of each image's cells."""
    means = list[F32]()
    for at in range(0, len(pictures), BATCH_IMAGES):
        rows = np.arange(at, min(at + BATCH_IMAGES, len(pictures)))
        means.append(pictures.rows(rows).tokens.mean(1))
    return np.concatenate(means)


def _count_answers(diagnosis: Diagnosis, rows: I64, answers: list[str], seed: int) -> tuple[AnswerCount, ...]:
    design = design_of(diagnosis)
    fails = failing(diagnosis)[rows]
    frequencies = Counter(answers).most_common()
    compared = [name for name, n in frequencies if MIN_IMAGES <= n <= len(rows) - MIN_IMAGES]
    p: dict[str, float] = {}
    if compared and design.testable and 0 < fails.sum() < len(rows):
        present = np.array([[answer == name for name in compared] for answer in answers])
        groups = None if design.groups is None else design.groups[rows]
        test = over_represented(present, fails, design.centring_stratum[rows], groups, seed=seed)
        p = {name: float(test.p[k]) for k, name in enumerate(compared) if not np.isnan(test.p[k])}
    answer_of_row = np.array(answers, object)
    counts = list[AnswerCount]()
    for name, n in frequencies:
        same = np.asarray(answer_of_row == name, np.float64)
        counts.append(AnswerCount(name, n, _share(same[fails]), _share(same[~fails]), p.get(name)))
    return tuple(counts)


def _share(same: F64) -> float:
    if not len(same):
        return 0.0
    return float(same.mean())
