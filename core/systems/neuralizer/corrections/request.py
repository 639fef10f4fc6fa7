"""What is asked of a run's scans or clips, and the altered items that come of it: for the command and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.images.archives import open_images
from core.errors import InvalidInput
from core.records import Diagnosis, Progress, no_progress
from core.systems.neuralizer.corrections.altered import AlteredItem
from core.systems.neuralizer.corrections.names import BY_MODALITY, MOST, said_correction


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """What to correct, and how much of it."""

    cluster: int = 0
    faults: tuple[str, ...] = ()
    """Of the run's modality; none takes all."""
    most: int = MOST
    """Items of the cluster, and as many others."""
    network: Path | None = None
    """Of scans: another Neuralizer than the one that comes along."""
    seed: int = 0


def altered_items(
    diagnosis: Diagnosis, images: Path, asked: CorrectionRequest, progress: Progress = no_progress
) -> tuple[Iterator[tuple[AlteredItem, bytes]], Mapping[str, Any]]:
    """The files, made one at a time as they are asked for, and what their manifest says.

    Args:
        images: the scans or clips that were diagnosed: folder, zip or tar.

    Raises:
        InvalidInput: a fault is none of the run's modality; or see `plan_corrections`, `corrected_scans` and
            `changed_clips`.
    """
    from core.systems.neuralizer.corrections.export import corrected_scans, plan_corrections  # torch

    plan = plan_corrections(diagnosis, asked.cluster, asked.most, asked.seed)
    modality = diagnosis.samples.modality
    known = BY_MODALITY[modality]
    if strange := [fault for fault in asked.faults if fault not in known]:
        named = ", ".join(map(said_correction, known))
        raise InvalidInput(f"Of {modality}s {named} can be taken out: got --fault {strange[0]}.")
    about = plan.about(diagnosis)
    faults = asked.faults or known
    if modality == "clip":
        from core.systems.neuralizer.corrections.clips import changed_clips

        return changed_clips(diagnosis, open_images(images), plan, faults, asked.seed, progress), about
    from core.systems.neuralizer.weights import FOLDER, read_network, side_of

    network, card = read_network(asked.network or FOLDER)
    side = side_of(card, network)
    return corrected_scans(diagnosis, open_images(images), plan, (network, side), faults, progress), about
