"""The command that measures how well an encoder knows the phrases."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import SUCH_ENCODER
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput


@command()
@argument("encoder", "ENCODER", SUCH_ENCODER)
@option("--captions FILE", "table of photographs that people described: a column of files, captions beside it")
@option("--images PATH", "folder, zip or tar of those photographs; none that the encoder was fitted on")
@option(
    "--texts FILE",
    "for an encoder of texts: a table of texts; a column with a phrase's name says by 1 and 0 of which it is true",
)
@option("--split NAME", "only rows with these values in the table's column 'split' (default: all)")
@option("--vocabulary FILE", "your own phrases (default: those that ship)")
@option("--out FILE", "also write the table there: .json")
def competence(
    encoder: str,
    captions: Path | None = None,
    images: Path | None = None,
    texts: Path | None = None,
    split: tuple[str, ...] = (),
    vocabulary: Path | None = None,
    out: Path | None = None,
) -> None:
    """How well an encoder tells samples with each phrase from samples without.

    Diagnoses that this encoder speaks in use the table from then on: it says how sure a title in words is.
    """
    from core.cli.output import check_suffix, in_folder

    if out is not None:
        check_suffix(out, ".json")
        in_folder(out)
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.language.competence import kept_at, write_competence
    from core.language.vocabulary import read_vocabulary
    from core.reports.wording.competence import competence_lines

    tower = load_encoder(encoder)
    cache = default_cache()
    phrases = read_vocabulary(vocabulary, tower.modality)
    with TerminalProgress() as progress:
        if texts is not None:
            from core.checks.marked_texts import read_marked
            from core.checks.text_competence import measure_text_competence

            items, marks = read_marked(texts, [phrase.text for phrase in phrases.phrases])
            table = measure_text_competence(tower, items, marks, phrases, cache=cache, progress=progress)
        else:
            from core.checks.competence import measure_competence
            from core.data.captioned import read_captioned

            if captions is None or images is None:
                raise InvalidInput(
                    "Competence is measured on captioned photographs or on texts. Give --captions and --images, or "
                    "--texts."
                )
            captioned = read_captioned(captions, images, split, progress=progress)
            table = measure_competence(tower, captioned, phrases, cache=cache, progress=progress)
    for path in (kept_at(cache, tower.fingerprint), *(() if out is None else (out,))):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_competence(table, path)
    say("\n".join(competence_lines(table, phrases)))
    if out is not None:
        say(f"Written: {out}")
