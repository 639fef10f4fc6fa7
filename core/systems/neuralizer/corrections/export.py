"""Corrected scans of a cluster and others: files for the user's model to score."""

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
from core.records import I64, Diagnosis, FailureCluster, Progress, Reporter, no_progress
from core.systems.neuralizer.corrections.altered import MIN_ITEMS, UNCHANGED, AlteredItem
from core.systems.neuralizer.corrections.correct import EXAMPLES, Corrector
from core.systems.neuralizer.corrections.names import CONTROL, CORRECTIONS, DEFAULT_ITEMS
from core.systems.neuralizer.corrections.rewrite_scans import rewritten, suffix_of
from core.systems.neuralizer.network import Neuralizer

T = TypeVar("T")
Version = tuple[str, str, bytes]
"""(alteration, suffix of the file, content)."""


@dataclass(frozen=True, slots=True, eq=False)
class CorrectionPlan:
    """The scans of a run to correct, or the clips to change."""

    cluster: FailureCluster
    members: I64
    """Rows of the cluster, a random sample of larger ones."""
    others: I64
    """Random rows outside it."""
    examples: I64
    """For scans: the rows outside it with the lowest loss, as the network's examples; disjoint from `others`."""

    def about(self, diagnosis: Diagnosis) -> Mapping[str, Any]:
        """The plan in the manifest."""
        ids = diagnosis.samples.ids
        return {
            "run": diagnosis.fingerprint,
            "cluster": self.cluster.id,
            "members": [ids[row] for row in self.members.tolist()],
            "examples": [ids[row] for row in self.examples.tolist()],
        }

    def mark(self, fingerprint: str) -> str:
        """Six characters in the names of this plan's files, which distinguish them from those of another plan."""
        rows = (self.members, self.others, self.examples)
        return sha256(repr((fingerprint, [part.tolist() for part in rows])).encode()).hexdigest()[:6]


def plan_corrections(
    diagnosis: Diagnosis, cluster: int, max_items: int = DEFAULT_ITEMS, seed: int = 0
) -> CorrectionPlan:
    """The scans to correct, or clips to change, for a cluster.

    Args:
        cluster: its id.
        max_items: most members, and most others.

    Raises:
        InvalidInput: the run has neither scans nor clips, or no such cluster, or too few items inside or outside it.
    """
    modality = diagnosis.samples.modality
    if modality not in ("scan", "clip"):
        raise InvalidInput(
            f"Corrections need scans or clips, and this run has {modality}s. Use another run; see docs/scans.md and "
            "docs/clips.md."
        )
    target = next((candidate for candidate in diagnosis.clusters if candidate.id == cluster), None)
    if target is None:
        ids = ", ".join(str(known.id) for known in diagnosis.clusters) or "none"
        raise InvalidInput(
            f"This run has no confirmed group with the id {cluster}. Use one of: {ids}. Ids count from 0, so "
            '"Group 1" of the report is 0.'
        )
    inside = target.membership >= 0.5
    outside = np.flatnonzero(~inside)
    order = outside[np.argsort(diagnosis.outcomes.loss[outside], kind="stable")]
    n_examples = EXAMPLES if modality == "scan" else 0
    examples = order[:n_examples]
    candidates = order[n_examples:]
    if len(candidates) < MIN_ITEMS:
        parts = " for comparison"
        if n_examples:
            parts = f": {n_examples} examples and {MIN_ITEMS} for comparison"
        raise InvalidInput(
            f"Only {len(outside)} {modality}s lie outside the group, and {n_examples + MIN_ITEMS} are needed"
            f"{parts}. Diagnose more {modality}s."
        )
    n_inside = int(inside.sum())
    if min(max_items, n_inside) < MIN_ITEMS:
        raise InvalidInput(
            f"{MIN_ITEMS} {modality}s of the group are needed: it has {n_inside}, and at most {max_items} were "
            "requested. Use a larger group, or raise --most."
        )
    rng = np.random.default_rng([seed, 18])
    members = np.sort(rng.permutation(np.flatnonzero(inside))[:max_items])
    others = np.sort(rng.permutation(candidates)[:max_items])
    return CorrectionPlan(target, members.astype(np.int64), others.astype(np.int64), examples.astype(np.int64))


def corrected_scans(
    diagnosis: Diagnosis,
    scans: FileImages,
    plan: CorrectionPlan,
    network: tuple[Neuralizer, int],
    tasks: Sequence[str] = CORRECTIONS,
    progress: Progress = no_progress,
) -> Iterator[tuple[AlteredItem, bytes]]:
    """Yield each scan unchanged, with each fault removed, and with each control.

    Args:
        scans: the diagnosed files.
        network: the network and its side in training in pixels.
        progress: called as ("correct scans", done, total).

    Raises:
        InvalidInput: a scan is not among the files, or is no longer readable.
    """
    files = RunFiles(diagnosis, scans)
    corrector = Corrector(*network, [files.read(row, read_scan) for row in plan.examples.tolist()])

    def versions(read: tuple[bytes, Scan], row: int) -> Iterator[Version]:
        data, scan = read
        suffix = suffix_of(scan)
        unchanged = np.stack([scan.plane(at) for at in range(scan.shape[scan.across])])
        yield UNCHANGED, suffix, rewritten(data, scan, unchanged)
        for task in tasks:
            yield task, suffix, rewritten(data, scan, corrector.correct(scan, task))
            yield task + CONTROL, suffix, rewritten(data, scan, corrector.correct(scan, task, wrong=True))

    report = partial(Reporter, progress, "correct scans")
    yield from files.altered(plan, lambda data: (data, read_scan(data)), versions, report)


class RunFiles:
    """The files of a run by its rows."""

    def __init__(self, diagnosis: Diagnosis, files: FileImages) -> None:
        self.samples = diagnosis.samples
        self.fingerprint = diagnosis.fingerprint
        self.files = files
        self.index = {name: at for at, name in enumerate(files.names)}

    def read(self, row: int, read: Callable[[bytes], T]) -> T:
        """The row's file, read by `read`.

        Raises:
            InvalidInput: it is not among the files, or is no longer readable.
        """
        items = self.samples.items
        name = self.samples.ids[row] if items is None else items.name(row)
        if name not in self.index:
            raise InvalidInput(f"{name[:80]!r} is not among the {self.samples.modality}s. Use the diagnosed files.")
        try:
            return read(self.files.read(self.index[name]))
        except Unreadable as error:
            raise InvalidInput(f"{name[:80]} {error}") from error

    def altered(
        self,
        plan: CorrectionPlan,
        read: Callable[[bytes], T],
        versions: Callable[[T, int], Iterator[Version]],
        report: Callable[[int], Reporter],
    ) -> Iterator[tuple[AlteredItem, bytes]]:
        """Yield every version of the plan's files.

        Args:
            versions: gives the versions of a file that `read` has read, from it and its row.
            report: gives the reporter for a number of files.
        """
        rows = [*plan.members.tolist(), *plan.others.tolist()]
        reporter = report(len(rows))
        mark = plan.mark(self.fingerprint)
        for k, row in enumerate(rows):
            reporter(k)
            for name, suffix, content in versions(self.read(row, read), row):
                slug = name.replace(CONTROL, "-control")
                yield AlteredItem(self.samples.ids[row], name, f"{mark}-{k:05d}-{slug}{suffix}"), content
        reporter(len(rows), last=True)
