"""Distill a teacher on texts, and measure the student on held-out texts."""

from __future__ import annotations

from pathlib import Path

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.common.student_texts import TextColumn, split_texts
from core.systems.common.words import count_longer, tokens_of
from core.systems.tinybert.augmentation import Augmenter
from core.systems.tinybert.figures import measure
from core.systems.tinybert.loop import TaughtStudent, teach
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.student_folder import StudentCard, make_card, read_student
from core.systems.tinybert.teacher import BertFolder, read_bert


def distil(
    teacher: BertFolder,
    column: TextColumn,
    how: Distillation,
    *,
    start: Path | None = None,
    masked_lm: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[TaughtStudent, StudentCard]:
    """Train a student on the column's texts.

    Args:
        start: folder of a student to train further; None trains a new one.
        masked_lm: folder of a BertForMaskedLM with the teacher's tokenizer, for the copies of `how.augment`.
        progress: called as (step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the sizes do not fit the teacher, a folder cannot be read, or the loss became NaN.
    """
    if teacher.kind == "words" and how.prediction_epochs:
        raise InvalidInput(
            f"{teacher.folder} is a language model, whose head cannot be distilled: got --prediction-epochs "
            f"{how.prediction_epochs}. Use --prediction-epochs 0 to distill its layers."
        )
    layers = how.intermediate_epochs and (how.embedding or how.hidden or how.attention)
    if not layers and not how.prediction_epochs:
        raise InvalidInput("Nothing to train: all epochs or all losses are off. Add --prediction-epochs 4.")
    student = make_student(teacher, how) if start is None else read_student(start, teacher)
    language_model = None
    if masked_lm is not None:
        language_model = read_bert(masked_lm, ("words",))
        if language_model.tokenizer.get_vocab() != teacher.tokenizer.get_vocab():
            raise InvalidInput(
                f"{masked_lm} and the teacher have different vocabularies. Use a model with the teacher's."
            )
    most = min(how.max_tokens, teacher.config.max_position_embeddings)
    tokens = tokens_of(teacher.tokenizer, column.texts, most)
    learn_rows, held_out_rows = split_texts(len(tokens), how.held_out, how.seed)
    learn = [tokens[i] for i in learn_rows]
    held_out = [tokens[i] for i in held_out_rows]
    copies: list[list[int]] = []
    if how.augment:
        copies = Augmenter(teacher, language_model, how).copies(learn, progress)
    taught = teach(teacher, student, [*learn, *copies], how, progress)
    figures = measure(teacher, taught.student, held_out, seed=how.seed)
    counts = {"learned": len(learn), "copies": len(copies), "held_out": len(held_out)}
    counts |= {"most_tokens": most, "cut": count_longer(teacher.tokenizer, column.texts, most)}
    return taught, make_card(teacher, taught, how, column, counts, figures)
