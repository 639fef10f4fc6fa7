"""The commands that speak words: free questions, the audit table, the prediction of fresh samples, the phrases
themselves."""

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

NAMED = 5
"""Matching samples that an answer names, unless all are asked for."""
READ = 100
"""Characters of a matching text that are printed."""


@command(settings=system_options("ask", "more"))
@argument("run", "RUN", RUN)
@argument("texts", "TEXT...", 'such as "a dog in snow"; the first is compared with each further one')
@JSON
@option("--images", "name every match, not just the first five images", to="every")
@option("--top N", "samples to show (default: as many as are expected to show the text)", **POSITIVE)
def ask(
    run: Path,
    texts: tuple[str, ...],
    more: dict[str, Any],
    as_json: bool = False,
    every: bool = False,
    top: int | None = None,
) -> None:
    """Test whether errors rise on samples that match a text.

    A few short paragraphs for each question, its best matching images, and how the first compares with each further
    one.
    """
    from core.checks import answers as told, questions
    from core.files import default_cache
    from core.reports.wording import answers as sentences
    from core.reports.wording.predictions import tried_sentence
    from core.store import load

    changes = [option for option in extensions.options("ask") if option.key in more]
    for change in changes:
        _of_system(change.flag, change.check, more[change.key], fit=lambda _: None)
    diagnosis = load(run)
    texts = tuple({" ".join(text.split()): text for text in reversed(texts)}.values())[::-1]
    answers = questions.ask(diagnosis, texts, top=top, cache=default_cache())
    changed: dict[str, Any] = {option.json_key: None for option in extensions.options("ask")}
    for change in changes:
        with TerminalProgress() as progress:
            made = _of_system(change.flag, change.change, diagnosis, answers, more[change.key], progress, fit=_changed)
        answers, changed[change.json_key] = made
    both = [other for other in answers[1:] if answers[0].shown and other.shown]
    differences = [told.difference(diagnosis, answers[0], other) for other in both]
    if as_json:
        document = _document(diagnosis, answers, differences, every)
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
    for found in differences:
        say(sentences.difference_sentence(diagnosis, found))
    if tried := tried_sentence(diagnosis.prediction):
        say(f"\n{tried}")


def _names(diagnosis: Diagnosis, answer: Answer, every: bool) -> str:
    samples = diagnosis.samples
    own = _matches(diagnosis, answer, every)
    shown = [int(rows[0]) for rows in own]
    left = answer.support - sum(map(len, own))
    more = f", and {left:,} more" if left else ""
    head = "Counted" if answer.counted else "Best matches"
    if samples.items is None or samples.modality != "text":
        return f"{head}: {', '.join(_named(samples.ids[rows[0]], len(rows)) for rows in own)}{more}"
    read = (samples.items.read(row).decode(errors="replace") for row in shown)
    said = [f"    {samples.ids[row]}: {shorten(text, READ, placeholder=' ...')}" for row, text in zip(shown, read)]
    return "\n".join((f"{head}{more}:", *said))


def _matches(diagnosis: Diagnosis, answer: Answer, every: bool) -> list[I64]:
    """The rows of each image that is named, best image first; with `every`, each row by itself."""
    from core.checks.answers import by_picture

    if every:
        return [answer.rows[i : i + 1] for i in range(len(answer.rows))]
    return by_picture(diagnosis.samples, answer.rows)[:NAMED]


def _named(name: str, n: int) -> str:
    """The best of n matches that show one image."""
    return name if n == 1 else f"{name} (and {n - 1:,} more of this image)"


def _changed(made: Any) -> tuple[list[Answer], dict[str, Any]]:
    """What an option's `change` gave, which must be of that shape."""
    answers, document = made
    return list(answers), {**document, "sentence": str(document["sentence"])}


def _of_system(flag: str, name: str, *given: Any, fit: Callable[[Any], Any]) -> Any:
    """What `fit` makes of what a function of a system's option gives.

    Raises:
        InvalidInput: it is of another package, and fails.
    """
    try:
        return fit(extensions.load(name)(*given))
    except DiagnosisError:
        raise
    except Exception as error:
        if name.partition(".")[0] in OURS:
            raise
        called = flag.partition(" ")[0]
        why = extensions.why(error)
        raise InvalidInput(f"{called} cannot be used ({why}). Leave it out, or mend its package.") from error


