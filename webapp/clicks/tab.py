"""Thirty clicks tab: does a sentence describe a cluster? A person answers a random strip, blind, and the page says what
follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.discovery.called import scope_rows
from core.errors import InvalidInput
from core.records import F64, Bool, Diagnosis, FailureCluster, Insight
from core.reports.wording.findings import cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from core.statistics.measures import insights_of
from webapp.clicks.strips import judgement_view, strip_view
from webapp.explore.tab import View
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.state.events import event_data
from webapp.state.jobs import PLAIN, QUICK
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.checks.clicks import Judgement, Strip

SAID = {"y": True, "n": False, "s": None}


@dataclass(frozen=True, slots=True, eq=False)
class ClicksState:
    """The strip that a visitor is answering. It never leaves the server: it knows which images are the cluster's."""

    run: str = ""
    cluster: int = 0
    phrase: int = 0
    """Index in `Words.phrases`."""
    drawn: int = 0
    """Strips drawn so far; the seed of the next."""
    strip: Strip | None = None


def choices(diagnosis: Diagnosis) -> list[tuple[str, int]]:
    """(title, id) of the clusters that can be judged: those with a phrase."""
    return [
        (f"{c.id + 1}: {cluster_title(diagnosis, c)}", c.id)
        for c in diagnosis.clusters
        if sentences_of(diagnosis, c.id)
    ]


def sentences_of(diagnosis: Diagnosis, cluster: int) -> list[tuple[str, int]]:
    """(phrase, its index) of what was found to describe the cluster, best first."""
    found: list[Insight] = (
        insights_of(diagnosis, cluster, "phrase") if diagnosis.words and diagnosis.samples.items is not None else []
    )
    return [(i.text, i.number) for i in found if i.number is not None]


def on_open(session: Session, state: ClicksState) -> tuple[Any, ...]:
    """The tab is shown: returns (state, clusters, sentences, strip, judgment); a strip of the open run under way is
    kept."""
    diagnosis = RUNS.get(session.run) if session.run else None
    offered = choices(diagnosis) if diagnosis else []
    ids = [cluster for _, cluster in offered]
    asked = session.cluster if session.cluster in ids else None
    if diagnosis and state.run == session.run and asked in (None, state.cluster):
        return tuple(gr.skip() for _ in range(5))
    if not diagnosis or not ids:
        nothing = gr.update(choices=[], value=None)
        said = sensitivity_sentence(diagnosis) if diagnosis and not diagnosis.clusters else ""
        wordless = bool(diagnosis and diagnosis.samples.modality == "scan" and diagnosis.words is None)
        none = render("clicks/nothing.html.j2", sensitivity=said, wordless=wordless)
        return ClicksState(session.run) if diagnosis else state, nothing, nothing, none, ""
    cluster = ids[0] if asked is None else asked
    phrases = sentences_of(diagnosis, cluster)
    return (
        ClicksState(session.run, cluster, drawn=state.drawn),
        gr.update(choices=offered, value=cluster),
        gr.update(choices=phrases, value=phrases[0][1]),
        render("clicks/start.html.j2"),
        "",
    )


def on_go(session: Session, state: ClicksState, event: gr.EventData) -> tuple[Any, ...]:
    """A cluster's pane asks for a tab: returns (tabs, then what `on_open` gives); nothing changes where it asks for
    another."""
    if event_data(event).get("do") != "clicks":
        return tuple(gr.skip() for _ in range(6))
    return gr.update(selected="clicks"), *on_open(session, state)


def on_cluster(session: Session, cluster: Any) -> Any:
    """Another cluster was chosen: returns its sentences."""
    phrases = sentences_of(RUNS.get(session.run), int(cluster)) if session.run and cluster is not None else []
    return gr.update(choices=phrases, value=phrases[0][1] if phrases else None)


def masks(diagnosis: Diagnosis, cluster: FailureCluster) -> tuple[Bool, Bool]:
    """(members, scope), each (n,)."""
    return cluster.membership >= 0.5, scope_rows(diagnosis, cluster.scope)


def score_of(diagnosis: Diagnosis, phrase: int) -> F64:
    """(n,) how far each sample looks like the phrase."""
    from core.discovery.design import design_of
    from core.language.directions import phrase_scores

    assert diagnosis.words is not None
    words = diagnosis.words
    return phrase_scores(words.joint.vectors, words.directions[phrase][None], design_of(diagnosis).centring_stratum)[
        :, 0
    ].astype(np.float64)


