"""The paragraphs of an answer."""

from __future__ import annotations

from dataclasses import replace

from core.reports.wording.answers import answer_parts
from tests.core.reports.wording.test_findings import answer
from tests.support.words import with_words


def test_an_answer_is_told_in_paragraphs_what_is_likeness_alone_last() -> None:
    run = with_words()
    alone = answer_parts(run, answer(text="not in snow", extrapolation=True))
    assert alone.direct.endswith("adjusted for any number of questions).")
    assert alone.likeness.startswith('Text encoders hardly hear a "not"')
    assert "This is an extrapolation" in alone.likeness
    assert alone.paragraphs == (alone.direct, alone.likeness)
    known = replace(run.insights[0], confirmed=True, p=0.004)
    both = answer_parts(run, answer(condition=known, named=known.text))
    assert (both.direct, both.cluster) == ("", "")
    assert both.condition.startswith("These words may mean")
    assert both.likeness.startswith('By likeness alone: "a bus in snow", answered through')
    assert str(both) == f"{both.condition}\n\n{both.likeness}"
    counted = answer_parts(run, answer(condition=known, counted=known.text, scope=known.scope))
    assert counted.paragraphs == (counted.direct,)
    assert "was counted, not guessed" in counted.direct
    other = answer_parts(
        run, answer(condition=known, counted="dark", scope="nowhere", p=None, untested="counted alone")
    )
    assert "the 14 images with dark" in other.direct
    assert other.paragraphs == (other.direct, other.condition)
