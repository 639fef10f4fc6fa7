"""Ask tab: a question about the open run in words; below it the tags and the audit of every phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.checks.asked_text import same_question
from core.errors import InvalidInput
from core.language.speech import SPEECH
from core.records import EVERYTHING, Diagnosis, Insight
from core.statistics.measures import insights_of
from webapp.ask import audit
from webapp.ask.answers import AskedQuestion, answers_view, questions_table, remember
from webapp.ask.kept import has_words, pane
from webapp.explore.picked import show_selection
from webapp.markup.render import render
from webapp.panels import Opening, Page, add_parts
from webapp.state.events import as_int, event_data
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

MAX_KEPT = 2_000
"""Different questions of a visit that are stored and counted in the adjusted p."""
OF_NUMBER = "By default, the number expected to show the text. It changes the rates, not the p."
BEFORE_NOUN = ("object color", "material", "pattern", "condition", "quality", "shape and size")
"""Families whose phrases precede their noun; others follow it."""
UNSPOKEN = ("count", "style", "text")
"""Families whose phrases take no noun."""


@dataclass(frozen=True, slots=True, eq=False)
class AskState:
    """A visitor's questions on one run."""

    run: str = ""
    asked: tuple[AskedQuestion, ...] = ()
    answers: tuple[Answer, ...] = ()
    """Answers on the page."""
    linked: tuple[str, str] = ("", "")
    """The question of an address that was asked last."""
    started: set[str] = field(default_factory=set)
    """Runs with a question under way or answered, which no example's answer replaces."""


def examples(diagnosis: Diagnosis, most: int = 7) -> list[str]:
    """Return example questions: the phrases of the findings, then one matching phrase from each of some families, each
    with a class of the run."""
    words = diagnosis.words
    if words is None:
        return []
    findings = list[Insight]()
    for cluster in diagnosis.clusters:
        findings += insights_of(diagnosis, cluster.id, "phrase")[:1]
    findings += insights_of(diagnosis, None, "phrase")[:2]
    spoken = partial(_spoken, diagnosis.samples.modality)
    texts = list[str]()
    for insight in findings:
        noun = None
        if insight.scope != EVERYTHING:
            noun = insight.scope
        texts.append(spoken(insight.text, insight.family, noun))
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    if labels is not None and names:
        common = [names[c] for c in np.argsort(-np.bincount(labels, minlength=len(names)), kind="stable")]
    else:
        common = [None]
    leads: dict[str, str] = {}
    for i, (phrase, family) in enumerate(zip(words.phrases, words.families)):
        if family not in UNSPOKEN and words.is_shown(i):
            leads.setdefault(family, phrase)
    texts += [spoken(p, f, common[i % len(common)]) for i, (f, p) in enumerate(leads.items())]
    return list(dict.fromkeys(texts))[:most]


def _spoken(modality: str, phrase: str, family: str, noun: str | None) -> str:
    if noun is None or family in UNSPOKEN:
        return phrase
    noun = noun.replace("_", " ")
    if not SPEECH[modality].of_classes:
        return f"{noun}, {phrase}"
    text = f"{noun} {phrase}"
    if family in BEFORE_NOUN:
        text = f"{phrase} {noun}"
    if noun.endswith("s") and not noun.endswith("ss"):  # pants, shoes
        return text
    if text[:1].lower() in "aeiou":
        return f"an {text}"
    return f"a {text}"


def chips(diagnosis: Diagnosis) -> str:
    """Render the examples as buttons, or the next step for a run without words."""
    if diagnosis.words is None:
        return render("ask/no_words.html.j2", modality=diagnosis.samples.modality)
    return render("ask/chips.html.j2", texts=examples(diagnosis))


