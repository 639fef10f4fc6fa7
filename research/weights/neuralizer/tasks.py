"""Tasks that are told by examples alone: a batch holds pairs of before and after, and a target to be treated alike.

Source: the task list of Neuralizer (Czolbe and Dalca 2023, arXiv 2305.02644, section 3.1). Each item has one task, one
contrast and one set of examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.systems.neuralizer.corrections.faults import FAULTS
from research.weights.neuralizer.drawn_scans import (
    HELD_OUT,
    OTHER_SIDE,
    STRUCTURES,
    TRAINED,
    Contrast,
    LabelSlices,
    deform,
    draw_any,
    draw_clean,
    draw_contrast,
    masks_of,
)

SEGMENTATION = "segmentation"
TASKS = (SEGMENTATION, "skull strip", "modality", *FAULTS)
LEAST_AREA = 30
"""Pixels that a structure has at least where it is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskBatch:
    """B targets with L pairs of examples each."""

    task: str
    context_in: torch.Tensor
    """(B, L, 1, H, W)."""
    context_out: torch.Tensor
    target_in: torch.Tensor
    """(B, 1, H, W)."""
    target_out: torch.Tensor

    @property
    def given(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the network takes."""
        return self.context_in, self.context_out, self.target_in


@dataclass(frozen=True, slots=True, eq=False)
class ScanTasks:
    """Draws batches of tasks; what it draws depends on the generator alone."""

    slices: LabelSlices
    generator: torch.Generator
    context: Sequence[int] = TRAINED
    """Subjects of the examples."""
    targets: Sequence[int] = TRAINED
    held_out: tuple[str, ...] = HELD_OUT
    """Structures that are never asked for by `batch`."""

    def batch(self, task: str, n: int, pairs: int) -> TaskBatch:
        """`n` targets with `pairs` examples each."""
        labels = torch.stack([self._subjects(pairs, jitter=task == SEGMENTATION) for _ in range(n)])
        chosen = torch.stack([self._asked(own[0]) for own in labels]) if task == SEGMENTATION else None
        flat = deform(labels.flatten(0, 1), self.generator)
        return self._drawn(task, flat, pairs, chosen)

    def structure(self, name: str, n: int, pairs: int) -> TaskBatch:
        """`n` targets of which one structure, or "brain", is wanted, held out ones too; not deformed."""
        wanted = self.slices.brain if name == "brain" else STRUCTURES[name]
        chosen = self.slices.chosen(wanted)
        labels = torch.stack([self._with(chosen, pairs) for _ in range(n)])
        return self._drawn(SEGMENTATION, labels.flatten(0, 1), pairs, chosen.expand(n, -1))

    def _drawn(self, task: str, labels: torch.Tensor, pairs: int, chosen: torch.Tensor | None) -> TaskBatch:
        """The images of (n * (1 + pairs), H, W) labels, of each item the target first."""
        each = pairs + 1
        g = self.generator
        n = len(labels) // each
        contrast = draw_contrast(self.slices, n, g).for_each(each, g)
        if chosen is not None:
            before = draw_any(labels, contrast, g)
            after = masks_of(labels, chosen.repeat_interleave(each, 0))
        else:
            before, after = self._image_task(task, labels, contrast, n)
        size = (n, each, 1, *labels.shape[1:])
        before = before.view(size)
        after = after.view(size)
        return TaskBatch(task, before[:, 1:], after[:, 1:], before[:, 0], after[:, 0])

    def _image_task(
        self, task: str, labels: torch.Tensor, contrast: Contrast, n: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        g = self.generator
        clean = draw_clean(labels, contrast, g)
        if task in FAULTS:
            return FAULTS[task](clean, g), clean
        if task == "skull strip":
            inside = self.slices.chosen(self.slices.brain)
            return clean, clean * masks_of(labels, inside.expand(len(labels), -1))
        other = draw_contrast(self.slices, n, g).for_each(len(labels) // n, g)
        return clean, draw_clean(labels, other, g)

    def _subjects(self, pairs: int, *, jitter: bool, plane: int | None = None) -> torch.Tensor:
        """(1 + pairs, H, W) labels of one plane (with `jitter`, or one beside it): the target, and other subjects."""
        planes = self.slices.places.shape[1]
        plane = self._pick(planes) if plane is None else plane
        target = self.targets[self._pick(len(self.targets))]
        others = [subject for subject in self.context if subject != target]
        order = torch.randperm(len(others), generator=self.generator).tolist()
        rows = [self.slices.places[target, plane]]
        for k in range(pairs):
            moved = plane + (self._pick(3) - 1 if jitter else 0)
            rows.append(self.slices.places[others[order[k % len(order)]], min(max(moved, 0), planes - 1)])
        return torch.stack(rows)

    def _with(self, chosen: torch.Tensor, pairs: int) -> torch.Tensor:
        """As `_subjects`, of a plane in the middle in which the target has the structure."""
        labels = self._subjects(pairs, jitter=False, plane=3 + self._pick(6))
        for _ in range(100):
            if float(chosen[labels[0]].sum()) >= LEAST_AREA / 2:
                break
            labels = self._subjects(pairs, jitter=False, plane=3 + self._pick(6))
        return labels

    def _asked(self, target: torch.Tensor) -> torch.Tensor:
        """(V,) which labels are wanted of an item: one to three that the target has, often both sides of them, at times
        the whole brain."""
        values = self.slices.values
        held = {value for name in self.held_out for value in STRUCTURES[name]}
        area = torch.bincount(target.flatten(), minlength=len(values)).tolist()
        there = [v for v, pixels in zip(values, area, strict=True) if v and v not in held and pixels >= LEAST_AREA]
        if not there or float(torch.rand(1, generator=self.generator)) < 0.08:
            return self.slices.chosen(self.slices.brain)
        wanted = {there[self._pick(len(there))] for _ in range(1 + self._pick(3))}
        if float(torch.rand(1, generator=self.generator)) < 0.6:
            both = dict(OTHER_SIDE) | {right: left for left, right in OTHER_SIDE.items()}
            wanted |= {both.get(value, value) for value in wanted}
        return self.slices.chosen(sorted(wanted))

    def _pick(self, n: int) -> int:
        return int(torch.randint(n, (1,), generator=self.generator))
