"""The command `competence`: how well an encoder knows the phrases."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import ANY_ENCODER
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput


@command()
@argument("encoder", "ENCODER", ANY_ENCODER)
@option("--captions FILE", "table of photographs: a column of files and a column of captions")
@option("--images PATH", "folder, zip or tar of the photographs; not the encoder's training images")
@option("--texts FILE", "table of texts, for a text encoder; 0/1 columns named like phrases mark where each is true")
@option("--split NAME", "use only rows with these values in the column 'split' (default: all)")
@option("--vocabulary FILE", "phrases to test (default: those of `python -m core phrases`)")
@option("--out FILE", "JSON file for the table, in addition to the cache")
def competence(
    encoder: str,
    captions: Path | None = None,
    images: Path | None = None,
    texts: Path | None = None,
    split: tuple[str, ...] = (),
    vocabulary: Path | None = None,
    out: Path | None = None,
) -> None:
    """Measure how well an encoder recognizes each phrase.

    Later diagnoses with this encoder use the table: it gives the confidence in a title.
    """
    from core.cli.output import check_suffix, in_folder

    if out is not None:
        check_suffix(out, ".json")
        in_folder(out)
    from core.encoders import load_encoder
    from core.files import default_cache
    from core.language.competence import cached_table, write_competence
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
                    "competence needs captioned photographs or texts. Add --captions and --images, or --texts."
                )
            captioned = read_captioned(captions, images, split, progress=progress)
            table = measure_competence(tower, captioned, phrases, cache=cache, progress=progress)
    paths = [cached_table(cache, tower.fingerprint)]
    if out is not None:
        paths.append(out)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_competence(table, path)
    say("\n".join(competence_lines(table, phrases)))
    if out is not None:
        say(f"Written: {out}")