def on_open(session: Session, state: AskState) -> tuple[Any, ...]:
    """Show the tab for the open run: returns (state, chips, answer, table, number shown, accordion of the audit, audit,
    text, second text, Ask); nothing changes for the run already shown. A run without words has no audit."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(10))
    diagnosis = RUNS.get(session.run)
    started = set[str]()
    if not state.run:  # the page has just come: a question may be under way already
        started = state.started
    return (
        AskState(session.run, started=started),
        gr.update(value=chips(diagnosis)),
        gr.update(value=first_view(diagnosis), run=session.run),
        "",
        gr.update(visible=False),
        gr.update(visible=has_words(diagnosis)),
        audit.CLOSED,
        *[gr.update(interactive=has_words(diagnosis))] * 3,
    )


def first_view(diagnosis: Diagnosis | None) -> str:
    """Render the place of the answer before the first question."""
    if diagnosis is None or diagnosis.words is None:
        return ""
    return render("ask/first.html.j2")


def answer_texts(
    diagnosis: Diagnosis, texts: Sequence[str], before: Sequence[str] = (), top: int | None = None
) -> tuple[list[Answer], Difference | None]:
    """Answer one or two texts; returns the answers and their difference.

    Args:
        before: earlier questions on the run.
        top: samples shown; None for the number expected to show the text.

    Raises:
        InvalidInput: a text is empty or too long, or the run has no words.
    """
    from core.checks.questions import ask  # brings the encoder

    answers = ask(diagnosis, texts, top=top, before=before)
    return answers, _between(diagnosis, answers)


def _between(diagnosis: Diagnosis, answers: Sequence[Answer]) -> Difference | None:
    """Return the difference of two answers that both have matches."""
    from core.checks.answers import difference  # brings scipy

    two = len(answers) == 2 and all(answer.shown for answer in answers)
    if not two:
        return None
    return difference(diagnosis, answers[0], answers[1])


def on_ask(
    session: Session, state: AskState, text: str, compared: str, progress: Any = gr.Progress()
) -> tuple[AskState, str, str, Any]:
    """Ask the open run. Returns (state, answer, table of questions, number shown)."""
    state.started.add(session.run)
    diagnosis = require_run(session)
    texts = [text or ""]
    if compared and compared.split() not in ([], texts[0].split()):
        texts.append(compared)
    progress(0.2, desc="Reading the question (the first loads the text encoder, some seconds)")
    before = ()
    if state.run == session.run:
        before = state.asked
    answers, gap = answer_texts(diagnosis, texts, before=[question.text for question in before])
    new = [remember(a) for a in answers if not a.refused]
    repeated = {same_question(question.text) for question in new}
    asked = (*(question for question in before if same_question(question.text) not in repeated), *new)[-MAX_KEPT:]
    view = answers_view(diagnosis, answers, gap)
    shown = [a for a in answers if a.shown and not a.counted]
    number: dict[str, Any] = {"visible": bool(shown)}
    if shown:
        most = max(int(np.isfinite(a.scores).sum()) - 1 for a in shown)
        number |= {"maximum": most, "value": shown[0].support}
    answered = AskState(session.run, asked, tuple(answers), started=state.started)
    return answered, view, questions_table(asked), gr.update(**number)


def on_number(session: Session, state: AskState, number: float) -> tuple[AskState, str]:
    """Show this many samples for each text on the page: returns (state, answer)."""
    from core.checks.questions import QuestionReader

    diagnosis = require_run(session)
    if state.run != session.run or not state.answers or diagnosis.words is None:
        raise InvalidInput("These answers belong to another run. Ask again.")
    reader = QuestionReader(diagnosis, diagnosis.words)
    answers = tuple(reader.with_top(answer, max(1, int(number))) for answer in state.answers)
    return replace(state, answers=answers), answers_view(diagnosis, answers, _between(diagnosis, answers))


def on_chip(event: gr.EventData) -> tuple[str, str]:
    """Handle a press of an example or an earlier question: returns (text, empty second text)."""
    payload = event_data(event)
    if payload.get("do") != "ask":
        return gr.skip(), gr.skip()  # type: ignore[return-value]
    return str(payload.get("text", ""))[:400], ""


def on_show(session: Session, state: AskState, event: gr.EventData) -> tuple[Any, ...]:
    """Show an answer's matches on the map: returns (tabs, session, pane, map)."""
    payload = event_data(event)
    index = as_int(payload.get("place"))
    if payload.get("do") != "show" or state.run != session.run or not 0 <= index < len(state.answers):
        raise InvalidInput("These answers belong to another run. Ask again.")
    answer = state.answers[index]
    picked = session.only(rows=tuple(answer.rows.tolist()), title=f"Looks like “{answer.text}”", scope=answer.scope)
    return gr.update(selected="explore"), *show_selection(picked)


