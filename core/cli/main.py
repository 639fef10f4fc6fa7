"""The command line: what can be asked for, and the exit codes. What each command does is in `core.cli.diagnose`.

Only the standard library and two light files are imported here, so that --help answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from core.cli.compose_options import add_compose_commands, named_adapter
from core.cli.options import add_probe_commands, named_probe
from core.data.tables.roles import LOSS_KINDS
from core.errors import Cancelled, DiagnosisError

EXIT_CODES = "exit codes: 0 finished (nothing found included), 2 bad input, 3 missing dependency, 130 stopped"
IN_WORDS = ("ask", "audit", "predict", "phrases")
"""The commands of `core.cli.words`."""
OF_PROBES = ("probes", "probe", "compare", "reproduce")
"""The commands of `core.cli.probe`."""
WHAT = ("samples", "clusters", "insights", "weights", "probes", "comparison")
FORMATS = ("csv", "parquet", "json")
DETECTION_ROWS, DETECTION_LOSSES = ("objects", "predictions"), ("miss", "localisation", "class")
LOSS_HELP = (
    f"what to compute, or what the column holds: {', '.join(LOSS_KINDS)}; of detections: {', '.join(DETECTION_LOSSES)}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A `DiagnosisError` becomes its message on stderr; other exceptions are
    faults and show."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = build_parser(named_probe(given), named_adapter(given)).parse_args(given)
        getattr(_module_of(options), options.command)(options)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return Cancelled.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return 0
    except DiagnosisError as error:
        print(f"errata: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _module_of(options: argparse.Namespace) -> ModuleType:
    """The module whose function of the command's name runs it."""
    from core.cli import (
        compose as commands_compose,
        diagnose as commands,
        probe as commands_probe,
        words as commands_words,
    )

    if options.command in ("compare", "reproduce") and getattr(options, "method", "") != "cola":
        from core.cli import compare as comparing

        return comparing
    if options.command == "compose" or (options.command == "reproduce" and options.method == "cola"):
        return commands_compose
    return (
        commands_words if options.command in IN_WORDS else commands_probe if options.command in OF_PROBES else commands
    )


def build_parser(probe: str = "", adapter: str = "") -> argparse.ArgumentParser:
    """Every command with its options, and of one probe and one adapter its settings."""
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Errata: where does a model fail, why, and how sure is that?",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_diagnose(
        commands.add_parser("diagnose", help="find where a model fails and write the report", epilog=EXIT_CODES)
    )
    _add_assign(commands.add_parser("assign", help="predicted loss and cluster of new samples", epilog=EXIT_CODES))
    _add_export(commands.add_parser("export", help="write one part of a diagnosis as CSV, Parquet or JSON"))
    _add_ask(commands.add_parser("ask", help="what the loss is where images look like a text", epilog=EXIT_CODES))
    _add_audit(
        commands.add_parser("audit", help="the loss by phrase and class, as a table and a heat map", epilog=EXIT_CODES)
    )
    _add_predict(
        commands.add_parser("predict", help="freeze what was found and try it on fresh samples", epilog=EXIT_CODES)
    )
    _add_phrases(
        commands.add_parser("phrases", help="write the shipped phrases, to edit and bring back with --vocabulary")
    )
    add_probe_commands(commands, probe, EXIT_CODES)
    add_compose_commands(commands, adapter, EXIT_CODES)
    commands.add_parser("encoders", help="list the encoders and which of them work here")
    _add_serve(commands.add_parser("serve", help="open the page"))
    return parser


def _add_diagnose(parser: argparse.ArgumentParser) -> None:
    _add_samples(parser)
    _add_loss(parser)
    _add_tasks(parser)
    words = parser.add_argument_group("words (they need images)")
    words.add_argument(
        "--naming", metavar="ENCODER", help="the encoder that finds words, if it is another than --encoder"
    )
    words.add_argument(
        "--vocabulary", type=Path, metavar="FILE", help="your own phrases (see `python -m core phrases`)"
    )
    words.add_argument("--no-words", action="store_true", help="test no phrases and answer no questions")
    test = parser.add_argument_group("the test")
    test.add_argument("--alpha", type=_share, default=0.05, help="chance of any false claim (default 0.05)")
    test.add_argument(
        "--permutations",
        type=_positive,
        default=5000,
        metavar="N",
        help="shuffles behind each p (default 5000; fewer for a preview)",
    )
    test.add_argument(
        "--hold-back",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="hide so much (0.05 to 0.5), then predict it with what was found",
    )
    test.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default 0)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to, made if missing")


