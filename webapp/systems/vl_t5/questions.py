"""Ask the images, below the captions of the tab Ask: the shipped model answers a question about every image of the
open run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.numbers import number
from core.records import Diagnosis, Progress
from webapp.ask.kept import KeptState, Made, Part, build_part, wire_map, write_files
from webapp.markup.html import Tile, tile_of
from webapp.panels import Opening, Page
from webapp.state.caches import own_cache
from webapp.state.session import Session, require_run
from webapp.systems.vl_t5.captions import render

if TYPE_CHECKING:
    from core.systems.vl_t5.ask import AskedPictures

FILES = (("answers.json", "Answers (JSON)"), ("answers_of_pictures.csv", "Images (CSV)"))
EXAMPLES = ("what colour is the cube ?", "what shape is the red thing ?", "how many balls are there ?")
ENCODER = "embedded"
"""Encoder of the cells that the shipped model reads."""
MAX_QUESTION = 400
"""Characters."""
SHOWN_ANSWERS = 20
IMAGES_PER_ANSWER = 3
ILLUSTRATED_ANSWERS = 6
"""Most frequent answers that get images."""


def checked_question(question: str) -> str:
    """The question as the model takes it.

    Raises:
        InvalidInput: it is empty, too long, or another task of the model, which has no bar.
    """
    from core.systems.vl_t5.ask import with_prefix
    from core.systems.vl_t5.tasks import QUESTION

    if len(question) > MAX_QUESTION:
        raise InvalidInput(f"A question has at most {MAX_QUESTION} characters: got {len(question):,}. Shorten it.")
    text = with_prefix(question)
    if not text.startswith(QUESTION):
        raise InvalidInput(
            f"“{question.strip()[:40]}” begins with the name of another task. Ask a question here, or use the "
            "command `answers`."
        )
    return text


def make_answers(session: Session, question: str, questions: int, progress: Progress) -> Made:
    """Ask a `checked_question` about every image of the open run, and write the files.

    Raises:
        InvalidInput: the run has no images, or the model does not know a word of the question.
    """
    from core.systems.common.run_pictures import pictures_of
    from core.systems.vl_t5.ask import ask_pictures, read_cells  # brings the network's runtime
    from core.systems.vl_t5.caution import caution_of
    from core.systems.vl_t5.folder import folder_of, read_describer
    from core.systems.vl_t5.tables import asked_document, asked_table

    diagnosis = require_run(session)
    folder = folder_of(None)
    describer = read_describer(folder)
    if unknown := describer.unknown_words(question):
        raise InvalidInput(
            f"The model does not know {', '.join(f'“{word[:40]}”' for word in unknown[:4])}. Use the examples' words: "
            "colors, cubes, balls, cones, cylinders, rings, and stars."
        )
    images = pictures_of(diagnosis, why="The model reads the images")
    cells, grid = read_cells(diagnosis, images, ENCODER, own_cache(), progress)
    asked = ask_pictures(diagnosis, question, describer, cells, grid, caution=caution_of(folder), progress=progress)
    files = write_files("answers", FILES, asked_document(diagnosis, asked), asked_table(diagnosis, asked))
    answer_of_row = np.array(asked.answers, object)
    picks = list[dict[str, Any]]()
    for counted in asked.counts[:SHOWN_ANSWERS]:
        rows = asked.rows[answer_of_row == counted.answer]
        picks.append({"rows": tuple(rows.tolist()), "title": f"Answered “{counted.answer}”"})
    return Made(session.run, answers_view(diagnosis, asked, questions), files, tuple(picks), questions)


def answers_view(diagnosis: Diagnosis, asked: AskedPictures, questions: int) -> str:
    """The headline, each answer with its shares, and images.

    Args:
        questions: number of questions about the run in this visit: the p-values of each cover that question only.
    """
    from core.systems.vl_t5.tasks import QUESTION
    from core.systems.vl_t5.wording import ASKED_RULE, NO_BAR, UNKNOWN_BAR, asked_headline, asked_verdict, passes

    return render(
        "pictures.html.j2",
        question=asked.question.removeprefix(QUESTION).strip(),
        headline=asked_headline(asked),
        verdict=asked_verdict(asked),
        rule=ASKED_RULE,
        bar=NO_BAR if asked.bar is None else UNKNOWN_BAR,
        counts=[(answer, passes(answer)) for answer in asked.counts[:SHOWN_ANSWERS]],
        more=max(0, len(asked.counts) - SHOWN_ANSWERS),
        tiles=_tiles(diagnosis, asked),
        notes=asked.notes,
        questions=questions,
    )


def _tiles(diagnosis: Diagnosis, asked: AskedPictures) -> tuple[Tile, ...]:
    """The images with the highest probability for each of the most frequent answers."""
    from core.systems.vl_t5.ask import UNLIKE

    answers = asked.answers
    reasons = asked.reasons
    answer_of_row = np.array(answers, object)
    probabilities = np.array([answer.probability for answer in asked.spoken])
    order = np.argsort(-np.nan_to_num(probabilities), kind="stable")
    tiles = list[Tile]()
    for counted in asked.counts[:ILLUSTRATED_ANSWERS]:
        for index in order[answer_of_row[order] == counted.answer][:IMAGES_PER_ANSWER].tolist():
            line = f"probability {number(asked.spoken[index].probability, 2)}"
            if reasons[index] == UNLIKE:
                line = "unlike the training images"
            elif reasons[index]:
                line = f"{reasons[index]}: {asked.spoken[index].text}, {line}"
            foot = (answers[index], line)
            tiles.append(tile_of(diagnosis, int(asked.rows[index]), mark_wrong=True, foot=foot))
    return tuple(tiles)


def answers_work(session: Session, state: KeptState, question: str | None) -> Callable[[Progress], Made]:
    """Check the question, and return the work that asks it about every image."""
    text = checked_question(question or "")
    return lambda progress: make_answers(session, text, state.next_count(session.run), progress)


def fields() -> list[Any]:
    """The field of the question."""
    label = "Question about drawn scenes"
    return [gr.Textbox(label=label, placeholder=EXAMPLES[0], elem_id="pictures-text", max_length=MAX_QUESTION)]


PART = Part(
    "pictures",
    "Ask the images",
    "Ask every image",
    FILES,
    failed="The images were not asked",
    intro=lambda _: render("pictures_intro.html.j2", texts=EXAMPLES),
    work=answers_work,
)


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    built = build_part(PART, page, opening, fields)
    wire_map(page, built, built.view)
