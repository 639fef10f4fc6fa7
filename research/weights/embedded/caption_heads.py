"""Training of the two heads of `caption_part.CaptionPart`, beside a joint space that is there already.

Three losses, each of the cosines that the space will have with the part in it, so that the part learns what the space
does not know yet:

* captions and images of a batch find each other (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748, both ways as in
  CLIP);
* a piece of captions finds the images of the batch that are described with it, all of them together;
* what the space knew of ImageNet's names stays: among them an image has the probabilities that the image network's own
  classifier gives (distillation without labels, as in Li and Hoiem 2016, arXiv 1606.09282, but with the classifier in
  place of the old space). Half of these images' features are moved until the classifier sees a class drawn at random,
  since captioned photographs show few of the 1,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize, softmax

from core.encoders.embedded.alignment import Alignment
from core.encoders.embedded.caption_part import CaptionHead, CaptionPart
from core.encoders.embedded.caption_torch import TorchHead
from core.records import F32, I64
from research.weights.embedded.captioned import N_CAPTIONS, Seen
from research.weights.embedded.fragments import Fragments


@dataclass(frozen=True, slots=True)
class Training:
    """Settings; chosen on the images of the part "tune" and half of the ImageNet images."""

    weight: float = 0.5
    """Of the part against the space without it; the encoder must use the same."""
    width: int = 384
    hidden_image: int = 768
    hidden_text: int = 512
    epochs: int = 80
    batch: int = 512
    edited: int = 64
    """Images of a batch that stand in it a second time, edited and with words for the edit."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    dropout: float = 0.5
    input_dropout: float = 0.4
    """Of the image side."""
    mixed: float = 0.7
    """Share of captions that are mixed with another one of the same image."""
    fragments: int = 192
    """Pieces of captions in a batch."""
    fragment_loss: float = 0.5
    """Weight of their loss against that of the captions; likewise the next."""
    name_loss: float = 2.0
    named: int = 256
    """Images of a batch for the names, and names among which they are told apart."""
    moved: float = 0.5
    """Share of these images whose features are moved."""
    name_scale: float = 20.0
    """Of the cosines among names."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What is trained on. n images, of which `rows` may be used."""

    views: Sequence[Seen]
    """The images as they are, and cuts of them; n rows each."""
    captions: F32
    """(n * 5, 384) unit sentence vectors."""
    edited: Seen
    """The images edited; n rows."""
    edited_captions: F32
    """(n, 384) unit sentence vectors of captions that say the edit."""
    rows: I64
    fragments: Fragments
    names: F32
    """(t, k, 384) unit sentence vectors of the classifier's classes in t templates."""


