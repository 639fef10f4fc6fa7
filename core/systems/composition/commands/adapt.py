"""Adapters from the command line: list them, train one on a frozen encoder, and check what that cost."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.command import Option, argument, command, entry, option
from core.cli.options import ANY_ENCODER
from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress, say
from core.errors import Cancelled, InvalidInput
from core.systems.common.setting_options import about, print_registry, registered_options, setting_options
from core.systems.composition.adapters import ADAPTERS
from core.systems.composition.commands.score_models import (
    FORMAT,
    IMAGES,
    WHAT_BENCHMARK,
    open_pictured,
    run_lines,
    score_models,
    write_results,
)

if TYPE_CHECKING:
    from core.records import Progress
    from core.systems.composition.records import LoadedBenchmark
    from core.systems.composition.training.adapted import Adapted
    from core.systems.composition.training.forgetting import ForgettingCheck
    from core.systems.composition.training.loop import Training

MAX_ITEMS = 100_000
SHARE = "share of the benchmark's items to learn from (those tagged split=train, if any); the others are the test"


@command()
@option("--encoder NAME", f"encoder whose parameters to count: {ANY_ENCODER}")
def adapters(encoder: str = "embedded") -> None:
    """List the adapters with their numbers of parameters.

    What each does, how many numbers it learns on an encoder, where it comes from, and its settings.
    """
    from core.encoders import load_encoder

    tower = load_encoder(encoder)
    print_registry(ADAPTERS, lambda _, kind: size_text(kind(), tower))


def size_text(adapter: Any, encoder: Any) -> str:
    """How many numbers a fresh module learns."""
    from core.encoders.tokens import tower_of

    module = adapter.build(tower_of(encoder), encoder, 0)
    n = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    return f"{n:,} parameters on {encoder.name}"


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What is trained, and on what."""

    adapter: str = entry("NAME", f"one of {', '.join(ADAPTERS)}", required=True, type=click.Choice(tuple(ADAPTERS)))
    out: Path = entry("FOLDER", "folder for the adapter; a stopped training continues there", required=True)
    encoder: str = entry("NAME", ANY_ENCODER, "embedded")
    format: str = entry("NAME", FORMAT, "")
    images: Path | None = entry("PATH", IMAGES)
    n: int | None = entry("N", "number of rendered items to learn from, without a benchmark (default: 2,000)")
    kinds: tuple[str, ...] = entry("KIND", "kinds of rendered items (default: all)", ())
    share: float | None = entry("X", SHARE)
    everyday: str | None = entry("BENCHMARK", "images with captions to learn from as well, to forget less")
    everyday_images: Path | None = entry("PATH", "folder, zip or tar of these images (default: beside the file)")
    everyday_n: int = entry("N", "at most this many of these images (default: 1,000)", 1000)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the training cost: the encoder before and after."""

    check: tuple[str, ...] = entry("BENCHMARK", "further benchmarks to check both models on", ())
    check_labelled: Path | None = entry("PATH", "class folders for zero-shot classification (default: shipped scenes)")
    check_captions: str | None = entry("BENCHMARK", "images with captions for retrieval (default: the same scenes)")
    no_check: bool = entry("", "skip the check", False)


def adapter_settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    """The options of the adapter that the arguments name, and those of its training; none if they name none."""
    names = [after for before, after in pairwise(arguments) if before == "--adapter"]
    names += [argument.removeprefix("--adapter=") for argument in arguments if argument.startswith("--adapter=")]
    if not names or names[0] not in ADAPTERS:
        return []
    from core.systems.composition.training.loop import Training

    options = registered_options(ADAPTERS, names[0], taken)
    kind = ADAPTERS.load(names[0])
    title = f"Training of {kind.title}" + ("" if options else f"\n{about(kind)}")  # one has no settings of its own
    return options + setting_options("training", title, Training, taken)


@command(
    note="`compose adapt --adapter NAME --help` lists the settings of that adapter and of its training.",
    settings=adapter_settings,
)
@argument("benchmark", "[BENCHMARK]", f"benchmark to learn from: {WHAT_BENCHMARK} (default: new rendered scenes)")
def adapt(
    options: AdaptOptions,
    after: CheckOptions,
    settings: dict[str, Any],
    training: dict[str, Any],
    benchmark: str | None = None,
) -> None:
    """Train a small module on a frozen encoder, and check what it cost.

    A training that was stopped goes on. Then the encoder before is set beside the one after.
    """
    how = _training(options.adapter, settings, training)
    _check(options, after, benchmark)
    from core.systems.composition.training.adapted import ADAPTER

    make_folder(options.out, ADAPTER)
    if (options.out / "test").is_dir():
        from core.systems.composition.reports.tables import RESULT

        make_folder(options.out / "test", RESULT)
    from core.encoders import load_encoder
    from core.systems.common.labelled import read_samples
    from core.systems.composition.reports.training import trained_lines
    from core.systems.composition.training.forgetting_file import STATE
    from core.systems.composition.training.loop import check_state

    seed = how.seed
    labelled = after.check_labelled
    check_state(options.out / STATE, ADAPTERS.make(options.adapter, settings), how)
    with TerminalProgress() as progress:
        pictured, rest = _to_learn(options, benchmark, seed, progress)
        against = {  # read before the training, so that a wrong name is said before it
            "benchmarks": [open_pictured(name, progress=progress) for name in after.check],
            "retrieval": after.check_captions and open_pictured(after.check_captions, progress=progress),
            "labelled": labelled and read_samples(None, images=labelled, progress=progress).samples,
        }
        encoder = load_encoder(options.encoder)
        pictured = _with_everyday(pictured, options, seed, progress)
        adapted = _train(options, settings, how, pictured, encoder, progress)
        progress.close()
        say("\n".join(trained_lines(adapted)))
        check = None
        if not after.no_check:
            check = _checked(adapted, options.out, progress, seed=seed, **against)
        if rest is not None:
            _test(adapted, rest, check, options.out / "test", progress, seed)
    say(f"Written: {options.out}")
    if rest is None:
        say(f"Next: python -m core compose run rendered --encoder {options.encoder} {options.out}")


def _training(adapter: str, settings: dict[str, Any], training: dict[str, Any]) -> Training:
    """How the adapter is trained; wrong values, the adapter's own included, are refused before anything is read."""
    from core.options import check_seed, read_settings
    from core.systems.composition.training.loop import Training

    ADAPTERS.make(adapter, settings)
    how = Training(**read_settings(Training, training))
    check_seed(how.seed)
    return how


