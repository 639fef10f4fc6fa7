"""The commands `visual-words`, which tests parts of images, and `pretrain`, which trains a network on a visual
dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli.command import Option, argument, command, option
from core.cli.options import JSON, POSITIVE, RUN, SEED
from core.cli.output import TABLES, check_suffix, in_folder, make_folder, print_result, write_result
from core.cli.terminal import TerminalProgress
from core.systems.common.setting_options import setting_options


@command(note="What a visual word is, and what its p covers: docs/visual_words.md.")
@argument("run", "RUN", RUN)
@option("--images PATH", "the run's images (default: the run's small copies)")
@option("--encoder NAME", "encoder of the image cells (default: embedded)")
@option("--words N", "size of the dictionary (default: 256)", to="size", **POSITIVE)
@option("--out FILE", "file for the words: .html with crops, .json, or .csv and .parquet with each image's cells")
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
    """Find parts of images that go with errors, without any text.

    Errata fits a dictionary of image cells on a run's images. It tests the dictionary's visual words together with
    everything else in the run.
    """
    if out is not None:
        check_suffix(out, *TABLES, ".html")
        in_folder(out)
    from core.files import default_cache, write_text
    from core.store import load
    from core.systems.common.run_pictures import pictures_of
    from core.systems.visual_words.search import search_words
    from core.systems.visual_words.tables import visual_document, visual_table
    from core.systems.visual_words.wording import visual_lines

    diagnosis = load(run)
    with TerminalProgress() as progress:
        store = pictures_of(diagnosis, images, progress)
        search = search_words(
            diagnosis, images=store, encoder=encoder, size=size, seed=seed, cache=default_cache(), progress=progress
        )
    document = visual_document(search)
    if out is not None and out.suffix.lower() == ".html":
        from core.systems.visual_words.html import shown_maps, shown_names, shown_words, visual_page

        names = shown_names(search, store, diagnosis)
        maps = shown_maps(search, store)
        write_text(out, visual_page(search, shown_words(search, store), names, maps))
    else:
        write_result(out, document, visual_table(search))
    print_result(document, visual_lines(search), out, as_json=as_json)


def _settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    from core.systems.visual_words.pretraining.settings import Pretraining

    return setting_options("settings", "Network and training", Pretraining, taken)


@command(settings=_settings, note="What the network learns, and its measured benefit: docs/visual_words.md.")
@argument("table", "TABLE", "table of images and captions: .csv, .tsv, .jsonl, .json or .parquet")
@option("--images PATH", "folder or archive of the images", required=True)
@option("--image NAME", "column of image files (default: image)")
@option("--caption NAME", "column of captions; repeat for several")
@option("--encoder NAME", "encoder of the image cells (default: embedded)")
@option("--begin FILE", "weights with a visual dictionary to start from, such as SOHO's published ones")
@option("--licence TEXT", "license of the training data, for the card")
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
    """Pretrain a small network on captioned images through a visual dictionary, after SOHO.

    Errata holds out one image in five, at most 1,000. On these it measures how well captions and images find each
    other, with the network and with the encoder alone.
    """
    from core.files import default_cache
    from core.options import read_settings
    from core.systems.visual_words.pretraining.captions_table import read_captions
    from core.systems.visual_words.pretraining.run import PRETRAINED, pretrain_on, result_document, save_pretrained
    from core.systems.visual_words.pretraining.settings import Pretraining
    from core.systems.visual_words.pretraining.wording import pretraining_lines

    pretraining = Pretraining(**read_settings(Pretraining, settings))
    if out is not None:
        make_folder(out, PRETRAINED)
    with TerminalProgress() as progress:
        captions = read_captions(table, images, image=image, captions=caption or ("caption",), progress=progress)
        result = pretrain_on(
            captions, pretraining, encoder=encoder, dictionary=begin, cache=default_cache(), progress=progress
        )
    if out is not None:
        save_pretrained(result, out, licence)
    print_result(result_document(result), pretraining_lines(result), out, as_json=as_json)
