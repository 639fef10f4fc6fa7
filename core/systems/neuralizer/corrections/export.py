"""Scans of a cluster, and others beside them, with each fault taken out: files for the user's model to score again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np

from core.data.images.archives import FileImages
from core.data.modality import Unreadable
from core.data.scans.volume import Scan, read_scan
from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis, FailureCluster, Progress, Reporter, no_progress
from core.systems.neuralizer.corrections.altered import MIN_ITEMS, UNCHANGED, AlteredItem
from core.systems.neuralizer.corrections.correct import EXAMPLES, Corrector
from core.systems.neuralizer.corrections.names import CONTROL, CORRECTIONS, MOST
from core.systems.neuralizer.corrections.rewrite_scans import rewritten, suffix_of
from core.systems.neuralizer.network import Neuralizer

T = TypeVar("T")
Version = tuple[str, str, bytes]
"""What was done to a file, the end of the new one's name, and its bytes."""


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

    def mark(self, fingerprint: str) -> str:
        """Six signs that stand in the names of this plan's files, so that the scores of another are told."""
        rows = (self.members, self.others, self.examples)
        return sha256(repr((fingerprint, [part.tolist() for part in rows])).encode()).hexdigest()[:6]


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
        raise InvalidInput(
            f"The run has no confirmed cluster with the id {cluster}. Its ids: {there}; they count from 0, so that "
            '"Cluster 1" of the report is 0.'
        )
    inside = found.membership >= 0.5
    outside = np.flatnonzero(~inside)
    order = outside[np.argsort(diagnosis.outcomes.loss[outside], kind="stable")]
    n_examples = EXAMPLES if modality == "scan" else 0
    examples = order[:n_examples]
    rest = order[n_examples:]
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
    files = RunFiles(diagnosis, scans)
    corrector = Corrector(*network, [files.read(row, read_scan) for row in plan.examples.tolist()])

    def versions(read: tuple[bytes, Scan], row: int) -> Iterator[Version]:
        data, scan = read
        for name, planes in _versions(corrector, scan, tasks):
            yield name, suffix_of(scan), rewritten(data, scan, planes)

    report = partial(Reporter, progress, "correct scans")
    yield from files.altered(plan, lambda data: (data, read_scan(data)), versions, report)


def _versions(corrector: Corrector, scan: Scan, tasks: Sequence[str]) -> Iterator[tuple[str, F32]]:
    yield UNCHANGED, np.stack([scan.plane(at) for at in range(scan.shape[scan.across])])
    for task in tasks:
        yield task, corrector.correct(scan, task)
        yield task + CONTROL, corrector.correct(scan, task, wrong=True)


class RunFiles:
    """The files that a run was made of, by its rows."""

    def __init__(self, diagnosis: Diagnosis, files: FileImages) -> None:
        self.samples = diagnosis.samples
        self.fingerprint = diagnosis.fingerprint
        self.files = files
        self.place = {name: at for at, name in enumerate(files.names)}

    def read(self, row: int, read: Callable[[bytes], T]) -> T:
        """What `read` makes of the row's file.

        Raises:
            InvalidInput: it is not among the files, or can no longer be read.
        """
        items = self.samples.items
        name = self.samples.ids[row] if items is None else items.name(row)
        if name not in self.place:
            raise InvalidInput(
                f"{name[:80]!r} is not among the {self.samples.modality}s. Bring the files that were diagnosed."
            )
        try:
            return read(self.files.read(self.place[name]))
        except Unreadable as error:
            raise InvalidInput(f"{name[:80]} {error}") from error

    def altered(
        self,
        plan: CorrectionPlan,
        read: Callable[[bytes], T],
        versions: Callable[[T, int], Iterator[Version]],
        report: Callable[[int], Reporter],
    ) -> Iterator[tuple[AlteredItem, bytes]]:
        """Every version of the plan's files, one at a time.

        Args:
            versions: of what `read` makes of a file, and its row.
            report: of how many files, who is told.
        """
        rows = [*plan.members.tolist(), *plan.others.tolist()]
        told = report(len(rows))
        mark = plan.mark(self.fingerprint)
        for k, row in enumerate(rows):
            told(k)
            for name, suffix, content in versions(self.read(row, read), row):
                slug = name.replace(CONTROL, "-control")
                yield AlteredItem(self.samples.ids[row], name, f"{mark}-{k:05d}-{slug}{suffix}"), content
        told(len(rows), last=True)
