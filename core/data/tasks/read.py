"""Read the data of a task: one row per image, or several (detections, several labels, masks by class)."""

from __future__ import annotations

from core.data.samples import DataSet, read_data_set
from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.records import Progress, no_progress

DETECTION_THRESHOLDS = ("iou", "score")


def read_task(options: TaskOptions, roles: Roles, progress: Progress = no_progress) -> DataSet:
    """Read the samples that the command line names.

    Args:
        options: the files, and how they are read.
        roles: the columns that the user named.

    Raises:
        InvalidInput: options of two tasks are mixed, or the data cannot be used.
    """
    options_of_tasks = {"detections": "--detections", "labels": "--labels", "per_class": "--per-class"}
    chosen = [option for name, option in options_of_tasks.items() if getattr(options, name)]
    if len(chosen) > 1:
        raise InvalidInput(f"{chosen[0]} and {chosen[1]} are two tasks. Use one of them.")
    if options.issues is not None and chosen:
        raise InvalidInput(f"--issues needs one row per image, {chosen[0]} makes several. Remove --issues.")
    if options.detections is not None:
        from core.data.tasks.detection.samples import read_detection_samples

        if options.truth is None:
            raise InvalidInput("--detections needs the true boxes. Add --truth.")
        if options.images is None:
            raise InvalidInput("--detections needs the images. Add --images.")
        if options.table is not None or options.embeddings is not None:
            raise InvalidInput("--detections embeds each object from --images. Remove --table and --embeddings.")
        thresholds = {name: getattr(options, name) for name in DETECTION_THRESHOLDS}
        return read_detection_samples(
            options.truth,
            options.detections,
            images=options.images,
            rows=options.rows,
            loss_kind=roles.loss_kind or "miss",
            as_is=roles.as_is,
            progress=progress,
            **{name: value for name, value in thresholds.items() if value is not None},
        )
    if options.truth is not None:
        raise InvalidInput("--truth needs predictions. Add --detections.")
    for name in DETECTION_THRESHOLDS:
        value = getattr(options, name)
        if value is not None:
            raise InvalidInput(f"--{name} {value:g} has no effect without --detections. Add --detections or remove it.")
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
