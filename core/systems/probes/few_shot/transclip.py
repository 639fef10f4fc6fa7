"""TransCLIP: zero-shot predictions made better by the unlabelled images themselves, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.errors import InvalidInput
from core.options import setting
from core.records import I64
from core.systems.probes.base import Images, Needs, ProbeInput, Scored, fewer_field, logit_scale_of, said_shots
from core.systems.probes.few_shot.affinities import nearest
from core.systems.probes.few_shot.mixture import OUTER, Problem, Solution
from core.systems.probes.records import Choice, Neighbours
from core.systems.probes.splits import VALIDATION
from core.systems.probes.zero_shot.prompt_settings import PromptSettings

GAMMAS = (0.002, 0.01, 0.02, 0.2)
GAMMA = 0.02
"""Weight of the shots where there are no validation images to choose it on."""
MIN_IMAGES_PER_CLASS = 3
"""Images a class below which a note says that there are few."""


@dataclass(frozen=True)
class TransClip(PromptSettings):
    """A Gaussian for each class, the votes of near images, and a pull back to the texts, in turns until they agree."""

    title: ClassVar[str] = "TransCLIP"
    what: ClassVar[str] = (
        "Class names and all samples to be scored, without labels: samples that are alike get like "
        "classes. Shots may be added."
    )
    source: ClassVar[str] = "Zanella, Gérin & Ben Ayed 2024 (NeurIPS), arXiv 2406.01837"

    shots: int = setting(0, "labelled samples a class beside them; 0: names alone", low=0, high=1000)
    neighbours: int = setting(3, "near images that vote on each", low=0, high=50, advanced=True)
    trust: float | None = setting(
        None, "weight of the texts (lambda); empty: 1, and 0.5 with shots", low=0.0, high=10.0, advanced=True
    )
    fewer: bool = fewer_field()

    def needs(self) -> Needs:
        """Names alone, or shots with validation images on which their weight is chosen."""
        return Needs(self.shots, VALIDATION if self.shots else 0)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: pairs of images, and their distances to the classes in each round."""
        m = n / max(1, folds)
        return 2.0 + 0.01 * k + folds * (4e-8 * m * m + 3e-7 * m * k * (OUTER + 1) * (len(GAMMAS) if self.shots else 1))

    def run(self, part: ProbeInput) -> Scored:
        """Logits = lambda s F W + s / 100 (mixture + neighbours) / 50: their softmax is the assignment that the method
        ends with.

        The factor s / 100 is ours: the constants were set for CLIP's scale of 100. Without it the terms drown the texts
        of an encoder of a lower scale and make every assignment overconfident.
        """
        texts = self.classifier(part)
        scale, vectors = logit_scale_of(part.encoder), texts.vectors.astype(np.float64)
        trust = (0.5 if self.shots else 1.0) if self.trust is None else self.trust
        order = canonical(part.test)
        problem = Problem.of(part.test.keep(order), part.shots, vectors, scale, trust, self.neighbours)
        best, choice = self._solved(problem, part)
        back = np.argsort(order, kind="stable")
        parts = {
            "zero-shot": (trust * problem.zero)[back],
            "mixture": problem.unit * best.mixture[back],
            "neighbours": problem.unit * best.votes[back],
        }
        logits = parts["zero-shot"] + parts["mixture"] + parts["neighbours"]
        before, after = problem.zero[back].argmax(1), logits.argmax(1)
        own = Choice("lambda", trust, "fixed" if self.trust is None else "given")
        silent = [name for name, active in zip(part.class_names, best.active.tolist()) if not active]
        return Scored(
            logits,
            parts,
            {"zero-shot": before[None].astype(np.int64)},
            part.shots,
            f"{said_shots(self.shots)} a class" if self.shots else "",
            neighbours=()
            if part.shots is None
            else (Neighbours("image", *nearest(part.test.features, part.shots.features, 8)),),
            choices=(own,) if choice is None else (own, choice),
            prompts=texts.prompts,
            details={"predictions changed": int((before != after).sum()), "images": len(before)},
            notes=(*texts.notes, *_notes(len(before), part.class_names, silent)),
        )

    def _solved(self, problem: Problem, part: ProbeInput) -> tuple[Solution, Choice | None]:
        if not self.shots:
            return problem.solve(0.0, part.progress), None
        if part.shots is None:
            raise InvalidInput(
                "TransCLIP was asked for shots and got no labelled images. Set shots to 0, or bring some."
            )
        if part.validation is None:
            return problem.solve(GAMMA, part.progress), Choice("gamma", GAMMA, "fixed")
        tried = [(gamma, problem.solve(gamma, part.progress)) for gamma in GAMMAS]
        keys = [problem.judged(solution, part.validation) for _, solution in tried]
        at = keys.index(max(keys))
        return tried[at][1], Choice("gamma", tried[at][0], "validation")


def canonical(images: Images) -> I64:
    """An order of the rows that depends on their vectors alone: sums in it are the same to the last bit however the
    rows were given."""
    keys = [row.tobytes() for row in np.ascontiguousarray(images.features)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _notes(n: int, names: tuple[str, ...], silent: list[str]) -> list[str]:
    notes: list[str] = []
    if n < MIN_IMAGES_PER_CLASS * len(names):
        notes.append(
            f"{n:,} images for {len(names):,} classes are few for images to help each other: "
            "read the gain over zero-shot with care."
        )
    if silent:
        shown = ", ".join(map(repr, silent[:5]))
        notes.append(
            f"No image was given to {shown}{f' and {len(silent) - 5:,} more classes' if len(silent) > 5 else ''}: "
            "nothing was learned of them."
        )
    return notes
