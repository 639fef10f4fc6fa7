"""The command line's options for probes. A probe's own options come from its settings, and only where that probe is
asked for.

Nothing heavy is imported unless one probe is named, so that --help of all else answers at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from core.errors import MissingDependency
from core.probes import PROBES, probe_class

METHODS = ("zero-shot", "sus-x", "coop", "cocoop", "few-shot", "all", "cola")
"""What `reproduce` can be asked for."""
SETTING = "setting_"
"""Begins the name of each option that is a probe's own setting."""
Commands = Any
"""argparse's own type of `add_subparsers`, which it does not name in public."""


def named_probe(arguments: Sequence[str]) -> str:
    """The probe that the arguments of the command line ask for, or "" if they ask for none that there is."""
    name = arguments[1] if len(arguments) > 1 and arguments[0] == "probe" else ""
    return name if name in PROBES else ""


def add_probe_commands(commands: Commands, asked: str, codes: str) -> None:
    """The commands probes, probe, compare and reproduce.

    Args:
        commands: what `add_subparsers` gave.
        asked: the probe whose settings become options; "" for none.
        codes: the epilog with the exit codes.
    """
    commands.add_parser("probes", help="list zero-shot and few-shot probes with their settings")
    probe = commands.add_parser(
        "probe",
        help="would a model that never saw your training set fail here too?",
        epilog="`probe NAME --help` lists the settings of that probe.",
    )
    names = probe.add_subparsers(dest="probe", required=True, metavar="NAME", help=f"one of {', '.join(PROBES)}")
    for name in PROBES:
        _add_probe(names.add_parser(name, epilog=codes, allow_abbrev=False), name if name == asked else "")
    _add_compare(
        commands.add_parser(
            "compare", help="two models side by side: what one fixes and breaks of the other", epilog=codes
        )
    )
    _add_reproduce(
        commands.add_parser(
            "reproduce", help="run a published method on a data set, with the published figures beside", epilog=codes
        )
    )


def _add_probe(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument(
        "run", type=Path, nargs="?", metavar="DIR", help="folder that `diagnose --out` wrote; the result is added to it"
    )
    if name:
        _add_settings(parser, name)
    both = parser.add_argument_group("for every probe")
    both.add_argument(
        "--pool",
        type=Path,
        metavar="PATH",
        help="folder, zip or tar of unlabelled images, or of class folders, for a support set",
    )
    folders = "auto: folders are classes where most have a class's name; classes: they are; none: they are not"
    both.add_argument("--pool-folders", choices=("auto", "classes", "none"), default="auto", help=folders)
    both.add_argument(
        "--pool-names",
        metavar="FILE",
        help='JSON: {"folder": "class name"}, where folders of the pool have other names',
    )
    both.add_argument(
        "--split",
        metavar="WHAT",
        help='"column": the split column, train teaches and test is scored; '
        "or a JSON file (split_zhou_*.json); else halves",
    )
    both.add_argument(
        "--save-draw",
        type=Path,
        metavar="FILE",
        help="write which images teach and which are scored, for --split of another run",
    )
    both.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    both.add_argument(
        "--name",
        metavar="TEXT",
        default="",
        help="what the result is called in the run (default: the probe, with its shots)",
    )
    both.add_argument(
        "--diagnose",
        type=Path,
        metavar="OUT",
        help="find the probe's own failure clusters and write them there as a run of their own",
    )
    both.add_argument(
        "--permutations",
        type=int,
        default=5000,
        metavar="N",
        help="shuffles behind each p of that diagnosis (default 5000)",
    )
    both.add_argument("--json", action="store_true", help="print JSON")
    own = parser.add_argument_group("without a model of yours: labels alone, in place of DIR")
    own.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="CSV, TSV, JSON Lines or Parquet with a label; none is needed for class folders",
    )
    own.add_argument(
        "--images", type=Path, metavar="PATH", help="folder, zip or tar of pictures; CLASS/file.jpg needs no table"
    )
    own.add_argument(
        "--out", type=Path, metavar="OUT", help="folder to write to: the probe's losses are diagnosed like any model's"
    )
    own.add_argument("--encoder", metavar="NAME", help="see `python -m core encoders` (default: embedded)")
    own.add_argument("--id", metavar="COL", help="id column; else the picture's path, else the row number")
    own.add_argument("--image", metavar="COL", help="column of pictures or of their paths")
    own.add_argument("--label", metavar="COL", help="true class")
    own.add_argument("--group", metavar="COL", help="patient, video, source: its rows are never split")
    own.add_argument("--split-column", metavar="COL", help="train, test, ...")


