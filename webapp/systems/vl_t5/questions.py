"""Ask the pictures, below the captions of the tab Ask: one question, answered for every picture of the open run by the
model that comes along."""

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

FILES = (("answers.json", "Answers (JSON)"), ("answers_of_pictures.csv", "Pictures (CSV)"))
ELSEWHERE = "These answers are of another run. Open that run again to see them."
EXAMPLES = ("what colour is the cube ?", "what shape is the red thing ?", "how many balls are there ?")
ENCODER = "embedded"
"""Of whose cells the model that comes along makes its answers."""
MAX_QUESTION = 400
"""Characters of one."""
ANSWERS = 20
PICTURES = 3
"""Answers in the table, and pictures of each of the first `PICTURED`."""
PICTURED = 6


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredRun:
    """What was answered of a run's pictures as it is shown, and the files to take away."""

    run: str
    view: str
    answers: tuple[tuple[str, tuple[int, ...]], ...]
    """Each answer of the table with the run's rows that got it."""
    files: tuple[Path, ...]
    questions: int
    """So many were asked of this run in this visit."""


def checked_question(question: str) -> str:
    """The question as the model takes it.

    Raises:
        InvalidInput: it is empty, too long, or another task of the model, for which no bar was set.
    """
    from core.systems.vl_t5.ask import with_prefix
    from core.systems.vl_t5.tasks import QUESTION

    if len(question) > MAX_QUESTION:
        raise InvalidInput(f"A question may have {MAX_QUESTION} characters: this has {len(question):,}. Shorten it.")
    text = with_prefix(question)
    if not text.startswith(QUESTION):
        raise InvalidInput(
            f"Only questions are taken here, and “{question.strip()[:40]}” begins with the name of another task. Use "
            "the command `answers` for those."
        )
    return text


