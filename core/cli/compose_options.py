"""The command line's options for composition. An adapter's own options come from its settings, and only where that
adapter is asked for.

Nothing heavy is imported unless one adapter is named, so that --help of all else answers at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.cli.options import SETTING, Commands, add_setting_options
from core.errors import MissingDependency
from core.training.adapters import ADAPTERS, adapter_class

TRAINING = "training_"
"""Begins the name of each option that says how an adapter is trained."""
SPLITS = ("train", "seen", "unseen")
WHAT = "its file or folder, or the name of one that comes along (see `compose benchmarks`)"
IMAGES = "folder, zip or tar of its pictures (default: the folder of its file)"
ENCODER = "such as embedded or ViT-B-32:openai, see `python -m core encoders` (default: embedded)"


def named_adapter(arguments: Sequence[str]) -> str:
    """The adapter that the arguments of the command line ask for, or "" if they ask for none that there is."""
    if list(arguments[:2]) != ["compose", "adapt"]:
        return ""
    given = [after for option, after in pairwise(arguments) if option == "--adapter"]
    given += [argument.removeprefix("--adapter=") for argument in arguments if argument.startswith("--adapter=")]
    return given[0] if given and given[0] in ADAPTERS else ""


def add_compose_commands(commands: Commands, asked: str, codes: str) -> None:
    """The command compose with its subcommands.

    Args:
        commands: what `add_subparsers` gave.
        asked: the adapter whose settings become options; "" for none.
        codes: the epilog with the exit codes.
    """
    compose = commands.add_parser(
        "compose", help="does a model see which attribute belongs to which thing? benchmarks, own pairs, training"
    )
    parts = compose.add_subparsers(dest="part", required=True, metavar="WHAT")
    parts.add_parser(
        "benchmarks", help="list the benchmarks that are read or come along, and the pictures that each needs"
    )
    _add_run(parts.add_parser("run", help="score one or two models on a benchmark", epilog=codes))
    _add_pictures(
        parts.add_parser("pictures", help="print the names of the pictures that a benchmark needs", epilog=codes)
    )
    _add_pair(
        parts.add_parser(
            "pair",
            help="score your own picture with its caption and foils, or two pictures with two captions",
            epilog=codes,
        )
    )
    foils = parts.add_parser("foils", help="print captions that are almost right, made from one", epilog=codes)
    foils.add_argument("caption", metavar="CAPTION", help='such as "a red cube and a blue ball"')
    _add_grid(
        parts.add_parser(
            "grid", help="which attribute of which object fails, and is it seen or bound wrongly?", epilog=codes
        )
    )
    _add_draw(parts.add_parser("draw", help="draw a rendered benchmark in Cola's format", epilog=codes))
    epilog = f"`compose adapt --adapter NAME --help` lists the settings of that adapter and of its training. {codes}"
    _add_adapt(
        parts.add_parser(
            "adapt", help="train a small module on a frozen encoder, and check what it cost", epilog=epilog
        ),
        asked,
    )
    adapters = parts.add_parser("adapters", help="list the adapters with their numbers of parameters")
    adapters.add_argument("--encoder", default="embedded", metavar="NAME", help=f"whose numbers: {ENCODER}")


def _add_benchmark(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    if optional:
        parser.add_argument(
            "benchmark",
            nargs="?",
            metavar="BENCHMARK",
            help=f"to learn from: {WHAT} (default: rendered scenes, drawn anew)",
        )
    else:
        parser.add_argument("benchmark", metavar="BENCHMARK", help=WHAT)
    parser.add_argument(
        "--format", metavar="NAME", default="", help="of `compose benchmarks` (default: recognised by the file's shape)"
    )
    parser.add_argument("--images", type=Path, metavar="PATH", help=IMAGES)


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_benchmark(parser)
    model = "an encoder, or the folder of a trained adapter; two are compared (default: embedded)"
    parser.add_argument("--encoder", nargs="+", default=["embedded"], metavar="MODEL", help=model)
    parser.add_argument(
        "--name",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="what each result is called (default: benchmark and model)",
    )
    parser.add_argument(
        "--n", type=int, metavar="N", help="items of a benchmark that comes along (default: see `compose benchmarks`)"
    )
    parser.add_argument("--no-blind", action="store_true", help="leave out the baselines that see no picture")
    parser.add_argument(
        "--diagnose", action="store_true", help="also find where the first model fails, into DIR/diagnosis"
    )
    parser.add_argument(
        "--permutations",
        type=int,
        default=5000,
        metavar="N",
        help="shuffles behind each p of that diagnosis (default 5000)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same intervals (default 0)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for figures, items, scores, missing pictures and report"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    reader = parser.add_argument_group("what single formats take")
    reader.add_argument(
        "--seen", type=Path, metavar="FILE", help="cola-single: queries whose combination was trained on, one a line"
    )
    reader.add_argument("--negatives", metavar="COL", help="crepe: the column of hard negatives")
    reader.add_argument("--max-words", type=int, metavar="N", help="aro-order: longest caption (default 30)")


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK", help="its file or folder")
    parser.add_argument(
        "--format", metavar="NAME", default="", help="of `compose benchmarks` (default: recognised by the file's shape)"
    )
    parser.add_argument(
        "--images", type=Path, metavar="PATH", help="folder, zip or tar: print only what is missing there"
    )


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=Path, nargs="+", required=True, metavar="FILE", help="one picture, or two")
    parser.add_argument(
        "--caption",
        nargs="+",
        required=True,
        metavar="TEXT",
        help="true of the one picture; of two pictures one each, in order",
    )
    parser.add_argument(
        "--foil",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="false of every picture (default: made from the first caption)",
    )
    parser.add_argument("--encoder", default="embedded", metavar="NAME", help=ENCODER)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_grid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table", type=Path, metavar="TABLE", help="CSV, TSV, JSON Lines or Parquet; or JSON with scenes, as CLEVR's"
    )
    parser.add_argument(
        "--images", type=Path, metavar="PATH", help="folder, zip or tar of pictures (default: the table's folder)"
    )
    parser.add_argument("--image", metavar="COL", help="column of the pictures' paths (default: recognised by name)")
    parser.add_argument(
        "--attribute", metavar="COL", help="column of the attribute; of scenes a property (default color)"
    )
    parser.add_argument("--object", metavar="COL", help="column of the object; of scenes a property (default shape)")
    parser.add_argument(
        "--attribute-2", metavar="COL", help="attribute of the picture's second thing, with which binding can be tested"
    )
    parser.add_argument("--object-2", metavar="COL", help="the second thing")
    parser.add_argument(
        "--caption", metavar="COL", help="read things and attributes from captions, in place of columns"
    )
    parser.add_argument(
        "--family", metavar="NAME", default="", help="with --caption: the family of attributes, such as colour"
    )
    parser.add_argument(
        "--one",
        action="store_true",
        help="with captions or scenes: take pictures of one thing, in place of those of two",
    )
    parser.add_argument(
        "--template", default="a photo of {}", metavar="TEXT", help='with "{}" for the phrase (default "a photo of {}")'
    )
    parser.add_argument(
        "--encoder",
        default="embedded",
        metavar="MODEL",
        help="an encoder, or the folder of a trained adapter (default: embedded)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write every figure: .csv, .parquet or .json")


def _add_draw(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--n", type=int, default=240, metavar="N", help="items of two pictures and two captions (default 240)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same (default 0)")
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="unseen",
        help="unseen: each caption names a pair that train never shows (default)",
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        default=[],
        metavar="KIND",
        help="colour, material, size, relation, count, noun (default: all)",
    )
    parser.add_argument(
        "--queries",
        type=int,
        default=0,
        metavar="N",
        help="also single-object queries, over four pictures each (default 0)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to, made if missing")


def _add_adapt(parser: argparse.ArgumentParser, asked: str) -> None:
    parser.allow_abbrev = False
    _add_benchmark(parser, optional=True)
    parser.add_argument(
        "--adapter", required=True, choices=tuple(ADAPTERS), metavar="NAME", help=f"one of {', '.join(ADAPTERS)}"
    )
    parser.add_argument("--encoder", default="embedded", metavar="NAME", help=ENCODER)
    parser.add_argument(
        "--n", type=int, metavar="N", help="rendered items to learn from, where no benchmark is given (default 2000)"
    )
    parser.add_argument("--kinds", nargs="+", default=[], metavar="KIND", help="of the rendered items (default: all)")
    share = (
        "learn from that part of the benchmark's items (those tagged split=train, if any are), and test on the others"
    )
    parser.add_argument("--share", type=float, metavar="X", help=share)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder for the adapter; a training that was stopped goes on there",
    )
    check = parser.add_argument_group("what the training cost: the encoder before and after")
    check.add_argument(
        "--check", nargs="+", default=[], metavar="BENCHMARK", help="other benchmarks to hold both against"
    )
    check.add_argument(
        "--check-labelled",
        type=Path,
        metavar="PATH",
        help="class folders for zero-shot (default: scenes that come along)",
    )
    check.add_argument(
        "--check-captions", metavar="BENCHMARK", help="pictures with captions for retrieval (default: the same scenes)"
    )
    check.add_argument("--no-check", action="store_true", help="leave the check out")
    if asked:
        _add_settings(parser, asked)


def _add_settings(parser: argparse.ArgumentParser, name: str) -> None:
    kind = known_adapter(name)
    from core.options import settings_of
    from core.training.loop import Training

    own = parser.add_argument_group(
        f"settings of {kind.title}", f"{kind.what} Source: {kind.source}.".replace("%", "%%")
    )
    add_setting_options(own, settings_of(kind), SETTING)
    add_setting_options(parser.add_argument_group("the training"), settings_of(Training), TRAINING)


def known_adapter(name: str) -> Any:
    """The adapter's class.

    Raises:
        MissingDependency: a package that it needs is not there.
    """
    try:
        return adapter_class(name)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in ("", "core"):
            raise
        raise MissingDependency(f"The adapter {name} needs {package}. Run `pip install {package}`.") from error
