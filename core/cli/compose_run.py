"""Score models on a benchmark of composition from the command line: open it, score, compare, write, and diagnose the
first model."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import Benchmark, CompositionComparison, CompositionResult, LoadedBenchmark, Scorer


@dataclass(frozen=True, slots=True, eq=False)
class ModelResults:
    """One or two models on a benchmark."""

    pictured: LoadedBenchmark
    results: tuple[CompositionResult, ...]
    comparison: CompositionComparison | None
    curve: tuple[Sequence[Any], int] | None = None
    """(epochs, the one that was kept) where a trained adapter was scored."""


def run(options: Namespace) -> None:
    """Score one or two models on a benchmark, print the figures and, with --out, write them."""
    from core.reports.tables.composition import comparison_document, result_document

    _check_run(options)
    progress = TerminalProgress()
    try:
        pictured = open_pictured(
            options.benchmark, options.format, options.images, n=options.n, reading=_reader_options(options)
        )
        scorers = scorers_of(options.encoder)
        ran = score_models(
            pictured, scorers, progress, names=options.name, blind=not options.no_blind, seed=options.seed
        )
        if options.out is not None:
            write_results(ran, options.out, regression=_known_check(options.encoder))
        progress.close()
        if options.json:
            document: dict[str, Any] = {"results": [result_document(result) for result in ran.results]}
            if ran.comparison is not None:
                document["comparison"] = comparison_document(ran.comparison)
            print(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))
        else:
            print(
                "\n".join([*run_lines(ran), *([f"Written: {options.out}"] if options.out is not None else [])]),
                flush=True,
            )
        if options.diagnose:  # the longest part comes last, when the figures are shown and kept already
            _diagnose(ran, options, progress)
    finally:
        progress.close()


def _check_run(options: Namespace) -> None:
    """Refuse what can be refused before anything is read."""
    from core.options import check_seed, read_name

    check_seed(options.seed)
    if len(options.encoder) > 2:
        raise InvalidInput(
            f"One or two models can be set beside each other: got {len(options.encoder)}. Name two with --encoder."
        )
    if len(options.name) > len(options.encoder):
        raise InvalidInput(
            f"--name names the results of {len(options.encoder)} models: got {len(options.name)} "
            "names. Give one for each."
        )
    for name in options.name:
        read_name(name)
    if options.diagnose and options.out is None:
        raise InvalidInput("--diagnose writes a run, which needs a folder. Add --out DIR.")
    if options.out is not None:
        make_folder(options.out)


def _reader_options(options: Namespace) -> dict[str, Any]:
    """What single formats take, as far as it was given."""
    given: dict[str, Any] = {"negatives": options.negatives, "max_words": options.max_words}
    if options.seen is not None:
        try:
            given["seen"] = options.seen.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"--seen must be a file of queries in UTF-8, one a line: {options.seen} cannot be read ({error})."
            ) from None
    return {name: value for name, value in given.items() if value is not None}


def open_pictured(
    what: str,
    form: str = "",
    images: Path | None = None,
    *,
    n: int | None = None,
    reading: dict[str, Any] | None = None,
) -> LoadedBenchmark:
    """A benchmark with its pictures: one that comes along by its name, else the file or folder at a path.

    Args:
        form: name of the format; "" recognises it.
        images: where its pictures are; None looks beside its file.
        n: items of a benchmark that comes along.
        reading: what the reader of that format takes besides.

    Raises:
        InvalidInput: it is neither, it cannot be read, or none of its pictures is there.
    """
    from core.composition.pictures import find_pictures
    from core.scenes.shipped import SHIPPED, open_shipped

    if what in SHIPPED and not Path(what).exists():
        if form or images or reading:
            raise InvalidInput(
                f"The benchmark {what!r} comes along with its pictures: it takes no --format, "
                "no --images and no reader's option."
            )
        return open_shipped(what, n=n)
    if n is not None:
        raise InvalidInput(
            f"--n is for benchmarks that come along ({', '.join(SHIPPED)}): a file is read whole. Leave it out."
        )
    benchmark = read_named(what, form, **(reading or {}))
    path = Path(what).expanduser()
    if images is not None:
        return find_pictures(benchmark, images)
    try:
        return find_pictures(benchmark, path if path.is_dir() else path.parent)
    except InvalidInput as error:
        raise InvalidInput(f"{error} Pictures that lie elsewhere are named with --images.") from None


def read_named(what: str, form: str, **reading: Any) -> Benchmark:
    """The benchmark at a path.

    Raises:
        InvalidInput: there is nothing there, or it is no benchmark.
    """
    from core.composition.readers import read_benchmark
    from core.composition.readers.fields import path_of
    from core.scenes.shipped import SHIPPED

    if not what or not path_of(what, "The benchmark").exists():
        raise InvalidInput(
            f"There is no benchmark {what[:200]!r}: it is no file or folder, and none that comes along "
            f"({', '.join(SHIPPED)})."
        )
    return read_benchmark(form, what, **reading)


def score_models(
    pictured: LoadedBenchmark,
    scorers: Sequence[Scorer],
    progress: TerminalProgress,
    *,
    names: Sequence[str] = (),
    blind: bool = True,
    seed: int = 0,
) -> ModelResults:
    """Each model's result and, of two, the paired comparison.

    Args:
        names: of the results; where there are too few, the benchmark and the model.
        blind: also score baselines that see no picture, once.

    Raises:
        InvalidInput: two results have one name, or a model cannot be scored.
    """
    from core.composition.scoring.compare import compare_results
    from core.composition.scoring.run import run_composition
    from core.embeddings.cache import default_cache

    called = [*names, *_names(pictured.benchmark, scorers)[len(names) :]]
    if len(set(called)) < len(called):
        raise InvalidInput(f"Two results cannot both be called {called[0]!r}. Give each its own --name.")
    results = tuple(
        run_composition(
            pictured, scorer, name=name, cache=default_cache(), progress=progress, blind=blind and i == 0, seed=seed
        )
        for i, (scorer, name) in enumerate(zip(scorers, called))
    )
    comparison = compare_results(results[0], results[1], seed=seed) if len(results) > 1 else None
    return ModelResults(pictured, results, comparison, next(filter(None, map(_curve, reversed(scorers))), None))


def scorers_of(models: Sequence[str]) -> list[Scorer]:
    """The scorer of each name or folder."""
    from core.training.scorers import scorer_of

    return [scorer_of(model) for model in models]


def _names(benchmark: Benchmark, scorers: Sequence[Scorer]) -> list[str]:
    """What the results are called by default: the second of two that would be called alike gets a number."""
    names = [f"{benchmark.name}, {scorer.name}" for scorer in scorers]
    return [f"{name} (2)" if name in names[:i] else name for i, name in enumerate(names)]


def _curve(scorer: Scorer) -> tuple[Sequence[Any], int] | None:
    """(epochs, the one that was kept) of an adapter's training."""
    adapted = getattr(scorer, "adapted", None)
    return None if adapted is None else (adapted.record.curve, adapted.record.best)


