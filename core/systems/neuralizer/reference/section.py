"""The section on a run's reference masks in report and page."""

from __future__ import annotations

from core.records import Diagnosis, Pictures, Section
from core.reports.html.render import render
from core.systems.neuralizer.reference.wording import HINT, reference_of
from core.systems.neuralizer.templates import TEMPLATES


def sections(diagnosis: Diagnosis) -> list[Section]:
    """The quality of the masks if the run has them, else a hint for scans; nothing for other modalities."""
    lines = reference_of(diagnosis)
    hint = HINT if diagnosis.samples.modality == "scan" else ""

    def drawn(pictures: Pictures) -> str:
        return render("reference_section.html.j2", TEMPLATES, reference=lines)

    if lines:
        return [Section("Reference masks", figure=drawn, notes=lines, hint=hint)]
    return [Section("More to ask of scans", hint=hint)] if hint else []
