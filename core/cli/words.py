"""The commands `ask`, `audit`, `predict` and `phrases`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click

from core import extensions
from core.cli.command import argument, command, option
from core.cli.options import JSON, LOSS, POSITIVE, RUN, samples, system_options
from core.cli.output import TABLES, check_suffix, in_folder, print_json, tell_run, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.program import OURS

if TYPE_CHECKING:
    from core.checks.freeze import Frozen
    from core.checks.questions import Answer, Difference
    from core.language.vocabulary import Vocabulary
    from core.records import I64, Diagnosis

SHOWN_MATCHES = 5
"""Matching images that an answer lists by default."""
SHOWN_CHARACTERS = 100
"""Length at which a matching text is cut."""


@command(settings=system_options("ask", "more"))
@argument("run", "RUN", RUN)
@argument("texts", "TEXT...", 'text such as "a dog in snow"; the first is compared with each further one')
@JSON
@option("--images", "list every match (default: the first five images)", to="every")
@option("--top N", "number of best matches to test (default: the number expected to show the text)", **POSITIVE)
def ask(
    run: Path,
    texts: tuple[str, ...],
    more: dict[str, Any],
    as_json: bool = False,
    every: bool = False,
    top: int | None = None,
) -> None:
    """Test whether errors rise on samples that match a text.

    Prints an answer to each text with its best matches, then compares the first text with each further one.
    """
    from core.checks import answers as checks, questions
    from core.files import default_cache
    from core.records.codec import to_json
    from core.reports.tables.answers import answer_document, difference_document
    from core.reports.wording import answers as sentences
    from core.reports.wording.predictions import tried_sentence
    from core.store import load

    options = extensions.options("ask")
    changes = [option for option in options if option.key in more]
    for change in changes:
        _of_system(change.flag, change.check, more[change.key], fit=lambda _: None)
    diagnosis = load(run)
    texts = tuple({" ".join(text.split()): text for text in reversed(texts)}.values())[::-1]
    answers = questions.ask(diagnosis, texts, top=top, cache=default_cache())
    changed: dict[str, Any] = {option.json_key: None for option in options}
    for change in changes:
        with TerminalProgress() as progress:
            arguments = (diagnosis, answers, more[change.key], progress)
            result = _of_system(change.flag, change.change, *arguments, fit=_changed)
        answers, changed[change.json_key] = result
    first, *further = answers
    differences: list[Difference] = []
    for second in further:
        if first.shown and second.shown:
            differences.append(checks.difference(diagnosis, first, second))
    if as_json:
        listed = list[dict[str, Any]]()
        for answer in answers:
            matches = _matches(diagnosis, answer, every)
            ids = [diagnosis.samples.ids[int(rows[0])] for rows in matches]
            of_picture = [*map(len, matches)]
            listed.append(answer_document(diagnosis, answer) | {"matches": ids, "of_picture": of_picture})
        compared = [difference_document(diagnosis, difference) for difference in differences]
        document = to_json({"questions": listed, "differences": compared})
        print_json(document | {key: value for key, value in changed.items() if key not in document})
        return
    for n, answer in enumerate(answers):
        if n:
            say()
        say(sentences.answer_parts(diagnosis, answer))
        if answer.shown:
            say(f"  {_names(diagnosis, answer, every)}")
    for document in filter(None, changed.values()):
        say(f"\n{document['sentence']}")
    if differences:
        say()
    for difference in differences:
        say(sentences.difference_sentence(diagnosis, difference))
    prediction = tried_sentence(diagnosis.prediction)
    if prediction:
        say(f"\n{prediction}")


def _names(diagnosis: Diagnosis, answer: Answer, every: bool) -> str:
    samples = diagnosis.samples
    matches = _matches(diagnosis, answer, every)
    left = answer.support - sum(map(len, matches))
    more = f", and {left:,} more" if left else ""
    head = "Counted" if answer.counted else "Best matches"
    if samples.items is None or samples.modality != "text":
        names: list[str] = []
        for rows in matches:
            name = samples.ids[rows[0]]
            if len(rows) > 1:
                name = f"{name} (and {len(rows) - 1:,} more of this image)"
            names.append(name)
        return f"{head}: {', '.join(names)}{more}"
    lines = [f"{head}{more}:"]
    for rows in matches:
        row = int(rows[0])
        text = samples.items.read(row).decode(errors="replace")
        lines.append(f"    {samples.ids[row]}: {shorten(text, SHOWN_CHARACTERS, placeholder=' ...')}")
    return "\n".join(lines)


def _matches(diagnosis: Diagnosis, answer: Answer, every: bool) -> list[I64]:
    """Select the rows of each listed image, best image first; with `every`, each row by itself."""
    from core.checks.answers import by_picture

    if every:
        return [answer.rows[i : i + 1] for i in range(len(answer.rows))]
    return by_picture(diagnosis.samples, answer.rows)[:SHOWN_MATCHES]


def _changed(result: Any) -> tuple[list[Answer], dict[str, Any]]:
    """Check the shape of what an option's `change` returned."""
    answers, document = result
    return list(answers), {**document, "sentence": str(document["sentence"])}


