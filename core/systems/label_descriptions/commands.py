"""The commands `tag`, which tests tags known by description alone, and `learn`, which trains a language model on
descriptions of labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli.command import Option, argument, command, heading, option
from core.cli.options import GROUP, ID, JSON, LABEL, POSITIVE, RUN, SEED
from core.cli.output import check_suffix, in_folder, print_result, write_result, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.systems.common.setting_options import setting_options


@command(note="Tags, and what a tag's p-value covers: docs/label_descriptions.md.")
@argument("run", "RUN", RUN)
@option(
    "--names WHAT", "names separated by commas, a .json, .tsv or .txt file of tags and descriptions, or failure-causes"
)
@option("--patterns FILE", "wordings to compare: a prompts.tsv, or lines with <mask> (default: 14 shipped)")
@option("--out FILE", "file for the tags: .json with all wordings, .csv or .parquet")
@option("--samples FILE", "file for each sample's tags and scores: .csv, .parquet or .json", to="each")
@option("--all", "list every tag (default: the twelve strongest)", to="every")
@option("--permutations N", "permutations per test (default: 5,000)", **POSITIVE)
@SEED
@JSON
def tag(
    run: Path,
    names: str,
    patterns: str = "",
    out: Path | None = None,
    each: Path | None = None,
    every: bool = False,
    permutations: int = 5000,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Test which tags failures carry more often.

    Errata tags every sample of a run by the tags' descriptions alone, without examples or labels.
    """
    for path in (out, each):
        if path is not None:
            check_suffix(path, option="--out" if path is out else "--samples")
            in_folder(path)
    from core.files import default_cache
    from core.store import load
    from core.systems.common.class_descriptions import read_patterns
    from core.systems.label_descriptions.tables import samples_table, tags_document, tags_table
    from core.systems.label_descriptions.tagging import tag_samples
    from core.systems.label_descriptions.tags import read_tags
    from core.systems.label_descriptions.wording import SHOWN_TAGS, tag_lines

    diagnosis = load(run)
    tags = read_tags(names, diagnosis.samples.modality)
    wordings = read_patterns(patterns) if patterns else ()
    with TerminalProgress() as progress:
        report = tag_samples(
            diagnosis,
            tags,
            patterns=wordings,
            n_permutations=permutations,
            seed=seed,
            cache=default_cache(),
            progress=progress,
        )
    document = tags_document(diagnosis, report)
    write_result(out, document, tags_table(report))
    if each is not None:
        write_table(samples_table(diagnosis, report), each)
    lines = tag_lines(diagnosis, report, len(report.tags) if every else SHOWN_TAGS)
    print_result(document, lines, out, each, as_json=as_json)


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.label_descriptions.learn.settings import LabelTraining

    return setting_options("settings", "The training", LabelTraining, taken)


@command(settings=_settings, note="The training and its measured gain: docs/label_descriptions.md.")
@argument("model", "MODEL", "a masked or causal language model: a folder, a .gguf file, or smollm2")
@option("--descriptions FILE", "descriptions of each class: JSON of lists, or a manual_24.tsv")
@option("--table FILE", "labeled texts to classify: CSV, TSV, JSON Lines or Parquet")
@option("--out FILE", "file for the figures, overall and by pattern: .json")
@option("--answers FILE", "file for each text's prediction and prob_*, for `diagnose`: .csv, .parquet or .json")
@option("--patterns WHAT", "topic, sentiment, trait, a prompts.tsv, or lines with <mask> (default: topic)")
@option("--words TEXT", "word of each class, by line or semicolon: negative: awful; positive: great")
@option("--order TEXT", "classes in the order of a manual_24.tsv, separated by commas")
@heading("Columns of the table")
@ID
@option("--texts COL", "column of texts; several are joined")
@LABEL
@GROUP
@JSON
def learn(
    model: Path,
    descriptions: str,
    table: Path,
    roles: Roles,
    settings: dict[str, Any],
    out: Path | None = None,
    answers: Path | None = None,
    patterns: str = "topic",
    words: str = "",
    order: str = "",
    as_json: bool = False,
) -> None:
    """Train a language model on descriptions of the labels instead of examples.

    In each of several patterns the model learns to predict a class's word after a description of that class. The
    table's labels only measure the result.
    """
    if out is not None:
        check_suffix(out, ".json")
        in_folder(out)
    if answers is not None:
        check_suffix(answers, option="--answers")
        in_folder(answers)
    from core.files import write_json
    from core.options import read_settings
    from core.systems.label_descriptions.learn.settings import LabelTraining

    how = LabelTraining(**read_settings(LabelTraining, settings))
    from core.systems.label_descriptions.learn.language_model import read_language_model
    from core.systems.label_descriptions.learn.run import train_and_measure
    from core.systems.label_descriptions.learn.tables import answers_table, learned_document
    from core.systems.label_descriptions.learn.task import read_task
    from core.systems.label_descriptions.learn.wording import learned_lines

    with TerminalProgress() as progress:
        task = read_task(table, roles, descriptions, patterns, words.replace(";", "\n"), order, progress)
        result = train_and_measure(read_language_model(model), task, how, progress=progress)
    for note in task.notes:
        say(f"Note: {note}", file=sys.stderr)
    document = learned_document(task, result, how)
    if out is not None:
        write_json(out, document)
    if answers is not None:
        write_table(answers_table(task, result), answers)
    print_result(document, learned_lines(result), out, answers, as_json=as_json)
