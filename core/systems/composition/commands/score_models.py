"""A benchmark opened, one or two models scored on it, and what is printed and written of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Progress
    from core.systems.composition.records import (
        Benchmark,
        CompositionComparison,
        CompositionResult,
        LoadedBenchmark,
        Scorer,
    )

WHAT_BENCHMARK = "its file or folder, or the name of a shipped one (see `compose benchmarks`)"
FORMAT = "a name of `compose benchmarks` (default: recognized by the file's shape)"
IMAGES = "folder, zip or tar of its images (default: the folder of its file)"
MODEL = "an encoder, or the folder of a trained adapter"
"""Sentences on options that several commands have."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelResults:
    """One or two models on a benchmark."""

    pictured: LoadedBenchmark
    results: tuple[CompositionResult, ...]
    comparison: CompositionComparison | None
    curve: tuple[Sequence[Any], int] | None = None
    """(epochs, the one that was kept) where a trained adapter was scored."""


def open_pictured(
    what: str,
    form: str = "",
    images: Path | None = None,
    *,
    n: int | None = None,
    reading: dict[str, Any] | None = None,
    progress: Progress,
) -> LoadedBenchmark:
    """A benchmark with its images: one that comes along by its name, else the file or folder at a path.

    Args:
        form: name of the format; "" recognizes it.
        images: where its images are; None looks beside its file.
        n: items of a benchmark that comes along, or images of a table of captions.
        reading: what the reader of that format takes besides.
        progress: called while foils are made and the images are opened and looked at.

    Raises:
        InvalidInput: it is neither, it cannot be read, or none of its images is there.
    """
    from core.systems.composition.pictures import find_pictures
    from core.systems.composition.scenes.shipped import SHIPPED, open_shipped

    if what in SHIPPED and not Path(what).exists():
        if form or images or reading:
            raise InvalidInput(
                f"The benchmark {what!r} ships with its images. Leave out --format, --images and options of "
                "single formats."
            )
        return open_shipped(what, n=n)
    benchmark = read_named(what, form, **_drawn(what, form, n), **(reading or {}), progress=progress)
    path = Path(what).expanduser()
    if images is not None:
        return find_pictures(benchmark, images, progress=progress)
    try:
        return find_pictures(benchmark, path if path.is_dir() else path.parent, progress=progress)
    except InvalidInput as error:
        raise InvalidInput(f"{error} If the images are in another place, add --images.") from None


def _drawn(what: str, form: str, n: int | None) -> dict[str, Any]:
    """What the reader is told of how many images to take.

    Raises:
        InvalidInput: the benchmark is read whole.
    """
    from core.systems.composition.readers import recognise
    from core.systems.composition.readers.fields import path_of
    from core.systems.composition.scenes.shipped import SHIPPED

    if n is None:
        return {}
    path = path_of(what, "The benchmark")
    if path.exists() and (form or recognise(path)) != "captions":
        raise InvalidInput(
            f"--n works for shipped benchmarks ({', '.join(SHIPPED)}) and tables of captions. Others are read "
            "whole: leave it out."
        )
    return {"most": n}


def read_named(what: str, form: str, **reading: Any) -> Benchmark:
    """The benchmark at a path.

    Raises:
        InvalidInput: nothing is there, or it is not a benchmark.
    """
    from core.systems.composition.readers import read_benchmark
    from core.systems.composition.readers.fields import path_of
    from core.systems.composition.scenes.shipped import SHIPPED

    if not what or not path_of(what, "The benchmark").exists():
        raise InvalidInput(
            f"No benchmark {what[:200]!r}: not a file or folder, and not shipped ({', '.join(SHIPPED)}). Fix the path."
        )
    return read_benchmark(form, what, **reading)


NOT_COMPARED = "The two models are not compared: no item was new to both."


