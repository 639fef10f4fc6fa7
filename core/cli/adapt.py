"""Adapters from the command line: list them, train one on a frozen encoder, and check what that cost."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.compose_options import TRAINING, known_adapter
from core.cli.compose_run import open_pictured, run_lines, score_models, write_results
from core.cli.options import SETTING, describe
from core.cli.output import make_folder
from core.cli.terminal import TerminalProgress
from core.errors import Cancelled, DiagnosisError, InvalidInput
from core.reports.wording.training import trained_lines
from core.training.forgetting_file import CHECK, STATE, write_check

if TYPE_CHECKING:
    from core.records import LoadedBenchmark
    from core.training.adapted import Adapted
    from core.training.forgetting import ForgettingCheck
    from core.training.loop import Training

MAX_ITEMS = 100_000


def adapters(options: Namespace) -> None:
    """Every adapter: what it does, how many numbers it learns on an encoder, where it comes from, and its settings."""
    from core.encoders import load_encoder
    from core.options import settings_of
    from core.probes.ladder.reproduce import encoder_name
    from core.training.adapters import ADAPTERS

    encoder = load_encoder(encoder_name(options.encoder))
    for name in ADAPTERS:
        try:
            kind = known_adapter(name)
            said = size_text(kind(), encoder)
        except DiagnosisError as error:
            print(f"{name}\n    not here: {error}")
            continue
        print(f"{name}\n    {kind.title}. {kind.what}\n    {said}\n    {kind.source}")
        for setting in settings_of(kind):
            print(f"      --{setting.name.replace('_', '-')}: {describe(setting)}")


def size_text(adapter: Any, encoder: Any) -> str:
    """How many numbers a fresh module learns."""
    from core.training.adapted import tower_of

    module = adapter.build(tower_of(encoder), encoder, 0)
    n = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    if hasattr(module, "prepare"):  # it grows with the words that it is taught
        return (
            f"{module.change.shape[1]:,} parameters on {encoder.name} for each word of the captions that it learns from"
        )
    return f"{n:,} parameters on {encoder.name}"


def adapt(options: Namespace) -> None:
    """Train an adapter into --out; a training that was stopped goes on. Then set the encoder before beside the one
    after."""
    given, how = _settings(options)
    _check(options)
    make_folder(options.out)
    from core.encoders import load_encoder
    from core.probes.ladder.reproduce import encoder_name

    progress = TerminalProgress()
    try:
        pictured, rest = _to_learn(options, how)
        others = [open_pictured(name) for name in options.check]  # a wrong name is said before the training
        captions = None if options.check_captions is None else open_pictured(options.check_captions)
        labelled = None if options.check_labelled is None else _labelled(options.check_labelled, progress)
        encoder = load_encoder(encoder_name(options.encoder))
        adapted = _train(options, given, how, pictured, encoder, progress)
        progress.close()
        print("\n".join(trained_lines(adapted)))
        check = None if options.no_check else _checked(options, adapted, labelled, captions, others, progress, how.seed)
        if rest is not None:
            _test(options, adapted, rest, check, progress, how.seed)
    finally:
        progress.close()
    print(f"Written: {options.out}")
    if rest is None:
        print(f"Next: python -m core compose run rendered --encoder {options.encoder} {options.out}")


def _settings(options: Namespace) -> tuple[dict[str, Any], Training]:
    """The adapter's settings as given, and how it is trained; wrong values are refused before anything is read."""
    known_adapter(options.adapter)
    from core.options import check_seed, read_settings
    from core.training.adapters import make_adapter
    from core.training.loop import Training

    own = {name.removeprefix(SETTING): value for name, value in vars(options).items() if name.startswith(SETTING)}
    training = {
        name.removeprefix(TRAINING): value for name, value in vars(options).items() if name.startswith(TRAINING)
    }
    make_adapter(options.adapter, own)
    how = Training(**read_settings(Training, training))
    check_seed(how.seed)
    return own, how