def run_lines(ran: ModelResults) -> list[str]:
    """All that is printed of one or two models; of two the tags stand in the comparison alone."""
    from core.reports.wording.composition import comparison_lines, result_lines

    first = ran.results[0]
    lines = result_lines(first, ran.pictured.benchmark, tags=ran.comparison is None)
    for result in ran.results[1:]:
        lines += result_lines(result, ran.pictured.benchmark, first=first, tags=False)
    return lines if ran.comparison is None else lines + comparison_lines(ran.comparison, first.headline)


# ---- what is written


def write_results(ran: ModelResults, folder: Path, regression: Any = None) -> None:
    """The first result's files into the folder, the second's into "second" below it, the comparison, the missing
    pictures and the report."""
    from core.files import write_json, write_text
    from core.reports.tables.composition import comparison_document, save_result

    for result, place in zip(ran.results, (folder, folder / "second")):
        save_result(result, ran.pictured.benchmark, place)
    write_text(folder / "missing.txt", "".join(f"{name}\n" for name in ran.pictured.missing))
    if ran.comparison is not None:
        write_json(folder / "comparison.json", comparison_document(ran.comparison))
    else:
        (folder / "comparison.json").unlink(missing_ok=True)  # of an earlier run into the same folder
    _write_report(ran, folder / "report.html", regression)


def _write_report(ran: ModelResults, path: Path, regression: Any) -> None:
    from core.files import write_text
    from core.reports.html.composition import render_composition_report

    report = render_composition_report(
        ran.results,
        ran.pictured.benchmark,
        store=ran.pictured.store,
        comparison=ran.comparison,
        regression=regression,
        curve=ran.curve,
    )
    write_text(path, report)


def _known_check(models: Sequence[str]) -> Any:
    """The regression check that `compose adapt` wrote beside an adapter that is scored; None without one."""
    from core.training.forgetting_file import CHECK, read_check

    folders = [Path(model).expanduser() for model in models]
    return next((read_check(folder) for folder in reversed(folders) if (folder / CHECK).is_file()), None)


def _diagnose(ran: ModelResults, options: Namespace, progress: TerminalProgress) -> None:
    """Find where the first model fails, and write that as a run."""
    from core.composition.failures.diagnose import diagnose_composition
    from core.composition.failures.second_model import two_models
    from core.discovery.settings import EmbeddingSettings, Settings
    from core.embeddings.cache import default_cache
    from core.reports.html.diagnosis import write_report
    from core.reports.wording.summary import text_summary
    from core.store import save

    settings = Settings(seed=options.seed, n_permutations=options.permutations)
    given: dict[str, Any] = {
        "embedding": EmbeddingSettings(_finder(options.encoder[0]), cache=default_cache()),
        "settings": settings,
        "progress": progress,
    }
    first = ran.results[0]
    if len(ran.results) > 1 and first.headline in first.correct:
        found = two_models(ran.pictured, first, ran.results[1], **given)[0]
    else:
        found = diagnose_composition(ran.pictured, first, **given)
    folder = options.out / "diagnosis"
    save(found, folder, progress)
    write_report(found, folder / "report.html", progress)
    progress.close()
    stream = sys.stderr if options.json else sys.stdout
    print(f"The failures of {first.name}:\n{text_summary(found)}\nReport: {folder / 'report.html'}", file=stream)


def _finder(model: str) -> str:
    """The encoder in whose space failures are found: the model itself, or the one that the adapter was trained on."""
    from core.probes.ladder.reproduce import encoder_name

    record = Path(model).expanduser() / "adapter.json"
    return str(json.loads(record.read_text("utf-8"))["encoder"]) if record.is_file() else encoder_name(model)
