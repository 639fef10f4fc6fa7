"""The commands that know something by its description alone: `tag`, what samples carry, and `learn`, a language model
that is taught what labels mean."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Option, argument, command, heading, option
from core.cli.options import GROUP, ID, JSON, LABEL, POSITIVE, RUN, SEED
from core.cli.output import check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.systems.common.setting_options import setting_options

if TYPE_CHECKING:
    from core.records import Diagnosis
    from core.systems.label_descriptions.tagging import TagReport


@command(note="What a tag is, and what its p covers: docs/label_descriptions.md.")
@argument("run", "RUN", RUN)
@option(
    "--names WHAT",
    "names with commas between, a .json, .tsv or .txt file of tags with what is said of each, or failure-causes",
)
@option("--patterns FILE", "wordings beside the descriptions: a prompts.tsv, or lines that hold <mask> (default: 14)")
@option("--out FILE", "write the tags there: .json with all wordings, .csv or .parquet")
@option("--samples FILE", "write each sample with its tags and scores there: .csv, .parquet or .json", to="each")
@option("--all", "list every tag, not just the twelve strongest", to="every")
@option("--permutations N", "shuffles behind each p (default 5000)", **POSITIVE)
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
    """Which tags do the failures carry, by their description alone?

    Every sample of a finished run is tagged, texts and images alike; no example and no label of a tag is needed.
    """
    for path in (out, each):
        if path is not None:
            check_suffix(path, option="--out" if path is out else "--samples")
            in_folder(path)
    from core.store import load
    from core.systems.label_descriptions.tables import tags_document
    from core.systems.label_descriptions.wording import SHOWN, tag_lines

    diagnosis = load(run)
    found = _tagged(diagnosis, names, patterns, permutations, seed)
    _write_tags(diagnosis, found, out, each)
    if as_json:
        print_json(tags_document(diagnosis, found))
        return
    say("\n".join(tag_lines(diagnosis, found, len(found.tags) if every else SHOWN)))
    for path in (out, each):
        if path is not None:
            say(f"Written: {path}")


def _tagged(diagnosis: Diagnosis, names: str, patterns: str, permutations: int, seed: int) -> TagReport:
    """The list of tags tested on the run."""
    from core.files import default_cache
    from core.systems.common.class_descriptions import read_patterns
    from core.systems.label_descriptions.tagging import tag_samples
    from core.systems.label_descriptions.tags import read_tags

    tags = read_tags(names, diagnosis.samples.modality)
    wordings = read_patterns(patterns) if patterns else ()
    how: dict[str, Any] = {"patterns": wordings, "n_permutations": permutations, "seed": seed, "cache": default_cache()}
    with TerminalProgress() as progress:
        return tag_samples(diagnosis, tags, **how, progress=progress)


def _write_tags(diagnosis: Diagnosis, found: TagReport, out: Path | None, each: Path | None) -> None:
    """The tags, and each sample with its own, where files were named."""
    from core.files import write_json
    from core.systems.label_descriptions.tables import samples_table, tags_document, tags_table

    if out is not None and out.suffix.lower() == ".json":
        write_json(out, tags_document(diagnosis, found))
    elif out is not None:
        write_table(tags_table(found), out)
    if each is not None:
        write_table(samples_table(diagnosis, found), each)


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.label_descriptions.learn.settings import LabelTraining

    return setting_options("settings", "The training", LabelTraining, taken)


@command(settings=_settings, note="What is trained, and what that is worth: docs/label_descriptions.md.")
@argument("model", "MODEL", "a masked or causal language model: a folder, a .gguf file, or smollm2")
@option("--descriptions FILE", "what is said of each class: JSON of lists, or a manual_24.tsv")
@option("--table FILE", "labeled texts to be classified: CSV, TSV, JSON Lines or Parquet")
@option("--out FILE", "write the figures there, with each pattern's own: .json")
@option("--answers FILE", "write each text's prediction and prob_* there, for `diagnose`: .csv, .parquet or .json")
@option("--patterns WHAT", "topic, sentiment, trait, a prompts.tsv, or lines that hold <mask> (default: topic)")
@option("--words TEXT", "the word of a class, lines or semicolons: negative: awful; positive: great")
@option("--order TEXT", "the classes in the order of the numbers of a manual_24.tsv, with commas")
@heading("Columns of that table")
@ID
@option("--texts COL", "column of texts; several are read one after another")
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
    """Teach a language model what the labels mean, by descriptions in place of examples.

    After label-description training: in each of several patterns the model learns to say a class's word behind what is
    said of the class. The labels of the table only measure it.
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
        found = train_and_measure(read_language_model(model), task, how, progress=progress)
    for note in task.notes:
        say(f"Note: {note}", file=sys.stderr)
    document = learned_document(task, found, how)
    if out is not None:
        write_json(out, document)
    if answers is not None:
        write_table(answers_table(task, found), answers)
    if as_json:
        print_json(document)
        return
    say("\n".join(learned_lines(found)))
    for path in (out, answers):
        if path is not None:
            say(f"Written: {path}")
