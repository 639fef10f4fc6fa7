from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from core.errors import InvalidInput
from core.systems.probes.questions import BINDING, QUESTIONS
from tests.support.showcase import add_words, make_showcase
from webapp.systems.probes.form import cards, controls
from webapp.systems.probes.inputs import seconds_for


def test_the_form_of_descriptions_offers_the_tuned_encoder_and_counts_its_time() -> None:
    diagnosis = add_words(make_showcase(60))
    assert '<option value="tuned">tuned</option>' in controls("label-desc", diagnosis)
    plain, tuned = (seconds_for(diagnosis, "label-desc", {"by": by}) for by in ("descriptions", "tuned"))
    assert tuned > plain + 0.02 * 60


def test_what_speaks_of_pictures_is_not_offered_for_texts_and_the_card_says_why() -> None:
    pictures = add_words(make_showcase(60))
    texts = replace(pictures, samples=replace(pictures.samples, modality="text"))
    for diagnosis, offered in ((pictures, True), (texts, False)):
        assert ('<option value="80">80</option>' in controls("zero-shot", diagnosis)) is offered
        assert ("these samples are texts. Choose a probe without learned prompts." in cards(diagnosis)) is not offered
        assert cards(diagnosis).count(" disabled") == (0 if offered else 2)  # CoOp and CoCoOp
    assert '<option value="own">own</option>' in controls("zero-shot", texts)


def test_the_question_of_a_probe_stands_on_its_card_and_changes_with_the_choice() -> None:
    diagnosis = add_words(make_showcase(60))
    shown = unescape(cards(diagnosis))
    assert all(question.asked in shown for question in QUESTIONS.values())
    assert unescape(BINDING) in shown
    for name, question in QUESTIONS.items():
        form = unescape(controls(name, diagnosis))
        assert f"<b>{question.asked}</b> {question.reading}" in form


def test_fewer_shots_are_offered_where_several_teach_and_their_time_is_counted() -> None:
    diagnosis = add_words(make_showcase(60))
    offered = [name for name in QUESTIONS if 'id="set-fewer_shots"' in controls(name, diagnosis)]
    assert offered == ["lp++", "tip-adapter", "linear-probe", "coop", "cocoop"]
    each = sum(seconds_for(diagnosis, "lp++", {"shots": shots}) for shots in (1, 2, 4))
    assert seconds_for(diagnosis, "lp++", {"shots": "4", "fewer_shots": True}) == pytest.approx(each)
    with pytest.raises(InvalidInput, match="Fewer shots need 2 or more"):
        seconds_for(diagnosis, "lp++", {"shots": "1", "fewer_shots": True})
    with pytest.raises(InvalidInput, match="Fewer shots need 2 or more"):
        seconds_for(diagnosis, "zero-shot", {"fewer_shots": True})
