from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from core.errors import InvalidInput
from core.systems.probes.questions import BINDING, QUESTIONS
from tests.support.showcase import add_words, make_showcase
from webapp.systems.probes.form import controls
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
        form = controls("zero-shot", diagnosis)
        assert ("these samples are texts. Choose a probe without learned prompts." in form) is not offered
        assert form.count(" disabled") == (0 if offered else 2)  # CoOp and CoCoOp
    assert '<option value="own">own</option>' in controls("zero-shot", texts)


def test_two_methods_stand_first_and_the_others_in_a_fold_each_with_its_question() -> None:
    diagnosis = add_words(make_showcase(60))
    for name, question in QUESTIONS.items():
        form = unescape(controls(name, diagnosis))
        first, others = form.split("<summary>Other methods</summary>")
        assert all(asked.asked in form for asked in QUESTIONS.values())
        assert BINDING in others
        assert first.count('name="probe"') == 2
        assert question.reading in form
        assert f'value="{name}" checked' in form
        assert ("<details open" in first) is (name not in ("zero-shot", "lp++"))


def test_few_shot_begins_with_the_curve_of_1_to_16_images_a_class() -> None:
    form = controls("lp++", add_words(make_showcase(60)))
    assert 'id="set-fewer_shots" data-setting="fewer_shots" aria-describedby="help-fewer_shots" checked' in form
    assert 'id="set-shots" data-setting="shots" aria-describedby="help-shots" value="16"' in form


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
