"""A run's groups over checkpoints of the model, as a section."""

from __future__ import annotations

from functools import partial

from core.checks.checkpoints.follow import FollowedRun
from core.numbers import count
from core.records import Diagnosis, Pictures, Row, Section
from core.reports.html.checkpoints import CheckpointChart, checkpoint_charts
from core.reports.html.render import render
from core.reports.wording.second_model import FOLLOWED

READ_CHART = "Line and dots: inside the group, with 95% intervals. Gray: the others. Hollow: the run's model."
"""How a chart is read."""


def checkpoints_section(diagnosis: Diagnosis, followed: FollowedRun) -> Section:
    """Each group, then all samples: whether the error rate changed from first to last checkpoint, with a chart.

    Args:
        diagnosis: the run whose groups were followed.
        followed: what `core.checks.checkpoints.follow.follow` gave.
    """
    rows = list[Row]()
    for chart in checkpoint_charts(diagnosis, followed):
        rank = None
        if chart.number is not None:
            rank = chart.number + 1
        figure = partial(_chart, chart, followed)
        rows.append(Row(chart.title, chart.sentence, rank=rank, figure=figure))
    title = f"Groups over {count(len(followed.names), 'checkpoint')}"
    return Section(title, rows=rows, notes=[*followed.notes, FOLLOWED], method=[READ_CHART], key="checkpoints")


def _chart(chart: CheckpointChart, followed: FollowedRun, pictures: Pictures) -> str:
    return render("checkpoint.html.j2", chart=chart, followed=followed)
