"""1 - Dice against a reference mask as a stand-in for the loss of scans without a true mask, and whether it may be one:
only where it orders the labeled scans as their true loss does."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
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

BAR = 0.3
"""Least lower end of the rank correlation's interval with which a stand-in is offered."""
LEAST_LABELLED = 20
"""Scans with a true mask below which none is."""
MOST_LABELLED = 150
"""Scans on which it is measured, drawn at random where there are more."""
OFFERED = ("network", "vote")


@dataclass(frozen=True, slots=True)
class StructureFigures:
    """What the reference masks of one structure are worth, on labeled scans."""

    structure: int
    n: int
    dice: Mapping[str, Estimate]
    """Mean Dice with the true mask, by way."""
    gain: Estimate
    """Of the network over the vote."""

    def to_dict(self) -> dict[str, Any]:
        dice = {way: one.to_dict() for way, one in self.dice.items()}
        return {"structure": self.structure, "n": self.n, "dice": dice, "gain": self.gain.to_dict()}


@dataclass(frozen=True, slots=True, eq=False)
class Standin:
    """The stand-in losses of n scans, and what they are worth."""

    ids: tuple[str, ...]
    labelled: Any
    """(n,) bool."""
    loss: F64
    """(n,) the run's loss; nan of scans without a true mask."""
    standin: Mapping[str, F64]
    """(n,) by way of making a reference; nan where neither mask holds anything."""
    structures: tuple[StructureFigures, ...]
    correlation: Mapping[str, Estimate]
    """Rank correlation with the loss on the labeled scans, by way; "expected" is that of the run's own expectation
    from the embedding, for comparison."""
    n: int
    """Labeled scans on which it was measured."""
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The way of making a reference that orders the labeled scans best."""
        return max(OFFERED, key=lambda way: np.nan_to_num(self.correlation[way].value, nan=-2.0))

    @property
    def refusal(self) -> str:
        """Why no stand-in is offered; "" where one is."""
        if self.n < LEAST_LABELLED:
            return f"it was measured on {self.n} labeled scans, and at least {LEAST_LABELLED} are needed"
        low = self.correlation[self.best].low
        if not low >= BAR:
            said = "is undefined" if np.isnan(low) else f"may be as low as {low:.2f}"
            return f"its rank correlation with the true loss {said}, and at least {BAR} is asked"
        return ""

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "n": self.n,
            "n_unlabelled": int((~self.labelled).sum()),
            "best": self.best,
            "offered": not self.refusal,
            "refusal": self.refusal,
            "bar": BAR,
            "correlation": {way: _finite(one) for way, one in self.correlation.items()},
            "structures": [one.to_dict() for one in self.structures],
        }

    def columns(self) -> dict[str, Any]:
        """Of a table with a row a scan: of one without a true mask nothing is said where the stand-in was not shown to
        mean anything."""
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
        InvalidInput: see `reference_masks`.
    """
    place = {id_: k for k, id_ in enumerate(diagnosis.samples.ids)}
    of_run = np.array([place.get(id_, -1) for id_ in scans.ids], np.int64)
    known = np.flatnonzero(scans.labelled & (of_run >= 0))
    rng = np.random.default_rng([seed, 29])
    measured = np.sort(rng.permutation(known)[:MOST_LABELLED])
    rows = np.concatenate([measured, np.flatnonzero(~scans.labelled)]).astype(np.int64)
    groups = _groups(diagnosis, scans, of_run)
    found = reference_masks(scans, network, rows, groups, examples, progress)
    standin = {way: _standin(scans, found, rows, way) for way in WAYS}
    inside = np.arange(len(rows)) < len(measured)
    loss = np.full(len(rows), np.nan)
    loss[inside] = diagnosis.outcomes.loss[of_run[measured]]
    expected = diagnosis.estimate.predicted[of_run[measured]]
    scored = {way: standin[way][inside] for way in WAYS} | {"expected": expected}
    blocks = None if groups is None else _apart(groups[measured])
    correlation = {
        way: rank_correlation(x, loss[inside], blocks, seed, looks=len(OFFERED)) for way, x in scored.items()
    }
    figures = tuple(_figures(scans, one, int(inside.sum()), blocks, seed) for one in found)
    unknown = int((scans.labelled & (of_run < 0)).sum())
    notes = (
        (f"{unknown:,} scans with a true mask are not in the run: they served as examples only.",) if unknown else ()
    )
    ids = tuple(scans.ids[row] for row in rows.tolist())
    made = Standin(ids, inside, loss, standin, figures, correlation, int(inside.sum()), (*scans.notes, *notes))
    return made, found