def score_models(
    pictured: LoadedBenchmark,
    scorers: Sequence[Scorer],
    progress: Progress,
    *,
    names: Sequence[str] = (),
    blind: bool = True,
    seed: int = 0,
) -> ModelResults:
    """Each model's result and, of two, the paired comparison.

    Args:
        names: of the results; where there are too few, the benchmark and the model.
        blind: also score baselines that see no image, once.

    Raises:
        InvalidInput: two results have one name, or a model cannot be scored.
    """
    from core.files import default_cache
    from core.systems.composition.scoring.compare import compare_results
    from core.systems.composition.scoring.run import run_composition

    called = [*names, *_names(pictured.benchmark, scorers)[len(names) :]]
    if len(set(called)) < len(called):
        raise InvalidInput(f"Two results have the name {called[0]!r}. Give each its own --name.")
    results = tuple(
        run_composition(
            pictured, scorer, name=name, cache=default_cache(), progress=progress, blind=blind and i == 0, seed=seed
        )
        for i, (scorer, name) in enumerate(zip(scorers, called))
    )
    comparison = None
    if len(results) > 1 and set(results[0].ids).isdisjoint(results[1].ids):
        results = (*results[:-1], replace(results[1], notes=(*results[1].notes, NOT_COMPARED)))
    elif len(results) > 1:
        comparison = compare_results(results[0], results[1], seed=seed)
    return ModelResults(pictured, results, comparison, next(filter(None, map(_curve, reversed(scorers))), None))


def scorers_of(models: Sequence[str], *, rerank: bool = False) -> list[Scorer]:
    """The scorer of each name or folder.

    Args:
        rerank: adapters only re-rank what their frozen encoder finds.

    Raises:
        InvalidInput: `rerank` without an adapter, or a model cannot be read.
    """
    from core.systems.composition.readers.fields import path_of
    from core.systems.composition.training.scorers import is_adapter, scorer_of

    if rerank and not any(is_adapter(path_of(model, "The model")) for model in models):
        raise InvalidInput(
            f"--rerank needs an adapter: got {', '.join(models)}. Use the folder from `compose adapt --out` as "
            "--encoder."
        )
    return [scorer_of(model, rerank=rerank) for model in models]


def _names(benchmark: Benchmark, scorers: Sequence[Scorer]) -> list[str]:
    """What the results are called by default: the second of two that would be called alike gets a number."""
    names = [f"{benchmark.name}, {scorer.name}" for scorer in scorers]
    return [f"{name} (2)" if name in names[:i] else name for i, name in enumerate(names)]


def _curve(scorer: Scorer) -> tuple[Sequence[Any], int] | None:
    """(epochs, the one that was kept) of an adapter's training."""
    adapted = getattr(getattr(scorer, "second", scorer), "adapted", None)
    if adapted is None:
        return None
    return (adapted.record.curve, adapted.record.best)


def run_lines(ran: ModelResults) -> list[str]:
    """All that is printed of one or two models; of two the tags stand in the comparison alone."""
    from core.systems.composition.reports.wording import comparison_lines, result_lines

    first = ran.results[0]
    lines = result_lines(first, ran.pictured.benchmark, tags=ran.comparison is None)
    for result in ran.results[1:]:
        lines += result_lines(result, ran.pictured.benchmark, first=first, tags=False)
    if ran.comparison is None:
        return lines
    return lines + comparison_lines(ran.comparison, first.headline)


def write_results(ran: ModelResults, folder: Path, regression: Any = None) -> None:
    """The first result's files into the folder, the second's into "second" below it, the comparison, the missing
    images and the report."""
    from core.files import write_json, write_text
    from core.folders import all_at_once
    from core.systems.composition.reports.html import render_composition_report
    from core.systems.composition.reports.tables import RESULT, SECOND, comparison_document, write_result

    report = render_composition_report(
        ran.results,
        ran.pictured.benchmark,
        store=ran.pictured.store,
        comparison=ran.comparison,
        regression=regression,
        curve=ran.curve,
    )
    with all_at_once(folder, RESULT) as scratch:
        write_text(scratch / "missing.txt", "".join(f"{name}\n" for name in ran.pictured.missing))
        if ran.comparison is not None:
            write_json(scratch / "comparison.json", comparison_document(ran.comparison))
        write_text(scratch / "report.html", report)
        for result, target in zip(ran.results, (scratch, scratch / SECOND)):
            write_result(result, ran.pictured.benchmark, target)