def _check(options: AdaptOptions, after: CheckOptions, benchmark: str | None) -> None:
    if benchmark is not None and (options.n is not None or options.kinds):
        raise InvalidInput(
            "--n and --kinds set the rendered items, which are drawn only without a benchmark. Leave them out."
        )
    if benchmark is None and (options.format or options.images is not None):
        raise InvalidInput(
            "--format and --images describe your own benchmark. Name its file, or leave them out to learn from "
            "rendered items."
        )
    if options.share is not None and (benchmark is None or not 0 < options.share < 1):
        raise InvalidInput(
            f"--share must lie between 0 and 1 and needs a benchmark of yours: got {options.share}. Try 0.5."
        )
    if options.n is not None and not 8 <= options.n <= MAX_ITEMS:
        raise InvalidInput(f"--n must be 8 to {MAX_ITEMS:,} rendered items: got {options.n:,}. The default is 2,000.")
    if options.everyday is None and options.everyday_images is not None:
        raise InvalidInput(
            "--everyday-images names the images of --everyday, which is missing. Add --everyday, or leave it out."
        )
    if not 8 <= options.everyday_n <= MAX_ITEMS:
        raise InvalidInput(
            f"--everyday-n must be 8 to {MAX_ITEMS:,} images: got {options.everyday_n:,}. The default is 1,000."
        )
    if after.no_check and (after.check or after.check_labelled is not None or after.check_captions is not None):
        raise InvalidInput("--no-check skips the check that the other options describe. Remove one of the two.")