def _add_loss(parser: argparse.ArgumentParser) -> None:
    loss = parser.add_argument_group(
        "the loss: a column, or computed from what the model wrote (recognised by name if none is given)"
    )
    loss.add_argument("--loss", metavar="COL", help="per-sample loss")
    loss.add_argument("--higher-is-better", action="store_true", help="the loss column is a score: negate it")
    loss.add_argument(
        "--probabilities",
        metavar="COL",
        nargs="+",
        default=(),
        help='class probabilities: one array column, or one each ("prob_*")',
    )
    loss.add_argument("--logits", metavar="COL", nargs="+", default=(), help="the same for logits")
    loss.add_argument("--prediction", metavar="COL", help="predicted class, or predicted number with --target")
    loss.add_argument("--target", metavar="COL", help="true number of a regression")
    loss.add_argument("--masks", metavar="COL", nargs=2, help="true and predicted mask")
    loss.add_argument("--loss-kind", metavar="KIND", choices=(*LOSS_KINDS, *DETECTION_LOSSES), help=LOSS_HELP)
    columns = parser.add_argument_group("other columns")
    columns.add_argument("--group", metavar="COL", help="patient, video, source: its rows are never split")
    columns.add_argument("--split", metavar="COL", help="train, test, ...")
    columns.add_argument(
        "--conditions",
        metavar="COL",
        nargs="+",
        default=(),
        help="model outputs that may explain a failure all the same",
    )
    columns.add_argument(
        "--class-names",
        metavar="NAME",
        nargs="+",
        default=(),
        help="the order of the classes in an array of probabilities",
    )


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_argument_group(
        "more tasks: several rows of one picture, which are kept together (docs/tasks.md)"
    )
    tasks.add_argument(
        "--detections",
        type=Path,
        metavar="PATH",
        help="a detector's predictions: COCO results (JSON), or a folder of YOLO files",
    )
    tasks.add_argument(
        "--truth",
        type=Path,
        metavar="PATH",
        help="what they are compared with: COCO instances (JSON), or a YOLO data set's folder",
    )
    tasks.add_argument(
        "--rows",
        choices=DETECTION_ROWS,
        default="objects",
        help="was each object found, or was each prediction right (default objects)",
    )
    tasks.add_argument(
        "--iou",
        type=float,
        default=0.5,
        metavar="T",
        help="overlap from which a prediction is at an object's place (default 0.5)",
    )
    tasks.add_argument(
        "--score",
        type=float,
        default=0.25,
        metavar="T",
        help="predictions below this score are not used (default 0.25)",
    )
    tasks.add_argument(
        "--labels",
        metavar="COL",
        nargs="+",
        default=(),
        help='several classes a picture: a list column, or 0/1 columns ("true_*")',
    )
    tasks.add_argument("--per-class", action="store_true", help="with --masks: one row for each class in a picture")


def _add_samples(parser: argparse.ArgumentParser, table: str = "--table") -> None:
    fresh = table != "--table"
    samples = parser.add_argument_group("the fresh samples" if fresh else "the samples")
    samples.add_argument(
        table,
        type=Path,
        metavar="FILE",
        required=fresh,
        dest="table",
        help="CSV, TSV, JSON Lines or Parquet, one row a sample",
    )
    samples.add_argument(
        "--images", type=Path, metavar="PATH", help="folder, zip or tar of pictures; or the table's own picture column"
    )
    samples.add_argument(
        "--embeddings", type=Path, metavar="FILE", help="npy, npz, safetensors or Parquet, in place of an encoder"
    )
    if not fresh:
        samples.add_argument(
            "--encoder", metavar="NAME", help="see `python -m core encoders` (default: embedded, or the diagnosis' own)"
        )
    samples.add_argument("--id", metavar="COL", help="id column; else the picture's path, else the row number")
    samples.add_argument("--image", metavar="COL", help="column of pictures or of their paths")
    samples.add_argument("--embedding", metavar="COL", help="array column of the table")
    samples.add_argument("--label", metavar="COL", help="true class")


def _add_assign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote")
    _add_samples(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="file to write: .csv, .parquet or .json"
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote")
    what = "weights: how often to draw each sample in training, mean 1; probes and comparison: after `probe`"
    parser.add_argument("--what", choices=WHAT, default="samples", help=what)
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: standard output; Parquet needs a file)"
    )


def _add_ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote")
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT", help='such as "a dog in snow"; the first is compared with each further one'
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--images", action="store_true", help="name every matching image, not just the first five")


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote")
    parser.add_argument(
        "--phrases",
        nargs="+",
        default=(),
        metavar="PHRASE",
        help="of the vocabulary (default: those of the largest excess)",
    )
    parser.add_argument(
        "--most", type=_positive, default=40, metavar="N", help="phrases, if none is named (default 40)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write: .csv, .parquet, .json, or .html for a heat map"
    )


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", type=Path, metavar="DIR", help="folder that `diagnose --out` wrote; the prediction is added to it"
    )
    _add_samples(parser, "--fresh")
    _add_loss(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table: .csv, .parquet or .json")


def _add_phrases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="file to write: .json, or .txt for one phrase a line (default: lines, to standard output)",
    )


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; 0.0.0.0 opens it to the network)"
    )
    parser.add_argument("--port", type=_positive, default=7860, help="default 7860")
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="data sets that visitors may choose by name")


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1: got {text}")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: got {text}")
    return value
