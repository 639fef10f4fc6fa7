"""Ask the images, below the captions of the tab Ask: the shipped model answers a question about every image of the
open run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.numbers import number
from core.records import Diagnosis, Progress
from webapp.ask.kept import KeptState, has_pictures, made_parts, pane, receive, reopened, write_files
from webapp.explore.picked import show_selection
from webapp.markup.html import Tile, tile_of
from webapp.panels import Page
from webapp.state.caches import own_cache
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PRIVATE, QUICK, Job, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.vl_t5.render import render

if TYPE_CHECKING:
    from core.systems.vl_t5.ask import AskedPictures

FILES = (("answers.json", "Answers (JSON)"), ("answers_of_pictures.csv", "Images (CSV)"))
ELSEWHERE = "These answers belong to another run. Open that run to see them."
EXAMPLES = ("what colour is the cube ?", "what shape is the red thing ?", "how many balls are there ?")
ENCODER = "embedded"
"""Encoder of the cells that the shipped model reads."""
MAX_QUESTION = 400
"""Characters."""
SHOWN_ANSWERS = 20
IMAGES_PER_ANSWER = 3
ILLUSTRATED_ANSWERS = 6
"""Most frequent answers that get images."""


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredRun:
    """The answers about a run's images as shown, and their files."""

    run: str
    view: str
    answers: tuple[tuple[str, tuple[int, ...]], ...]
    """Each answer of the table with the rows that got it."""
    files: tuple[Path, ...]
    questions: int
    """Number of questions about this run in this visit."""


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


def make_answers(session: Session, question: str, questions: int, progress: Progress) -> AnsweredRun:
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
    rows_of_answer = list[tuple[str, tuple[int, ...]]]()
    for counted in asked.counts[:SHOWN_ANSWERS]:
        rows = asked.rows[answer_of_row == counted.answer]
        rows_of_answer.append((counted.answer, tuple(rows.tolist())))
    view = answers_view(diagnosis, asked, questions)
    return AnsweredRun(session.run, view, tuple(rows_of_answer), files, questions)


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


def on_answers(session: Session, state: KeptState[AnsweredRun], question: str | None) -> Iterator[tuple[Any, ...]]:
    """Ask about every image; yields (job id, status, answered run)."""
    require_run(session)
    text = checked_question(question or "")
    before = next((answered.questions for answered in state.saved if answered.run == session.run), 0)
    job = Job(lambda progress: make_answers(session, text, before + 1, progress))
    yield from follow(job, "The images were not asked", None, reminder="Your question is still here.")


def on_answered(session: Session, state: KeptState[AnsweredRun], answered: AnsweredRun | None) -> tuple[Any, ...]:
    """Show the answers, or save those of a run that is not open: returns (state, status, view, downloads)."""
    return receive(session, state, answered, FILES, ELSEWHERE)


def on_example(event: gr.EventData) -> str:
    """Take an example: returns the question."""
    return str(event_data(event).get("text", ""))[:MAX_QUESTION]


def on_show(session: Session, state: KeptState[AnsweredRun], event: gr.EventData) -> tuple[Any, ...]:
    """Show the images with an answer on the map: returns (tabs, session, pane, map)."""
    index = as_int(event_data(event).get("place"))
    answered = state.current
    if answered is None or state.run != session.run or not 0 <= index < len(answered.answers):
        raise InvalidInput("These answers belong to another run. Ask the open run's images again.")
    answer, rows = answered.answers[index]
    mapped = show_selection(session.only(rows=rows, title=f"Answered “{answer}”"))
    return gr.update(selected="explore"), *mapped


def intro(diagnosis: Diagnosis | None) -> str:
    """What the model knows and example questions, or that this run has no images."""
    usable = diagnosis is None or has_pictures(diagnosis)
    return render("pictures_intro.html.j2", pictures=usable, texts=EXAMPLES)


def on_run(session: Session, state: KeptState[AnsweredRun]) -> tuple[Any, ...]:
    """Update the tab: returns (accordion, hidden without images, then the values of `reopened`)."""
    accordion = gr.skip()
    if session.run:
        accordion = gr.update(visible=has_pictures(RUNS.get(session.run)))
    return accordion, *reopened(session, state, intro, FILES)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    answered = gr.State(None)
    usable = diagnosis is None or has_pictures(diagnosis)
    title = "Ask the images"
    with gr.Accordion(title, open=False, visible=usable, elem_id="pictures") as fold:
        intro_pane = gr.HTML(intro(diagnosis), run="", elem_id="pictures-intro", **pane())
        text = gr.Textbox(
            label="Question about drawn scenes",
            placeholder=EXAMPLES[0],
            elem_id="pictures-text",
            lines=1,
            max_lines=1,
            max_length=MAX_QUESTION,
        )
        parts = made_parts("pictures", "Ask every image", FILES, first, width=180, interactive=usable)
    asks: dict[str, Any] = {"fn": shows_errors(on_answers), "inputs": [session, state, text], **HEAVY, **PRIVATE}
    asks["outputs"] = [job, parts.status, answered]
    chosen = intro_pane.act(shows_errors(on_example), None, [text], **QUICK)
    outputs = [parts.status, parts.view, *parts.buttons]
    for asked in (gr.on([parts.run.click, text.submit], **asks), chosen.then(**asks)):
        asked.success(shows_errors(on_answered), [session, state, answered], [state, *outputs], **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.view.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    tab.select(shows_errors(on_run), [session, state], [fold, state, intro_pane, parts.run, *outputs], **QUICK)