def make_answers(session: Session, question: str, questions: int, progress: Progress) -> AnsweredRun:
    """Put a `checked_question` to every picture of the open run and write what may be taken away.

    Raises:
        InvalidInput: the run has no pictures, or the question has words that the model does not know.
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
            f"The model does not know {', '.join(f'“{word[:40]}”' for word in unknown[:4])}. Ask with words of the "
            "examples: of colours, of cubes, balls, cones, cylinders, rings and stars."
        )
    images = pictures_of(diagnosis, why="The model looks at the pictures")
    cells, grid = read_cells(diagnosis, images, ENCODER, own_cache(), progress)
    found = ask_pictures(diagnosis, question, describer, cells, grid, caution=caution_of(folder), progress=progress)
    files = write_files("answers", FILES, asked_document(diagnosis, found), asked_table(diagnosis, found))
    own = np.array(found.answers, object)
    rows = tuple((one.answer, tuple(found.rows[own == one.answer].tolist())) for one in found.counts[:ANSWERS])
    return AnsweredRun(session.run, answers_view(diagnosis, found, questions), rows, files, questions)


def answers_view(diagnosis: Diagnosis, found: AskedPictures, questions: int) -> str:
    """How much was answered surely, each answer with its shares, and pictures.

    Args:
        questions: how many this visit has asked of the run: each is a family of its own.
    """
    from core.systems.vl_t5.tasks import QUESTION
    from core.systems.vl_t5.wording import ASKED_RULE, NO_BAR, UNKNOWN_BAR, asked_headline, asked_verdict, passes

    return render(
        "pictures.html.j2",
        question=found.question.removeprefix(QUESTION).strip(),
        headline=asked_headline(found),
        verdict=asked_verdict(found),
        rule=ASKED_RULE,
        bar=NO_BAR if found.bar is None else UNKNOWN_BAR,
        counts=[(one, passes(one)) for one in found.counts[:ANSWERS]],
        more=max(0, len(found.counts) - ANSWERS),
        tiles=_tiles(diagnosis, found),
        notes=found.notes,
        questions=questions,
    )


def _tiles(diagnosis: Diagnosis, found: AskedPictures) -> tuple[Tile, ...]:
    """Of each of the most frequent answers the pictures with the highest probability."""
    own = np.array(found.answers, object)
    chances = np.array([one.probability for one in found.said])
    order = np.argsort(-np.nan_to_num(chances), kind="stable")
    return tuple(
        _tile(diagnosis, found, place)
        for one in found.counts[:PICTURED]
        for place in order[own[order] == one.answer][:PICTURES].tolist()
    )


def _tile(diagnosis: Diagnosis, found: AskedPictures, place: int) -> Tile:
    from core.systems.vl_t5.ask import UNLIKE

    said = found.said[place]
    why = found.reasons[place]
    chance = f"probability {number(said.probability, 2)}"
    line = "unlike what it learned from" if why == UNLIKE else f"{why}: {said.text}, {chance}" if why else chance
    return tile_of(diagnosis, int(found.rows[place]), mark_wrong=True, foot=(found.answers[place], line))


def on_answers(session: Session, state: KeptState[AnsweredRun], question: str | None) -> Iterator[tuple[Any, ...]]:
    """Ask every picture; yields (job id, status, what was answered)."""
    require_run(session)
    text = checked_question(question or "")
    before = next((one.questions for one in state.saved if one.run == session.run), 0)
    job = Job(lambda progress: make_answers(session, text, before + 1, progress))
    yield from follow(job, "The pictures were not asked", None, reminder="Your question is still here.")


def on_answered(session: Session, state: KeptState[AnsweredRun], made: AnsweredRun | None) -> tuple[Any, ...]:
    """Show what was answered: returns (state, status, view, downloads); of another run than the open one it is kept,
    and said."""
    return receive(session, state, made, FILES, ELSEWHERE)


def on_example(event: gr.EventData) -> str:
    """An example was pressed: returns the question."""
    return str(event_data(event).get("text", ""))[:MAX_QUESTION]


def on_show(session: Session, state: KeptState[AnsweredRun], event: gr.EventData) -> tuple[Any, ...]:
    """Show the pictures that got an answer on the map: returns (tabs, session, pane, map)."""
    place = as_int(event_data(event).get("place"))
    found = state.current
    if found is None or state.run != session.run or not 0 <= place < len(found.answers):
        raise InvalidInput("These answers are of another run than the open one. Ask its pictures again.")
    answer, rows = found.answers[place]
    mapped = show_selection(session.only(rows=rows, title=f"Answered “{answer}”"))
    return gr.update(selected="explore"), *mapped


def intro(diagnosis: Diagnosis | None) -> str:
    """What the model knows with questions worth a first try, or that this run has no pictures."""
    usable = diagnosis is None or has_pictures(diagnosis)
    return render("pictures_intro.html.j2", pictures=usable, texts=EXAMPLES)


def on_run(session: Session, state: KeptState[AnsweredRun]) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, then what `reopened` gives); there is none where the run has no
    pictures."""
    there = gr.update(visible=has_pictures(RUNS.get(session.run))) if session.run else gr.skip()
    return there, *reopened(session, state, intro, FILES)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    made = gr.State(None)
    usable = diagnosis is None or has_pictures(diagnosis)
    title = "Ask the pictures: one question to each of them"
    with gr.Accordion(title, open=False, visible=usable, elem_id="pictures") as fold:
        said = gr.HTML(intro(diagnosis), run="", elem_id="pictures-intro", **pane())
        text = gr.Textbox(
            label="A question about drawn scenes",
            placeholder=EXAMPLES[0],
            elem_id="pictures-text",
            lines=1,
            max_lines=1,
            max_length=MAX_QUESTION,
        )
        parts = made_parts("pictures", "Ask every picture", FILES, first, width=180, interactive=usable)
    asks: dict[str, Any] = {"fn": shows_errors(on_answers), "inputs": [session, state, text], **HEAVY, **PRIVATE}
    asks["outputs"] = [job, parts.status, made]
    chosen = said.act(shows_errors(on_example), None, [text], **QUICK)
    told = [parts.status, parts.view, *parts.buttons]
    for asked in (gr.on([parts.run.click, text.submit], **asks), chosen.then(**asks)):
        asked.success(shows_errors(on_answered), [session, state, made], [state, *told], **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.view.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    tab.select(shows_errors(on_run), [session, state], [fold, state, said, parts.run, *told], **QUICK)
