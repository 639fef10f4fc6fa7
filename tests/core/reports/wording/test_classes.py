"""Classes that could not be tested are counted, with the reason."""

from __future__ import annotations

from dataclasses import replace

from core.reports.wording.classes import untested_sentence, why_untested
from core.reports.wording.summary import text_summary
from tests.support.diagnoses import make_diagnosis


def test_a_class_that_is_too_small_is_counted_with_the_reason() -> None:
    made = make_diagnosis()
    classes = [f for f in made.classes if f.kind == "class"]
    tested = tuple(replace(f, p=0.4, confirmed=False) for f in classes)
    assert untested_sentence(replace(made, classes=tested)) == ""
    tiny = replace(classes[0], name="tram", size=4, p=None, confirmed=False)
    some = replace(made, classes=(*tested[1:], tiny))
    said = "1 class was not tested as a whole (fewer than 10 samples): tram (4)."
    assert untested_sentence(some) == said
    assert said in text_summary(some).splitlines()
    assert why_untested(some, tiny) == "fewer than 10 samples"
    assert why_untested(some, replace(tiny, kind="confusion")) == ""
