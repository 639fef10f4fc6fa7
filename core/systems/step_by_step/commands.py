"""The commands `steps`, which trains a small T5 on labels and reasons, and `reason`, which applies it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli.command import Option, argument, command, option
from core.cli.terminal import TerminalProgress, say
from core.systems.common.setting_options import setting_options


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.step_by_step.settings import StepByStep

    return setting_options("settings", "The student and its training", StepByStep, taken)


@command(settings=_settings, note="The method and its measured gain: docs/step_by_step.md.")
@option("--texts TABLE", "table of texts with labels and reasons: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "column of texts")
@option("--label NAME", "column of labels")
@option("--rationale NAME", "column of reasons, written by people or a large model")
@option("--released NAME PART", "esnli, cqa, svamp or anli1, and a part; --texts is then the folder of released files")
@option("--out FOLDER", "folder for the student, in the layout of transformers")
@option(
    "--large-model NAME",
    "column of a large model's labels to train on, with --released palm or gpt; --label then only measures",
)
@option("--classes NAME", "all labels (default: those that occur)")
@option("--student FOLDER", "folder of a T5ForConditionalGeneration to start from (default: a new small one)")
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
    """Train a small T5 on labels and the reasons for them, after "Distilling step-by-step".

    The trained student needs only texts. Errata measures it on held-out rows; --controls tests whether the reasons
    helped.
    """
    from core.cli.output import make_folder
    from core.errors import InvalidInput
    from core.numbers import count
    from core.options import read_settings
    from core.systems.step_by_step.settings import StepByStep

    how = StepByStep(**read_settings(StepByStep, settings))
    if student is not None and student.resolve() == out.resolve():
        raise InvalidInput(f"--out is the input folder {out}. Use another folder for the student.")
    from core.systems.step_by_step.rationales import read_rationales
    from core.systems.step_by_step.released import RELEASED, read_released
    from core.systems.step_by_step.run import teach_and_measure
    from core.systems.step_by_step.student_folder import REASONED, save_student
    from core.systems.step_by_step.wording import reasoned_lines

    make_folder(out, REASONED)
    with TerminalProgress() as progress:
        if released is not None:
            if released[0] not in RELEASED:
                raise InvalidInput(f"--released reads {', '.join(RELEASED)}: got {released[0][:40]!r}.")
            if column or label or rationale or classes:
                raise InvalidInput(
                    "--released defines text, label and reason. Remove --column, --label, --rationale and --classes."
                )
            rows = read_released(released[0], texts, released[1], large_model)
        else:
            if column is None or label is None or rationale is None:
                raise InvalidInput("A table needs --column, --label and --rationale. Add the missing ones.")
            rows = read_rationales(
                texts,
                text=column,
                label=label,
                rationale=rationale,
                teacher=large_model,
                classes=classes,
                progress=progress,
            )
        trained, card = teach_and_measure(rows, how, start=student, progress=progress)
    for reason, n in rows.left_out:
        say(f"Note: Skipped {count(n, 'row')} {reason}.", file=sys.stderr)
    save_student(trained, card, out)
    say("\n".join(reasoned_lines(card)))
    say(f"Written: {out}")


@command()
@argument("model", "FOLDER", "folder of a student from `steps`")
@option("--texts TABLE", "table of texts: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "column of texts")
@option("--out FILE", "file for the table with columns prediction and reason: .csv, .parquet or .json")
def reason(model: Path, texts: Path, column: str, out: Path) -> None:
    """Predict a label and write a reason for each text of a table.

    The reason comes from a separate pass, so it does not explain how the label was decided.
    """
    from core.cli.output import check_suffix, write_table

    check_suffix(out)
    from core.data.tables.read import read_table
    from core.errors import InvalidInput
    from core.numbers import count
    from core.systems.common.student_texts import cells_of
    from core.systems.step_by_step.answers import explain, predict
    from core.systems.step_by_step.settings import SHUFFLED, STANDARD
    from core.systems.step_by_step.student_folder import read_reasoned

    student, card = read_reasoned(model)
    with TerminalProgress() as progress:
        table = read_table(texts, as_text=(column,), progress=progress)
        cells = cells_of(table, column)
        rows = [i for i, text in enumerate(cells) if text]
        if not rows:
            raise InvalidInput(f"{table.name} has no text in {column!r}. Name another column with --column.")
        names = ["prediction"]
        if card.how.method not in (STANDARD, SHUFFLED):  # these never learned the table's reasons
            names.append("reason")
        for name in names:
            if name in table.frame.columns:
                raise InvalidInput(f"{table.name} already has a column {name!r}. Rename or remove it.")
        inputs = [cells[i] for i in rows]
        answers = {"prediction": predict(student, inputs, card.how, card.classes, progress)}
        if "reason" in names:
            answers["reason"] = explain(student, inputs, card.how, progress)
    frame = table.frame.copy()
    for name, column_answers in answers.items():
        frame[name] = ""
        frame.loc[rows, name] = column_answers
    write_table(frame, out)
    n_empty = len(cells) - len(rows)
    if n_empty:
        say(f"Note: Skipped {count(n_empty, 'empty cell')} of {column!r}.", file=sys.stderr)
    say(f"Written: {out}")
