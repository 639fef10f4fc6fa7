"""Small parts for learned prompts: a tiny CLIP and images placed around its text vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from core.encoders import Encoder
from core.encoders.arithmetic import unit_rows
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.records import F32, I64, Progress, no_progress
from core.systems.probes.base import Images, ProbeInput
from core.systems.probes.prompt_learning import learner as prompt_learner
from core.systems.probes.prompt_learning.context import Prompts, PromptTraining
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, prompt_logits

NAMES = ("dog", "red cat", "photo", "green frog")
PETS = json.dumps({"Cat": ["whiskers", "a long tail", "often asleep"], "cow": ["horns"]})
SENTENCES = json.dumps({"cat": ["A cat has whiskers.", "Cats are soft!"], "dog": ["A dog barks."]})
"""What files of descriptors and of sentences hold."""


def around(centres: F32, labels: I64, spread: float, seed: int) -> F32:
    """(n, d) unit rows near the center of each label."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), centres.shape[1])) * spread
    return unit_rows(centres[labels] + noise)


def part_around(
    encoder: Encoder,
    centres: F32,
    names: Sequence[str] = NAMES,
    *,
    shots: int = 8,
    validation: int = 0,
    test: int = 20,
    spread: float = 0.1,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[ProbeInput, I64]:
    """A part with these images a class, and the labels of its test images."""
    k = len(names)

    def images(each: int, of: str, number: int) -> Images:
        labels = np.repeat(np.arange(k), each).astype(np.int64)
        return Images(
            around(centres, labels, spread, seed + number), tuple(f"{of}{i}" for i in range(len(labels))), labels
        )

    taught, checked, scored = images(shots, "shot", 1), images(validation, "val", 2), images(test, "test", 3)
    assert scored.labels is not None
    unseen = Images(scored.features, scored.ids)
    return ProbeInput(
        tuple(names), encoder, unseen, taught, checked if validation else None, seed=seed, progress=progress
    ), scored.labels


FAST = PromptTraining(epochs=20, lr=0.05, batch=8)


def permuted(encoder: OpenClipEncoder, seed: int = 0, **more: object) -> tuple[ProbeInput, I64]:
    """Images around the text vectors of the wrong names: zero-shot must fail on every class, and the shots show it."""
    centres = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    return part_around(encoder, centres[[1, 2, 3, 0]], seed=seed, **more)  # type: ignore[arg-type]


def accuracy(part: ProbeInput, prompts: Prompts, labels: I64) -> float:
    return float(
        (prompt_logits(prompts, part.encoder, part.test.features, part.class_names).argmax(1) == labels).mean()
    )


def bounded_to(tokens: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """At most so many tokens go through a tower at a time; how many did, each time, as a list that grows."""
    sizes, true = list[int](), PromptBatch.encode

    def noted(self: PromptBatch, learner: Learner, classes: torch.Tensor, *more: torch.Tensor | None) -> torch.Tensor:
        sizes.append(len(classes) * self.ids.shape[1])
        return true(self, learner, classes, *more)

    monkeypatch.setattr(prompt_learner, "MAX_TOKENS", tokens)
    monkeypatch.setattr(PromptBatch, "encode", noted)
    return sizes
