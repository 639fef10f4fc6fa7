"""The commands that look for what goes with failure: `explain` in sentences, `visual-words` in parts of pictures; and
`pretrain`, a network around such a dictionary."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Option, argument, command, option
from core.cli.options import JSON, POSITIVE, RUN, SEED, setting_options
from core.cli.output import TABLES, check_suffix, in_folder, make_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say

if TYPE_CHECKING:
    from core.records import Diagnosis, Faithfulness

SHOWN = 10
"""Samples whose sentences are printed."""


@command(note="What is named, and what it is worth: docs/explain.md.")
@argument("run", "DIR", RUN)
@option("--row ID", "one sample: its sentence alone, without the measurement")
@option("--out FILE", "also write every sample's sentence: .csv, .parquet or .json")
@option("--not-kept", "measure anew, and leave the run as it is")
@JSON
def explain(
    run: Path, row: str | None = None, out: Path | None = None, not_kept: bool = False, as_json: bool = False
) -> None:
    """Why a sample may fail, in a sentence built from what was measured.

    Of a run as a whole: the sentences of the samples of highest expected loss, and whether the causes that they name
    tell failing samples from others, on samples that the choice of causes did not see. That is added to the run and its
    report, and taken from there the next time.
    """
    if out is not None:
        check_suffix(out)
    from core.checks.reasons import reasons_of
    from core.reports.tables.reasons import reasons_document, reasons_table
    from core.reports.wording.reasons import RULE, faithfulness_lines, nothing_known, sentence_of
    from core.store import load

    diagnosis = load(run)
    if row is not None:
        found = reasons_of(diagnosis, [_place(diagnosis.samples.ids, row)])
        if as_json:
            print_json(reasons_document(diagnosis, found))
        else:
            say(sentence_of(diagnosis, found[0]) or nothing_known(diagnosis, found[0].row))
        return
    found = reasons_of(diagnosis)
    measured = _measured(diagnosis, run, kept=not not_kept)
    if out is not None:
        write_table(reasons_table(diagnosis), out)
    if as_json:
        print_json(reasons_document(diagnosis, found, measured))
        return
    told = sorted((one for one in found if one.grounds), key=lambda one: (-one.expected, one.row))
    say(f"Something is known of {len(told):,} of {len(found):,} samples. {RULE}")
    for one in told[:SHOWN]:
        say(f"{diagnosis.samples.ids[one.row]}: {sentence_of(diagnosis, one)}")
    if len(told) > SHOWN:
        say(f"... and {len(told) - SHOWN:,} more: --out FILE writes them all.")
    say("\n".join(faithfulness_lines(diagnosis, measured)))
    if out is not None:
        say(f"Written: {out}")


def _measured(diagnosis: Diagnosis, run: Path, *, kept: bool) -> Faithfulness:
    """What the run keeps, or else measured and, with `kept`, added to it."""
    from core.checks.faithfulness import measure_faithfulness
    from core.errors import InvalidInput
    from core.store import update

    if kept and diagnosis.faithfulness is not None:
        return diagnosis.faithfulness
    with TerminalProgress() as progress:
        measured = measure_faithfulness(diagnosis, progress=progress)
        try:
            if kept:
                update(diagnosis, run, lambda now: replace(now, faithfulness=measured), progress)
        except InvalidInput as error:  # as where the run may only be read
            say(f"Note: the measurement is not kept. {error}", file=sys.stderr)
    return measured


def _place(ids: tuple[str, ...], name: str) -> int:
    from core.errors import InvalidInput, quoted

    if name not in ids:
        raise InvalidInput(f"The run has no sample {name[:60]!r}. Its ids are such as {quoted(*ids[:3])}.")
    return ids.index(name)


@command(note="What a visual word is, and what its p covers: docs/visual_words.md.")
@argument("run", "DIR", RUN)
@option("--images PATH", "the run's pictures (default: the small ones that the run keeps)")
@option("--encoder NAME", "of whose cells the words are made (default embedded)")
@option("--words N", "size of the dictionary (default 256)", to="size", **POSITIVE)
@option("--out FILE", "write the words there: .html with crops, .json, or .csv and .parquet with each picture's cells")
@SEED
@JSON
def visual_words(
    run: Path,
    images: Path | None = None,
    encoder: str = "embedded",
    size: int = 256,
    out: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Which parts of the pictures go with failure, with no word needed for them?

    A dictionary of picture cells is fitted on a finished run's pictures, and its words are tested beside everything
    else that the run looked at.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
        in_folder(out)
    from core.embeddings.cache import default_cache
    from core.files import write_json, write_text
    from core.reports.tables.visual_words import visual_document, visual_table
    from core.reports.wording.visual_words import visual_lines
    from core.store import load
    from core.visual_words.search import pictures_of, search_words

    diagnosis = load(run)
    with TerminalProgress() as progress:
        store = pictures_of(diagnosis, images, progress)
        found = search_words(
            diagnosis, images=store, encoder=encoder, size=size, seed=seed, cache=default_cache(), progress=progress
        )
    if out is not None and out.suffix.lower() == ".html":
        from core.reports.html.visual_words import shown_maps, shown_names, shown_words, visual_page

        names, maps = shown_names(found, store, diagnosis), shown_maps(found, store)
        write_text(out, visual_page(found, shown_words(found, store), names, maps))
    elif out is not None and out.suffix.lower() == ".json":
        write_json(out, visual_document(found))
    elif out is not None:
        write_table(visual_table(found), out)
    if as_json:
        print_json(visual_document(found))
        return
    say("\n".join(visual_lines(found)))
    if out is not None:
        say(f"Written: {out}")


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.visual_words.pretraining.settings import Pretraining

    return setting_options("settings", "The network, and how it learns", Pretraining, taken)


@command(settings=_settings, note="What is learned, and what it brought: docs/visual_words.md.")
@argument("table", "TABLE", "table of pictures and captions: .csv, .tsv, .jsonl, .json or .parquet")
@option("--images PATH", "folder or archive of the pictures", required=True)
@option("--image NAME", "the table's column of files (default image)")
@option("--caption NAME", "a column of captions; give it once for each")
@option("--encoder NAME", "whose map the cells are (default embedded)")
@option("--begin FILE", "weights that hold a visual dictionary to begin with, such as published ones of SOHO")
@option("--licence TEXT", "of what is learned from, for the card")
@option("--out FOLDER", "folder for the weights and their card")
@JSON
def pretrain(
    table: Path,
    images: Path,
    settings: dict[str, Any],
    image: str = "image",
    caption: tuple[str, ...] = (),
    encoder: str = "embedded",
    begin: Path | None = None,
    licence: str = "unknown",
    out: Path | None = None,
    as_json: bool = False,
) -> None:
    """Pretrain a small network on captioned pictures through a visual dictionary, after SOHO.

    One picture in five is held out, at most 1,000; on these it is told how well captions and pictures find each other,
    by the network and by the encoder alone.
    """
    from core.embeddings.cache import default_cache
    from core.options import read_settings
    from core.reports.wording.pretraining import pretraining_lines
    from core.visual_words.pretraining.captions_table import read_captions
    from core.visual_words.pretraining.run import PRETRAINED, pretrain_on, result_document, save_pretrained
    from core.visual_words.pretraining.settings import Pretraining

    how = Pretraining(**read_settings(Pretraining, settings))
    if out is not None:
        make_folder(out, PRETRAINED)
    with TerminalProgress() as progress:
        given = read_captions(table, images, image=image, captions=caption or ("caption",), progress=progress)
        result = pretrain_on(given, how, encoder=encoder, dictionary=begin, cache=default_cache(), progress=progress)
    if out is not None:
        save_pretrained(result, out, licence)
    if as_json:
        print_json(result_document(result))
        return
    say("\n".join(pretraining_lines(result)))
    if out is not None:
        say(f"Written: {out}")
