"""`answers --questions`: a model's loss on questions whose answers are known, as a table for `diagnose`."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput


def write_losses(table: Path, images: Path | None, model: Path, encoder: str, out: Path | None, as_json: bool) -> None:
    """Ask, and write the table with the model's losses.

    Raises:
        InvalidInput: pictures or --out are not named, or a rule of the parts that read them is broken.
    """
    from core.data.images.archives import open_images
    from core.data.images.matching import index_files
    from core.encoders import load_encoder
    from core.encoders.tokens import tower_of
    from core.files import default_cache
    from core.numbers import count, listed, number, percent
    from core.systems.common.tokens import read_image_tokens
    from core.systems.vl_t5.folder import read_describer
    from core.systems.vl_t5.known_answers import losses_of, read_known_questions

    if images is None or out is None:
        absent = "--images PATH, the pictures that are asked about" if images is None else "--out FILE, for the losses"
        raise InvalidInput(f"--questions needs {absent}.")
    describer = read_describer(model)
    with TerminalProgress() as progress:
        store = open_images(images, progress=progress)
        known = read_known_questions(table, index_files(store))
        loaded = load_encoder(encoder)
        tower = tower_of(loaded)
        pictures = read_image_tokens(store.keep(known.of), loaded, tower, cache=default_cache(), progress=progress)
        found = losses_of(describer, known, pictures, tower.grid, progress)
    write_table(found, out)
    notes = [*known.notes, *pictures.notes]
    right = float(found["correct"].mean())
    loss = float(found["loss"].mean())
    if as_json:
        print_json({"n": len(found), "right": right, "loss": loss, "written": str(out), "notes": notes})
        return
    told = f"{count(len(found), 'question')}: {percent(right)} answered right, mean loss {number(loss, 2)}."
    nearer = f"`python -m core diagnose --table {out} --images {images} --out DIR` finds where it fails."
    say("\n".join([told, *([listed(notes)] if notes else []), f"Written: {out}", nearer]))
