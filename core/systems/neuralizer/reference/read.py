"""Scans with predicted masks, some with a true mask too, at the network's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.images.archives import open_images
from core.data.images.outlines import Mask
from core.data.modality import Unreadable
from core.data.rows import ids_of, items_of
from core.data.scans.slices import SliceFit, fit_square, scale_to_unit
from core.data.scans.volume import Scan, read_scan
from core.data.tables.cells import texts_of
from core.data.tables.in_folder import open_table
from core.data.tables.masks import MAX_CLASSES, mask_reader
from core.data.tables.paths import masks_hint
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.limits import Limits
from core.records import F32, Bool, ItemStore, Progress, Reporter, no_progress
from core.records.ledger import Ledger

PLANES = 3
"""Slices around the middle that represent a volume, as for the encoder."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskSquares:
    """n scans as squares of `side` pixels, P slices each (1 where a scan is a single slice)."""

    ids: tuple[str, ...]
    images: F32
    """(n, P, side, side), 0 to 1."""
    true: Mask
    """(n, P, side, side) class values; 0 without a true mask."""
    predicted: Mask
    labelled: Bool
    """(n,) whether the scan has a true mask."""
    scans: ItemStore
    """The files."""
    patients: tuple[str | None, ...] = ()
    """(n,) values of the table's group column, or () without one."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def structures(self) -> tuple[int, ...]:
        """Class values of the true masks; (0,) where both masks are binary, whatever their values."""
        values = [np.unique(masks[masks != 0]) for masks in (self.true, self.predicted)]
        if max(map(len, values)) <= 1:
            return (0,)
        return tuple(int(v) for v in values[0])

    def of(self, structure: int) -> tuple[F32, F32]:
        """(n, P, side, side) true and predicted mask of a structure, 0 or 1."""
        if structure == 0:
            return (self.true != 0).astype(np.float32), (self.predicted != 0).astype(np.float32)
        return (self.true == structure).astype(np.float32), (self.predicted == structure).astype(np.float32)


def read_squares(
    table: Path, images: Path, side: int, roles: Roles = Roles(), progress: Progress = no_progress
) -> MaskSquares:
    """The scans of a table with a column of predicted masks, and one of true masks, which may have empty cells.

    Raises:
        InvalidInput: a column of masks is missing, or all true masks are; or as `core.data.samples.read_data_set`.
    """
    store = open_images(images, progress=progress)
    read = open_table(table, images, store, Limits(), tuple(roles.masks or ()), progress)
    recognized = recognise(read.frame, roles, list(read.images), texts=False)
    if recognized.roles.masks is None:
        hint = masks_hint(read.frame, roles.image, roles.id) or "Name both columns with --masks."
        raise InvalidInput(f"No columns of true and predicted masks found. {hint}")
    ledger = Ledger(len(read.frame))
    apart = Ledger(len(read.frame))
    items, positions, modality = items_of(read, recognized, store, ledger, progress)
    if items is None or modality != "scan":
        raise InvalidInput("These files are not scans. Use NIfTI, MGH or npz, or add --modality scan.")
    ids = ids_of(read, recognized, items, positions, ledger)
    true, predicted = recognized.roles.masks
    readers = mask_reader(true, read, store, apart, progress), mask_reader(predicted, read, store, ledger, progress)
    empty = np.zeros(len(read.frame), np.bool_)
    if true in read.frame:
        empty = read.frame[true].isna().to_numpy()
    ledger.drop(~empty & ~apart.standing(), [f"true mask: {reason}" for reason in apart.reasons])
    rows = ledger.kept_rows()
    scans = list[tuple[int, bool, tuple[F32, Mask, Mask]]]()
    report = Reporter(progress, "read scans", len(rows))
    planes = PLANES
    for k, row in enumerate(rows.tolist()):
        report(k)
        masks = [None if label and empty[row] else read_mask(row) for label, read_mask in zip((True, False), readers)]
        try:
            squares = _squares(read_scan(items.read(int(positions[row]))), masks, side)
        except Unreadable as error:
            squares = str(error)
        if isinstance(squares, str):
            ledger.drop(np.arange(len(ledger)) == row, squares)
            continue
        planes = min(planes, len(squares[0]))
        scans.append((row, not empty[row], squares))
    report(len(rows), last=True)
    if not any(labelled for _, labelled, _ in scans):
        raise InvalidInput("No scan has a true mask to learn from. Add true masks. " + " ".join(ledger.summary()[:3]))
    stacks = list[Mask]()
    for j in range(3):  # of a scan with more slices than the others, the middle one
        parts = [squares[j] for _, _, squares in scans]
        stacks.append(np.stack([part if len(part) == planes else part[len(part) // 2][None] for part in parts]))
    images_of_scans, true_masks, predicted_masks = stacks
    scan_rows = [row for row, _, _ in scans]
    patients = ()
    if recognized.roles.group is not None:
        texts = texts_of(read.frame[recognized.roles.group])
        patients = tuple(texts[row] for row in scan_rows)
    return MaskSquares(
        tuple(ids[row] for row in scan_rows),
        images_of_scans,
        true_masks,
        predicted_masks,
        np.array([labelled for _, labelled, _ in scans], np.bool_),
        items.keep(positions[np.array(scan_rows, np.int64)]),
        patients,
        tuple(ledger.summary()),
    )


def _squares(scan: Scan, masks: Sequence[Mask | str | None], side: int) -> tuple[F32, Mask, Mask] | str:
    """(P, side, side) images and masks, or the reason that the scan is left out."""
    fitted = fit_square(scan.plane_shape, scan.pixel, side)
    planes = [scan.middle]
    if scan.shape[scan.across] >= PLANES:
        planes = scan.planes(PLANES)
    squares = list[Mask]()
    for mask in masks:
        if isinstance(mask, str):
            return mask
        if mask is None:
            squares.append(np.zeros((len(planes), side, side), np.int64))
            continue
        flat = mask.shape == scan.plane_shape and scan.shape[scan.across] == 1
        if not flat and mask.shape != scan.shape:
            return f"mask and scan differ in size: {mask.shape} and {scan.shape}"
        if len(np.unique(mask)) > MAX_CLASSES:
            return f"a mask has more than {MAX_CLASSES} values, like a gray image: write one value per class"
        slices = list[Mask]()
        for at in planes:
            plane = mask if flat else np.take(mask, at, scan.across).T[::-1]
            slices.append(_class_square(plane, fitted))
        squares.append(np.stack(slices))
    return np.stack([fitted.into(scale_to_unit(scan.plane(at))) for at in planes]), squares[0], squares[1]


def _class_square(mask: Mask, fitted: SliceFit) -> Mask:
    """(side, side) the class that fills most of each pixel."""
    values = np.unique(mask)
    square = np.zeros((fitted.side, fitted.side), np.int64)
    if len(values) == 1:
        square[fitted.box] = values[0]
        return square
    shares = np.stack([fitted.into((mask == value).astype(np.float32)) for value in values])
    return np.where(shares.max(0) > 0, values[shares.argmax(0)], 0).astype(np.int64)
