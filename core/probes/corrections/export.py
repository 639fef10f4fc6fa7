"""Scans of a cluster, and others beside them, with each fault taken out: files for the user's model to score again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from core.data.altered import MIN_ITEMS, UNCHANGED, AlteredItem
from core.data.images.archives import FileImages
from core.data.modality import Unreadable
from core.data.scans.rewrite import rewritten, suffix_of
from core.data.scans.volume import Scan, read_scan
from core.encoders.neuralizer.network import Neuralizer
from core.errors import InvalidInput
from core.probes.corrections.correct import CORRECTIONS, EXAMPLES, Corrector
from core.records import F32, I64, Diagnosis, FailureCluster, Progress, Reporter, no_progress

T = TypeVar("T")
CONTROL = " (control)"
"""Behind a correction's name: its examples leave the fault where it is; of clips, see `clips`."""
MOST = 40
"""Scans of the cluster, and as many others, that are corrected unless another number is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class CorrectionPlan:
    """Which scans of a run are corrected, or which clips changed."""

    cluster: FailureCluster
    members: I64
    """Rows of the cluster, drawn at random where there are more than asked for."""
    others: I64
    """Rows outside it, drawn at random."""
    examples: I64
    """Of scans: the rows outside it of least loss, from which the network is told what is wanted; none is among
    `others`."""

    def about(self, diagnosis: Diagnosis) -> Mapping[str, Any]:
        """What the manifest says of it."""
        ids = diagnosis.samples.ids
        return {
            "run": diagnosis.fingerprint,
            "cluster": self.cluster.id,
            "members": [ids[row] for row in self.members.tolist()],
            "examples": [ids[row] for row in self.examples.tolist()],
        }


def plan_corrections(diagnosis: Diagnosis, cluster: int, most: int = MOST, seed: int = 0) -> CorrectionPlan:
    """Which scans to correct, or clips to change, for a cluster.

    Raises:
        InvalidInput: the run is of neither, has no such cluster, or too few scans lie outside it.
    """
    modality = diagnosis.samples.modality
    if modality not in ("scan", "clip"):
        raise InvalidInput(
            f"Corrections are made of scans and clips, and this run is of {modality}s. See docs/scans.md and "
            "docs/clips.md."
        )
    found = next((one for one in diagnosis.clusters if one.id == cluster), None)
    if found is None:
        there = ", ".join(str(one.id) for one in diagnosis.clusters) or "none"
        raise InvalidInput(f"The run has no confirmed cluster {cluster}. Its clusters: {there}.")
    inside = found.membership >= 0.5
    outside = np.flatnonzero(~inside)
    order = outside[np.argsort(diagnosis.outcomes.loss[outside], kind="stable")]
    n_examples = EXAMPLES if modality == "scan" else 0
    examples, rest = order[:n_examples], order[n_examples:]
    if len(rest) < MIN_ITEMS:
        parts = f": {n_examples} examples and {MIN_ITEMS} to compare with" if n_examples else " to compare with"
        raise InvalidInput(
            f"{len(outside)} {modality}s lie outside the cluster and at least {n_examples + MIN_ITEMS} are needed"
            f"{parts}. Diagnose more {modality}s."
        )
    if min(most, int(inside.sum())) < MIN_ITEMS:
        raise InvalidInput(
            f"At least {MIN_ITEMS} {modality}s of the cluster are needed to say anything: it has {int(inside.sum())}, "
            f"and at most {most} were asked for. Choose a larger cluster, or raise --most."
        )
    rng = np.random.default_rng([seed, 18])
    drawn = [np.sort(rng.permutation(rows)[:most]) for rows in (np.flatnonzero(inside), rest)]
    return CorrectionPlan(found, drawn[0].astype(np.int64), drawn[1].astype(np.int64), examples.astype(np.int64))


def corrected_scans(
    diagnosis: Diagnosis,
    scans: FileImages,
    plan: CorrectionPlan,
    network: tuple[Neuralizer, int],
    tasks: Sequence[str] = CORRECTIONS,
    progress: Progress = no_progress,
) -> Iterator[tuple[AlteredItem, bytes]]:
    """Each scan unchanged, with each fault taken out, and with each control; one at a time.

    Args:
        scans: the files that were diagnosed.
        network: with the pixels on which it was taught.
        progress: called as ("correct scans", done, total).

    Raises:
        InvalidInput: a scan is not among the files, or can no longer be read.
    """
    corrector = Corrector(*network, [read_item(diagnosis, scans, row, _scan)[1] for row in plan.examples.tolist()])
    rows = [*plan.members.tolist(), *plan.others.tolist()]
    report = Reporter(progress, "correct scans", len(rows))
    for k, row in enumerate(rows):
        report(k)
        data, scan = read_item(diagnosis, scans, row, _scan)
        for name, planes in _versions(corrector, scan, tasks):
            slug = name.removesuffix(CONTROL) + ("-control" if name.endswith(CONTROL) else "")
            item = AlteredItem(diagnosis.samples.ids[row], name, f"{k:05d}-{slug}{suffix_of(scan)}")
            yield item, rewritten(data, scan, planes)
    report(len(rows), last=True)


def _versions(corrector: Corrector, scan: Scan, tasks: Sequence[str]) -> Iterator[tuple[str, F32]]:
    yield UNCHANGED, np.stack([scan.plane(at) for at in range(scan.shape[scan.across])])
    for task in tasks:
        yield task, corrector.correct(scan, task)
        yield task + CONTROL, corrector.correct(scan, task, wrong=True)


def _scan(data: bytes) -> tuple[bytes, Scan]:
    return data, read_scan(data)


def read_item(diagnosis: Diagnosis, files: FileImages, row: int, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the row's file.

    Raises:
        InvalidInput: it is not among the files, or can no longer be read.
    """
    items, what = diagnosis.samples.items, diagnosis.samples.modality
    name = diagnosis.samples.ids[row] if items is None else items.name(row)
    if name not in files.names:
        raise InvalidInput(f"{name[:80]!r} is not among the {what}s. Bring the files that were diagnosed.")
    try:
        return read(files.read(files.names.index(name)))
    except Unreadable as error:
        raise InvalidInput(f"{name[:80]} {error}") from error
