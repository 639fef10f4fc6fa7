"""A visitor's benchmarks of composition: what is open, what was scored on it, and which trained adapters they have."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from core.records import ItemStore, Progress, no_progress
from core.systems.composition.records import CompositionResult, LoadedBenchmark, Scorer
from webapp.state.caches import own_cache, shared_cache
from webapp.state.choices import data_sets
from webapp.systems.composition.models import ADAPTER, CONFIG, RERANKED, ModelAccess, checked_encoder
from webapp.systems.composition.visit import BenchmarkRun, ComposeState, TrainedAdapter

if TYPE_CHECKING:
    from core.records import SampleSet

OWN = "own"
"""The choice that takes the visitor's own files."""
FIRST = "rendered:60"
NAMED = {"rendered": "rendered:240", "rendered-single": "rendered-single:", "cutouts": "cutouts:"}
"""The key of each benchmark that comes along, by its name."""
TITLES = {"rendered-single": "Rendered scenes, 40 queries", "cutouts": "Cut-outs on photographs, 160 pairs"}
MAX_ADAPTERS = 6
SERVER = "server:"
MAX_KNOWN = 16
"""Results on benchmarks that come along that are kept for everybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered(ItemStore):
    """A store that keeps what it has read: rendered scenes are drawn once, not once for each visitor."""

    base: ItemStore
    kept: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def __len__(self) -> int:
        return len(self.base)

    def name(self, index: int) -> str:
        return self.base.name(index)

    def read(self, index: int) -> bytes:
        if index not in self.kept:
            self.kept[index] = self.base.read(index)
        return self.kept[index]


def benchmarks(root: Path | None) -> list[tuple[str, str]]:
    """(title, key) of the benchmarks that can be chosen: those that come along, the operator's folders, the visitor's
    own files."""
    from core.systems.composition.scenes.shipped import SHIPPED

    sizes = [("Rendered scenes, 60 pairs", FIRST), ("Rendered scenes, 240 pairs", "rendered:240")]
    more = [(TITLES.get(name, name.capitalize()), f"{name}:") for name in SHIPPED if name != "rendered"]
    here = [
        (f"On this server: {name}", f"{SERVER}{name}")
        for name, path in data_sets(root).items()
        if path.is_dir() and not (path / CONFIG).is_file()
    ]
    return [*sizes, *more, ("Your own files", OWN), *here]


@functools.cache
def shipped(key: str) -> LoadedBenchmark:
    """A benchmark that comes along, opened once per process.

    Raises:
        InvalidInput: the name is unknown.
    """
    from core.systems.composition.scenes.shipped import open_shipped

    name, _, n = key.partition(":")
    loaded = open_shipped(name, n=int(n) if n else None)
    return replace(loaded, store=Remembered(loaded.store))


def open_benchmark(
    choice: str, file: str | None, images: str | None, form: str, root: Path | None, progress: Progress = no_progress
) -> LoadedBenchmark:
    """The benchmark that was chosen, with its images.

    Args:
        file: path of the uploaded benchmark file (`OWN`).
        images: path of the uploaded archive of its images.
        form: a key of `core.systems.composition.readers.READERS`, or "" to have it recognized.

    Raises:
        InvalidInput: nothing was uploaded, it is not a benchmark, or its images are not there.
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
        raise InvalidInput(f"No benchmark {choice[:40]!r}. Choose one from the list.")
    if not file or not images:
        missing = "the benchmark's file"
        if file:
            missing = "its images (a zip or tar)"
        raise InvalidInput(f"Your own benchmark needs two files. Add {missing}, or choose a shipped benchmark.")
    read = read_benchmark(form, Path(file), progress=progress)
    return find_pictures(read, Path(images), progress=progress)


def scorer_for(key: str, adapters: Sequence[TrainedAdapter], access: ModelAccess) -> tuple[str, Scorer]:
    """(name to show, scorer) of an encoder, or of one of the visitor's adapters, alone or as a re-ranker.

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
        return f"re-ranked by {adapter.name}" if rerank else adapter.name, scorer_of(str(adapter.folder), rerank=rerank)
    return key, scorer_of(checked_encoder(key, access))


def run_models(
    choice: str,
    loaded: LoadedBenchmark,
    models: Sequence[str],
    adapters: Sequence[TrainedAdapter],
    access: ModelAccess,
    progress: Progress = no_progress,
) -> BenchmarkRun:
    """Score one or two models on a benchmark; what a listed encoder says of a benchmark that comes along is kept for
    the next visitor."""
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
    """One model on a benchmark, called by the name that the page shows."""
    if (known := known_result(choice, model)) is not None:
        return known
    from core.systems.composition.scoring.run import run_composition

    progress("load the model", 0, 1)
    name, scorer = scorer_for(model, adapters, access)
    progress("load the model", 1, 1)
    ours = choice not in ("", OWN) and not choice.startswith(SERVER) and not model.startswith((ADAPTER, RERANKED))
    cache = shared_cache() if ours else own_cache()
    result = run_composition(loaded, scorer, name=name, cache=cache, progress=progress)
    if ours and len(_known) < MAX_KNOWN:
        _known[choice, model] = result
    return result


_known: dict[tuple[str, str], CompositionResult] = {}


def known_result(choice: str, model: str) -> CompositionResult | None:
    """What was found before of a benchmark that comes along, or None."""
    return _known.get((choice, model))


def forget(state: ComposeState) -> None:
    """Delete a visitor's adapters some time after they have gone."""
    for adapter in state.adapters:
        shutil.rmtree(adapter.folder, ignore_errors=True)


def diagnose_items(
    loaded: LoadedBenchmark, results: Sequence[CompositionResult], encoder: str, progress: Progress
) -> str:
    """Diagnose the failures of the first result, the second set beside it, and store that as a run; returns its id."""
    from core.discovery.settings import EmbeddingSettings, Settings
    from core.systems.composition.failures.diagnose import diagnose_composition
    from core.systems.composition.failures.second_model import two_models
    from webapp.state.runs import RUNS

    arguments: dict[str, Any] = dict(
        embedding=EmbeddingSettings(encoder, cache=own_cache()), settings=Settings(map=False), progress=progress
    )
    if len(results) > 1 and results[0].headline in results[0].correct:
        diagnosis = two_models(loaded, results[0], results[1], **arguments)[0]
    else:
        diagnosis = diagnose_composition(loaded, results[0], **arguments)
    return RUNS.add(diagnosis, progress)


def category_columns(samples: SampleSet) -> list[str]:
    """Names of the columns of categories, for a grid."""
    return [column.name for column in samples.metadata if column.kind == "category"]
