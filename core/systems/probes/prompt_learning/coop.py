"""CoOp: the words around class names are learned from a few shots, as vectors in place of words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from core.errors import InvalidInput
from core.language.grammar import spoken_names
from core.options import setting
from core.records import F64
from core.systems.probes.base import Needs, ProbeInput, Scored, fewer_field, logit_scale_of, said_shots, shots_field
from core.systems.probes.prompt_learning.context import Prompts, PromptTraining, lay_out, load_prompts, save_prompts
from core.systems.probes.records import Choice
from core.systems.probes.saved import check_place, free_place
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.text_classifier import mean_vectors

INIT = "a photo of a"
EMBEDDED_EPOCHS = 50
"""What training takes there by default, for the estimate."""


@dataclass(frozen=True)
class StartSettings:
    """The first settings of CoOp and CoCoOp: what they learn from, and what the context starts as."""

    shots: int = shots_field(16)
    init: str = setting(INIT, "words that the context starts from; empty: random vectors, as in CoOp's own tables")
    length: int = setting(16, "context vectors, where there are no words to start from", low=1, high=64)


@dataclass(frozen=True)
class NameSettings(StartSettings):
    """What CoOp alone can be told: where the class name stands, and whose context it is."""

    position: str = setting("end", "where the class name stands", choices=("end", "middle", "front"), advanced=True)
    class_specific: bool = setting(False, "a context of its own for each class; it cannot serve other classes")


@dataclass(frozen=True)
class LearnedPrompts(StartSettings):
    """CoOp and CoCoOp alike: how they are trained, kept and scored. The order of the bases is that of the settings."""

    kind: ClassVar[Literal["coop", "cocoop"]]
    epochs: int | None = setting(None, "empty: what suits encoder and shots", low=0, high=10_000, advanced=True)
    lr: float | None = setting(None, "step size; empty: what suits the encoder", low=1e-6, high=100, advanced=True)
    batch: int = setting(32, "images a step", low=1, high=100_000, advanced=True)
    validate: bool = setting(
        True, "keep the epoch of the lowest loss on up to 4 further images a class; otherwise the last", advanced=True
    )
    fewer: bool = fewer_field()
    load: str = setting("", "file of saved prompts to use instead of training", kind="file", advanced=True)
    save: str = setting("", "file to write the trained prompts to", advanced=True)

    def needs(self) -> Needs:
        """Shots and, as in CoOp's protocol, as many images to validate by, but at most four; nothing with saved
        prompts."""
        shots = 0 if self.load else self.shots
        return Needs(shots, min(shots, VALIDATION) if self.validate else 0, prompt_tower=True)

    def run(self, part: ProbeInput) -> Scored:
        """Train, or load, and score."""
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
        """CPU seconds: each step encodes one prompt a class with its gradient, however many images it takes."""
        if self.load:
            return 3.0
        steps = (EMBEDDED_EPOCHS if self.epochs is None else self.epochs) * -(-self.shots * k // self.batch)
        return 3.0 + folds * steps * (0.005 + 0.0065 * k)


def run_prompts(part: ProbeInput, how: PromptTraining, load: str, save: str, shots: int) -> Scored:
    """Prompts, trained or loaded, with what explains them; CoOp and CoCoOp alike.

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
                f"{Path(load).name} holds prompts of {prompts.kind}, and this is {how.kind}. "
                f"Run `probe {prompts.kind} --load` with it."
            )
        notes += _about_loaded(prompts, part)
    else:
        if save:
            check_place(Path(save).expanduser(), "Prompts")  # before the training, not after it
        prompts = fit_prompts(part, how)
        if save:
            save_prompts(prompts, free := free_place(Path(save).expanduser()))
            notes.append(f"The prompts are saved in {free}.")
    logits = prompt_logits(prompts, part.encoder, part.test.features, part.class_names, progress=part.progress)
    tower = tower_of(part.encoder)
    plain = zero_shot_logits(part, prompts.init)
    if cut := lay_out(tower, part.class_names, prompts.m, prompts.position).cut:
        notes.append(
            f"{cut:,} of the {len(part.class_names):,} class names lost their end to the text tower's limit of "
            f"{tower.length} tokens."
        )
    return Scored(
        logits,
        parts={"zero-shot": plain, "learned context": logits - plain},
        controls={"zero-shot": plain.argmax(1)[None].astype(np.int64)},
        support=None if load else part.shots,
        support_source="" if load else f"{said_shots(shots)} a class",
        choices=(_choice(prompts, part, load),),
        prompts=tuple((shown_prompt(name, prompts),) for name in spoken_names(part.class_names)),
        details=_details(prompts) | {"nearest words": nearest_words(prompts, tower)},
        notes=tuple(notes),
    )


def zero_shot_logits(part: ProbeInput, init: str) -> F64:
    """(m, k) of the sentences that the context starts from, or of "a photo of a" where it starts at random: nothing is
    learned."""
    sentences = [(f"{init or INIT} {name}.",) for name in spoken_names(part.class_names)]
    vectors = mean_vectors(part.encoder, sentences, part.cache).astype(np.float64)
    return logit_scale_of(part.encoder) * (part.test.features.astype(np.float64) @ vectors.T)


def shown_prompt(name: str, prompts: Prompts) -> str:
    """Such as "[v1] [v2] [v3] [v4] dog."."""
    lead = {"end": prompts.m, "middle": prompts.m // 2, "front": 0}[prompts.position]
    places = [f"[v{i + 1}]" for i in range(prompts.m)]
    return " ".join([*places[:lead], name, *places[lead:]]) + "."


def _about_loaded(prompts: Prompts, part: ProbeInput) -> list[str]:
    seen = len(set(prompts.taught) & set(part.test.ids))
    notes = [f"Prompts that were trained before on {len(prompts.names)} classes were used; nothing was learned here."]
    if seen:
        notes.append(
            f"{seen:,} of the {len(part.test):,} scored images were in the training of these prompts, "
            "so their accuracy is flattered."
        )
    return notes


def _choice(prompts: Prompts, part: ProbeInput, load: str) -> Choice:
    how = "given" if load else "fixed" if part.validation is None else "validation"
    return Choice("epoch", float(prompts.epoch), how)


def _details(prompts: Prompts) -> dict[str, Any]:
    curve = [{"epoch": e, "training loss": t, "validation loss": v} for e, t, v in prompts.plain_curve]
    return {
        "training": dict(prompts.training),
        "chosen epoch": prompts.epoch,
        "curve": curve,
        "trained on": list(prompts.names),
    }
