"""Which reader a task needs: one row an image, or several (detections, several labels, masks by class)."""

from __future__ import annotations

from pathlib import Path

from core.data.samples import DataSet, read_data_set
from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.records import Progress, no_progress

THRESHOLDS = ("iou", "score")
"""Of detections alone."""


def read_task(options: TaskOptions, roles: Roles, progress: Progress = no_progress) -> DataSet:
    """The audit of what the command line names.

    Args:
        options: the files, and how they are read.
        roles: the columns that were named.

    Raises:
        InvalidInput: options of two tasks were mixed, or what was brought cannot be used.
    """
    chosen = [name for name in ("detections", "labels", "per_class") if getattr(options, name)]
    if len(chosen) > 1:
        raise InvalidInput(
            f"--{chosen[0].replace('_', '-')} and --{chosen[1].replace('_', '-')} are two tasks. Choose one."
        )
    if options.issues is not None and chosen:
        other = chosen[0].replace("_", "-")
        raise InvalidInput(f"--issues has no effect with --{other}: it speaks of one row an image. Leave it out.")
    if options.truth is not None and options.detections is None:
        raise InvalidInput("--truth belongs to --detections. Give the predictions with --detections.")
    for name in THRESHOLDS:
        if getattr(options, name) is not None and options.detections is None:
            raise InvalidInput(
                f"--{name} {getattr(options, name):g} has no effect without --detections. "
                "Leave it out, or give a detector's predictions with --detections."
            )
    if options.detections is not None:
        return _detections(options.detections, options, roles, progress)
    images = options.images
    embeddings = options.embeddings
    if options.labels:
        from core.data.tasks.multilabel import read_multilabel

        return read_multilabel(
            options.table, options.labels, images=images, embeddings=embeddings, roles=roles, progress=progress
        )
    if options.per_class:
        from core.data.tasks.mask_classes import read_mask_classes

        return read_mask_classes(
            options.table, rows=options.rows, images=images, embeddings=embeddings, roles=roles, progress=progress
        )
    return read_data_set(
        options.table,
        images=images,
        embeddings=embeddings,
        issues=options.issues,
        roles=roles,
        least=MIN_SAMPLES,
        progress=progress,
    )


def _detections(predictions: Path, options: TaskOptions, roles: Roles, progress: Progress) -> DataSet:
    from core.data.tasks.detection.samples import read_detection_samples

    if options.truth is None or options.images is None:
        missing = "--truth" if options.truth is None else "--images"
        raise InvalidInput(
            f"--detections needs the true boxes (--truth) and the images (--images): {missing} is missing."
        )
    if options.table is not None or options.embeddings is not None:
        raise InvalidInput(
            "--table and --embeddings have no part in detections: each object is embedded from "
            "--images. Leave them out."
        )
    return read_detection_samples(
        options.truth,
        predictions,
        images=options.images,
        rows=options.rows,
        loss_kind=roles.loss_kind or "miss",
        as_is=roles.as_is,
        progress=progress,
        **{name: value for name in THRESHOLDS if (value := getattr(options, name)) is not None},
    )
