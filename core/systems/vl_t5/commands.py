"""The command `answers`: ask a run's images a question, or describe its clusters by captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import argument, command, option
from core.cli.options import JSON, RUN, SEED
from core.cli.output import check_suffix, in_folder, print_json, print_result, write_result, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from core.records import Diagnosis, Progress
    from core.systems.common.tokens import PictureTokens

    Answer = tuple[dict[str, Any], pd.DataFrame, list[str]]
    """Document, table and lines."""


@command(note="What the model knows, what it does not, and what a word's p covers: docs/answers.md.")
@argument("run", "[RUN]", f"{RUN}; not with --questions")
@option("--ask TEXT", "a question to ask about every image")
@option("--captions FILE", "captions, one per line; describe each group by the nearest")
@option("--written", "describe the groups by captions that the model writes")
@option("--questions FILE", "table of questions with known answers about --images; writes each loss to --out")
@option("--images PATH", "the run's images (default: the run's small copies)")
@option("--model DIR", "folder of the VL-T5 that answers or writes, see docs/answers.md (default: of drawn scenes)")
@option("--encoder NAME", "encoder of the image cells that the model reads (default: embedded)")
@option("--out FILE", "file for each image's answer or caption: .json, .csv or .parquet")
@SEED
@JSON
def answers(
    run: Path | None = None,
    ask: str = "",
    captions: Path | None = None,
    written: bool = False,
    questions: Path | None = None,
    images: Path | None = None,
    model: Path | None = None,
    encoder: str = "embedded",
    out: Path | None = None,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Ask a run's images a question, or describe its groups by captions.

    Errata compares the answers for failures with those for the others, and the words of members' captions with those
    of the rest of the class.
    """
    if bool(ask) + (captions is not None) + written + (questions is not None) != 1:
        raise InvalidInput(
            'Use exactly one of --ask "what colour is the cube?", --captions FILE, --written and --questions TABLE.'
        )
    if out is not None:
        check_suffix(out)
        in_folder(out)
    if questions is not None:
        from core.systems.vl_t5.folder import folder_of

        if run is not None:
            raise InvalidInput("--questions reads --images PATH and not a run. Remove the folder of the run.")
        _write_losses(questions, images, folder_of(model), encoder, out, as_json)
        return
    if run is None:
        raise InvalidInput("No run to ask or describe. Add the folder from `diagnose --out`.")
    from core.store import load

    diagnosis = load(run)
    with TerminalProgress() as progress:
        reader = AskedRun(diagnosis, images, model, encoder, progress)
        if ask:
            document, table, lines = reader.ask(ask, seed)
        else:
            document, table, lines = reader.describe(captions, seed)
    write_result(out, document, table)
    print_result(document, lines, out, as_json=as_json)


@dataclass(frozen=True, slots=True, eq=False)
class AskedRun:
    """A run, and the images, model and encoder to ask it with."""

    diagnosis: Diagnosis
    images: Path | None
    model: Path | None
    encoder: str
    progress: Progress

    def ask(self, question: str, seed: int) -> Answer:
        from core.systems.vl_t5.ask import ask_pictures, with_prefix
        from core.systems.vl_t5.caution import caution_of
        from core.systems.vl_t5.folder import folder_of, read_describer
        from core.systems.vl_t5.tables import asked_document, asked_table
        from core.systems.vl_t5.wording import asked_lines

        with_prefix(question)  # rejects an invalid question before any image is read
        folder = folder_of(self.model)
        describer = read_describer(folder)
        caution = caution_of(folder)
        cells, grid = self._cells()
        asked = ask_pictures(
            self.diagnosis, question, describer, cells, grid, caution=caution, seed=seed, progress=self.progress
        )
        return asked_document(self.diagnosis, asked), asked_table(self.diagnosis, asked), asked_lines(asked)

    def describe(self, file: Path | None, seed: int) -> Answer:
        from core.files import default_cache
        from core.systems.vl_t5.describe import describe_clusters, nearest_captions, read_captions
        from core.systems.vl_t5.tables import described_document, described_table
        from core.systems.vl_t5.wording import described_lines, nearest_of

        if file is None:
            captions = self._write_captions()
            cosines = None
            how = "written by the model for each image"
        else:
            bank = read_captions(file)
            captions, cosines = nearest_captions(self.diagnosis, bank, cache=default_cache(), progress=self.progress)
            how = nearest_of(bank, file.name)
        clusters = describe_clusters(self.diagnosis, captions, cosines=cosines, seed=seed, progress=self.progress)
        document = described_document(self.diagnosis, clusters, captions, how, cosines)
        return document, described_table(self.diagnosis, captions, cosines), described_lines(clusters, how)

    def _write_captions(self) -> list[str | None]:
        from core.systems.vl_t5.ask import answer_each
        from core.systems.vl_t5.folder import read_describer
        from core.systems.vl_t5.tasks import CAPTION

        if self.model is None:
            raise InvalidInput(
                "--written needs a model that writes captions, and the shipped one does not. Add --model DIR."
            )
        describer = read_describer(self.model)
        cells, grid = self._cells()
        captions: list[str | None] = [None] * len(self.diagnosis.samples)
        for row, answer in zip(cells.kept_rows.tolist(), answer_each(describer, cells, grid, CAPTION, self.progress)):
            captions[row] = answer.text
        return captions

    def _cells(self) -> tuple[PictureTokens, tuple[int, int]]:
        from core.files import default_cache
        from core.systems.common.run_pictures import pictures_of
        from core.systems.vl_t5.ask import read_cells

        store = pictures_of(self.diagnosis, self.images, self.progress, why="The model reads the images")
        return read_cells(self.diagnosis, store, self.encoder, default_cache(), self.progress)


def _write_losses(table: Path, images: Path | None, model: Path, encoder: str, out: Path | None, as_json: bool) -> None:
    """Ask questions whose answers are known, and write the table with the model's losses, for `diagnose`."""
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
