"""1 - Dice against a reference mask as a stand-in for the loss of scans without a true mask.

Errata offers it only where it orders the labeled scans as their true loss does.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import F64, I64, UNDEFINED, Diagnosis, Estimate, Progress, no_progress
from core.statistics.intervals import bootstrap, simultaneous_level
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.reference.masks import EXAMPLES, WAYS, ReferenceMasks, dice_losses, reference_masks
from core.systems.neuralizer.reference.read import MaskSquares, read_squares
from core.systems.neuralizer.weights import FOLDER, read_network, side_of

MIN_CORRELATION = 0.3
"""Lower bound of the rank correlation from which a stand-in is offered. A convention."""
MIN_LABELED = 20
"""Scans with a true mask that a stand-in needs. A convention."""
MAX_LABELED = 150
"""Labeled scans that measure it, a random sample of more."""
OFFERED = ("network", "vote")


@dataclass(frozen=True, slots=True)
class StructureFigures:
    """The quality of the reference masks of one structure, on labeled scans."""

    structure: int
    n: int
    dice: Mapping[str, Estimate]
    """Mean Dice with the true mask, by way."""
    gain: Estimate
    """Dice of the network minus that of the vote."""

    def to_dict(self) -> dict[str, Any]:
        dice = {way: estimate.to_dict() for way, estimate in self.dice.items()}
        return {"structure": self.structure, "n": self.n, "dice": dice, "gain": self.gain.to_dict()}


@dataclass(frozen=True, slots=True, eq=False)
class Standin:
    """The stand-in losses of n scans, and their quality."""

    ids: tuple[str, ...]
    labelled: Any
    """(n,) bool."""
    loss: F64
    """(n,) the run's loss; nan for scans without a true mask."""
    standin: Mapping[str, F64]
    """(n,) by way; nan where both masks are empty."""
    structures: tuple[StructureFigures, ...]
    correlation: Mapping[str, Estimate]
    """Rank correlation with the loss on the labeled scans, by way; "expected" is that of the run's prediction from the
    embedding, for comparison."""
    n: int
    """Number of labeled scans that measured it."""
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The way whose reference orders the labeled scans best."""
        return max(OFFERED, key=lambda way: np.nan_to_num(self.correlation[way].value, nan=-2.0))

    @property
    def refusal(self) -> str:
        """The reason against a stand-in; "" where one is offered."""
        if self.n < MIN_LABELED:
            return f"only {self.n} labeled scans measured it, and {MIN_LABELED} are needed"
        low = self.correlation[self.best].low
        if np.isnan(low):
            return f"its rank correlation with the true loss is undefined, and {MIN_CORRELATION} is needed"
        if low < MIN_CORRELATION:
            return (
                f"its rank correlation with the true loss may be as low as {low:.2f}, and {MIN_CORRELATION} is needed"
            )
        return ""

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "n": self.n,
            "n_unlabelled": int((~self.labelled).sum()),
            "best": self.best,
            "offered": not self.refusal,
            "refusal": self.refusal,
            "bar": MIN_CORRELATION,
            "correlation": {way: _finite(estimate) for way, estimate in self.correlation.items()},
            "structures": [figures.to_dict() for figures in self.structures],
        }

    def columns(self) -> dict[str, Any]:
        """Columns of a table with a row per scan; without an offered stand-in, unlabeled scans get none."""
        values = np.where(self.labelled | (not self.refusal), self.standin[self.best], np.nan)
        return {"file": self.ids, "labelled": self.labelled, "loss": self.loss, "standin": values}


def measure_standin(
    diagnosis: Diagnosis,
    scans: MaskSquares,
    network: Neuralizer,
    examples: int = EXAMPLES,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[Standin, tuple[ReferenceMasks, ...]]:
    """The stand-in of every unlabeled scan and of labeled ones, and the reference masks, in the same order.

    Raises:
        InvalidInput: as `reference_masks`.
    """
    index = {id_: k for k, id_ in enumerate(diagnosis.samples.ids)}
    of_run = np.array([index.get(id_, -1) for id_ in scans.ids], np.int64)
    known = np.flatnonzero(scans.labelled & (of_run >= 0))
    rng = np.random.default_rng([seed, 29])
    measured = np.sort(rng.permutation(known)[:MAX_LABELED])
    rows = np.concatenate([measured, np.flatnonzero(~scans.labelled)]).astype(np.int64)
    groups = _groups(diagnosis, scans, of_run)
    references = reference_masks(scans, network, rows, groups, examples, progress)
    standin = dict[str, F64]()
    for way in WAYS:  # the mean of 1 - Dice over the structures in either mask
        losses = np.stack([dice_losses(scans.of(r.structure)[1][rows], r.masks[way]) for r in references])
        present = np.isfinite(losses)
        mean = np.where(present, losses, 0).sum(0) / np.maximum(present.sum(0), 1)
        standin[way] = np.where(present.any(0), mean, np.nan)
    inside = np.arange(len(rows)) < len(measured)
    loss = np.full(len(rows), np.nan)
    loss[inside] = diagnosis.outcomes.loss[of_run[measured]]
    scored = {way: standin[way][inside] for way in WAYS}
    scored["expected"] = diagnosis.estimate.predicted[of_run[measured]]
    blocks = None
    if groups is not None:  # a new group for each scan without one
        known_groups = groups[measured]
        alone = known_groups.max(initial=0) + 1 + np.arange(len(measured))
        blocks = np.where(known_groups < 0, alone, known_groups).astype(np.int64)
    correlation = dict[str, Estimate]()
    for way, values in scored.items():
        correlation[way] = rank_correlation(values, loss[inside], blocks, seed, looks=len(OFFERED))
    figures = tuple(_figures(scans, masks, int(inside.sum()), blocks, seed) for masks in references)
    notes = [*scans.notes]
    n_unknown = int((scans.labelled & (of_run < 0)).sum())
    if n_unknown:
        notes.append(f"Used {n_unknown:,} scans with a true mask as examples only, because they are not in the run.")
    ids = tuple(scans.ids[row] for row in rows.tolist())
    measures = Standin(ids, inside, loss, standin, figures, correlation, int(inside.sum()), tuple(notes))
    return measures, references


def measure_table(
    diagnosis: Diagnosis,
    files: tuple[Path, Path],
    roles: Roles = Roles(modality="scan"),
    *,
    source: Path | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[MaskSquares, Standin, tuple[ReferenceMasks, ...]]:
    """The scans of files, their stand-in and the reference masks.

    Args:
        files: the diagnosed table, and its scans and masks: folder, zip or tar.
        roles: its columns; by default those of the run.
        source: folder or checkpoint of a Neuralizer other than the shipped one.

    Raises:
        InvalidInput: the run does not have scans; or as `read_squares` and `reference_masks`.
    """
    if diagnosis.samples.modality != "scan":
        raise InvalidInput(
            f"Reference masks need scans, and this run has {diagnosis.samples.modality}s. Use a run of scans."
        )
    network, card = read_network(source or FOLDER)
    scans = read_squares(*files, side_of(card, network), roles.or_of_run(diagnosis.extras), progress)
    standin, references = measure_standin(diagnosis, scans, network, seed=seed, progress=progress)
    return scans, standin, references


def rank_correlation(a: F64, b: F64, groups: I64 | None, seed: int = 0, *, looks: int = 1) -> Estimate:
    """Spearman's rank correlation over rows without nan, with an interval that holds for several looks at once."""
    both = np.isfinite(a) & np.isfinite(b)
    a = a[both]
    b = b[both]
    if groups is not None:
        groups = groups[both]
    if len(a) < 3:
        return UNDEFINED

    def of(rows: I64) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is nan for constants
            result: Any = spearmanr(a[rows], b[rows])
        return float(result.statistic)

    rng = np.random.default_rng([seed, 31])
    return bootstrap(of, len(a), groups, rng, repeats=1000, level=simultaneous_level(looks))


