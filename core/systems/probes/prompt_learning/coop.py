"""CoOp: the words around class names, learned from a few shots as vectors instead of words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from core.errors import InvalidInput
from core.language.grammar import spoken_names
from core.options import setting
from core.records import F64
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, logit_scale_of, shots_field, shots_words
from core.systems.probes.prompt_learning.context import Prompts, PromptTraining, lay_out, load_prompts, save_prompts
from core.systems.probes.records import Choice
from core.systems.probes.saved import check_writable, free_path
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.text_classifier import mean_vectors

INIT = "a photo of a"
EMBEDDED_EPOCHS = 50
"""Default epochs on the embedded encoder, for the estimate."""


@dataclass(frozen=True)
class StartSettings:
    """Settings of CoOp and CoCoOp that come first: their shots, and the start of the context."""

    shots: int = shots_field(16)
    init: str = setting(INIT, "words that the context starts from (empty: random vectors, as in CoOp's own tables)")
    length: int = setting(16, "context vectors, without words to start from", low=1, high=64)


@dataclass(frozen=True)
class NameSettings(StartSettings):
    """Settings of CoOp alone: the position of the class name, and one context or one for each class."""

    position: str = setting("end", "position of the class name", choices=("end", "middle", "front"), advanced=True)
    class_specific: bool = setting(False, "one context for each class; cannot serve other classes")


@dataclass(frozen=True)
class LearnedPrompts(StartSettings):
    """Training, saving and scoring of CoOp and CoCoOp. The order of the bases is the order of the settings."""

    kind: ClassVar[Literal["coop", "cocoop"]]
    epochs: int | None = setting(
        None, "passes over the shots (empty: by encoder and shots)", low=0, high=10_000, advanced=True
    )
    lr: float | None = setting(None, "learning rate (empty: by encoder)", low=1e-6, high=100, advanced=True)
    batch: int = setting(32, "images a step", low=1, high=100_000, advanced=True)
    validate: bool = setting(
        True, "keep the epoch with the lowest loss on up to 4 more images a class, not the last", advanced=True
    )
    fewer: bool = fewer_field()
    load: str = setting("", "file of saved prompts to use instead of training", kind="file", advanced=True)
    save: str = setting("", "file for the trained prompts", advanced=True)

    def needs(self) -> Needs:
        """Shots and, as in CoOp's protocol, as many validation images but at most four; nothing with loaded prompts."""
        if self.load:
            return Needs(prompt_tower=True)
        validation = 0
        if self.validate:
            validation = min(self.shots, VALIDATION)
        return Needs(self.shots, validation, prompt_tower=True)

    def run(self, part: ProbeInput) -> Scored:
        """Train or load prompts, and score."""
        names = [f.name for f in fields(PromptTraining) if hasattr(self, f.name)]
        how = PromptTraining(**{name: getattr(self, name) for name in names})
        return run_prompts(part, how, self.load, self.save, self.shots)


@dataclass(frozen=True)
class CoOp(LearnedPrompts, NameSettings):
    """A context of learned vectors, one for all classes or one for each."""

    title: ClassVar[str] = "CoOp"
    what: ClassVar[str] = (
        "Learns the words around class names from a few labeled images; strong on those classes, weaker on new ones."
    )
    source: ClassVar[str] = "Zhou et al. 2022, arXiv 2109.01134"
    kind = "coop"

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: each step encodes one prompt a class with its gradient, whatever its number of images."""
        if self.load:
            return 3.0
        epochs = EMBEDDED_EPOCHS if self.epochs is None else self.epochs
        steps = epochs * -(-self.shots * k // self.batch)
        return 3.0 + folds * steps * (0.005 + 0.0065 * k)


def run_prompts(part: ProbeInput, how: PromptTraining, load: str, save: str, shots: int) -> Scored:
    """Score the test images with trained or loaded prompts of CoOp or CoCoOp.

    Raises:
        InvalidInput: see `fit_prompts`, `load_prompts` and `check_prompts`.
    """
    from core.systems.probes.prompt_learning.learner import nearest_words, prompt_logits, tower_of  # loads torch
    from core.systems.probes.prompt_learning.training import fit_prompts

    notes: list[str] = []
    if load:
        prompts = load_prompts(Path(load).expanduser())
        if prompts.kind != how.kind:
            raise InvalidInput(
                f"{Path(load).name} has prompts of {prompts.kind}, not {how.kind}. Use `probe {prompts.kind} --load`."
            )
        notes += _loaded_notes(prompts, part)
        how_chosen = "given"
    else:
        if save:
            check_writable(Path(save).expanduser(), "prompts")  # before training
        prompts = fit_prompts(part, how)
        if save:
            path = free_path(Path(save).expanduser())
            save_prompts(prompts, path)
            notes.append(f"Saved the prompts in {path}.")
        how_chosen = "fixed" if part.validation is None else "validation"
    logits = prompt_logits(prompts, part.encoder, part.test.features, part.class_names, progress=part.progress)
    tower = tower_of(part.encoder)
    plain = zero_shot_logits(part, prompts.init)
    n_cut = lay_out(tower, part.class_names, prompts.m, prompts.position).cut
    if n_cut:
        notes.append(
            f"The text tower's limit of {tower.length} tokens truncated {n_cut:,} of {len(part.class_names):,} class "
            "names."
        )
    return Scored(
        logits,
        parts={"zero-shot": plain, "learned context": logits - plain},
        controls={"zero-shot": plain.argmax(1)[None].astype(np.int64)},
        support=None if load else part.shots,
        support_source="" if load else f"{shots_words(shots)} a class",
        choices=(Choice("epoch", float(prompts.epoch), how_chosen),),
        prompts=tuple((shown_prompt(name, prompts),) for name in spoken_names(part.class_names)),
        details=_details(prompts) | {"nearest words": nearest_words(prompts, tower)},
        notes=tuple(notes),
    )


def zero_shot_logits(part: ProbeInput, init: str) -> F64:
    """(m, k) logits of the sentences that the context starts from, or of "a photo of a" for a random start, without
    learning."""
    sentences = [(f"{init or INIT} {name}.",) for name in spoken_names(part.class_names)]
    vectors = mean_vectors(part.encoder, sentences, part.cache).astype(np.float64)
    return logit_scale_of(part.encoder) * (part.test.features.astype(np.float64) @ vectors.T)


def shown_prompt(name: str, prompts: Prompts) -> str:
    """Such as "[v1] [v2] [v3] [v4] dog."."""
    lead = {"end": prompts.m, "middle": prompts.m // 2, "front": 0}[prompts.position]
    places = [f"[v{i + 1}]" for i in range(prompts.m)]
    return " ".join([*places[:lead], name, *places[lead:]]) + "."


def _loaded_notes(prompts: Prompts, part: ProbeInput) -> list[str]:
    notes = [f"The prompts were trained earlier, on {len(prompts.names)} classes."]
    seen = len(set(prompts.taught) & set(part.test.ids))
    if seen:
        notes.append(
            f"{seen:,} of the {len(part.test):,} scored images were in the training of these prompts, so the accuracy "
            "is too high."
        )
    return notes


def _details(prompts: Prompts) -> dict[str, Any]:
    curve = [{"epoch": e, "training loss": t, "validation loss": v} for e, t, v in prompts.plain_curve]
    return {
        "training": dict(prompts.training),
        "chosen epoch": prompts.epoch,
        "curve": curve,
        "trained on": list(prompts.names),
    }
