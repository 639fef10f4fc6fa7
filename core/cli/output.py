"""Write the files of commands: make folders, check endings, write tables as CSV, Parquet or JSON."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from core.cli.terminal import say
from core.errors import InvalidInput, printable

if TYPE_CHECKING:
    import pandas as pd

    from core.folders import Kind

TABLES = (".csv", ".parquet", ".json")


def make_folder(folder: Path, kind: Kind | None = None) -> None:
    """Make the folder for results. If the command ends without a file in it, the folder is removed again.

    Raises:
        InvalidInput: the folder cannot be made, or holds files of the user's that have the names of the kind's files.
    """
    new_folders = [path for path in (folder, *folder.parents) if not path.exists()]
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(partial(_drop_empty, new_folders))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if kind is not None:
            from core.folders import check_free  # NumPy: not for --help

            check_free(folder, kind)
    except OSError as error:
        raise InvalidInput(f"Cannot make the folder {folder}: {error.strerror}. Choose another --out.") from error


def _drop_empty(folders: list[Path]) -> None:
    """Remove the folders, innermost first, up to the first that is not empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # it holds a result
            return


def in_folder(path: Path, option: str = "--out") -> None:
    """Make the folder of an output file, or raise InvalidInput."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror or error}. Choose another {option}.") from error


def new_run(path: Path) -> None:
    """Check that a run can be written there and make its folder, or raise InvalidInput."""
    from core.store import check_target  # NumPy: not for --help

    check_target(path)
    make_folder(path.parent)


def tell_run(path: Path, stream: TextIO | None = None) -> None:
    """Print where a run was written and how to open it."""
    quoted = shlex.quote(str(path))
    say(
        f"Written: {path}\nOpen it on the page: python -m core serve {quoted}\n"
        f"Write a report: python -m core export {quoted} --out report.html",
        file=stream,
    )


def check_suffix(path: Path, *endings: str, option: str = "--out") -> None:
    """Raise InvalidInput unless the file name has one of the endings (default: those of tables)."""
    allowed = endings or TABLES
    if path.suffix.lower() not in allowed:
        *first, listed = allowed
        if first:
            listed = f"{', '.join(first)} or {listed}"
        raise InvalidInput(f"{option} must end in {listed}: got {path.name!r}.")


def print_json(document: Any) -> None:
    """Print a document as JSON for other programs. If a character would steer a terminal, all non-ASCII text
    is escaped."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    if printable(text) != text:
        text = json.dumps(document, indent=1, allow_nan=False)
    print(text)


def print_result(document: Any, lines: Sequence[str], *written: Path | None, as_json: bool) -> None:
    """Print the lines and the files that were written; with `as_json` the document alone."""
    if as_json:
        print_json(document)
    else:
        say("\n".join([*lines, *(f"Written: {path}" for path in written if path is not None)]))


def write_result(path: Path | None, document: Any, table: pd.DataFrame) -> None:
    """Write the document if the file's name ends in .json, else the table; nothing without a path."""
    from core.files import write_json

    if path is not None and path.suffix.lower() == ".json":
        write_json(path, document)
    elif path is not None:
        write_table(table, path)


def write_table(table: pd.DataFrame, path: Path | None, kind: str = "") -> None:
    """Write the whole table or nothing, in the format of `kind` (default: the file's ending); without a path, write
    text to standard output."""
    from core.files import replacing

    if path is None:
        text = _text(table, kind)
        if sys.stdout.isatty():  # a pipe gets the cells as they are
            text = printable(text)
        sys.stdout.write(text)
        return
    kind = kind or path.suffix.lower().removeprefix(".")
    in_folder(path)
    with replacing(path) as part:
        if kind == "parquet":
            table.to_parquet(part, index=False)
        else:
            part.write_text(_text(table, kind), "utf-8")


def _text(table: pd.DataFrame, kind: str) -> str:
    if kind == "json":
        return table.to_json(orient="records", force_ascii=False, indent=1, double_precision=15) + "\n"
    if kind in ("mlflow", "wandb"):  # the JSON of `mlflow.load_table`, and that of a `wandb.Table` in an artifact
        plain = table.to_json(orient="split", index=False, force_ascii=False, double_precision=15)
        if kind == "mlflow":
            return plain + "\n"
        size = {"_type": "table", "ncols": table.shape[1], "nrows": len(table)}
        return json.dumps(size | json.loads(plain), ensure_ascii=False) + "\n"
    from core.data.tables.read import escape_formula  # cells that a spreadsheet would run

    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype in ("str", "object"):
            safe[name] = safe[name].map(lambda cell: escape_formula(cell) if isinstance(cell, str) else cell)
    text = safe.to_csv(index=False)
    if "\r" in text:  # a carriage return ends a row for a spreadsheet, and csv leaves it without quotes
        return safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return text
