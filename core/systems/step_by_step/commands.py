"""The commands `steps`, a small T5 taught by labels and reasons, and `reason`, what it answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Option, argument, command, option
from core.cli.terminal import TerminalProgress, say
from core.systems.common.setting_options import setting_options

if TYPE_CHECKING:
    from core.systems.step_by_step.rationales import RationaleSet


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.step_by_step.settings import StepByStep

    return setting_options("settings", "The student, and how it learns", StepByStep, taken)


@command(settings=_settings, note="What the method is and what it brought: docs/step_by_step.md.")
@option("--texts TABLE", "table of texts with labels and reasons: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "its column of texts")
@option("--label NAME", "its column of labels")
@option("--rationale NAME", "its column of reasons, such as a large model wrote")
@option("--released NAME PART", "esnli, cqa, svamp or anli1, and a part: --texts is the folder of the released files")
@option("--out FOLDER", "folder for the student, as transformers lays it out")
@option(
    "--large-model NAME",
    "column of a large model's labels, with --released palm or gpt: they are taught, and the others measure",
)
@option("--classes NAME", "the labels that there are (default: those that occur)")
@option("--student FOLDER", "a T5ForConditionalGeneration to start from (default: a new small one)")
def steps(
    texts: Path,
    out: Path,
    settings: dict[str, Any],
    column: str | None = None,
    label: str | None = None,
    rationale: str | None = None,
    released: tuple[str, str] | None = None,
    large_model: str | None = None,
    classes: tuple[str, ...] = (),
    student: Path | None = None,
) -> None:
    """Teach a small T5 labels and the reasons for them, after "Distilling step-by-step".

    Only texts are asked for when the student is used. What it gets right is measured on rows that it did not learn
    from; --controls says whether the reasons helped.
    """
    from core.cli.output import make_folder
    from core.errors import InvalidInput
    from core.options import read_settings
    from core.systems.step_by_step.settings import StepByStep

    how = StepByStep(**read_settings(StepByStep, settings))
    if student is not None and student.resolve() == out.resolve():
        raise InvalidInput(f"--out is the input folder {out}. Use another folder for the student.")
    from core.systems.step_by_step.run import teach_and_measure
    from core.systems.step_by_step.student_folder import REASONED, save_student
    from core.systems.step_by_step.wording import reasoned_lines

    make_folder(out, REASONED)
    with TerminalProgress() as progress:
        rows = _rows(texts, (column, label, rationale), released, large_model, classes, progress)
        taught, card = teach_and_measure(rows, how, start=student, progress=progress)
    for reason, n in rows.left_out:
        say(f"Note: Left out {n:,} rows {reason}.", file=sys.stderr)
    save_student(taught, card, out)
    say("\n".join(reasoned_lines(card)))
    say(f"Written: {out}")


def _rows(
    texts: Path,
    columns: tuple[str | None, str | None, str | None],
    released: tuple[str, str] | None,
    large_model: str | None,
    classes: tuple[str, ...],
    progress: TerminalProgress,
) -> RationaleSet:
    """The rows of the user's table, or of released files."""
    from core.errors import InvalidInput
    from core.systems.step_by_step.rationales import read_rationales
    from core.systems.step_by_step.released_rationales import RELEASED, read_released

    if released is not None:
        if released[0] not in RELEASED:
            raise InvalidInput(f"--released reads {', '.join(RELEASED)}: got {released[0][:40]!r}.")
        if any(columns) or classes:
            raise InvalidInput(
                "The files of --released define text, label and reason. Remove --column, --label, --rationale and "
                "--classes."
            )
        return read_released(released[0], texts, released[1], large_model)
    text, label, rationale = columns
    if text is None or label is None or rationale is None:
        raise InvalidInput("A table needs --column, --label and --rationale: the names of its columns.")
    return read_rationales(
        texts, text=text, label=label, rationale=rationale, teacher=large_model, classes=classes, progress=progress
    )


@command()
@argument("model", "FOLDER", "a student that `steps` wrote")
@option("--texts TABLE", "table of texts: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "its column of texts")
@option("--out FILE", "the table with columns prediction and reason added: .csv, .parquet or .json")
def reason(model: Path, texts: Path, column: str, out: Path) -> None:
    """What a student of `steps` answers to each text of a table, and the reason that it gives.

    The reason is written by a pass of its own: it does not say what the label was decided by.
    """
    from core.cli.output import check_suffix, write_table

    check_suffix(out)
    from core.data.tables.read import read_table
    from core.errors import InvalidInput
    from core.systems.common.student_texts import cells_of
    from core.systems.step_by_step.answers import explain, predict
    from core.systems.step_by_step.settings import SHUFFLED, STANDARD
    from core.systems.step_by_step.student_folder import read_reasoned

    student, card = read_reasoned(model)
    with TerminalProgress() as progress:
        found = read_table(texts, as_text=(column,), progress=progress)
        cells = cells_of(found, column)
        there = [i for i, text in enumerate(cells) if text]
        names = ("prediction", *(("reason",) if card.how.method not in (STANDARD, SHUFFLED) else ()))
        if not there:
            raise InvalidInput(f"{found.name} has no text in {column!r}. Name another column with --column.")
        if taken := [name for name in names if name in found.frame.columns]:
            raise InvalidInput(
                f"{found.name} has a column {taken[0]!r} already, as the answers would be called. Rename or remove it."
            )
        asked = [cells[i] for i in there]
        written = {names[0]: predict(student, asked, card.how, card.classes, progress)}
        if len(names) > 1:
            written[names[1]] = explain(student, asked, card.how, progress)
    table = found.frame.copy()
    for name, answers in written.items():
        table[name] = ""
        table.loc[there, name] = answers
    write_table(table, out)
    if empty := len(cells) - len(there):
        say(f"Note: {empty:,} empty cells of {column!r} have no answer.", file=sys.stderr)
    say(f"Written: {out}")
