"""The report's section on a run's probes."""

from __future__ import annotations

from functools import partial

from core.records import Diagnosis, Pictures, Section
from core.reports.html.render import render
from core.systems.probes.records import results_of
from core.systems.probes.templates import TEMPLATES


def sections(diagnosis: Diagnosis) -> list[Section]:
    """One section for all probes; an empty list without probes."""
    if not results_of(diagnosis):
        return []
    return [Section("Other models", figure=partial(_render, diagnosis))]


def _render(diagnosis: Diagnosis, pictures: Pictures) -> str:
    from core.systems.probes.html import probe_sections  # scipy: not needed to start the page
    from core.systems.probes.shot_charts import shot_charts
    from core.systems.probes.shot_curves import shot_curves

    return render(
        "probes.html.j2",
        TEMPLATES,
        diagnosis=diagnosis,
        probes=probe_sections(diagnosis, pictures),
        shot_charts=shot_charts(shot_curves(diagnosis)),
    )
