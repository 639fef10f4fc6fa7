"""The commands `distil`, which trains a smaller BERT on the user's, and `classify`, which runs either."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli.command import Option, argument, command, option
from core.cli.options import POSITIVE
from core.cli.terminal import TerminalProgress, say
from core.systems.common.setting_options import setting_options


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.tinybert.settings import Distillation

    return setting_options("settings", "Student and training", Distillation, taken)


@command(settings=_settings, note="What each loss is, and its measured benefit: docs/distillation.md.")
@argument("teacher", "[FOLDER]", 'a BertModel or BertForSequenceClassification, or "embedded"')
@option("--texts TABLE", "table of training texts: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "column of texts")
@option("--out FOLDER", "folder for the student, in transformers' layout")
@option("--start FOLDER", "earlier student to continue training (default: a new student)")
@option("--masked-lm FOLDER", "a BertForMaskedLM that proposes words for the copies of --augment")
def distil(
    texts: Path,
    column: str,
    out: Path,
    settings: dict[str, Any],
    teacher: Path | None = None,
    start: Path | None = None,
    masked_lm: Path | None = None,
) -> None:
    """Distill a BERT into a smaller one, after TinyBERT.

    Errata reads the larger model from a folder and downloads nothing. It measures the student's loss of quality on
    held-out texts.
    """
    from core.cli.output import make_folder
    from core.options import read_settings
    from core.systems.tinybert.settings import Distillation

    how = Distillation(**read_settings(Distillation, settings))
    from core.systems.common.student_texts import read_texts
    from core.systems.tinybert.distil import distil as teach
    from core.systems.tinybert.student_folder import STUDENT, save_student
    from core.systems.tinybert.teacher import check_apart, read_bert
    from core.systems.tinybert.wording import student_lines

    teacher_model = read_bert(teacher)
    check_apart(out, teacher_model, start)
    make_folder(out, STUDENT)
    with TerminalProgress() as progress:
        text_column = read_texts(texts, column, progress)
        taught, card = teach(teacher_model, text_column, how, start=start, masked_lm=masked_lm, progress=progress)
    if text_column.n_empty or text_column.n_repeated:
        cells = f"{text_column.n_empty:,} empty and {text_column.n_repeated:,} repeated cells"
        say(f"Note: Left out {cells} of {column!r}.", file=sys.stderr)
    save_student(taught, teacher_model, card, out)
    say("\n".join(student_lines(card)))
    say(f"Written: {out}")


@command()
@argument("model", "[FOLDER]", "a BertForSequenceClassification: a teacher, or a student of `distil`")
@option("--texts TABLE", "table of texts: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "column of texts")
@option("--out FILE", "file for the table with columns prediction and prob_*: .csv, .parquet or .json")
@option("--max-tokens", "longest text in tokens; longer ones are cut (default: 128)", **POSITIVE)
def classify(texts: Path, column: str, out: Path, model: Path | None = None, max_tokens: int = 128) -> None:
    """Classify each text of a table with a BERT.

    Diagnose one model's answers, then compare another model's: `compare RUN --second FILE`.
    """
    from core.cli.output import check_suffix, write_table

    check_suffix(out)
    from core.systems.tinybert.classify import classify as answer
    from core.systems.tinybert.teacher import read_bert

    classifier = read_bert(model, ("classes",))
    with TerminalProgress() as progress:
        table, n_empty = answer(classifier, texts, column, max_tokens=max_tokens, progress=progress)
    write_table(table, out)
    if n_empty:
        say(f"Note: Left {n_empty:,} empty cells of {column!r} without a prediction.", file=sys.stderr)
    say(f"Written: {out}")
