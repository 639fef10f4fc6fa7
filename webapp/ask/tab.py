"""Ask tab: a free question about the open run in words; below it a list of tags, and every phrase in every class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.checks.asked_text import same_question
from core.errors import InvalidInput
from core.language.speech import SPEECH
from core.records import EVERYTHING, Diagnosis
from core.statistics.measures import insights_of
from webapp.ask import audit
from webapp.ask.answers import AskedQuestion, answers_view, questions_table, remember
from webapp.ask.kept import has_words, pane
from webapp.explore.picked import show_selection
from webapp.markup.render import render
from webapp.panels import Page, add_folds
from webapp.state.events import as_int, event_data
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

MAX_KEPT = 2_000
"""Different questions of a visit that are kept, and count for each other's p."""
OF_NUMBER = "Errata takes as many as are expected to show the text. The rates are of these samples; the p is not."
BEFORE_NOUN = ("object color", "material", "pattern", "condition", "quality", "shape and size")
"""Families whose phrases precede their noun; those of the others follow it."""
UNSPOKEN = ("count", "style", "text")
"""Families whose phrases do not go with "a" and a noun."""


@dataclass(frozen=True, slots=True, eq=False)
class AskState:
    """What a visitor has asked of one run."""

    run: str = ""
    asked: tuple[AskedQuestion, ...] = ()
    answers: tuple[Answer, ...] = ()
    """Those on the page."""


@dataclass(frozen=True)
class Asking:
    """The question of the tab Ask, as a link fills it."""

    text: gr.Textbox
    other: gr.Textbox
    state: gr.State
    answer: gr.HTML
    outputs: list[Any]
    """What an answer fills: state, answer, table of questions, and the number shown."""
    ask: Callable[..., Any]
    """Called with (session, state, text, other)."""


def examples(diagnosis: Diagnosis, most: int = 7) -> list[str]:
    """Questions worth a first try: the phrases of the findings, then the first that some sample is like of a few
    families, each with a class of the run."""
    words = diagnosis.words
    if words is None:
        return []
    found = [insights_of(diagnosis, c.id, "phrase")[:1] for c in diagnosis.clusters] + [
        insights_of(diagnosis, None, "phrase")[:2]
    ]
    spoken = partial(_spoken, diagnosis.samples.modality)
    made = [spoken(i.text, i.family, None if i.scope == EVERYTHING else i.scope) for own in found for i in own]
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    common = (
        [names[c] for c in np.argsort(-np.bincount(labels, minlength=len(names)), kind="stable")]
        if labels is not None and names
        else [None]
    )
    leads: dict[str, str] = {}
    for i, (phrase, family) in enumerate(zip(words.phrases, words.families)):
        if family not in UNSPOKEN and words.is_shown(i):
            leads.setdefault(family, phrase)
    made += [spoken(p, f, common[i % len(common)]) for i, (f, p) in enumerate(leads.items())]
    return list(dict.fromkeys(made))[:most]


def _spoken(modality: str, phrase: str, family: str, noun: str | None) -> str:
    if noun is None or family in UNSPOKEN:
        return phrase
    noun = noun.replace("_", " ")
    if not SPEECH[modality].of_classes:
        return f"{noun}, {phrase}"
    said = f"{phrase} {noun}" if family in BEFORE_NOUN else f"{noun} {phrase}"
    if noun.endswith("s") and not noun.endswith("ss"):  # pants, shoes
        return said
    return f"{'an' if said[:1].lower() in 'aeiou' else 'a'} {said}"


def chips(diagnosis: Diagnosis) -> str:
    """The examples as buttons, or what to do where a run has no words."""
    if diagnosis.words is None:
        return render("ask/no_words.html.j2", modality=diagnosis.samples.modality)
    return render("ask/chips.html.j2", texts=examples(diagnosis))