def _figures(scans: MaskSquares, reference: ReferenceMasks, n: int, groups: I64 | None, seed: int) -> StructureFigures:
    true = scans.of(reference.structure)[0][reference.rows[:n]]
    present = true.sum((1, 2, 3)) > 0
    scores = {way: 1 - dice_losses(reference.masks[way][:n], true)[present] for way in WAYS}
    blocks = None if groups is None else groups[present]

    def mean(values: F64) -> Estimate:
        if not len(values):
            return UNDEFINED
        return bootstrap(lambda at: float(values[at].mean()), len(values), blocks, np.random.default_rng([seed, 37]))

    dice = {way: mean(values) for way, values in scores.items()}
    return StructureFigures(reference.structure, int(present.sum()), dice, mean(scores["network"] - scores["vote"]))


def _groups(diagnosis: Diagnosis, scans: MaskSquares, of_run: I64) -> I64 | None:
    """(n,) the run's group of each scan, or that of its patient; -1 without one."""
    if diagnosis.samples.groups is None:
        return None
    groups = np.where(of_run >= 0, diagnosis.samples.groups[np.maximum(of_run, 0)], -1).astype(np.int64)
    known = {patient: int(group) for patient, group in zip(scans.patients, groups) if group >= 0 and patient}
    if scans.patients:
        for row in np.flatnonzero(groups < 0).tolist():
            groups[row] = known.get(scans.patients[row] or "", -1)
    return groups


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in estimate.to_dict().items()}
