"""The model that is taught wrong: a small convolutional trunk, taught once to read the images, and a head of one
hidden layer that learns each configuration's task. It stands for the authors' ResNet-18, which comes pretrained."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from core.records import F32, F64, I64
from research.evidence.published.spotcheck import OPTIONS, PLACE, TARGET, BlindspotConfiguration, Pixels, draw_pictures

N_PICTURES = 12_000
EPOCHS = 4
BATCH = 64
RATE = 4e-3
HIDDEN = 128
HEAD_EPOCHS = 60
EVERYTHING = BlindspotConfiguration(
    tuple(name for name in OPTIONS if name not in ("background", TARGET)),
    (
        *((name, "presence") for name in OPTIONS if name != "background"),
        *((name, option) for name, options in OPTIONS.items() for option in options),
        ("background", PLACE),
    ),
    (),
)
"""All layers and options rolled: what the trunk is taught on. No blindspot is in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """Images to (n, 256) features."""

    network: Any

    def __call__(self, pixels: Pixels) -> F32:
        import torch  # seconds, and only here

        with torch.no_grad():
            return torch.cat([self.network(_scaled(part)) for part in torch.from_numpy(pixels).split(500)]).numpy()


def load_trunk(path: Path) -> Trunk:
    """The trunk kept there, or one taught now, in one to two CPU minutes.

    It learns to name the rolled attributes of `N_PICTURES` images with all layers and options, by binary
    cross-entropy. An attribute of a thing that is not there counts nothing.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _network(torch)
        if path.exists():
            network.load_state_dict(torch.load(path, weights_only=True))
        else:
            _teach(torch, network)
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(network.state_dict(), path)
    return Trunk(network.eval())


def _network(torch: Any) -> Any:
    nn = torch.nn
    layers = [nn.Conv2d(3, 24, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    layers += [nn.Conv2d(24, 48, 3, padding=1, bias=False), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(48, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(2), nn.Flatten())


def _teach(torch: Any, network: Any) -> None:
    rng = np.random.default_rng([0, 77])
    drawn, values = draw_pictures(EVERYTHING, N_PICTURES, rng)
    there = {name: values[:, EVERYTHING.rolled.index((name, "presence"))] for name in OPTIONS if name != "background"}
    counts = np.stack(
        [np.ones(N_PICTURES) if option == "presence" or name == "background" else there[name]
         for name, option in EVERYTHING.rolled],
        axis=1,
    )  # fmt: skip
    pixels = torch.from_numpy(drawn)
    truth = torch.from_numpy(values.astype(np.float32))
    weights = torch.from_numpy(counts.astype(np.float32))
    head = torch.nn.Linear(256, truth.shape[1])
    parameters = [*network.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, weight_decay=1e-3)
    steps = EPOCHS * (N_PICTURES // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(N_PICTURES))
        for batch in order[: N_PICTURES // BATCH * BATCH].split(BATCH):
            found = head(network(_scaled(pixels[batch])))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(found, truth[batch], weights[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def _scaled(pixels: Any) -> Any:
    return pixels.float() / 127.5 - 1


def head_outputs(taught: F32, labels: I64, asked: F32, seed: int) -> tuple[F64, F32]:
    """(m, 2) probabilities of a head of one hidden layer that learnt the labels of the taught features, and (m, 128)
    what its last layer reads."""
    scaler = StandardScaler().fit(taught)
    head = MLPClassifier((HIDDEN,), max_iter=HEAD_EPOCHS, random_state=seed, n_iter_no_change=HEAD_EPOCHS)
    rows = scaler.transform(taught).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it stops after its epochs, as meant
        head.fit(rows, labels)
    found = scaler.transform(asked).astype(np.float32)
    hidden = np.maximum(found @ head.coefs_[0] + head.intercepts_[0], 0)
    return head.predict_proba(found).astype(np.float64), hidden.astype(np.float32)