def on_draw(session: Session, state: ClicksState, cluster: Any, phrase: Any) -> tuple[ClicksState, str, str]:
    """Draw a new strip: returns (state, strip, no judgment)."""
    from core.checks.clicks import draw_strip  # scipy: not needed for the first view

    diagnosis, found, number = _checked(session, cluster, phrase)
    members, scope = masks(diagnosis, found)
    strip = draw_strip(members, scope, seed=state.drawn, groups=diagnosis.samples.groups)
    made = ClicksState(session.run, found.id, number, state.drawn + 1, strip)
    assert diagnosis.words is not None
    return made, strip_view(diagnosis, strip, diagnosis.words.phrases[number]), ""


def _checked(session: Session, cluster: Any, phrase: Any) -> tuple[Diagnosis, FailureCluster, int]:
    diagnosis = require_run(session)
    found = next((c for c in diagnosis.clusters if c.id == cluster), None)
    if found is None or phrase not in [number for _, number in sentences_of(diagnosis, found.id)]:
        raise InvalidInput(
            "Choose a cluster and one of the phrases that describe it. "
            "A run without words or without images, clips or texts has none."
        )
    return diagnosis, found, int(phrase)


def on_answers(session: Session, state: ClicksState, event: gr.EventData) -> tuple[ClicksState, str, str]:
    """The strip was answered: returns (state, no strip, judgment)."""
    answers = read_answers(state, event_data(event).get("answers"))
    diagnosis, _, judged = judge_answers(session, state, answers)
    assert state.strip is not None
    assert diagnosis.words is not None
    view = judgement_view(diagnosis, state.strip, answers, judged, diagnosis.words.phrases[state.phrase])
    return ClicksState(state.run, state.cluster, state.phrase, state.drawn), "", view


def judge_answers(
    session: Session, state: ClicksState, answers: list[bool | None]
) -> tuple[Diagnosis, FailureCluster, Judgement]:
    """The judgment on the session's strip.

    Raises:
        InvalidInput: no strip was drawn from the open run, or the answers do not fit it.
    """
    from core.checks.clicks import judge

    if state.strip is None or state.run != session.run:
        raise InvalidInput("There is no strip of the open run to judge. Draw one first.")
    diagnosis, cluster, phrase = _checked(session, state.cluster, state.phrase)
    members, scope = masks(diagnosis, cluster)
    return diagnosis, cluster, judge(state.strip, answers, score_of(diagnosis, phrase), members, scope)


def read_answers(state: ClicksState, said: Any) -> list[bool | None]:
    """Answers as letters y, n and s, one for each sample: they come from the browser, so nothing about them is
    trusted."""
    wanted = len(state.strip) if state.strip is not None else 0
    if not isinstance(said, str) or len(said) != wanted or not set(said) <= set(SAID):
        raise InvalidInput(f"A strip of {wanted} samples needs as many answers, each y, n or s. Draw a new strip.")
    return [SAID[letter] for letter in said]


def build(session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    state = gr.State(ClicksState(), time_to_live=STATE_S)
    gr.HTML(render("clicks/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="ask-row"):
        cluster = gr.Dropdown([], label="Cluster", elem_id="clicks-cluster", scale=4, min_width=220)
        phrase = gr.Dropdown([], label="What is said of it", elem_id="clicks-phrase", scale=4, min_width=220)
        button = gr.Button("Draw a strip", variant="primary", elem_id="clicks-draw", scale=1, min_width=130)
    strip = gr.HTML(render("clicks/start.html.j2"), js_on_load=script("clicks"), elem_id="clicks", **PLAIN)
    judgement = gr.HTML("", js_on_load=FOCUS, elem_id="judgement", **PLAIN)
    opened = [state, cluster, phrase, strip, judgement]
    tab.select(shows_errors(on_open), [session, state], opened, **QUICK)
    view.pane.go(shows_errors(on_go), [session, state], [tabs, *opened], **QUICK)
    cluster.input(shows_errors(on_cluster), [session, cluster], [phrase], **QUICK)
    button.click(shows_errors(on_draw), [session, state, cluster, phrase], [state, strip, judgement], **QUICK)
    strip.act(shows_errors(on_answers), [session, state], [state, strip, judgement], **QUICK)


FOCUS = "watch('value', () => element.querySelector('h2')?.focus());"
