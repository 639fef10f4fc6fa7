"""What report and page show of a run's reference masks."""

from __future__ import annotations

from core.records import Diagnosis
from core.records.sections import Pictures, Section
from core.reports.html.render import render
from core.systems.neuralizer.reference.wording import HINT, reference_of
from core.systems.neuralizer.templates import TEMPLATES


def sections(diagnosis: Diagnosis) -> list[Section]:
    """What the masks are worth where they were made; of other scans what may be asked of them; none of anything
    else."""
    lines = reference_of(diagnosis)
    hint = HINT if diagnosis.samples.modality == "scan" else ""

    def drawn(pictures: Pictures) -> str:
        return render("reference_section.html.j2", TEMPLATES, reference=lines)

    if lines:
        return [Section("Reference masks", figure=drawn, notes=lines, hint=hint)]
    return [Section("More to ask of scans", hint=hint)] if hint else []
