"""Questions in words: the callbacks of the Ask tab and the markup of its answers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from core.checks.answers import nothing_shown
from core.errors import InvalidInput
from core.numbers import number, percent
from core.records import Diagnosis
from core.store import save
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from tests.support.showcase import PlainEncoder, add_words
from tests.support.words import made_prediction
from tests.webapp.markup.test_html import Tags
from webapp.ask import tab
from webapp.ask.answers import answers_view, questions_table, remember, verdict
from webapp.ask.audit import EVERY, audit_csv, audit_view, cells_of, families_of, on_table as on_audit
from webapp.ask.tab import (
    AskState,
    _spoken,
    answer_texts,
    chips,
    examples,
    on_ask,
    on_chip,
    on_linked,
    on_number,
    on_open,
    on_show,
)
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows

pytestmark = pytest.mark.usefixtures("plain")


def silent(*_: Any, **__: Any) -> None:
    """A progress that nobody sees."""


def test_a_question_whose_loss_is_known_is_confirmed_and_its_pictures_are_shown(worded: Diagnosis) -> None:
    answers, gap = answer_texts(worded, ["in the dark"])
    assert gap is None
    assert answers[0].confirmed
    said = answers_view(worded, answers, gap)
    assert "Confirmed: higher loss" in said
    assert said.count("data-row=") >= 18
    assert said.count('class="wrong-mark"') == said.count("is-wrong") > 0
    assert "not drawn" not in said


def test_more_pictures_than_are_drawn_are_counted(worded: Diagnosis) -> None:
    answers, gap = answer_texts(worded, ["in the dark"], top=70)
    said = answers_view(worded, answers, gap)
    assert said.count("data-row=") == 2 * 60
    assert "10 more images on the map" in said


def test_what_is_answered(worded: Diagnosis, golden: Callable[..., None]) -> None:
    assert worded.words is not None
    (dark,), _ = answer_texts(worded, ["in the dark"], top=3)
    known = replace(worded.insights[0], text="brightness at most 0.2", scope="bus", confirmed=True, p=0.004)
    few = replace(dark, p=None, p_alone=None, untested="too few groups")
    lined = replace(worded, words=replace(worded.words, line=99.0))
    nothing = answer_texts(lined, ["an elephant", "in fog"])
    tried = replace(worded, prediction=made_prediction())
    made = make_diagnosis()
    scenes = {
        "Confirmed, with its images": (worded, [dark], None),
        "Tried on held-back samples too": (tried, [dark], None),
        "The text first, then a condition that the words may also mean": (
            worded,
            [replace(dark, p=0.4, condition=known, named=known.text)],
            None,
        ),
        "Too few groups: no p": (worded, [few], None),
        "Of the mean loss": (worded, [replace(dark, measure="mean loss")], None),
        "One of two is no question: its own refusal, no difference": (
            worded,
            *answer_texts(worded, ["in the dark", "  "], top=3),
        ),
        "Two compared": (worded, *answer_texts(worded, ["in the dark", "in fog"], top=3)),
        "Nothing is like them: no image, no rate, no difference": (lined, *nothing),
    }
    tables = {"A table of questions: without a p": [remember(few)], "of none alike": [remember(a) for a in nothing[0]]}
    scans = replace(made, samples=replace(made.samples, modality="scan"))
    golden(
        "ask.txt",
        {title: Page(answers_view(*scene)).lines for title, scene in scenes.items()}
        | {title: Page(questions_table(asked)).lines for title, asked in tables.items()}
        | {"A run without words: of images, of scans": [*Page(chips(made)).lines, *Page(chips(scans)).lines]},
    )
    assert verdict(nothing_shown("with links", counted="links at least 1")) == "No samples to compare"


def test_the_pictures_stand_before_what_is_said_of_them(worded: Diagnosis) -> None:
    said = answers_view(worded, answer_texts(worded, ["in the dark"])[0], None)
    assert said.index("data-row=") < said.index('<div class="said">') < said.index('class="loss-strip"')


def test_an_answer_of_the_loss_stands_in_losses_beside_those_in_error_rates(worded: Diagnosis) -> None:
    answer = answer_texts(worded, ["in the dark"])[0][0]
    of_loss = remember(replace(answer, measure="mean loss"))
    assert of_loss.figures == (number(answer.observed.value), number(answer.rest))
    assert remember(replace(answer, measure="error rate")).figures[0] == percent(answer.error_rate.value)


def test_rows_of_one_picture_are_one_tile_that_counts_the_others(worded: Diagnosis) -> None:
    answer = answer_texts(worded, ["in the dark"])[0][0]
    items, of = worded.samples.items, np.arange(len(worded.samples))
    assert items is not None
    of[answer.rows[1:4]] = answer.rows[0]
    shared = replace(worded, samples=replace(worded.samples, items=items.keep(of)))
    panel = answers_view(shared, [answer], None).split('id="panel-worst-0"')[0]
    shown = [int(row) for row in re.findall(r'data-row="(\d+)"', panel)]
    assert shown[:3] == answer.rows[[0, 4, 5]].tolist()
    assert panel.count("of this image") == 1
    assert "and 3 more of this image" in panel
    assert "of this image" not in answers_view(worded, [answer], None)


def test_two_texts_are_compared_and_each_gets_its_own_panels(worded: Diagnosis) -> None:
    answers, gap = answer_texts(worded, ["in the dark", "in fog"])
    said = answers_view(worded, answers, gap)
    assert 'class="between"' in said
    ends = re.findall(r"<figcaption><span>([^<]*)</span>.*<span>([^<]*)</span></figcaption>", said)
    assert len(ends) == 2
    assert len(set(ends)) == 1  # so that they are compared by eye
    assert said.count("<article") == 2
    assert 'id="panel-best-0"' in said
    assert 'id="panel-best-1"' in said


def test_different_questions_are_counted_within_a_run_and_begin_anew_with_another(worded: Diagnosis) -> None:
    run, other = RUNS.add(worded), RUNS.add(worded)
    questions, _, table, _ = on_ask(Session(run), AskState(run), "in the dark", "", silent)
    assert len(on_ask(Session(run), questions, "in fog", " in  fog", silent)[0].answers) == 1  # said once
    questions, *_ = on_ask(Session(run), questions, "in fog", "red", silent)
    questions, view, table, _ = on_ask(Session(run), questions, "In the  dark", "  ", silent)
    assert "3 questions asked" in table
    assert "for all 3 you asked" in view
    assert [one.text for one in questions.asked] == ["in fog", "red", "In the dark"]
    questions, _, table, _ = on_ask(Session(other), questions, "in fog", "", silent)
    assert "1 question asked" in table


def test_each_question_in_the_table_has_its_p_alone_and_among_all(worded: Diagnosis) -> None:
    fog = remember(replace(answer_texts(worded, ["in fog"])[0][0], p_alone=0.02, p=0.02))
    assert (fog.p_among(1), fog.is_confirmed(1), fog.is_confirmed(3)) == (0.02, True, False)
    table = questions_table([fog, replace(fog, text="red", p_alone=0.9), replace(fog, text="blue")])
    cells = [re.findall(r"<td>([^<]*)</td>", row)[-2:] for row in table.split("<tr")[2:]]
    assert cells == [["0.020", "0.060"], ["0.90", "1.00"], ["0.020", "0.060"]]
    assert "<th>p alone</th><th>p of 3</th>" in table
    own = replace(fog, p_alone=None, p=0.001)
    assert own.p_among(50) == 0.001  # of a condition that the run tested


def test_the_slider_sets_how_many_are_shown_and_asks_no_further_question(worded: Diagnosis) -> None:
    run = RUNS.add(worded)
    questions, before, _, number = on_ask(Session(run), AskState(run), "in the dark", "in fog", silent)
    assert number["visible"]
    assert number["value"] == questions.answers[0].support
    assert number["maximum"] == len(worded.samples) - 1
    moved, view = on_number(Session(run), questions, 7.0)
    assert [answer.support for answer in moved.answers] == [7, 7]
    assert moved.asked == questions.asked
    assert "for all 2 you asked" in view
    assert "7 images match" in view
    for old, new in zip(questions.answers, moved.answers):
        assert (new.p, new.p_alone, new.expected) == (old.p, old.p_alone, old.expected)
        assert new.error_rate.value == pytest.approx(worded.outcomes.errors[new.rows].mean())
    assert "7 images match" not in before.replace("17 images match", "")
    with pytest.raises(InvalidInput, match="Ask again"):
        on_number(Session(run), AskState("another"), 7.0)


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "<>", "a" * 5000, None])
def test_a_text_that_is_no_question_gets_one_message(worded: Diagnosis, text: Any) -> None:
    run = RUNS.add(worded)
    with pytest.raises(InvalidInput, match="question"):
        on_ask(Session(run), AskState(run), text, "", silent)


def test_markup_in_a_question_stays_text(worded: Diagnosis) -> None:
    run = RUNS.add(worded)
    hostile = '<img src=x onerror=alert(1)> dark "quoted"'
    _, answer, table, _ = on_ask(Session(run), AskState(run), hostile, "", silent)
    found = Tags(answer + table)
    assert "script" not in found.names
    assert not {a for a in found.attributes if a.startswith("on")}
    assert "<img src=x" not in answer + table
    assert "onerror=alert(1)" in found.text


def test_without_words_nothing_can_be_pressed_and_a_question_says_what_to_do() -> None:
    diagnosis = make_diagnosis()
    scans = replace(diagnosis, samples=replace(diagnosis.samples, modality="scan"))
    assert examples(diagnosis) == []
    assert [box["interactive"] for box in on_open(Session(RUNS.add(scans)), AskState())[7:]] == [False] * 3
    assert not on_open(Session(RUNS.add(scans)), AskState())[5]["visible"]
    families, said, download = on_audit(Session(RUNS.add(scans)), "light")
    assert (families["choices"], download["interactive"]) == ([EVERY], False)
    assert "Conditions in Findings describe its groups" in said
    run = RUNS.add(diagnosis)
    with pytest.raises(InvalidInput, match="Diagnose again"):
        on_ask(Session(run), AskState(run), "a dog", "", silent)
    with pytest.raises(InvalidInput, match="No run is open"):
        on_ask(Session(), AskState(), "a dog", "", silent)


def test_words_of_another_version_of_the_encoder_are_refused_in_one_message(
    worded: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlainEncoder, "joint_space", "plain, second version")
    run = RUNS.add(worded)
    with pytest.raises(InvalidInput, match="Diagnose the data again"):
        on_ask(Session(run), AskState(run), "in fog", "", silent)


def test_examples_begin_with_the_findings_and_speak_of_classes_of_the_run(worded: Diagnosis) -> None:
    made = examples(worded)
    assert made[0] == "in the dark"
    assert any(name in text for text in made for name in worded.samples.class_names)
    assert len(made) == len(set(made)) <= 7


def test_no_example_is_of_a_phrase_that_no_picture_is_like(worded: Diagnosis) -> None:
    assert worded.words is not None
    support = np.full(len(worded.words.phrases), 0.0)
    alone = replace(worded, insights=(), words=replace(worded.words, line=3.0, support=support))
    assert examples(alone) == []
    support[-1] = 4.0
    assert worded.words.phrases[-1] in examples(alone)[0]
    assert len(examples(alone)) == 1


@pytest.mark.parametrize(
    ("phrase", "family", "noun", "said"),
    [
        ("indoors", "place", "pants", "pants indoors"),
        ("indoors", "place", "dress", "a dress indoors"),
        ("red", "object color", "outwear", "a red outwear"),
        ("in a row", "count", "cat", "in a row"),
    ],
)
def test_an_example_has_the_right_article(phrase: str, family: str, noun: str, said: str) -> None:
    assert _spoken("image", phrase, family, noun) == said
    assert _spoken("text", phrase, family, noun) in (phrase, f"{noun}, {phrase}")  # a text is no "dress"


def test_the_tab_follows_the_open_run(worded: Diagnosis) -> None:
    run = RUNS.add(worded)
    questions, offered, answer, table, number, fold, audit, *boxes = on_open(Session(run), AskState("another"))
    assert questions.run == run
    assert "in the dark" in offered["value"]
    assert answer["run"] == run
    assert table == ""
    assert not number["visible"]
    assert fold["visible"]
    assert "takes some seconds" in audit
    assert [box["interactive"] for box in boxes] == [True] * 3
    assert all("__type__" in str(part) for part in on_open(Session(run), questions))


def test_a_chip_asks_and_a_match_is_shown_on_the_map(worded: Diagnosis) -> None:
    assert on_chip(SimpleNamespace(_data={"do": "ask", "text": "in fog"})) == ("in fog", "")  # type: ignore[arg-type]
    run = RUNS.add(worded)
    questions, *_ = on_ask(Session(run), AskState(run), "in the dark", "", silent)
    tabs, session, pane, _ = on_show(Session(run), questions, SimpleNamespace(_data={"do": "show", "place": "0"}))  # type: ignore[arg-type]
    assert tabs["selected"] == "explore"
    assert sorted(selected_rows(session, worded)) == sorted(questions.answers[0].rows)
    assert "Looks like “in the dark”" in pane
    with pytest.raises(InvalidInput, match="Ask again"):
        on_show(Session(run), questions, SimpleNamespace(_data={"do": "show", "place": "7"}))  # type: ignore[arg-type]


def test_mean_losses_stand_in_where_errors_are_unknown() -> None:
    diagnosis = add_words(make_diagnosis(120, with_errors=False))
    answers, _ = answer_texts(diagnosis, ["in the dark"])
    line = remember(answers[0])
    assert line.figures[0] == number(float(diagnosis.outcomes.fitted[answers[0].rows].mean()))
    assert "wrong-mark" not in answers_view(diagnosis, answers, None)


def test_the_audit_holds_every_phrase_in_every_class_and_its_cells_say_support_and_interval(worded: Diagnosis) -> None:
    cells = cells_of(worded)
    assert len(cells) == 5 * 4
    said = audit_view(worded, cells)
    assert said.count("data-said=") == 20
    assert "24 samples" in said
    assert families_of(worded)[:2] == [EVERY, "light"]
    assert {c.phrase for c in cells_of(worded, "light")} == {"in the dark"}
    with pytest.raises(InvalidInput, match="no family"):
        cells_of(worded, "smell")


def test_the_audit_as_csv_starts_no_formula(worded: Diagnosis) -> None:
    cells = cells_of(worded)
    object.__setattr__(cells[0], "phrase", "=HYPERLINK(1)")
    lines = list(csv.DictReader(io.StringIO(audit_csv(cells).decode())))
    assert len(lines) == 20
    assert lines[0]["phrase"] == "'=HYPERLINK(1)"
    assert float(lines[1]["low"]) <= float(lines[1]["observed"]) <= float(lines[1]["high"])


def test_the_audit_of_the_open_run_can_be_downloaded(worded: Diagnosis) -> None:
    from pathlib import Path

    families, table, download = on_audit(Session(RUNS.add(worded)), "light")
    assert families["value"] == "light"
    assert "in the dark" in table
    assert Path(download["value"]).read_text("utf-8").startswith("phrase,")
    with pytest.raises(InvalidInput, match="No run is open"):
        on_audit(Session(), EVERY)


def test_a_shared_run_opens_with_an_answered_example_that_no_p_counts(worded: Diagnosis, tmp_path: Path) -> None:
    save(worded, tmp_path / "answered" / "run.errata")
    run = RUNS.offer(tmp_path / "answered" / "run.errata")
    session = Session(run)
    text, _, state, view, history, _ = on_linked(session, AskState(run), ("", ""))
    assert text == gr.skip()  # the visitor may be typing
    assert f"“{examples(worded)[0]}”" in view
    assert (history, state.asked) == ("", ())
    assert state.answers
    assert {str(part) for part in on_linked(session, state, ("", ""))} == {str(gr.skip())}  # it stays
    linked = on_linked(session, state, ("in the dark", ""))
    assert (linked[0], len(linked[2].asked)) == ("in the dark", 1)
    assert {str(part) for part in on_linked(session, linked[2], ("in the dark", ""))} == {str(gr.skip())}
    own = RUNS.add(worded)
    assert {str(part) for part in on_linked(Session(own), AskState(own), ("", ""))} == {str(gr.skip())}


def test_the_answered_example_never_replaces_a_question(
    worded: Diagnosis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(worded, tmp_path / "answered" / "run.errata")
    session = Session(RUNS.offer(tmp_path / "answered" / "run.errata"))
    state = AskState(session.run)
    on_ask(session, state, "in the dark", "", silent)
    assert {str(part) for part in on_linked(session, state, ("", ""))} == {str(gr.skip())}  # asked before it

    late = AskState(session.run)

    def ask_meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(tab, "answer_texts", answer_texts)
        on_ask(session, late, "in the dark", "", silent)
        return answer_texts(*args, **kwargs)

    monkeypatch.setattr(tab, "answer_texts", ask_meanwhile)
    assert {str(part) for part in on_linked(session, late, ("", ""))} == {str(gr.skip())}
    early = AskState(started={session.run})
    assert {str(part) for part in on_linked(session, on_open(session, early)[0], ("", ""))} == {str(gr.skip())}
    again = on_open(session, on_open(Session(RUNS.add(worded)), late)[0])[0]
    assert on_linked(session, again, ("", ""))[2].answers  # the run is open again, without the question
