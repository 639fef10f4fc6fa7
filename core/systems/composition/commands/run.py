"""The commands `compose run`: score one or two models on a benchmark, and diagnose the first; and `compose compare`:
set two results side by side that were kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.cli.command import argument, command, entry, option
from core.cli.options import JSON
from core.cli.output import check_suffix, in_folder, make_folder, new_run, print_json, tell_run
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput
from core.systems.composition.commands.score_models import (
    FORMAT,
    IMAGES,
    MODEL,
    WHAT_BENCHMARK,
    ModelResults,
    open_pictured,
    run_lines,
    score_models,
    scorers_of,
    write_results,
)

_RUN = "diagnosis.errata"
"""In the folder of results: where the first model fails."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How models are scored, and what is written."""

    format: str = entry("NAME", FORMAT, "")
    images: Path | None = entry("PATH", IMAGES)
    encoder: tuple[str, ...] = entry("MODEL", f"{MODEL}; two are compared (default: embedded)", ("embedded",))
    name: tuple[str, ...] = entry("TEXT", "name of each result (default: benchmark and model)", ())
    rerank: bool = entry("", "use an adapter only to re-rank the results of its frozen encoder", False)
    n: int | None = entry(
        "N", "items of a shipped benchmark, or images of a table of captions (default: see `compose benchmarks`; all)"
    )
    no_blind: bool = entry("", "skip the baselines that see no image", False)
    diagnose: bool = entry("", "also find where the first model is wrong, into DIR/diagnosis.errata", False)
    permutations: int = entry("N", "permutations per test of that diagnosis (default: 5,000)", 5000)
    seed: int = entry("", "seed of the intervals (default: 0)", 0)
    out: Path | None = entry("DIR", "folder for figures, items, scores, missing images and report")
    json: bool = entry("", "print JSON", False)


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What single formats take."""

    seen: Path | None = entry(
        "FILE", "cola-single: file of queries whose combination was in the training data, one a line"
    )
    negatives: str | None = entry("COL", "crepe: the column of hard negatives")
    max_words: int | None = entry("N", "aro-order: most words of a caption (default: 30)")
    split: str | None = entry("NAME", "captions: only rows with this value in the column split")


@command()
@argument("benchmark", "BENCHMARK", WHAT_BENCHMARK)
def run(benchmark: str, options: RunOptions, reader: ReaderOptions) -> None:
    """Score one or two models on a benchmark.

    The figures are printed and, with --out, written.
    """
    from core.systems.composition.reports.tables import comparison_document, result_document

    _check_run(options)
    with TerminalProgress() as progress:
        how: dict[str, Any] = {"n": options.n, "reading": _reading(reader), "progress": progress}
        pictured = open_pictured(benchmark, options.format, options.images, **how)
        scorers = scorers_of(options.encoder, rerank=options.rerank)
        blind = not options.no_blind
        ran = score_models(pictured, scorers, progress, names=options.name, blind=blind, seed=options.seed)
        if options.out is not None:
            write_results(ran, options.out, regression=_known_check(options.encoder))
        progress.close()
        if options.json:
            document: dict[str, Any] = {"results": [result_document(result) for result in ran.results]}
            if ran.comparison is not None:
                document["comparison"] = comparison_document(ran.comparison)
            print_json(document)
        else:
            written = [] if options.out is None else [f"Written: {options.out}"]
            say("\n".join([*run_lines(ran), *written]), flush=True)
        if options.diagnose and options.out is not None:
            # the longest part comes last, when the figures are shown and kept already
            _diagnose(ran, options, options.out / _RUN, progress)


def _check_run(options: RunOptions) -> None:
    """Refuse what can be refused before anything is read."""
    from core.options import check_seed, read_name

    check_seed(options.seed)
    if len(options.encoder) > 2:
        raise InvalidInput(
            f"`compose run` takes one or two models: got {len(options.encoder)}. Name at most two with --encoder."
        )
    if len(options.name) > len(options.encoder):
        raise InvalidInput(
            f"--name needs one name for each of {len(options.encoder)} models: got {len(options.name)}. Give "
            "one name each."
        )
    for name in options.name:
        read_name(name)
    if options.diagnose and options.out is None:
        raise InvalidInput("--diagnose writes a run, which needs a folder. Add --out DIR.")
    if options.out is not None:
        from core.systems.composition.reports.tables import RESULT

        make_folder(options.out, RESULT)
        if options.diagnose:
            new_run(options.out / _RUN)


def _reading(options: ReaderOptions) -> dict[str, Any]:
    """What single formats take, as far as it was given."""
    reading: dict[str, Any] = {"negatives": options.negatives, "max_words": options.max_words, "split": options.split}
    if options.seen is not None:
        from core.documents import read_text

        reading["seen"] = read_text(options.seen, instead="Use a text file with one query a line for --seen.")
    return {name: value for name, value in reading.items() if value is not None}


def _known_check(models: Sequence[str]) -> Any:
    """The regression check that `compose adapt` wrote beside an adapter that is scored; None without one."""
    from core.systems.composition.training.forgetting_file import CHECK, read_check

    folders = [Path(model).expanduser() for model in models]
    return next((read_check(folder) for folder in reversed(folders) if (folder / CHECK).is_file()), None)


def _diagnose(ran: ModelResults, options: RunOptions, run: Path, progress: TerminalProgress) -> None:
    """Find where the first model fails, and write that as a run."""
    from core.discovery.settings import EmbeddingSettings, Settings
    from core.files import default_cache
    from core.reports.terminal import text_summary
    from core.store import save
    from core.systems.composition.failures.diagnose import diagnose_composition

    settings = Settings(seed=options.seed, n_permutations=options.permutations)
    embedding = EmbeddingSettings(_finder(options.encoder[0]), cache=default_cache())
    first = ran.results[0]
    second = ran.results[1] if len(ran.results) > 1 else None
    diagnosis = diagnose_composition(
        ran.pictured, first, embedding, second=second, settings=settings, progress=progress
    )
    save(diagnosis, run, progress)
    progress.close()
    stream = sys.stderr if options.json else sys.stdout
    say(f"Where {first.name} is wrong:\n{text_summary(diagnosis)}", file=stream)
    tell_run(run, stream)


def _finder(model: str) -> str:
    """The encoder in whose space failures are found: the model itself, or the one that the adapter was trained on."""
    from core.systems.composition.training.adapted import read_record
    from core.systems.composition.training.scorers import is_adapter

    folder = Path(model).expanduser()
    if is_adapter(folder):
        return read_record(folder).encoder
    return model


@command()
@argument("first", "A", "folder that `compose run --out` wrote")
@argument("second", "B", "another such folder, of the same benchmark")
@option("--seed", "seed of the intervals (default: 0)")
@option("--out FILE", "also write the comparison: .json")
@JSON
def compare(first: Path, second: Path, seed: int = 0, out: Path | None = None, as_json: bool = False) -> None:
    """Set two kept results of one benchmark side by side, item by item."""
    from core.files import write_json
    from core.options import check_seed
    from core.systems.composition.reports.tables import comparison_document, load_result
    from core.systems.composition.reports.wording import comparison_lines
    from core.systems.composition.scoring.compare import compare_results

    check_seed(seed)
    if out is not None:
        check_suffix(out, ".json")
    a = load_result(first)
    b = load_result(second)
    if a.name == b.name:  # the folders then tell them apart
        a = replace(a, name=str(first))
        b = replace(b, name=str(second))
    comparison = compare_results(a, b, seed=seed)
    document = comparison_document(comparison)
    if out is not None:
        in_folder(out)
        write_json(out, document)
    if as_json:
        print_json(document)
    else:
        say("\n".join([*comparison_lines(comparison, a.headline), *([] if out is None else [f"Written: {out}"])]))
