"""From a teacher and texts to a taught student, measured on texts that it did not learn from."""

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
    """Teach a student on the column's texts.

    Args:
        start: folder of a student that goes on learning, in place of a new one.
        masked_lm: folder of a BertForMaskedLM with the teacher's tokenizer, for the copies of `how.augment`.
        progress: called as (step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the sizes do not fit the teacher, a folder cannot be read, or the loss is no number any more.
    """
    _check(teacher, how)
    student = make_student(teacher, how) if start is None else read_student(start, teacher)
    model = None if masked_lm is None else _language_model(masked_lm, teacher)
    most = min(how.max_tokens, teacher.config.max_position_embeddings)
    tokens = tokens_of(teacher.tokenizer, column.texts, most)
    learn, hold = ([tokens[i] for i in rows] for rows in split_texts(len(tokens), how.held_out, how.seed))
    copies = Augmenter(teacher, model, how).copies(learn, progress) if how.augment else []
    taught = teach(teacher, student, [*learn, *copies], how, progress)
    figures = measure(teacher, taught.student, hold, seed=how.seed)
    counts = {"learned": len(learn), "copies": len(copies), "held_out": len(hold)}
    counts |= {"most_tokens": most, "cut": count_longer(teacher.tokenizer, column.texts, most)}
    return taught, make_card(teacher, taught, how, column, counts, figures)


def _check(teacher: BertFolder, how: Distillation) -> None:
    if teacher.kind == "words" and how.prediction_epochs:
        raise InvalidInput(
            f"{teacher.folder} holds a language model, whose head is not distilled: --prediction-epochs must be 0 "
            f"(general distillation, layers alone): got {how.prediction_epochs}."
        )
    layers = how.intermediate_epochs and (how.embedding or how.hidden or how.attention)
    if not layers and not how.prediction_epochs:
        raise InvalidInput("There is nothing to learn: no epochs, or no losses. Give --prediction-epochs, say 4.")


def _language_model(folder: Path, teacher: BertFolder) -> BertFolder:
    """The language model for copies, whose words are the teacher's."""
    found = read_bert(folder, ("words",))
    if found.tokenizer.get_vocab() != teacher.tokenizer.get_vocab():
        raise InvalidInput(f"{folder} has another vocabulary than the teacher, so its words do not fit. Use its own.")
    return found