def _check(options: Namespace) -> None:
    if options.benchmark is not None and (options.n is not None or options.kinds):
        raise InvalidInput(
            "--n and --kinds are for rendered items, which are drawn where no benchmark is given. Leave them out."
        )
    if options.benchmark is None and (options.format or options.images is not None):
        raise InvalidInput(
            "--format and --images belong to a benchmark of yours. "
            "Name its file, or leave them out to learn from rendered items."
        )
    if options.share is not None and (options.benchmark is None or not 0 < options.share < 1):
        raise InvalidInput(
            f"--share is the part of a benchmark of yours to learn from, between 0 and 1: got {options.share}. Try 0.5."
        )
    if options.n is not None and not 8 <= options.n <= MAX_ITEMS:
        raise InvalidInput(f"--n must be 8 to {MAX_ITEMS:,} rendered items: got {options.n:,}. 2,000 is the default.")
    if options.no_check and (options.check or options.check_labelled is not None or options.check_captions is not None):
        raise InvalidInput("--no-check leaves the check out that the other options are for. Give one of the two.")


def _to_learn(options: Namespace, how: Training) -> tuple[LoadedBenchmark, LoadedBenchmark | None]:
    """What to learn from, and with --share what is left to test on."""
    if options.benchmark is not None:
        from core.composition.parts import two_parts

        found = open_pictured(options.benchmark, options.format, options.images)
        return (found, None) if options.share is None else two_parts(found, options.share, seed=how.seed)
    from core.scenes.shipped import draw_training

    return draw_training(options.n or 2000, how.seed, tuple(options.kinds)), None


def _checked(
    options: Namespace,
    adapted: Adapted,
    labelled: Any,
    captions: LoadedBenchmark | None,
    others: list[LoadedBenchmark],
    progress: TerminalProgress,
    seed: int,
) -> ForgettingCheck:
    """What the training cost, printed and kept beside the adapter."""
    from core.embeddings.cache import default_cache
    from core.reports.wording.composition import regression_lines
    from core.training.forgetting import check_regression

    found = check_regression(
        adapted,
        labelled=labelled,
        retrieval=captions,
        benchmarks=others,
        cache=default_cache(),
        progress=progress,
        seed=seed,
    )
    write_check(found, options.out)
    progress.close()
    print("\n".join(["What it cost", *regression_lines(found)]))
    return found


def _test(
    options: Namespace,
    adapted: Adapted,
    rest: LoadedBenchmark,
    check: ForgettingCheck | None,
    progress: TerminalProgress,
    seed: int,
) -> None:
    """The frozen encoder and the adapter on the items that were not learned from, printed and written into
    --out/test."""
    from core.composition.scoring.encoder import EncoderScorer
    from core.training.train import AdaptedScorer

    ran = score_models(rest, [EncoderScorer(adapted.encoder), AdaptedScorer(adapted)], progress, seed=seed)
    write_results(ran, options.out / "test", check)
    progress.close()
    print("\n".join(["On the items that were kept apart", *run_lines(ran)]))


def _labelled(path: Path, progress: TerminalProgress) -> Any:
    from core.data.labelled import read_samples

    return read_samples(None, images=path, progress=progress).samples


def _train(
    options: Namespace,
    given: dict[str, Any],
    how: Training,
    pictured: LoadedBenchmark,
    encoder: Any,
    progress: TerminalProgress,
) -> Adapted:
    """The trained adapter, saved; where the user stops it, the finished epochs are kept."""
    from core.embeddings.cache import default_cache
    from core.training.train import adapt as train

    state = options.out / STATE
    try:
        adapted = train(
            pictured, options.adapter, given, how, encoder, state=state, cache=default_cache(), progress=progress
        )
    except (KeyboardInterrupt, Cancelled):
        progress.close()
        if state.is_dir():
            print(f"The finished epochs are kept in {state}. Run the same command again to go on.", file=sys.stderr)
        raise
    if (options.out / "adapter.json").is_file():
        print(f"The earlier adapter in {options.out} was replaced.", file=sys.stderr)
    (options.out / CHECK).unlink(missing_ok=True)  # of the earlier one
    adapted.save(options.out)
    shutil.rmtree(state, ignore_errors=True)
    return adapted
