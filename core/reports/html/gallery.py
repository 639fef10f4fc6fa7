"""Samples as the report shows them, and the bounds that keep it small."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from core.data.inline import InlinePictures, text_of
from core.records import I64, Diagnosis, SampleSet
from core.reports.wording.labels import wrong_labels

MAX_TEXT = 400
"""Characters of a text that the report shows."""
MAX_PICTURE_BYTES = 5_500_000
"""Bound on all images together, as the file holds them."""
THUMBNAIL_SIZE = 128


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
    lines: tuple[str, ...] = ()
    """The image's wrong labels, where it has several."""


class Gallery:
    """Makes entries, and keeps the images within their bounds."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        samples = diagnosis.samples
        self.pictures = InlinePictures(samples.items, MAX_PICTURE_BYTES, THUMBNAIL_SIZE, samples.modality)

    def entries(self, rows: I64) -> list[ReportSample]:
        return [self._entry(row) for row in rows.tolist()]

    def _entry(self, row: int) -> ReportSample:
        samples = self.diagnosis.samples
        outcomes = self.diagnosis.outcomes
        wrong = bool(outcomes.errors[row]) if outcomes.errors is not None else None
        picture = self.pictures.address(row) if samples.modality != "text" else None
        return ReportSample(
            id=samples.ids[row],
            loss=float(outcomes.loss[row]),
            predicted=float(self.diagnosis.estimate.predicted[row]),
            wrong=wrong,
            label=_class_name(samples, samples.labels, row),
            prediction=_class_name(samples, outcomes.predictions, row),
            picture=picture,
            text=text_of(samples, row)[:MAX_TEXT],
            lines=tuple(wrong_labels(self.diagnosis, row)),
        )


def _class_name(samples: SampleSet, classes: I64 | None, row: int) -> str | None:
    """The row's class by its name, or by its number where it has none; None where no class is known."""
    if classes is None:
        return None
    number = int(classes[row])
    if 0 <= number < len(samples.class_names):
        return samples.class_names[number]
    return str(number)