def measure_table(
    diagnosis: Diagnosis,
    given: tuple[Path, Path],
    roles: Roles = Roles(modality="scan"),
    *,
    source: Path | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[MaskSquares, Standin, tuple[ReferenceMasks, ...]]:
    """The same from files, with the scans that were read.

    Args:
        given: the table that was diagnosed, and its scans and masks: folder, zip or tar.
        roles: its columns; those that are not named are the ones that the run was made with.
        source: another Neuralizer than the one that comes along, folder or checkpoint.

    Raises:
        InvalidInput: the run is of no scans; or see `read_squares` and `reference_masks`.
    """
    if diagnosis.samples.modality != "scan":
        raise InvalidInput(f"Reference masks are drawn for scans, and this run is of {diagnosis.samples.modality}s.")
    network, card = read_network(source or FOLDER)
    scans = read_squares(*given, side_of(card, network), roles.or_of_run(diagnosis.extras), progress)
    standin, found = measure_standin(diagnosis, scans, network, seed=seed, progress=progress)
    return scans, standin, found


def rank_correlation(a: F64, b: F64, groups: I64 | None, seed: int = 0, *, looks: int = 1) -> Estimate:
    """Spearman's, with an interval that holds for several looks at once; rows where either is nan are left out."""
    both = np.isfinite(a) & np.isfinite(b)
    a = a[both]
    b = b[both]
    groups = None if groups is None else groups[both]
    if len(a) < 3:
        return UNDEFINED

    def of(rows: I64) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of constants there is none: nan
            found: Any = spearmanr(a[rows], b[rows])
        return float(found.statistic)

    rng = np.random.default_rng([seed, 31])
    return bootstrap(of, len(a), groups, rng, repeats=1000, level=simultaneous_level(looks))


def _standin(scans: MaskSquares, found: Sequence[ReferenceMasks], rows: I64, way: str) -> F64:
    """(m,) mean of 1 - Dice over the structures that either mask holds."""
    losses = np.stack([dice_losses(scans.of(one.structure)[1][rows], one.masks[way]) for one in found])
    held = np.isfinite(losses)
    return np.where(held.any(0), np.where(held, losses, 0).sum(0) / np.maximum(held.sum(0), 1), np.nan)


def _figures(scans: MaskSquares, found: ReferenceMasks, n: int, groups: I64 | None, seed: int) -> StructureFigures:
    true = scans.of(found.structure)[0][found.rows[:n]]
    there = true.sum((1, 2, 3)) > 0
    scores = {way: 1 - dice_losses(found.masks[way][:n], true)[there] for way in WAYS}
    blocks = None if groups is None else groups[there]

    def mean(values: F64) -> Estimate:
        if not len(values):
            return UNDEFINED
        return bootstrap(lambda at: float(values[at].mean()), len(values), blocks, np.random.default_rng([seed, 37]))

    dice = {way: mean(values) for way, values in scores.items()}
    return StructureFigures(found.structure, int(there.sum()), dice, mean(scores["network"] - scores["vote"]))


def _groups(diagnosis: Diagnosis, scans: MaskSquares, of_run: I64) -> I64 | None:
    """(n,) the run's group of each scan, of one without a true mask that of its patient; -1 where it is in none."""
    if diagnosis.samples.groups is None:
        return None
    groups = np.where(of_run >= 0, diagnosis.samples.groups[np.maximum(of_run, 0)], -1).astype(np.int64)
    known = {patient: int(group) for patient, group in zip(scans.patients, groups) if group >= 0 and patient}
    if scans.patients:
        for row in np.flatnonzero(groups < 0).tolist():
            groups[row] = known.get(scans.patients[row] or "", -1)
    return groups


def _apart(groups: I64) -> I64:
    """The groups, each scan that is alone a group of its own."""
    alone = groups < 0
    return np.where(alone, groups.max(initial=0) + 1 + np.arange(len(groups)), groups).astype(np.int64)


def _finite(one: Estimate) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in one.to_dict().items()}
