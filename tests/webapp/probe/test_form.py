from __future__ import annotations

from tests.support.showcase import add_words, make_showcase
from webapp.probe.form import controls
from webapp.probe.inputs import seconds_for


def test_the_form_of_descriptions_offers_the_tuned_encoder_and_counts_its_time() -> None:
    diagnosis = add_words(make_showcase(60))
    assert '<option value="tuned">tuned</option>' in controls("label-desc", diagnosis)
    plain, tuned = (seconds_for(diagnosis, "label-desc", {"by": by}) for by in ("descriptions", "tuned"))
    assert tuned > plain + 0.02 * 60
