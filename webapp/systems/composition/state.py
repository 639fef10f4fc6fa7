"""A visitor's benchmarks of composition: the open one, its results, and the visitor's adapters."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import ASSETS
from core.records import ItemStore, Progress, no_progress
from core.records.codec import decode
from core.systems.composition.records import CompositionResult, LoadedBenchmark, Scorer
from webapp.state.caches import own_cache, shared_cache
from webapp.state.choices import data_sets
from webapp.systems.composition.models import ADAPTER, CONFIG, RERANKED, ModelAccess, checked_encoder
from webapp.systems.composition.visit import BenchmarkRun, ComposeState, TrainedAdapter

if TYPE_CHECKING:
    from core.records import SampleSet

OWN = "own"
"""The choice of the visitor's own files."""
RUN = "run"
"""The choice of the open run's images, where its table has captions of them."""
FIRST = "rendered:60"
OPENING = ASSETS / "composition" / "opening.json"
"""The embedded encoder on 60 rendered pairs; `python -m research.scenes.store_opening` makes it."""
NAMED = {"rendered": "rendered:240", "rendered-single": "rendered-single:", "cutouts": "cutouts:"}
"""The key of each shipped benchmark by its name."""
TITLES = {"rendered-single": "Rendered scenes, 40 queries", "cutouts": "Cut-outs on photographs, 160 pairs"}
MAX_ADAPTERS = 6
SERVER = "server:"
MAX_KNOWN = 16
"""Results on shipped benchmarks that the process keeps for all visitors."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered(ItemStore):
    """A store that keeps the bytes it has read, so that a scene is rendered once, not once per visitor."""

    base: ItemStore
    cached: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def __len__(self) -> int:
        return len(self.base)

    def name(self, index: int) -> str:
        return self.base.name(index)

    def read(self, index: int) -> bytes:
        if index not in self.cached:
            self.cached[index] = self.base.read(index)
        return self.cached[index]


def benchmarks(root: Path | None) -> list[tuple[str, str]]:
    """(title, key) of the benchmarks to choose from: shipped ones, the visitor's own files, the operator's folders."""
    from core.systems.composition.scenes.shipped import SHIPPED

    sizes = [("Rendered scenes, 60 pairs", FIRST), ("Rendered scenes, 240 pairs", "rendered:240")]
    more = [(TITLES.get(name, name.capitalize()), f"{name}:") for name in SHIPPED if name != "rendered"]
    choices = [*sizes, *more, ("Your own files", OWN)]
    for name, path in data_sets(root).items():
        if path.is_dir() and not (path / CONFIG).is_file():
            choices.append((f"On this server: {name}", f"{SERVER}{name}"))
    return choices


@functools.cache
def shipped(key: str) -> LoadedBenchmark:
    """A shipped benchmark, opened once per process.

    Raises:
        InvalidInput: the name is unknown.
    """
    from core.systems.composition.scenes.shipped import open_shipped

    name, _, n = key.partition(":")
    size = None
    if n:
        size = int(n)
    loaded = open_shipped(name, n=size)
    return replace(loaded, store=Remembered(loaded.store))


def open_benchmark(
    choice: str, file: str | None, images: str | None, form: str, root: Path | None, progress: Progress = no_progress
) -> LoadedBenchmark:
    """The chosen benchmark with its images.

    Args:
        file: path of the uploaded benchmark file (`OWN`).
        images: path of the uploaded archive of its images.
        form: a key of `core.systems.composition.readers.READERS`; "" is recognized.

    Raises:
        InvalidInput: a file is missing or is not a benchmark, or its images are missing.
    """
    if choice in {key for _, key in benchmarks(None)} - {OWN}:
        return shipped(choice)
    from core.systems.composition.pictures import find_pictures
    from core.systems.composition.readers import read_benchmark

    if choice.startswith(SERVER):
        folder = data_sets(root).get(choice.removeprefix(SERVER))
        if folder is None or not folder.is_dir():
            raise InvalidInput("This folder is no longer on the server. Choose another benchmark.")
        return find_pictures(read_benchmark(form, folder, progress=progress), folder, progress=progress)
    if choice != OWN:
        raise InvalidInput(f"No benchmark {choice[:40]!r}. Choose one of {', '.join(NAMED)}.")
    if not file or not images:
        missing = "the benchmark's file"
        if file:
            missing = "its images (a zip or tar)"
        raise InvalidInput(f"Your own benchmark needs two files. Add {missing}, or choose a shipped benchmark.")
    read = read_benchmark(form, Path(file), progress=progress)
    return find_pictures(read, Path(images), progress=progress)


def scorer_for(key: str, adapters: Sequence[TrainedAdapter], access: ModelAccess) -> tuple[str, Scorer]:
    """(displayed name, scorer) of an encoder, or of a visitor's adapter, alone or as a re-ranker.

    Raises:
        InvalidInput: the adapter is unknown, or the encoder cannot be loaded.
    """
    from core.systems.composition.training.scorers import scorer_of  # loads the encoders

    if key.startswith((ADAPTER, RERANKED)):
        kind, name = key.split(":", 1)
        adapter = next((t for t in adapters if t.name == name), None)
        if adapter is None:
            raise InvalidInput("This adapter no longer exists. Train it again, or choose another model.")
        rerank = f"{kind}:" == RERANKED
        title = adapter.name
        if rerank:
            title = f"re-ranked by {adapter.name}"
        return title, scorer_of(str(adapter.folder), rerank=rerank)
    return key, scorer_of(checked_encoder(key, access))


def run_models(
    choice: str,
    loaded: LoadedBenchmark,
    models: Sequence[str],
    adapters: Sequence[TrainedAdapter],
    access: ModelAccess,
    progress: Progress = no_progress,
) -> BenchmarkRun:
    """Score one or two models on a benchmark; the process keeps results of listed encoders on shipped benchmarks."""
    results = tuple(run_model(choice, loaded, model, adapters, access, progress) for model in dict.fromkeys(models))
    return BenchmarkRun(choice, loaded, results)


def run_model(
    choice: str,
    loaded: LoadedBenchmark,
    model: str,
    adapters: Sequence[TrainedAdapter],
    access: ModelAccess,
    progress: Progress = no_progress,
) -> CompositionResult:
    """The result of one model on a benchmark, under its displayed name."""
    known = known_result(choice, model)
    if known is not None:
        return known
    from core.systems.composition.scoring.run import run_composition

    progress("load the model", 0, 1)
    name, scorer = scorer_for(model, adapters, access)
    progress("load the model", 1, 1)
    is_shared = (
        choice not in ("", OWN, RUN) and not choice.startswith(SERVER) and not model.startswith((ADAPTER, RERANKED))
    )
    cache = own_cache()
    if is_shared:
        cache = shared_cache()
    result = run_composition(loaded, scorer, name=name, cache=cache, progress=progress)
    if is_shared and len(_known) < MAX_KNOWN:
        _known[choice, model] = result
    return result


_known: dict[tuple[str, str], CompositionResult] = {}


def known_result(choice: str, model: str) -> CompositionResult | None:
    """The stored or earlier result on a shipped benchmark, or None."""
    if (choice, model) == (FIRST, "embedded"):
        return opening()
    return _known.get((choice, model))


@functools.cache
def opening() -> CompositionResult | None:
    """The result with which the part opens; None if it was not stored."""
    if not OPENING.is_file():
        return None
    document = read_json(OPENING)
    stored = document["arrays"].items()
    return decode(document["result"], {name: np.array(array["values"], array["dtype"]) for name, array in stored})


def forget(state: ComposeState) -> None:
    """Delete a visitor's adapters, some time after the visit."""
    for adapter in state.adapters:
        shutil.rmtree(adapter.folder, ignore_errors=True)


def diagnose_items(
    loaded: LoadedBenchmark, results: Sequence[CompositionResult], encoder: str, progress: Progress
) -> str:
    """Diagnose the errors of the first result, compared with the second, and store the run; returns its id."""
    from core.discovery.settings import EmbeddingSettings, Settings
    from core.systems.composition.failures.diagnose import diagnose_composition
    from webapp.state.runs import RUNS

    second = results[1] if len(results) > 1 else None
    embedding = EmbeddingSettings(encoder, cache=own_cache())
    diagnosis = diagnose_composition(
        loaded, results[0], embedding, second=second, settings=Settings(map=False), progress=progress
    )
    return RUNS.add(diagnosis, progress)


def category_columns(samples: SampleSet) -> list[str]:
    """Names of the categorical columns, for a grid: those of the table before measured ones."""
    columns = [column for column in samples.metadata if column.kind == "category"]
    return [column.name for column in sorted(columns, key=lambda column: column.measured)]
