"""What naming a cause is worth, in the report."""

from __future__ import annotations

from dataclasses import replace

from core.records import Diagnosis, Faithfulness
from core.reports.html.diagnosis import render_report
from tests.support.faithfulness import made_faithfulness
from tests.support.page import Page


def test_what_naming_a_cause_is_worth_is_shown_once_it_was_measured(diagnosis: Diagnosis) -> None:
    assert "Named causes" not in Page(render_report(diagnosis)).text
    text = Page(render_report(replace(diagnosis, faithfulness=made_faithfulness()))).text
    after = text[text.index("Named causes") : text.index("How this was computed")]
    assert "(AUROC 0.70, 95% CI 0.60 to 0.80; held-out halves of 60 samples)" in after
    assert "conditions it meets" in after
    refused = Page(render_report(replace(diagnosis, faithfulness=Faithfulness(refused="At least 40 are needed.")))).text
    assert "were not tested on held-out samples: At least 40 are needed." in refused
