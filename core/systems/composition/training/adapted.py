"""A trained adapter with the encoder that it belongs to: saved, loaded again, and scoring as any encoder does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.documents import read_stored
from core.encoders import Encoder, load_encoder
from core.encoders.batches import chosen_device
from core.encoders.tokens import tower_of
from core.encoders.weights import check_names, read_tensors
from core.errors import InvalidInput
from core.files import write_text
from core.folders import Kind, all_at_once
from core.forms import Form, read_form
from core.received import digest
from core.systems.common.checkpoints import write_tensors
from core.systems.common.epochs import Epoch
from core.systems.composition.adapters import make_adapter
from core.systems.composition.records import Benchmark
from core.systems.composition.training.loop import Trained, Training
from core.systems.composition.training.reference_tasks import EVERYDAY
from core.systems.composition.training.reranking import WeighedReranking, Weight

FORMAT = 1
RECORD = "adapter.json"
WEIGHTS = "adapter.safetensors"


def _is_record(document: Mapping[str, Any]) -> bool:
    return document.get("format") == FORMAT and "weights" in document and "tower" in document


ADAPTER = Kind("adapter", RECORD, (RECORD, WEIGHTS, "check.json"), _is_record)
"""The last file is `core.systems.composition.training.forgetting_file.CHECK`, the check of this very adapter."""


@dataclass(frozen=True, slots=True, eq=False)
class AdapterRecord:
    """What is known of a trained adapter besides its weights."""

    adapter: str
    """Name in `core.systems.composition.adapters.ADAPTERS`."""
    settings: Mapping[str, Any]
    encoder: str
    """Name under which `core.encoders.load_encoder` finds the frozen encoder."""
    tower: str
    """`TokenTower.fingerprint`: the adapter fits no other."""
    training: Mapping[str, Any]
    """How it was trained (`Training`), with what step size."""
    benchmark: str
    """Title of what it was trained on."""
    n_training: int
    n_validation: int
    curve: tuple[Epoch, ...]
    best: Annotated[int, Field(ge=0)]
    seconds: float
    n_parameters: int
    taught: frozenset[str]
    """Digests of the (image, caption) pairs that it learned from or was stopped by."""
    rerank: Weight = 1.0
    """Its weight where it only re-ranks what the frozen encoder finds (`reranking.choose_weight`); 1 where none was
    chosen."""
    weighed: tuple[WeighedReranking, ...] = ()
    """What each weight brought where one was chosen."""


class _State(Form):
    format: Literal[1]
    weights: str
    """First digits of the SHA-256 of the file of weights."""


class Adapted:
    """An encoder with an adapter on its tokens.

    Args:
        module: the trained `core.systems.composition.adapters.base.Matcher`, in evaluation mode.
        stopped: whether the user stopped its training after an epoch.
    """

    def __init__(self, record: AdapterRecord, module: Any, encoder: Encoder, *, stopped: bool = False) -> None:
        self.stopped = stopped
        self.record = record
        self.module = module
        self.encoder = encoder
        self.adapter = make_adapter(record.adapter, record.settings)
        self.name = f"{encoder.name} + {self.adapter.title}"

    @cached_property
    def tower(self) -> Any:
        """The frozen encoder, opened before its last block."""
        return tower_of(self.encoder)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of tower and weights."""
        digest = hashlib.sha256(self.record.tower.encode())
        for name, tensor in sorted(self.module.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        return digest.hexdigest()[:32]

    def seen_in_training(self, benchmark: Benchmark) -> frozenset[int]:
        """Places of the benchmark's items that share an image and its caption with the training."""
        taught = self.record.taught
        return frozenset(at for at, item in enumerate(benchmark.items) if taught & set(pair_digests(benchmark, [item])))

    def save(self, folder: Path) -> None:
        """Write adapter.json and adapter.safetensors, in place of an earlier adapter's files, its check included; the
        folder is made if missing.

        Raises:
            InvalidInput: the folder cannot be written.
        """
        mappings = {"settings": dict(self.record.settings), "training": dict(self.record.training)}
        document = asdict(self.record) | {"format": FORMAT, **mappings}
        document["curve"] = [asdict(epoch) for epoch in self.record.curve]
        document["taught"] = sorted(self.record.taught)
        with all_at_once(folder, ADAPTER) as scratch:
            write_tensors(scratch / WEIGHTS, self.module.state_dict())
            write_text(scratch / RECORD, json.dumps(document | {"weights": digest(scratch / WEIGHTS)[:32]}, indent=1))


def make_adapted(
    name: str, settings: Mapping[str, Any], how: Training, trained: Trained, encoder: Encoder, benchmark: Benchmark
) -> Adapted:
    """What `core.systems.composition.training.loop.fit` gave, with what it was trained on."""
    record = AdapterRecord(
        name,
        dict(settings),
        encoder.name,
        tower_of(encoder).fingerprint,
        asdict(how) | {"lr": trained.lr},
        benchmark.title,
        trained.n_training,
        trained.n_validation,
        trained.curve,
        trained.best,
        trained.seconds,
        trained.n_parameters,
        frozenset(pair_digests(benchmark, benchmark.items)),
    )
    return Adapted(record, trained.module, encoder, stopped=trained.stopped)


def load_adapted(folder: Path, encoder: Encoder | None = None) -> Adapted:
    """The adapter that `Adapted.save` wrote.

    Args:
        encoder: the frozen encoder, if it is loaded already; else it is loaded by its name.

    Raises:
        InvalidInput: the folder holds no adapter, it is damaged, or the encoder is another than it was trained
        on.
    """
    record = read_record(folder)
    encoder = encoder or load_encoder(record.encoder)
    tower = tower_of(encoder)
    if tower.fingerprint != record.tower:
        raise InvalidInput(
            f"The adapter in {folder} was trained on the tokens of {record.encoder}. {encoder.name} has other "
            "tokens (other weights, or another version). Train it again on this encoder."
        )
    tensors = read_tensors(folder / WEIGHTS)
    module: Any = make_adapter(record.adapter, record.settings).build(tower, encoder, 0)
    check_names(module.state_dict(), tensors, str(folder), f"the adapter {record.adapter!r} with its settings")
    module.load_state_dict(tensors)
    return Adapted(record, module.to(chosen_device()).eval(), encoder)


def read_record(folder: Path) -> AdapterRecord:
    """What is known of the adapter in the folder, whose weights are those that it speaks of.

    Raises:
        InvalidInput: it is missing or damaged.
    """
    if not (folder / RECORD).is_file():
        raise InvalidInput(f"No adapter in {folder} (no {RECORD}). Use the folder from `compose adapt --out`.")
    where = f"{RECORD} in {folder}"
    again = "Train the adapter again."
    try:
        document = read_stored(folder / RECORD, below=folder)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{where} cannot be read: {error}. {again}") from None
    state = read_form(_State, document, where, again)
    record = read_form(AdapterRecord, document, where, again)
    if not record.best < len(record.curve):
        raise InvalidInput(f"{where}: best must be below {len(record.curve):,}, its epochs: got {record.best}. {again}")
    same = (folder / WEIGHTS).is_file() and digest(folder / WEIGHTS)[:32] == state.weights
    if not same:
        raise InvalidInput(f"The weights in {folder} are missing, or do not match {RECORD}. {again}")
    return record


def pair_digests(benchmark: Benchmark, items: Sequence[Any]) -> list[str]:
    """A short digest of each (image's base name, caption) that belong together, in a benchmark of this name, or of
    that which an everyday item is of."""
    digests: list[str] = []
    for item in items:
        of = item.tags.get(EVERYDAY, benchmark.name)
        for picture, caption in item.match:
            name = benchmark.pictures[item.pictures[picture]].name.rsplit("/", 1)[-1]
            digests.append(hashlib.sha256(f"{of}\n{name}\n{item.captions[caption]}".encode()).hexdigest()[:16])
    return digests
