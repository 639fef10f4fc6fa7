"""The report: one HTML file that holds its images and charts, opens offline, and runs no script.

The page forbids itself every fetch and script (Content-Security-Policy), and every text from the user's data is
escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.checks.audit_table import AuditCell, audit_table
from core.data.inline import InlinePictures, text_of
from core.data.tables.roles import columns_read
from core.extensions import drawn, sections
from core.files import write_text
from core.numbers import digits_for, with_unit
from core.records import I64, Comparison, Diagnosis, FailureCluster, Progress, SampleSet, no_progress
from core.reports.html import charts
from core.reports.html.comparison import comparison_section
from core.reports.html.heatmap import heat_map
from core.reports.html.intervals import interval_bar, interval_range
from core.reports.html.moments import cluster_moments
from core.reports.html.power_map import power_map
from core.reports.html.predictions import prediction_tables
from core.reports.html.render import render
from core.reports.html.yours import yours_section
from core.reports.tables.diagnosis import top_members
from core.reports.wording import summary
from core.reports.wording.candidates import candidates_sentence, chance_phrase, members_seen
from core.reports.wording.classes import class_level, through_sentence, untested_sentence
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.effects import coverage_is, effect_figure, loss_phrase, other_measure
from core.reports.wording.findings import cluster_title, how_sure
from core.reports.wording.outlines import outlines_sentence
from core.reports.wording.predictions import WHICH_COUNTS, fresh_source, replication_sentence
from core.reports.wording.reasons import faithfulness_sentence, kinds_table
from core.reports.wording.sensitivity import beyond_sentence, classes_sentence, sensitivity_sentence, what_else
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood, taken_as_is
from core.statistics.measures import in_shares, insights_of, tested_effect
from core.yours import yours_of

MAX_TEXT = 400
"""Characters of a text that stand in the report."""
MAX_PICTURE_BYTES = 5_500_000
"""Bound on all images together, as they stand in the file."""
MAX_PICTURES = 480
MAX_PER_CLUSTER = 24
MAX_PER_CANDIDATE = 6
THUMBNAIL_SIZE = 128
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
    gallery = _Gallery(diagnosis)
    found = diagnosis.prediction
    per_cluster = max(6, min(MAX_PER_CLUSTER, MAX_PICTURES // (2 * max(1, len(diagnosis.clusters)))))
    # clusters of the error rate share one scale, those of the loss another
    axes = {
        kind: interval_range([tested_effect(c) for c in diagnosis.clusters if in_shares(c) == kind])
        for kind in (True, False)
    }
    cards: list[dict[str, Any]] = []
    for cluster in diagnosis.clusters:
        cards.append(_card(diagnosis, cluster, gallery, per_cluster, axes[in_shares(cluster)]))
        progress("report", len(cards), len(diagnosis.clusters))
    looks = [_look(diagnosis, candidate, gallery) for candidate in diagnosis.candidates]
    of_systems = sections(diagnosis)
    return str(
        render(
            "report.html.j2",
            diagnosis=diagnosis,
            verdict=summary.verdict(diagnosis),
            taken_as_is=taken_as_is(diagnosis),
            as_understood=AS_UNDERSTOOD,
            rows_as_understood=rows_as_understood(
                diagnosis.samples, diagnosis.outcomes, columns_read(diagnosis.extras)
            ),
            outlines=outlines_sentence(diagnosis),
            predictability=summary.predictability_sentence(diagnosis),
            unit=with_unit(diagnosis),
            sensitivity=sensitivity_sentence(diagnosis),
            beyond=beyond_sentence(diagnosis, "“Whole classes”", "“Whole classes”", "“Outside any one cluster”"),
            what_else=what_else(sensitivity_sentence(diagnosis)),
            faithfulness=diagnosis.faithfulness and faithfulness_sentence(diagnosis, diagnosis.faithfulness),
            cause_kinds=kinds_table(diagnosis.faithfulness) if diagnosis.faithfulness else [],
            power=power_map(diagnosis),
            whole_classes=classes_sentence(diagnosis),
            untested_classes=untested_sentence(diagnosis),
            through_classes=[*filter(None, (through_sentence(diagnosis, f) for f in diagnosis.classes))],
            pair_tested=summary.PAIR_TESTED,
            class_level=class_level(diagnosis),
            cards=cards,
            looks=looks,
            worth_a_look=candidates_sentence(diagnosis),
            general=insights_of(diagnosis, None),
            words=summary.words_sentence(diagnosis),
            heat=diagnosis.words and heat_map(diagnosis, audit_table(diagnosis, most=HEAT_PHRASES)),
            yours=yours_section(diagnosis, gallery.entries),
            prediction=found,
            predicted=() if found is None else prediction_tables(diagnosis, found),
            replication_sentence="" if found is None else replication_sentence(found),
            fresh_source="" if found is None else fresh_source(found),
            which_counts=WHICH_COUNTS,
            suspects=gallery.entries(diagnosis.label_errors[:MAX_PER_CLUSTER]),
            lead=drawn(of_systems, "lead", gallery.entries),
            sections=drawn(of_systems, "body", gallery.entries),
            maps=_maps(diagnosis),
            calibration=charts.calibration(diagnosis),
            reasons=Counter(reason for _, reason in diagnosis.excluded).most_common(),
            n_cluster_colours=charts.N_CLUSTER_COLOURS,
            pictures_left_out=gallery.pictures.left_out,
        )
    )


def style() -> dict[str, Any]:
    """What report.css asks for."""
    return {"maps": {"steps": range(charts.N_LOSS_COLOURS)}, "n_cluster_colours": charts.N_CLUSTER_COLOURS}


def write_audit(diagnosis: Diagnosis, cells: Sequence[AuditCell], path: Path) -> None:
    """Write the audit as a heat map to `path`: one HTML document that fetches nothing and runs nothing."""
    page = render(
        "audit.html.j2", diagnosis=diagnosis, unit=with_unit(diagnosis), heat=heat_map(diagnosis, cells), **style()
    )
    write_text(path, page)


def write_comparison(diagnosis: Diagnosis, found: Comparison, path: Path, lead: Sequence[str] = ()) -> None:
    """Write two models side by side, with images, to `path`: one HTML document that fetches nothing and runs
    nothing.

    Args:
        lead: sentences above everything else.
    """
    page = render(
        "comparison.html.j2",
        diagnosis=diagnosis,
        compared=comparison_section(diagnosis, found, _Gallery(diagnosis).entries),
        lead=lead,
        **style(),
    )
    write_text(path, page)


@dataclass(frozen=True, slots=True)
class ReportSample:
    """One sample as the report shows it."""

    id: str
    loss: float
    predicted: float
    wrong: bool | None
    label: str | None
    prediction: str | None
    picture: Markup | None
    """A data address, or None: no images, this one cannot be decoded, or the report is full."""
    text: str = ""
    """Of a sample that is a text: its start."""


class _Gallery:
    """Makes entries, and keeps the images within their bounds."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        samples = diagnosis.samples
        self.pictures = InlinePictures(samples.items, MAX_PICTURE_BYTES, THUMBNAIL_SIZE, samples.modality)

    def entries(self, rows: I64) -> list[ReportSample]:
        samples = self.diagnosis.samples
        outcomes = self.diagnosis.outcomes
        return [
            ReportSample(
                id=samples.ids[row],
                loss=float(outcomes.loss[row]),
                predicted=float(self.diagnosis.estimate.predicted[row]),
                wrong=None if outcomes.errors is None else bool(outcomes.errors[row]),
                label=_class_name(samples, samples.labels, row),
                prediction=_class_name(samples, outcomes.predictions, row),
                picture=None if samples.modality == "text" else self.pictures.address(row),
                text=text_of(samples, row)[:MAX_TEXT],
            )
            for row in map(int, rows)
        ]