def _standard(pairs: Pairs) -> CaptionPart:
    """The part without its heads: means and scales over the images that are fitted on."""
    whole = pairs.views[0]
    rows = pairs.rows
    none = CaptionHead(*(np.zeros((0, 0), np.float32) for _ in range(7)))
    said = pairs.captions.reshape(-1, N_CAPTIONS, pairs.captions.shape[1])[rows]
    return CaptionPart(
        whole.features[rows].mean(0),
        whole.features[rows].std(0) + np.float32(1e-2),
        whole.cues[rows].mean(0),
        whole.cues[rows].std(0) + np.float32(1e-3),
        said.mean((0, 1)),
        none,
        none,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Images or texts: what a head takes, and where the space without the part has them."""

    inputs: torch.Tensor
    known: torch.Tensor

    def __getitem__(self, rows: torch.Tensor) -> _Side:
        return _Side(self.inputs[rows], self.known[rows])


def _joined(sides: Sequence[_Side]) -> _Side:
    return _Side(torch.cat([side.inputs for side in sides]), torch.cat([side.known for side in sides]))


class _Trainer:
    """The heads on their way."""

    def __init__(self, pairs: Pairs, alignment: Alignment, settings: Training) -> None:
        torch.manual_seed(settings.seed)
        self.rng = np.random.default_rng(settings.seed)
        self.pairs = pairs
        self.alignment = alignment
        self.s = settings
        self.part = _standard(pairs)
        self.views = [self._images(view) for view in pairs.views]
        self.edited = self._images(pairs.edited)
        self.captions = self._texts(pairs.captions)
        self.said = self._texts(pairs.edited_captions)
        self.pieces = self._texts(pairs.fragments.sentences)
        self.chances = pairs.fragments.chances
        self.names = [self._texts(template) for template in pairs.names]
        s = settings
        inputs = self.edited.inputs.shape[1], self.said.inputs.shape[1]
        self.image = TorchHead(inputs[0], s.width, s.hidden_image, s.dropout, s.input_dropout)
        self.text = TorchHead(inputs[1], s.width, s.hidden_text, s.dropout)
        self.log_scale = nn.Parameter(torch.tensor(2.66))

    def _images(self, seen: Seen) -> _Side:
        inputs = self.part.image_inputs(seen.features, seen.cues)
        return _Side(*map(torch.from_numpy, (inputs, self.alignment.known_images(seen.features, seen.cues))))

    def _texts(self, sentences: F32) -> _Side:
        return _Side(*map(torch.from_numpy, (self.part.text_inputs(sentences), self.alignment.known_texts(sentences))))

    def _cosines(self, images: _Side, texts: _Side, seen: torch.Tensor) -> torch.Tensor:
        """Those of the joint space, times (1 + weight) / weight; `seen` is what the head makes of the images."""
        return images.known @ texts.known.T / self.s.weight + seen @ self.text(texts.inputs).T

    @property
    def scale(self) -> torch.Tensor:
        return self.log_scale.exp().clamp(max=100)

    def loss(self, rows: I64) -> torch.Tensor:
        """Of a batch of images."""
        s = self.s
        each = torch.from_numpy(rows)
        which = self.rng.integers(len(self.views), size=len(rows))
        images = _Side(
            torch.stack([self.views[view].inputs[row] for view, row in zip(which, rows)]),
            torch.stack([self.views[view].known[row] for view, row in zip(which, rows)]),
        )
        twice = each[: s.edited]
        both = _joined([images, self.edited[twice]])
        texts = _joined([self._some_captions(rows), self.said[twice]])
        seen = self.image(both.inputs)
        logits = self._cosines(both, texts, seen) * self.scale
        right = torch.arange(len(logits))
        found = (cross_entropy(logits, right) + cross_entropy(logits.T, right)) / 2
        found = found + s.fragment_loss * self._of_fragments(rows, images, seen[: len(rows)])
        return found + s.name_loss * self._of_names(which[: s.named], rows[: s.named])

    def _some_captions(self, rows: I64) -> _Side:
        """A caption of each image, or a mixture of two."""
        n = len(rows)
        first, second = (
            self.captions[torch.from_numpy(rows * N_CAPTIONS + self.rng.integers(N_CAPTIONS, size=n))] for _ in "ab"
        )
        drawn = np.where(self.rng.random(n) < self.s.mixed, self.rng.uniform(0.3, 0.7, n), 1.0)
        share = torch.from_numpy(drawn.astype(np.float32))[:, None]
        known = normalize(share * first.known + (1 - share) * second.known, dim=1)
        return _Side(share * first.inputs + (1 - share) * second.inputs, known)

    def _of_fragments(self, rows: I64, images: _Side, seen: torch.Tensor) -> torch.Tensor:
        drawn = self.rng.choice(len(self.chances), min(self.s.fragments, len(self.chances)), False, self.chances)
        shown = torch.from_numpy(self.pairs.fragments.shown[rows][:, drawn])
        logits = self._cosines(images, self.pieces[torch.from_numpy(drawn)], seen) * self.scale
        own = logits.masked_fill(~shown, -torch.inf)[:, shown.any(0)]
        return (logits[:, shown.any(0)].logsumexp(0) - own.logsumexp(0)).mean()

    def _of_names(self, which: I64, rows: I64) -> torch.Tensor:
        """Divergence of the joint space's probabilities among some names from the classifier's."""
        s = self.s
        a = self.alignment
        views = self.pairs.views
        features = np.stack([views[view].features[row] for view, row in zip(which, rows)])
        cues = np.stack([views[view].cues[row] for view, row in zip(which, rows)])
        logits = features @ a.classifier.T + a.classifier_bias
        moved = np.flatnonzero(self.rng.random(len(rows)) < s.moved)
        features[moved] = _towards(features[moved], logits[moved], a.classifier, self.rng)
        images = self._images(Seen(features, cues))
        chosen = self.rng.permutation(len(a.classifier))[: s.named]
        wanted = torch.from_numpy((features @ a.classifier.T + a.classifier_bias)[:, chosen])
        names = self.names[int(self.rng.integers(len(self.names)))][torch.from_numpy(chosen)]
        cosines = self._cosines(images, names, self.image(images.inputs)) * s.weight
        return kl_div(log_softmax(s.name_scale * cosines, 1), softmax(wanted, 1), reduction="batchmean")


def _towards(features: F32, logits: F32, classifier: F32, rng: np.random.Generator) -> F32:
    """Features moved along a random class's row until that class leads by up to 4."""
    rows = np.arange(len(features))
    classes = rng.integers(len(classifier), size=len(rows))
    missing = logits.max(1) - logits[rows, classes] + rng.uniform(0, 4, len(rows))
    directions = classifier[classes]
    steps = missing / (directions * directions).sum(1)
    return np.clip(features + steps[:, None] * directions, 0, 6).astype(np.float32)


def train(pairs: Pairs, alignment: Alignment, settings: Training) -> tuple[CaptionPart, float]:
    """The part beside `alignment`, and the scale at which the cosines of both were trained."""
    trainer = _Trainer(pairs, alignment, settings)
    s = settings
    parameters = [*trainer.image.parameters(), *trainer.text.parameters(), trainer.log_scale]
    optimiser = torch.optim.AdamW(parameters, s.learning_rate, weight_decay=s.weight_decay)
    each = s.batch - s.edited
    steps = s.epochs * (len(pairs.rows) // each)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, s.learning_rate, steps, pct_start=0.1)
    shuffled = (trainer.rng.permutation(pairs.rows)[: len(pairs.rows) // each * each] for _ in range(s.epochs))
    for rows in np.concatenate(list(shuffled)).reshape(steps, each):
        loss = trainer.loss(rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    part = trainer.part
    arrays = (part.feature_mean, part.feature_scale, part.cue_mean, part.cue_scale, part.sentence_mean)
    scale = float(trainer.scale.detach()) * (1 + s.weight) / s.weight
    return CaptionPart(*arrays, trainer.image.frozen(), trainer.text.frozen()), scale
