"""The report's sections on a run's probes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.records import Comparison, Diagnosis, Figure, Pictures, Section
from core.reports.html.render import render
from core.reports.html.sections import figure_markup
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.templates import TEMPLATES

TITLE = "Would another model fail here too?"
LEAD = (
    "Probes are classifiers that never saw your training set, on the same samples. Where one is right, look at the "
    "data or the model. Where it fails too, the samples are hard or the labels wrong."
)
MAX_CLASSES = 60
"""Rows of the table by class: with more classes, those with the lowest recall."""


def sections(diagnosis: Diagnosis) -> list[Section]:
    """The learning curves, then a section for each probe, in the order of their runs; an empty list without probes."""
    results = results_of(diagnosis)
    if not results:
        return []
    curves = Section(TITLE, LEAD, figure=partial(_curves, diagnosis))
    return [curves, *(probe_section(diagnosis, result) for result in results)]


def probe_section(diagnosis: Diagnosis, result: ProbeResult) -> Section:
    """One probe, beside the model under diagnosis where both have errors."""
    from core.checks.compare import comparison_with  # scipy: not needed to start the page

    return section_beside(diagnosis, result, comparison_with(diagnosis, result.name))


def section_beside(
    diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None, *, in_full: bool = False
) -> Section:
    """One probe, with its comparison if there is one.

    Args:
        in_full: compared in every class, and without images, as the page shows them by group.
    """
    from core.reports.comparison import comparison_section
    from core.systems.probes.wording import accuracy_sentence, probe_notes

    lead = accuracy_sentence(result)
    title = f"Probe: {result.name}"
    notes = probe_notes(result)
    if comparison is None:
        return Section(title, lead, figure=partial(_details, diagnosis, result, None), notes=notes)
    beside = comparison_section(diagnosis, comparison, in_full=in_full)
    figure = partial(_details, diagnosis, result, None if in_full else beside.figure)
    return replace(beside, title=title, lead=f"{lead} {beside.lead}", figure=figure, notes=[*notes, *beside.notes])


def _curves(diagnosis: Diagnosis, pictures: Pictures) -> str:
    from core.systems.probes.shot_charts import shot_charts
    from core.systems.probes.shot_curves import shot_curves

    return render("shot_curves.html.j2", TEMPLATES, charts=shot_charts(shot_curves(diagnosis)))


def _details(diagnosis: Diagnosis, result: ProbeResult, images: Figure | None, pictures: Pictures) -> str:
    """The images of a comparison; then recall and precision by class, and the settings, folded."""
    from core.reports.wording.comparison import share
    from core.systems.probes.measures import ClassAccuracy, by_class, groups_of

    present: list[tuple[float, ClassAccuracy]] = []  # (recall, class)
    predictions = result.outcomes.predictions
    if predictions is not None:
        for c in by_class(result.labels, predictions, result.class_names, groups_of(diagnosis, result)):
            if c.recall is not None:
                present.append((c.recall.value, c))
    present.sort(key=lambda pair: pair[0])
    classes = [(c.name, f"{c.n:,}", share(c.recall), share(c.precision)) for _, c in present[:MAX_CLASSES]]
    settings = [(name, "none" if value in ("", None) else str(value)) for name, value in result.settings.items()]
    return render(
        "probe_details.html.j2",
        TEMPLATES,
        images=figure_markup(images, pictures),
        encoder=result.encoder,
        classes=classes,
        n_more_classes=len(present) - len(classes),
        settings=settings,
    )
