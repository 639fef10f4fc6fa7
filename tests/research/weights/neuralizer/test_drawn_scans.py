"""Scans drawn from label maps, their faults and the tasks made of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.systems.neuralizer.corrections.faults import FAULTS, shaded
from research.weights.neuralizer.drawn_scans import (
    HELD_OUT,
    SIDE,
    STRUCTURES,
    UNSEEN,
    LabelSlices,
    deform,
    draw_clean,
    draw_contrast,
    masks_of,
    read_label_slices,
)
from research.weights.neuralizer.tasks import LEAST_AREA, TASKS, ScanTasks


@pytest.fixture(scope="module")
def slices() -> LabelSlices:
    return read_label_slices()


def tasks(slices: LabelSlices, seed: int = 0, **more: Any) -> ScanTasks:
    return ScanTasks(slices, torch.Generator().manual_seed(seed), **more)


def test_the_slices_that_ship_hold_every_structure_in_each_subject(slices: LabelSlices) -> None:
    assert slices.places.shape == (20, 13, SIDE, SIDE)
    for labels in STRUCTURES.values():
        area = slices.chosen(labels)[slices.places].sum((1, 2, 3))
        assert float(area.min()) > LEAST_AREA


def test_left_and_right_are_of_one_tissue(slices: LabelSlices) -> None:
    contrast = draw_contrast(slices, 3, torch.Generator().manual_seed(0))
    left, right = (slices.values.index(label) for label in STRUCTURES["putamen"])
    assert torch.equal(contrast.mean[:, left], contrast.mean[:, right])
    assert not torch.equal(contrast.mean[0], contrast.mean[1])


def test_bending_moves_labels_and_makes_no_new_ones(slices: LabelSlices) -> None:
    labels = slices.places[:3, 6]
    bent = deform(labels, torch.Generator().manual_seed(0))
    assert set(bent.unique().tolist()) <= set(labels.unique().tolist())
    changed = float((bent != labels).float().mean())
    assert 0.02 < changed < 0.5


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_a_target_that_differs_from_what_is_given(task: str, slices: LabelSlices) -> None:
    batch = tasks(slices).batch(task, 2, 3)
    assert batch.context_in.shape == batch.context_out.shape == (2, 3, 1, SIDE, SIDE)
    assert batch.target_in.shape == batch.target_out.shape == (2, 1, SIDE, SIDE)
    assert 0 <= float(batch.target_out.min()) <= float(batch.target_out.max()) <= 1
    assert float((batch.target_in - batch.target_out).abs().mean()) > 0.005
    again = tasks(slices).batch(task, 2, 3)
    assert torch.equal(batch.target_in, again.target_in)


def test_structures_held_out_are_never_asked_for(slices: LabelSlices) -> None:
    held = torch.stack([slices.chosen(STRUCTURES[name]) for name in HELD_OUT]).amax(0)
    drawn = tasks(slices)
    brains = 0
    for _ in range(200):
        wanted = drawn._asked(slices.places[0, 6])
        if float(wanted.sum()) > 6:
            brains += 1
        else:
            assert float((wanted * held).sum()) == 0
    assert 0 < brains < 60


def test_a_structure_is_drawn_of_the_subjects_that_are_named(slices: LabelSlices) -> None:
    batch = tasks(slices, targets=UNSEEN).structure("putamen", 3, 2)
    assert set(batch.target_out.unique().tolist()) == {0.0, 1.0}
    assert float(batch.target_out.sum((1, 2, 3)).min()) >= LEAST_AREA / 2


def test_a_mask_is_where_the_label_is(slices: LabelSlices) -> None:
    labels = slices.places[:2, 6]
    mask = masks_of(labels, slices.chosen(STRUCTURES["cortex"]).expand(2, -1))[:, 0]
    cortex = [slices.values.index(label) for label in STRUCTURES["cortex"]]
    assert torch.equal(mask.bool(), (labels == cortex[0]) | (labels == cortex[1]))


def test_every_fault_spoils_and_stays_a_picture(slices: LabelSlices) -> None:
    g = torch.Generator().manual_seed(0)
    clean = draw_clean(slices.places[:8, 6], draw_contrast(slices, 1, g).for_each(8, g), g)
    for fault in FAULTS.values():
        spoilt = fault(clean, g)
        assert spoilt.shape == clean.shape
        assert float(spoilt.min()) >= 0
        assert float(spoilt.max()) < 1.6
        assert float((spoilt - clean).square().mean()) > 1e-4
    assert float((shaded(clean, g, 0.0) - clean / clean.amax((1, 2, 3), keepdim=True)).abs().max()) < 1e-6
