"""ProLIP: the encoder's last linear map, fitted to a few labelled images and held near what it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize

from core.arrays import read_arrays
from core.documents import stored_json
from core.embeddings.embed import read_images
from core.encoders import Encoder
from core.errors import InvalidInput
from core.files import write_arrays
from core.options import setting
from core.records import F64, I64, Progress, no_progress
from core.statistics.losses import softmax
from core.systems.probes.base import Images, Needs, ProbeInput, Scored, fewer_field, logit_scale_of, said_shots
from core.systems.probes.few_shot.lp_plus_plus import ShotSettings, labelled, nearest_shots, start_of
from core.systems.probes.records import Choice
from core.systems.probes.saved import check_place, free_place
from core.systems.probes.zero_shot.prompt_settings import PromptSettings

STEPS = 300
"""At most; where the loss no longer falls it stops."""
PUBLISHED_SCALE = 100.0
"""Of the checkpoints for which the paper takes a weight of 1 over the shots."""


def fit_projection(
    features: F64, labels: I64, texts: F64, first: F64, *, scale: float, weight: float, progress: Progress = no_progress
) -> F64:
    """(w, d) the map W with the least mean cross-entropy + weight * |W - first|^2, summed over its entries.

    Logits are `scale` times the cosines of `features` @ W with the texts. The loss sees W through the n features alone,
    so W - first lies in their span, and what is searched for is as small as they are few.

    Args:
        features: (n, w) rows before the map; their lengths play no part in what is said of a row.
        labels: (n,) class of each.
        texts: (k, d) unit rows, the text classifier.
        first: (w, d) the map before.

    Source: Fahes et al. 2024 (ProLIP), arXiv 2410.05270, and the released code, for the objective. Departures: the code
    takes 300 steps of Adam and its last one, and finds that the step size hardly matters where the weight is 1/N; here
    the minimum itself is found, by L-BFGS, so that no step size is chosen. Images are not augmented (300 views there).
    """
    hot = np.eye(len(texts))[labels]
    left, stretch, _ = np.linalg.svd(features.T, full_matrices=False)  # the span, (w, r) unit columns
    span = left[:, stretch > 1e-9 * max(stretch.max(initial=0.0), 1e-300)]
    inside, plain = features @ span, features @ first
    shape, done = (span.shape[1], first.shape[1]), 0

    def loss(flat: F64) -> tuple[float, F64]:
        moved = flat.reshape(shape)
        raw = plain + inside @ moved
        lengths = np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
        rows = raw / lengths
        shares = softmax(scale * (rows @ texts.T))
        back = (shares - hot) @ texts * (scale / len(features))
        back = (back - (back * rows).sum(1, keepdims=True) * rows) / lengths
        entropy = -np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-300)).mean()
        value = float(entropy + weight * (moved**2).sum())
        return value, (inside.T @ back + 2 * weight * moved).ravel()

    def told(_: F64) -> None:
        nonlocal done
        done += 1
        progress("ProLIP", min(done, STEPS), STEPS)

    start = np.zeros(shape[0] * shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", callback=told, options={"maxiter": STEPS})
    return first + span @ found.x.reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A map that was fitted, and all that is needed to use it for other class names."""

    map: F64
    """(w, d)"""
    fingerprint: str
    """Of the encoder."""
    before: bool
    """Whether it takes what stands before the encoder's last map, or the encoder's unit vectors."""
    scale: float
    """What cosines behind it are multiplied with."""
    taught: tuple[str, ...] = ()
    """Ids of the images that taught it."""

    def rows(self, features: F64) -> F64:
        """(n, d) unit rows of the joint space."""
        raw = features @ self.map
        return raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)


def save_projection(fitted: Projection, path: Path) -> None:
    """Write a map to one npz, whole or not at all."""
    head = {name: getattr(fitted, name) for name in ("fingerprint", "before", "scale", "taught")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, {"record": np.frombuffer(json.dumps(head).encode(), np.uint8), "map": fitted.map})