def _document(
    diagnosis: Diagnosis, answers: list[Answer], differences: list[Difference], every: bool
) -> dict[str, Any]:
    from core.records.codec import to_json
    from core.reports.tables.answers import answer_document, difference_document

    def shown(answer: Answer) -> dict[str, Any]:
        own = _matches(diagnosis, answer, every)
        return {"matches": [diagnosis.samples.ids[int(rows[0])] for rows in own], "of_picture": [*map(len, own)]}

    questions = [answer_document(diagnosis, answer) | shown(answer) for answer in answers]
    return to_json({"questions": questions, "differences": [difference_document(diagnosis, d) for d in differences]})


@command()
@argument("run", "RUN", RUN)
@option("--phrases PHRASE", "of the vocabulary (default: those that stand out or have the largest excess)")
@option("--most N", "phrases, if none is named (default 40)", **POSITIVE)
@option("--out FILE", "file to write: .csv, .parquet, .json, or .html for a heat map")
def audit(run: Path, phrases: tuple[str, ...] = (), most: int = 40, out: Path | None = None) -> None:
    """The loss by phrase and class, and where the words alone stand out.

    A table, or a heat map: `*` marks what the ensemble reads in the words beyond what shuffled losses give anywhere.
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
            f"Shown: the {most:,} of {every:,} phrases that stand out or have the largest excess anywhere. "
            "Picked for it, they look stronger than they are."
        )
    if out is None:
        return
    if out.suffix.lower() == ".html":
        from core.reports.html.diagnosis import write_audit

        in_folder(out)
        write_audit(diagnosis, cells, out)
    else:
        whole = cells if phrases else audit_table(diagnosis, most=every)  # a file holds them all
        write_table(audit_frame(whole), out)
    say(f"Written: {out}")


@command()
@argument("run", "RUN", f"{RUN}; the prediction is added to it")
@option("--out FILE", "also write the table: .csv, .parquet or .json")
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
    """Freeze what was found and try it on fresh samples.

    What they show is added to the run.
    """
    if out is not None:
        check_suffix(out)
        in_folder(out)  # before the work, not after it
    from core.checks.freeze import freeze
    from core.checks.fresh import predict_fresh
    from core.files import default_cache
    from core.reports.tables.diagnosis import prediction_table
    from core.reports.wording.summary import prediction_lines
    from core.store import load, update

    diagnosis = load(run)
    say(_frozen(diagnosis, freeze(diagnosis)))  # before the fresh samples are opened
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
        found = update(diagnosis, run, lambda now: replace(now, prediction=prediction), progress)
    if out is not None:
        write_table(prediction_table(found), out)
    say("\n".join(prediction_lines(found)))
    tell_run(run)


def _frozen(diagnosis: Diagnosis, frozen: Frozen) -> str:
    from core.numbers import count
    from core.reports.wording.sensitivity import sensitivity_sentence

    if not frozen.findings:
        said = f"No cluster, condition or phrase was confirmed, so nothing is predicted. SHA-256 {frozen.digest}"
        return f"{said}\n{sensitivity_sentence(diagnosis)}".rstrip()
    return f"Frozen: {count(len(frozen.findings), 'finding')}, SHA-256 {frozen.digest}"


@command()
@option("--out FILE", "file to write: .json, or .txt for one phrase a line (default: lines, to standard output)")
@option(
    "--modality KIND",
    "of the samples that the phrases speak of (default image)",
    type=click.Choice(("image", "text", "clip")),
)
def phrases(out: Path | None = None, modality: str = "image") -> None:
    """Write the shipped phrases, to edit and bring back with --vocabulary."""
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
    say(
        f"{len(vocabulary):,} phrases written to {out}. "
        f"Edit them and bring them back with `diagnose --vocabulary {out}`."
    )


def _lines(vocabulary: Vocabulary) -> str:
    return "".join(f"{phrase.family}: {phrase.text}\n" for phrase in vocabulary.phrases)
