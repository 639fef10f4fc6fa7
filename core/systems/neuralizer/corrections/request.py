"""Requests for corrected scans or changed clips, and their files, for the command and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.images.archives import open_images
from core.errors import InvalidInput
from core.records import Diagnosis, Progress, no_progress
from core.systems.neuralizer.corrections.altered import AlteredItem
from core.systems.neuralizer.corrections.names import BY_MODALITY, DEFAULT_ITEMS, correction_title


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """The faults to correct, and the number of items."""

    cluster: int = 0
    faults: tuple[str, ...] = ()
    """Faults of the run's modality; empty for all."""
    max_items: int = DEFAULT_ITEMS
    """Items of the cluster, and as many others."""
    network: Path | None = None
    """For scans: a Neuralizer other than the shipped one."""
    seed: int = 0


def altered_items(
    diagnosis: Diagnosis, images: Path, request: CorrectionRequest, progress: Progress = no_progress
) -> tuple[Iterator[tuple[AlteredItem, bytes]], Mapping[str, Any]]:
    """The files, computed one at a time, and the further content of their manifest.

    Args:
        images: the diagnosed scans or clips: folder, zip or tar.

    Raises:
        InvalidInput: a fault does not belong to the run's modality; or as `plan_corrections`, `corrected_scans` and
            `changed_clips`.
    """
    from core.systems.neuralizer.corrections.export import corrected_scans, plan_corrections  # torch

    plan = plan_corrections(diagnosis, request.cluster, request.max_items, request.seed)
    modality = diagnosis.samples.modality
    known = BY_MODALITY[modality]
    unknown = [fault for fault in request.faults if fault not in known]
    if unknown:
        titles = ", ".join(correction_title(name) for name in known)
        raise InvalidInput(f"{unknown[0]} is not a fault of {modality}s. Use --fault with one of {titles}.")
    about = plan.about(diagnosis)
    faults = request.faults or known
    if modality == "clip":
        from core.systems.neuralizer.corrections.clips import changed_clips

        return changed_clips(diagnosis, open_images(images), plan, faults, request.seed, progress), about
    from core.systems.neuralizer.weights import FOLDER, read_network, side_of

    network, card = read_network(request.network or FOLDER)
    side = side_of(card, network)
    return corrected_scans(diagnosis, open_images(images), plan, (network, side), faults, progress), about
