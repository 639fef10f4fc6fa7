"""Thirty clicks tab: a person answers a random strip blind, to check whether a phrase describes a cluster."""

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

ANSWERS = {"y": True, "n": False, "s": None}


@dataclass(frozen=True, slots=True, eq=False)
class ClicksState:
    """The strip that a visitor answers. It stays on the server, because it holds which images are members."""

    run: str = ""
    cluster: int = 0
    phrase: int = 0
    """Index in `Words.phrases`."""
    drawn: int = 0
    """Strips drawn so far; the seed of the next."""
    strip: Strip | None = None


def choices(diagnosis: Diagnosis) -> list[tuple[str, int]]:
    """Return (title, id) of the clusters with a phrase, which can be judged."""
    return [
        (f"{c.id + 1}: {cluster_title(diagnosis, c)}", c.id)
        for c in diagnosis.clusters
        if sentences_of(diagnosis, c.id)
    ]


def sentences_of(diagnosis: Diagnosis, cluster: int) -> list[tuple[str, int]]:
    """Return (phrase, index) of the phrases that describe the cluster, best first."""
    findings: list[Insight] = []
    if diagnosis.words and diagnosis.samples.items is not None:
        findings = insights_of(diagnosis, cluster, "phrase")
    return [(i.text, i.number) for i in findings if i.number is not None]


def on_open(session: Session, state: ClicksState) -> tuple[Any, ...]:
    """Show the tab: returns (state, clusters, phrases, strip, judgment); an unfinished strip of the open run stays."""
    diagnosis = None
    if session.run:
        diagnosis = RUNS.get(session.run)
    offered = []
    if diagnosis:
        offered = choices(diagnosis)
    ids = [cluster for _, cluster in offered]
    asked = None
    if session.cluster in ids:
        asked = session.cluster
    if diagnosis and state.run == session.run and asked in (None, state.cluster):
        return tuple(gr.skip() for _ in range(5))
    if not diagnosis or not ids:
        nothing = gr.update(choices=[], value=None)
        limits = ""
        if diagnosis and not diagnosis.clusters:
            limits = sensitivity_sentence(diagnosis)
        wordless = bool(diagnosis and diagnosis.samples.modality == "scan" and diagnosis.words is None)
        none = render("clicks/nothing.html.j2", sensitivity=limits, wordless=wordless)
        if diagnosis:
            state = ClicksState(session.run)
        return state, nothing, nothing, none, ""
    cluster = asked
    if cluster is None:
        cluster = ids[0]
    phrases = sentences_of(diagnosis, cluster)
    return (
        ClicksState(session.run, cluster, drawn=state.drawn),
        gr.update(choices=offered, value=cluster),
        gr.update(choices=phrases, value=phrases[0][1]),
        render("clicks/start.html.j2"),
        "",
    )


def on_go(session: Session, state: ClicksState, event: gr.EventData) -> tuple[Any, ...]:
    """Open this tab from a cluster's pane: returns (tabs, then what `on_open` gives); nothing changes for another
    tab."""
    if event_data(event).get("do") != "clicks":
        return tuple(gr.skip() for _ in range(6))
    return gr.update(selected="clicks"), *on_open(session, state)


def on_cluster(session: Session, cluster: Any) -> Any:
    """Choose another cluster: returns its phrases."""
    phrases = []
    if session.run and cluster is not None:
        phrases = sentences_of(RUNS.get(session.run), int(cluster))
    first = None
    if phrases:
        first = phrases[0][1]
    return gr.update(choices=phrases, value=first)


def masks(diagnosis: Diagnosis, cluster: FailureCluster) -> tuple[Bool, Bool]:
    """Return (members, scope), each (n,)."""
    return cluster.membership >= 0.5, scope_rows(diagnosis, cluster.scope)


def score_of(diagnosis: Diagnosis, phrase: int) -> F64:
    """Return (n,) the similarity of each sample to the phrase."""
    from core.discovery.design import design_of
    from core.language.directions import phrase_scores

    assert diagnosis.words is not None
    words = diagnosis.words
    return phrase_scores(words.joint.vectors, words.directions[phrase][None], design_of(diagnosis).centring_stratum)[
        :, 0
    ].astype(np.float64)


def on_draw(session: Session, state: ClicksState, cluster: Any, phrase: Any) -> tuple[ClicksState, str, str]:
    """Draw a new strip: returns (state, strip, empty judgment)."""
    from core.checks.clicks import draw_strip  # scipy: not needed for the first view

    diagnosis, chosen, number = _checked(session, cluster, phrase)
    members, scope = masks(diagnosis, chosen)
    strip = draw_strip(members, scope, seed=state.drawn, groups=diagnosis.samples.groups)
    drawn = ClicksState(session.run, chosen.id, number, state.drawn + 1, strip)
    assert diagnosis.words is not None
    return drawn, strip_view(diagnosis, strip, diagnosis.words.phrases[number]), ""


def _checked(session: Session, cluster: Any, phrase: Any) -> tuple[Diagnosis, FailureCluster, int]:
    diagnosis = require_run(session)
    chosen = next((c for c in diagnosis.clusters if c.id == cluster), None)
    if chosen is None or phrase not in [number for _, number in sentences_of(diagnosis, chosen.id)]:
        raise InvalidInput(
            "Choose a group and one of its phrases. A run without words, or without images, clips, or texts, has none."
        )
    return diagnosis, chosen, int(phrase)


def on_answers(session: Session, state: ClicksState, event: gr.EventData) -> tuple[ClicksState, str, str]:
    """Judge an answered strip: returns (state, empty strip, judgment)."""
    answers = read_answers(state, event_data(event).get("answers"))
    diagnosis, _, judged = judge_answers(session, state, answers)
    assert state.strip is not None
    assert diagnosis.words is not None
    view = judgement_view(diagnosis, state.strip, answers, judged, diagnosis.words.phrases[state.phrase])
    return ClicksState(state.run, state.cluster, state.phrase, state.drawn), "", view


def judge_answers(
    session: Session, state: ClicksState, answers: list[bool | None]
) -> tuple[Diagnosis, FailureCluster, Judgement]:
    """Return the judgment on the session's strip.

    Raises:
        InvalidInput: no strip was drawn from the open run, or the answers do not fit it.
    """
    from core.checks.clicks import judge

    if state.strip is None or state.run != session.run:
        raise InvalidInput("No strip of the open run. Draw one first.")
    diagnosis, cluster, phrase = _checked(session, state.cluster, state.phrase)
    members, scope = masks(diagnosis, cluster)
    return diagnosis, cluster, judge(state.strip, answers, score_of(diagnosis, phrase), members, scope)


def read_answers(state: ClicksState, letters: Any) -> list[bool | None]:
    """Read answers as letters y, n, and s, one per sample, which come from the browser and are not trusted."""
    wanted = 0
    if state.strip is not None:
        wanted = len(state.strip)
    if not isinstance(letters, str) or len(letters) != wanted or not set(letters) <= set(ANSWERS):
        raise InvalidInput(f"A strip of {wanted} samples needs {wanted} answers, each y, n, or s. Draw a new strip.")
    return [ANSWERS[letter] for letter in letters]


def build(session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    state = gr.State(ClicksState(), time_to_live=STATE_S)
    gr.HTML(render("clicks/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="ask-row"):
        cluster = gr.Dropdown([], label="Group", elem_id="clicks-cluster", scale=4, min_width=220)
        phrase = gr.Dropdown([], label="Phrase", elem_id="clicks-phrase", scale=4, min_width=220)
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