def on_open(session: Session, state: AskState) -> tuple[Any, ...]:
    """The tab is shown: returns (state, chips, answer, table, number shown, accordion of the audit, audit, text, other
    text, Ask) for the open run; nothing changes if it is the one already shown. There is no audit where the run has no
    words."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(10))
    diagnosis = RUNS.get(session.run)
    return (
        AskState(session.run),
        gr.update(value=chips(diagnosis)),
        gr.update(value=first_view(diagnosis), run=session.run),
        "",
        gr.update(visible=False),
        gr.update(visible=has_words(diagnosis)),
        audit.CLOSED,
        *[gr.update(interactive=has_words(diagnosis))] * 3,
    )


def first_view(diagnosis: Diagnosis | None) -> str:
    """The place of the answer before a question was asked."""
    return "" if diagnosis is None or diagnosis.words is None else render("ask/first.html.j2")


def answer_texts(
    diagnosis: Diagnosis, texts: Sequence[str], before: Sequence[str] = (), top: int | None = None
) -> tuple[list[Answer], Difference | None]:
    """The answers to one or two texts, and their difference.

    Args:
        before: what was asked of the run before.
        top: samples that are shown; None shows as many as are expected to show the text.

    Raises:
        InvalidInput: a text is empty or too long, or the run has no words.
    """
    from core.checks.questions import ask  # brings the encoder

    answers = ask(diagnosis, texts, top=top, before=before)
    return answers, _between(diagnosis, answers)


def _between(diagnosis: Diagnosis, answers: Sequence[Answer]) -> Difference | None:
    """How two answers differ, where both show something."""
    from core.checks.answers import difference  # brings scipy

    two = len(answers) == 2 and all(answer.shown for answer in answers)
    return difference(diagnosis, answers[0], answers[1]) if two else None


def on_ask(
    session: Session, state: AskState, text: str, other: str, progress: Any = gr.Progress()
) -> tuple[AskState, str, str, Any]:
    """Ask the open run. Returns (state, answer, table of questions, number shown)."""
    diagnosis = require_run(session)
    texts = [text or "", *([other] if other and other.split() not in ([], (text or "").split()) else [])]
    progress(0.2, desc="Reading the question (the first one loads the text encoder: some seconds)")
    before = state.asked if state.run == session.run else ()
    answers, gap = answer_texts(diagnosis, texts, before=[one.text for one in before])
    new = [remember(a) for a in answers if not a.refused]
    said = {same_question(one.text) for one in new}
    asked = (*(one for one in before if same_question(one.text) not in said), *new)[-MAX_KEPT:]
    view = answers_view(diagnosis, answers, gap)
    shown = [a for a in answers if a.shown and not a.counted]
    number: dict[str, Any] = {"visible": bool(shown)}
    if shown:
        most = max(int(np.isfinite(a.scores).sum()) - 1 for a in shown)
        number |= {"maximum": most, "value": shown[0].support}
    return AskState(session.run, asked, tuple(answers)), view, questions_table(asked), gr.update(**number)


def on_number(session: Session, state: AskState, number: float) -> tuple[AskState, str]:
    """So many samples are to be shown of the texts on the page: returns (state, answer)."""
    from core.checks.questions import QuestionReader

    diagnosis = require_run(session)
    if state.run != session.run or not state.answers or diagnosis.words is None:
        raise InvalidInput("These answers are of another run than the open one. Ask again.")
    reader = QuestionReader(diagnosis, diagnosis.words)
    answers = tuple(reader.with_top(answer, max(1, int(number))) for answer in state.answers)
    return replace(state, answers=answers), answers_view(diagnosis, answers, _between(diagnosis, answers))


def on_chip(event: gr.EventData) -> tuple[str, str]:
    """A chip or an earlier question was pressed: returns (text, no second text)."""
    said = event_data(event)
    if said.get("do") != "ask":
        return gr.skip(), gr.skip()  # type: ignore[return-value]
    return str(said.get("text", ""))[:400], ""


def on_show(session: Session, state: AskState, event: gr.EventData) -> tuple[Any, ...]:
    """Show an answer's matches on the map: returns (tabs, session, pane, map)."""
    said = event_data(event)
    place = as_int(said.get("place"))
    if said.get("do") != "show" or state.run != session.run or not 0 <= place < len(state.answers):
        raise InvalidInput("These answers are of another run than the open one. Ask again.")
    answer = state.answers[place]
    picked = session.only(rows=tuple(answer.rows.tolist()), title=f"Looks like “{answer.text}”", scope=answer.scope)
    return gr.update(selected="explore"), *show_selection(picked)


def build(page: Page, tab: gr.Tab) -> Asking:
    """Lay out the tab and wire its callbacks; returns where a link puts its question."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(AskState(first), time_to_live=STATE_S)
    gr.HTML(render("ask/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="ask-row"):
        usable = has_words(diagnosis)
        line: dict[str, Any] = {"lines": 1, "max_lines": 1, "scale": 5, "interactive": usable}
        text = gr.Textbox(
            label="Where do you suspect failures?",
            placeholder="such as: a dog in snow; about money",
            elem_id="question",
            min_width=260,
            **line,
        )
        other = gr.Textbox(
            label="Compare with (may stay empty)",
            placeholder="such as: a dog on grass",
            elem_id="compare",
            min_width=220,
            **line,
        )
        button = gr.Button("Ask", variant="primary", elem_id="ask", scale=1, min_width=110, interactive=usable)
    offered = gr.HTML(chips(diagnosis) if diagnosis else "", run="", elem_id="chips", **pane())
    answer = gr.HTML(first_view(diagnosis), run=first, elem_id="answer", min_height=60, **pane())
    number = gr.Slider(
        1, 2, 1, step=1, label="Samples shown of each text", info=OF_NUMBER, visible=False, elem_id="ask-number"
    )
    history = gr.HTML("", run="", elem_id="asked", **pane())
    add_folds(page, tab)
    audited = audit.build(session, has_words(diagnosis))
    asks: dict[str, Any] = {
        "fn": shows_errors(on_ask),
        "inputs": [session, state, text, other],
        "outputs": [state, answer, history, number],
        "show_progress_on": answer,
        "api_visibility": "private",
        **LIGHT,
    }
    gr.on([button.click, text.submit, other.submit], **asks)
    for place in (offered, history):
        place.act(shows_errors(on_chip), None, [text, other], **QUICK).then(**asks)
    moved = [session, state, number]
    number.input(shows_errors(on_number), moved, [state, answer], trigger_mode="always_last", **PRIVATE, **LIGHT)
    answer.act(shows_errors(on_show), [session, state], [tabs, session, view.pane, view.failure_map], **QUICK)
    filled = [state, offered, answer, history, number, *audited, text, other, button]
    tab.select(shows_errors(on_open), [session, state], filled, **QUICK)
    return Asking(text, other, state, answer, [state, answer, history, number], on_ask)
