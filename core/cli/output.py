"""Files that commands write: folders made, endings checked, tables as CSV, Parquet or JSON."""

from __future__ import annotations

import csv
import json
import shlex
import sys
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
    """Make the folder that results go to, or raise InvalidInput, as where it holds files of the user's that are called
    as those of the kind. Where the command ends without a file in it, it is gone again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    if (context := click.get_current_context(silent=True)) is not None:
        context.call_on_close(partial(_drop_empty, made))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if kind is not None:
            from core.folders import check_free  # NumPy: not for --help

            check_free(folder, kind)
    except OSError as error:
        raise InvalidInput(f"The folder {folder} cannot be made: {error.strerror}. Choose another --out.") from error


def _drop_empty(made: list[Path]) -> None:
    """Remove folders that were made, the innermost first, as far as they are empty."""
    for folder in made:
        try:
            folder.rmdir()
        except OSError:  # a result lies in it
            return


def in_folder(path: Path, option: str = "--out") -> None:
    """Make the folder of a file that is to be written, or raise InvalidInput."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}. Choose another {option}.") from error


def new_run(path: Path) -> None:
    """See that a run may be written there, and make its folder, or raise InvalidInput."""
    from core.store import check_target  # NumPy: not for --help

    check_target(path)
    make_folder(path.parent)


def tell_run(path: Path, stream: TextIO | None = None) -> None:
    """Say where a run was written, and how to read it."""
    quoted = shlex.quote(str(path))
    say(
        f"Written: {path}\nOpen it in the page: python -m core serve {quoted}\n"
        f"As a report: python -m core export {quoted} --out report.html",
        file=stream,
    )


def check_suffix(path: Path, *endings: str, option: str = "--out") -> None:
    """Raise InvalidInput unless the file's name has one of the endings: those of tables if none is given."""
    *others, last = endings or TABLES
    if path.suffix.lower() not in (*others, last):
        listed = f"{', '.join(others)} or {last}" if others else last
        raise InvalidInput(f"{option} must end in {listed}: got {path.name!r}.")


def print_json(document: Any) -> None:
    """Print a document as JSON, for other programs to read; what would steer a terminal as its JSON code."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    if (shown := printable(text)) != text:
        shown = json.dumps(document, indent=1, allow_nan=False)
    print(shown)


def write_table(table: pd.DataFrame, path: Path | None, kind: str = "") -> None:
    """Write the table whole or not at all, as its ending says if no kind is given; without a path, as text to standard
    output."""
    from core.files import replacing

    if path is None:
        text = _text(table, kind)
        sys.stdout.write(printable(text) if sys.stdout.isatty() else text)  # a pipe gets the cells as they are
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
        size = {"_type": "table", "ncols": table.shape[1], "nrows": len(table)}
        return (plain if kind == "mlflow" else json.dumps(size | json.loads(plain), ensure_ascii=False)) + "\n"
    return _csv(table)


def _csv(table: pd.DataFrame) -> str:
    """CSV text in which no cell is run as a formula by a spreadsheet."""
    from core.data.tables.read import escape_formula

    safe = table.copy()
    for name in safe.columns:
        if safe[name].dtype in ("str", "object"):
            safe[name] = safe[name].map(lambda cell: escape_formula(cell) if isinstance(cell, str) else cell)
    text = safe.to_csv(index=False)
    # a carriage return ends a row for a spreadsheet, and csv leaves it without quotes
    return safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC) if "\r" in text else text