def on_linked(
    session: Session, state: AskState, question: tuple[str, str], progress: Any = gr.Progress()
) -> tuple[Any, ...]:
    """Ask what an opened address asks, once; of a shared run without an answer, its first example, which leaves the
    fields to the visitor: returns (text, second text, then what `on_ask` gives)."""
    if state.run == session.run and question[0] and question != state.linked:
        asked, *shown = on_ask(session, state, *question, progress)
        return *question, replace(asked, linked=question), *shown
    nothing = tuple(gr.skip() for _ in range(6))
    if state.answers or session.run in state.started or not RUNS.is_example(session.run):
        return nothing
    texts = examples(RUNS.get(session.run))[:1]
    if not texts:
        return nothing
    apart = replace(state, started=set())  # the example is not the visitor's question
    answered, view, _, shown_number = on_ask(session, apart, texts[0], "", progress)
    if session.run in state.started:  # meanwhile
        return nothing
    answered = replace(answered, asked=state.asked, started=state.started)
    return gr.skip(), gr.skip(), answered, view, "", shown_number


def build(page: Page, opening: Opening) -> None:
    """Lay out the place and wire its callbacks."""
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
            label="Where do you suspect errors?",
            placeholder="such as: a dog in snow; about money",
            elem_id="question",
            min_width=260,
            **line,
        )
        compared = gr.Textbox(
            label="Compare with (optional)",
            placeholder="such as: a dog on grass",
            elem_id="compare",
            min_width=220,
            **line,
        )
        button = gr.Button("Ask", variant="primary", elem_id="ask", scale=1, min_width=110, interactive=usable)
    offered = gr.HTML(chips(diagnosis) if diagnosis else "", run="", elem_id="chips", **pane())
    answer = gr.HTML(first_view(diagnosis), run=first, elem_id="answer", min_height=60, **pane())
    number = gr.Slider(
        1, 2, 1, step=1, label="Samples shown per text", info=OF_NUMBER, visible=False, elem_id="ask-number"
    )
    history = gr.HTML("", run="", elem_id="asked", **pane())
    add_parts("ask", page, opening)
    audited = audit.build(session, has_words(diagnosis))
    asks: dict[str, Any] = {
        "fn": shows_errors(on_ask),
        "inputs": [session, state, text, compared],
        "outputs": [state, answer, history, number],
        "show_progress_on": answer,
        "api_visibility": "private",
        **LIGHT,
    }
    filled = [state, offered, answer, history, number, *audited, text, compared, button]
    opened = opening.select(shows_errors(on_open), [session, state], filled, **QUICK)
    by_link = [text, compared, state, answer, history, number]
    asked_by_link: dict[str, Any] = {"show_progress_on": answer, "api_visibility": "private", **LIGHT}
    linked = opened.success(shows_errors(on_linked), [session, state, page.question], by_link, **asked_by_link)
    instead: dict[str, Any] = {"cancels": [linked], **QUICK}  # an own question takes the place of the example
    gr.on([button.click, text.submit, compared.submit], None, None, None, **instead)
    gr.on([button.click, text.submit, compared.submit], **asks)
    for list_view in (offered, history):
        list_view.act(None, None, None, **instead)
        list_view.act(shows_errors(on_chip), None, [text, compared], **QUICK).then(**asks)
    moved = [session, state, number]
    number.input(shows_errors(on_number), moved, [state, answer], trigger_mode="always_last", **PRIVATE, **LIGHT)
    answer.act(shows_errors(on_show), [session, state], [tabs, session, view.pane, view.failure_map], **QUICK)