def _card(
    diagnosis: Diagnosis, cluster: FailureCluster, gallery: _Gallery, most: int, axis: tuple[float, float]
) -> dict[str, Any]:
    colour = f"cluster-{cluster.id % charts.N_CLUSTER_COLOURS}"
    rows = top_members(diagnosis, cluster, most)
    return {
        "cluster": cluster,
        "colour": colour,
        "title": cluster_title(diagnosis, cluster),
        "sure": how_sure(diagnosis, cluster),
        "parts": part_sentences(diagnosis, cluster),
        "own": yours_of(diagnosis).mark_of("cluster", cluster.id),
        "interval": interval_bar(tested_effect(cluster), *axis, colour),
        "in_shares": in_shares(cluster),
        "effect": effect_figure(cluster, diagnosis.outcomes.said_unit),
        "p_is": other_measure(cluster),
        "loss": loss_phrase(cluster, digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)),
        "coverage_is": coverage_is(diagnosis.outcomes, cluster.confirmed),
        "members": gallery.entries(rows),
        "moments": cluster_moments(diagnosis, cluster, rows),
        "n_more": cluster.size - len(rows),
        "opposites": gallery.entries(cluster.counterexamples[: most // 2]),
        "findings": insights_of(diagnosis, cluster.id),
    }


def _look(diagnosis: Diagnosis, candidate: FailureCluster, gallery: _Gallery) -> dict[str, Any]:
    """A candidate as it is listed: what is seen of it, how likely it is to be nothing, and its first members."""
    return {
        "candidate": candidate,
        "title": cluster_title(diagnosis, candidate),
        "sure": how_sure(diagnosis, candidate),
        "seen": members_seen(diagnosis, candidate),
        "chance": chance_phrase(candidate),
        "members": gallery.entries(top_members(diagnosis, candidate, MAX_PER_CANDIDATE)),
    }


def _maps(diagnosis: Diagnosis) -> dict[str, Any]:
    scale = charts.LossScale.of(diagnosis.outcomes.loss)
    return {
        "loss": charts.map_by_loss(diagnosis),
        "clusters": charts.map_by_cluster(diagnosis) if diagnosis.clusters else None,
        "low": scale.low,
        "high": scale.high,
        "steps": range(charts.N_LOSS_COLOURS),
        "left_off": charts.n_left_off(diagnosis),
    }


def _class_name(samples: SampleSet, classes: I64 | None, row: int) -> str | None:
    """The row's class by its name, or by its number where it has none; None where no class is known."""
    if classes is None:
        return None
    place = int(classes[row])
    return samples.class_names[place] if 0 <= place < len(samples.class_names) else str(place)