def load_projection(path: Path, encoder: Encoder) -> Projection:
    """The map that `save_projection` wrote.

    Raises:
        InvalidInput: the file is missing or no such file, or the map is of another encoder.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file of a fitted map at {path}. Fit and save one first, or mend the path.")
    try:
        arrays = read_arrays(path)
        head: dict[str, Any] = stored_json(arrays["record"].tobytes())
        learned = arrays["map"].astype(np.float64)
        taught, scale = tuple(map(str, head["taught"])), float(head["scale"])
        found = Projection(learned, str(head["fingerprint"]), bool(head["before"]), scale, taught)
        sound = learned.ndim == 2 and bool(np.isfinite(learned).all()) and 0 < scale < np.inf
    except Exception as error:  # a zip, npz, JSON or key error: each says that this is another file
        raise InvalidInput(f"{path.name} is not a map that was saved here. Fit and save it again.") from error
    if not sound:
        raise InvalidInput(f"The map in {path.name} is damaged. Fit and save it again.")
    if found.fingerprint != encoder.fingerprint:
        raise InvalidInput(
            f"The map in {path.name} was fitted behind another encoder (checkpoint {found.fingerprint[:12]}) than "
            f"{encoder.name}. Choose that one, or fit it again."
        )
    return found


@dataclass(frozen=True)
class ProLip(PromptSettings, ShotSettings):
    """The encoder's last linear map fitted to the shots; nothing is chosen on validation images.

    Of an open_clip vision transformer that map is `visual.proj`, and pictures are encoded anew, up to it. Other
    encoders, the embedded one among them, end in no linear map: there an identity on the unit vectors stands for it,
    which is the regularised linear adapter of the released code. There the scale of cosines is the one at which
    zero-shot fits the shots best, and the weight of the pull goes with its square: 1 over the shots, as in the paper,
    at its scale of 100. Both were chosen on other draws than those that are reported (docs/evidence/probes.md).
    """

    title: ClassVar[str] = "ProLIP"
    what: ClassVar[str] = (
        "Fits the encoder's last linear map to a few labelled samples a class and holds it near what it was; the class "
        "names stay as they are."
    )
    source: ClassVar[str] = "Fahes et al. 2024, arXiv 2410.05270"

    weight: float | None = setting(
        None,
        "how strongly the map is held; empty: 1 over the shots at a logit scale of 100, less at smaller ones",
        low=0.0,
        high=1e6,
        advanced=True,
    )
    fewer: bool = fewer_field()
    load: str = setting("", "file of a saved map to use instead of fitting one", kind="file", advanced=True)
    save: str = setting("", "file to write the fitted map to", advanced=True)

    def needs(self) -> Needs:
        """Shots alone; nothing with a saved map."""
        return Needs(0 if self.load else self.shots)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: some hundred products of shots, dimensions and classes."""
        return 2.0 + 0.01 * k + folds * 0.003 * self.shots * k + 2e-6 * n * k

    def run(self, part: ProbeInput) -> Scored:
        """Fit the map, or load it, and score."""
        found = self.classifier(part)
        texts, notes = found.vectors.astype(np.float64), list(found.notes)
        if self.save:
            check_place(Path(self.save).expanduser(), "A map")
        fitted, choices = self._fitted(part, texts)
        if self.load:
            notes.append("A map that was fitted before was used; nothing was learned here.")
            if seen := len(set(fitted.taught) & set(part.test.ids)):
                notes.append(f"{seen:,} of the {len(part.test):,} scored images taught it: its accuracy is flattered.")
        if self.save:
            save_projection(fitted, free := free_place(Path(self.save).expanduser()))
            notes.append(f"The map is saved in {free}.")
        scale = fitted.scale
        plain = scale * (part.test.features.astype(np.float64) @ texts.T)
        taken = _features(part, part.test, before=fitted.before)
        if fitted.map.shape != (fits := (taken.shape[1], texts.shape[1])):
            raise InvalidInput(
                f"The map must be {fits}, as this encoder's vectors: got {fitted.map.shape}. Fit it again."
            )
        logits = scale * (fitted.rows(taken) @ texts.T)
        shots = None if self.load else part.shots
        return Scored(
            logits,
            {"zero-shot": plain, "fitted map": logits - plain},
            {"zero-shot": plain.argmax(1)[None].astype(np.int64)},
            shots,
            f"{said_shots(self.shots)} a class" if shots is not None else "",
            neighbours=() if shots is None else (nearest_shots(part.test, shots),),
            choices=choices,
            prompts=found.prompts,
            details={"map": "the encoder's own last" if fitted.before else "an identity on its vectors"},
            notes=tuple(notes),
        )

    def _fitted(self, part: ProbeInput, texts: F64) -> tuple[Projection, tuple[Choice, ...]]:
        if self.load:
            return load_projection(Path(self.load).expanduser(), part.encoder), ()
        seen, labels = shots = labelled(part.shots, self.title)
        assert part.shots is not None
        first, scale = _first(part), logit_scale_of(part.encoder)
        before = first is not None
        if first is None:
            first, scale = np.eye(texts.shape[1]), start_of(scale, texts, shots, shots)
        features = _features(part, part.shots, before=before) if before else seen
        weight = self.weight
        if weight is None:  # the curvature of the cross-entropy grows with the square of the scale
            weight = (scale / PUBLISHED_SCALE) ** 2 / int(np.bincount(labels).max())
        learned = fit_projection(features, labels, texts, first, scale=scale, weight=weight, progress=part.progress)
        how = "fixed" if self.weight is None else "given"
        choices = (Choice("weight", weight, how), Choice("scale", scale, "fixed"))
        return Projection(learned, part.encoder.fingerprint, before, scale, part.shots.ids), choices


def _first(part: ProbeInput) -> F64 | None:
    """The encoder's last map, where it has one and the pictures are at hand; else None."""
    opened: Any = getattr(part.encoder, "before_projection", None)
    own = None if opened is None or part.every is None else opened()
    return None if own is None else own.projection.astype(np.float64)


def _features(part: ProbeInput, images: Images, *, before: bool) -> F64:
    """(n, w) unit rows of the images before the map.

    Raises:
        InvalidInput: the map takes what stands before the encoder's own, and the pictures are not at hand.
    """
    if not before:
        return images.features.astype(np.float64)
    if part.every is None or images.rows is None:
        raise InvalidInput("This map takes pictures that are encoded anew, and they are not at hand. Bring them.")
    own: Any = part.encoder
    read = read_images(part.every.keep(images.rows), own.before_projection(), cache=part.cache, progress=part.progress)
    if len(read.kept) < len(images):
        raise InvalidInput(
            f"{len(images) - len(read.kept):,} pictures can no longer be read: {next(iter(read.unreadable.values()))} "
            "Bring them again."
        )
    return read.joint.vectors.astype(np.float64)
