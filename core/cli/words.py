"""The commands that speak words: free questions, the audit table, the prediction of fresh samples, the phrases
themselves."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from core.cli.diagnose import roles_of
from core.cli.output import check_suffix, in_folder, write_table
from core.cli.terminal import TerminalProgress
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.checks.freeze import Frozen
    from core.checks.questions import Answer, Difference
    from core.language.vocabulary import Vocabulary
    from core.records import Diagnosis

NAMED = 5


"""Matching images that an answer names, unless all are asked for."""


def ask(options: Namespace) -> None:
    """A sentence for each question, its best matching images, and how the first compares with each further one."""
    from core.checks import questions
    from core.embeddings.cache import default_cache
    from core.reports.wording import findings as sentences
    from core.store import load

    diagnosis = load(options.run)
    answers = questions.ask(diagnosis, options.texts, cache=default_cache())
    differences = [questions.difference(diagnosis, answers[0], other) for other in answers[1:]]
    if options.json:
        print(
            json.dumps(
                _document(diagnosis, answers, differences, options.images),
                indent=1,
                ensure_ascii=False,
                allow_nan=False,
            )
        )
        return
    for answer in answers:
        print(sentences.answer_sentence(diagnosis, answer))
        print(f"  {_names(diagnosis, answer, options.images)}")
    for found in differences:
        print(sentences.difference_sentence(diagnosis, found))


def _names(diagnosis: Diagnosis, answer: Answer, every: bool) -> str:
    shown = answer.rows if every else answer.rows[:NAMED]
    left = answer.support - len(shown)
    return f"Best matches: {', '.join(diagnosis.samples.ids[int(row)] for row in shown)}" + (
        f", and {left:,} more" if left else ""
    )


def _document(
    diagnosis: Diagnosis, answers: list[Answer], differences: list[Difference], every: bool
) -> dict[str, Any]:
    from core.records.codec import to_json
    from core.reports.wording.findings import answer_sentence, difference_sentence

    questions = [
        {
            "text": a.text,
            "scope": a.scope,
            "support": a.support,
            "observed": a.observed.to_dict(),
            "rest": a.rest,
            "error_rate": None if a.error_rate is None else a.error_rate.to_dict(),
            "error_rest": a.error_rest,
            "read": None if a.read is None else a.read.to_dict(),
            "p": a.p,
            "confirmed": a.confirmed,
            "inside": a.inside,
            "stands_apart": a.stands_apart,
            "extrapolation": a.extrapolation,
            "matches": [diagnosis.samples.ids[int(row)] for row in (a.rows if every else a.rows[:NAMED])],
            "sentence": answer_sentence(diagnosis, a),
        }
        for a in answers
    ]
    compared = [
        {
            "first": d.first,
            "second": d.second,
            "observed": d.observed.to_dict(),
            "shared": d.shared,
            "sentence": difference_sentence(diagnosis, d),
        }
        for d in differences
    ]
    return to_json({"questions": questions, "differences": compared})


def audit(options: Namespace) -> None:
    """The loss by phrase and class: as text, and into a file if one is named."""
    if options.out is not None and options.out.suffix.lower() not in (".csv", ".parquet", ".json", ".html"):
        raise InvalidInput(f"--out must end in .csv, .parquet, .json or .html (a heat map): got {options.out.name!r}.")
    from core.checks.audit_table import audit_table
    from core.reports.html.heatmap import text_table
    from core.reports.tables.diagnosis import audit_frame
    from core.store import load

    diagnosis = load(options.run)
    cells = audit_table(diagnosis, options.phrases, most=options.most)
    print(text_table(diagnosis, cells, shutil.get_terminal_size((120, 24)).columns))
    every = 0 if diagnosis.words is None else len(diagnosis.words.phrases)
    if not options.phrases and options.most < every:
        print(
            f"Shown: the {options.most:,} of {every:,} phrases with the largest excess anywhere. "
            "Picked for it, they look stronger than they are."
        )
    if options.out is None:
        return
    kind = options.out.suffix.lower()
    if kind != ".html" and not options.phrases:
        cells = audit_table(diagnosis, most=every)  # a file holds them all
    if kind == ".html":
        from core.reports.html.diagnosis import write_audit

        in_folder(options.out)
        write_audit(diagnosis, cells, options.out)
    else:
        write_table(audit_frame(cells), options.out, kind.removeprefix("."))
    print(f"Written: {options.out}")


def predict(options: Namespace) -> None:
    """Freeze what was found, open the fresh samples, and add to the run what they show."""
    if options.out is not None:
        check_suffix(options.out)
        in_folder(options.out)  # before the work, not after it
    from core.checks.freeze import freeze
    from core.checks.fresh import predict_fresh
    from core.embeddings.cache import default_cache
    from core.files import write_json
    from core.reports.html.diagnosis import write_report
    from core.reports.tables.diagnosis import prediction_document, prediction_table
    from core.reports.wording.summary import prediction_lines
    from core.store import load, save

    diagnosis = load(options.run)
    print(_frozen(freeze(diagnosis)))  # before the fresh samples are opened
    progress = TerminalProgress()
    try:
        found = predict_fresh(
            diagnosis,
            options.table,
            images=options.images,
            embeddings=options.embeddings,
            roles=roles_of(options),
            cache=default_cache(),
            progress=progress,
        )
        save(found, options.run, progress)
        document = prediction_document(found)
        write_json(options.run / "prediction.json", document)
        write_report(found, options.run / "report.html", progress)
    finally:
        progress.close()
    if options.out is not None:
        write_table(prediction_table(found), options.out, options.out.suffix.lower().removeprefix("."))
    print("\n".join(prediction_lines(found)))
    for note in () if found.prediction is None else found.prediction.notes:
        print(f"Note: {note}", file=sys.stderr)
    print(f"Report: {options.run / 'report.html'}")


def _frozen(frozen: Frozen) -> str:
    from core.numbers import count

    if not frozen.findings:
        return f"Nothing was confirmed, so nothing is predicted. SHA-256 {frozen.digest}"
    return f"Frozen: {count(len(frozen.findings), 'finding')}, SHA-256 {frozen.digest}"


def phrases(options: Namespace) -> None:
    """The shipped vocabulary, to edit and bring back."""
    from core.files import write_text
    from core.language.vocabulary import read_vocabulary, write_vocabulary

    vocabulary = read_vocabulary()
    if options.out is None:
        sys.stdout.write(_lines(vocabulary))
        return
    kind = options.out.suffix.lower()
    if kind not in (".json", ".txt"):
        raise InvalidInput(f"--out must end in .json or .txt: got {options.out.name!r}.")
    in_folder(options.out)
    try:
        if kind == ".json":
            write_vocabulary(vocabulary, options.out)
        else:
            write_text(options.out, _lines(vocabulary))
    except OSError as error:
        raise InvalidInput(
            f"{options.out} cannot be written: {error.strerror or error}. Choose another --out."
        ) from error
    print(
        f"{len(vocabulary):,} phrases written to {options.out}. "
        f"Edit them and bring them back with `diagnose --vocabulary {options.out}`."
    )


def _lines(vocabulary: Vocabulary) -> str:
    return "".join(f"{phrase.family}: {phrase.text}\n" for phrase in vocabulary.phrases)