def _add_settings(parser: argparse.ArgumentParser, name: str) -> None:
    from core.options import settings_of

    kind = known_probe(name)
    group = parser.add_argument_group(f"settings of {kind.title}", f"{kind.what} Source: {kind.source}.")
    taken = {
        "--pool",
        "--split",
        "--save-draw",
        "--seed",
        "--name",
        "--diagnose",
        "--permutations",
        "--json",
        "--table",
        "--images",
        "--out",
        "--encoder",
        "--label",
    }

    add_setting_options(group, settings_of(kind), SETTING, taken)


def add_setting_options(group: Any, settings: Sequence[Any], prefix: str, taken: Container[str] = ()) -> None:
    """An option for each setting, absent unless it is given.

    Args:
        group: of argparse, to which they are added.
        settings: each a `core.options.Setting`.
        prefix: begins the name under which the value is found in the parsed options.
        taken: options that mean something else; "--set-" is put before such a setting's name.
    """
    for setting in settings:
        option = f"--{setting.name.replace('_', '-')}"
        option = f"--set-{option[2:]}" if option in taken else option
        described = describe(setting).replace("%", "%%")
        common: dict[str, Any] = {"dest": prefix + setting.name, "default": argparse.SUPPRESS, "help": described}
        if setting.kind == "bool":
            group.add_argument(option, action=argparse.BooleanOptionalAction, **common)
        else:
            group.add_argument(
                option,
                metavar={"int": "N", "float": "X"}.get(setting.kind, "FILE" if setting.widget == "file" else "TEXT"),
                **common,
            )


def describe(setting: Any) -> str:
    """A setting's help with its choices, bounds and default (`core.options.Setting`)."""
    parts = [setting.help.rstrip(".")] if setting.help else []
    if setting.choices:
        parts.append(f"one of {', '.join(setting.choices)}")
    if setting.low is not None and setting.high is not None:
        parts.append(f"{setting.low:g} to {setting.high:g}")
    default = (
        "the method's" if setting.default is None else "none" if setting.default == "" else _plain(setting.default)
    )
    return f"{'; '.join(parts)} (default {default})"


def _plain(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def known_probe(name: str) -> Any:
    """The probe's class.

    Raises:
        MissingDependency: a package that it needs is not there.
    """
    try:
        return probe_class(name)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in ("", "core"):
            raise
        raise MissingDependency(f"The probe {name} needs {package}. Run `pip install {package}`.") from error


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote")
    parser.add_argument(
        "a",
        nargs="?",
        metavar="A",
        default="model",
        help='"model" (the one under diagnosis, default) or the name of a result',
    )
    parser.add_argument("b", nargs="?", metavar="B", help="the model set beside it (default: the latest probe)")
    second = parser.add_argument_group("another model of yours beside it, from a table with the run's ids")
    second.add_argument(
        "--second",
        type=Path,
        metavar="TABLE",
        help="label, and predictions, probabilities or logits; its columns by usual names, or",
    )
    for name, what in (
        ("id", "its ids, or the pictures' paths"),
        ("label", "true class"),
        ("prediction", "predicted class"),
    ):
        second.add_argument(f"--{name}", metavar="COL", help=what)
    second.add_argument(
        "--probabilities", metavar="COL", nargs="+", default=(), help='one array column, or one each ("prob_*")'
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write: .csv, .parquet, .json or .html")


def _add_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", choices=METHODS, metavar="METHOD", help=f"one of {', '.join(METHODS)}")
    parser.add_argument(
        "--dataset", type=Path, metavar="PATH", help="class folders, a table beside its pictures, or split_zhou_*.json"
    )
    parser.add_argument(
        "--encoder",
        default="embedded",
        metavar="NAME",
        help="such as ViT-B-32/openai or ViT-B-32:openai (default: embedded)",
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="repeats with other shots (default 3)")
    parser.add_argument(
        "--shots",
        type=int,
        nargs="+",
        default=(1, 4, 16),
        metavar="N",
        help="labelled images a class, where any are (default 1 4 16)",
    )
    parser.add_argument(
        "--descriptions",
        metavar="FILE",
        help='sentences for each class; "" for none (default: those that come with the data set)',
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the table of results; finished steps there are not run again",
    )
    cola = parser.add_argument_group("cola, in place of --dataset")
    cola.add_argument(
        "--images",
        type=Path,
        metavar="PATH",
        help="folder, zip or tar of pictures of Visual Genome, such as 2390970.jpg",
    )
    cola.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="COLA_multiobjects_matching_benchmark.json (default: sought in --images and beside)",
    )
