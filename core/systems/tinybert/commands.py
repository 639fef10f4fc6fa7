"""The commands `distil`, a smaller BERT taught by one of the user's, and `classify`, the answers of either."""

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

    return setting_options("settings", "The student, and how it is taught", Distillation, taken)


@command(settings=_settings, note="What each loss is and what it brought: docs/distillation.md.")
@argument("teacher", "[FOLDER]", 'a BertModel or BertForSequenceClassification, or "embedded"')
@option("--texts TABLE", "table of texts to learn from: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "its column of texts")
@option("--out FOLDER", "folder for the student, as transformers lays it out")
@option("--start FOLDER", "a student of an earlier `distil` that goes on learning, in place of a new one")
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
    """Teach a smaller BERT what a larger one knows, after TinyBERT.

    Needs the larger model in a folder, and texts; fetches nothing. Measures the student's loss of quality on held-out
    texts.
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

    given = read_bert(teacher)
    check_apart(out, given, start)
    make_folder(out, STUDENT)
    with TerminalProgress() as progress:
        found = read_texts(texts, column, progress)
        taught, card = teach(given, found, how, start=start, masked_lm=masked_lm, progress=progress)
    if found.n_empty or found.n_repeated:
        say(
            f"Note: Left out {found.n_empty:,} empty and {found.n_repeated:,} repeated cells of {column!r}.",
            file=sys.stderr,
        )
    save_student(taught, given, card, out)
    say("\n".join(student_lines(card)))
    say(f"Written: {out}")


@command()
@argument("model", "[FOLDER]", "a BertForSequenceClassification: a teacher, or a student of `distil`")
@option("--texts TABLE", "table of texts: .csv, .tsv, .jsonl, .json or .parquet")
@option("--column NAME", "its column of texts")
@option("--out FILE", "the table with columns prediction and prob_* added: .csv, .parquet or .json")
@option("--max-tokens", "longer texts are cut there (default 128)", **POSITIVE)
def classify(texts: Path, column: str, out: Path, model: Path | None = None, max_tokens: int = 128) -> None:
    """Classify each text of a table with a BERT.

    Diagnose the answers of one model, then compare another's: `compare RUN --second FILE`.
    """
    from core.cli.output import check_suffix, write_table

    check_suffix(out)
    from core.systems.tinybert.classify import classify as answer
    from core.systems.tinybert.teacher import read_bert

    given = read_bert(model, ("classes",))
    with TerminalProgress() as progress:
        table, n_empty = answer(given, texts, column, max_tokens=max_tokens, progress=progress)
    write_table(table, out)
    if n_empty:
        say(f"Note: {n_empty:,} empty cells of {column!r} have no answer.", file=sys.stderr)
    say(f"Written: {out}")
