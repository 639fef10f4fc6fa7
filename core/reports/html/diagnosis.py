"""The report: one HTML file that holds its images and charts, opens offline, and runs no script.

The page forbids itself every fetch and script (Content-Security-Policy), and every text from the user's data is
escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.checks.audit_table import AuditCell, audit_table
from core.extensions import sections
from core.files import write_text
from core.numbers import with_unit
from core.records import Diagnosis, FailureCluster, Pictures, Progress, Row, Section, no_progress
from core.reports.html import charts
from core.reports.html.gallery import Gallery
from core.reports.html.heatmap import heat_map
from core.reports.html.moments import cluster_moments
from core.reports.html.power_map import power_map
from core.reports.html.render import render
from core.reports.html.sections import draw_section, figure_markup
from core.reports.html.yours import yours_section
from core.reports.sections import run_sections
from core.reports.wording.competence import words_sentence
from core.reports.wording.outlines import outlines_sentence

MAX_PICTURES = 480
MAX_PER_GROUP = 24
MAX_PER_HINT = 6
HEAT_PHRASES = 24


def write_report(diagnosis: Diagnosis, path: str | Path, progress: Progress = no_progress) -> None:
    """Write the report, one HTML file that needs no other, whole or not at all.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        path: the file to write.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the file cannot be written.
    """
    write_text(Path(path), render_report(diagnosis, progress))


def render_report(diagnosis: Diagnosis, progress: Progress = no_progress) -> str:
    """The report as one HTML document, below about 6 MB of images."""
    gallery = Gallery(diagnosis)
    summary, *body = run_sections(diagnosis)
    most = max(6, min(MAX_PER_GROUP, MAX_PICTURES // (2 * max(1, len(diagnosis.clusters)))))
    markup = list[Markup]()
    for section in body:
        n_pictures = most
        if section.key == "groups":
            section = _with_moments(diagnosis, section)
        elif section.key == "hints":
            n_pictures = MAX_PER_HINT
        markup.append(draw_section(diagnosis, section, gallery.entries, n_pictures))
        progress("report", len(markup), len(body))
    of_systems = sections(diagnosis)
    return str(
        render(
            "report.html.j2",
            diagnosis=diagnosis,
            overview=summary,
            outlines=outlines_sentence(diagnosis),
            unit=with_unit(diagnosis),
            sections=markup,
            power=power_map(diagnosis),
            words=words_sentence(diagnosis),
            heat=diagnosis.words and heat_map(diagnosis, audit_table(diagnosis, most=HEAT_PHRASES)),
            yours=yours_section(diagnosis, gallery.entries),
            prediction=diagnosis.prediction,
            suspects=gallery.entries(diagnosis.label_errors[:MAX_PER_GROUP]),
            lead=[_of_system(diagnosis, s, gallery, most) for s in of_systems if s.place == "lead"],
            of_systems=[_of_system(diagnosis, s, gallery, most) for s in of_systems if s.place == "body"],
            maps=_maps(diagnosis),
            calibration=charts.calibration(diagnosis),
            reasons=Counter(reason for _, reason in diagnosis.excluded).most_common(),
            n_cluster_colours=charts.N_CLUSTER_COLOURS,
            pictures_left_out=gallery.pictures.left_out,
        )
    )


def _of_system(diagnosis: Diagnosis, section: Section, gallery: Gallery, most: int) -> str:
    """A system's section; of one without lead and rows only what it draws itself."""
    if section.lead or section.rows:
        return draw_section(diagnosis, section, gallery.entries, most)
    return figure_markup(section.figure, gallery.entries)


def _with_moments(diagnosis: Diagnosis, section: Section) -> Section:
    """Of clips, the groups with charts of when their members look like the group's phrase."""
    if diagnosis.samples.modality != "clip":
        return section
    rows = list[Row]()
    for row, cluster in zip(section.rows, diagnosis.clusters):
        rows.append(replace(row, figure=partial(_moments, diagnosis, cluster, row)))
    return replace(section, rows=rows)


def _moments(diagnosis: Diagnosis, cluster: FailureCluster, row: Row, pictures: Pictures) -> str:
    if row.samples is None:
        return ""
    moments = cluster_moments(diagnosis, cluster, row.samples)
    if moments is None:
        return ""
    return render("moments.html.j2", moments=moments)


def style() -> dict[str, Any]:
    """What report.css asks for."""
    return {"maps": {"steps": range(charts.N_LOSS_COLOURS)}, "n_cluster_colours": charts.N_CLUSTER_COLOURS}


def write_audit(diagnosis: Diagnosis, cells: Sequence[AuditCell], path: Path) -> None:
    """Write the audit as a heat map to `path`: one HTML document that fetches nothing and runs nothing."""
    page = render(
        "audit.html.j2", diagnosis=diagnosis, unit=with_unit(diagnosis), heat=heat_map(diagnosis, cells), **style()
    )
    write_text(path, page)


def write_section(diagnosis: Diagnosis, section: Section, path: Path, lead: Sequence[str] = ()) -> None:
    """Write one section with its images to `path`: one HTML document that fetches nothing and runs nothing.

    Args:
        diagnosis: the run it is of.
        section: one that `core.reports` gives.
        lead: sentences above it.
    """
    markup = draw_section(diagnosis, replace(section, title=""), Gallery(diagnosis).entries, MAX_PER_GROUP)
    page = render(
        "section_page.html.j2", diagnosis=diagnosis, title=section.title, section=markup, lead=lead, **style()
    )
    write_text(path, page)


def _maps(diagnosis: Diagnosis) -> dict[str, Any]:
    scale = charts.LossScale.of(diagnosis.outcomes.loss)
    clusters = charts.map_by_cluster(diagnosis) if diagnosis.clusters else None
    return {
        "loss": charts.map_by_loss(diagnosis),
        "clusters": clusters,
        "low": scale.low,
        "high": scale.high,
        "steps": range(charts.N_LOSS_COLOURS),
        "left_off": charts.n_left_off(diagnosis),
    }
