"""`answers --questions`: a model's loss on questions whose answers are known, as a table for `diagnose`."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput


def write_losses(table: Path, images: Path | None, model: Path, encoder: str, out: Path | None, as_json: bool) -> None:
    """Ask, and write the table with the model's losses.

    Raises:
        InvalidInput: --images or --out is missing, or an input breaks the rules of its reader.
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

    if images is None:
        raise InvalidInput("--questions needs --images PATH, the images it asks about. Add it.")
    if out is None:
        raise InvalidInput("--questions needs --out FILE for the losses. Add it.")
    describer = read_describer(model)
    with TerminalProgress() as progress:
        store = open_images(images, progress=progress)
        known = read_known_questions(table, index_files(store))
        loaded = load_encoder(encoder)
        tower = tower_of(loaded)
        pictures = read_image_tokens(store.keep(known.of), loaded, tower, cache=default_cache(), progress=progress)
        losses = losses_of(describer, known, pictures, tower.grid, progress)
    write_table(losses, out)
    notes = [*known.notes, *pictures.notes]
    n_right = int(losses["correct"].sum())
    right = float(losses["correct"].mean())
    loss = float(losses["loss"].mean())
    if as_json:
        print_json({"n": len(losses), "right": right, "loss": loss, "written": str(out), "notes": notes})
        return
    n = len(losses)
    lines = [f"{n_right:,} of {count(n, 'question')} answered right ({percent(right)}), mean loss {number(loss, 2)}."]
    if notes:
        lines.append(listed(notes))
    lines.append(f"Written: {out}")
    lines.append(f"To find where the model fails: `python -m core diagnose --table {out} --images {images} --out DIR`")
    say("\n".join(lines))