def _of_system(flag: str, name: str, *arguments: Any, fit: Callable[[Any], Any]) -> Any:
    """Call a function of a system's option, and `fit` with its result.

    Raises:
        InvalidInput: the function belongs to another package and fails.
    """
    try:
        return fit(extensions.load(name)(*arguments))
    except DiagnosisError:
        raise
    except Exception as error:
        if name.partition(".")[0] in OURS:
            raise
        option_name = flag.partition(" ")[0]
        why = extensions.why(error)
        raise InvalidInput(f"{option_name} cannot be used ({why}). Remove it, or fix its package.") from error


@command()
@argument("run", "RUN", RUN)
@option("--phrases PHRASE", "phrases of the vocabulary (default: the strongest)")
@option("--most N", "number of phrases, without --phrases (default: 40)", **POSITIVE)
@option("--out FILE", "file to write: .csv, .parquet, .json, or .html for a heat map")
def audit(run: Path, phrases: tuple[str, ...] = (), most: int = 40, out: Path | None = None) -> None:
    """Tabulate the loss by phrase and class.

    `*` marks cells where the words alone predict more loss than any cell with shuffled losses.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
    from core.checks.audit_table import audit_table
    from core.reports.html.heatmap import text_table
    from core.reports.tables.diagnosis import audit_frame
    from core.store import load

    diagnosis = load(run)
    cells = audit_table(diagnosis, phrases, most=most)
    say(text_table(diagnosis, cells, shutil.get_terminal_size((120, 24)).columns))
    every = 0 if diagnosis.words is None else len(diagnosis.words.phrases)
    if not phrases and most < every:
        say(
            f"These {most:,} of {every:,} phrases stand out or have the largest excess loss. "
            "That choice makes them look stronger than they are."
        )
    if out is None:
        return
    if out.suffix.lower() == ".html":
        from core.reports.html.diagnosis import write_audit

        in_folder(out)
        write_audit(diagnosis, cells, out)
    else:
        whole = cells if phrases else audit_table(diagnosis, most=every)  # a file holds all phrases
        write_table(audit_frame(whole), out)
    say(f"Written: {out}")


@command()
@argument("run", "RUN", f"{RUN}; it stores the result")
@option("--out FILE", "file for the table: .csv, .parquet or .json")
@samples("--fresh FILE")
@LOSS
def predict(
    run: Path,
    table: Path,
    roles: Roles,
    images: Path | None = None,
    embeddings: Path | None = None,
    out: Path | None = None,
) -> None:
    """Check the findings on new data.

    Freezes the findings, tests them on new samples, and adds the result to the run.
    """
    if out is not None:
        check_suffix(out)
        in_folder(out)  # before the work, not after it
    from core.checks.freeze import freeze
    from core.checks.fresh import predict_fresh
    from core.files import default_cache
    from core.reports.tables.diagnosis import prediction_table
    from core.reports.terminal import prediction_lines
    from core.store import load, update

    diagnosis = load(run)
    say(_frozen(diagnosis, freeze(diagnosis)))  # before the new samples are opened
    with TerminalProgress() as progress:
        prediction = predict_fresh(
            diagnosis,
            table,
            images=images,
            embeddings=embeddings,
            roles=roles,
            cache=default_cache(),
            progress=progress,
        ).prediction
        updated = update(diagnosis, run, lambda now: replace(now, prediction=prediction), progress)
    if out is not None:
        write_table(prediction_table(updated), out)
    say("\n".join(prediction_lines(updated)))
    tell_run(run)


def _frozen(diagnosis: Diagnosis, frozen: Frozen) -> str:
    from core.numbers import count
    from core.reports.wording.sensitivity import sensitivity_sentence

    if frozen.findings:
        return f"Frozen: {count(len(frozen.findings), 'finding')}, SHA-256 {frozen.digest}"
    text = f"The run confirmed no group, condition or phrase, so there is nothing to check. SHA-256 {frozen.digest}"
    return f"{text}\n{sensitivity_sentence(diagnosis)}".rstrip()


@command()
@option("--out FILE", "file to write: .json, or .txt with one phrase per line (default: standard output)")
@option(
    "--modality KIND",
    "kind of samples that the phrases describe (default: image)",
    type=click.Choice(("image", "text", "clip")),
)
def phrases(out: Path | None = None, modality: str = "image") -> None:
    """Write the shipped phrases to edit; use them with --vocabulary."""
    from core.files import write_text
    from core.language.vocabulary import read_vocabulary, write_vocabulary

    vocabulary = read_vocabulary(None, modality)
    if out is None:
        sys.stdout.write(_lines(vocabulary))
        return
    check_suffix(out, ".json", ".txt")
    in_folder(out)
    if out.suffix.lower() == ".json":
        write_vocabulary(vocabulary, out)
    else:
        write_text(out, _lines(vocabulary))
    say(f"{len(vocabulary):,} phrases written to {out}. Edit them, then use them with `diagnose --vocabulary {out}`.")


def _lines(vocabulary: Vocabulary) -> str:
    return "".join(f"{phrase.family}: {phrase.text}\n" for phrase in vocabulary.phrases)