def _to_learn(
    options: AdaptOptions, benchmark: str | None, seed: int, progress: Progress
) -> tuple[LoadedBenchmark, LoadedBenchmark | None]:
    """What to learn from, and with --share what is left to test on."""
    if benchmark is not None:
        from core.systems.composition.split import two_parts

        pictured = open_pictured(benchmark, options.format, options.images, progress=progress)
        if options.share is None:
            return pictured, None
        return two_parts(pictured, options.share, seed=seed)
    from core.systems.composition.scenes.shipped import draw_training

    return draw_training(options.n or 2000, seed, options.kinds), None


def _with_everyday(pictured: LoadedBenchmark, options: AdaptOptions, seed: int, progress: Progress) -> LoadedBenchmark:
    """What to learn from, with the everyday images mixed in."""
    if options.everyday is None:
        return pictured
    from core.systems.composition.readers import recognise
    from core.systems.composition.readers.fields import path_of
    from core.systems.composition.training.reference_tasks import everyday_pairs, joined_benchmarks

    path = path_of(options.everyday, "The everyday images")
    most = None
    if path.exists() and recognise(path) == "captions":
        most = options.everyday_n
    everyday = open_pictured(options.everyday, images=options.everyday_images, n=most, progress=progress)
    return joined_benchmarks(pictured, everyday_pairs(everyday, options.everyday_n, seed))


def _checked(adapted: Adapted, out: Path, progress: TerminalProgress, **against: Any) -> ForgettingCheck:
    """What the training cost, printed and kept beside the adapter."""
    from core.files import default_cache
    from core.systems.composition.reports.training import regression_lines
    from core.systems.composition.scoring.encoder import EncoderScorer
    from core.systems.composition.training.adapted_scorer import AdaptedScorer
    from core.systems.composition.training.forgetting import check_regression
    from core.systems.composition.training.forgetting_file import write_check

    before = EncoderScorer(adapted.encoder)
    after = AdaptedScorer(adapted)
    check = check_regression(
        before, after, weight=adapted.record.rerank, cache=default_cache(), progress=progress, **against
    )
    write_check(check, out)
    progress.close()
    say("\n".join(["What it cost", *regression_lines(check)]))
    return check


def _test(
    adapted: Adapted,
    rest: LoadedBenchmark,
    check: ForgettingCheck | None,
    folder: Path,
    progress: TerminalProgress,
    seed: int,
) -> None:
    """The frozen encoder and the adapter on the items that were not learned from, printed and written into
    the folder."""
    from core.systems.composition.scoring.encoder import EncoderScorer
    from core.systems.composition.training.adapted_scorer import AdaptedScorer

    ran = score_models(rest, [EncoderScorer(adapted.encoder), AdaptedScorer(adapted)], progress, seed=seed)
    write_results(ran, folder, check)
    progress.close()
    say("\n".join(["On the held-out items", *run_lines(ran)]))


def _train(
    options: AdaptOptions,
    settings: dict[str, Any],
    how: Training,
    pictured: LoadedBenchmark,
    encoder: Any,
    progress: TerminalProgress,
) -> Adapted:
    """The trained adapter, saved; where the user stops it, the finished epochs are kept."""
    from core.files import default_cache
    from core.systems.composition.training.forgetting_file import STATE
    from core.systems.composition.training.train import adapt as train

    state = options.out / STATE
    try:
        adapted = train(
            pictured, options.adapter, settings, how, encoder, state=state, cache=default_cache(), progress=progress
        )
    except (KeyboardInterrupt, Cancelled):
        progress.close()
        if state.is_dir():
            say(f"Finished epochs are saved in {state}. Run the same command again to continue.", file=sys.stderr)
        raise
    if (options.out / "adapter.json").is_file():
        say(f"Replaced the earlier adapter in {options.out}.", file=sys.stderr)
    adapted.save(options.out)
    shutil.rmtree(state, ignore_errors=True)
    return adapted
